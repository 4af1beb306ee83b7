package server

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// A silent connection is one that a client opened and has not used yet. It lives as long
// as one between two requests; the time for a head begins with its first byte. A client
// whose request met the end of such a connection saw EOF in place of an answer.
func TestSilentConnections(t *testing.T) {
	t.Parallel()
	const short, long = 50 * time.Millisecond, time.Minute
	for name, one := range map[string]struct {
		idle, head time.Duration
		begin      string // is sent at once
		rest       string // is sent when the shorter time is over
		want       string // is how the answer begins
	}{
		"a first request that comes late":  {idle: long, head: short, rest: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", want: "HTTP/1.1 200 OK\r\n"},
		"a first request that never comes": {idle: short, head: long},
		"a head that is not completed":     {idle: long, head: short, begin: "POST / HTTP/1.1\r\nHost: x\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dialSilent(t, one.idle, one.head)
			_, err := io.WriteString(conn, one.begin)
			if err != nil {
				t.Fatal(err)
			}
			if one.rest != "" {
				time.Sleep(4 * short) // what must not end the connection in this time would do so unseen
				if _, err := io.WriteString(conn, one.rest); err != nil {
					t.Fatal(err)
				}
			}
			_ = conn.SetReadDeadline(time.Now().Add(long / 2))
			line, err := bufio.NewReader(conn).ReadString('\n')
			if line != one.want || one.want == "" && !errors.Is(err, io.EOF) {
				t.Errorf("got %q, %v, want %q", line, err, one.want)
			}
		})
	}
}

// dialSilent connects to a server that answers every request.
func dialSilent(t *testing.T, idle, head time.Duration) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{config: Config{Log: slog.New(slog.DiscardHandler)}, broken: make(chan error, 1)}
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	s.serve(l, &http.Server{Handler: answer}, &connections{most: 1, idle: idle, head: head, log: s.config.Log})
	t.Cleanup(func() {
		_ = s.servers[0].Close()
		s.serving.Wait()
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
