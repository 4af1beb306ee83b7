package gateway_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
)

func basic(user string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":x"))
}

// openProxy is a gateway that takes tunnels and counts them, with a host by a pattern.
func openProxy(t *testing.T, opened chan<- *gateway.Tunnel) *rig {
	return open(t, func(c *gateway.Config) {
		c.APIs[0].Hosts = append(c.APIs[0].Hosts, contract.Host{Name: "*.boxes.example"})
		c.Secure = true
		c.Tunnel = func(conn net.Conn, to *gateway.Tunnel) {
			_ = conn.Close()
			opened <- to
		}
	})
}

// What a client asks its proxy for decides, and the header Host does not.
func TestAbsoluteForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, target, port string
		headers            []string
		problem            string // "": it is answered
		sandbox, foundBy   string
		url, base          string
	}{
		{name: "a documented host", target: "http://locker.toy.example/page", url: "/page", base: "http://locker.toy.example"},
		{name: "capitals, port and query", target: "http://Locker.TOY.example:80/page?a=1&b", url: "/page?a=1&b", base: "http://Locker.TOY.example:80"},
		{name: "https", target: "https://locker.toy.example/page", url: "/page", base: "https://locker.toy.example"},
		{name: "https with its port, by a user", target: "HTTPS://any.boxes.example:443/page?a=1", headers: []string{"Proxy-Authorization", basic("job-7")}, sandbox: "job-7", foundBy: "proxy", url: "/page?a=1", base: "https://any.boxes.example:443"},
		{name: "https and a path", target: "https://locker.toy.example/@bob/page", sandbox: "bob", foundBy: "path", url: "/@bob/page", base: "https://locker.toy.example/@bob"},
		{name: "a host of a pattern", target: "http://any.boxes.example/page", url: "/page", base: "http://any.boxes.example"},
		{name: "a trailing dot", target: "http://locker.toy.example./page", url: "/page"},
		{name: "the door's own name with a trailing dot", target: "http://localhost.:6410/toy/page", url: "/toy/page"},
		{name: "no path", target: "http://locker.toy.example", url: "/"},
		{name: "no path and a query", target: "http://locker.toy.example?a=1", url: "/?a=1"},
		{name: "escapes stay", target: "http://locker.toy.example/a%2Fb/../c", url: "/a%2Fb/../c"},
		{name: "a user", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", basic("job-7")}, sandbox: "job-7", foundBy: "proxy", url: "/page"},
		{name: "an escaped user", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", basic("job%2D7")}, sandbox: "job-7", foundBy: "proxy", url: "/page"},
		{name: "no user", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", basic("")}, url: "/page"},
		{name: "the header before the user", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", basic("job-7"), "Understudy-Sandbox", "carol"}, sandbox: "carol", foundBy: "header", url: "/page"},
		{name: "the path before the user", target: "http://locker.toy.example/@bob/page", headers: []string{"Proxy-Authorization", basic("job-7")}, sandbox: "bob", foundBy: "path", url: "/@bob/page", base: "http://locker.toy.example/@bob"},
		{name: "the user before an identifier", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", basic("job-7"), "Toy-Token", "t-1"}, sandbox: "job-7", foundBy: "proxy", url: "/page"},
		{name: "the door's own name", target: "http://localhost:6410/toy/page", url: "/toy/page", base: "https://mocks.example.com/toy"},
		{name: "a name below localhost", target: "http://bob.toy.localhost:7000/page", sandbox: "bob", foundBy: "host", url: "/page"},
		{name: "the door's address", target: "http://127.0.0.1:6410/toy/page", url: "/toy/page"},
		{name: "the connection's address", target: "http://192.0.2.7:6410/toy/page", url: "/toy/page"},
		{name: "the advertised door", target: "http://mocks.example.com/toy/page", url: "/toy/page"},

		{name: "another host", target: "http://example.com/page", problem: "proxy-refused"},
		{name: "a host that only ends so", target: "http://evil-locker.toy.example/page", problem: "proxy-refused"},
		{name: "two labels for one", target: "http://a.b.boxes.example/page", problem: "proxy-refused"},
		{name: "https at the port of http", target: "https://locker.toy.example:80/page", problem: "proxy-refused"},
		{name: "http at the port of https", target: "http://locker.toy.example:443/page", problem: "proxy-refused"},
		{name: "another host by https", target: "https://example.com/page", problem: "proxy-refused"},
		{name: "the door by https", target: "https://localhost:6410/toy/page", problem: "proxy-refused"},
		{name: "a user name in a target by https", target: "https://me:secret@locker.toy.example/page", problem: "proxy-refused"},
		{name: "ftp", target: "ftp://locker.toy.example/page", problem: "proxy-refused"},
		{name: "no host", target: "http:page", problem: "proxy-refused"},
		{name: "an empty host", target: "http:///page", problem: "proxy-refused"},
		{name: "another port", target: "http://locker.toy.example:8080/page", problem: "proxy-refused"},
		{name: "two trailing dots", target: "http://locker.toy.example../page", problem: "proxy-refused"},
		{name: "a dot alone", target: "http://./page", problem: "proxy-refused"},
		{name: "a user name in the target", target: "http://me:secret@locker.toy.example/page", problem: "proxy-refused"},
		{name: "a user name for the door", target: "http://me:secret@localhost:6410/toy/page", problem: "proxy-refused"},
		{name: "another service of this machine", target: "http://localhost:3000/toy/page", problem: "proxy-refused"},
		{name: "another address", target: "http://169.254.169.254/latest/meta-data/", problem: "proxy-refused"},
		{name: "another port of the address", target: "http://192.0.2.7:22/", problem: "proxy-refused"},
		{name: "a name below localhost that is no API's", target: "http://letters.localhost:6410/page", problem: "proxy-refused"},
		{name: "a bad user", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", basic("Job 7")}, problem: "sandbox"},
		{name: "another scheme", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", "Bearer c2VjcmV0"}, problem: "sandbox"},
		{name: "no base64", target: "http://locker.toy.example/page", headers: []string{"Proxy-Authorization", "Basic §"}, problem: "sandbox"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, func(c *gateway.Config) {
				c.APIs[0].Hosts = append(c.APIs[0].Hosts, contract.Host{Name: "*.boxes.example"})
				c.Advertise = "https://mocks.example.com"
			})
			base := ""
			p.api.Operation("Page").Write = func(c *contract.Call, _ contract.Verdict, _ contract.Reply) contract.Response {
				base = c.Request.Base
				return contract.Response{Status: 200}
			}
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + tt.target + " HTTP/1.1\r\nHost: other.example\r\nProxy-Connection: keep-alive\r\n\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i+1 < len(tt.headers); i += 2 {
				r.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 6410}
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, at))
			rec := send(p.gateway.Shared(), r)
			if got := rec.Header().Get(gateway.ProblemHeader); got != tt.problem {
				t.Fatalf("got problem %q, want %q: %s", got, tt.problem, rec.Body)
			}
			if tt.problem != "" {
				helpful(t, rec, tt.problem)
				return
			}
			if tt.sandbox == "" {
				tt.sandbox, tt.foundBy = "default", "default"
			}
			entries, _ := p.registry.Find(tt.sandbox).Journal.List(journal.Filter{})
			if len(entries) != 1 || entries[0].FoundBy != tt.foundBy {
				t.Fatalf("got %+v", entries)
			}
			shown, _ := p.registry.Find(tt.sandbox).Journal.Find(entries[0].ID)
			if shown.Request.URL != tt.url || shown.Request.Header["Proxy-Authorization"] != nil || shown.Request.Header["Proxy-Connection"] != nil {
				t.Errorf("the journal has %+v", shown.Request)
			}
			if tt.base != "" && base != tt.base {
				t.Errorf("the client is told %s, want %s", base, tt.base)
			}
		})
	}
}

// A client whose proxy is the only way in has understudy's own pages by it.
func TestOwnPagesInAbsoluteForm(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"http://localhost:6410/@/proxy.pac":     "PROXY localhost:6410",
		"http://localhost:6410/@/ca.pem":        "the CA",
		"http://locker.toy.example/@/ca.pem":    "the CA",
		"http://locker.toy.example/@/proxy.pac": "ask by the address at which browsers reach the door",
		"http://locker.toy.example/@/nothing":   "/@/ca.pem, /@/proxy.pac",
		"http://elsewhere.example/@/ca.pem":     "passes nothing through",
	} {
		p := open(t, func(c *gateway.Config) { c.CA = []byte("the CA") })
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: other.example\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 6410}))
		if got := send(p.gateway.Shared(), r).Body.String(); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}

