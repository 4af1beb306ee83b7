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
