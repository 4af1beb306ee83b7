package tencentcar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

// An attempt is a TC3 signature as a client may have made it.
type attempt struct {
	facts  []any // that fill the places of the row
	change func(*signing)
}

// maxRewritten is the longest body or query, in bytes, that an explanation
// rewrites to find the one that the client signed.
const maxRewritten = 64 << 10

// tc3Of tries the attempts of a row. If the result of one is the client's signature,
// the client made this mistake.
func tc3Of(list func(*contract.Call, *caller) []attempt) func(*contract.Call, contract.Verdict) *contract.Explanation {
	return func(c *contract.Call, _ contract.Verdict) *contract.Explanation {
		cl := callerOf(c)
		if cl.family != tc3 {
			return nil
		}
		sent := strings.ToLower(cl.auth.signature)
		s, ways := signingOf(c, cl), variants(c.Request, false)
		if cl.tried == nil {
			cl.tried = triedKeys{}
		}
		s.tried = cl.tried
		for _, m := range list(c, cl) {
			for _, v := range ways {
				alt := *s
				alt.variant = v
				m.change(&alt)
				if alt.signature() == sent {
					s.variant = documentedVariant(c.Request)
					return m.explain(s, &alt, cl.auth.signature)
				}
			}
		}
		return nil
	}
}

// explain says how the client's signing differs from the expected one.
func (m *attempt) explain(expected, made *signing, signature string) *contract.Explanation {
	e := contract.Found(m.facts...)
	e.Got = made.describe() + "\n\nSignature: " + signature
	e.Keys = []string{made.secret}
	if e.FirstDifference = firstDifference(expected.describe(), made.describe()); e.FirstDifference == "" {
		e.FirstDifference = "the texts are the same; the key is not"
	}
	return e
}

// either makes a row of two.
func either(first, second func(*contract.Call, contract.Verdict) *contract.Explanation) func(*contract.Call, contract.Verdict) *contract.Explanation {
	return func(c *contract.Call, v contract.Verdict) *contract.Explanation {
		if e := first(c, v); e != nil {
			return e
		}
		return second(c, v)
	}
}

// change is a row of one attempt.
func change(f func(*signing)) func(*contract.Call, *caller) []attempt {
	return func(*contract.Call, *caller) []attempt { return []attempt{{change: f}} }
}

// nothing changes nothing: the signature is right, but for how it was sent.
func nothing(*signing) {}

func tryUpperCase(_ *contract.Call, cl *caller) []attempt {
	if strings.ToLower(cl.auth.signature) == cl.auth.signature {
		return nil
	}
	return []attempt{{change: nothing}}
}

func tryLenient(c *contract.Call, _ *caller) []attempt {
	if !strict(c) {
		return nil
	}
	return []attempt{{change: nothing}}
}

// A key is a secret that a client may have signed with, and whose it is.
type key struct{ secret, owner string }

// anyKey tries keys in place of the secret key, under both signature methods.
func anyKey(keys func(*contract.Call, *caller) []key) func(*contract.Call, contract.Verdict) *contract.Explanation {
	underTC3 := func(c *contract.Call, cl *caller) (list []attempt) {
		for _, k := range keys(c, cl) {
			list = append(list, attempt{[]any{"owner", k.owner}, func(s *signing) { s.secret = k.secret }})
		}
		return list
	}
	underV1 := func(c *contract.Call, cl *caller) (list []attemptV1) {
		for _, k := range keys(c, cl) {
			list = append(list, attemptV1{facts: []any{"owner", k.owner}, change: func(s *signingV1) { s.secret = k.secret }})
		}
		return list
	}
	return either(tc3Of(underTC3), v1Of(underV1))
}

// keysBehind lists the secret key with each of the ends.
func keysBehind(ends ...string) func(*contract.Call, *caller) []key {
	return func(_ *contract.Call, cl *caller) (list []key) {
		for _, end := range ends {
			list = append(list, key{cl.account.SecretKey + end, cl.secretID})
		}
		return list
	}
}

func keysAround(_ *contract.Call, cl *caller) []key {
	k, id := cl.account.SecretKey, cl.secretID
	return []key{{k + " ", id}, {" " + k, id}, {`"` + k + `"`, id}, {"'" + k + "'", id}}
}