// helpful holds a refusal to what users get from it.
func helpful(t *testing.T, rec *httptest.ResponseRecorder, code string) {
	t.Helper()
	body := rec.Body.String()
	if rec.Code != gateway.StatusProblem || rec.Header().Get("Content-Type") != "application/problem+json" || len(body) > 2000 {
		t.Errorf("got %d %v: %s", rec.Code, rec.Header(), body)
	}
	if code == "proxy-refused" && (!strings.Contains(body, "passes nothing through") || !strings.Contains(body, `"locker.toy.example"`)) {
		t.Errorf("the refusal does not say what is taken: %s", body)
	}
	if strings.Contains(body, "c2VjcmV0") {
		t.Errorf("the refusal tells a secret: %s", body)
	}
}

// A tunnel leads to a documented host at port 443 or 80, and nowhere else. Nothing here
// connects to anything: TestNothingElseDials holds that.
func TestConnect(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, authority, problem string }{
		{"a documented host", "locker.toy.example:443", ""},
		{"a trailing dot", "locker.toy.example.:443", ""},
		{"for http", "locker.toy.example:80", ""},
		{"capitals", "LOCKER.Toy.Example:443", ""},
		{"a host of a pattern", "any-1.boxes.example:443", ""},

		{"another host", "example.com:443", "proxy-refused"},
		{"another port", "locker.toy.example:8443", "proxy-refused"},
		{"a mail port", "locker.toy.example:25", "proxy-refused"},
		{"a port with zeros", "locker.toy.example:0443", "proxy-refused"},
		{"a port past all", "locker.toy.example:65979", "proxy-refused"},
		{"an empty port", "locker.toy.example:", "proxy-refused"},
		{"no port", "locker.toy.example", "proxy-refused"},
		{"no host", ":443", "proxy-refused"},
		{"a path", "/locker.toy.example:443", "proxy-refused"},
		{"a path behind it", "locker.toy.example:443/page", "proxy-refused"},
		{"an address with a scheme", "http://locker.toy.example:443", "proxy-refused"},
		{"localhost", "localhost:443", "proxy-refused"},
		{"a name below localhost", "toy.localhost:443", "proxy-refused"},
		{"loopback", "127.0.0.1:443", "proxy-refused"},
		{"short loopback", "127.1:443", "proxy-refused"},
		{"loopback as a number", "2130706433:443", "proxy-refused"},
		{"loopback in hexadecimal", "0x7f000001:443", "proxy-refused"},
		{"any address", "0.0.0.0:80", "proxy-refused"},
		{"loopback, IPv6", "[::1]:443", "proxy-refused"},
		{"mapped loopback", "[::ffff:127.0.0.1]:443", "proxy-refused"},
		{"an address with a zone", "[fe80::1%25eth0]:443", "proxy-refused"},
		{"a documented host in brackets", "[locker.toy.example]:443", "proxy-refused"},
		{"link-local", "169.254.10.1:80", "proxy-refused"},
		{"cloud metadata", "169.254.169.254:80", "proxy-refused"},
		{"cloud metadata, IPv6", "[fd00:ec2::254]:80", "proxy-refused"},
		{"cloud metadata by name", "metadata.google.internal:80", "proxy-refused"},
		{"a container's host", "host.docker.internal:80", "proxy-refused"},
		{"a private address", "10.0.0.1:443", "proxy-refused"},
		{"a user name", "me:secret@locker.toy.example:443", "proxy-refused"},
		{"a host as user name", "locker.toy.example@example.com:443", "proxy-refused"},
		{"two trailing dots", "locker.toy.example..:443", "proxy-refused"},
		{"a leading dot", ".boxes.example:443", "proxy-refused"},
		{"the domain of a pattern", "boxes.example:443", "proxy-refused"},
		{"a pattern", "*.boxes.example:443", "proxy-refused"},
		{"two labels for one", "a.b.boxes.example:443", "proxy-refused"},
		{"a hyphen first", "-a.boxes.example:443", "proxy-refused"},
		{"an underscore", "a_b.boxes.example:443", "proxy-refused"},
		{"a long label", strings.Repeat("a", 64) + ".boxes.example:443", "proxy-refused"},
		{"a long name", strings.Repeat("a", 300) + ".boxes.example:443", "proxy-refused"},
		{"a long name of short labels", strings.Repeat("a.", 150) + "boxes.example:443", "proxy-refused"},
		{"punycode that looks so", "xn--lcker-jua.toy.example:443", "proxy-refused"},
		{"letters of another script", "lоcker.toy.example:443", "proxy-refused"},
		{"a port twice", "locker.toy.example:443:443", "proxy-refused"},
		{"an escape", "locker%2Etoy.example:443", "proxy-refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opened := make(chan *gateway.Tunnel, 1)
			p := openProxy(t, opened)
			// What net/http makes of the line does not count: the handler has it as it came.
			r := httptest.NewRequest(http.MethodConnect, "locker.toy.example:443", nil)
			r.RequestURI = tt.authority
			rec := send(p.gateway.Shared(), r)
			if tt.problem != "" {
				if got := rec.Header().Get(gateway.ProblemHeader); got != tt.problem || rec.Header().Get("Connection") != "close" {
					t.Errorf("got %q %v: %s", got, rec.Header(), rec.Body)
				}
				helpful(t, rec, tt.problem)
				return
			}
			// The recorder has no connection that could become a tunnel: that is all that is wrong.
			if !strings.Contains(rec.Body.String(), "none of HTTP/1.1") {
				t.Errorf("got %s", rec.Body)
			}
			server := httptest.NewServer(p.gateway.Shared())
			defer server.Close()
			answer, _ := exchange(t, server, "CONNECT "+tt.authority+" HTTP/1.1\r\nHost: example.com\r\nProxy-Authorization: "+basic("job-7")+"\r\n\r\nand more")
			if answer != "HTTP/1.1 200 Connection established\r\n\r\n" {
				t.Errorf("got %q", answer)
			}
			if to := <-opened; to.API != p.api || to.Host != strings.TrimSuffix(strings.ToLower(tt.authority[:strings.LastIndexByte(tt.authority, ':')]), ".") || to.Sandbox != "job-7" || string(to.First) != "and more" {
				t.Errorf("got %+v", to)
			}
		})
	}
}

