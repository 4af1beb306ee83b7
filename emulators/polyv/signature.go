package polyv

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A hash is the hash function of a signature.
type hash int

const (
	md5Hash hash = iota
	sha256Hash
)

func (h hash) String() string {
	if h == sha256Hash {
		return "SHA256"
	}
	return "MD5"
}

func (h hash) size() int {
	if h == sha256Hash {
		return sha256.Size
	}
	return md5.Size
}

// A signing is the input of a signature: the secret, the parameters sorted by name
// and without empty ones, and the secret again, names and values decoded and
// concatenated.
type signing struct {
	pairs   []pair // sorted
	head    string
	tail    string
	hash    hash
	empties bool // parameters without a value are signed too
}

// append writes the text that is hashed.
func (s *signing) append(b []byte) []byte {
	b = append(b, s.head...)
	for i := range s.pairs {
		p := &s.pairs[i]
		if p.name == "sign" || p.value == "" && !s.empties {
			continue
		}
		b = append(append(b, p.name...), p.value...)
	}
	return append(b, s.tail...)
}

// sum writes the signature of a text: hexadecimal digits in upper case.
func (h hash) sum(b, text []byte) []byte {
	var sum []byte
	switch h {
	case sha256Hash:
		s := sha256.Sum256(text)
		sum = s[:]
	default:
		s := md5.Sum(text)
		sum = s[:]
	}
	b = hex.AppendEncode(b, sum)
	for i := range b {
		if b[i] >= 'a' {
			b[i] -= 'a' - 'A'
		}
	}
	return b
}

func (s *signing) signature() string { return string(s.hash.sum(nil, s.append(nil))) }

// hashOf returns the hash that a request names, by default MD5. Case does not
// matter, as in an official client.
func hashOf(method string) (h hash, known bool) {
	switch {
	case method == "" || strings.EqualFold(method, "MD5"):
		return md5Hash, true
	case strings.EqualFold(method, "SHA256"):
		return sha256Hash, true
	}
	return md5Hash, false
}

var (
	noSign     = &contract.Cause{Code: "sign_missing", Text: "The parameter sign is absent or empty."}
	badSign    = &contract.Cause{Code: "sign_malformed", Text: "The parameter sign is {got}; {expected} hexadecimal digits were expected."}
	noMethod   = &contract.Cause{Code: "signature_method_unknown", Text: "signatureMethod is {got}; SHA256 was expected, or none at all for MD5."}
	mismatched = &contract.Cause{Code: "signature_mismatch", Text: "The sign is not that of this request under the secret of {appId}, and no mistake that clients are known to make explains it. Compare what the client signed with what is expected here; the first thing to look at is the secret."}
)

// checkSignature accepts the documented signature and, where a switch allows it, the
// one in which some clients sign parameters without a value too.
func checkSignature(c *contract.Call) contract.Verdict {
	if c.Auth == contract.Off {
		return contract.Verdict{}
	}
	ca := callerOf(c)
	h, known := hashOf(ca.value("signatureMethod"))
	switch {
	case ca.sign == "":
		return orCompressed(c, invalidSignature.Because(noSign))
	case !known:
		return invalidSignature.Because(noMethod, "got", quote(ca.value("signatureMethod")))
	case c.Auth != contract.Verify || ca.unknown:
		if raw, err := hex.DecodeString(ca.sign); err != nil || len(raw) != h.size() {
			return invalidSignature.Because(badSign, "got", quote(ca.sign), "expected", 2*h.size())
		}
		return contract.Verdict{}
	}
	s := &signing{pairs: ca.pairs, head: ca.application.AppSecret, tail: ca.application.AppSecret, hash: h}
	if ca.matches(c, s) {
		return contract.Verdict{}
	}
	if c.Switches.Text("empty_values") == "tolerant" {
		if s.empties = true; ca.matches(c, s) {
			c.Note("signature", "parameters without a value are signed, which the documentation does not do")
			return contract.Verdict{}
		}
		s.empties = false
	}
	if takesBody(c.Operation) { // such calls sign the query only, and for one the page does not say even that
		if s.pairs = ca.selected("appId", "signatureMethod", "timestamp"); ca.matches(c, s) {
			c.Note("signature", "made of appId and timestamp alone, as the page says")
			return contract.Verdict{}
		}
	}
	return orCompressed(c, invalidSignature.Because(mismatched, "appId", ca.appID).Explained(explainSignature).OfAdopted(c, "appId", ca.appID))
}

// matches compares in constant time, in upper or any case as the switch says.
func (ca *caller) matches(c *contract.Call, s *signing) bool {
	var text [512]byte
	var sum [2 * sha256.Size]byte
	want := s.hash.sum(sum[:0], s.append(text[:0]))
	got := ca.sign
	if c.Switches.Text("sign_case") == "any" {
		got = strings.ToUpper(got)
	}
	return subtle.ConstantTimeCompare(want, []byte(got)) == 1
}

// selected returns the parameters with these names, which are sorted.
func (ca *caller) selected(names ...string) []pair {
	var list []pair
	for _, name := range names {
		if i, found := ca.find(name); found {
			list = append(list, ca.pairs[i])
		}
	}
	return list
}
