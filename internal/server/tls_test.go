//go:build unix

package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/server"
)

// tlsConfig serves the toy API over TLS, too.
func tlsConfig(t *testing.T) server.Config {
	t.Helper()
	c := config()
	c.TLS, c.TLSPorts, c.TLSDir = true, []int{0}, t.TempDir()
	return c
}

// trusting is a TLS client that trusts the server's CA and nothing else. The CA comes
// from where.
func trusting(t testing.TB, where string) *tls.Config {
	t.Helper()
	r, err := http.Get(where + "/@/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/x-pem-file" || !pool.AppendCertsFromPEM(text) {
		t.Fatalf("the CA at %s: %s %s", where, r.Status, text)
	}
	return &tls.Config{RootCAs: pool}
}

// httpsClient goes to the TLS door, whatever host an address names.
func httpsClient(t testing.TB, s *server.Server, http2 bool) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: trusting(t, s.DoorURL), ForceAttemptHTTP2: http2,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.TLSURL, "https://"))
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// page is an answer that was read to its end, or as far as it came.
type page struct {
	status, major int
	body          string
	err           error
}

func fetch(client *http.Client, url string) page {
	r, err := client.Get(url)
	if err != nil {
		return page{err: err}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return page{r.StatusCode, r.ProtoMajor, string(body), err}
}

func ask(t *testing.T, client *http.Client, url string) page {
	t.Helper()
	got := fetch(client, url)
	if got.err != nil {
		t.Fatal(got.err)
	}
	return got
}

func TestTLSDoor(t *testing.T) {
	t.Parallel()
	log := &logbook{}
	c := tlsConfig(t)
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	s := start(t, c)
	client := httpsClient(t, s, true)
	for _, url := range []string{s.TLSURL + "/page", s.TLSURL + "/toy/page", "https://toy.localhost/page", "https://job-7.toy.localhost/page", "https://localhost/@job-8/page"} {
		if got := ask(t, client, url); got.status != 200 || got.body != "<p>locker</p>" || got.major != 1 {
			t.Errorf("%s: got %+v", url, got)
		}
	}
	if s.Registry.Find("job-7") == nil || s.Registry.Find("job-8") == nil {
		t.Error("the sandboxes were not found by host and path")
	}
	for _, where := range []string{s.DoorURL, s.URL("toy")} {
		trusting(t, where)
	}
	if got := ask(t, client, s.TLSURL+"/@/ca.pem"); got.status != 200 || !strings.Contains(got.body, "BEGIN CERTIFICATE") || strings.Contains(got.body, "KEY") {
		t.Errorf("the CA at the TLS door: %+v", got)
	}
	for _, path := range []string{"/@/", "/@/ca-key.pem", "/@/../ca.pem", "/@/ca.pem/"} {
		if got := ask(t, client, s.TLSURL+path); got.status != 599 || !strings.Contains(got.body, "/@/ca.pem") {
			t.Errorf("%s: got %+v", path, got)
		}
	}
	var status struct {
		Doors map[string]string
		TLS   struct{ URL, CA, SHA256 string }
	}
	_, text := get(t, s.ControlURL+"/v1/status")
	if err := json.Unmarshal([]byte(text), &status); err != nil || status.Doors["tls"] != s.TLSURL || status.TLS.URL != s.TLSURL || status.TLS.CA != filepath.Join(c.TLSDir, "ca.pem") {
		t.Errorf("the status is %s, %v", text, err)
	}
	if !strings.Contains(log.String(), "sha256="+status.TLS.SHA256) || len(status.TLS.SHA256) != 95 {
		t.Errorf("the log has no fingerprint %s: %s", status.TLS.SHA256, log)
	}
}

func TestTLSIsOff(t *testing.T) {
	t.Parallel()
	for flag, change := range map[string]func(*server.Config){
		"--tls-name":    func(c *server.Config) { c.TLSNames = []string{"x.test"} },
		"--tls-fault":   func(c *server.Config) { c.TLSFaults = []string{"localhost=slow"} },
		"--tls-ca-cert": func(c *server.Config) { c.TLSCACert = "ca.pem" },
		"--tls-ca-key":  func(c *server.Config) { c.TLSCAKey = "key.pem" },
		"--tls-h2":      func(c *server.Config) { c.HTTP2 = true },
	} {
		c := config()
		change(&c)
		_, err := server.Start(c)
		if wrong := (*server.UsageError)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), flag+" is given, and TLS is off") {
			t.Errorf("%s: got %v", flag, err)
		}
	}
	s := start(t, config())
	if status, body := get(t, s.DoorURL+"/@/ca.pem"); status != 599 || !strings.Contains(body, "start with --tls") {
		t.Errorf("the CA: got %d %s", status, body)
	}
	if _, body := get(t, s.ControlURL+"/v1/status"); strings.Contains(body, `"tls"`) || s.TLSURL != "" {
		t.Errorf("the status has %s", body)
	}
	if status, body := get(t, s.ControlURL+"/v1/tls-faults"); status != 409 || !strings.Contains(body, "start the server with --tls") {
		t.Errorf("the faults: got %d %s", status, body)
	}
}