// exchange sends bytes and returns all that comes back.
func exchange(t *testing.T, server *httptest.Server, sent string) (string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	return string(all), err
}

// A tunnel that cannot be opened is refused with what to do.
func TestNoTunnel(t *testing.T) {
	t.Parallel()
	connect := func(headers ...string) *http.Request {
		return request(http.MethodConnect, "locker.toy.example:443", "", "", headers...)
	}
	withBody := connect()
	withBody.ContentLength = 3
	secure := func(c *gateway.Config) { c.Secure, c.Tunnel = true, func(net.Conn, *gateway.Tunnel) {} }
	tests := []struct {
		name           string
		change         func(*gateway.Config)
		own            bool
		r              *http.Request
		code, contains string
	}{
		{"TLS is off", nil, false, connect(), "no-tls", "start with --tls"},
		{"nobody serves tunnels", func(c *gateway.Config) { c.Secure = true }, false, connect(), "no-tunnel", "nobody serves"},
		{"the port of an API", secure, true, connect(), "no-tunnel", "the door"},
		{"a body", secure, false, withBody, "no-tunnel", "a body"},
		{"a bad user", secure, false, connect("Proxy-Authorization", basic("a.b")), "sandbox", "lower-case letters"},
		{"another scheme", secure, false, connect("Proxy-Authorization", "Negotiate YII"), "sandbox", "Basic"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, tt.change)
			h := p.gateway.Shared()
			if tt.own {
				h = p.gateway.Own(p.api)
			}
			if rec := send(h, tt.r); rec.Code != gateway.StatusProblem || rec.Header().Get(gateway.ProblemHeader) != tt.code || !strings.Contains(rec.Body.String(), tt.contains) {
				t.Errorf("got %d %v: %s", rec.Code, rec.Header(), rec.Body)
			}
		})
	}
}

