package tencentcar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A mistake is one that clients are known to make when they sign. The explanation
// of a refused signature applies each mistake in turn: if the result is the
// client's signature, the client made this mistake.
type mistake struct {
	cause  string
	text   string
	change func(*signing)
}

const strictText = "The client signed as its SDK does for a local endpoint, which the strict verifier does not take. Use the documented host, or the switch verifier: lenient."

// maxRewritten is the longest body or query, in bytes, that an explanation
// rewrites to find the one that the client signed.
const maxRewritten = 64 << 10

// explainTC3 explains a refused TC3 signature.
func explainTC3(c *contract.Call) contract.Explanation {
	cl := callerOf(c)
	s := signingOf(c, cl)
	list := variants(c.Request, strict(c))
	s.variant = list[0]
	e := contract.Explanation{
		Facts:    contract.Facts{{Name: "SecretId", Value: cl.secretID}, {Name: "variants", Value: len(list)}, {Name: "verifier", Value: verifier(c)}},
		Expected: s.describe() + "\n\nSignature under {SecretKey}: " + s.signature(),
		Got:      "Signature: " + cl.auth.signature,

		Signatures: []string{s.signature(), cl.auth.signature}, Keys: []string{s.secret},
	}
	for _, m := range mistakes(c, cl) {
		for _, v := range variants(c.Request, false) {
			alt := *s
			alt.variant = v
			m.change(&alt)
			if alt.signature() != strings.ToLower(cl.auth.signature) {
				continue
			}
			e.Cause, e.Text = m.cause, m.text
			e.Got = alt.describe() + "\n\nSignature: " + cl.auth.signature
			e.Keys = append(e.Keys, alt.secret)
			e.FirstDifference = firstDifference(s.describe(), alt.describe())
			if e.FirstDifference == "" {
				e.FirstDifference = "the texts are the same; the key is not"
			}
			return e
		}
	}
	e.Cause = signatureMismatch.Code
	e.Text = mismatchText(cl, len(list), verifier(c))
	e.FirstDifference, e.SignaturesDiffer = firstDifference(s.signature(), cl.auth.signature), true
	return e
}

// mismatchText is the explanation if no known mistake was made.
func mismatchText(cl *caller, tried int, verifier string) string {
	return fmt.Sprintf("The signature is not that of this request under the secret key of %s, in none of the %d ways that the %s verifier tries, "+
		"and no mistake that clients are known to make explains it. Compare what the client signed with what is expected here; the first thing to look at is the secret key.",
		cl.secretID, tried, verifier)
}

// mistakes lists the mistakes to try, the most frequent ones first.
func mistakes(c *contract.Call, cl *caller) []mistake {
	var list []mistake
	if strings.ToLower(cl.auth.signature) != cl.auth.signature {
		list = append(list, mistake{"signature_upper_case", "The signature is right but for its upper case.", func(*signing) {}})
	}
	if strict(c) {
		list = append(list, mistake{"verifier_strict", strictText, func(*signing) {}})
	}
	list = append(list, keyMistakes(c, cl)...)
	list = append(list, hostMistakes(c.Request)...)
	list = append(list, contentTypeMistakes()...)
	list = append(list, scopeMistakes(cl)...)
	list = append(list, queryMistakes(c.Request)...)
	list = append(list, bodyMistakes(c.Request)...)
	return append(list,
		mistake{"missing_blank_line", "The client left out the empty line between the signed headers and their list: every header ends in a line feed of its own.", func(s *signing) { s.gap = "" }},
		mistake{"method_lower_case", "The client signed the method in lower case.", func(s *signing) { s.method = strings.ToLower(s.method) }},
		mistake{"empty_path", "The client signed no path; it is always /.", func(s *signing) { s.uri = "" }},
	)
}

// keyMistakes are those in the secret that the signing key is derived from.
func keyMistakes(c *contract.Call, cl *caller) []mistake {
	list := []mistake{
		{"key_without_TC3", "The client derived the key from {SecretKey}; TC3{SecretKey} is expected.", func(s *signing) { s.prefix = "" }},
		{"key_with_newline", "The client's secret key ends in a line feed: it was read from a file and not trimmed.", func(s *signing) { s.secret += "\n" }},
		{"key_with_newline", "The client's secret key ends in a carriage return and a line feed.", func(s *signing) { s.secret += "\r\n" }},
		{"key_with_space", "The client's secret key ends in a space.", func(s *signing) { s.secret += " " }},
		{"signed_with_secret_id", "The client signed with the SecretId in place of the secret key.", func(s *signing) { s.secret = cl.secretID }},
		{"signed_with_empty_key", "The client signed with an empty secret key.", func(s *signing) { s.secret = "" }},
	}
	for _, a := range otherAccounts(c, cl) {
		list = append(list, mistake{
			"signed_with_other_key", "The client signed with the secret key of " + a.SecretID + " and named " + cl.secretID + " in the credential.",
			func(s *signing) { s.secret = a.SecretKey },
		})
	}
	return list
}

