package control_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/control"
)

func TestTLSFaults(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const at = "/v1/tls-faults/"
	s.check([]row{
		{method: "GET", target: "/v1/tls-faults", status: 200, want: []string{`{"items":[]}`}},
		{method: "PUT", target: at + "Toy.Example.com", body: `{"fault":"reset"}`, status: 200, want: []string{`{"host":"toy.example.com","fault":"reset","met":0}`}},
		{method: "PUT", target: at + "toy.example.com", body: `{"fault":"expired","for":"30m"}`, status: 200, want: []string{`{"host":"toy.example.com","fault":"expired","until":"2`}},
		{method: "PUT", target: at + "*.localhost", body: `{"fault":"slow"}`, status: 200},
		{method: "GET", target: "/v1/tls-faults", status: 200, want: []string{`"host":"toy.example.com","fault":"expired"`, `{"host":"*.localhost","fault":"slow","met":0}]}`}},
		{method: "GET", target: at + "*.localhost", status: 200, want: []string{`"slow"`}},
		{method: "POST", target: "/v1/sandboxes/default/reset", status: 200},
		{method: "GET", target: "/v1/status", status: 200, want: []string{`"tls":{"url":"","ca":"","sha256":"`, `"faults":[{"host":"toy.example.com"`}},
		{method: "PUT", target: at + "evil.example", body: `{"fault":"reset"}`, status: 422, want: []string{"so it can have no TLS fault; a documented host was expected"}},
		{method: "PUT", target: at + "toy.example.com", body: `{"fault":"resett"}`, status: 422, want: []string{`did you mean \"reset\"?`}},
		{method: "PUT", target: at + "toy.example.com", body: `{}`, status: 400, want: []string{"fault is null; one of expired, wrong-name,"}},
		{method: "PUT", target: at + "toy.example.com", body: `{"fault":"slow","for":"0s"}`, status: 400, want: []string{`for is \"0s\"; a positive duration`}},
		{method: "PUT", target: at + "toy.example.com", body: `{"fault":"slow","for":7}`, status: 400, want: []string{"for is 7; a positive duration"}},
		{method: "PUT", target: at + "toy.example.com", body: `{"fault":"slow","ttl":"5m"}`, status: 400, want: []string{`a member \"ttl\", which is unknown here`}},
		{method: "GET", target: at + "toy.exampel.com", status: 404, want: []string{`did you mean \"toy.example.com\"?`}},
		{method: "DELETE", target: at + "toy.exampel.com", status: 404, want: []string{`no TLS fault is on for`}},
		{method: "DELETE", target: at + "toy.example.com", status: 204},
		{method: "DELETE", target: at + "toy.example.com", status: 404},
		{method: "GET", target: at + "toy.example.com", status: 404},
	})
	off := newTestServer(t, func(c *control.Config) { c.Authority = nil })
	off.check([]row{
		{method: "GET", target: "/v1/tls-faults", status: 409, want: []string{"start the server with --tls"}},
		{method: "PUT", target: at + "toy.example.com", body: `{"fault":"reset"}`, status: 409},
		{method: "DELETE", target: at + "toy.example.com", status: 409},
		{method: "GET", target: "/v1/sandboxes/default?tls=true", status: 409, want: []string{"start the server with --tls"}},
		{method: "GET", target: "/v1/sandboxes/default?tls=false", status: 200},
		{method: "PUT", target: "/v1/sandboxes/new?tls=true", status: 409},
		{method: "GET", target: "/v1/sandboxes/new", status: 404},
	})
}

// The variables that lead clients through TLS are told to who asks for them.
func TestTLSEnvironment(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) {
		c.URLs = func(string) map[string]string {
			return map[string]string{"control": "http://control.example:6400", "door": "http://understudy:6410", "tls": "https://understudy:6420"}
		}
	})
	env := func(method, target string) map[string]string {
		var box struct{ Env map[string]string }
		w := s.ask(method, target, "")
		if err := json.Unmarshal(w.Body.Bytes(), &box); err != nil || w.Code >= 300 {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		return box.Env
	}
	plain := env("GET", "/v1/sandboxes/default")
	for name := range plain {
		if strings.Contains(strings.ToUpper(name), "PROXY") || strings.Contains(name, "CERT") {
			t.Errorf("%s stands there unasked", name)
		}
	}
	got := env("PUT", "/v1/sandboxes/job-7?tls=true&ca=/certs/ca.pem")
	for name, want := range map[string]string{
		"NODE_EXTRA_CA_CERTS": "/certs/ca.pem", "SSL_CERT_FILE": "/certs/ca.pem", "REQUESTS_CA_BUNDLE": "/certs/ca.pem", "CURL_CA_BUNDLE": "/certs/ca.pem",
		"HTTPS_PROXY": "http://job-7:x@understudy:6410", "https_proxy": "http://job-7:x@understudy:6410", "http_proxy": "http://job-7:x@understudy:6410", "HTTP_PROXY": "",
		"NO_PROXY": "localhost,127.0.0.1,::1,control.example,understudy", "no_proxy": "localhost,127.0.0.1,::1,control.example,understudy",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	// A CA that is in memory alone is in no file.
	if got := env("GET", "/v1/sandboxes/default?tls=true"); got["HTTPS_PROXY"] != "http://default:x@understudy:6410" || got["SSL_CERT_FILE"] != "" {
		t.Errorf("got %v", got)
	}
}
