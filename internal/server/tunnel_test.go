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
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/server"
)

// A proxy is a server that takes tunnels to two APIs.
type proxy struct {
	*server.Server
	roots *x509.CertPool
	ca    string // file of the CA
	log   *logbook
}

func startProxy(t *testing.T, change func(*server.Config)) *proxy {
	t.Helper()
	p, c := newProxy(t, change)
	p.Server = start(t, c)
	p.trust(t)
	return p
}

// trust has clients trust the server's CA and nothing else.
func (p *proxy) trust(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(p.ca)
	if p.TLSURL != "" && (err != nil || !p.roots.AppendCertsFromPEM(text)) {
		t.Fatal(err)
	}
}

func newProxy(t *testing.T, change func(*server.Config)) (*proxy, server.Config) {
	t.Helper()
	boxes := toy.New()
	boxes.Name, boxes.Port, boxes.Hosts = "boxes", 6418, []contract.Host{{Name: "*.boxes.example", Known: []string{"a.boxes.example"}}}
	p := &proxy{roots: x509.NewCertPool(), log: &logbook{}}
	c := tlsConfig(t)
	p.ca = filepath.Join(c.TLSDir, "ca.pem")
	c.APIs = append(c.APIs, boxes)
	c.MaxSandboxes = 100
	c.ShippedScenarios = fstest.MapFS{
		"toy/reset.yaml":    {Data: []byte("scenario: reset\napi: toy\nrules: [{operation: Page, wire: {fault: reset}}]")},
		"toy/empty.yaml":    {Data: []byte("scenario: empty\napi: toy\nrules: [{operation: Page, wire: {fault: empty}}]")},
		"toy/truncate.yaml": {Data: []byte("scenario: truncate\napi: toy\nrules: [{operation: Page, wire: {fault: truncate}}]")},
		"toy/garbage.yaml":  {Data: []byte("scenario: garbage\napi: toy\nrules: [{operation: Page, wire: {fault: garbage}}]")},
		"toy/stall.yaml":    {Data: []byte("scenario: stall\napi: toy\nrules: [{operation: Page, wire: {fault: stall}}]")},
	}
	c.Log = slog.New(slog.NewTextHandler(p.log, nil))
	if change != nil {
		change(&c)
	}
	return p, c
}

func (p *proxy) address() string { return strings.TrimPrefix(p.DoorURL, "http://") }

// client is a client of net/http that has the door for its proxy.
func (p *proxy) client(t *testing.T, user string) *http.Client {
	t.Helper()
	through := &url.URL{Scheme: "http", Host: p.address()}
	if user != "" {
		through.User = url.UserPassword(user, "x")
	}
	transport := &http.Transport{
		Proxy: http.ProxyURL(through), TLSClientConfig: &tls.Config{RootCAs: p.roots},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != p.address() {
				t.Errorf("the client connects to %s", address)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// connect opens a tunnel by hand, with what follows in the same packet.
func (p *proxy) connect(t *testing.T, authority, more string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "CONNECT "+authority+" HTTP/1.1\r\nHost: "+authority+"\r\n\r\n"+more); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	const want = "HTTP/1.1 200 Connection established\r\n\r\n"
	head := make([]byte, len(want))
	if _, err := io.ReadFull(from, head); err != nil || string(head) != want {
		t.Fatalf("got %q, %v", head, err)
	}
	return conn, from
}

func (p *proxy) entries(t *testing.T, box string) []journal.Entry {
	t.Helper()
	found := p.Registry.Find(box)
	if found == nil {
		t.Fatalf("there is no sandbox %s", box)
	}
	entries, _ := found.Journal.List(journal.Filter{})
	return entries
}

func read(r *http.Response, err error) (int, string, error) {
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return r.StatusCode, string(body), err
}

// A client with its proxy set reaches the documented hosts by http and https, over kept
// connections, in the sandbox that the proxy's user names.
func TestProxy(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, nil)
			client := p.client(t, "job-7")
			for range 3 {
				if status, body, err := read(client.Get(scheme + "://locker.toy.example/page")); status != 200 || err != nil {
					t.Fatalf("got %d %s %v", status, body, err)
				}
			}
			entries := p.entries(t, "job-7")
			if len(entries) != 3 {
				t.Fatalf("got %d entries", len(entries))
			}
			for _, e := range entries {
				if e.FoundBy != "proxy" || e.API != "toy" || e.Client.Address != entries[0].Client.Address || e.Request.Header["Proxy-Authorization"] != nil || e.Request.URL != "/page" {
					t.Errorf("got %+v", e)
				}
			}
			status, body, err := read(client.Get(scheme + "://other.example/page"))
			if scheme == "http" && (status != 599 || !strings.Contains(body, "passes nothing through")) || scheme == "https" && (err == nil || !strings.Contains(err.Error(), "documented hosts only")) {
				t.Errorf("another host: %d %s %v", status, body, err)
			}
			for range 2 {
				if status, _, err := read(p.client(t, "").Get(scheme + "://a.boxes.example/page")); status != 200 || err != nil {
					t.Fatalf("got %d %v", status, err)
				}
			}
			if entries := p.entries(t, "default"); len(entries) != 2 || entries[0].API != "boxes" || entries[0].FoundBy != "default" {
				t.Errorf("got %+v", entries)
			}
		})
	}
}

