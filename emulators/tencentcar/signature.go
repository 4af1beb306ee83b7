package tencentcar

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"strings"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// unsignedPayload is the value of X-TC-Content-SHA256 that replaces the body in the
// signature.
const unsignedPayload = "UNSIGNED-PAYLOAD"

// A signing is the input of one TC3 signature. The verifier computes the signatures
// that are documented or that an SDK makes. The explanation of a mismatch computes
// others until one is equal.
type signing struct {
	variant
	method      string
	query       string // as sent, not sorted: SDKs differ in order
	header      http.Header
	contentType *string // replaces the Content-Type; nil: as sent
	signed      string  // the list, as sent
	lines       string  // the order of the headers' lines, if it differs from signed; "" otherwise
	gap         string  // between the headers and the list
	payload     string  // hexadecimal hash of the body

	algorithm  string // replaces the documented one; "": none does
	timestamp  string
	date       string
	service    string
	end        *string // replaces the scope's end, which begins with a slash; nil: as documented
	keyDate    string  // the date in the key, if it differs from date; "" otherwise
	keyService string  // the same for the service
	keyEnd     string  // the same for the end, without the slash
	keyRegion  string  // a region in the key; "": none, as documented
	shortKey   bool    // the key is derived without an end

	prefix string // of the key
	secret string

	tried triedKeys // nil: keys are derived anew
}

// triedKeys are the signing keys that an explanation derived already: most attempts
// differ in something else.
type triedKeys map[[5]string][]byte

// A variant is one combination of what SDKs sign differently.
type variant struct {
	host string
	uri  string
	raw  bool // header values are signed as sent and not in lower case
}

// String names the variant in the journal.
func (v variant) String() string {
	values := "values in lower case"
	if v.raw {
		values = "values as sent"
	}
	return "host " + v.host + ", path " + v.uri + ", " + values
}

// signingOf is the signing of a request, which is read once. The variant is left to the
// caller.
func signingOf(c *contract.Call, cl *caller) *signing {
	if cl.signing == nil {
		s, sum := readSigning(c.Request, cl), payloadHash(c.Request)
		s.payload = hex.EncodeToString(sum[:])
		cl.signing = &s
	}
	s := *cl.signing
	return &s
}

// readSigning reads all of a signing but its variant and payload.
func readSigning(r *contract.Request, cl *caller) signing {
	a := &cl.auth
	s := signing{
		method: r.Method, header: r.Header, signed: a.signedHeaders, gap: "\n",
		timestamp: cl.timestamp, date: a.date, service: a.service,
		prefix: "TC3", secret: cl.account.SecretKey,
	}
	if r.Method == http.MethodGet {
		s.query = r.URL.RawQuery
	}
	return s
}

// payloadHash hashes the body as received. A GET has no payload.
func payloadHash(r *contract.Request) [sha256.Size]byte {
	switch {
	case r.Method == http.MethodGet:
		return sha256.Sum256(nil)
	case header(r.Header, "X-Tc-Content-Sha256") == unsignedPayload:
		return sha256.Sum256([]byte(unsignedPayload))
	}
	return sha256.Sum256(r.Body)
}

// digest is the SHA-256 digest of b in hexadecimal.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// appendCanonical appends the canonical request.
func (s *signing) appendCanonical(b []byte) []byte { return append(s.appendHead(b), s.payload...) }

// appendHead appends the canonical request without the hash of the body, its end.
func (s *signing) appendHead(b []byte) []byte {
	b = append(append(b, s.method...), '\n')
	b = append(append(b, s.uri...), '\n')
	b = append(append(b, s.query...), '\n')
	lines := s.signed
	if s.lines != "" {
		lines = s.lines
	}
	for name := range strings.SplitSeq(lines, ";") {
		b = append(append(b, name...), ':')
		b = append(s.appendHeaderValue(b, name), '\n')
	}
	b = append(b, s.gap...)
	return append(append(b, s.signed...), '\n')
}

// appendHeaderValue appends the value of a signed header. Host and Content-Type are in
// every signature and X-TC-Action is in many, so their names are not converted.
func (s *signing) appendHeaderValue(b []byte, name string) []byte {
	var v string
	switch {
	case name == "host":
		v = s.host
	case name == "content-type" && s.contentType != nil:
		v = *s.contentType
	case name == "content-type":
		v = header(s.header, "Content-Type")
	case name == "x-tc-action":
		v = header(s.header, "X-Tc-Action")
	default:
		v = header(s.header, textproto.CanonicalMIMEHeaderKey(name))
	}
	v = strings.TrimSpace(v)
	if s.raw {
		return append(b, v...)
	}
	return appendLower(b, v)
}

