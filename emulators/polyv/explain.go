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
	// maxGuessed is the longest text for which mistakes are tried, and which an
	// explanation shows in full.
	maxGuessed = 64 << 10

	// maxOmitted is how many parameters are left out in turn.
	maxOmitted = 64
)

// An attempt is a signature as a client may have made it.
type attempt struct {
	signing
	headName, tailName string // names shown in place of the secrets

	write func(pair) string // how a parameter is written; nil: name and value
	join  string            // separator
	keyed bool              // an HMAC under the secret in place of a hash
	lower bool              // lower case
}

// A mistake is one that clients are known to make. The explanation of a refused
// sign tries each of them: where the result is the client's sign, the mistake is
// proven.
type mistake struct {
	cause string
	text  string
	make  func(*attempt)
}

// between returns the text without the secrets.
func (a *attempt) separator() string {
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

// shown returns the text with the names of the secrets in their place.
func (a *attempt) masked() string { return a.headName + a.separator() + a.tailName }

func (a *attempt) sum() string {
	text := []byte(a.head + a.separator() + a.tail)
	var sum string
	switch {
	case a.keyed:
		h := hmac.New(md5.New, []byte(a.head))
		if a.hash == sha256Hash {
			h = hmac.New(sha256.New, []byte(a.head))
		}
		h.Write([]byte(a.separator()))
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

// explainSignature explains a refused sign.
func explainSignature(c *contract.Call) contract.Explanation {
	ca := callerOf(c)
	h, _ := hashOf(ca.value("signatureMethod"))
	secret := ca.application.AppSecret
	right := attempt{signing: signing{pairs: ca.pairs, head: secret, tail: secret, hash: h}, headName: secretName, tailName: secretName}
	others := ca.otherApplications(c)
	e := contract.Explanation{
		Cause: mismatched.Code, Text: contract.Verdict{Facts: contract.Facts{{Name: "appId", Value: ca.appID}}}.Fill(c, mismatched.Text),
		Facts:    contract.Facts{{Name: "appId", Value: ca.appID}, {Name: "hash", Value: h.String()}, {Name: "with empty values", Value: ca.withEmptyParameters(right)}},
		Expected: parameters(ca.pairs) + "\n\nText: " + right.masked() + "\n\nSign: " + right.sum(),
		Got:      "Sign: " + ca.sign,
	}
	e.FirstDifference, e.SignaturesDiffer = firstDifference(right.sum(), ca.sign), true
	e.Signatures, e.Keys = []string{right.sum(), ca.sign}, []string{secret}
	if len(e.Expected) <= maxGuessed {
		for _, g := range mistakes(c, ca, others) {
			a := right
			g.make(&a)
			if a.sum() != ca.sign {
				continue
			}
			e.Cause, e.Text = g.cause, g.text
			e.Got = "Text: " + a.masked() + "\n\nSign: " + ca.sign
			e.SignaturesDiffer, e.Keys = false, append(e.Keys, a.head, a.tail)
			if e.FirstDifference = firstDifference(right.masked(), a.masked()); e.FirstDifference == "" {
				e.FirstDifference = "the texts are the same; what is made of them is not"
			}
			break
		}
	}
	secrets := []string{secret}
	for _, a := range others {
		secrets = append(secrets, a.AppSecret)
	}
	// Masking takes time, so the texts are cut before it, with a margin that keeps half a
	// secret from being shown.
	for _, text := range []*string{&e.Text, &e.Expected, &e.Got, &e.FirstDifference} {
		*text = contract.Shorten(mask(contract.Shorten(*text, 2*maxGuessed), secrets), maxGuessed)
	}
	return e
}

// withEmptyParameters says whether the client's sign results when parameters
// without a value are signed too.
func (ca *caller) withEmptyParameters(a attempt) string {
	if !slices.ContainsFunc(ca.pairs, func(p pair) bool { return p.value == "" && p.name != "sign" }) {
		return "there are none"
	}
	if a.empties = true; a.sum() == ca.sign {
		return "they would have matched"
	}
	return "they would not have matched either"
}

// parameters lists the signed parameters, in their order.
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

// mask replaces secrets by a name, also where a client sent one.
func mask(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, secretName)
		}
	}
	return strings.ToValidUTF8(text, "�")
}

// firstDifference says where two texts begin to differ.
func firstDifference(want, got string) string {
	if want == got {
		return ""
	}
	at := 0
	for at < len(want) && at < len(got) && want[at] == got[at] {
		at++
	}
	return fmt.Sprintf("at character %d: expected %s, got %s", utf8.RuneCountInString(want[:at])+1, tailFrom(want, at), tailFrom(got, at))
}

// tailFrom returns a text from a position on.
func tailFrom(text string, at int) string {
	const most = 24
	if at >= len(text) {
		return "the end"
	}
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return strconv.Quote(contract.Shorten(text[at:], most))
}

// otherApplications returns the applications whose secrets the client may have used.
func (ca *caller) otherApplications(c *contract.Call) []application {
	var list []application
	c.WithState(func() {
		for _, a := range c.State.(*state).Applications {
			if a.AppSecret != ca.application.AppSecret && len(list) < maxOmitted {
				list = append(list, a)
			}
		}
	})
	return list
}

