package server_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/server"
)

// What net/http refuses before a handler runs, and a head that breaks off, is counted and
// logged once, at every port and after other requests of the same connection. What a
// handler answers is not, and neither is a connection without a request.
func TestMalformedRequestsAreCounted(t *testing.T) {
	t.Parallel()
	const good = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, c := range []struct {
		name, sent string
		count      int
		why        string
	}{
		{"a request line", "nonsense\r\n\r\n", 1, "400 Bad Request"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 1, "400 Bad Request"},
		{"a length", "POST /toy/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 1, "400 Bad Request"},
		{"two lengths", "POST /toy/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 1, "400 Bad Request"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 1, "missing required Host header"},
		{"a version", "GET / HTTP/3.7\r\nHost: x\r\n\r\n", 1, "505 HTTP Version Not Supported"},
		{"an encoding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 1, "501 Not Implemented"},
		{"an expectation", "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx", 1, "417 Expectation Failed"},
		{"large headers", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", 1, "431 Request Header Fields Too Large"},
		{"half a head", "GET / HTTP/1.1\r\nHost: x\r\n", 1, "400 Bad Request"},
		{"after a good one", good + "nonsense\r\n\r\n", 1, "400 Bad Request"},
		{"good ones", good + good, 0, ""},
		{"nothing", "", 0, ""},
		{"a body that breaks off", "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx", 0, ""},
		{"a chunk", "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := &logbook{}
			settings := config()
			settings.Log = slog.New(slog.NewTextHandler(log, nil))
			s := start(t, settings)
			for i, url := range []string{s.ControlURL, s.DoorURL, s.URL("toy")} {
				exchange(t, strings.TrimPrefix(url, "http://"), c.sent)
				want := float64((i + 1) * c.count)
				if got := metricOf(t, s.ControlURL, "understudy_malformed_requests_total", want); got != want {
					t.Errorf("at %s: counted %v, want %v", url, got, want)
				}
			}
			if got := strings.Count(log.String(), "before any API saw it"); got != 3*c.count || !strings.Contains(log.String(), c.why) {
				t.Errorf("the log has %d lines, want %d with %q: %s", got, 3*c.count, c.why, log)
			}
		})
	}
}

// A connection that the server ends while a head is under way is no client's fault.
func TestClosingIsNotMalformed(t *testing.T) {
	t.Parallel()
	log := &logbook{}
	settings := config()
	settings.Log = slog.New(slog.NewTextHandler(log, nil))
	s, err := server.Start(settings)
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", strings.TrimPrefix(s.DoorURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Close(ctx)
	if strings.Contains(log.String(), "before any API saw it") {
		t.Errorf("the log has %s", log)
	}
}

// A head whose client is gone gets no answer, and counts.
func TestHeadThatBreaksOffIsCounted(t *testing.T) {
	t.Parallel()
	log := &logbook{}
	settings := config()
	settings.Log = slog.New(slog.NewTextHandler(log, nil))
	s := start(t, settings)
	client, err := net.Dial("tcp", strings.TrimPrefix(s.DoorURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	metricOf(t, s.ControlURL, "understudy_connections", 1)
	_ = client.(*net.TCPConn).SetLinger(0)
	client.Close()
	if got := metricOf(t, s.ControlURL, "understudy_malformed_requests_total", 1); got != 1 {
		t.Errorf("counted %v: %s", got, log)
	}
}

// exchange sends bytes, ends its side and reads until the server ends the other.
func exchange(t *testing.T, address, sent string) {
	t.Helper()
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(client, sent) // the server may have enough before the end
	_ = client.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, client)
}

// metricOf reads a count until it is at least want, or for some time.
func metricOf(t *testing.T, control, name string, want float64) float64 {
	t.Helper()
	got := -1.0
	for range 500 {
		_, text := get(t, control+"/metrics")
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(line, name+" "); ok {
				got, _ = strconv.ParseFloat(strings.TrimSpace(rest), 64)
			}
		}
		if got >= want {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return got
}
