package polyv

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

const (
	// maxGuessed bounds the texts for which mistakes are tried, and of which a
	// whole explanation tells.
	maxGuessed = 64 << 10

	// maxOmitted bounds the parameters that are left out in turn.
	maxOmitted = 64
)

// An attempt is a signature as a client may have made it.
type attempt struct {
	signing
	headName, tailName string // what stands for the secrets where they are shown

	write func(pair) string // how a parameter is written; nil: name and value
	join  string            // what stands between two
	keyed bool              // an HMAC under the secret in place of a hash
	lower bool              // lower case
}

// A guess is one mistake that clients are known to make. The explanation of a
// refused sign makes each of them in turn: where the client's sign comes out,
// the mistake is proven.
type guess struct {
	cause string
	text  string
	make  func(*attempt)
}

// between is the text without the secrets.
func (a *attempt) between() string {
	var b strings.Builder
	first := true
	for _, p := range a.pairs {
		if p.name == "sign" || p.value == "" && !a.empties {
			continue
		}
		if !first {
			b.WriteString(a.join)
		}
		first = false
		if a.write != nil {
			b.WriteString(a.write(p))
		} else {
			b.WriteString(p.name + p.value)
		}
	}
	return b.String()
}

// shown is the text with the secrets by name.
func (a *attempt) shown() string { return a.headName + a.between() + a.tailName }

func (a *attempt) sum() string {
	text := []byte(a.head + a.between() + a.tail)
	var sum string
	switch {
	case a.keyed:
		h := hmac.New(md5.New, []byte(a.head))
		if a.hash == sha256Hash {
			h = hmac.New(sha256.New, []byte(a.head))
		}
		h.Write([]byte(a.between()))
		sum = strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
	default:
		sum = string(a.hash.sum(nil, text))
	}
	if a.lower {
		sum = strings.ToLower(sum)
	}
	return sum
}

const secretName = "{appSecret}"

// why explains a refused sign.
func why(c *contract.Call) contract.Explanation {
	k := callerOf(c)
	h, _ := hashOf(k.value("signatureMethod"))
	secret := k.application.AppSecret
	right := attempt{signing: signing{pairs: k.pairs, head: secret, tail: secret, hash: h}, headName: secretName, tailName: secretName}
	others := k.others(c)
	e := contract.Explanation{
		Cause: mismatched.Code, Text: contract.Verdict{Facts: contract.Facts{{Name: "appId", Value: k.appID}}}.Fill(c, mismatched.Text),
		Facts:    contract.Facts{{Name: "appId", Value: k.appID}, {Name: "hash", Value: h.String()}, {Name: "with empty values", Value: k.withEmpties(right)}},
		Expected: parameters(k.pairs) + "\n\nText: " + right.shown() + "\n\nSign: " + right.sum(),
		Got:      "Sign: " + k.sign,
	}
	e.FirstDifference = firstDifference(right.sum(), k.sign)
	if len(e.Expected) <= maxGuessed {
		for _, g := range guesses(c, k, others) {
			a := right
			g.make(&a)
			if a.sum() != k.sign {
				continue
			}
			e.Cause, e.Text = g.cause, g.text
			e.Got = "Text: " + a.shown() + "\n\nSign: " + k.sign
			if e.FirstDifference = firstDifference(right.shown(), a.shown()); e.FirstDifference == "" {
				e.FirstDifference = "the texts are the same; what is made of them is not"
			}
			break
		}
	}
	secrets := []string{secret}
	for _, a := range others {
		secrets = append(secrets, a.AppSecret)
	}
	for _, told := range []*string{&e.Text, &e.Expected, &e.Got, &e.FirstDifference} {
		*told = bounded(mask(bounded(*told, 2*maxGuessed), secrets), maxGuessed)
	}
	return e
}

// withEmpties tells whether signing parameters without a value would have made
// the client's sign.
func (k *caller) withEmpties(a attempt) string {
	if !slices.ContainsFunc(k.pairs, func(p pair) bool { return p.value == "" && p.name != "sign" }) {
		return "there are none"
	}
	if a.empties = true; a.sum() == k.sign {
		return "they would have matched"
	}
	return "they would not have matched either"
}

// parameters lists what is signed, in its order.
func parameters(pairs []pair) string {
	var b strings.Builder
	b.WriteString("Parameters in the order of their names:")
	for _, p := range pairs {
		switch {
		case p.name == "sign":
		case p.value == "":
			b.WriteString("\n  " + p.name + " (without a value, and so not signed)")
		default:
			b.WriteString("\n  " + p.name + " = " + p.value)
		}
	}
	return b.String()
}

