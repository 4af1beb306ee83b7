package emulators_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
)

// libraryWords stand in messages of Go's libraries and of the ones that the
// emulators use, and in no vendor's.
var libraryWords = []string{
	"at byte", "byte offset", "at offset", "0x1f", "0x00", "invalid character", "invalid utf-8", "within string", "after object", "after array",
	"json:", "jsontext", "json text", "cannot unmarshal", "unexpected end of", "unexpected eof", " eof", "stands twice", "nested deeper",
	"strconv", "parsing \"", "invalid syntax", "value out of range", "illegal base64", "base64:", "hex:", "parse \"", "invalid url escape",
	"invalid control character", "first path segment", "missing protocol scheme", "invalid port", "multipart:", "mime:", "no media type",
	"parsing time", "parseaddr", "netip", "gzip:", "flate:", "token is malformed", "token contains an invalid", "could not base64",
	"crypto/", "x509:", "asn1:", "cipher:", "yaml:", "runtime error", "goroutine", "reflect", "<nil>", "%!",
}

// badValues are what no value is taken for.
var badValues = []string{
	"\x1f\x8b", "\x00", "\xff\xfe", "{", "[1", `"`, `{"a":1,"a":2}`, "nul", "NaN", "1e999", "-", "0x10", "12abc", "99999999999999999999999999",
	"%zz", "%", "a b", "http://[::1", "http://a:b:c", ":", "//", "!!!!", "AAA", "ey.J.x", "2022-13-40", "1\n2", strings.Repeat("9", 400),
}