// In a tunnel the address by which clients find an API is its documented one, with the
// scheme that is spoken there.
func TestBaseWithinTunnels(t *testing.T) {
	t.Parallel()
	bases := make(chan string, 1)
	p := startProxy(t, func(c *server.Config) {
		c.AdvertiseDoor = "https://mocks.example.com"
		c.APIs[0].Operation("Page").Write = func(c *contract.Call, _ contract.Verdict, _ contract.Reply) contract.Response {
			bases <- c.Request.Base
			return contract.Response{Status: 200}
		}
	})
	client := p.client(t, "")
	for _, base := range []string{"http://locker.toy.example", "https://locker.toy.example"} {
		if status, body, err := read(client.Get(base + "/page")); status != 200 || err != nil {
			t.Fatalf("got %d %s %v", status, body, err)
		}
		if got := <-bases; got != base {
			t.Errorf("got %s, want %s", got, base)
		}
	}
	_, from := p.connect(t, "locker.toy.example:80", "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n")
	if status, body, err := read(http.ReadResponse(from, nil)); err != nil || status != 200 {
		t.Fatal(status, body, err)
	}
	if got := <-bases; got != "http://locker.toy.example" {
		t.Errorf("plain HTTP in a tunnel: got %s", got)
	}
}

// What a client sends behind CONNECT without waiting is not lost: a request, or the
// beginning of TLS.
func TestBytesBehindConnect(t *testing.T) {
	t.Parallel()
	p := startProxy(t, nil)
	const ask = "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n"
	conn, from := p.connect(t, "locker.toy.example:80", ask+ask[:9])
	for i := range 2 {
		if status, body, err := read(http.ReadResponse(from, nil)); status != 200 || err != nil {
			t.Fatalf("request %d: %d %s %v", i, status, body, err)
		}
		_, _ = io.WriteString(conn, ask[9:])
	}

	hello := &recording{}
	_ = tls.Client(hello, &tls.Config{ServerName: "locker.toy.example", RootCAs: p.roots}).Handshake()
	_, from = p.connect(t, "locker.toy.example:443", string(hello.sent))
	if first, err := from.ReadByte(); first != 0x16 || err != nil {
		t.Errorf("a hello behind CONNECT: got %#x, %v", first, err)
	}
}

// recording is a connection that keeps what is sent, and brings nothing.
type recording struct {
	net.Conn
	sent []byte
}

func (r *recording) Write(p []byte) (int, error) {
	r.sent = append(r.sent, p...)
	return len(p), nil
}
func (r *recording) Read([]byte) (int, error)         { return 0, io.EOF }
func (r *recording) SetWriteDeadline(time.Time) error { return nil }
func (r *recording) Close() error                     { return nil }