// otherAccounts are the accounts whose keys the client may have used instead.
func otherAccounts(c *contract.Call, cl *caller) []account {
	var list []account
	c.WithState(func() {
		st, ok := c.State.(*state)
		if !ok {
			return
		}
		for _, a := range st.Accounts {
			if a.SecretID != cl.secretID && len(list) < 64 {
				list = append(list, a)
			}
		}
	})
	return list
}

// likelyHosts are the hosts that a client may have signed if it reaches the
// emulator by another name: through a proxy, a port mapping or a changed Host
// header.
func likelyHosts(r *contract.Request) []string {
	list := []string{"localhost", "127.0.0.1", "cvm.tencentcloudapi.com", "tencentcloudapi.com", ""}
	if _, port, found := strings.Cut(r.Host, ":"); found {
		list = append(list, "localhost:"+port, "127.0.0.1:"+port)
	} else {
		list = append(list, r.Host+":80", r.Host+":443")
	}
	for _, port := range []string{"6410", "6414", "6420"} {
		list = append(list, "localhost:"+port, "127.0.0.1:"+port)
	}
	return append(slices.Clone(hosts), list...)
}

// hostMistakes are those in the host.
func hostMistakes(r *contract.Request) []mistake {
	var list []mistake
	for _, host := range likelyHosts(r) {
		list = append(list, mistake{
			"signed_other_host", fmt.Sprintf("The client signed the host %q; the request came for %q. Something between them changed the Host header, or the client signs a name that it does not send.", host, r.Host),
			func(s *signing) { s.host = host },
		})
	}
	return list
}

// contentTypeMistakes are those in the Content-Type.
func contentTypeMistakes() []mistake {
	var list []mistake
	for _, media := range []string{
		"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8",
		"application/json; charset=UTF-8", "application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "",
	} {
		list = append(list, mistake{
			"signed_other_content_type", fmt.Sprintf("The client signed the Content-Type %q and sent another: HTTP libraries add or change it behind the client's back.", media),
			func(s *signing) { s.contentType = &media },
		})
	}
	return list
}

// scopeMistakes are those in the date or the service: in the key and the string to
// sign, in the key alone, or in the string to sign alone.
func scopeMistakes(cl *caller) []mistake {
	var list []mistake
	at := time.Unix(cl.unixTime, 0).UTC()
	for _, days := range []int{-1, 1} {
		day := at.AddDate(0, 0, days).Format(time.DateOnly)
		text := "The client took the day of its own time zone, " + day + "; the UTC day of the timestamp is expected."
		list = append(list,
			mistake{"signed_local_date", text, func(s *signing) { s.date = day }},
			mistake{"signed_local_date", text, func(s *signing) { s.keyDate = day }},
			mistake{"signed_local_date", text, func(s *signing) { s.keyDate, s.date = s.date, day }})
	}
	for _, name := range []string{service, "cvm", "127", "localhost"} {
		text := fmt.Sprintf("The client signed for the service %q and named %q in the credential.", name, cl.auth.service)
		list = append(list,
			mistake{"signed_other_service", text, func(s *signing) { s.service = name }},
			mistake{"signed_other_service", text, func(s *signing) { s.keyService = name }},
			mistake{"signed_other_service", text, func(s *signing) { s.keyService, s.service = s.service, name }})
	}
	return list
}

// queryMistakes are those in the query.
func queryMistakes(r *contract.Request) []mistake {
	raw := r.URL.RawQuery
	if len(raw) > maxRewritten {
		return nil
	}
	query := func(text, q string) mistake {
		return mistake{"signed_other_query", text, func(s *signing) { s.query = q }}
	}
	if r.Method != http.MethodGet {
		if raw == "" {
			return nil
		}
		return []mistake{query("The client signed the query of a POST; it is empty there.", raw)}
	}
	pieces := strings.Split(raw, "&")
	slices.Sort(pieces)
	list := []mistake{
		query("The client signed the query sorted by name and sent it in another order; it is signed as sent.", strings.Join(pieces, "&")),
		query("The client signed an empty query; that of a GET is signed as sent.", ""),
		query("The client signed a question mark before the query.", "?"+raw),
		query("The client signed the query with %20 where it sent +, or the other way.", strings.ReplaceAll(raw, "+", "%20")),
		query("The client signed the query with + where it sent %20.", strings.ReplaceAll(raw, "%20", "+")),
	}
	if decoded, err := url.QueryUnescape(raw); err == nil {
		list = append(list, query("The client signed the decoded query; it is signed as sent, percent-encoded.", decoded))
	}
	if values, err := url.ParseQuery(raw); err == nil {
		list = append(list, query("The client encoded the query once more than it was sent, and sorted it.", values.Encode()))
	}
	return list
}

