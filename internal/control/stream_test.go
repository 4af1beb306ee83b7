package control_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// overTCP serves the control API as the server does, with a deadline for requests.
func (s *testServer) overTCP() *httptest.Server {
	ts := httptest.NewUnstartedServer(s.server.Handler())
	ts.Config.ReadTimeout, ts.Config.ReadHeaderTimeout = 300*time.Millisecond, 10*time.Second
	ts.Start()
	s.t.Cleanup(ts.Close)
	s.t.Cleanup(s.server.Cut)
	return ts
}

// reading is a stream that a client reads, event by event.
type reading struct {
	t      *testing.T
	answer *http.Response
	lines  *bufio.Reader
	leave  func()
}

// followAt begins a stream and reads its beginning.
func followAt(t *testing.T, url string, headers ...string) *reading {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leave(); _ = answer.Body.Close() })
	s := &reading{t, answer, bufio.NewReader(answer.Body), leave}
	if first, err := s.event(); err != nil || first != "retry: 1000" {
		t.Fatalf("got %q, %v", first, err)
	}
	return s
}

// event is the next event, its lines joined by a bar.
func (s *reading) event() (string, error) {
	var all []string
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return strings.Join(all, "|"), err
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			return strings.Join(all, "|"), nil
		}
		all = append(all, line)
	}
}

// want reads the next events, each of which has its part.
func (s *reading) want(parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if got, err := s.event(); err != nil || !strings.Contains(got, part) {
			s.t.Fatalf("got %q, %v, want in it %q", got, err, part)
		}
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	ts := s.overTCP()
	at := ts.URL + journalOf + "/stream"
	s.call("GET", "/hats", "") // default-1, before anybody listens
	live := followAt(t, at)
	sold := followAt(t, at+"?outcome=SoldOut.NoHat&status=409&api=toy&operation=SellHat&decided_by=header")
	everywhere := followAt(t, ts.URL+"/v1/journal/stream?api=toy")
	if kind := live.answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("got %s", kind)
	}
	s.call("POST", "/hats/1?sig=abcdef", `{"hat":"a\nb"}`)
	s.call("POST", "/hats/1", `{"hat":"bowler"}`, "Understudy-Outcome", "SoldOut.NoHat", "Understudy-Sandbox", "other")
	s.call("POST", "/hats/1", `{"hat":"bowler"}`, "Understudy-Outcome", "SoldOut.NoHat")
	event, err := live.event()
	id, data, _ := strings.Cut(event, "|data: ")
	var told journal.Entry
	if err != nil || id != "id: default-2" || json.Unmarshal([]byte(data), &told) != nil || told.Outcome != "success" || told.Delivered != journal.Sent || len(told.Request.Body) > 0 {
		t.Errorf("got %q, %v", event, err)
	}
	var listed struct{ Items []json.RawMessage }
	_ = json.Unmarshal(s.ask("GET", journalOf+"?after=default-3", "").Body.Bytes(), &listed)
	if len(listed.Items) == 0 || string(listed.Items[0]) != data {
		t.Errorf("the stream has %s, the list %s", data, listed.Items)
	}
	live.want("id: default-3|data: {")
	sold.want("id: default-3|data: {")
	everywhere.want(`data: {"id":"default-2"`, `data: {"id":"other-1"`, `data: {"id":"default-3"`)

	followAt(t, at, "Last-Event-ID", "default-1").want("id: default-2", "id: default-3")
	followAt(t, at+"?after=default-2", "Last-Event-ID", "default-1").want("id: default-3")
	followAt(t, at+"?limit=2").want("id: default-2", "id: default-3")
	followAt(t, at+"?since=1h").want("id: default-1", "id: default-2", "id: default-3")
	followAt(t, at+"?since=1h&outcome=SoldOut.NoHat").want("id: default-3")
	followAt(t, at+"?since=1h&limit=1").want("id: default-3")
	followAt(t, at+"?since=1h&after=default-2").want("id: default-3")
	followAt(t, at+"?limit=1&after=default-1").want(`event: lost|data: {"lost":1}`, "id: default-3")
	s.ask("DELETE", journalOf, "")
	followAt(t, at+"?after=default-1").want(`event: lost|data: {"lost":2}`)
	s.check([]row{
		{method: "GET", target: journalOf + "/stream?outcome=NoHat", status: 400, want: []string{`did you mean \"SoldOut.NoHat\"?`}},
		{method: "GET", target: journalOf + "/stream?after=other-1", status: 400},
		{method: "GET", target: "/v1/journal/stream?after=default-1", status: 400, want: []string{"takes no query parameter"}},
		{method: "HEAD", target: journalOf + "/stream", status: 200},
		{method: "POST", target: journalOf + "/stream", status: 405},
		{method: "GET", target: "/v1/sandboxes/nobody/journal/stream", status: 404},
	})
}