// The name that TLS asks by, and the host of every request, are of the API of the tunnel.
func TestTunnelsNameOneAPI(t *testing.T) {
	t.Parallel()
	p := startProxy(t, nil)
	for name, want := range map[string]string{
		"locker.toy.example": "", "LOCKER.toy.example": "",
		"a.boxes.example": "unrecognized name", "example.com": "unrecognized name", strings.Repeat("a", 250) + ".example.com": "unrecognized name",
	} {
		for version := uint16(tls.VersionTLS12); version <= tls.VersionTLS13; version++ {
			conn, _ := p.connect(t, "locker.toy.example:443", "")
			err := tls.Client(conn, &tls.Config{ServerName: name, RootCAs: p.roots, MaxVersion: version}).Handshake()
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("the name %s by %x: got %v, want %q", name, version, err, want)
			}
		}
	}
	if !strings.Contains(p.log.String(), "asks by a name of another host") {
		t.Errorf("the log has %s", p.log)
	}
	conn, _ := p.connect(t, "locker.toy.example:443", "")
	client := tls.Client(conn, &tls.Config{ServerName: "locker.toy.example", RootCAs: p.roots})
	from := bufio.NewReader(client)
	for _, ask := range []struct{ head, code, says string }{
		{"GET /page HTTP/1.1\r\nHost: a.boxes.example", "other-host", "a tunnel for each host"},
		{"GET /page HTTP/1.1\r\nHost: locker.toy.example", "", ""},
		{"GET /page HTTP/1.1\r\nHost: locker.toy.example.", "", ""},
		{"GET /@/ca.pem HTTP/1.1\r\nHost: locker.toy.example", "", "BEGIN CERTIFICATE"},
		{"GET /@/proxy.pac HTTP/1.1\r\nHost: locker.toy.example", "no-proxy-config", "ask by the address"},
		{"GET https://locker.toy.example/page HTTP/1.1\r\nHost: example.com", "", ""},
		{"GET http://locker.toy.example/page HTTP/1.1\r\nHost: locker.toy.example", "other-host", "https is spoken"},
		{"CONNECT locker.toy.example:443 HTTP/1.1\r\nHost: locker.toy.example:443", "no-tunnel", ""},
	} {
		if _, err := io.WriteString(client, ask.head+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Header.Get("Understudy-Problem"); got != ask.code {
			t.Errorf("%s: got %q, want %q", ask.head, got, ask.code)
		}
		if _, body, err := read(r, nil); err != nil || !strings.Contains(body, ask.says) {
			t.Fatalf("%s: got %s, %v", ask.head, body, err)
		}
	}
	if _, err := from.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("a refused CONNECT leaves the connection open: %v", err)
	}
}

// A client that keeps its session open again is held to the name all the same.
func TestResumedTunnelsNameOneAPI(t *testing.T) {
	t.Parallel()
	p := startProxy(t, nil)
	known := tls.NewLRUClientSessionCache(1)
	ask := func(name string) (resumed bool, err error) {
		conn, _ := p.connect(t, "locker.toy.example:443", "")
		client := tls.Client(conn, &tls.Config{ServerName: name, RootCAs: p.roots, MaxVersion: tls.VersionTLS12, ClientSessionCache: sameSession{known}})
		err = client.Handshake()
		return client.ConnectionState().DidResume, err
	}
	if resumed, err := ask("locker.toy.example"); resumed || err != nil {
		t.Fatal(resumed, err)
	}
	if resumed, err := ask("locker.toy.example"); !resumed || err != nil {
		t.Errorf("sessions end with their tunnel: %v, %v", resumed, err)
	}
	if _, err := ask("a.boxes.example"); err == nil {
		t.Error("a kept session leads to another API")
	}
}

// sameSession has one session for all names.
type sameSession struct{ tls.ClientSessionCache }

func (s sameSession) Get(string) (*tls.ClientSessionState, bool) { return s.ClientSessionCache.Get("") }

func (s sameSession) Put(_ string, state *tls.ClientSessionState) {
	s.ClientSessionCache.Put("", state)
}

// The network's faults are the same in a tunnel, with TLS and without.
func TestFaultsInTunnels(t *testing.T) {
	t.Parallel()
	tests := map[string]func(status int, body string, err error) bool{
		"reset": func(_ int, _ string, err error) bool { return errors.Is(err, syscall.ECONNRESET) },
		"empty": func(_ int, _ string, err error) bool {
			return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		},
		"truncate": func(status int, _ string, err error) bool {
			return status == 200 && errors.Is(err, io.ErrUnexpectedEOF)
		},
		"garbage": func(status int, body string, err error) bool {
			return status == 200 && strings.HasPrefix(body, "\x00\xff") && errors.Is(err, io.ErrUnexpectedEOF)
		},
	}
	for fault, check := range tests {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %v", fault, secure), func(t *testing.T) {
				t.Parallel()
				p := startProxy(t, func(c *server.Config) { c.Activate = []string{"toy/" + fault} })
				conn, _ := p.connect(t, "locker.toy.example:443", "")
				if secure {
					conn = tls.Client(conn, &tls.Config{ServerName: "locker.toy.example", RootCAs: p.roots})
				}
				_, err := io.WriteString(conn, "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n")
				if err != nil {
					t.Fatal(err)
				}
				r, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if status, body, err := read(r, err); !check(status, body, err) {
					t.Errorf("got %d %q %v", status, body, err)
				}
				until(t, "connections", func() string { return metric(t, p.Server, "understudy_connections") }, "0")
			})
		}
	}
}