// bodyMistakes are those in the body and its hash.
func bodyMistakes(r *contract.Request) []mistake {
	if len(r.Body) > maxRewritten || r.Method == http.MethodGet {
		return nil
	}
	body := func(cause, text string, b []byte) mistake {
		sum := digest(b) // once, and not for each variant
		return mistake{cause, text, func(s *signing) { s.payload = sum }}
	}
	const otherBody = "signed_other_body"
	list := []mistake{
		{"payload_hashed_twice", "The client hashed the hash of the body.", func(s *signing) { s.payload = digest([]byte(s.payload)) }},
		{"payload_hash_upper_case", "The client wrote the hash of the body in upper case.", func(s *signing) { s.payload = strings.ToUpper(s.payload) }},
		{"signed_unsigned_payload", "The client signed " + unsignedPayload + " and did not send it in X-TC-Content-SHA256.", func(s *signing) { s.payload = digest([]byte(unsignedPayload)) }},
		body(otherBody, "The client signed the body, although its header X-TC-Content-SHA256 is "+unsignedPayload+".", r.Body),
		body(otherBody, "The client signed an empty body and sent one: it was written after signing.", nil),
		body(otherBody, "The client signed {} and sent another body.", []byte("{}")),
		body(otherBody, "The client signed null and sent another body.", []byte("null")),
		body(otherBody, "The client signed the body without white space at its ends.", bytes.TrimSpace(r.Body)),
		body(otherBody, "The client signed the body with a line feed behind it, which it did not send.", append(slices.Clone(r.Body), '\n')),
	}
	var compact bytes.Buffer
	if json.Compact(&compact, r.Body) != nil {
		return list
	}
	compacted := compact.Bytes()
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, compacted)
	const respaced = "The client signed the same JSON with other white space or escapes than it sent: it was written twice, once to sign and once to send."
	list = append(list,
		body("signed_body_respaced", respaced, compacted),
		body("signed_body_respaced", respaced, pythonJSON(compacted, false)),
		body("signed_body_respaced", respaced, pythonJSON(compacted, true)),
		body("signed_body_respaced", respaced, escapeNonASCII(compacted)),
		body("signed_body_respaced", respaced, escaped.Bytes()))
	for _, indent := range []string{"  ", "    ", "\t"} {
		var b bytes.Buffer
		if json.Indent(&b, compacted, "", indent) == nil {
			list = append(list, body("signed_body_respaced", respaced, b.Bytes()))
		}
	}
	var members any
	if json.Unmarshal(compacted, &members) == nil {
		if sorted, err := json.Marshal(members); err == nil {
			list = append(list, body("signed_body_reordered", "The client signed the same JSON with its names sorted and sent them in another order.", sorted))
		}
	}
	return list
}

// pythonJSON writes compact JSON as Python's json.dumps does: with a space after
// each colon and comma and, if escape is set as with ensure_ascii, with escapes for
// all that is not ASCII.
func pythonJSON(compact []byte, escape bool) []byte {
	b := make([]byte, 0, len(compact)+len(compact)/8)
	quoted := false
	for i := 0; i < len(compact); i++ {
		switch ch := compact[i]; {
		case quoted && ch == '\\':
			b = append(b, ch)
			i++
			b = append(b, compact[i])
			continue
		case ch == '"':
			quoted = !quoted
		case !quoted && (ch == ':' || ch == ','):
			b = append(b, ch, ' ')
			continue
		}
		b = append(b, compact[i])
	}
	if escape {
		return escapeNonASCII(b)
	}
	return b
}