// The requests within a tunnel are those of its API, and of its sandbox unless they name
// another.
func TestTunnelled(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, target, host string
		headers                    []string
		problem, sandbox, foundBy  string
	}{
		{"the tunnel's host", "GET", "/page", "locker.toy.example", nil, "", "job-7", "proxy"},
		{"with a port", "GET", "/page", "Locker.toy.example:443", nil, "", "job-7", "proxy"},
		{"another host of the API", "GET", "/page", "x.boxes.example", nil, "", "job-7", "proxy"},
		{"absolute form", "GET", "http://locker.toy.example/page", "", nil, "", "job-7", "proxy"},
		{"a user in the request", "GET", "/page", "locker.toy.example", []string{"Proxy-Authorization", basic("mallory")}, "", "job-7", "proxy"},
		{"a header", "GET", "/page", "locker.toy.example", []string{"Understudy-Sandbox", "carol"}, "", "carol", "header"},
		{"a path", "GET", "/@bob/page", "locker.toy.example", nil, "", "bob", "path"},
		{"a path of no API", "GET", "/nowhere", "locker.toy.example", nil, "", "job-7", "proxy"},

		{"another host", "GET", "/page", "example.com", nil, "other-host", "", ""},
		{"no host", "GET", "/page", "-", nil, "other-host", "", ""},
		{"a name of ours", "GET", "/page", "toy.localhost", nil, "other-host", "", ""},
		{"an address", "GET", "/page", "127.0.0.1:6410", nil, "other-host", "", ""},
		{"another host in absolute form", "GET", "http://example.com/page", "", nil, "other-host", "", ""},
		{"the scheme of another connection", "GET", "https://locker.toy.example/page", "", nil, "other-host", "", ""},
		{"a tunnel", "CONNECT", "locker.toy.example:443", "", nil, "no-tunnel", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := openProxy(t, nil)
			r := request(tt.method, tt.target, tt.host, "", tt.headers...)
			r.TLS = nil
			if tt.host == "-" {
				r.Host = ""
			}
			r = r.WithContext(gateway.WithTunnel(r.Context(), &gateway.Tunnel{API: p.api, Host: "locker.toy.example", Sandbox: "job-7"}))
			rec := send(p.gateway.Tunnelled(), r)
			if got := rec.Header().Get(gateway.ProblemHeader); got != tt.problem {
				t.Fatalf("got problem %q, want %q: %s", got, tt.problem, rec.Body)
			}
			if tt.problem != "" {
				return
			}
			entries, _ := p.registry.Find(tt.sandbox).Journal.List(journal.Filter{})
			if len(entries) != 1 || entries[0].FoundBy != tt.foundBy {
				t.Errorf("got %+v", entries)
			}
		})
	}
}