func portOf(t *testing.T, url string) int {
	t.Helper()
	port, err := strconv.Atoi(url[strings.LastIndex(url, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestTLSIsRefused(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*server.Config){
		"--tls-name is":                func(c *server.Config) { c.TLSNames = []string{"https://x.test"} },
		"is outside of what the CA":    func(c *server.Config) { start(t, *c); c.TLSNames = []string{"x.example.com"} },
		"--tls-fault: there is no TLS": func(c *server.Config) { c.TLSFaults = []string{"localhost=late"} },
		"host=fault was expected":      func(c *server.Config) { c.TLSFaults = []string{"localhost"} },
		"no handshake for":             func(c *server.Config) { c.TLSFaults = []string{"evil.example=slow"} },
		"go together":                  func(c *server.Config) { c.TLSCACert = "ca.pem" },
		"for TLS door is taken":        func(c *server.Config) { c.TLSPorts = []int{portOf(t, start(t, *c).TLSURL)} },
	} {
		c := tlsConfig(t)
		change(&c)
		if s, err := server.Start(c); err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "--tls-fault:") > 1 {
			t.Errorf("got %v, want %s", err, want)
			if err == nil {
				_ = s.Close(t.Context())
			}
		}
	}
}

// Where clients speak HTTP/2, what needs the bare connection is refused, and the rest works.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	for fault, status := range map[string]int{"reset": 599, "empty": 599, "truncate": 599, "garbage": 200, "": 200} {
		dir := t.TempDir()
		write(t, dir, "toy/broken.yaml", "scenario: broken\napi: toy\nrules: [{operation: Page, wire: {fault: "+fault+"}}]")
		c := tlsConfig(t)
		c.HTTP2 = true
		if fault != "" {
			c.Scenarios, c.Activate = []string{dir}, []string{"toy/broken"}
		}
		s := start(t, c)
		client := httpsClient(t, s, true)
		for range 3 {
			got := fetch(client, "https://toy.localhost/page") // garbage breaks off
			if got.major != 2 || got.status != status || status == 599 && !strings.Contains(got.body, "the fault needs HTTP/1.1") || (got.err != nil) != (fault == "garbage") {
				t.Errorf("%q: got %+v", fault, got)
			}
		}
		if got := metricOf(t, s.ControlURL, "understudy_malformed_requests_total", 0); got != 0 {
			t.Errorf("%q: %v requests were counted as malformed", fault, got)
		}
	}
}

// Each loopback address has a configuration of TLS of its own: net/http changes it when it
// begins to serve.
func TestHTTP2OnBothLoopbacks(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t)
	c.HTTP2, c.Bind = true, server.Localhost
	for range 5 {
		s := start(t, c)
		if got := ask(t, httpsClient(t, s, true), "https://localhost/page"); got.status != 200 || got.major != 2 {
			t.Errorf("got %+v", got)
		}
	}
}

// HTTP/2 has no time for a head of its own, so that a connection lives between requests.
func TestHTTP2ConnectionsAreKept(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t)
	c.HTTP2, c.HeadTimeout = true, 300*time.Millisecond
	s := start(t, c)
	client := httpsClient(t, s, true)
	ask(t, client, "https://localhost/page")
	time.Sleep(500 * time.Millisecond)
	client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("the connection was not kept")
	}
	if got := ask(t, client, "https://localhost/page"); got.status != 200 {
		t.Error(got.status)
	}
}