// escapeNonASCII escapes all characters that are not ASCII, as JSON does.
func escapeNonASCII(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// firstDifference shows the first line in which two texts differ; "" if there is
// none.
func firstDifference(expected, got string) string {
	wantLines, gotLines := strings.Split(expected, "\n"), strings.Split(got, "\n")
	for i := range max(len(wantLines), len(gotLines)) {
		x, y := "nothing", "nothing"
		if i < len(wantLines) {
			x = fmt.Sprintf("%.300q", wantLines[i])
		}
		if i < len(gotLines) {
			y = fmt.Sprintf("%.300q", gotLines[i])
		}
		if x != y {
			return fmt.Sprintf("line %d: expected %s, got %s", i+1, x, y)
		}
	}
	return ""
}

// A mistakeV1 is one in a signature v1.
type mistakeV1 struct {
	cause  string
	text   string
	change func(*signingV1)
}

// explainV1 explains a refused signature v1.
func explainV1(c *contract.Call) contract.Explanation {
	cl := callerOf(c)
	s := signingV1Of(c, cl)
	list := variants(c.Request, strict(c))
	s.host, s.uri = list[0].host, list[0].uri
	e := contract.Explanation{
		Facts:    contract.Facts{{Name: "SecretId", Value: cl.secretID}, {Name: "verifier", Value: verifier(c)}},
		Expected: s.stringToSign() + "\n\n" + s.hashName() + " under {SecretKey}: " + s.signature(),
		Got:      "Signature: " + cl.signature,

		Signatures: []string{s.signature(), cl.signature}, Keys: []string{s.secret},
	}
	sent := strings.ReplaceAll(cl.signature, " ", "+")
	for _, m := range mistakesV1(c, cl) {
		for _, v := range variants(c.Request, false) {
			alt := *s
			alt.host, alt.uri = v.host, v.uri
			m.change(&alt)
			if alt.signature() != sent {
				continue
			}
			e.Cause, e.Text = m.cause, m.text
			e.Got = alt.stringToSign() + "\n\n" + alt.hashName() + ": " + cl.signature
			e.Keys = append(e.Keys, alt.secret)
			if e.FirstDifference = firstDifference(s.stringToSign(), alt.stringToSign()); e.FirstDifference == "" {
				e.FirstDifference = "the texts are the same; " + m.text
			}
			return e
		}
	}
	e.Cause = signatureMismatch.Code
	e.Text = mismatchText(cl, len(list), verifier(c))
	e.FirstDifference, e.SignaturesDiffer = firstDifference(s.signature(), cl.signature), true
	return e
}

// mistakesV1 lists the mistakes to try.
func mistakesV1(c *contract.Call, cl *caller) []mistakeV1 {
	list := []mistakeV1{
		{"signed_other_hash", "The client used the other hash: HmacSHA256 must be named in SignatureMethod; without it HmacSHA1 applies.", func(s *signingV1) { s.sha256 = !s.sha256 }},
		{"signed_other_method", "The client signed the other verb.", func(s *signingV1) {
			if s.method == http.MethodGet {
				s.method = http.MethodPost
			} else {
				s.method = http.MethodGet
			}
		}},
		{"signed_encoded_values", "The client signed the values percent-encoded; they are signed as they are.", func(s *signingV1) { s.pairs = percentEncoded(s.pairs) }},
		{"signed_unsorted", "The client signed the parameters in the order sent; they are signed sorted by name.", func(s *signingV1) { s.pairs = withoutSignature(cl.pairs) }},
		{"key_with_newline", "The client's secret key ends in a line feed: it was read from a file and not trimmed.", func(s *signingV1) { s.secret += "\n" }},
		{"signed_with_secret_id", "The client signed with the SecretId in place of the secret key.", func(s *signingV1) { s.secret = cl.secretID }},
	}
	if strict(c) {
		list = append(list, mistakeV1{"verifier_strict", strictText, func(*signingV1) {}})
	}
	if strings.Contains(cl.signature, " ") {
		list = slices.Insert(list, 0, mistakeV1{"signature_not_encoded", "The client sent the signature without percent-encoding, so that its + became a space.", func(*signingV1) {}})
	}
	for _, a := range otherAccounts(c, cl) {
		list = append(list, mistakeV1{"signed_with_other_key", "The client signed with the secret key of " + a.SecretID + " and named " + cl.secretID + ".", func(s *signingV1) { s.secret = a.SecretKey }})
	}
	for _, host := range likelyHosts(c.Request) {
		list = append(list, mistakeV1{
			"signed_other_host", fmt.Sprintf("The client signed the host %q; the request came for %q.", host, c.Request.Host),
			func(s *signingV1) { s.host = host },
		})
	}
	return list
}

// percentEncoded returns the pairs with percent-encoded values.
func percentEncoded(pairs []pair) []pair {
	list := slices.Clone(pairs)
	for i := range list {
		list[i].value = url.QueryEscape(list[i].value)
	}
	return list
}

// withoutSignature returns the pairs in the order sent, without the signature.
func withoutSignature(pairs []pair) []pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.name == "Signature" })
}
