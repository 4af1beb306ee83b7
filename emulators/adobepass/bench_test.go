package adobepass_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// newWorld makes a world whose wall clock is frozen.
func newWorld(b *testing.B) *conformance.World {
	b.Helper()
	return conformance.New(b, adobepass.API, conformance.Setting{Wall: func() time.Time { return conformance.Noon }})
}

// signedRequest makes a request as the gateway passes it on.
func signedRequest(b *testing.B, operation, token string, in contract.Values) *contract.Request {
	b.Helper()
	op := adobepass.API.Operation(operation)
	r, err := adobepass.API.Sign(contract.Draft{
		Operation: op, In: in, Host: "sp.auth.adobe.com", Credentials: contract.Values{"accessToken": token}, Now: conformance.Noon,
	})
	if err != nil {
		b.Fatal(err)
	}
	r.At, r.Path, r.Base, r.Client = []*contract.Operation{op}, map[string]string{}, "http://sp.auth.adobe.com", "192.0.2.1:1234"
	for name, x := range in {
		if s, ok := x.(string); ok && strings.Contains(op.Path, "{"+name+"}") {
			r.Path[name] = s
		}
	}
	return r
}

// newToken creates an access token of the world.
func newToken(b *testing.B, w *conformance.World) string {
	b.Helper()
	r := httpPost("/o/client/token", "client_id=s6BhdRkqt3&client_secret=t7AkePiru4&grant_type=client_credentials")
	a := w.Send(r)
	_, rest, _ := strings.Cut(a.Body.String(), `"access_token":"`)
	token, _, ok := strings.Cut(rest, `"`)
	if !ok {
		b.Fatal(a.Body)
	}
	return token
}

func httpPost(target, body string) *http.Request {
	u, _ := url.Parse(target)
	return conformance.HTTP(&contract.Request{
		Method: http.MethodPost, URL: u, Host: "sp.auth.adobe.com", Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	})
}

var full = contract.Values{
	"serviceProvider": "REF30", "mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com",
	"X-Device-Info": "ewoJInByaW1hcnlIYXJkd2FyZVR5cGUiOiAiU2V0VG9wQm94IiwKCSJtb2RlbCI6ICJUViA1dGggR2VuIiwKCSJtYW51ZmFjdHVyZXIiOiAiQXBwbGUiLAoJIm9zTmFtZSI6ICJ0dk9TIgoJIm9zVmVuZG9yIjogIkFwcGxlIiwKCSJvc1ZlcnNpb24iOiAiMTEuMCIKfQ==",
}

// BenchmarkCreateSession measures a CreateSession with a known access token,
// from the checks to the journal, with so many valid codes beside it. Target: 15
// yardsticks and 80 allocations at any number.
func BenchmarkCreateSession(b *testing.B) {
	for _, live := range []int{0, 1_000, 100_000} {
		b.Run(fmt.Sprint(live, "_live"), func(b *testing.B) {
			w := newWorld(b)
			token := newToken(b, w)
			r := signedRequest(b, "CreateSession", token, full)
			for i := range live {
				other := *r
				other.Header = r.Header.Clone()
				other.Header.Set("AP-Device-Identifier", fingerprint(fmt.Sprint("device-", i)))
				if e := w.Corridor(b, &other); e.Outcome != "authenticate" {
					b.Fatal(e.Outcome)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if e := w.Corridor(b, r); e.Outcome != "authenticate" {
					b.Fatal(e.Outcome)
				}
			}
		})
	}
}

// BenchmarkFirstVerification measures a call with an access token that was never
// seen.
func BenchmarkFirstVerification(b *testing.B) {
	w := newWorld(b)
	tokens := make([]string, 64)
	for i := range tokens {
		if err := w.Sandbox.Clock.Advance(time.Second); err != nil { // so that the tokens differ
			b.Fatal(err)
		}
		tokens[i] = newToken(b, w)
	}
	requests := make([]*contract.Request, len(tokens))
	for i, token := range tokens {
		requests[i] = signedRequest(b, "GetConfiguration", token, contract.Values{"serviceProvider": "REF30"})
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i%len(requests) == 0 {
			b.StopTimer()
			dropVerified(b, w)
			b.StartTimer()
		}
		if e := w.Corridor(b, requests[i%len(requests)]); e.Outcome != "success" {
			b.Fatal(e.Outcome)
		}
		i++
	}
}

// dropVerified makes the world forget its verified tokens by a restore of its
// own snapshot.
func dropVerified(b *testing.B, w *conformance.World) {
	b.Helper()
	instance := w.Instance(b)
	raw, err := instance.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	if err := instance.Restore(raw); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCreateToken measures an RSA signature.
func BenchmarkCreateToken(b *testing.B) {
	w := newWorld(b)
	r := signedRequest(b, "CreateToken", "", contract.Values{"client_id": "s6BhdRkqt3", "client_secret": "t7AkePiru4", "grant_type": "client_credentials"})
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "success" {
			b.Fatal(e.Outcome)
		}
	}
}

// BenchmarkPoll measures a GetProfileByCode before the login.
func BenchmarkPoll(b *testing.B) {
	w := newWorld(b)
	r := signedRequest(b, "GetProfileByCode", newToken(b, w), contract.Values{"serviceProvider": "REF30", "code": "XTC98W"})
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "noProfile" {
			b.Fatal(e.Outcome)
		}
	}
}

// BenchmarkAuthorize measures a decision with its signed media token.
func BenchmarkAuthorize(b *testing.B) {
	w := newWorld(b)
	r := signedRequest(b, "Authorize", w.Credentials(b).Text("accessToken"), contract.Values{"serviceProvider": "REF30", "mvpd": "TempPass_TEST44", "resources": []any{"REF30"}})
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "temporary" {
			b.Fatal(e.Outcome)
		}
	}
}