// overTLS opens a TLS connection to the door, and shows the one below it.
func overTLS(t *testing.T, s *server.Server, client *tls.Config) (*tls.Conn, net.Conn) {
	t.Helper()
	below := dial(t, strings.Replace(s.TLSURL, "https://", "http://", 1))
	client = client.Clone()
	client.ServerName = "localhost"
	conn := tls.Client(below, client)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn, below
}

// The fault reset is a RST over TLS too: no goodbye, no end.
func TestResetOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "toy/broken.yaml", "scenario: broken\napi: toy\nrules: [{operation: Page, wire: {fault: reset}}]")
	c := tlsConfig(t)
	c.Scenarios, c.Activate = []string{dir}, []string{"toy/broken"}
	s := start(t, c)
	conn, below := overTLS(t, s, trusting(t, s.DoorURL))
	if _, err := io.WriteString(conn, "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(below); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, %v; want a reset connection", got, err)
	}
}

// What holds for connections and heads holds over TLS: their times, their number, and that
// what no handler saw is counted.
func TestTLSConnectionsEnd(t *testing.T) {
	t.Parallel()
	const whole = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"
	const soon, never = 700 * time.Millisecond, time.Hour
	for _, tt := range []struct {
		name       string
		head, idle time.Duration
		sent       string
		answers    string
		malformed  float64
	}{
		{"nothing", never, soon, "", "", 0},
		{"half a head", soon, 2 * soon, "GET /page HTTP/1.1\r\nHost: ", "", 1},
		{"half a second head", soon, never, whole + "GET /page HTTP/1.1\r\nHost: ", "200", 0},
		{"no second request", never, soon, whole, "200", 0},
		{"nonsense", never, never, "nonsense\r\n\r\n", "400", 1},
		{"large headers", never, never, "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", "431", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := tlsConfig(t)
			c.HeadTimeout, c.IdleTimeout = tt.head, tt.idle
			s := start(t, c)
			conn, _ := overTLS(t, s, trusting(t, s.DoorURL))
			go func() { _, _ = io.WriteString(conn, tt.sent) }()
			got, _ := io.ReadAll(conn)
			if strings.Count(string(got), "HTTP/1.1 ") != min(1, len(tt.answers)) || !strings.Contains(string(got), tt.answers) {
				t.Errorf("got %.200q, want %q", got, tt.answers)
			}
			if n := metricOf(t, s.ControlURL, "understudy_malformed_requests_total", tt.malformed); n != tt.malformed {
				t.Errorf("counted %v, want %v", n, tt.malformed)
			}
		})
	}
}

// A connection that is opened early may be silent for longer than a head may take.
func TestTLSConnectionsMayWait(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t)
	c.HeadTimeout = 200 * time.Millisecond
	s := start(t, c)
	conn, _ := overTLS(t, s, trusting(t, s.DoorURL))
	time.Sleep(400 * time.Millisecond)
	if _, err := io.WriteString(conn, "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Error(answer.Status)
	}
}

// Half a handshake, and none, end after the time of a head; they count as connections.
func TestHalfHandshakes(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t)
	c.HeadTimeout, c.IdleTimeout, c.MaxConnections = 300*time.Millisecond, time.Hour, 3
	s := start(t, c)
	address := strings.Replace(s.TLSURL, "https://", "http://", 1)
	begun := time.Now()
	halves := []net.Conn{dial(t, address), dial(t, address), dial(t, address)}
	_, _ = halves[0].Write([]byte("\x16\x03\x01\x02"))
	_, _ = halves[1].Write([]byte("\x16"))
	metricOf(t, s.ControlURL, "understudy_connections", 3)
	if n, err := dial(t, address).Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a connection above the limit: got %d bytes, %v", n, err)
	}
	for i, half := range halves {
		if got, err := io.ReadAll(half); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%d: got %q, %v; want the end", i, got, err)
		}
	}
	if took := time.Since(begun); took > 10*time.Second || took < c.HeadTimeout {
		t.Errorf("they ended after %s", took)
	}
	if got := ask(t, httpsClient(t, s, false), "https://localhost/page"); got.body != "<p>locker</p>" {
		t.Errorf("afterwards: %+v", got)
	}
}

