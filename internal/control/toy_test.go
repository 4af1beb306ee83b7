package control_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/understudy-suite/understudy/internal/authority"
	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/internal/wire"
)

// shop is the world of the toy API: a shop that sells hats.
type shop struct {
	Hats []string

	keys []string
}

func (s *shop) Reindex() error {
	if slices.Contains(s.Hats, "") {
		return errors.New("a hat is nothing")
	}
	return nil
}

func (s *shop) Identifiers() iter.Seq[string] { return slices.Values(s.keys) }
func (*shop) Credentials() contract.Values    { return contract.Values{"toyKey": "toy-key"} }

func newShop(seed contract.Seed) (contract.State, error) {
	s := &shop{Hats: []string{"bowler"}, keys: []string{"toy-key"}}
	for _, own := range seed.Credentials {
		s.keys = append(s.keys, own.Text("toyKey"))
	}
	if !seed.Switches.Bool("open") {
		s.Hats = nil
	}
	return s, nil
}

var (
	sold    = &contract.Outcome{Name: "success", Status: 200, Doc: "The hat is sold.", Cite: "toy#sell", Returns: []contract.Param{{Name: "hat", Doc: "what was sold"}}, Do: sell}
	soldOut = &contract.Outcome{Name: "SoldOut.NoHat", Fails: true, Status: 409, Message: "no {hat} is left", Doc: "None is left."}
	closed  = &contract.Outcome{Name: "closed", Fails: true, Status: 503, Message: "closed", Doc: "The shop is closed.", Cite: "toy#hours"}
	strange = &contract.Outcome{Name: "strange", Fails: true, Status: 404, Message: "what?"}
	listed  = &contract.Outcome{Name: "success", Status: 200}
)

// Derive tells how many hats there are.
func (s *shop) Derive(now time.Time, _ contract.Values) any {
	return struct {
		Count int       `json:"count"`
		At    time.Time `json:"at"`
	}{len(s.Hats), now}
}

func sell(c *contract.Call) any {
	return struct {
		Hat string `json:"hat"`
	}{c.In.Text("hat")}
}

var sellHat = &contract.Operation{
	Name: "SellHat", Doc: "Sells a hat.", Cite: "toy#sell", Method: "POST", Path: "/hats/{shop}", Aliases: []string{"/hüte"}, Rate: 5,
	Params: []contract.Param{
		{Name: "hat", Need: contract.Required, OneOf: []string{"bowler", "fez"}, Doc: "which", Cite: "toy#sell"},
		{Name: "sizes", Type: contract.List, Of: contract.Object, Fields: []contract.Param{{Name: "cm", Type: contract.Integer, Min: 40, Max: 70}}},
		{Name: "sig", In: contract.Query, Need: contract.Expected, Example: "abc"},
		{Name: "X-Toy-Key", In: contract.Header},
	},
	Outcomes: []*contract.Outcome{sold, soldOut},
	Decide:   func(*contract.Call) contract.Verdict { return sold.Verdict() },
}

var listHats = &contract.Operation{
	Name: "ListHats", Method: "GET", Path: "/hats", Outcomes: []*contract.Outcome{listed}, Helper: true,
	Decide: func(c *contract.Call) contract.Verdict {
		if c.Request.URL.RawQuery == "break" {
			panic("a hat fell down")
		}
		return listed.Verdict()
	},
}