// badBodies are bodies that are neither JSON nor a form of a call.
func badBodies(t *testing.T) (all []string) {
	t.Helper()
	all = append(badValues[:len(badValues):len(badValues)],
		"", "{}", "[]", "null", "true", "1", `"text"`, "{]", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{"a":"\x"}`, `{"a":"`+"\x01"+`"}`,
		`{"a":"\ud800"}`, `{"a":1}{`, `{"a":01}`, `{"a":.5}`, `{"a":NaN}`, "{\"a\":\"\xff\"}", strings.Repeat("[", 500), strings.Repeat(`{"a":`, 500),
		"a=%zz&b=%", "a&b&c", "=&=", "a=1;b=2", "--x\r\n\r\n--x--", "--x\r\nContent-Disposition: form-data; name=\"file\r\n\r\n",
	)
	for _, plain := range []string{`{"a":1}`, "a=1&b=2"} {
		all = append(all, string(compress(t, []byte(plain))))
	}
	return all
}

// Malformed bodies, forms, numbers, base64 and addresses are refused in the vendor's
// words. A gzip body was refused with the parser's: invalid character '\x1f'.
func TestNoWordsOfLibraries(t *testing.T) {
	t.Parallel()
	bodies := badBodies(t)
	for _, api := range emulators.All {
		for _, auth := range []contract.Auth{contract.Verify, contract.Off} {
			t.Run(fmt.Sprintf("%s/%s", api.Name, auth), func(t *testing.T) {
				t.Parallel()
				w := conformance.New(t, api, conformance.Setting{Auth: auth})
				refused := map[string]bool{}
				send := func(what string, op *contract.Operation, change func(*contract.Request)) {
					r := signed(t, w, op, nil)
					change(r)
					hold(t, what, w, r, refused)
				}
				for _, op := range api.Operations {
					for i, body := range bodies {
						kinds := []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"}
						switch {
						case i == 0:
							kinds = append(kinds, "", "multipart/form-data", "%%")
						case auth == contract.Verify: // most end at the signature
							kinds = kinds[:1]
						}
						for _, kind := range kinds {
							send(fmt.Sprintf("%s with the body %.40q of type %q", op.Name, body, kind), op, func(r *contract.Request) {
								r.Body = []byte(body)
								if kind != "" {
									r.Header.Set("Content-Type", kind)
								}
								if strings.HasPrefix(body, "\x1f\x8b") {
									r.Header.Set("Content-Encoding", "gzip")
								}
							})
						}
					}
					for _, value := range badValues {
						for name := range signed(t, w, op, nil).Header {
							send(fmt.Sprintf("%s with the header %s %.40q", op.Name, name, value), op, func(r *contract.Request) {
								r.Header.Set(name, strings.Map(visible, value))
							})
						}
						for i := range op.Params {
							p := &op.Params[i]
							if r := signed(t, w, op, contract.Values{p.Name: value}); r != nil {
								hold(t, fmt.Sprintf("%s with %s %.40q", op.Name, p.Name, value), w, r, refused)
							}
						}
					}
				}
				if len(refused) < 2 {
					t.Errorf("only %v were seen: the requests reach no parser", refused)
				}
			})
		}
	}
}

// visible drops what no header may hold.
func visible(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// signed makes the documented example of a call, with other values; nil: what
// cannot be made into a request.
func signed(t *testing.T, w *conformance.World, op *contract.Operation, change contract.Values) *contract.Request {
	t.Helper()
	in := contract.Sample(op.Params)
	maps.Copy(in, change)
	credentials := contract.Values{}
	maps.Copy(credentials, w.Credentials(t))
	for _, k := range w.API.Credentials {
		if !credentials.Has(k.Name) {
			credentials[k.Name] = "nobody"
		}
	}
	r, err := w.API.Sign(contract.Draft{Operation: op, In: in, Host: append(w.API.HostNames(), "127.0.0.1")[0], Credentials: credentials, Now: w.Sandbox.Clock.Now()})
	if err != nil {
		return nil
	}
	return r
}

// hold sends a request, and holds its answer against the words of libraries.
func hold(t *testing.T, what string, w *conformance.World, r *contract.Request, refused map[string]bool) {
	t.Helper()
	if r == nil {
		return
	}
	answer := w.Send(conformance.HTTP(r))
	if answer.Header().Get(gateway.ProblemHeader) != "" {
		return // ours, and says so
	}
	e := w.Last(t)
	if e.DecidedBy.Kind == journal.Check || answer.Code >= 400 {
		refused[e.Outcome] = true
	}
	said := strings.ToLower(answer.Body.String())
	for name, values := range answer.Header() {
		if !strings.HasPrefix(name, "Understudy-") {
			said += "\n" + strings.ToLower(name+": "+strings.Join(values, ", "))
		}
	}
	for _, word := range libraryWords {
		if strings.Contains(said, word) {
			t.Errorf("%s: the answer has %q: %.300q", what, word, said)
		}
	}
}

// A compressed body is refused, and the journal says that it is compressed and what
// to do. It said which byte was no JSON.
func TestCompressedBodyIsExplained(t *testing.T) {
	t.Parallel()
	for _, api := range emulators.All {
		for _, auth := range []contract.Auth{contract.Verify, contract.Off} {
			w := conformance.New(t, api, conformance.Setting{Auth: auth})
			bodies := 0
			for _, op := range api.Operations {
				r := signed(t, w, op, nil)
				if len(r.Body) == 0 {
					continue
				}
				bodies++
				r.Body = compress(t, r.Body)
				r.Header.Set("Content-Encoding", "gzip")
				answer := w.Send(conformance.HTTP(r))
				e := w.Last(t)
				if e.DecidedBy.Kind != journal.Check || e.Explanation == nil || e.Explanation.Cause != "body_compressed" ||
					!strings.Contains(e.Explanation.Text, "A body with Content-Encoding gzip was found.") {
					t.Errorf("%s/%s, %s: got %s by %s: %+v", api.Name, op.Name, auth, e.Outcome, e.DecidedBy.Kind, e.Explanation)
				}
				if strings.Contains(answer.Body.String(), "gzip") {
					t.Errorf("%s/%s: the client is told %s", api.Name, op.Name, answer.Body)
				}
			}
			if bodies == 0 {
				t.Errorf("%s has no operation with a body", api.Name)
			}
		}
	}
}

func compress(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