// appendLower appends a text in lower case.
func appendLower(b []byte, text string) []byte {
	start := len(b)
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= utf8.RuneSelf:
			return append(b[:start], strings.ToLower(text)...)
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// appendStringToSign appends the string to sign for a canonical request.
func (s *signing) appendStringToSign(b, canonical []byte) []byte {
	end := scopeSuffix
	if s.end != nil {
		end = *s.end
	}
	b = append(append(b, cmp.Or(s.algorithm, algorithm)...), '\n')
	b = append(append(b, s.timestamp...), '\n')
	b = append(append(b, s.date...), '/')
	b = append(append(b, s.service...), end...)
	sum := sha256.Sum256(canonical)
	return hex.AppendEncode(append(b, '\n'), sum[:])
}

// signingKey returns the signing key that follows from the secret, the date and the
// service.
func (s *signing) signingKey() []byte {
	if s.tried == nil || s.shortKey {
		return s.deriveKey()
	}
	id := [...]string{s.prefix + s.secret, cmp.Or(s.keyDate, s.date), s.keyRegion, cmp.Or(s.keyService, s.service), s.keyEnd}
	k, found := s.tried[id]
	if !found {
		k = s.deriveKey()
		s.tried[id] = k
	}
	return k
}

func (s *signing) deriveKey() []byte {
	k := hmacSHA256([]byte(s.prefix+s.secret), []byte(cmp.Or(s.keyDate, s.date)))
	if s.keyRegion != "" {
		k = hmacSHA256(k, []byte(s.keyRegion))
	}
	k = hmacSHA256(k, []byte(cmp.Or(s.keyService, s.service)))
	if s.shortKey {
		return k
	}
	return hmacSHA256(k, []byte(cmp.Or(s.keyEnd, scopeSuffix[1:])))
}

// A derivedKey is a signing key that the state keeps for an account: deriving it is most
// of the work of verifying a signature, and it is the same for a day.
type derivedKey struct {
	secret, date, service string
	key                   macKey
}

// keptKey returns the signing key that the account has, or derives it.
func keptKey(c *contract.Call, cl *caller, s *signing) *macKey {
	if d := cl.derived; d != nil && d.date == s.date && d.service == s.service && d.secret == s.secret {
		return &d.key
	}
	derived := &derivedKey{s.secret, s.date, s.service, newMACKey(s.signingKey())}
	c.WithState(func() {
		if a := c.State.(*state).account(cl.secretID); a != nil {
			a.derived = derived
		}
	})
	return &derived.key
}

// signature returns the hexadecimal signature.
func (s *signing) signature() string {
	return hex.EncodeToString(hmacSHA256(s.signingKey(), s.appendStringToSign(nil, s.appendCanonical(nil))))
}

// describe writes the canonical request and the string to sign for an explanation.
func (s *signing) describe() string {
	canonical := s.appendCanonical(nil)
	return "CanonicalRequest:\n" + string(canonical) + "\n\nStringToSign:\n" + string(s.appendStringToSign(nil, canonical))
}

// equalSecret compares two secrets in constant time.
func equalSecret(a, b string) bool {
	return len(a) == len(b) && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// documentedVariant is what the documentation says to sign.
func documentedVariant(r *contract.Request) variant { return variant{host: r.Host, uri: "/"} }

// variants lists the variants that the verifier tries, the documented one first.
// The host is as received, or without its port as the Node SDK signs it. The path
// is /, which all SDKs sign, or the one that was sent. Header values are in lower
// case as documented, or as sent. The strict verifier tries the first variant only.
func variants(r *contract.Request, strict bool) []variant {
	list := make([]variant, 1, 8)
	list[0] = documentedVariant(r)
	if strict {
		return list
	}
	add := func(v variant) {
		for i := range list {
			if list[i] == v {
				return
			}
		}
		list = append(list, v)
	}
	sent, _, _ := strings.Cut(r.Target, "?")
	if !strings.HasPrefix(sent, "/") { // an absolute-form target
		sent = r.URL.EscapedPath()
	}
	for _, raw := range [...]bool{false, true} {
		for _, uri := range [...]string{"/", sent} {
			add(variant{r.Host, uri, raw})
			add(variant{withoutPort(r.Host), uri, raw})
		}
	}
	return list
}

func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

var signatureMismatch = &contract.Cause{Code: "signature_mismatch", Text: "The signature is not that of this request under the secret key of {SecretId}, in none of the {variants} ways that the {verifier} verifier tries."}

// verifyTC3 compares the signature with those of all variants. The key does
// not depend on the variant.
func verifyTC3(c *contract.Call, cl *caller) contract.Verdict {
	s, body := readSigning(c.Request, cl), payloadHash(c.Request)
	key := keptKey(c, cl, &s)
	var room [1024]byte
	var want, text [2 * sha256.Size]byte
	copy(want[:], cl.auth.signature)
	matches := func(v variant) bool {
		s.variant = v
		canonical := hex.AppendEncode(s.appendHead(room[:0]), body[:])
		sum := key.sum(s.appendStringToSign(canonical[len(canonical):], canonical))
		hex.Encode(text[:], sum[:])
		return subtle.ConstantTimeCompare(text[:], want[:]) == 1
	}
	if matches(documentedVariant(c.Request)) { // the usual case needs no list
		c.Note("signature", matchedVariant{s.variant, cl.auth.service})
		return contract.Verdict{}
	}
	list := variants(c.Request, strict(c))
	for _, v := range list[1:] {
		if matches(v) {
			c.Note("signature", matchedVariant{v, cl.auth.service})
			return contract.Verdict{}
		}
	}
	return signatureFailure.Because(signatureMismatch, "SecretId", cl.secretID, "variants", len(list), "verifier", verifier(c)).Explained(explainTC3)
}

// verifier is the name of the verifier that is switched on.
func verifier(c *contract.Call) string {
	if strict(c) {
		return "strict"
	}
	return "lenient"
}

// A matchedVariant is the journal's note of which variant matched. It is formatted
// only when the entry is read.
type matchedVariant struct {
	variant
	service string
}

func (m matchedVariant) String() string {
	return "TC3, service " + m.service + ", " + m.variant.String()
}

// MarshalText makes the journal's JSON have the same text.
func (m matchedVariant) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// AppendJSON has the same text again: a stream of the journal tells of every call.
func (m matchedVariant) AppendJSON(b []byte) []byte { return wire.AppendString(b, m.String()) }
