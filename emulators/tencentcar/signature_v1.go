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

// A signingV1 is all that goes into one signature v1.
type signingV1 struct {
	method string
	host   string
	uri    string
	pairs  []pair // all parameters but the signature, sorted by name
	sha256 bool
	secret string
}

func signingV1Of(c *contract.Call, cl *caller) *signingV1 {
	return &signingV1{
		method: c.Request.Method, pairs: sorted(cl.pairs),
		// HmacSHA256 only where it is asked for by that name.
		sha256: cl.signatureMethod == "HmacSHA256",
		secret: cl.account.SecretKey,
	}
}

// sorted returns the parameters that are signed: all but the signature, by
// name in ASCII order, values as they are before any encoding. (The Python SDK
// signs names with a dot for each underscore; no parameter of CAR has one.)
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

// source is the text that is signed.
func (s *signingV1) source() string {
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

func (s *signingV1) signature() string {
	h := sha1.New
	if s.sha256 {
		h = sha256.New
	}
	m := hmac.New(h, []byte(s.secret))
	m.Write([]byte(s.source()))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// notedV1 tells the journal which variant matched.
type matchedVariantV1 struct{ method, host, uri string }

func (n matchedVariantV1) String() string {
	return "v1, " + n.method + ", host " + n.host + ", path " + n.uri
}

// MarshalText has the journal's JSON tell the same.
func (n matchedVariantV1) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// verifyV1 compares the signature with those of all variants. Values are
// always signed raw, so that here the third difference falls away.
func verifyV1(c *contract.Call, cl *caller) contract.Verdict {
	s := signingV1Of(c, cl)
	list := variants(c.Request, strict(c))
	for _, v := range list {
		if v.raw {
			continue
		}
		s.host, s.uri = v.host, v.uri
		if equalSecret(s.signature(), cl.signature) {
			c.Note("signature", matchedVariantV1{s.hash(), v.host, v.uri})
			return contract.Verdict{}
		}
	}
	return signatureFailure.Because(signatureMismatch, "SecretId", cl.secretID, "variants", len(list), "verifier", verifier(c)).Explained(explainV1)
}

func (s *signingV1) hash() string {
	if s.sha256 {
		return "HmacSHA256"
	}
	return "HmacSHA1"
}
