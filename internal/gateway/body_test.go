package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A bodyServer reads bodies and answers with their length, and keeps each until it
// may go.
func bodyServer(t *testing.T, b *bodies, keep <-chan struct{}) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := b.read(w, r)
		if p := (*problem)(nil); errors.As(err, &p) {
			w.Header().Set("Connection", "close")
			p.write(w, r)
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer body.release()
		if keep != nil {
			<-keep
		}
		fmt.Fprintf(w, "%d %t", len(body.bytes), body.tooLarge)
	}))
	t.Cleanup(s.Close)
	return s
}

func post(t *testing.T, s *httptest.Server, body io.Reader) string {
	t.Helper()
	r, err := s.Client().Post(s.URL, "text/plain", body)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// onlyReader hides the length, so that the client sends chunks.
type onlyReader struct{ io.Reader }

func TestBodies(t *testing.T) {
	t.Parallel()
	b := newBodies(1<<20, 1<<21)
	s := bodyServer(t, b, nil)
	for n, want := range map[int]string{
		0: "0 false", 1: "1 false", firstBuffer: "16384 false", firstBuffer + 1: "16385 false",
		1<<20 - 1: "1048575 false", 1 << 20: "1048576 false", 1<<20 + 1: "1048576 true", 5 << 20: "1048576 true",
	} {
		text := bytes.Repeat([]byte("x"), n)
		if got := post(t, s, bytes.NewReader(text)); got != want {
			t.Errorf("%d bytes: got %s, want %s", n, got, want)
		}
		if got := post(t, s, onlyReader{bytes.NewReader(text)}); got != want {
			t.Errorf("%d bytes in chunks: got %s, want %s", n, got, want)
		}
	}
	if held := b.held.Load(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// announce opens a connection whose request announces a body, and sends its
// beginning.
func announce(t *testing.T, s *httptest.Server, length int, beginning string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", length, beginning)
	return conn
}

// reserving is the shortest beginning of a body that reserves memory.
var reserving = strings.Repeat("x", firstBuffer)

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 500 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(what)
}

// Headers that announce large bodies once took the memory of all of them.
func TestAnnouncedBodiesTakeNoMemory(t *testing.T) {
	const n = 100
	b := newBodies(10<<20, 0)
	s := bodyServer(t, b, nil)
	before := heapInUse()
	for range n {
		announce(t, s, 10<<20, reserving)
	}
	eventually(t, "the bodies are not being read", func() bool { return b.held.Load() == n*20<<20 })
	if grown := heapInUse() - before; grown > 20<<20 {
		t.Errorf("%d announced bodies hold %d MiB", n, grown>>20)
	}
}

func heapInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Bodies above the memory wait for those before them, and all are answered.
func TestBodiesShareMemory(t *testing.T) {
	t.Parallel()
	const length = 1_000_000 // not heavy
	b := newBodies(length, 3*length)
	keep := make(chan struct{})
	s := bodyServer(t, b, keep)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := post(t, s, strings.NewReader(strings.Repeat("x", length))); got != "1000000 false" {
				t.Errorf("got %s", got)
			}
		})
	}
	for served := range 20 {
		want := min(3, 20-served)
		eventually(t, fmt.Sprintf("after %d answers, %d bodies are not held", served, want), func() bool {
			return b.held.Load() == int64(want*length) && b.waiting.Load() == int64(20-served-want)
		})
		keep <- struct{}{}
	}
	all.Wait()
	if b.held.Load() != 0 || b.waiting.Load() != 0 {
		t.Errorf("%d bytes are still held, %d wait", b.held.Load(), b.waiting.Load())
	}
}

// A client that sends the beginning of a body alone gives its memory back.
func TestSlowBodiesGiveWay(t *testing.T) {
	t.Parallel()
	const length = 2 * firstBuffer
	b := newBodies(length, 2*length)
	b.pace = pace{whole: time.Second, grace: 200 * time.Millisecond, rate: 1 << 10, wait: 10 * time.Second}
	s := bodyServer(t, b, nil)
	slow := []net.Conn{announce(t, s, length, reserving), announce(t, s, length, reserving)}
	eventually(t, "the slow bodies hold no memory", func() bool { return b.held.Load() == 2*length })
	if got := post(t, s, strings.NewReader(reserving+"x")); got != "16385 false" {
		t.Errorf("got %s", got)
	}
	for _, conn := range slow {
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.Contains(string(answer), " 599 ") || !strings.Contains(string(answer), "slow-request") {
			t.Errorf("got %s, %v", answer, err)
		}
	}
}