var toy = &contract.API{
	Name: "toy", Title: "Toy Hats", Docs: "https://toy.example.com/docs", Port: 7001, Hosts: contract.HostNames("", "toy.example.com"),
	Pick: func(r *contract.Request) (*contract.Operation, contract.Miss) {
		for _, op := range r.At {
			if op.Method == r.Method {
				return op, ""
			}
		}
		return nil, contract.NoSuchPath
	},
	Checks: []contract.Check{
		{Name: "read", Ends: []*contract.Outcome{strange}, Do: func(c *contract.Call) contract.Verdict {
			c.In, _ = wire.Object(c.Request.Body)
			if c.Operation == nil {
				return strange.Verdict()
			}
			return contract.Verdict{}
		}},
		{Name: "hours", Ends: []*contract.Outcome{closed}, Do: func(*contract.Call) contract.Verdict { return contract.Verdict{} }},
	},
	Fail: func(c *contract.Call, v contract.Verdict) any {
		return struct {
			Error string `json:"error"`
		}{v.Message(c)}
	},
	Write: func(_ *contract.Call, v contract.Verdict, r contract.Reply) contract.Response {
		return contract.Response{Status: v.Outcome.Status, Body: r.Body}
	},
	Operations: []*contract.Operation{sellHat, listHats},
	Failure:    []contract.Param{{Name: "error"}, {Name: "code"}, {Name: "more", Type: contract.Object}},
	State:      newShop,
	Fixture:    []contract.Param{{Name: "hats", Type: contract.List, Of: contract.String}},
	Switches: []contract.Param{
		{Name: "patience", Type: contract.Duration, Default: 90 * time.Second, Doc: "how long it waits"},
		{Name: "open", Type: contract.Boolean, Default: true},
	},
	Credentials: []contract.Credential{{Name: "toyKey", Env: "TOY_KEY"}},
	Mint:        func(d *contract.Dice) contract.Values { return contract.Values{"toyKey": d.ID()} },
	Environment: []contract.Variable{{Name: "TOY_URL", Value: contract.BaseURL}, {Name: "TOY_HOST", Value: contract.HostPort}},
	Identifiers: func(r *contract.Request) []string { return []string{r.Header.Get("X-Toy-Key")} },
	Secrets:     []string{"X-Toy-Key", "sig", "Token"},
	Adopts:      []contract.Adoptable{{What: "shop", Doc: "A shop as the first.", Example: "north"}},
	Triggers: []*contract.Trigger{
		{Name: "hat.lost", Doc: "A hat is lost.", Params: []contract.Param{
			{Name: "hat", Need: contract.Required}, {Name: "n", Type: contract.Integer}, {Name: "why", Type: contract.Object},
		}, Do: lose},
		{Name: "roof.falls", Do: func(*contract.Call) error { panic("the roof fell") }},
	},
}

func lose(c *contract.Call) error {
	s := c.State.(*shop)
	i := slices.Index(s.Hats, c.In.Text("hat"))
	if i < 0 {
		return errors.New("no hat " + c.In.Text("hat"))
	}
	s.Hats = slices.Delete(s.Hats, i, i+1)
	return nil
}

// plain is a second API, of which there is little to tell.
var plain = &contract.API{
	Name: "plain", State: func(contract.Seed) (contract.State, error) { return &shop{}, nil },
	Operations: []*contract.Operation{{Name: "Ask", Path: "/ask", Outcomes: []*contract.Outcome{{Name: "success", Status: 200}}}},
}

var apis = []*contract.API{toy, plain}

// noon is the wall clock of every test.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var scenarioFiles = fstest.MapFS{
	"toy/no-hat.yaml":  {Data: []byte("scenario: no-hat\napi: toy\ndescription: No hat is left.\ntags: [quota]\nrules:\n  - operation: SellHat\n    where: {hat: fez}\n    times: 2\n    skip: 1\n    outcome: SoldOut.NoHat\n    message: none\n    with: {error: gone, code: null, more: {a: [1]}}\n    wire: {delay: 2s, headers: {X-A: b, X-B: null}}\n")},
	"toy/network.yaml": {Data: []byte("scenario: network\napi: toy\nrules:\n  - operation: \"*\"\n    times: 9\n    wire: {answer: {status: 502, headers: {A: b}, body: bad}}\n  - operation: ListHats\n    wire: {fault: reset}\n")},
	"toy/faulty.yaml":  {Data: []byte("scenario: faulty\napi: toy\nrules:\n  - operation: SelHat\n    outcome: success\n")},
}

var fixtureFiles = fstest.MapFS{
	"toy/night.yaml": {Data: []byte("fixture: night\napi: toy\nopen: false\n")},
}

// testServer is a control API with everything that it serves.
type testServer struct {
	t        *testing.T
	registry *sandbox.Registry
	gateway  *gateway.Gateway
	server   *control.Server
	log      *strings.Builder
}