// A reset begins the numbers anew, and emptying a journal does not. Who follows goes on
// with the new calls either way, also where it left off at a number that is still to
// come, and is told how many it missed.
func TestStreamGoesOnAfterReset(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	at := s.overTCP().URL + journalOf + "/stream"
	live := followAt(t, at)
	for range 5 {
		s.call("GET", "/hats", "")
	}
	live.want("id: default-1|", "id: default-2|", "id: default-3|", "id: default-4|", "id: default-5|")
	for _, part := range []string{"", "?only=journal"} {
		if w := s.ask("POST", "/v1/sandboxes/default/reset"+part, ""); w.Code >= 300 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		s.call("GET", "/hats", "")
		s.call("GET", "/hats", "")
		live.want("id: default-1|", "id: default-2|")
		if part == "" {
			followAt(t, at, "Last-Event-ID", "default-3").want(`event: lost|data: {"lost":2}`, "id: default-1|", "id: default-2|")
			followAt(t, at, "Last-Event-ID", "default-5").want("id: default-1|", "id: default-2|")
		}
	}
	s.ask("DELETE", journalOf, "")
	s.call("GET", "/hats", "")
	live.want("id: default-3|")
	followAt(t, at, "Last-Event-ID", "default-1").want(`event: lost|data: {"lost":1}`, "id: default-3|")
}

// A stream outlives the deadline of its request, shows that it lives, and ends with its
// sandbox, its reader and its server.
func TestStreamLivesAndEnds(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Heartbeat = 200 * time.Millisecond })
	ts := s.overTCP()
	s.call("GET", "/hats", "", "Understudy-Sandbox", "short")
	beating := followAt(t, ts.URL+journalOf+"/stream")
	of := followAt(t, ts.URL+"/v1/sandboxes/short/journal/stream?limit=1")
	of.want("id: short-1")
	for range 4 { // 800 ms, of which a request may take 300
		beating.want(":")
	}
	s.call("GET", "/hats", "")
	for event := ""; !strings.HasPrefix(event, "id: default-1|"); {
		var err error
		if event, err = beating.event(); err != nil {
			t.Fatal(err)
		}
	}
	if w := s.ask("DELETE", "/v1/sandboxes/short", ""); w.Code != 204 && w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	for err := error(nil); err == nil; {
		_, err = of.event()
	}
	gone := followAt(t, ts.URL+journalOf+"/stream")
	gone.leave()
	s.readers(1)
	s.server.Cut()
	for err := error(nil); err == nil; {
		_, err = beating.event()
	}
	late, err := http.Get(ts.URL + journalOf + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer late.Body.Close()
	if text, err := io.ReadAll(late.Body); err != nil || len(text) > 0 {
		t.Errorf("got %q, %v, want nothing", text, err)
	}
	s.readers(0)
}

// readers waits until so many readers are left.
func (s *testServer) readers(want int) {
	s.t.Helper()
	end := time.Now().Add(10 * time.Second)
	for s.registry.Feed.Readers() != want {
		if time.Now().After(end) {
			s.t.Fatalf("%d readers are left, want %d", s.registry.Feed.Readers(), want)
		}
		runtime.Gosched()
	}
}