func keySecretID(_ *contract.Call, cl *caller) []key { return []key{{cl.secretID, cl.secretID}} }

func keyEmpty(_ *contract.Call, cl *caller) []key { return []key{{"", cl.secretID}} }

func keysOfOthers(c *contract.Call, cl *caller) (list []key) {
	for _, a := range otherAccounts(c, cl) {
		list = append(list, key{a.SecretKey, a.SecretID})
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

// anyHost tries hosts in place of that of the request, under both signature methods.
func anyHost(hosts func(*contract.Request) []string) func(*contract.Call, contract.Verdict) *contract.Explanation {
	facts := func(c *contract.Call, host string) []any {
		return []any{"signed", strconv.Quote(host), "host", strconv.Quote(c.Request.Host)}
	}
	underTC3 := func(c *contract.Call, _ *caller) (list []attempt) {
		for _, host := range hosts(c.Request) {
			list = append(list, attempt{facts(c, host), func(s *signing) { s.host = host }})
		}
		return list
	}
	underV1 := func(c *contract.Call, _ *caller) (list []attemptV1) {
		for _, host := range hosts(c.Request) {
			list = append(list, attemptV1{facts: facts(c, host), change: func(s *signingV1) { s.host = host }})
		}
		return list
	}
	return either(tc3Of(underTC3), v1Of(underV1))
}

// likelyPorts are those of understudy and of the schemes.
var likelyPorts = []string{"80", "443", "6410", "6414", "6420", "8080"}

// hostsOfOtherPorts are the request's host without a port, or with another.
func hostsOfOtherPorts(r *contract.Request) []string {
	name := withoutPort(r.Host)
	list := []string{name}
	for _, port := range likelyPorts {
		list = append(list, name+":"+port)
	}
	return slices.DeleteFunc(list, func(host string) bool { return host == r.Host })
}

// likelyHosts are the hosts that a client may have signed if it reaches the
// emulator by another name: through a proxy, a port mapping or a changed Host
// header.
func likelyHosts(r *contract.Request) []string {
	list := append(contract.KnownNames(hosts), "localhost", "127.0.0.1", "cvm.tencentcloudapi.com", "tencentcloudapi.com", "")
	ports := likelyPorts
	if _, port, found := strings.Cut(r.Host, ":"); found {
		ports = append([]string{port}, ports...)
	}
	for _, port := range ports {
		list = append(list, "localhost:"+port, "127.0.0.1:"+port)
	}
	return list
}

// otherMethod is the other of the two methods that the service takes.
func otherMethod(method string) string {
	if method == http.MethodGet {
		return http.MethodPost
	}
	return http.MethodGet
}

// tryMethods signs the other method, with the query and the body that it has there.
func tryMethods(c *contract.Call, _ *caller) []attempt {
	r := c.Request
	other := otherMethod(r.Method)
	facts := []any{"signed", other, "sent", r.Method}
	query, payload := "", digest(r.Body)
	if other == http.MethodGet {
		query, payload = r.URL.RawQuery, digest(nil)
	}
	return []attempt{
		{facts, func(s *signing) { s.method = other }},
		{facts, func(s *signing) { s.method, s.query, s.payload = other, query, payload }},
	}
}

func tryContentTypes(c *contract.Call, _ *caller) (list []attempt) {
	for _, media := range []string{
		"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8",
		"application/json; charset=UTF-8", "application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "",
	} {
		list = append(list, attempt{
			[]any{"signed", strconv.Quote(media), "sent", fmt.Sprintf("%.200q", header(c.Request.Header, "Content-Type"))},
			func(s *signing) { s.contentType = &media },
		})
	}
	return list
}

// tryHeaderOrders signs the lines of the headers, the list of their names or both
// in other orders than that of SignedHeaders.
func tryHeaderOrders(_ *contract.Call, cl *caller) (list []attempt) {
	sent := cl.auth.signedHeaders
	names := strings.Split(sent, ";")
	reversed := slices.Clone(names)
	slices.Reverse(reversed)
	slices.Sort(names)
	facts := []any{"list", sent}
	for _, order := range []string{strings.Join(names, ";"), strings.Join(reversed, ";")} {
		if order == sent {
			continue
		}
		list = append(list,
			attempt{facts, func(s *signing) { s.lines = order }},
			attempt{facts, func(s *signing) { s.lines, s.signed = s.signed, order }},
			attempt{facts, func(s *signing) { s.signed = order }})
	}
	return list
}

// tryDays signs the day before and the day after: in the key and the string to
// sign, in the key alone, or in the string to sign alone.
func tryDays(_ *contract.Call, cl *caller) (list []attempt) {
	at := time.Unix(cl.unixTime, 0).UTC()
	for _, days := range []int{-1, 1} {
		day := at.AddDate(0, 0, days).Format(time.DateOnly)
		facts := []any{"day", day}
		list = append(list,
			attempt{facts, func(s *signing) { s.date = day }},
			attempt{facts, func(s *signing) { s.keyDate = day }},
			attempt{facts, func(s *signing) { s.keyDate, s.date = s.date, day }})
	}
	return list
}

// otherTimestamps are those of a client that asks for the time twice, or in
// milliseconds.
func otherTimestamps(cl *caller) (list []string) {
	for _, n := range []int64{cl.unixTime - 1, cl.unixTime + 1, cl.unixTime - 2, cl.unixTime + 2, cl.unixTime * 1000} {
		list = append(list, strconv.FormatInt(n, 10))
	}
	return list
}

func tryTimestamps(_ *contract.Call, cl *caller) (list []attempt) {
	for _, stamp := range otherTimestamps(cl) {
		list = append(list, attempt{[]any{"signed", stamp, "sent", cl.timestamp}, func(s *signing) { s.timestamp = stamp }})
	}
	return list
}

// tryServices signs other services: in the key and the string to sign, in the key
// alone, or in the string to sign alone.
func tryServices(_ *contract.Call, cl *caller) (list []attempt) {
	for _, name := range []string{service, "CAR", "cvm", "127", "localhost"} {
		facts := []any{"signed", name, "service", cl.auth.service}
		list = append(list,
			attempt{facts, func(s *signing) { s.service = name }},
			attempt{facts, func(s *signing) { s.keyService = name }},
			attempt{facts, func(s *signing) { s.keyService, s.service = s.service, name }})
	}
	return list
}

// tryRegions derives the key over a region, that of the credential or of the header.
func tryRegions(_ *contract.Call, cl *caller) (list []attempt) {
	if region, name, found := strings.Cut(cl.auth.service, "/"); found {
		list = append(list, attempt{[]any{"region", region}, func(s *signing) { s.keyRegion, s.keyService = region, name }})
	}
	if cl.region != "" {
		list = append(list, attempt{[]any{"region", cl.region}, func(s *signing) { s.keyRegion = cl.region }})
	}
	return list
}

// tryScopeEnds ends the scope, the derivation of the key or both in other words.
func tryScopeEnds(*contract.Call, *caller) (list []attempt) {
	for _, end := range []string{"aws4_request", "TC3_REQUEST", "tc3-request", "tc3"} {
		facts, suffix := []any{"signed", end}, "/"+end
		list = append(list,
			attempt{facts, func(s *signing) { s.end = &suffix }},
			attempt{facts, func(s *signing) { s.keyEnd = end }},
			attempt{facts, func(s *signing) { s.end, s.keyEnd = &suffix, end }})
	}
	facts, none := []any{"signed", "the service, without tc3_request"}, ""
	return append(list,
		attempt{facts, func(s *signing) { s.end = &none }},
		attempt{facts, func(s *signing) { s.shortKey = true }},
		attempt{facts, func(s *signing) { s.end, s.shortKey = &none, true }})
}

func tryAlgorithms(*contract.Call, *caller) (list []attempt) {
	for _, name := range []string{"TC3-HMAC-SHA1", "AWS4-HMAC-SHA256", "HmacSHA256", "HMAC-SHA256", "tc3-hmac-sha256"} {
		list = append(list, attempt{[]any{"signed", name}, func(s *signing) { s.algorithm = name }})
	}
	return list
}

func tryQueries(c *contract.Call, _ *caller) []attempt {
	r := c.Request
	raw := r.URL.RawQuery
	if len(raw) > maxRewritten {
		return nil
	}
	query := func(what, q string) attempt {
		return attempt{[]any{"what", what}, func(s *signing) { s.query = q }}
	}
	if r.Method != http.MethodGet {
		if raw == "" {
			return nil
		}
		return []attempt{query("The client signed the query of a POST.", raw)}
	}
	pieces := strings.Split(raw, "&")
	slices.Sort(pieces)
	list := []attempt{
		query("The client signed the query sorted by name and sent it in another order.", strings.Join(pieces, "&")),
		query("The client signed an empty query.", ""),
		query("The client signed a question mark before the query.", "?"+raw),
		query("The client signed the query with %20 where it sent +.", strings.ReplaceAll(raw, "+", "%20")),
		query("The client signed the query with + where it sent %20.", strings.ReplaceAll(raw, "%20", "+")),
		query("The client encoded the query once more before it signed it.", strings.ReplaceAll(raw, "%", "%25")),
	}
	if decoded, err := url.QueryUnescape(raw); err == nil {
		list = append(list, query("The client signed the decoded query.", decoded))
		if again, err := url.QueryUnescape(decoded); err == nil {
			list = append(list, query("The client decoded the query twice before it signed it.", again))
		}
	}
	if values, err := url.ParseQuery(raw); err == nil {
		list = append(list, query("The client encoded the query once more than it was sent, and sorted it.", values.Encode()))
	}
	return list
}

// hasPayload reports whether a request has a body that explanations rewrite.
func hasPayload(r *contract.Request) bool {
	return len(r.Body) <= maxRewritten && r.Method != http.MethodGet
}

// bodyAttempt is one with the hash of another body, which is made once and not for
// each variant. what may be "".
func bodyAttempt(what string, body []byte) attempt {
	sum := digest(body)
	a := attempt{change: func(s *signing) { s.payload = sum }}
	if what != "" {
		a.facts = []any{"what", what}
	}
	return a
}

func tryBodies(c *contract.Call, _ *caller) []attempt {
	r := c.Request
	if !hasPayload(r) {
		return nil
	}
	return []attempt{
		bodyAttempt("The client signed the body, although its header X-TC-Content-SHA256 is "+unsignedPayload+".", r.Body),
		bodyAttempt("The client signed an empty body and sent one: it was written after signing.", nil),
		bodyAttempt("The client signed {} and sent another body.", []byte("{}")),
		bodyAttempt("The client signed null and sent another body.", []byte("null")),
		bodyAttempt("The client signed the body without white space at its ends.", bytes.TrimSpace(r.Body)),
		bodyAttempt("The client signed the body with a line feed behind it, which it did not send.", append(slices.Clone(r.Body), '\n')),
	}
}

// compactBody returns the JSON of a body without white space, or nil.
func compactBody(r *contract.Request) []byte {
	var compact bytes.Buffer
	if !hasPayload(r) || json.Compact(&compact, r.Body) != nil {
		return nil
	}
	return compact.Bytes()
}

func tryRespaced(c *contract.Call, _ *caller) []attempt {
	compact := compactBody(c.Request)
	if compact == nil {
		return nil
	}
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, compact)
	bodies := [][]byte{compact, pythonJSON(compact, false), pythonJSON(compact, true), escapeNonASCII(compact), escaped.Bytes(), bytes.ReplaceAll(compact, []byte("/"), []byte(`\/`))}
	for _, indent := range []string{"  ", "    ", "\t"} {
		var b bytes.Buffer
		if json.Indent(&b, compact, "", indent) == nil {
			bodies = append(bodies, b.Bytes())
		}
	}
	var list []attempt
	for _, b := range bodies {
		list = append(list, bodyAttempt("", b))
	}
	return list
}

func tryReordered(c *contract.Call, _ *caller) []attempt {
	compact := compactBody(c.Request)
	var members any
	if compact == nil || json.Unmarshal(compact, &members) != nil {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(members) != nil {
		return nil
	}
	sorted := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return []attempt{bodyAttempt("", sorted), bodyAttempt("", pythonJSON(sorted, false)), bodyAttempt("", pythonJSON(sorted, true))}
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
