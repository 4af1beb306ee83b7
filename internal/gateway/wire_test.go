package gateway_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

func TestWireFaults(t *testing.T) {
	tests := []struct {
		fault string
		check func(status int, body []byte, err error) bool
	}{
		{"fault: reset", func(_ int, _ []byte, err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{"fault: empty", func(_ int, _ []byte, err error) bool { return errors.Is(err, io.EOF) }},
		{"fault: truncate", func(status int, body []byte, err error) bool {
			return status == 200 && len(body) > 0 && errors.Is(err, io.ErrUnexpectedEOF)
		}},
		{"fault: garbage", func(status int, body []byte, err error) bool {
			return status == 200 && bytes.HasPrefix(body, []byte{0, 0xff}) && errors.Is(err, io.ErrUnexpectedEOF)
		}},
		{"fault: reset, when: after", func(_ int, _ []byte, err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		{"fault: truncate, bandwidth: 1KB/s", func(status int, body []byte, err error) bool {
			return status == 200 && len(body) > 0 && errors.Is(err, io.ErrUnexpectedEOF)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			p := open(t, nil)
			p.play(t, "- {operation: DropParcel, wire: {"+tt.fault+"}}")
			server := httptest.NewServer(p.gateway.Own(p.api))
			defer server.Close()
			status, body, err := post(server.URL+"/parcels", `{"content":"x"}`)
			if !tt.check(status, body, err) {
				t.Errorf("got %d %q %v", status, body, err)
			}
			if got := delivered(p); got != journal.Faulted {
				t.Errorf("the journal tells %q", got)
			}
		})
	}
}

// Over TLS a reset is a RST as well, and no goodbye.
func TestResetOverTLS(t *testing.T) {
	p := open(t, nil)
	p.play(t, "- {operation: DropParcel, wire: {fault: reset}}")
	server := httptest.NewTLSServer(p.gateway.Own(p.api))
	defer server.Close()
	r, err := server.Client().Post(server.URL+"/parcels", "application/json", strings.NewReader(`{"content":"x"}`))
	if err == nil {
		r.Body.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// A truncated answer has fewer bytes than it announces.
func TestTruncatedAnswerAnnouncesAll(t *testing.T) {
	p := open(t, nil)
	p.play(t, "- {operation: Page, wire: {fault: truncate}}")
	server := httptest.NewServer(p.gateway.Own(p.api))
	defer server.Close()
	r, err := http.Get(server.URL + "/page")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, _ := io.ReadAll(r.Body); r.ContentLength != 13 || len(body) != 6 {
		t.Errorf("got %d bytes of %d, want 6 of 13", len(body), r.ContentLength)
	}
}

func TestBandwidth(t *testing.T) {
	for _, tt := range []struct {
		rate   string
		pieces int           // at least
		least  time.Duration // for 13 bytes, of which the last one is not waited for
	}{{"150B/s", 1, 60 * time.Millisecond}, {"40B/s", 2, 250 * time.Millisecond}, {"1MB/s", 1, 0}} {
		t.Run(tt.rate, func(t *testing.T) {
			t.Parallel()
			p := open(t, nil)
			p.play(t, "- {operation: Page, wire: {bandwidth: "+tt.rate+"}}")
			server := httptest.NewServer(p.gateway.Own(p.api))
			defer server.Close()
			began := time.Now()
			r, err := http.Get(server.URL + "/page")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			var got []byte
			pieces, piece := 0, make([]byte, 100)
			for {
				n, err := r.Body.Read(piece)
				got = append(got, piece[:n]...)
				if n > 0 {
					pieces++
				}
				if err != nil {
					break
				}
			}
			if took := time.Since(began); string(got) != "<p>locker</p>" || pieces < tt.pieces || took < tt.least {
				t.Errorf("got %s in %d pieces within %s", got, pieces, took)
			}
		})
	}
}

// A slow network ends after the longest stall, when the gateway closes, and when
// the client leaves.
func TestBandwidthIsCut(t *testing.T) {
	p := open(t, func(c *gateway.Config) { c.MaxStall = 30 * time.Millisecond })
	p.play(t, "- {operation: Page, wire: {bandwidth: 1B/s}}")
	began := time.Now()
	if rec := send(p.gateway.Own(p.api), request("GET", "/page", "", "")); rec.Body.Len() != 13 || time.Since(began) > 5*time.Second {
		t.Errorf("got %d bytes within %s", rec.Body.Len(), time.Since(began))
	}
	p = open(t, nil)
	p.play(t, "- {operation: Page, wire: {bandwidth: 1B/s}}")
	done := make(chan int, 1)
	go func() { done <- send(p.gateway.Own(p.api), request("GET", "/page", "", "")).Body.Len() }()
	waitFor(t, p)
	p.gateway.Cut()
	if got := <-done; got != 13 {
		t.Errorf("at the end: got %d bytes", got)
	}
	p = open(t, nil)
	p.play(t, "- {operation: Page, wire: {bandwidth: 1B/s}}")
	server := httptest.NewServer(p.gateway.Own(p.api))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
	waitFor(t, p)
	conn.Close()
	if got := delivered(p); got != journal.ClientGone {
		t.Errorf("got %s", got)
	}
}

func TestScenarioHeader(t *testing.T) {
	other := toy.New()
	other.Name = "other"
	library := library.New([]*contract.API{toy.New(), other})
	files := fstest.MapFS{}
	for _, api := range []string{"toy", "other"} {
		files[api+"/both.yaml"] = &fstest.MapFile{Data: []byte("scenario: both\napi: " + api + "\nrules:\n  - {operation: Page, outcome: broken}\n")}
	}
	if err := library.Add(files, "shipped"); err != nil {
		t.Fatal(err)
	}
	p := open(t, func(c *gateway.Config) { c.Find = library.Find })
	ask := func(headers ...string) string {
		rec := send(p.gateway.Own(p.api), request("GET", "/page", "", "", headers...))
		if rec.Code == 599 {
			return rec.Header().Get("Understudy-Problem") + ": " + rec.Body.String()
		}
		return rec.Header().Get("Understudy-Outcome") + " by " + rec.Header().Get("Understudy-Decided-By")
	}
	for _, tt := range []struct {
		headers []string
		want    string
	}{
		{[]string{"Understudy-Scenario", "toy/Page/broken"}, "toy/Page/broken by scenario toy/Page/broken rule 1"},
		{[]string{"Understudy-Scenario", "both"}, "toy/Page/broken by scenario toy/both rule 1"},
		{nil, "toy/Page/success by emulator"},
		{[]string{"Understudy-Scenario", "toy/Page/brokn"}, `did you mean \"broken\"?`},
		{[]string{"Understudy-Scenario", "toy/Page/brokn"}, "unknown-scenario: "},
		{[]string{"Understudy-Scenario", "toy/Page/broken", "Understudy-Outcome", "success"}, "strange-scenario: "},
	} {
		if got := ask(tt.headers...); !strings.Contains(got, tt.want) {
			t.Errorf("%v: got %s, want %s", tt.headers, got, tt.want)
		}
	}
	p = open(t, nil)
	if got := ask("Understudy-Scenario", "toy/Page/broken"); !strings.HasPrefix(got, "unknown-scenario: ") {
		t.Errorf("without a library: got %s", got)
	}
}

// delivered is what the journal says of the only call, once it does: the client
// may see the connection break before the handler has ended.
func delivered(p *rig) journal.Delivered {
	for range 1000 {
		if entries, _ := p.registry.Find("default").Journal.List(journal.Filter{}); len(entries) == 1 && entries[0].Delivered != journal.Pending {
			return entries[0].Delivered
		}
		time.Sleep(time.Millisecond)
	}
	return journal.Pending
}

func post(url, body string) (int, []byte, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	return r.StatusCode, got, err
}

func TestDelayIsCutAtTheEnd(t *testing.T) {
	for _, rule := range []string{"delay: 1m", "fault: stall"} {
		p := open(t, nil)
		p.play(t, "- {operation: Page, wire: {"+rule+"}}")
		server := httptest.NewServer(p.gateway.Own(p.api))
		done := make(chan struct{})
		go func() {
			defer close(done)
			if r, err := http.Get(server.URL + "/page"); err == nil {
				r.Body.Close()
			}
		}()
		waitFor(t, p)
		p.gateway.Cut()
		<-done
		server.Close()
	}
}

// waitFor waits until the journal has an entry: the request is on its way.
func waitFor(t *testing.T, p *rig) {
	t.Helper()
	for range 1000 {
		if p.registry.Find("default").Journal.Counts().Entries > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the request never arrived")
}

func TestDelayEndsWhenTheClientLeaves(t *testing.T) {
	p := open(t, nil)
	p.play(t, "- {operation: Page, wire: {delay: 1m}}")
	server := httptest.NewServer(p.gateway.Own(p.api))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
	waitFor(t, p)
	conn.Close()
	server.Close() // waits for the handler
	if entries, _ := p.registry.Find("default").Journal.List(journal.Filter{}); entries[0].Delivered != journal.ClientGone {
		t.Errorf("got %s", entries[0].Delivered)
	}
}

// An answer without a body ends too early in its head, so that no one takes it
// for whole.
func TestSpoiledAnswersWithoutBody(t *testing.T) {
	for _, fault := range []string{"truncate", "garbage"} {
		for _, method := range []string{"POST", "HEAD"} {
			t.Run(fault+" "+method, func(t *testing.T) {
				t.Parallel()
				p := open(t, nil)
				path := "/page"
				if method == "POST" {
					path = "/parcels"
					p.api.Operation("DropParcel").Outcomes[0].Status = http.StatusNoContent
				}
				p.play(t, "- {operation: '*', wire: {fault: "+fault+"}}")
				server := httptest.NewServer(p.gateway.Own(p.api))
				defer server.Close()
				r, err := http.NewRequest(method, server.URL+path, strings.NewReader(`{"content":"x"}`))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				got, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
				if err == nil {
					got.Body.Close()
					t.Errorf("got a whole answer: %s", got.Status)
				}
				if got := delivered(p); got != journal.Faulted {
					t.Errorf("the journal tells %q", got)
				}
			})
		}
	}
}

// Garbage in place of an empty body was a whole answer.
func TestGarbageForAnEmptyBodyIsCut(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	p.api.Write = func(*contract.Call, contract.Verdict, contract.Reply) contract.Response {
		return contract.Response{Status: http.StatusCreated, Header: http.Header{}}
	}
	p.play(t, "- {operation: DropParcel, wire: {fault: garbage}}")
	server := httptest.NewServer(p.gateway.Own(p.api))
	defer server.Close()
	status, body, err := post(server.URL+"/parcels", `{"content":"x"}`)
	if status != http.StatusCreated || len(body) == 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %d %q %v", status, body, err)
	}
}

// Nothing below adds a header again that a scenario takes away.
func TestDateCanBeTakenAway(t *testing.T) {
	for headers, want := range map[string]string{"date: null": "", "Date: yesterday": "yesterday"} {
		p := open(t, nil)
		p.play(t, "- {operation: Page, wire: {headers: {"+headers+"}}}")
		server := httptest.NewServer(p.gateway.Own(p.api))
		r, err := http.Get(server.URL + "/page")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		server.Close()
		if got := r.Header.Get("Date"); got != want {
			t.Errorf("%s: got %q, want %q", headers, got, want)
		}
	}
}