// Who speaks the wrong protocol gets one line that helps; it is counted, and nothing stays.
func TestMistakenProtocols(t *testing.T) {
	log := &logbook{}
	c := tlsConfig(t)
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	s := start(t, c)
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	before := runtime.NumGoroutine()
	for _, sent := range []string{"GET /x HTTP/1.1\r\nHost: localhost:1234\r\n\r\n", "POST / HTTP/1.1\r\nHost: localhost:1234\r\nContent-Length: 90000\r\n\r\n" + strings.Repeat("x", 90000), "nonsense"} {
		conn := dial(t, strings.Replace(s.TLSURL, "https://", "http://", 1))
		go func() { _, _ = io.WriteString(conn, sent) }()
		host := "localhost:1234"
		if sent == "nonsense" {
			host = strings.TrimPrefix(s.TLSURL, "https://")
		}
		got, err := io.ReadAll(conn)
		conn.Close()
		if head, text, _ := strings.Cut(string(got), "\r\n\r\n"); err != nil || !strings.HasPrefix(head, "HTTP/1.1 400 ") || !strings.HasPrefix(text, "This port speaks TLS: use https://"+host+" ") || strings.Count(text, "\n") != 1 {
			t.Errorf("%.20q: got %q, %v", sent, got, err)
		}
	}
	if got := ask(t, plain, strings.Replace(s.TLSURL, "https", "http", 1)+"/page"); got.status != 400 {
		t.Errorf("an HTTP client: %+v", got)
	}
	for _, url := range []string{s.DoorURL, s.URL("toy"), s.ControlURL} {
		address := strings.TrimPrefix(url, "http://")
		if got := fetch(plain, "https://"+address); got.err == nil || !strings.Contains(got.err.Error(), "server gave HTTP response to HTTPS client") {
			t.Errorf("an https client at %s: %+v", url, got)
		}
		conn := dial(t, url)
		_, _ = conn.Write([]byte("\x16\x03\x01\x00\x05hello"))
		got, err := io.ReadAll(conn)
		conn.Close()
		want := "This port speaks plain HTTP: use http:// here; for https:// there is port " + s.TLSURL[strings.LastIndex(s.TLSURL, ":")+1:] + ".\n"
		if url == s.ControlURL {
			want = "This port speaks plain HTTP: use http:// here; the control API is not served over TLS.\n"
		}
		if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 400 Bad Request\r\n") || !strings.HasSuffix(string(got), "\r\n\r\n"+want) {
			t.Errorf("TLS at %s: got %q, %v", url, got, err)
		}
	}
	if got := metricOf(t, s.ControlURL, "understudy_malformed_requests_total", 10); got != 10 {
		t.Errorf("counted %v, want 10: %s", got, log)
	}
	if got := strings.Count(log.String(), "is plain HTTP, and this port speaks TLS"); got != 4 {
		t.Errorf("the log has %d lines: %s", got, log)
	}
	plain.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	until(t, "goroutines", func() string { return fmt.Sprint(runtime.NumGoroutine() <= before) }, "true")
}

