package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/server"
)

// asker asks servers with the token of their control API.
type asker struct {
	t     *testing.T
	token string
}

// ask returns the status of an answer, its body, and whether it came from the gateway,
// which says on each how it came about. host "" is that of the URL.
func (a asker) ask(method, url, host string) (status int, body string, gateways bool) {
	a.t.Helper()
	body = `{"advance":"1h"}`
	if method == http.MethodGet {
		body = ""
	}
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(r) // follows no redirect
	if err != nil {
		a.t.Fatal(err)
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") { // which has no end
		_ = answer.Body.Close()
		return answer.StatusCode, "", false
	}
	gateways = answer.Header.Get(gateway.DecidedByHeader) != "" || answer.Header.Get(gateway.ProblemHeader) != ""
	return answer.StatusCode, bodyOf(a.t, answer), gateways
}

// routes lists the routes that a control API names, by method and path, with their places
// filled.
func (a asker) routes(control string) (all [][2]string) {
	a.t.Helper()
	var index struct{ Routes []string }
	if _, body, _ := a.ask(http.MethodGet, control, ""); json.Unmarshal([]byte(body), &index) != nil || len(index.Routes) < 20 {
		a.t.Fatalf("the control API does not name its routes: %s", body)
	}
	fill := strings.NewReplacer("{sandbox}", "default", "{api}", "polyv", "{name...}", "polyv/server-error", "{name}", "stream.started", "{id}", "default-1")
	for _, r := range index.Routes {
		method, path, _ := strings.Cut(r, " ")
		all = append(all, [2]string{method, fill.Replace(path)})
	}
	return all
}

// No port but the control port has a route of the control API, neither with the token nor
// for the control API's own host nor inside of a sandbox: each answer is the gateway's, and
// what the control API shows stays as it is.
func TestControlIsAtItsPortAlone(t *testing.T) {
	t.Parallel()
	a := asker{t, "s3cret-token"}
	s := start(t, func(c *server.Config) { c.Token = a.token })
	shown := func() (all string) {
		for _, path := range []string{"/v1/scenarios", "/v1/sandboxes/default/scenarios", "/v1/sandboxes/default/clock"} {
			_, body, _ := a.ask(http.MethodGet, s.ControlURL+path, "")
			all += body + "\n"
		}
		return all
	}
	bases := []string{s.DoorURL, s.DoorURL + "/", s.DoorURL + "/@default"}
	for _, api := range s.APIs {
		bases = append(bases, s.URL(api.Name), s.URL(api.Name)+"/", s.URL(api.Name)+"/@default", s.DoorURL+"/"+api.Name)
	}
	before := shown()
	for _, route := range a.routes(s.ControlURL) {
		method, path := route[0], route[1]
		for _, base := range bases {
			for _, host := range []string{"", strings.TrimPrefix(s.ControlURL, "http://"), "localhost:6400"} {
				if status, body, gateways := a.ask(method, base+path, host); !gateways {
					t.Errorf("%s %s%s for host %q: got %d %.200s, want an answer of the gateway", method, base, path, host, status, body)
				}
			}
		}
	}
	if after := shown(); after != before {
		t.Errorf("got  %s\nwant %s", after, before)
	}
	for _, route := range a.routes(s.ControlURL) { // the answers do tell the two apart
		if status, body, gateways := a.ask(route[0], s.ControlURL+route[1], ""); gateways || status == http.StatusUnauthorized {
			t.Errorf("%s %s at the control port: got %d %s", route[0], route[1], status, body)
		}
	}
}
