package polyv

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// pageDay is when the page of the session list was written.
var pageDay = time.UnixMilli(1652411923329).UTC()

// countingSource is a source of chance whose values follow from a counter.
type countingSource struct{ n uint64 }

func (s *countingSource) Uint64() uint64 { s.n++; return s.n * 0x9e3779b97f4a7c15 }
func (s *countingSource) Int63() int64   { return int64(s.Uint64() >> 1) }
func (s *countingSource) Seed(int64)     {}

// withState runs f with the state of the world, under its lock.
func withState(t testing.TB, w *conformance.World, f func(*state)) {
	t.Helper()
	w.Instance(t).WithState(func(s contract.State) { f(s.(*state)) })
}

// newRequest makes a request for the gateway. The query may be any text.
func newRequest(method, path, query, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host, r.URL.RawQuery, r.RequestURI = "api.polyv.net", query, path+"?"+query
	return r
}

// recordOutcomes returns a copy of the API, and a function that returns the
// outcome of its latest call. The journal has the name only, and the successes
// of all operations have the same one.
func recordOutcomes() (api *contract.API, latest func() *contract.Outcome) {
	var outcome *contract.Outcome
	recorder := *API
	recorder.Write = func(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
		outcome = v.Outcome
		return write(c, v, reply)
	}
	return &recorder, func() *contract.Outcome { return outcome }
}