// A client that drips is cut when the body is late as a whole.
func TestDrippingBodyIsCut(t *testing.T) {
	t.Parallel()
	b := newBodies(1<<20, 0)
	b.pace = pace{whole: 300 * time.Millisecond, grace: 100 * time.Millisecond, rate: 10, wait: time.Second}
	s := bodyServer(t, b, nil)
	conn := announce(t, s, 1000, "")
	go func() {
		for {
			if _, err := conn.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	answer, _ := io.ReadAll(conn) // the connection may be reset while the client writes
	if !strings.Contains(string(answer), "slow-request") {
		t.Errorf("got %s", answer)
	}
}

// A request that finds no memory for long is refused, and says what to do.
func TestNoMemoryIsRefused(t *testing.T) {
	t.Parallel()
	const length = 2 * firstBuffer
	b := newBodies(length, length)
	b.pace.wait = 50 * time.Millisecond
	s := bodyServer(t, b, nil)
	announce(t, s, length, reserving)
	eventually(t, "the first body holds no memory", func() bool { return b.held.Load() == length })
	if got := post(t, s, strings.NewReader(reserving+"x")); !strings.Contains(got, `"code":"busy"`) || !strings.Contains(got, "--max-inflight") {
		t.Errorf("got %s", got)
	}
}

// An answer may take longer than a body: the deadline of the body ends with it.
func TestDeadlineEndsWithTheBody(t *testing.T) {
	t.Parallel()
	b := newBodies(1<<10, 0)
	b.pace = pace{whole: 100 * time.Millisecond, grace: 100 * time.Millisecond, rate: 1 << 10, wait: time.Second}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := b.read(w, r)
		if err != nil {
			panic(err)
		}
		defer body.release()
		select {
		case <-r.Context().Done():
			t.Error("the request was cancelled while its answer was delayed")
		case <-time.After(400 * time.Millisecond):
		}
		fmt.Fprint(w, "late")
	}))
	t.Cleanup(s.Close)
	if got := post(t, s, strings.NewReader("body")); got != "late" {
		t.Errorf("got %s", got)
	}
}

// A few stalled uploads take all memory, and a small body does not wait for them, nor
// one in chunks, whose length is not known.
func TestSmallBodiesDoNotWait(t *testing.T) {
	t.Parallel()
	b := newBodies(1<<20, 1<<20)
	s := bodyServer(t, b, nil)
	announce(t, s, 1<<20, reserving)
	eventually(t, "the large body holds no memory", func() bool { return b.held.Load() == 1<<20 })
	if got := post(t, s, strings.NewReader(reserving)); got != "16384 false" {
		t.Errorf("got %s", got)
	}
	if got := post(t, s, onlyReader{strings.NewReader(reserving[1:])}); got != "16383 false" {
		t.Errorf("in chunks: got %s", got)
	}
}

// A large body that stalls at its beginning takes no memory from others.
func TestStalledBeginningsTakeNoMemory(t *testing.T) {
	t.Parallel()
	b := newBodies(1<<20, 1<<20)
	s := bodyServer(t, b, nil)
	for range 10 {
		announce(t, s, 1<<20, reserving[1:])
	}
	for range 10 {
		if got := post(t, s, strings.NewReader(reserving+"x")); got != "16385 false" {
			t.Errorf("got %s", got)
		}
	}
	if got := b.held.Load(); got != 0 {
		t.Errorf("%d bytes are held", got)
	}
}

// The memory of heavy bodies comes back with their garbage: also where that is little,
// and a body needs all memory.
func TestSpentMemoryComesBack(t *testing.T) {
	t.Parallel()
	const most = 8 * heavyBody
	b := newBodies(most, 2*most)
	s := bodyServer(t, b, nil)
	heavy := strings.Repeat("x", heavyBody+1)
	all := strings.Repeat("x", most)
	if got := post(t, s, strings.NewReader(heavy)); got != "1048577 false" {
		t.Fatalf("got %s", got)
	}
	if got := post(t, s, strings.NewReader(all)); got != "8388608 false" {
		t.Fatalf("got %s", got)
	}
	var clients sync.WaitGroup
	for i := range 24 {
		clients.Go(func() {
			text, want := heavy, "1048577 false"
			if i%3 == 0 {
				text, want = all, "8388608 false"
			}
			if got := post(t, s, strings.NewReader(text)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	clients.Wait()
}
