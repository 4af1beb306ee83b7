package control_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/understudy-suite/understudy/internal/control"
)

// filler is what hostile input is made of: no message has it.
const filler = "Zq"

// longInput is longer than what any message shows of an input.
var longInput = strings.Repeat(filler, 1500)

// mostEchoed is how many bytes of an input may stand in an answer at one place.
const mostEchoed = 200

// standing is all that bad input must not change.
func standing(s *testServer) map[string]string {
	all := map[string]string{}
	for _, path := range []string{"/v1/sandboxes", "/v1/sandboxes/default", "/v1/sandboxes/default/state", "/v1/sandboxes/default/scenarios", "/v1/sandboxes/default/journal", "/v1/scenarios", "/v1/tls-faults"} {
		all[path] = s.ask("GET", path, "").Body.String()
	}
	return all
}

// helps reports where an answer to bad input is no problem document that helps.
func helps(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	var p struct {
		Title, Detail string
		Status        int
		Faults        []string
	}
	if len(what) > 300 {
		what = what[:300] + "…"
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code < 400 || w.Code >= 500 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %.300s", what, w.Code, w.Body)
		return
	}
	if p.Title != http.StatusText(w.Code) || p.Status != w.Code || len(strings.Fields(p.Detail)) < 4 {
		t.Errorf("%s: the problem helps nobody: %.300s", what, w.Body)
	}
	for _, text := range append(p.Faults, p.Detail) {
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("%s: a text has a control character: %q", what, text)
		}
	}
	if strings.Contains(w.Body.String(), strings.Repeat(filler, mostEchoed/len(filler)+1)) {
		t.Errorf("%s: the answer echoes more than %d bytes: %.1000s", what, mostEchoed, w.Body)
	}
	for name := range w.Header() {
		if len(w.Header().Get(name)) > mostEchoed {
			t.Errorf("%s: the header %s has %d bytes", what, name, len(w.Header().Get(name)))
		}
	}
}

// loose are the routes that pass over what they do not know.
var loose = []string{"/healthz", "/readyz", "/metrics"}

// eachRoute walks the table, with its methods and its paths as they are written.
func eachRoute(t *testing.T, do func(method, path string)) {
	t.Helper()
	for _, r := range describe(t).routes {
		do(r.method, r.path)
	}
}

// filled fills the places of a path with names that there are.
var filled = strings.NewReplacer("{sandbox}", "default", "{api}", "toy", "{name...}", "toy/no-hat", "{name}", "hat.lost", "{id}", "default-1", "{host}", "toy.example.com")

var placeOfRoute = regexp.MustCompile(`\{[^}]+\}`)

func newHostileServer(t *testing.T) (s *testServer, unchanged func()) {
	t.Helper()
	s = newTestServer(t, func(c *control.Config) { c.State = 4096 })
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.check([]row{
		{method: "PUT", target: "/v1/sandboxes/default/scenarios/network", status: 200},
		{method: "PUT", target: "/v1/sandboxes/default/clock", body: `{"freeze":"2026-03-01T12:00:00Z"}`, status: 200},
	})
	before := standing(s)
	return s, func() {
		t.Helper()
		for path, after := range standing(s) {
			if after != before[path] {
				t.Errorf("bad input changed %s:\nbefore %s\nafter  %s", path, before[path], after)
			}
		}
	}
}

// Unknown query parameters and methods.
func TestHostileQueries(t *testing.T) {
	t.Parallel()
	s, unchanged := newHostileServer(t)
	queries := []string{"?" + longInput + "=1", "?%00%1b%5b31m=1", "?%ff=%fe", "?a=1;b=2", "?%zz", "?" + longInput + "%zz", "?only=" + longInput + "&format=" + longInput + "&zq=1"}
	eachRoute(t, func(method, path string) {
		target := filled.Replace(path)
		for _, query := range queries {
			if !slices.Contains(loose, path) {
				helps(t, method+" "+target+query, s.ask(method, target+query, ""))
			}
		}
		helps(t, "a long method "+target, s.ask(longInput, target, ""))
	})
	for target, names := range map[string][]string{
		"GET /v1/scenarios":                  {"api", "operation"},
		"GET /v1/sandboxes/default/journal":  {"api", "operation", "outcome", "decided_by", "status", "since", "limit", "after"},
		"GET /v1/sandboxes/default/coverage": {"format", "all", "uncalled", "fail_under"},
		"POST /v1/sandboxes/default/verify":  {"format"},
		"POST /v1/sandboxes/default/reset":   {"only"},
		"GET /v1/sandboxes/default":          {"tls"},
		"POST /v1/sandboxes":                 {"tls"},
		"GET /v1/hosts":                      {"for", "address"},
	} {
		method, path, _ := strings.Cut(target, " ")
		for _, name := range names {
			for _, value := range []string{longInput, "%00%1b%5b31m", "%ff", "-1", "99999999999999999999"} {
				helps(t, method+" "+path+"?"+name+"="+value, s.ask(method, path+"?"+name+"="+value, ""))
			}
		}
	}
	unchanged()
}