// A fault of TLS lets no HTTP/2 into a tunnel.
func TestTLSFaultsInTunnelsKeepHTTP1(t *testing.T) {
	t.Parallel()
	p := startProxy(t, func(c *server.Config) {
		c.HTTP2, c.TLSFaults = true, []string{"locker.toy.example=expired"}
	})
	conn, _ := p.connect(t, "locker.toy.example:443", "")
	client := tls.Client(conn, &tls.Config{ServerName: "locker.toy.example", InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err := client.Handshake(); err != nil || client.ConnectionState().NegotiatedProtocol != "http/1.1" {
		t.Errorf("got %q, %v", client.ConnectionState().NegotiatedProtocol, err)
	}
}

// The fault reset is a RST in a tunnel that was asked for by TLS, too: neither TLS says
// goodbye.
func TestResetInTunnelsOverTLS(t *testing.T) {
	t.Parallel()
	for _, port := range []string{"80", "443"} {
		p := startProxy(t, func(c *server.Config) { c.Activate = []string{"toy/reset"} })
		outer, below := overTLS(t, p.Server, &tls.Config{RootCAs: p.roots})
		_ = below.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(outer, "CONNECT locker.toy.example:"+port+" HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
		if _, err := io.ReadFull(outer, head); err != nil || !strings.HasPrefix(string(head), "HTTP/1.1 200 ") {
			t.Fatalf("got %q, %v", head, err)
		}
		var conn net.Conn = outer
		if port == "443" {
			inner := tls.Client(outer, &tls.Config{ServerName: "locker.toy.example", RootCAs: p.roots, MaxVersion: tls.VersionTLS12})
			if err := inner.Handshake(); err != nil {
				t.Fatal(err)
			}
			conn = inner
		}
		if _, err := io.WriteString(conn, "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(below); len(got) > 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("port %s: got %q, %v; want a reset connection", port, got, err)
		}
		until(t, "connections", func() string { return metric(t, p.Server, "understudy_connections") }, "0")
	}
}

func metric(t *testing.T, s *server.Server, name string) string {
	t.Helper()
	_, text := get(t, s.ControlURL+"/metrics")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "none"
}

// Tunnels are connections of the door until they end, so that they are bounded as those.
func TestTunnelsCount(t *testing.T) {
	t.Parallel()
	p := startProxy(t, func(c *server.Config) { c.MaxConnections = 3 })
	open := func() string { return metric(t, p.Server, "understudy_connections") }
	silent, _ := p.connect(t, "locker.toy.example:443", "")
	asked, from := p.connect(t, "locker.toy.example:80", "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n")
	if status, body, err := read(http.ReadResponse(from, nil)); err != nil || status != 200 {
		t.Fatal(status, body, err)
	}
	secured, _ := p.connect(t, "locker.toy.example:443", "")
	if err := tls.Client(secured, &tls.Config{ServerName: "locker.toy.example", RootCAs: p.roots}).Handshake(); err != nil {
		t.Fatal(err)
	}
	until(t, "connections", open, "3")
	refused, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	_ = refused.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := refused.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a connection above the limit: %d, %v", n, err)
	}
	silent.Close()
	until(t, "connections", open, "2")
	asked.Close()
	until(t, "connections", open, "1")
	secured.Close()
	until(t, "connections", open, "0")
}

// A tunnel that brings nothing, half of TLS or half of a request ends in time, and so does
// one that is silent after a request.
func TestTunnelsAreBoundedInTime(t *testing.T) {
	t.Parallel()
	const short = 100 * time.Millisecond
	tests := map[string]struct {
		idle, head time.Duration
		sent       string
	}{
		"nothing":             {short, time.Minute, ""},
		"a byte of TLS":       {time.Minute, short, "\x16"},
		"half of a hello":     {time.Minute, short, "\x16\x03\x01\x02\x00\x01\x00"},
		"half of a head":      {time.Minute, short, "GET /page HTTP/1.1\r\nHost:"},
		"silent after a call": {short, time.Minute, "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n"},
	}
	for name, tt := range tests {
		for _, together := range []bool{true, false} { // with CONNECT in one packet
			t.Run(fmt.Sprintf("%s, together %v", name, together), func(t *testing.T) {
				t.Parallel()
				p := startProxy(t, func(c *server.Config) { c.IdleTimeout, c.HeadTimeout = tt.idle, tt.head })
				now, later := tt.sent, ""
				if !together {
					now, later = "", tt.sent
				}
				conn, from := p.connect(t, "locker.toy.example:443", now)
				if _, err := io.WriteString(conn, later); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, from); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("the tunnel stays open")
				}
			})
		}
	}
}