// What a reader does not take in time is lost and counted, and calls do not wait for it.
func TestStreamTellsWhatIsLost(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	box := s.registry.Find(sandbox.Default)
	const calls = 5000
	w := &gatedWriter{header: http.Header{}, open: make(chan struct{}), began: make(chan struct{})}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost"+journalOf+"/stream", nil)
		s.server.Handler().ServeHTTP(w, r)
	}()
	<-w.began
	for i := range calls {
		e := &journal.Entry{API: "toy", Operation: "SellHat", Outcome: fmt.Sprint("n", i)}
		box.Journal.Add(box.Journal.Turn(), e)
		box.Close(e, time.Millisecond, journal.Sent) // waits for nobody
	}
	close(w.open)
	told, lost := 0, 0
	end := time.Now().Add(10 * time.Second)
	for told+lost != calls && time.Now().Before(end) {
		told, lost = w.count()
		runtime.Gosched()
	}
	if told+lost != calls || lost == 0 {
		t.Errorf("%d calls were told, and %d told lost; want %d together", told, lost, calls)
	}
	leave()
	<-ended
}

// gatedWriter takes nothing but the beginning until it is opened.
type gatedWriter struct {
	header      http.Header
	open, began chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (w *gatedWriter) Header() http.Header { return w.header }
func (w *gatedWriter) WriteHeader(int)     {}
func (w *gatedWriter) FlushError() error   { return nil }
func (w *gatedWriter) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "retry") {
		close(w.began)
		return len(p), nil
	}
	<-w.open
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// count returns how many calls were told, and how many told lost.
func (w *gatedWriter) count() (told, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for event := range strings.SplitSeq(w.text.String(), "\n\n") {
		n := 0
		if _, err := fmt.Sscanf(event, "event: lost\ndata: {\"lost\":%d}", &n); err == nil {
			lost += n
		} else if strings.HasPrefix(event, "id: ") {
			told++
		}
	}
	return told, lost
}

// A client that takes nothing holds up neither the calls nor the end of the server.
func TestStreamToAClientThatTakesNothing(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	ts := s.overTCP()
	c, err := net.Dial("tcp", ts.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(c, "GET %s/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", journalOf)
	s.readers(1)
	box := s.registry.Find(sandbox.Default)
	long := strings.Repeat("x", 30_000)
	for range 2000 {
		e := &journal.Entry{API: "toy", Operation: "SellHat", Client: journal.Client{UserAgent: long}}
		box.Journal.Add(box.Journal.Turn(), e)
		box.Close(e, time.Millisecond, journal.Sent)
	}
	s.server.Cut()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := ts.Config.Shutdown(ctx); err != nil || time.Since(began) > 2*time.Second {
		t.Errorf("got %v after %s, want an end within 2 s", err, time.Since(began))
	}
	s.readers(0)
}

// Above the limit readers are refused, and nothing of them stays.
func TestReadersAreBounded(t *testing.T) {
	s := newTestServer(t, nil)
	ts := s.overTCP()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}
	before, heap := runtime.NumGoroutine(), heapInUse()
	const attempts = 10_000
	var held []io.Closer
	var mu sync.Mutex
	var refused atomic.Int64
	var wg sync.WaitGroup
	for part := range 200 {
		wg.Go(func() {
			for i := part; i < attempts; i += 200 {
				answer, err := client.Get(ts.URL + [...]string{journalOf + "/stream", "/v1/journal/stream"}[i%2])
				if err != nil {
					t.Error(err)
					return
				}
				if answer.StatusCode == http.StatusOK {
					mu.Lock()
					held = append(held, answer.Body)
					mu.Unlock()
					continue
				}
				text, _ := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" || answer.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(text), "64 readers") {
					t.Errorf("got %d %v %s", answer.StatusCode, answer.Header, text)
				}
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if len(held) != 64 || refused.Load() != attempts-64 {
		t.Errorf("%d read and %d are refused, want 64 and %d", len(held), refused.Load(), attempts-64)
	}
	if grown := heapInUse() - heap; grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	for _, body := range held {
		_ = body.Close()
	}
	client.CloseIdleConnections()
	s.readers(0)
	followAt(t, ts.URL+journalOf+"/stream").leave()
	end := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+5 {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// What the list does not show, the stream does not either.
func TestStreamIsRedacted(t *testing.T) {
	t.Parallel()
	for name, e := range canaries {
		s := redacting(t, e)
		w := s.ask("GET", journalOf+"/stream?limit=1", "")
		got := w.Body.String()
		if !strings.Contains(got, "id: default-1\n") || slices.ContainsFunc([]string{canary, "4f1e", "12345678"}, func(s string) bool { return strings.Contains(got, s) }) {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