// Bodies that no route takes, since it takes none or others.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	s, unchanged := newHostileServer(t)
	bodies := []string{
		"no JSON", "[1]", "[]", `"text"`, "7", "null", "true", `{"`, "\x00", "\xff\xfe", "{\"a\":\"\x01\"}", `{}{}`,
		`{"` + longInput + `":1}`, `{"\u0000\u001b[31m":1}`, `{"a":"` + longInput + `"}`, `{` + longInput + `}`, longInput,
		strings.Repeat("[", 2000), strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600),
		`{"` + filler + `":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
		strings.Repeat(" ", 4097), strings.Repeat(longInput, 20),
		"a: &a [1,1]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n", "- - - {", "\t", "%YAML 9\n---\n", "? {a: b}\n: c\n",
	}
	asked := 0
	eachRoute(t, func(method, path string) {
		if slices.Contains(loose, path) {
			return
		}
		asked++
		target := filled.Replace(path)
		for _, kind := range []string{"", "application/json", "application/yaml", "text/plain", "multipart/form-data", "application/" + longInput, "\x01"} {
			for _, body := range bodies {
				if emptyObject := strings.TrimSpace(body) == "" && len(body) <= 4096; emptyObject {
					continue
				}
				helps(t, method+" "+target+" "+kind+" "+body, s.ask(method, target, body, "Content-Type", kind))
			}
		}
		helps(t, method+" "+target+" compressed", s.ask(method, target, "{}", "Content-Encoding", longInput))
	})
	if asked < 30 {
		t.Errorf("%d routes were asked", asked)
	}
	unchanged()
	s.check([]row{
		{method: "POST", target: "/v1/sandboxes/default/reset", body: `{"only":["journal"]}`, status: 400, want: []string{"POST /v1/sandboxes/{sandbox}/reset takes no body, and one of 20 bytes came; what it takes stands in the query: ?only="}},
		{method: "DELETE", target: "/v1/sandboxes/default/journal", body: `{}`, status: 400, want: []string{"takes no body, and one of 2 bytes came; send none"}},
		{method: "POST", target: "/v1/sandboxes/default/reset", body: "\n", status: 200},
	})
}

// Members of the right name whose values are wrong.
func TestHostileMembers(t *testing.T) {
	t.Parallel()
	s, unchanged := newHostileServer(t)
	deep := strings.Repeat(`[`, 900) + strings.Repeat(`]`, 900)
	values := []string{`"` + longInput + `"`, `"\u0000\u001b[31m"`, `["` + longInput + `"]`, `{"` + longInput + `":1}`, `{"\u0001":"\u0002"}`, deep, `-1`, `1e999`, `99999999999999999999`, `[null]`, `""`}
	fits := []string{ // the empty text is as what is not given
		`name ""`, `auth ""`, `operation ""`, `api ""`, `outcome ""`, `decided_by ""`,
		"hat " + values[0], "hat " + values[1], // which the trigger itself refuses
	}
	for target, names := range map[string][]string{
		"PUT /v1/sandboxes/default/clock":                  {"advance", "freeze", "follow", "scale", "signatures"},
		"PUT /v1/sandboxes/default/scenarios/toy/no-hat":   {"times", "skip", "where", "for", "wire"},
		"PUT /v1/sandboxes/default/fixtures/toy":           {"name", "set"},
		"PUT /v1/tls-faults/toy.example.com":               {"fault", "for", "host"},
		"PUT /v1/sandboxes/default/state":                  {"version", "state", "clock", "progress", "fixtures", "adopted", "derived"},
		"POST /v1/sandboxes/default/triggers/toy/hat.lost": {"hat", "n", "why"},
		"POST /v1/sandboxes/default/verify":                {"api", "operation", "outcome", "where", "decided_by", "count", "order", "by", "within", "after", "since", "expectations"},
		"POST /v1/sandboxes/default/coverage":              {"waivers", "api", "outcome"},
		"POST /v1/sandboxes":                               {"name", "seed", "fixtures", "set", "scenarios", "clock", "auth", "unknown", "claims", "given", "door", "ttl"},
	} {
		method, path, _ := strings.Cut(target, " ")
		for _, name := range names {
			for _, value := range values {
				body := `{"` + name + `":` + value + `}`
				if slices.Contains(fits, name+" "+value) {
					continue
				}
				helps(t, target+" "+body, s.ask(method, path, body))
			}
		}
	}
	unchanged()
	for _, hat := range values[:2] {
		w := s.ask("POST", "/v1/sandboxes/default/triggers/toy/hat.lost", `{"hat":`+hat+`}`)
		helps(t, "a hat "+hat, w)
		if !strings.Contains(w.Body.String(), "no hat ") {
			t.Errorf("the trigger did not refuse: %s", w.Body)
		}
	}
}

// Names in a path that nothing has.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	s, unchanged := newHostileServer(t)
	names := []string{longInput, "%00", "%1b%5b31m", "%0d%0aX:%201", "%ff%fe", "%2e%2e", "%2F", "..%2f..", "%E2%80%AE", "%25", "%22", strings.Repeat("%01", 1000), strings.Repeat("%2F", 1000)}
	places := 0
	eachRoute(t, func(method, path string) {
		for _, at := range placeOfRoute.FindAllString(path, -1) {
			places++
			for _, name := range names {
				target := filled.Replace(strings.Replace(path, at, name, 1))
				helps(t, method+" "+target, s.ask(method, target, ""))
			}
		}
		helps(t, "below "+path, s.ask(method, filled.Replace(path)+"//"+longInput, ""))
	})
	if places < 20 {
		t.Errorf("%d places were filled", places)
	}
	unchanged()
}

// A body of many unknown names is not told each of them.
func TestViolationsAreBounded(t *testing.T) {
	t.Parallel()
	s, unchanged := newHostileServer(t)
	body := `{"hat":"bowler"`
	for i := range 150 {
		body += fmt.Sprintf(`,"x%d":0`, i)
	}
	w := s.ask("POST", "/v1/sandboxes/default/triggers/toy/hat.lost", body+"}")
	var p struct{ Violations []any }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || len(p.Violations) != 100 || !strings.Contains(w.Body.String(), "in 150 places") {
		t.Errorf("%d violations of 150 are listed: %.300s", len(p.Violations), w.Body)
	}
	unchanged()
}
