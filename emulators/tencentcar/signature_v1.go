package tencentcar

import (
	"crypto/hmac"
	"crypto/sha1" // documented: HmacSHA1 is the default
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A signingV1 is the input of one signature v1.
type signingV1 struct {
	method string
	host   string
	uri    string
	pairs  []pair // all parameters but the signature, sorted by name
	sha256 bool
	secret string
}

// signingV1Of is the signing of a request. Host and path are left to the caller.
func signingV1Of(c *contract.Call, cl *caller) *signingV1 {
	return &signingV1{
		method: c.Request.Method, pairs: sorted(cl.pairs),
		// Any other SignatureMethod means HmacSHA1.
		sha256: cl.signatureMethod == "HmacSHA256",
		secret: cl.account.SecretKey,
	}
}

// sorted returns the signed parameters: all but the signature, by name in ASCII
// order, values without any encoding. (The Python SDK replaces underscores in
// names by dots; no parameter of CAR has an underscore.)
func sorted(pairs []pair) []pair {
	list := make([]pair, 0, len(pairs))
	for _, p := range pairs {
		if p.name != "Signature" {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return list
}

// stringToSign is the text that is signed.
func (s *signingV1) stringToSign() string {
	var b strings.Builder
	b.WriteString(s.method)
	b.WriteString(s.host)
	b.WriteString(s.uri)
	for i, p := range s.pairs {
		if i == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String()
}

func (s *signingV1) signature() string { return base64.StdEncoding.EncodeToString(s.mac()) }

// mac is the signature before it is written in base64.
func (s *signingV1) mac() []byte {
	h := sha1.New
	if s.sha256 {
		h = sha256.New
	}
	m := hmac.New(h, []byte(s.secret))
	m.Write([]byte(s.stringToSign()))
	return m.Sum(nil)
}

// A matchedVariantV1 is the journal's note of which variant matched.
type matchedVariantV1 struct{ method, host, uri string }

func (m matchedVariantV1) String() string {
	return "v1, " + m.method + ", host " + m.host + ", path " + m.uri
}

// MarshalText makes the journal's JSON have the same text.
func (m matchedVariantV1) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// verifyV1 compares the signature with those of all variants. Signature v1 signs
// no headers, so variants that differ in header values only are skipped.
func verifyV1(c *contract.Call, cl *caller) contract.Verdict {
	s := signingV1Of(c, cl)
	list := variants(c.Request, strict(c))
	for _, v := range list {
		if v.raw {
			continue
		}
		s.host, s.uri = v.host, v.uri
		if equalSecret(s.signature(), cl.signature) {
			c.Note("signature", matchedVariantV1{s.hashName(), v.host, v.uri})
			return contract.Verdict{}
		}
	}
	return signatureFailure.Because(signatureMismatch, "SecretId", cl.secretID, "variants", len(list), "verifier", verifier(c)).Explained(explainV1)
}

func (s *signingV1) hashName() string {
	if s.sha256 {
		return "HmacSHA256"
	}
	return "HmacSHA1"
}