// Faults are switched for the whole server: a reset leaves them on.
func TestTLSFaults(t *testing.T) {
	t.Parallel()
	log := &logbook{}
	c := tlsConfig(t)
	c.TLSFaults, c.Log = []string{"a.localhost=reset", "*.toy.localhost=expired"}, slog.New(slog.NewTextHandler(log, nil))
	s := start(t, c)
	client := httpsClient(t, s, false)
	if got := fetch(client, "https://a.localhost/page"); !errors.Is(got.err, syscall.ECONNRESET) {
		t.Errorf("reset: got %+v", got)
	}
	if got := fetch(client, "https://job.toy.localhost/page"); got.err == nil || !strings.Contains(got.err.Error(), "expired") {
		t.Errorf("expired: got %+v", got)
	}
	until(t, "the log", log.String, "a client does not trust the CA")
	control := func(method, path string, want int) {
		t.Helper()
		r, err := http.NewRequest(method, s.ControlURL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s %s: got %s", method, path, answer.Status)
		}
	}
	control(http.MethodPost, "/v1/sandboxes/default/reset", 200)
	if _, body := get(t, s.ControlURL+"/v1/status"); !strings.Contains(body, `"faults":[{"host":"a.localhost","fault":"reset","met":1},{"host":"*.toy.localhost","fault":"expired","met":1}]`) {
		t.Errorf("the status is %s", body)
	}
	control(http.MethodDelete, "/v1/tls-faults/a.localhost", 204)
	if got := ask(t, client, "https://a.localhost/page"); got.body != "<p>locker</p>" {
		t.Errorf("afterwards: %+v", got)
	}
}

// The end of the server ends a handshake that stalls.
func TestCloseCutsASlowHandshake(t *testing.T) {
	t.Parallel()
	c := tlsConfig(t)
	c.TLSFaults = []string{"localhost=slow"}
	s, err := server.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	client := httpsClient(t, s, false)
	go fetch(client, "https://localhost/page")
	until(t, "the fault", func() string { _, body := get(t, s.ControlURL+"/v1/status"); return body }, `"met":1`)
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_ = s.Close(ctx)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// The CA's key is in its file, and nowhere that can be read from outside.
func TestTheKeyIsNotTold(t *testing.T) {
	t.Parallel()
	log := &logbook{}
	c := tlsConfig(t)
	c.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := start(t, c)
	kept, err := os.ReadFile(filepath.Join(c.TLSDir, "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, _, _ := strings.Cut(string(kept), "-----END PRIVATE KEY")
	lines := strings.Split(strings.TrimSpace(key), "\n")
	if len(lines) != 4 {
		t.Fatalf("the key has %d lines", len(lines))
	}
	client := httpsClient(t, s, false)
	var told strings.Builder
	for _, path := range []string{"/@/ca.pem", "/@/ca-key.pem", "/page", "/toy/../ca-key.pem"} {
		told.WriteString(ask(t, client, s.TLSURL+path).body)
	}
	for _, path := range []string{
		"/v1/status", "/v1/openapi.json", "/v1/sandboxes", "/v1/sandboxes/default?tls=true", "/v1/sandboxes/default/state", "/v1/sandboxes/default/journal",
		"/v1/sandboxes/default/journal.har", "/v1/tls-faults", "/v1/tls-faults/localhost", "/metrics", "/v1/apis/toy", "/v1/scenarios",
	} {
		_, body := get(t, s.ControlURL+path)
		told.WriteString(body)
	}
	told.WriteString(log.String())
	if err := os.Truncate(filepath.Join(c.TLSDir, "ca-key.pem"), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Start(c); err == nil {
		t.Error("a damaged key was taken")
	} else {
		told.WriteString(err.Error())
	}
	for _, line := range append(lines[1:], "PRIVATE KEY--") {
		if strings.Contains(told.String(), line) {
			t.Errorf("the key was told: %s", line)
		}
	}
}

// A kept connection's call over TLS beside a plain one.
func BenchmarkCalls(b *testing.B) {
	c := config()
	c.TLS, c.TLSPorts, c.TLSDir, c.Journal = true, []int{0}, b.TempDir(), 10
	s, err := server.Start(c)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	trusted := trusting(b, s.DoorURL)
	for name, url := range map[string]string{"plain": s.DoorURL, "tls": s.TLSURL} {
		b.Run(name, func(b *testing.B) {
			conn, err := net.Dial("tcp", url[strings.LastIndex(url, "/")+1:])
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			if name == "tls" {
				client := trusted.Clone()
				client.ServerName = "localhost"
				conn = tls.Client(conn, client)
			}
			reader := bufio.NewReader(conn)
			var before, after syscall.Rusage
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
			for b.Loop() {
				_, _ = io.WriteString(conn, "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n")
				answer, err := http.ReadResponse(reader, nil)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
			b.ReportMetric(float64(cpu)/float64(b.N), "cpu-ns/op")
		})
	}
}
