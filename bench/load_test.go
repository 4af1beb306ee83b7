//go:build linux

package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAnswersAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer string
		whole  bool
		wrong  bool
	}{
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", whole: true},
		{answer: "HTTP/1.1 200 OK\r\ncontent-length:2\r\nX: 1\r\n\r\n{}", whole: true},
		{answer: "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", whole: true},
		{answer: "HTTP/1.1 204 No Content\r\n\r\n", whole: true},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", whole: true},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}", wrong: true},
		{answer: "HTTP/1.1 200 OK\r\n\r\n{}", wrong: true},
	} {
		whole, err := isWhole([]byte(c.answer))
		if whole != c.whole || (err != nil) != c.wrong {
			t.Errorf("%q: got %v, %v", c.answer, whole, err)
		}
	}
}

func TestAnswersAreJudged(t *testing.T) {
	t.Parallel()
	q := request{status: 200, part: []byte(`"ServerSession"`)}
	for answer, right := range map[string]bool{
		"HTTP/1.1 200 OK\r\n\r\n{\"ServerSession\":1}":    true,
		"HTTP/1.1 200 OK\r\n\r\n{\"Error\":1}":            false, // errors of tencentcar have status 200 too
		"HTTP/1.1 500 Oh no\r\n\r\n{\"ServerSession\":1}": false,
		"ServerSession": false,
		"":              false,
	} {
		if err := q.judge([]byte(answer)); (err == nil) != right {
			t.Errorf("%q: got %v", answer, err)
		}
	}
}

func TestLatencies(t *testing.T) {
	t.Parallel()
	var l latencies
	for i := 1; i <= 100; i++ {
		l.add(time.Duration(i) * time.Millisecond / 10)
	}
	l.add(3 * time.Second)
	for share, want := range map[float64]float64{0: 0.1, 0.5: 5.1, 0.99: 10, 1: 3000} {
		if got := l.quantile(share); got != want {
			t.Errorf("%v: got %v ms, want %v", share, got, want)
		}
	}
}

// serve answers on a port of the loopback address.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// get is a request that is to be answered with fine.
func get(path string) request {
	return request{raw: []byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"), status: 200, part: []byte("fine")}
}

// Each connection has requests of its own, so that no user has two calls at once, and each request gets its turn.
func TestConnectionsShareNoRequest(t *testing.T) {
	t.Parallel()
	var busy, asked [9]atomic.Int32 // not as many for each connection
	var twice atomic.Int32
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		i := r.URL.Path[1] - '0'
		asked[i].Add(1)
		if busy[i].Add(1) > 1 {
			twice.Add(1)
		}
		_, _ = w.Write([]byte("fine"))
		busy[i].Add(-1)
	})
	var requests []request
	for i := range asked {
		requests = append(requests, get("/"+string(rune('0'+i))))
	}
	o, err := load{address: address, requests: requests, connections: 4, duration: time.Minute, count: 4000}.run(t.Context())
	if err != nil || o.requests != 4000 || o.wrong != 0 || o.latency.total != 4000 {
		t.Fatalf("got %+v, %v", o, err)
	}
	for i := range asked {
		if asked[i].Load() == 0 {
			t.Errorf("request %d was never sent", i)
		}
	}
	if twice.Load() > 0 {
		t.Errorf("%d requests were sent while the same one had no answer yet", twice.Load())
	}
}

func TestWrongAnswersFailTheLoad(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		text := "fine"
		if n.Add(1) == 100 {
			text = "sorry"
		}
		_, _ = w.Write([]byte(text))
	})
	_, err := sound(load{address: address, requests: []request{get("/")}, connections: 2, duration: time.Minute, count: 500}.run(t.Context()))
	if err == nil || !strings.Contains(err.Error(), "1 of 500 answers are wrong") || !strings.Contains(err.Error(), "sorry") {
		t.Errorf("got %v", err)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done() // until the load has closed the connection
	})
	_, err := load{address: address, requests: []request{get("/")}, connections: 1, duration: time.Minute}.run(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLoadStaysOnThisMachine(t *testing.T) {
	t.Parallel()
	_, err := load{address: "192.0.2.1:80", requests: []request{get("/")}, connections: 1, duration: time.Second}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("got %v", err)
	}
}

func TestLoadTellsOfAClosedConnection(t *testing.T) {
	t.Parallel()
	address := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := load{address: address, requests: []request{get("/")}, connections: 1, duration: time.Minute}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "closed a connection") {
		t.Errorf("got %v", err)
	}
}
