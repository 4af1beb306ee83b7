package control_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/control"
)

const token = "s3cret-token"

// allRoutes lists the routes that the server names, with their places filled.
func allRoutes(t *testing.T, s *testServer) (methods, paths []string) {
	t.Helper()
	var index struct{ Routes []string }
	if err := json.Unmarshal(s.ask("GET", "/", "", "Authorization", "Bearer "+token).Body.Bytes(), &index); err != nil || len(index.Routes) < 20 {
		t.Fatalf("the routes cannot be walked: %v, %d", err, len(index.Routes))
	}
	fill := strings.NewReplacer("{sandbox}", "default", "{api}", "toy", "{name...}", "toy/no-hat", "{name}", "hat.lost", "{id}", "default-1")
	for _, r := range index.Routes {
		method, path, _ := strings.Cut(r, " ")
		methods, paths = append(methods, method), append(paths, fill.Replace(path))
	}
	return methods, paths
}

// disguises are ways to write a path so that a careless check takes it for
// another.
var disguises = []func(string) string{
	func(p string) string { return p },
	func(p string) string { return p + "/" },
	func(p string) string { return "/" + p },
	func(p string) string { return p + "?token=" + token + "&access_token=" + token },
	func(p string) string { return p + ";x=/healthz" },
	func(p string) string { return p + "%00" },
	func(p string) string { return "/healthz/.." + p },
	func(p string) string { return "/healthz%2f.." + p },
	func(p string) string { return "/healthz;" + p },
	func(p string) string { return "/./" + p },
	func(p string) string { return "/@default" + p },
	func(p string) string { return "/toy" + p },
	func(p string) string { return "http://127.0.0.1" + p },
	func(p string) string { return strings.ToUpper(p) },
	func(p string) string { return strings.ReplaceAll(p, "t", "%74") },
	func(p string) string { return strings.ReplaceAll(p, "s", "%73") },
	func(p string) string { return "/" + strings.ReplaceAll(p[1:], "/", "%2F") },
}

var oddMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "FOO"}

// No route is open without the token, however it is asked; probes alone are.
func TestEveryRouteNeedsTheToken(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Token = token })
	wrong := [][]string{
		nil,
		{"Authorization", "Bearer wrong"},
		{"Authorization", token},
		{"Authorization", "Basic " + token},
		{"Authorization", "Bearer"},
		{"Authorization", "Bearer " + token + "x"},
		{"Proxy-Authorization", "Bearer " + token},
		{"Cookie", "token=" + token},
		{"X-HTTP-Method-Override", "OPTIONS"},
		{"Access-Control-Request-Method", "PUT"},
	}
	methods, paths := allRoutes(t, s)
	for i, path := range paths {
		probe := path == "/healthz" || path == "/readyz"
		for _, disguise := range disguises {
			for _, method := range oddMethods {
				for i, headers := range wrong {
					target := disguise(path)
					if i > 0 && target != path {
						break // every disguise without a token, every wrong token without a disguise
					}
					w := record(s.server.Handler(), method, target, "", headers...)
					if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") != "" {
						continue
					}
					if bare, _, _ := strings.Cut(strings.TrimPrefix(target, "http://127.0.0.1"), "?"); probe && bare == path {
						continue
					}
					t.Errorf("%s %s with %q: status %d, want 401", method, target, headers, w.Code)
				}
			}
		}
		if w := s.ask(methods[i], path, "", "Authorization", "bearer "+token); w.Code == http.StatusUnauthorized {
			t.Errorf("%s %s with the token: status %d", methods[i], path, w.Code)
		}
	}
	if body := s.ask("GET", "/v1/status", "").Body.String(); strings.Contains(body, token) || !strings.Contains(body, "--control-token") {
		t.Errorf("got %s, want the flag and not the token", body)
	}
}

// No route is served to a foreign Host: neither a probe nor with the token.
func TestNoRouteServesAForeignHost(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Token, c.Origins = token, []string{"https://ci.example.com"} })
	_, paths := allRoutes(t, s)
	for _, path := range paths {
		for _, disguise := range disguises {
			target := strings.TrimPrefix(disguise(path), "http://127.0.0.1")
			for _, method := range oddMethods {
				w := s.ask(method, target, "", "Host", "evil.example.com", "Authorization", "Bearer "+token, "X-Forwarded-Host", "localhost",
					"Origin", "https://ci.example.com", "Access-Control-Request-Method", "PUT")
				if w.Code != http.StatusMisdirectedRequest {
					t.Errorf("%s %s: status %d, want 421", method, target, w.Code)
				}
			}
		}
	}
}