// mistakes lists the mistakes to try, the most frequent first.
func mistakes(c *contract.Call, ca *caller, others []application) []mistake {
	list := []mistake{
		{"empty_values_signed", "The client signed parameters without a value; the documentation leaves them out, and the switch empty_values says documented.", func(a *attempt) { a.empties = true }},
		{"sign_lower_case", "The sign is right but for its lower case; upper case is documented. The switch sign_case has it taken.", func(a *attempt) { a.lower = true }},
		{"sign_lower_case", "The sign is in lower case, and parameters without a value are signed.", func(a *attempt) { a.lower, a.empties = true, true }},
		{"signature_method_not_signed", "The client left signatureMethod out of what it signed; it is signed like any other parameter.", func(a *attempt) { a.pairs = leaveOut(a.pairs, "signatureMethod") }},
		{"signed_with_sha256", "The client signed with SHA-256 and did not send signatureMethod=SHA256.", func(a *attempt) { a.hash = sha256Hash }},
		{"signed_with_sha256", "The client signed signatureMethod=SHA256, and did not send it.", func(a *attempt) {
			a.hash, a.pairs = sha256Hash, withPair(a.pairs, pair{"signatureMethod", "SHA256"})
		}},
		{"signed_with_md5", "The client signed with MD5 and sent a signatureMethod that says otherwise.", func(a *attempt) { a.hash = md5Hash }},
		{"signed_with_md5", "The client signed with MD5 and without signatureMethod, and sent one that says otherwise.", func(a *attempt) {
			a.hash, a.pairs = md5Hash, leaveOut(a.pairs, "signatureMethod")
		}},
	}
	list = append(list, secretMistakes(ca, others)...)
	list = append(list, textMistakes(c, ca)...)
	return append(list, parameterMistakes(c, ca)...)
}

// secretMistakes lists mistakes in the secret around the text.
func secretMistakes(ca *caller, others []application) []mistake {
	list := []mistake{
		{"secret_missing_at_end", "The client put the appSecret before the parameters only; it stands behind them too.", func(a *attempt) { a.tail, a.tailName = "", "" }},
		{"secret_missing_at_start", "The client put the appSecret behind the parameters only; it stands before them too.", func(a *attempt) { a.head, a.headName = "", "" }},
		{"secret_missing", "The client signed the parameters without the appSecret.", func(a *attempt) { a.head, a.tail, a.headName, a.tailName = "", "", "", "" }},
		newMistake("signed_with_app_id", "The client signed with the appId in place of the appSecret.", ca.appID, "{appId}"),
		newMistake("signed_with_user_id", "The client signed with the userId in place of the appSecret.", ca.application.UserID, "{userId}"),
		{"signed_with_hmac", "The client made an HMAC under the appSecret; the secret stands at both ends of a text that is hashed.", func(a *attempt) { a.keyed = true }},
	}
	for _, space := range []string{"\n", "\r\n", " "} {
		list = append(list, newMistake("secret_with_space", "White space stands behind the client's appSecret: it was read from a file or variable and not trimmed.",
			ca.application.AppSecret+space, secretName+space))
	}
	for _, other := range others {
		list = append(list, newMistake("signed_with_other_secret", "The client signed with the appSecret of "+other.AppID+" and sent the appId "+ca.appID+".",
			other.AppSecret, "{appSecret of "+other.AppID+"}"))
	}
	return list
}

func newMistake(cause, text, secret, name string) mistake {
	return mistake{cause, text, func(a *attempt) { a.head, a.tail, a.headName, a.tailName = secret, secret, name, name }}
}

// textMistakes lists mistakes in how the parameters are concatenated.
func textMistakes(c *contract.Call, ca *caller) []mistake {
	const order, encoded, apart = "parameters_not_sorted", "signed_encoded_values", "signed_with_separators"
	sent := inOrderSent(c.Request)
	lower := slices.Clone(ca.pairs)
	slices.SortStableFunc(lower, func(a, b pair) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	equals := func(p pair) string { return p.name + "=" + p.value }
	raw := func(p pair) string { return p.name + strings.ReplaceAll(url.QueryEscape(p.value), "+", "%20") }
	return []mistake{
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

// parameterMistakes lists mistakes in which parameters are signed.
func parameterMistakes(c *contract.Call, ca *caller) []mistake {
	list := []mistake{
		{"repeated_parameter", "A parameter was sent twice, and the client signed its last value; the first counts.", func(a *attempt) { a.pairs = lastOfEach(c.Request) }},
		{"form_not_signed", "The client signed the query alone; the fields of a form are signed too.", func(a *attempt) { a.pairs = firstOfEach(split(c.Request.URL.RawQuery)) }},
		{"query_not_signed", "The client signed the form alone; the query is signed too.", func(a *attempt) { a.pairs = firstOfEach(split(string(c.Request.Body))) }},
		{"parameter_not_sent", "The client signed its userId, and did not send it.", func(a *attempt) { a.pairs = withPair(a.pairs, pair{"userId", ca.application.UserID}) }},
		{"protocol_alone_signed", "The client signed appId and timestamp alone, as is right for calls with a JSON body; here every parameter is signed.", func(a *attempt) { a.pairs = ca.selected("appId", "timestamp") }},
		{"body_signed", "The client signed the body too; it stands outside of the signature.", func(a *attempt) { a.tail, a.tailName = string(c.Request.Body)+a.tail, "{body}"+a.tailName }},
	}
	for i := range min(len(ca.pairs), maxOmitted) {
		name := ca.pairs[i].name
		list = append(list, mistake{
			"parameter_not_signed", "The client sent the parameter " + quote(name) + " and did not sign it: it was added behind the signing, or left out of it.",
			func(a *attempt) { a.pairs = leaveOut(a.pairs, name) },
		})
	}
	return list
}

func leaveOut(pairs []pair, name string) []pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.name == name })
}

// with inserts a parameter at its sorted position.
func withPair(pairs []pair, p pair) []pair {
	pairs = append(slices.Clone(pairs), p)
	slices.SortStableFunc(pairs, byName)
	return pairs
}

// lastOfEach returns the parameters with the last value of each name.
func lastOfEach(r *contract.Request) []pair {
	pairs := inOrderSent(r)
	slices.Reverse(pairs)
	return firstOfEach(pairs)
}