// mask has secrets stand by name, also where a client sent one.
func mask(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, secretName)
		}
	}
	return strings.ToValidUTF8(text, "�")
}

// bounded cuts a text to so many bytes. What is masked is cut before, for that
// takes time, and behind what will be shown, so that no half of a secret is.
func bounded(text string, most int) string {
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// firstDifference tells where two texts part.
func firstDifference(want, got string) string {
	if want == got {
		return ""
	}
	at := 0
	for at < len(want) && at < len(got) && want[at] == got[at] {
		at++
	}
	return fmt.Sprintf("at character %d: expected %s, got %s", utf8.RuneCountInString(want[:at])+1, from(want, at), from(got, at))
}

// from is what stands in a text from a place on.
func from(text string, at int) string {
	const most = 24
	if at >= len(text) {
		return "the end"
	}
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	rest := text[at:]
	if len(rest) > most {
		end := most
		for end > 0 && !utf8.RuneStart(rest[end]) {
			end--
		}
		rest = rest[:end] + "…"
	}
	return strconv.Quote(rest)
}

// others are the applications whose secrets may have been taken.
func (k *caller) others(c *contract.Call) []application {
	var list []application
	c.WithState(func() {
		for _, a := range c.State.(*state).Applications {
			if a.AppSecret != k.application.AppSecret && len(list) < maxOmitted {
				list = append(list, a)
			}
		}
	})
	return list
}

// guesses lists the mistakes to try, those seen most often first.
func guesses(c *contract.Call, k *caller, others []application) []guess {
	list := []guess{
		{"empty_values_signed", "The client signed parameters without a value; the documentation leaves them out, and the switch empty_values says documented.", func(a *attempt) { a.empties = true }},
		{"sign_lower_case", "The sign is right but for its lower case; upper case is documented. The switch sign_case has it taken.", func(a *attempt) { a.lower = true }},
		{"sign_lower_case", "The sign is in lower case, and parameters without a value are signed.", func(a *attempt) { a.lower, a.empties = true, true }},
		{"signature_method_not_signed", "The client left signatureMethod out of what it signed; it is signed like any other parameter.", func(a *attempt) { a.pairs = leaveOut(a.pairs, "signatureMethod") }},
		{"signed_with_sha256", "The client signed with SHA-256 and did not send signatureMethod=SHA256.", func(a *attempt) { a.hash = sha256Hash }},
		{"signed_with_sha256", "The client signed signatureMethod=SHA256, and did not send it.", func(a *attempt) {
			a.hash, a.pairs = sha256Hash, with(a.pairs, pair{"signatureMethod", "SHA256"})
		}},
		{"signed_with_md5", "The client signed with MD5 and sent a signatureMethod that says otherwise.", func(a *attempt) { a.hash = md5Hash }},
		{"signed_with_md5", "The client signed with MD5 and without signatureMethod, and sent one that says otherwise.", func(a *attempt) {
			a.hash, a.pairs = md5Hash, leaveOut(a.pairs, "signatureMethod")
		}},
	}
	list = append(list, otherSecrets(k, others)...)
	list = append(list, otherTexts(c, k)...)
	return append(list, otherParameters(c, k)...)
}

// otherSecrets guesses at what stands at the ends of the text.
func otherSecrets(k *caller, others []application) []guess {
	list := []guess{
		{"secret_missing_at_end", "The client put the appSecret before the parameters only; it stands behind them too.", func(a *attempt) { a.tail, a.tailName = "", "" }},
		{"secret_missing_at_start", "The client put the appSecret behind the parameters only; it stands before them too.", func(a *attempt) { a.head, a.headName = "", "" }},
		{"secret_missing", "The client signed the parameters without the appSecret.", func(a *attempt) { a.head, a.tail, a.headName, a.tailName = "", "", "", "" }},
		ends("signed_with_app_id", "The client signed with the appId in place of the appSecret.", k.appID, "{appId}"),
		ends("signed_with_user_id", "The client signed with the userId in place of the appSecret.", k.application.UserID, "{userId}"),
		{"signed_with_hmac", "The client made an HMAC under the appSecret; the secret stands at both ends of a text that is hashed.", func(a *attempt) { a.keyed = true }},
	}
	for _, space := range []string{"\n", "\r\n", " "} {
		list = append(list, ends("secret_with_space", "White space stands behind the client's appSecret: it was read from a file or variable and not trimmed.",
			k.application.AppSecret+space, secretName+space))
	}
	for _, other := range others {
		list = append(list, ends("signed_with_other_secret", "The client signed with the appSecret of "+other.AppID+" and sent the appId "+k.appID+".",
			other.AppSecret, "{appSecret of "+other.AppID+"}"))
	}
	return list
}

func ends(cause, text, secret, name string) guess {
	return guess{cause, text, func(a *attempt) { a.head, a.tail, a.headName, a.tailName = secret, secret, name, name }}
}

// otherTexts guesses at how the parameters were written one behind another.
func otherTexts(c *contract.Call, k *caller) []guess {
	const order, encoded, apart = "parameters_not_sorted", "signed_encoded_values", "signed_with_separators"
	sent := inOrderSent(c.Request)
	lower := slices.Clone(k.pairs)
	slices.SortStableFunc(lower, func(a, b pair) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	equals := func(p pair) string { return p.name + "=" + p.value }
	raw := func(p pair) string { return p.name + strings.ReplaceAll(url.QueryEscape(p.value), "+", "%20") }
	return []guess{
		{order, "The client signed the parameters in the order in which it sent them; they are sorted by name.", func(a *attempt) { a.pairs = sent }},
		{order, "The client sorted the names without regard to upper and lower case; upper case comes first.", func(a *attempt) { a.pairs = lower }},
		{"plus_not_encoded", "In the address a plus sign stands for a space, and the client signed the plus sign: send %2B for one, or sign the space.", func(a *attempt) {
			a.write = func(p pair) string { return p.name + strings.ReplaceAll(p.value, " ", "+") }
		}},
		{encoded, "The client signed the values as they stand in the address, percent-encoded; they are signed decoded.", func(a *attempt) { a.write = func(p pair) string { return p.name + url.QueryEscape(p.value) } }},
		{encoded, "The client signed the values percent-encoded, with %20 for a space; they are signed decoded.", func(a *attempt) { a.write = raw }},
		{apart, "The client signed name=value; nothing stands between name and value.", func(a *attempt) { a.write = equals }},
		{apart, "The client signed name=value&name=value; nothing stands between names and values.", func(a *attempt) { a.write, a.join = equals, "&" }},
		{apart, "The client put & between the parameters; nothing stands there.", func(a *attempt) { a.join = "&" }},
		{"values_signed_alone", "The client signed the values without their names.", func(a *attempt) { a.write = func(p pair) string { return p.value } }},
	}
}

// otherParameters guesses at which parameters were signed.
func otherParameters(c *contract.Call, k *caller) []guess {
	list := []guess{
		{"repeated_parameter", "A parameter was sent twice, and the client signed its last value; the first counts.", func(a *attempt) { a.pairs = lastOfEach(c.Request) }},
		{"form_not_signed", "The client signed the query alone; the fields of a form are signed too.", func(a *attempt) { a.pairs = firstOfEach(split(c.Request.URL.RawQuery)) }},
		{"query_not_signed", "The client signed the form alone; the query is signed too.", func(a *attempt) { a.pairs = firstOfEach(split(string(c.Request.Body))) }},
		{"parameter_not_sent", "The client signed its userId, and did not send it.", func(a *attempt) { a.pairs = with(a.pairs, pair{"userId", k.application.UserID}) }},
		{"protocol_alone_signed", "The client signed appId and timestamp alone, as is right for calls with a JSON body; here every parameter is signed.", func(a *attempt) { a.pairs = k.only("appId", "timestamp") }},
		{"body_signed", "The client signed the body too; it stands outside of the signature.", func(a *attempt) { a.tail, a.tailName = string(c.Request.Body)+a.tail, "{body}"+a.tailName }},
	}
	for i := range min(len(k.pairs), maxOmitted) {
		name := k.pairs[i].name
		list = append(list, guess{
			"parameter_not_signed", "The client sent the parameter " + quote(name) + " and did not sign it: it was added behind the signing, or left out of it.",
			func(a *attempt) { a.pairs = leaveOut(a.pairs, name) },
		})
	}
	return list
}

func leaveOut(pairs []pair, name string) []pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.name == name })
}

// with puts a parameter where it belongs.
func with(pairs []pair, p pair) []pair {
	pairs = append(slices.Clone(pairs), p)
	slices.SortStableFunc(pairs, byName)
	return pairs
}

// lastOfEach are the parameters with the last value of each name.
func lastOfEach(r *contract.Request) []pair {
	pairs := inOrderSent(r)
	slices.Reverse(pairs)
	return firstOfEach(pairs)
}
