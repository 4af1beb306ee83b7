package server

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A fakeListener has an address and listens nowhere.
type fakeListener struct {
	net.Listener
	address *net.TCPAddr
	closed  *int
}

func (l fakeListener) Addr() net.Addr { return l.address }
func (l fakeListener) Close() error   { *l.closed++; return nil }

// A machine says how opening ports ends on it.
type machine struct {
	fail   map[string]error // by address without port, or with it
	next   int              // the next free port
	opened []string
	closed int
}

func (m *machine) listen(network, address string) (net.Listener, error) {
	m.opened = append(m.opened, network+" "+address)
	host, text, _ := net.SplitHostPort(address)
	for _, name := range []string{address, host} {
		if err := m.fail[name]; err != nil {
			return nil, &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", err)}
		}
	}
	port, _ := strconv.Atoi(text)
	if port == 0 {
		m.next++
		port = m.next
	}
	return fakeListener{address: &net.TCPAddr{IP: net.ParseIP(host), Port: port}, closed: &m.closed}, nil
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		host   string
		port   int
		fail   map[string]error
		want   string // addresses
		closed int
		err    error
		log    string
	}{
		"both loopbacks":               {host: Localhost, port: 6410, want: "127.0.0.1:6410 [::1]:6410"},
		"a free port on both":          {host: Localhost, want: "127.0.0.1:5001 [::1]:5001"},
		"a port that is free on one":   {host: Localhost, fail: map[string]error{"[::1]:5001": syscall.EADDRINUSE, "[::1]:5002": syscall.EADDRINUSE}, want: "127.0.0.1:5003 [::1]:5003", closed: 2},
		"no free port on ::1":          {host: Localhost, fail: map[string]error{"::1": syscall.EADDRINUSE}, want: "127.0.0.1:5020", closed: 19, log: "not open on ::1"},
		"no IPv6":                      {host: Localhost, port: 6410, fail: map[string]error{"::1": syscall.EAFNOSUPPORT}, want: "127.0.0.1:6410"},
		"IPv6 is off":                  {host: Localhost, fail: map[string]error{"::1": syscall.EADDRNOTAVAIL}, want: "127.0.0.1:5001"},
		"::1 is taken":                 {host: Localhost, port: 6410, fail: map[string]error{"::1": syscall.EADDRINUSE}, want: "127.0.0.1:6410", log: "port=6410 for=door"},
		"127.0.0.1 is taken":           {host: Localhost, port: 6410, fail: map[string]error{"127.0.0.1": syscall.EADDRINUSE}, err: syscall.EADDRINUSE},
		"one address":                  {host: "127.0.0.1", port: 6410, want: "127.0.0.1:6410"},
		"all addresses":                {host: "::", port: 6410, want: "[::]:6410"},
		"all addresses without IPv6":   {host: "::", port: 6410, fail: map[string]error{"::": syscall.EAFNOSUPPORT}, want: "0.0.0.0:6410"},
		"all addresses, and one taken": {host: "::", port: 6410, fail: map[string]error{"::": syscall.EADDRINUSE}, err: syscall.EADDRINUSE},
		"without the right":            {host: "::1", port: 80, fail: map[string]error{"::1": syscall.EACCES}, err: syscall.EACCES},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			m := &machine{fail: tt.fail, next: 5000}
			all, err := listen(m.listen).open(tt.host, tt.port, "door", "--door-port", slog.New(slog.NewTextHandler(&log, nil)))
			var addresses []string
			for _, l := range all {
				addresses = append(addresses, l.Addr().String())
			}
			if got := strings.Join(addresses, " "); got != tt.want || !errors.Is(err, tt.err) || m.closed != tt.closed {
				t.Errorf("got %s, %v, %d closed; opened %s", got, err, m.closed, m.opened)
			}
			if err != nil && !strings.Contains(err.Error(), "for door") {
				t.Errorf("got the error %v", err)
			}
			if (log.Len() > 0) != (tt.log != "") || !strings.Contains(log.String(), tt.log) {
				t.Errorf("the log has %q, want %q", &log, tt.log)
			}
		})
	}
}

// Where nothing else is said, clients have the documented time for a head and between two
// requests.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, served := &Server{config: Config{Log: slog.New(slog.DiscardHandler)}}, &http.Server{}
	s.serve(l, served, s.config.connections(1, "", ""))
	_ = served.Close()
	s.serving.Wait()
	if served.ReadHeaderTimeout != 10*time.Second || served.IdleTimeout != 2*time.Minute || served.MaxHeaderBytes != 64<<10 {
		t.Errorf("got %s for a head of %d bytes and %s between requests", served.ReadHeaderTimeout, served.MaxHeaderBytes, served.IdleTimeout)
	}
}