// Whatever is asked, no body of echo's ever leaves.
func TestEveryRefusalIsAProblem(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	_, paths := allRoutes(t, s)
	for _, path := range append(paths, "*", "/v2", "/v1") {
		for _, disguise := range disguises {
			if path == "*" {
				disguise = disguises[0]
			}
			for _, method := range oddMethods {
				w := record(s.server.Handler(), method, disguise(path), "")
				if w.Code < 400 {
					continue
				}
				var p struct {
					Title, Detail string
					Status        int
				}
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Title == "" || p.Detail == "" || w.Code >= 500 && path != "/readyz" {
					t.Errorf("%s %s: %d %s", method, disguise(path), w.Code, w.Body)
				}
			}
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.AllowHosts = []string{"Ci.Example.com", "10.0.0.7"} })
	served := []string{
		"localhost", "LOCALHOST:6400", "localhost.", "127.0.0.1", "127.0.0.1:6400", "[::1]:6400", "::1", "[fe80::1%25eth0]:1", "192.168.1.40:80", "203.0.113.9",
		"understudy", "my_service:6400", "a.localhost", "x.y.local", "mac.local.", "svc.internal", "ci.test", "nas.home.arpa:1", "ci.example.com:99", "CI.EXAMPLE.COM.",
	}
	foreign := []string{
		"", ":6400", "evil.example.com", "localhost.evil.com", "127.0.0.1.evil.com", "a.localhost.evil", "x.ci.example.com", "evil.com/.local", ".local", "a..local",
		"127.0.0.1 .local", "evil.com#.test", "[::1].evil.com", "evil.com:80:.local", "-a", "x.internal.com", "a@b", "0x7f.1.",
	}
	for _, host := range served {
		if w := s.ask("GET", "/healthz", "", "Host", host); w.Code != 200 {
			t.Errorf("host %q: %d %s", host, w.Code, w.Body)
		}
	}
	for _, host := range foreign {
		w := s.ask("GET", "/healthz", "", "Host", host)
		if w.Code != http.StatusMisdirectedRequest || !strings.Contains(w.Body.String(), "--control-allow-host") {
			t.Errorf("host %q: %d %s", host, w.Code, w.Body)
		}
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Origins, c.Token = []string{"https://ci.example.com/"}, token })
	bearer := []string{"Authorization", "Bearer " + token}
	const reset = "/v1/sandboxes/default/reset"
	from := func(origin string) []string { return append([]string{"Origin", origin}, bearer...) }
	allowed := [2]string{"Access-Control-Allow-Origin", "https://ci.example.com"}
	none := [2]string{"Access-Control-Allow-Origin", ""}
	s.check([]row{
		{method: "POST", target: reset, headers: bearer, status: 200, header: none},
		{method: "POST", target: reset, headers: from("http://localhost:6400"), status: 200, header: none},
		{name: "another port is another origin", method: "POST", target: reset, headers: from("http://localhost:3000"), status: 403, header: none},
		{name: "the standard port goes without saying", method: "POST", target: reset, headers: append(from("https://understudy"), "Host", "understudy:443"), status: 200},
		{method: "POST", target: reset, headers: from("https://evil.example.com"), status: 403, want: []string{"--control-origin"}, header: none},
		{method: "POST", target: reset, headers: from("null"), status: 403},
		{method: "POST", target: reset, headers: from("file://localhost:6400"), status: 403},
		{method: "POST", target: reset, headers: from("http://%zz"), status: 403},
		{name: "two origins", method: "POST", target: reset, headers: append(from("https://ci.example.com"), "Origin", "https://evil.example.com"), status: 403},
		{method: "DELETE", target: "/v1/sandboxes/default/journal", headers: from("https://evil.example.com"), status: 403},
		{method: "FOO", target: "/v1/status", headers: from("https://evil.example.com"), status: 403},
		{method: "OPTIONS", target: reset, headers: from("https://evil.example.com"), status: 403},
		{name: "a page may ask, and its browser keeps the answer from it", method: "GET", target: "/v1/status", headers: from("https://evil.example.com"), status: 200, header: none},
		{method: "POST", target: reset, headers: from("https://ci.example.com"), status: 200, header: allowed},
		{method: "GET", target: "/v1/status", headers: from("https://ci.example.com"), status: 200, header: allowed},
		{name: "an allowed page needs the token too", method: "GET", target: "/v1/status", headers: []string{"Origin", "https://ci.example.com"}, status: 401, header: allowed},
		{
			name: "preflight", method: "OPTIONS", target: reset, headers: []string{"Origin", "https://ci.example.com", "Access-Control-Request-Method", "POST"}, status: 204,
			header: [2]string{"Access-Control-Allow-Headers", "Authorization, Content-Type"},
		},
		{name: "preflight of a foreign page", method: "OPTIONS", target: reset, headers: []string{"Origin", "https://evil.example.com", "Access-Control-Request-Method", "POST"}, status: 403, header: none},
		{name: "preflight of the server's own page", method: "OPTIONS", target: reset, headers: []string{"Origin", "http://localhost:6400", "Access-Control-Request-Method", "POST"}, status: 403},
	})
	if w := s.ask("GET", "/healthz", ""); w.Header().Get("Vary") != "Origin" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
}

// The absolute form of a request's target names the host that counts.
func TestAbsoluteForm(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	r := httptest.NewRequest("GET", "http://evil.example.com/healthz", nil)
	w := httptest.NewRecorder()
	s.server.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("status %d, want 421", w.Code)
	}
}
