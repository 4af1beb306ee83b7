package polyv

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
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

// The refusals that the rows of the table explain.
var (
	ofSign      = []*contract.Cause{mismatched}
	ofTimestamp = []*contract.Cause{noTimestamp}
	ofAppID     = []*contract.Cause{unknownApp}
)

// Advice that several rows give.
const (
	concatenate = "Put each name and its value one behind the other, with nothing in between."
	signDecoded = "Sign the values as they are, and encode them once when they are sent."
	signAll     = "Sign every parameter that is sent but the sign, of the query and of a form."
)

// mistakes are those that clients are known to make, the most frequent first.
var mistakes = []contract.Mistake{
	{Code: "empty_values_signed", Looks: "The client signed parameters without a value; the documentation leaves them out, and the switch empty_values says documented.", Mend: "Leave them out of what is signed, or out of the request.", Of: ofSign, Made: signed(change(func(a *attempt) { a.empties = true }))},
	{Code: "sign_lower_case", Looks: "The sign is right but for its lower case; {signed}.", Mend: "Write it in upper case, as documented. The switch sign_case has it taken.", Of: ofSign, Made: signed(tryLowerCase)},
	{Code: "sign_base64", Looks: "The sign is right, and written in base64.", Mend: "Write it in hexadecimal digits, in upper case.", Of: ofSign, Made: signed(change(func(a *attempt) { a.base64 = true }))},
	{Code: "signature_method_not_signed", Looks: "The client left signatureMethod out of what it signed.", Mend: "Sign it like any other parameter.", Of: ofSign, Made: signed(change(func(a *attempt) { a.pairs = leaveOut(a.pairs, "signatureMethod") }))},
	{Code: "signed_with_sha256", Looks: "The client signed with SHA-256 and did not send signatureMethod=SHA256.", Mend: "Send it, and sign it too.", Of: ofSign, Made: signed(trySHA256)},
	{Code: "signed_with_md5", Looks: "The client signed with MD5 and sent a signatureMethod that says otherwise.", Mend: "Leave signatureMethod out, or sign with SHA-256.", Of: ofSign, Made: signed(tryMD5)},

	{Code: "secret_missing_at_end", Looks: "The client put the appSecret before the parameters only.", Mend: "Put it behind them too.", Of: ofSign, Made: signed(change(func(a *attempt) { a.tail, a.tailName = "", "" }))},
	{Code: "secret_missing_at_start", Looks: "The client put the appSecret behind the parameters only.", Mend: "Put it before them too.", Of: ofSign, Made: signed(change(func(a *attempt) { a.head, a.headName = "", "" }))},
	{Code: "secret_missing", Looks: "The client signed the parameters without the appSecret.", Mend: "Put it before and behind them. If it is, look at where it is read: the variable or the file is empty.", Of: ofSign, Made: signed(change(func(a *attempt) { a.head, a.tail, a.headName, a.tailName = "", "", "", "" }))},
	{Code: "signed_with_app_id", Looks: "The client signed with the appId in place of the appSecret.", Mend: "Sign with the appSecret; the appId only names it.", Of: ofSign, Made: signed(tryAppID)},
	{Code: "signed_with_user_id", Looks: "The client signed with the userId in place of the appSecret.", Mend: "Sign with the appSecret of the application.", Of: ofSign, Made: signed(tryUserID)},
	{Code: "signed_with_hmac", Looks: "The client made an HMAC under the appSecret.", Mend: "Put the secret at both ends of the text, and hash it.", Of: ofSign, Made: signed(change(func(a *attempt) { a.keyed = true }))},
	{Code: "secret_with_space", Looks: "White space or quotes stand around the client's appSecret: it was read from a file or variable and not trimmed.", Mend: "Trim it where it is read.", Of: ofSign, Made: signed(tryUntrimmedSecret)},
	{Code: "signed_with_other_secret", Looks: "The client signed with the appSecret of {owner} and sent the appId {appId}.", Mend: "Take both from the same application.", Of: ofSign, Made: signed(tryOtherSecrets)},

	{Code: "parameters_not_sorted", Looks: "The client signed the parameters {order}.", Mend: "Sort them by name in ASCII order, upper case before lower case.", Of: ofSign, Made: signed(tryOrders)},
	{Code: "plus_not_encoded", Looks: "In the address a plus sign stands for a space, and the client signed the plus sign.", Mend: "Send %2B for a plus sign, or sign the space.", Of: ofSign, Made: signed(change(func(a *attempt) { a.pairs = withValues(a.pairs, plusForSpace) }))},
	{Code: "signed_encoded_values", Looks: "The client signed the values percent-encoded.", Mend: signDecoded, Of: ofSign, Made: signed(tryEncoded)},
	{Code: "sent_encoded_twice", Looks: "The client sent the values percent-encoded twice, and signed them as they were.", Mend: signDecoded, Of: ofSign, Made: signed(change(func(a *attempt) { a.pairs = withValues(a.pairs, decodedOnceMore) }))},
	{Code: "signed_trimmed_values", Looks: "The client signed values without the white space at their ends, and sent it.", Mend: "Trim before signing, and send what was signed.", Of: ofSign, Made: signed(change(func(a *attempt) { a.pairs = withValues(a.pairs, strings.TrimSpace) }))},
	{Code: "signed_with_separators", Looks: "The client put {separators} into what it signed.", Mend: concatenate, Of: ofSign, Made: signed(trySeparators)},
	{Code: "values_signed_alone", Looks: "The client signed the values without their names.", Mend: concatenate, Of: ofSign, Made: signed(change(func(a *attempt) { a.write = func(p pair) string { return p.value } }))},
	{Code: "repeated_parameter", Looks: "A parameter was sent twice, and the client signed its last value.", Mend: "Send each once; the first counts.", Of: ofSign, Made: signed(tryLastOfEach)},

	{Code: "form_not_signed", Looks: "The client signed the query alone.", Mend: signAll, Of: ofSign, Made: signed(tryQueryAlone)},
	{Code: "query_not_signed", Looks: "The client signed the form alone.", Mend: signAll, Of: ofSign, Made: signed(tryFormAlone)},
	{Code: "parameter_not_sent", Looks: "The client signed its userId, and did not send it.", Mend: "Send what is signed, or leave it out of both.", Of: ofSign, Made: signed(tryUserIDSigned)},
	{Code: "protocol_alone_signed", Looks: "The client signed appId and timestamp alone, as is right for calls with a JSON body.", Mend: signAll, Of: ofSign, Made: signed(tryProtocolAlone)},
	{Code: "body_signed", Looks: "The client signed the body too.", Mend: "Leave a JSON body out: it stands outside of the signature.", Of: ofSign, Made: signed(tryBody)},
	{Code: "signed_other_timestamp", Looks: "The client signed the timestamp {signed} and sent {sent}: it asked for the time twice, or in another unit.", Mend: "Ask for the time once, in milliseconds, and sign what is sent.", Of: ofSign, Made: signed(tryTimestamps)},
	{Code: "parameter_not_signed", Looks: "The client sent the parameter {param} and did not sign it: it was added behind the signing, or left out of it.", Mend: signAll, Of: ofSign, Made: signed(tryOmissions)},

	{Code: "sign_named_otherwise", Looks: "The request has no sign, and a parameter {param}.", Mend: "Send the signature as sign, in lower case.", Of: []*contract.Cause{noSign}, Made: findSign},
	{Code: "signature_method_spelling", Looks: "signatureMethod is {got}, which spells SHA256 in another way.", Mend: "Send signatureMethod=SHA256.", Of: []*contract.Cause{noMethod}, Made: findMethod},
	{Code: "app_id_named_otherwise", Looks: "The request has no appId, and a parameter {param}.", Mend: "Upper and lower case count: send appId.", Of: []*contract.Cause{noAppID}, Made: findAppIDName},
	{Code: "parameters_in_json", Looks: "appId stands in a JSON body, where it is not read.", Mend: "Send appId, timestamp and sign in the query, or everything in a form.", Of: []*contract.Cause{noAppID}, Made: findJSONProtocol},
	{Code: "user_id_as_app_id", Looks: "The appId that came is the userId of {owner}.", Mend: "Send the appId of the application.", Of: ofAppID, Made: findUserID},
	{Code: "app_id_and_secret_swapped", Looks: "The client sent the appSecret of {owner} as its appId.", Mend: "Swap the two, and consider the secret as told: it went over the wire.", Of: ofAppID, Made: findSwappedSecret},
	{Code: "app_id_not_trimmed", Looks: "White space or quotes stand around the appId {owner}.", Mend: "Trim it where it is read.", Of: ofAppID, Made: findUntrimmedAppID},

	{Code: "timestamp_other_unit", Looks: "The timestamp {got} is right in {unit}.", Mend: "Send it in milliseconds: 13 digits.", Of: ofTimestamp, Made: findUnit},
	{Code: "timestamp_as_date", Looks: "The timestamp {got} is a date.", Mend: "Send the milliseconds since 1970: 13 digits.", Of: ofTimestamp, Made: findDate},
	{Code: "timestamp_with_fraction", Looks: "The timestamp {got} has a fraction, or an exponent.", Mend: "Send whole milliseconds: 13 digits.", Of: ofTimestamp, Made: findFraction},
	{Code: "timestamp_time_zone", Looks: "The request was stamped {timestamp}, which is {skew} seconds away from the server's {server}: {zone} of a time zone.", Mend: "Unix time has no time zone: ask for it as it is, and convert no local time.", Of: []*contract.Cause{skewed}, Made: findZone},

	{Code: "path_spelling", Looks: "The path {path} differs from {meant} in upper and lower case or in slashes.", Mend: "Use the path as documented; upper and lower case count.", Of: []*contract.Cause{noPath}, Made: findPath},
	{Code: "parameter_name_case", Looks: "{operation} requires {param}, and {got} came.", Mend: "Upper and lower case count in the names of parameters.", Of: []*contract.Cause{absent}, Made: findName},
	{Code: "number_not_trimmed", Looks: "{param} is {got}: a number with white space or quotes around it.", Mend: "Send the digits alone.", Of: []*contract.Cause{noDigit}, Made: findUntrimmedNumber},
	{Code: "date_form", Looks: "{param} is {got}: a date in another form.", Mend: "Write yyyy-MM-dd HH:mm:ss or yyyy-MM-dd, in Beijing time.", Of: []*contract.Cause{noDate}, Made: findDateForm},
}