// Without TLS a tunnel is for http alone, and what is wrong with it stands in the log.
func TestTunnelsWithoutTLS(t *testing.T) {
	t.Parallel()
	p := startProxy(t, func(c *server.Config) { c.TLS = false })
	_, from := p.connect(t, "locker.toy.example:80", "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n")
	if status, body, err := read(http.ReadResponse(from, nil)); err != nil || status != 200 {
		t.Fatal(status, body, err)
	}
	_, from = p.connect(t, "locker.toy.example:80", "\x16\x03\x01")
	if _, err := from.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(p.log.String(), "start with --tls") {
		t.Errorf("the log has %s", p.log)
	}
	if _, _, err := read(p.client(t, "").Get("https://locker.toy.example/page")); err == nil || !strings.Contains(err.Error(), "TLS is off; start with --tls") {
		t.Errorf("got %v", err)
	}
}

// Many clients with sandboxes of their own do not meet.
func TestParallelTunnels(t *testing.T) {
	t.Parallel()
	p := startProxy(t, nil)
	const jobs, calls = 64, 3
	var wg sync.WaitGroup
	for job := range jobs {
		client := p.client(t, fmt.Sprintf("job-%d", job))
		wg.Go(func() {
			for range calls {
				if status, body, err := read(client.Get("https://locker.toy.example/page")); status != 200 || err != nil {
					t.Errorf("job %d: got %d %s %v", job, status, body, err)
				}
			}
		})
	}
	wg.Wait()
	for job := range jobs {
		if entries := p.entries(t, fmt.Sprintf("job-%d", job)); len(entries) != calls || entries[0].FoundBy != "proxy" {
			t.Errorf("job %d: got %d entries", job, len(entries))
		}
	}
}

// Close ends tunnels of every kind within its time, and leaves nothing behind.
func TestCloseEndsTunnels(t *testing.T) {
	before := runtime.NumGoroutine()
	p, c := newProxy(t, func(c *server.Config) { c.Activate = []string{"toy/stall"} })
	var err error
	if p.Server, err = server.Start(c); err != nil {
		t.Fatal(err)
	}
	p.trust(t)
	var ends []*bufio.Reader
	keep := func(_ net.Conn, from *bufio.Reader) { ends = append(ends, from) }
	keep(p.connect(t, "locker.toy.example:443", ""))                           // nothing came
	keep(p.connect(t, "locker.toy.example:443", "\x16\x03\x01"))               // half of TLS
	keep(p.connect(t, "locker.toy.example:80", "GET /page HTTP/1.1\r\nHost:")) // half of a head
	keep(p.connect(t, "locker.toy.example:80", "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n"))
	kept, from := p.connect(t, "locker.toy.example:443", "")
	client := tls.Client(kept, &tls.Config{ServerName: "locker.toy.example", RootCAs: p.roots})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(client, "GET /nowhere HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if status, body, err := read(http.ReadResponse(bufio.NewReader(client), nil)); err != nil || status != 404 {
		t.Fatal(status, body, err)
	}
	keep(nil, from)
	until(t, "stalled calls", func() string { return fmt.Sprint(len(p.entries(t, "default"))) }, "2")
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = p.Close(ctx)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Close took %s", took)
	}
	for i, from := range ends {
		if _, err := io.Copy(io.Discard, from); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("tunnel %d stays open", i)
		}
	}
	until(t, "goroutines", func() string {
		if n := runtime.NumGoroutine(); n > before {
			return fmt.Sprint(n)
		}
		return "as before"
	}, "as before")
}

