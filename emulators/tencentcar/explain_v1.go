package tencentcar

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// An attemptV1 is a signature v1 as a client may have made and sent it.
type attemptV1 struct {
	facts  []any // that fill the places of the row
	change func(*signingV1)
	sent   func(mac []byte) string // how the signature is written; nil: in base64
}

// v1Of tries the attempts of a row.
func v1Of(list func(*contract.Call, *caller) []attemptV1) func(*contract.Call, contract.Verdict) *contract.Explanation {
	return func(c *contract.Call, _ contract.Verdict) *contract.Explanation {
		cl := callerOf(c)
		if cl.family != v1 || len(c.Request.Body) > maxRewritten || len(c.Request.URL.RawQuery) > maxRewritten {
			return nil
		}
		s, ways := signingV1Of(c, cl), variants(c.Request, false)
		expected := *s
		expected.host, expected.uri = ways[0].host, ways[0].uri
		plain := strings.ReplaceAll(cl.signature, " ", "+")
		for _, m := range list(c, cl) {
			for _, v := range ways {
				alt := *s
				alt.host, alt.uri = v.host, v.uri
				m.change(&alt)
				if m.sent == nil && alt.signature() == plain || m.sent != nil && m.sent(alt.mac()) == cl.signature {
					return m.explain(&expected, &alt, cl.signature)
				}
			}
		}
		return nil
	}
}

// explain says how the client's signing differs from the expected one.
func (m *attemptV1) explain(expected, made *signingV1, signature string) *contract.Explanation {
	e := contract.Found(m.facts...)
	e.Got = made.stringToSign() + "\n\n" + made.hashName() + ": " + signature
	e.Keys = []string{made.secret}
	if e.FirstDifference = firstDifference(expected.stringToSign(), made.stringToSign()); e.FirstDifference == "" {
		e.FirstDifference = "the texts are the same; what is made of them is not"
	}
	return e
}

// changeV1 is a row of one attempt.
func changeV1(f func(*signingV1)) func(*contract.Call, *caller) []attemptV1 {
	return func(*contract.Call, *caller) []attemptV1 { return []attemptV1{{change: f}} }
}

// changePairs is a row of one attempt, which changes the parameters.
func changePairs(f func([]pair) []pair) func(*contract.Call, *caller) []attemptV1 {
	return changeV1(func(s *signingV1) { s.pairs = f(slices.Clone(s.pairs)) })
}

// writtenAs is a row of a right signature that is written in other ways.
func writtenAs(ways ...func([]byte) string) []attemptV1 {
	var list []attemptV1
	for _, way := range ways {
		list = append(list, attemptV1{change: nothingV1, sent: way})
	}
	return list
}

// nothingV1 changes nothing: the signature is right, but for how it was sent.
func nothingV1(*signingV1) {}

func tryLenientV1(c *contract.Call, _ *caller) []attemptV1 {
	if !strict(c) {
		return nil
	}
	return []attemptV1{{change: nothingV1}}
}

func tryLostPlus(_ *contract.Call, cl *caller) []attemptV1 {
	if !strings.Contains(cl.signature, " ") {
		return nil
	}
	return []attemptV1{{change: nothingV1}}
}

func tryEncodedTwice(*contract.Call, *caller) []attemptV1 {
	return writtenAs(func(mac []byte) string { return url.QueryEscape(base64.StdEncoding.EncodeToString(mac)) })
}

func tryHex(*contract.Call, *caller) []attemptV1 {
	return writtenAs(hex.EncodeToString, func(mac []byte) string { return strings.ToUpper(hex.EncodeToString(mac)) })
}

func tryBase64URL(*contract.Call, *caller) []attemptV1 {
	return writtenAs(base64.URLEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString, base64.RawStdEncoding.EncodeToString)
}

func tryMethodsV1(c *contract.Call, _ *caller) []attemptV1 {
	other := otherMethod(c.Request.Method)
	return []attemptV1{{facts: []any{"signed", other, "sent", c.Request.Method}, change: func(s *signingV1) { s.method = other }}}
}

func tryTimestampsV1(_ *contract.Call, cl *caller) (list []attemptV1) {
	for _, stamp := range otherTimestamps(cl) {
		list = append(list, attemptV1{facts: []any{"signed", stamp, "sent", cl.timestamp}, change: func(s *signingV1) {
			s.pairs = slices.Clone(s.pairs)
			for i := range s.pairs {
				if s.pairs[i].name == "Timestamp" {
					s.pairs[i].value = stamp
				}
			}
		}})
	}
	return list
}

func tryEncodedValues(*contract.Call, *caller) []attemptV1 {
	return []attemptV1{
		{change: func(s *signingV1) { s.pairs = percentEncoded(s.pairs) }},
		{change: func(s *signingV1) {
			s.pairs = percentEncoded(s.pairs)
			for i := range s.pairs {
				s.pairs[i].value = strings.ReplaceAll(s.pairs[i].value, "+", "%20")
			}
		}},
	}
}

// tryOrders signs the parameters in the order sent, or sorted without regard to
// upper and lower case.
func tryOrders(_ *contract.Call, cl *caller) []attemptV1 {
	folded := withoutSignature(cl.pairs)
	slices.SortStableFunc(folded, func(a, b pair) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return []attemptV1{
		{facts: []any{"order", "in the order in which it sent them"}, change: func(s *signingV1) { s.pairs = withoutSignature(cl.pairs) }},
		{facts: []any{"order", "sorted without regard to upper and lower case"}, change: func(s *signingV1) { s.pairs = folded }},
	}
}

func decodedOnceMore(pairs []pair) []pair {
	for i := range pairs {
		if plain, err := url.QueryUnescape(pairs[i].value); err == nil {
			pairs[i].value = plain
		}
	}
	return pairs
}

func withPlus(pairs []pair) []pair {
	for i := range pairs {
		pairs[i].value = strings.ReplaceAll(pairs[i].value, " ", "+")
	}
	return pairs
}

func trimmed(pairs []pair) []pair {
	for i := range pairs {
		pairs[i].value = strings.TrimSpace(pairs[i].value)
	}
	return pairs
}

func withoutEmpty(pairs []pair) []pair {
	return slices.DeleteFunc(pairs, func(p pair) bool { return p.value == "" })
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
