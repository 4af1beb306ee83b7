package tencentcar

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

const (
	docID     = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	docKey    = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
	starID    = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******"
	starKey   = "Gu5t9xGARNpq86cd98joQYCN3*******"
	carHost   = "car.tencentcloudapi.com"
	jsonMedia = "application/json"
	formMedia = "application/x-www-form-urlencoded"
)

// b1 is the body that the Go and Node SDKs send.
const b1 = `{"UserId":"cg_user","UserIp":"125.127.178.228","ClientSession":"eyJhYmMiOjEyM30="}`

// A world is a conformance.World for the tests of this package. Its clock is
// frozen at conformance.Noon, which is the timestamp 1700000000.
type world struct {
	*conformance.World
	t testing.TB
}

func newWorld(t testing.TB, s conformance.Setting) *world {
	t.Helper()
	return &world{conformance.New(t, API, s), t}
}

// withState runs f on the state, under its lock.
func (w *world) withState(f func(*state)) {
	w.t.Helper()
	w.Instance(w.t).WithState(func(s contract.State) { f(s.(*state)) })
}

// snapshot is the state as JSON.
func (w *world) snapshot() string {
	w.t.Helper()
	text, err := w.Instance(w.t).Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// serve sends a request through the gateway, and returns the journal's entry
// and the answer. Every answer has status 200, JSON without a line feed at its
// end, and an outcome that its check or operation declares.
func (w *world) serve(r *contract.Request) (journal.Entry, []byte) {
	w.t.Helper()
	answer := w.Send(httpRequest(r))
	body := answer.Body.Bytes()
	if types := answer.Header()["Content-Type"]; answer.Code != http.StatusOK || len(types) != 1 || types[0] != jsonMedia {
		w.t.Fatalf("got status %d, Content-Type %q, want 200, application/json: %s", answer.Code, types, body)
	}
	if !json.Valid(body) || bytes.HasSuffix(body, []byte("\n")) {
		w.t.Errorf("the body is no JSON, or a line feed follows it: %q", body)
	}
	e := w.Last(w.t)
	return e, body
}

// call sends the request that the Go SDK makes, and returns the journal's entry.
func (w *world) call(operation string, in contract.Values) journal.Entry {
	w.t.Helper()
	e, _ := w.serve(w.signed(operation, in))
	return e
}

// signed makes the request that the Go SDK makes.
func (w *world) signed(operation string, in contract.Values) *contract.Request {
	w.t.Helper()
	return w.signedFor(carHost, docID, docKey, operation, in)
}

// signedFor is signed for another host or key.
func (w *world) signedFor(host, id, key, operation string, in contract.Values) *contract.Request {
	w.t.Helper()
	r, err := API.Sign(contract.Draft{
		Operation: API.Operation(operation), In: in, Host: host, Now: w.Sandbox.Clock.Now(),
		Credentials: contract.Values{"secretId": id, "secretKey": key},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// advance moves the sandbox's clock.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	if d == 0 {
		return
	}
	if err := w.Sandbox.Clock.Advance(d); err != nil {
		w.t.Fatal(err)
	}
}

// request makes a request. Headers alternate with their values.
func request(method, target, host, body string, headers ...string) *contract.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		u = &url.URL{Path: "/"}
	}
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &contract.Request{Method: method, Target: target, URL: u, Host: host, Header: h, Body: []byte(body), Client: "127.0.0.1:50000"}
}

// httpRequest is r as net/http hands it to the gateway. It takes headers and
// queries that net/http would refuse, so that fuzz tests reach the API with them.
func httpRequest(r *contract.Request) *http.Request {
	target := r.URL.Path
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	q := httptest.NewRequest(r.Method, "/", nil)
	q.RequestURI, q.URL, q.Host, q.Header, q.RemoteAddr = target, r.URL, r.Host, r.Header, r.Client
	q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(r.Body)), int64(len(r.Body))
	return q
}

// authorizationHeader writes a TC3 Authorization header. date and service stand
// in scope as in 2023-11-14/car.
func authorizationHeader(id, scope, signed, signature string) string {
	return algorithm + " Credential=" + id + "/" + scope + scopeSuffix + ", SignedHeaders=" + signed + ", Signature=" + signature
}
