package server_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/server"
)

// A connection above the limit is closed at once, is counted and logged, and one
// that ends makes room. The control port has a limit of its own.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	c := config()
	log := &logbook{}
	c.MaxConnections, c.Log = 3, slog.New(slog.NewTextHandler(log, nil))
	s := start(t, c)
	door := strings.TrimPrefix(s.DoorURL, "http://")
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", door)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	open := []net.Conn{dial(), dial(), dial()}
	metric := func(name string) string {
		_, text := get(t, s.ControlURL+"/metrics")
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(line, name+" "); ok {
				return strings.TrimSpace(rest)
			}
		}
		return "none"
	}
	wait := func(name, want string) {
		t.Helper()
		for range 500 {
			if metric(name) == want {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%s is %s, want %s", name, metric(name), want)
	}
	wait("understudy_connections", "3")
	refused := dial()
	_ = refused.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := refused.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("the fourth connection: got %d bytes, %v", n, err)
	}
	wait("understudy_connections_refused_total", "1")
	open[0].Close()
	wait("understudy_connections", "2")
	r, err := http.Get(s.DoorURL + "/toy/")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	r.Body.Close()
	if !strings.Contains(log.String(), "a connection was refused, because too many are open") || !strings.Contains(log.String(), "--max-connections") {
		t.Errorf("the log has %s", log)
	}
}

// Both loopback addresses answer at the same port, so that it does not matter which of
// them a client takes for localhost.
func TestLocalhostIsBothLoopbacks(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6")
	} else {
		l.Close()
	}
	c := config()
	c.Bind, c.ControlBind = server.Localhost, server.Localhost
	s := start(t, c)
	for _, url := range []string{s.ControlURL + "/healthz", s.DoorURL + "/toy/", s.URL("toy") + "/"} {
		for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
			if status, body := get(t, strings.Replace(url, "127.0.0.1", host, 1)); status == 0 || body == "" {
				t.Errorf("%s at %s: got %d, %s", url, host, status, body)
			}
		}
	}
}
