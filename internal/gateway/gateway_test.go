package gateway_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// A rig is a gateway to the toy API and its registry.
type rig struct {
	api      *contract.API
	registry *sandbox.Registry
	gateway  *gateway.Gateway
	log      *bytes.Buffer
}

func open(t *testing.T, change func(*gateway.Config)) *rig {
	t.Helper()
	p := &rig{api: toy.New(), log: &bytes.Buffer{}}
	var err error
	p.registry, err = sandbox.New(sandbox.Config{
		APIs: []*contract.API{p.api}, Fixtures: map[string]*fixture.Fixture{"toy": fixture.Empty(p.api)},
		Auth: map[string]contract.Auth{"toy": contract.Off}, Seed: 1, Wall: func() time.Time { return noon },
		Journal: journal.Limits{Entries: 1000, Bytes: 1 << 20, Body: 1 << 10}, JournalAll: 1 << 22, Max: 3,
		Clock: clock.Setting{Frozen: noon},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := gateway.Config{
		APIs: []*contract.API{p.api}, Registry: p.registry, Body: 1 << 10, MaxStall: time.Minute,
		Log: slog.New(slog.NewTextHandler(p.log, nil)),
	}
	if change != nil {
		change(&config)
	}
	p.gateway = gateway.New(config)
	return p
}

func (p *rig) play(t *testing.T, yaml string) {
	t.Helper()
	s, err := scenario.Parse("test.yaml", []byte("scenario: test\napi: toy\nrules:\n"+yaml), []*contract.API{p.api})
	if err != nil {
		t.Fatal(err)
	}
	p.registry.Find(sandbox.Default).Player.On(s, scenario.Options{})
}

func request(method, target, host, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if host != "" {
		r.Host = host
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func send(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

func TestSharedDoorFindsTheAPIAndTheSandbox(t *testing.T) {
	tests := []struct {
		name, target, host string
		headers            []string
		status             int
		outcome, sandbox   string
		foundBy            string
	}{
		{"documented host", "/page", "locker.toy.example", nil, 200, "success", "default", "default"},
		{"documented host with port and capitals", "/page", "Locker.TOY.example:6410", nil, 200, "success", "default", "default"},
		{"<api>.localhost", "/page", "toy.localhost:6410", nil, 200, "success", "default", "default"},
		{"host label", "/page", "alice.toy.localhost:6410", nil, 200, "success", "alice", "host"},
		{"leading segment", "/toy/page", "127.0.0.1:6410", nil, 200, "success", "default", "default"},
		{"leading segment alone", "/toy", "127.0.0.1:6410", nil, 404, "noSuchPath", "default", "default"},
		{"sandbox in the path", "/@bob/toy/page", "127.0.0.1", nil, 200, "success", "bob", "path"},
		{"header before path before host", "/@bob/page", "alice.toy.localhost", []string{"Understudy-Sandbox", "carol"}, 200, "success", "carol", "header"},
		{"path before host", "/@bob/page", "alice.toy.localhost", nil, 200, "success", "bob", "path"},
		{"a path of its tables", "/page", "127.0.0.1", nil, 200, "success", "default", "default"},
		{"a path of its tables with a slash", "/page/", "127.0.0.1", nil, 200, "success", "default", "default"},
		{"what it claims", "/anywhere", "127.0.0.1", []string{"Toy-Token", "x"}, 404, "noSuchPath", "default", "default"},
		{"absolute form", "http://locker.toy.example/page", "", nil, 200, "success", "default", "default"},
		{"nobody", "/anywhere", "127.0.0.1", nil, 599, "no-api", "", ""},
		{"a name that only begins so", "/toys/page", "127.0.0.1", nil, 599, "no-api", "", ""},
		{"no such sandbox name", "/@Bob/page", "127.0.0.1", nil, 599, "sandbox", "", ""},
		{"the empty sandbox name", "/@/page", "127.0.0.1", nil, 599, "own-page", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := open(t, nil)
			rec := send(p.gateway.Shared(), request("GET", tt.target, tt.host, "", tt.headers...))
			if rec.Code != tt.status {
				t.Fatalf("got %d %s, want %d", rec.Code, rec.Body, tt.status)
			}
			if tt.status == 599 {
				if got := rec.Header().Get("Understudy-Problem"); got != tt.outcome || rec.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("got problem %s, %v", got, rec.Header())
				}
				return
			}
			entries, _ := p.registry.Find(tt.sandbox).Journal.List(journal.Filter{})
			if len(entries) != 1 || entries[0].Outcome != tt.outcome || entries[0].FoundBy != tt.foundBy {
				t.Errorf("got %+v", entries)
			}
		})
	}
}

// Two sandboxes of one unchanged build, told apart by what they claim, both adopt its ids:
// each gets its own calls, and who made the id known by itself comes before either.
func TestClaimsComeBeforeAdoption(t *testing.T) {
	p := open(t, nil)
	for _, name := range []string{"job-a", "job-b"} {
		o := p.registry.Origin()
		o.Request, o.Unknown = "{}", map[string]contract.OnUnknown{"toy": contract.Adopt}
		o.Auth = map[string]contract.Auth{"toy": contract.Verify}
		o.Claims.Headers = map[string]string{"X-Device": name}
		if _, _, err := p.registry.Make(name, o); err != nil {
			t.Fatal(err)
		}
	}
	drop := func(token string, headers ...string) {
		send(p.gateway.Own(p.api), request("POST", "/parcels", "", `{"content":"books"}`, append(headers, "Toy-Token", token, "Content-Type", "application/json")...))
	}
	for _, tt := range []struct {
		token, device, want, foundBy string
	}{
		{"own", "job-a", "job-a", "claim"},
		{"own", "", "job-a", "word"}, // it alone adopted it
		{"own", "job-b", "job-b", "claim"},
		{"own", "job-a", "job-a", "claim"},
		{"own", "", "default", "default"},  // two adopted it
		{"t-1", "job-b", "job-b", "claim"}, // all have it
	} {
		var headers []string
		if tt.device != "" {
			headers = []string{"X-Device", tt.device}
		}
		drop(tt.token, headers...)
		entries, _ := p.registry.Find(tt.want).Journal.List(journal.Filter{})
		if len(entries) == 0 || entries[0].FoundBy != tt.foundBy { // the newest first
			t.Errorf("%+v: the journal of %s has %+v", tt, tt.want, entries)
		}
	}
	box := p.registry.Find("job-a")
	instance, err := box.Instance(p.api)
	if err != nil {
		t.Fatal(err)
	}
	drop(instance.Credentials().Text("token"), "X-Device", "job-b")
	entries, _ := box.Journal.List(journal.Filter{})
	if e := entries[0]; e.FoundBy != "word" {
		t.Errorf("a credential of its own leads elsewhere: %+v", e)
	}
}

func TestEveryMethodReachesTheAPI(t *testing.T) {
	for _, method := range []string{"HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "BREW"} {
		p := open(t, nil)
		rec := send(p.gateway.Own(p.api), request(method, "/page", "", ""))
		if rec.Code != 405 || rec.Header().Get("Understudy-Outcome") != "toy/-/wrongMethod" {
			t.Errorf("%s: got %d %v", method, rec.Code, rec.Header())
		}
	}
}

func TestNamesInPaths(t *testing.T) {
	tests := []struct{ target, want string }{
		{"/parcels/p-1", "p-1"},
		{"/parcels/p-1/", "p-1"},
		{"/old/p-1/get", "p-1"},
		{"/parcels/a%20b", "a b"},
		{"/parcels/a%2Fb", "a/b"},
		{"/parcels/100%25", "100%"},
		{"/parcels/%2e%2e", ".."},
		{"/@bob/toy/parcels/a%2Fb", "a/b"},
	}
	for _, tt := range tests {
		p := open(t, nil)
		rec := send(p.gateway.Shared(), request("GET", tt.target, "", ""))
		if want := "There is no parcel " + tt.want + "."; !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %s", tt.target, rec.Code, rec.Body, want)
		}
	}
}

func TestAnswersTellWhoDecided(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := open(t, func(c *gateway.Config) { c.Plain = plain })
		rec := send(p.gateway.Own(p.api), request("POST", "/parcels", "", `{"content":"x"}`, "Understudy-Outcome", "busy"))
		got := fmt.Sprint(rec.Header()["Understudy-Outcome"], rec.Header()["Understudy-Decided-By"], rec.Header()["Understudy-Call"])
		want := "[toy/DropParcel/busy] [header] [default-1]"
		if plain {
			want = "[] [] []"
		}
		if got != want {
			t.Errorf("plain %t: got %s, want %s", plain, got, want)
		}
	}
	p := open(t, nil)
	rec := send(p.gateway.Own(p.api), request("POST", "/parcels", "", `{}`, "Understudy-Outcome", "Busy"))
	if rec.Code != 599 || !strings.Contains(rec.Body.String(), "documented outcomes: success, busy") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

func TestIssuedWordsLeadBackToTheirSandbox(t *testing.T) {
	p := open(t, nil)
	rec := send(p.gateway.Own(p.api), request("POST", "/@alice/register", "", ""))
	token := strings.TrimPrefix(rec.Header().Get("Location"), "/clients/")
	send(p.gateway.Own(p.api), request("GET", "/parcels/x", "", "", "Toy-Token", token))
	entries, _ := p.registry.Find("alice").Journal.List(journal.Filter{Operation: "GetParcel"})
	if len(entries) != 1 || entries[0].FoundBy != "word" {
		t.Errorf("got %+v", entries)
	}
	if err := p.registry.Find("alice").Reset(sandbox.State); err != nil {
		t.Fatal(err)
	}
	send(p.gateway.Own(p.api), request("GET", "/parcels/x", "", "", "Toy-Token", token))
	if entries, _ = p.registry.Find("default").Journal.List(journal.Filter{}); len(entries) != 1 || entries[0].FoundBy != "default" {
		t.Errorf("after reset: got %+v", entries)
	}
}

func TestTooManySandboxes(t *testing.T) {
	p := open(t, nil)
	for i, want := range []int{200, 200, 599} {
		rec := send(p.gateway.Own(p.api), request("GET", fmt.Sprintf("/@s%d/page", i), "", ""))
		if rec.Code != want {
			t.Errorf("sandbox %d: got %d %s", i, rec.Code, rec.Body)
		}
	}
}

func TestLongBodyIsTheAPIsToRefuse(t *testing.T) {
	p := open(t, nil)
	long := `{"content":"` + strings.Repeat("x", 5<<10) + `"}`
	for _, chunked := range []bool{false, true} {
		r := request("POST", "/parcels", "", long)
		if chunked {
			r.ContentLength = -1
		}
		if rec := send(p.gateway.Own(p.api), r); rec.Code != 400 || rec.Header().Get("Understudy-Outcome") != "toy/DropParcel/unreadable" {
			t.Errorf("chunked %t: got %d %s", chunked, rec.Code, rec.Body)
		}
	}
}

func TestAFaultOfOursIsNoAnswerOfTheAPIs(t *testing.T) {
	p := open(t, nil)
	p.api.Operation("Page").Decide = func(*contract.Call) contract.Verdict { panic("oh") }
	rec := send(p.gateway.Own(p.api), request("GET", "/page", "", ""))
	if rec.Code != 599 || p.gateway.Panics() != 1 || !strings.Contains(p.log.String(), "gateway_test.go") {
		t.Errorf("got %d %s, %d panics, log %s", rec.Code, rec.Body, p.gateway.Panics(), p.log)
	}
	if rec = send(p.gateway.Own(p.api), request("GET", "/parcels/x", "", "")); rec.Code != 404 {
		t.Errorf("the next call: got %d; a lock may have been left", rec.Code)
	}
}

func TestBodyThatBreaksOffIsNotAnswered(t *testing.T) {
	p := open(t, nil)
	server := httptest.NewServer(p.gateway.Own(p.api))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /parcels HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort")
	_ = conn.(*net.TCPConn).CloseWrite()
	if line, err := bufio.NewReader(conn).ReadString('\n'); !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", line, err)
	}
	if n := p.registry.Find("default").Journal.Counts().Entries; n != 0 {
		t.Errorf("%d entries", n)
	}
}

func TestHeadersOfAnswers(t *testing.T) {
	var observed []string
	p := open(t, nil)
	p.registry.Feed.Count(func(e *journal.Entry) { observed = append(observed, e.Outcome) })
	rec := send(p.gateway.Own(p.api), request("GET", "/page", "", ""))
	if rec.Header().Get("Content-Length") != "13" || rec.Body.String() != "<p>locker</p>" || rec.Header().Get("Content-Type") != "text/html" {
		t.Errorf("got %v %s", rec.Header(), rec.Body)
	}
	if fmt.Sprint(observed) != "[success]" {
		t.Errorf("observed %v", observed)
	}
}

// The addresses in an API's answers are built from the address by which the
// request came, or from the advertised one.
func TestBaseIsTheAddressThatTheClientUsed(t *testing.T) {
	tests := []struct {
		name, target, host, advertise string
		headers                       []string
		own                           bool
		want                          string
	}{
		{"host and port", "/page", "127.0.0.1:6419", "", nil, true, "http://127.0.0.1:6419"},
		{"prefixes", "/@bob/toy/page", "localhost:6410", "", nil, false, "http://localhost:6410/@bob/toy"},
		{"a proxy", "/toy/page", "inner:80", "", []string{"X-Forwarded-Proto", "HTTPS, http", "X-Forwarded-Host", "mocks.example.com:8443, inner"}, false, "https://mocks.example.com:8443/toy"},
		{"a proxy with IPv6", "/toy/page", "inner:80", "", []string{"X-Forwarded-Host", "[::1]:80"}, false, "http://[::1]:80/toy"},
		{"a liar", "/toy/page", "inner:80", "", []string{"X-Forwarded-Proto", "javascript", "X-Forwarded-Host", "evil\"><script>"}, false, "http://inner:80/toy"},
		{"advertised, by path", "/toy/page", "inner", "https://mocks.example.com/us", nil, false, "https://mocks.example.com/us/toy"},
		{"advertised, by host name", "/page", "locker.toy.example", "https://mocks.example.com", nil, false, "https://mocks.example.com/toy"},
		{"advertised, own port", "/@bob/page", "inner", "https://mocks.example.com", []string{"X-Forwarded-Host", "other.example.com"}, true, "https://mocks.example.com/@bob/toy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			p := open(t, func(c *gateway.Config) { c.Advertise = tt.advertise })
			p.api.Operation("Page").Write = func(c *contract.Call, _ contract.Verdict, _ contract.Reply) contract.Response {
				got = c.Request.Base
				return contract.Response{Status: 200}
			}
			door := p.gateway.Shared()
			if tt.own {
				door = p.gateway.Own(p.api)
			}
			send(door, request("GET", tt.target, tt.host, "", tt.headers...))
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