func newTestServer(t *testing.T, change func(*control.Config)) *testServer {
	t.Helper()
	registry, err := sandbox.New(sandbox.Config{
		APIs: apis, Fixtures: map[string]*fixture.Fixture{"toy": fixture.Empty(toy), "plain": fixture.Empty(plain)},
		Seed: 7, Wall: func() time.Time { return noon }, Clock: clock.Setting{}, Max: 10,
		Journal: journal.Limits{Entries: 5, Bytes: 1 << 20, Body: 1 << 10}, JournalAll: 1 << 22,
	})
	if err != nil {
		t.Fatal(err)
	}
	library := library.New(apis)
	if err := library.Add(scenarioFiles, "shipped"); err == nil {
		t.Fatal("the faulty scenario was taken")
	}
	fixtures := fixture.NewLibrary(apis)
	if err := fixtures.Add(fixtureFiles); err != nil {
		t.Fatal(err)
	}
	s := &testServer{t: t, registry: registry, log: &strings.Builder{}}
	config := control.Config{
		APIs: apis, Registry: registry, Library: library, Version: "1.2.3", Commit: "abc", Seed: 7, Body: 4096,
		URLs: func(base string) map[string]string {
			return map[string]string{"door": base + ":1", "toy": base + ":1/toy", "plain": base + ":2/"}
		},
		Fixture: fixtures.Find,
		Panics:  func() int64 { return s.gateway.Panics() },
		Log:     slog.New(slog.NewTextHandler(s.log, nil)),
	}
	over, err := authority.Open(authority.Config{Hosts: toy.Hosts, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	config.Authority = over
	if change != nil {
		change(&config)
	}
	s.server = control.New(config)
	s.gateway = gateway.New(gateway.Config{
		APIs: apis, Registry: registry, Body: 1 << 16, MaxStall: time.Second, Log: config.Log,
	})
	return s
}

// call sends a request to the API's door.
func (s *testServer) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	return record(s.gateway.Own(toy), method, target, body, headers...)
}

// ask sends a request to the control API, and holds the answer to its description.
func (s *testServer) ask(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := request(method, target, body, headers...)
	w := httptest.NewRecorder()
	s.server.Handler().ServeHTTP(w, r)
	holdToDescription(s.t, r, body, w)
	return w
}

func record(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(method, target, body, headers...))
	return w
}

func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	r.Host = "localhost:6400"
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	if strings.HasSuffix(r.URL.Path, "/stream") { // which begins, and whose reader has gone
		ctx, leave := context.WithCancel(r.Context())
		leave()
		r = r.WithContext(ctx)
	}
	return r
}

// row is one request and what is expected of its answer.
type row struct {
	name    string
	method  string
	target  string
	body    string
	headers []string
	status  int
	want    []string // parts of the body, each
	never   []string // and what is no part of it
	header  [2]string
}

// check asks one row after the other.
func (s *testServer) check(rows []row) {
	s.t.Helper()
	for _, r := range rows {
		name := r.name
		if name == "" {
			name = r.method + " " + r.target + " " + r.body
		}
		w := s.ask(r.method, r.target, r.body, r.headers...)
		if w.Code != r.status {
			s.t.Errorf("%s: status %d, want %d: %s", name, w.Code, r.status, w.Body)
			continue
		}
		for _, part := range r.want {
			if !strings.Contains(w.Body.String(), part) {
				s.t.Errorf("%s: got %s, want in it: %s", name, w.Body, part)
			}
		}
		for _, part := range r.never {
			if strings.Contains(w.Body.String(), part) {
				s.t.Errorf("%s: got %s, which has %s", name, w.Body, part)
			}
		}
		if got := w.Header().Get(r.header[0]); got != r.header[1] {
			s.t.Errorf("%s: header %s is %q, want %q", name, r.header[0], got, r.header[1])
		}
		if kind := w.Header().Get("Content-Type"); w.Code >= 400 && kind != "application/problem+json" {
			s.t.Errorf("%s: content type %q of a refusal", name, kind)
		}
	}
}
