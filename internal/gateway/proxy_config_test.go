package gateway_test

import (
	"crypto/tls"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/gateway"
)

// The proxy that browsers are told is the door as they reach it.
func TestProxyConfigNamesTheDoor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, host, advertise string
		secure                        bool
		headers                       []string
		want                          string // "": it is refused
	}{
		{"host and port", "GET", "127.0.0.1:6410", "", false, nil, `return "PROXY 127.0.0.1:6410";`},
		{"HEAD", "HEAD", "127.0.0.1:6410", "", false, nil, `return "PROXY 127.0.0.1:6410";`},
		{"no port", "GET", "understudy", "", false, nil, `return "PROXY understudy:80";`},
		{"IPv6", "GET", "[::1]:6410", "", false, nil, `return "PROXY [::1]:6410";`},
		{"TLS", "GET", "localhost:6420", "", true, nil, `return "HTTPS localhost:6420";`},
		{"a proxy before the door", "GET", "inner", "", false, []string{"X-Forwarded-Host", "mocks.example.com:8080"}, `return "PROXY mocks.example.com:8080";`},
		{"advertised", "GET", "inner", "http://mocks.example.com:6410", false, nil, `return "PROXY mocks.example.com:6410";`},
		{"more than a host", "GET", "a;DIRECT", "", false, nil, ""},
		{"a quote", "GET", `a"+alert(1)+"`, "", false, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, func(c *gateway.Config) { c.Advertise = tt.advertise })
			r := request(tt.method, "/@/proxy.pac", tt.host, "", tt.headers...)
			if tt.secure {
				r.TLS = &tls.ConnectionState{}
			}
			rec := send(p.gateway.Shared(), r)
			if tt.want == "" {
				if rec.Code != gateway.StatusProblem || rec.Header().Get(gateway.ProblemHeader) != "no-proxy-config" {
					t.Errorf("got %d: %s", rec.Code, rec.Body)
				}
				return
			}
			if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/x-ns-proxy-autoconfig" || !strings.Contains(rec.Body.String(), tt.want) {
				t.Errorf("got %d %v: %s", rec.Code, rec.Header(), rec.Body)
			}
		})
	}
	p := open(t, nil)
	if rec := send(p.gateway.Own(p.api), httptest.NewRequest("GET", "/@/proxy.pac", nil)); rec.Code != gateway.StatusProblem || !strings.Contains(rec.Body.String(), "The proxy is the door") {
		t.Errorf("the port of one API is no proxy: %d %s", rec.Code, rec.Body)
	}
}