// curl takes the door for its proxy as it is.
func TestCurlThroughTheProxy(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl on PATH")
	}
	p := startProxy(t, nil)
	ask := func(args ...string) string {
		all := append([]string{"-sS", "--noproxy", "", "--max-time", "20", "--cacert", p.ca, "-x", p.DoorURL, "-o", os.DevNull, "-w", "%{http_code}"}, args...)
		said, _ := exec.Command(curl, all...).CombinedOutput() // what it says of a failure is looked at
		return string(said)
	}
	const host = "locker.toy.example/page"
	for _, one := range []struct {
		args []string
		want string
	}{
		{[]string{"http://" + host}, "200"},
		{[]string{"--proxy-user", "job-1:x", "http://" + host}, "200"},
		{[]string{"--proxy-user", "job-1:x", "https://" + host, "-o", os.DevNull, "https://" + host}, "200200"},
		{[]string{"--proxy-user", "job-1:x", "--proxytunnel", "http://" + host}, "200"},
		{[]string{"http://example.com/"}, "599"},
	} {
		if got := ask(one.args...); got != one.want {
			t.Errorf("curl %v: got %s", one.args, got)
		}
	}
	if got := ask("https://example.com/"); !strings.Contains(got, "599") {
		t.Errorf("another host by https: got %s", got)
	}
	if entries := p.entries(t, "job-1"); len(entries) != 4 {
		t.Errorf("got %d entries", len(entries))
	}
}

// The control port is no proxy.
func TestControlIsNoProxy(t *testing.T) {
	t.Parallel()
	p := startProxy(t, nil)
	for line, want := range map[string]int{
		"CONNECT locker.toy.example:443": http.StatusMisdirectedRequest, "GET http://locker.toy.example/page": http.StatusMisdirectedRequest,
		"CONNECT localhost:443": http.StatusNotFound, "GET http://example.com/v1/status": http.StatusMisdirectedRequest,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.ControlURL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n", line)
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		var problem struct{ Detail string }
		err = json.NewDecoder(r.Body).Decode(&problem)
		r.Body.Close()
		if err != nil || r.StatusCode != want || problem.Detail == "" {
			t.Errorf("%s: got %d %+v, %v", line, r.StatusCode, problem, err)
		}
		conn.Close()
	}
}

// Whatever a client sends for a CONNECT, it gets an answer that ends the connection: 599 of
// ours, or 400 of net/http where that is no HTTP. What follows is never taken for a request.
func TestBadConnects(t *testing.T) {
	t.Parallel()
	p := startProxy(t, nil)
	const smuggled = "GET /page HTTP/1.1\r\nHost: locker.toy.example\r\n\r\n"
	for line, want := range map[string]string{
		"CONNECT example.com:443 HTTP/1.1\r\nHost: locker.toy.example:443":                                 "599 the proxy takes documented hosts only",
		"CONNECT 169.254.169.254:80 HTTP/1.0":                                                              "599 the proxy takes documented hosts only",
		"CONNECT " + strings.Repeat("a", 300) + ":443 HTTP/1.1\r\nHost: x":                                 "599 the proxy takes documented hosts only",
		"CONNECT /page HTTP/1.1\r\nHost: locker.toy.example:443":                                           "599 the proxy takes documented hosts only",
		"CONNECT me@locker.toy.example:443 HTTP/1.1\r\nHost: x":                                            "599 the proxy takes documented hosts only",
		"CONNECT locker.toy.example:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5":                          "599 no tunnel is opened",
		"CONNECT locker.toy.example:443 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked":                 "599 no tunnel is opened",
		"CONNECT locker.toy.example:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic QTo=":            "599 no such sandbox",
		"CONNECT locker.toy.example:port HTTP/1.1\r\nHost: x":                                              "400 Bad Request",
		"CONNECT locker.toy.example:443\x00 HTTP/1.1\r\nHost: x":                                           "400 Bad Request",
		"CONNECT  HTTP/1.1\r\nHost: x":                                                                     "599 the proxy takes documented hosts only",
		"CONNECT locker.toy.example:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6":     "400 Bad Request",
		"CONNECT [::1%25lo]:443 HTTP/1.1\r\nHost: x":                                                       "599 the proxy takes documented hosts only",
		"CONNECT https://locker.toy.example:443 HTTP/1.1\r\nHost: locker.toy.example":                      "599 the proxy takes documented hosts only",
		"CONNECT locker.toy.example:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Digest username=\"j\"": "599 no such sandbox",
	} {
		conn, err := net.Dial("tcp", p.address())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(conn, line+"\r\n\r\n"+smuggled); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if !strings.HasPrefix(string(got), "HTTP/1.1 "+want+"\r\n") || strings.Count(string(got), "HTTP/1.1 ") != 1 || err != nil {
			t.Errorf("%.80q: got %.300q, %v, want %s", line, got, err, want)
		}
		conn.Close()
	}
	if entries := p.entries(t, "default"); len(entries) != 0 {
		t.Errorf("requests came through: %+v", entries)
	}
}