// An attempt is a signature as a client may have made it.
type attempt struct {
	signing
	headName, tailName string // names shown in place of the secrets

	write func(pair) string // how a parameter is written; nil: name and value
	join  string            // separator
	keyed bool              // an HMAC under the secret in place of a hash
	lower bool              // lower case

	base64 bool // in place of hexadecimal digits
}

// separator returns the text without the secrets.
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

// masked returns the text with the names of the secrets in their place.
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
	if a.base64 {
		raw, _ := hex.DecodeString(sum) // digits that are ours
		sum = base64.StdEncoding.EncodeToString(raw)
	}
	if a.lower {
		sum = strings.ToLower(sum)
	}
	return sum
}

const secretName = "{appSecret}"

// explainSignature explains a refused sign, as long as no mistake is known.
func explainSignature(c *contract.Call) contract.Explanation {
	ca := callerOf(c)
	right := ca.rightAttempt()
	secret := ca.application.AppSecret
	e := contract.Explanation{
		Cause: mismatched.Code, Text: contract.Verdict{Facts: contract.Facts{{Name: "appId", Value: ca.appID}}}.Fill(c, mismatched.Text),
		Facts:    contract.Facts{{Name: "appId", Value: ca.appID}, {Name: "hash", Value: right.hash.String()}, {Name: "with empty values", Value: ca.withEmptyParameters(right)}},
		Expected: parameters(ca.pairs) + "\n\nText: " + right.masked() + "\n\nSign: " + right.sum(),
		Got:      "Sign: " + ca.sign,
	}
	e.FirstDifference, e.SignaturesDiffer = firstDifference(right.sum(), ca.sign), true
	e.Signatures, e.Keys = []string{right.sum(), ca.sign}, []string{secret}
	ca.maskTexts(c, &e)
	return e
}

// rightAttempt is the signature as documented.
func (ca *caller) rightAttempt() attempt {
	h, _ := hashOf(ca.value("signatureMethod"))
	secret := ca.application.AppSecret
	return attempt{signing: signing{pairs: ca.pairs, head: secret, tail: secret, hash: h}, headName: secretName, tailName: secretName}
}

// maskTexts masks the secrets of all applications in an explanation.
func (ca *caller) maskTexts(c *contract.Call, e *contract.Explanation) {
	secrets := []string{ca.application.AppSecret}
	for _, a := range ca.otherApplications(c) {
		secrets = append(secrets, a.AppSecret)
	}
	// Masking takes time, so the texts are cut before it, with a margin that keeps half a
	// secret from being shown.
	for _, text := range []*string{&e.Text, &e.Expected, &e.Got, &e.FirstDifference} {
		*text = contract.Shorten(mask(contract.Shorten(*text, 2*maxGuessed), secrets), maxGuessed)
	}
	for i := range e.Facts {
		if s, is := e.Facts[i].Value.(string); is {
			e.Facts[i].Value = mask(s, secrets)
		}
	}
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
