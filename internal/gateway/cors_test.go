package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// A browser that sends or reads understudy's headers may do so. Any other gets
// the API's own CORS headers and no byte more.
func TestBrowsersMaySendAndReadHeadersOfOurs(t *testing.T) {
	const origin = "https://app.example"
	tests := []struct {
		name, method, target, api string // api: what the API allows the origin
		headers                   []string
		want                      string // allow-headers, expose-headers
	}{
		{"a plain preflight", "OPTIONS", "/page", "*", []string{"Origin", origin, "Access-Control-Request-Headers", "content-type"}, "Content-Type | X-Own"},
		{"a preflight that asks for ours", "OPTIONS", "/page", "*", []string{"Origin", origin, "Access-Control-Request-Headers", "content-type, understudy-sandbox,understudy-outcome"}, "Content-Type,Understudy-Sandbox,Understudy-Outcome | X-Own"},
		{"a header of ours that nobody knows", "OPTIONS", "/page", "*", []string{"Origin", origin, "Access-Control-Request-Headers", "understudy-nonsense, understudy-scenario"}, "Content-Type,Understudy-Scenario | X-Own"},
		{"an API that lets nobody in", "OPTIONS", "/page", "", []string{"Origin", origin, "Access-Control-Request-Headers", "understudy-sandbox"}, "Content-Type | X-Own"},
		{"a plain request", "GET", "/page", "*", []string{"Origin", origin}, "Content-Type | X-Own"},
		{"a request that carries ours", "GET", "/page", "*", []string{"Origin", origin, "Understudy-Sandbox", "bob"}, "Content-Type | X-Own,Understudy-Outcome,Understudy-Decided-By,Understudy-Call"},
		{"no browser", "GET", "/page", "*", []string{"Understudy-Sandbox", "bob"}, "Content-Type | X-Own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			shared := http.Header{"Access-Control-Allow-Headers": {"Content-Type"}, "Access-Control-Expose-Headers": {"X-Own"}}
			if tt.api != "" {
				shared.Set("Access-Control-Allow-Origin", tt.api)
			}
			p := open(t, nil)
			p.api.Write = func(*contract.Call, contract.Verdict, contract.Reply) contract.Response {
				return contract.Response{Status: 200, Header: shared}
			}
			p.api.Operation("Page").Write = nil
			for range 2 { // the API's answers share their headers
				h := send(p.gateway.Own(p.api), request(tt.method, tt.target, "", "", tt.headers...)).Header()
				if got := h.Get("Access-Control-Allow-Headers") + " | " + h.Get("Access-Control-Expose-Headers"); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
		})
	}
}

func TestBrowsersMayReadFailuresOfOurs(t *testing.T) {
	for _, headers := range [][]string{nil, {"Origin", "https://app.example"}} {
		p := open(t, nil)
		h := send(p.gateway.Own(p.api), request("GET", "/page", "", "", append(headers, "Understudy-Outcome", "nonsense")...)).Header()
		got := strings.Join([]string{h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Expose-Headers"), h.Get("Vary")}, " | ")
		want := " |  | "
		if headers != nil {
			want = "https://app.example | Understudy-Problem | Origin"
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// With Open a page of any origin may ask an API that lets none in by itself, and with
// Vendor, or where the API has headers of its own, everything stays as the API does it.
func TestOpenToAnyOrigin(t *testing.T) {
	const origin = "https://app.example"
	preflight := []string{"Origin", origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "content-type, understudy-sandbox"}
	tests := []struct {
		name, method string
		cors         gateway.CORS
		own          bool // the API lets pages in by itself
		headers      []string
		status       int
		want         string // origin, methods, headers, exposed, vary
	}{
		{"a preflight", "OPTIONS", gateway.Open, false, preflight, 204, origin + " | PUT | content-type, understudy-sandbox |  | Origin"},
		{"a preflight that asks for no headers", "OPTIONS", gateway.Open, false, preflight[:4], 204, origin + " | PUT |  |  | Origin"},
		{"a request", "GET", gateway.Open, false, []string{"Origin", origin}, 200, origin + " |  |  | Content-Length,Content-Type,Understudy-Call,Understudy-Decided-By,Understudy-Outcome,Vary | Origin"},
		{"a request with a header of ours", "GET", gateway.Open, false, []string{"Origin", origin, "Understudy-Sandbox", "bob"}, 200, origin + " |  |  | Content-Length,Content-Type,Understudy-Call,Understudy-Decided-By,Understudy-Outcome,Vary | Origin"},
		{"an OPTIONS that is no preflight", "OPTIONS", gateway.Open, false, []string{"Origin", origin}, 405, origin + " |  |  | Content-Length,Content-Type,Understudy-Call,Understudy-Decided-By,Understudy-Outcome,Vary | Origin"},
		{"no browser", "GET", gateway.Open, false, nil, 200, " |  |  |  | "},
		{"an API of its own ways", "GET", gateway.Open, true, []string{"Origin", origin}, 200, " |  |  |  | "},
		{"vendor", "OPTIONS", gateway.Vendor, false, preflight, 405, " |  |  |  | "},
		{"nothing is said", "GET", "", false, []string{"Origin", origin}, 200, " |  |  |  | "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := open(t, func(c *gateway.Config) { c.CORS = map[string]gateway.CORS{c.APIs[0].Name: tt.cors} })
			p.api.CORS = tt.own
			w := send(p.gateway.Own(p.api), request(tt.method, "/page", "", "", tt.headers...))
			h := w.Header()
			got := strings.Join([]string{
				h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Methods"), h.Get("Access-Control-Allow-Headers"),
				h.Get("Access-Control-Expose-Headers"), h.Get("Vary"),
			}, " | ")
			if w.Code != tt.status || got != tt.want {
				t.Errorf("got %d %s, want %d %s", w.Code, got, tt.status, tt.want)
			}
		})
	}
}

// A page reads why it was refused, too.
func TestOpenToAnyOriginReadsFailuresOfOurs(t *testing.T) {
	p := open(t, func(c *gateway.Config) { c.CORS = map[string]gateway.CORS{c.APIs[0].Name: gateway.Open} })
	h := send(p.gateway.Own(p.api), request("GET", "/@Bad_Name/page", "", "", "Origin", "https://app.example")).Header()
	if h.Get("Understudy-Problem") == "" || h.Get("Access-Control-Allow-Origin") != "https://app.example" || h.Get("Access-Control-Expose-Headers") != "Understudy-Problem" || len(h["Vary"]) != 1 {
		t.Errorf("got %v", h)
	}
}
