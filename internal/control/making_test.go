package control_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/redact"
)

// made is a sandbox as the control API tells of it.
type made struct {
	Name        string                       `json:"name"`
	Credentials map[string]map[string]string `json:"credentials"`
	Env         map[string]string            `json:"env"`
	Fixtures    map[string]string            `json:"fixtures"`
	TTL         string                       `json:"ttl"`
	Scenarios   []string                     `json:"scenarios"`
	Clock       struct{ Now, Mode string }   `json:"clock"`
}

func (s *testServer) make(method, target, body string, status int) made {
	s.t.Helper()
	answer := s.ask(method, target, body, "Content-Type", "application/json")
	if answer.Code != status {
		s.t.Fatalf("%s %s %s: got %d %s", method, target, body, answer.Code, answer.Body)
	}
	var m made
	if err := json.Unmarshal(answer.Body.Bytes(), &m); err != nil {
		s.t.Fatal(err)
	}
	return m
}

func TestMakeSandbox(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const body = `{"name":"job-1","seed":3,"fixtures":{"toy":"night"},"set":{"toy.patience":"5s"},"scenarios":["no-hat"],"clock":{"freeze":"2026-01-01T00:00:00Z","signatures":"sandbox"},"auth":{"toy":"off"},"unknown":{"toy":"adopt"},"claims":{"addresses":["10.0.0.9"],"headers":{"x-device":"phone"}},"ttl":"10m"}`
	box := s.make("POST", "/v1/sandboxes", body, 201)
	key := box.Credentials["toy"]["toyKey"]
	if box.Name != "job-1" || len(key) < 16 || box.Fixtures["toy"] != "night" || box.TTL != "10m0s" || len(box.Scenarios) != 1 ||
		box.Clock.Mode != "freeze" || box.Clock.Now != "2026-01-01T00:00:00Z" {
		t.Errorf("got %+v", box)
	}
	for name, want := range map[string]string{
		"UNDERSTUDY_SANDBOX": "job-1", "UNDERSTUDY_CONTROL": "http://localhost:6400", "UNDERSTUDY_DOOR": "http://localhost:6400:1",
		"TOY_KEY": key, "TOY_URL": "http://localhost:6400:1/@job-1/toy", "TOY_HOST": "localhost:6400:1",
	} {
		if got := box.Env[name]; got != want {
			t.Errorf("env has %s=%s, want %s", name, got, want)
		}
	}
	if again := s.make("PUT", "/v1/sandboxes/job-1", strings.Replace(body, `"name":"job-1",`, "", 1), 200); again.Credentials["toy"]["toyKey"] != key {
		t.Errorf("asked again, it has other credentials: %+v", again)
	}
	if first, second := s.make("POST", "/v1/sandboxes", "", 201), s.make("POST", "/v1/sandboxes", "", 201); first.Name != "auto-1" || second.Name != "auto-2" ||
		first.Credentials["toy"]["toyKey"] == second.Credentials["toy"]["toyKey"] {
		t.Errorf("got %+v and %+v", first, second)
	}
	for _, tt := range []struct {
		headers []string
		want    string
	}{
		{[]string{"X-Toy-Key", key}, "job-1"},
		{[]string{"X-Device", "phone"}, "job-1"},
		{[]string{"X-Device", "desk"}, "default"},
		{[]string{"X-Toy-Key", "toy-key"}, "default"},
		{[]string{"X-Toy-Key", key, "Understudy-Sandbox", "auto-1"}, "auto-1"},
	} {
		answer := s.call("POST", "/hats/1", `{"hat":"bowler"}`, tt.headers...)
		if got := answer.Header().Get("Understudy-Call"); !strings.HasPrefix(got, tt.want+"-") {
			t.Errorf("%v: the call is %s, want it in %s", tt.headers, got, tt.want)
		}
	}
	s.check([]row{
		{method: "POST", target: "/v1/sandboxes", body: `{"name":"job-1"}`, status: 409, want: []string{"was made by another request; drop it first"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"name":"default"}`, status: 409},
		{method: "POST", target: "/v1/sandboxes", body: `{"name":"Job"}`, status: 400, want: []string{"is not well-formed"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"name":5}`, status: 422, want: []string{`"param":"name","rule":"mistyped"`}},
		{method: "PUT", target: "/v1/sandboxes/a", body: `{"name":null}`, status: 422, want: []string{`"param":"name","rule":"null"`}},
		{method: "PUT", target: "/v1/sandboxes/a", body: `{"name":"b"}`, status: 400, want: []string{"let them say the same"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"fixture":{}}`, status: 400, want: []string{`did you mean \"fixtures\"?`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"switches":{}}`, status: 400, want: []string{`unknown here; known: name, seed, fixtures, set, scenarios`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"ttl":"10"}`, status: 422, want: []string{`nothing was made; \"ttl\" is \"10\", and a length of time such as 10m was expected`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"fixtures":{"toy":"nigt"}}`, status: 422, want: []string{`toy has no fixture \"nigt\"; did you mean \"night\"?; nothing was made`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"fixtures":{"toi":"night"}}`, status: 422, want: []string{`fixtures: there is no API \"toi\"`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"fixtures":["toy"]}`, status: 422, want: []string{`"param":"fixtures","rule":"mistyped"`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"set":{"toy.patient":1}}`, status: 422, want: []string{`did you mean \"patience\"?`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"scenarios":["no-hut"]}`, status: 422, want: []string{`there is no scenario \"no-hut\"`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"clock":{"freez":"x"}}`, status: 422, want: []string{`did you mean \"freeze\"?`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"clock":{"follow":true,"freeze":"2026-01-01T00:00:00Z"}}`, status: 422, want: []string{"clock has the members follow and freeze, which contradict each other", "; nothing was made"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"clock":{"freeze":"2026-01-01T00:00:00Z","scale":2}}`, status: 422, want: []string{"clock has the members freeze and scale"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"understudy-sandbox":"x"}}}`, status: 422, want: []string{`claims.headers has \"understudy-sandbox\"`, "cannot be claimed"}},
		{method: "PUT", target: "/v1/sandboxes/default/fixtures/toy", body: `{"name":"nowhere"}`, status: 422, want: []string{"; nothing changed"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"clock":{"advance":"soon"}}`, status: 422, want: []string{"clock: advance is", "; nothing was made"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"auth":"of"}`, status: 422, want: []string{`did you mean \"off\"?`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"unknown":"adapt"}`, status: 422, want: []string{`"rule":"unlisted"`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"unknown":{"toy":"adapt"}}`, status: 422, want: []string{`did you mean \"adopt\"?`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"unknown":{"toi":"adopt"}}`, status: 422, want: []string{`unknown: there is no API \"toi\"`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"addresses":["10.0.0.9"]}}`, status: 409, want: []string{"the sandbox job-1 claims the address 10.0.0.9 already"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"addresses":["ten"]}}`, status: 422, want: []string{"an IP address such as 192.168.1.40 was expected"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"A":1}}}`, status: 422, want: []string{"claims.headers.A is 1"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"":"1"}}}`, status: 422, want: []string{`claims.headers has \"\", which is no header`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"A B":"1"}}}`, status: 422, want: []string{`has \"A B\", which is no header`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"host":"api.example"}}}`, status: 422, want: []string{`has \"host\", which is no header`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"A":" 1"}}}`, status: 422, want: []string{`claims.headers.A is \" 1\"`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"A":"1\n2"}}}`, status: 422, want: []string{`claims.headers.A is`}},
		{method: "POST", target: "/v1/sandboxes", body: `{"claims":{"headers":{"x-a":"1","X-A":"2"}}}`, status: 422, want: []string{"has X-A in two spellings"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"door":"understudy:6410"}`, status: 422, want: []string{"an address such as http://understudy:6410 was expected; nothing was made"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"door":"http://understudy:99999"}`, status: 422, want: []string{"an address such as http://understudy:6410 was expected; nothing was made"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"name":"far","door":"http://understudy:6410/"}`, status: 201, want: []string{`"urls":{`, `"toy":"http://understudy:6410/@far/toy"`, `"UNDERSTUDY_DOOR":"http://understudy:6410"`}},
		{method: "DELETE", target: "/v1/sandboxes/far", status: 200},
		{method: "POST", target: "/v1/sandboxes", body: `{"ttl":"0s"}`, status: 422, want: []string{"a positive duration such as 10m was expected"}},
		{method: "POST", target: "/v1/sandboxes", body: `{"seed":-1}`, status: 422, want: []string{"a whole number from 0 on was expected"}},
		{method: "DELETE", target: "/v1/sandboxes/job-1", status: 200},
		{name: "a claim ends with its sandbox", method: "POST", target: "/v1/sandboxes", body: `{"name":"job-2","claims":{"addresses":["10.0.0.9"]}}`, status: 201},
	})
	if _, err := s.registry.Get("first"); err != nil {
		t.Fatal(err)
	}
	s.check([]row{{method: "PUT", target: "/v1/sandboxes/first", status: 409, want: []string{"was made by its first use, and has no credentials of its own"}}})
	for i := len(s.registry.List()); i < 10; i++ {
		s.make("POST", "/v1/sandboxes", "", 201)
	}
	s.check([]row{{method: "POST", target: "/v1/sandboxes", status: 503, want: []string{"10 sandboxes live already", "--max-sandboxes"}}})
}

// Who makes a sandbox is told its credentials, and nobody else where secrets are
// masked.
func TestMadeSandboxTellsItsCredentialsOnce(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Redactor = redact.New(redact.Config{APIs: apis, All: true}) })
	key := s.make("PUT", "/v1/sandboxes/job", "", 201).Credentials["toy"]["toyKey"]
	if len(key) < 16 {
		t.Errorf("got the key %q", key)
	}
	s.check([]row{
		{method: "GET", target: "/v1/sandboxes/job", status: 200, never: []string{key}},
		{method: "GET", target: "/v1/sandboxes", status: 200, never: []string{key}},
	})
}

// A fixture that was put counts until the next reset.
func TestPutFixture(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const at = "/v1/sandboxes/default/fixtures/toy"
	yaml := []string{"Content-Type", "application/yaml"}
	s.check([]row{
		{method: "PUT", target: at, body: `{"name":"night","set":{"patience":"1s"}}`, status: 200, want: []string{`{"sandbox":"default","api":"toy","fixture":"night"}`}},
		{method: "GET", target: "/v1/sandboxes/default", status: 200, want: []string{`"toy":"night"`}},
		{method: "GET", target: "/v1/sandboxes/default/state", status: 200, want: []string{`"toy":{"Hats":[]}`}},
		{method: "PUT", target: at, body: `{"set":{"open":true}}`, status: 200, want: []string{`"fixture":"night"`}},
		{method: "GET", target: "/v1/sandboxes/default/state", status: 200, want: []string{`"toy":{"Hats":["bowler"]}`}},
		{method: "PUT", target: at, headers: yaml, body: "fixture: mine\napi: toy\nopen: false\n", status: 200, want: []string{`"fixture":"mine"`}},
		{method: "PUT", target: at, headers: yaml, body: "fixture: mine\napi: plain\n", status: 422, want: []string{"the body is a fixture of plain and the address names toy"}},
		{method: "PUT", target: at, headers: yaml, body: "fixture: mine\napi: toy\nopne: false\n", status: 422, want: []string{"the fixture has 1 fault", "open"}},
		{method: "PUT", target: at, body: `{"name":"nigt"}`, status: 422, want: []string{`did you mean \"night\"?`}},
		{method: "PUT", target: "/v1/sandboxes/default/fixtures/toi", body: `{}`, status: 404},
		{method: "GET", target: "/v1/sandboxes/default", status: 200, want: []string{`"toy":"mine"`}},
		{method: "POST", target: "/v1/sandboxes/default/reset", status: 200},
		{method: "GET", target: "/v1/sandboxes/default", status: 200, want: []string{`"toy":"empty"`}},
	})
}

// Of those who drop a sandbox at once, one did, and the others hear that there is none.
func TestDropAtOnce(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for range 100 {
		s.make("PUT", "/v1/sandboxes/job", "", 201)
		var all sync.WaitGroup
		codes := make([]int, 4)
		for i := range codes {
			all.Go(func() { codes[i] = s.ask("DELETE", "/v1/sandboxes/job", "").Code })
		}
		all.Wait()
		slices.Sort(codes)
		if want := []int{200, 404, 404, 404}; !slices.Equal(codes, want) {
			t.Fatalf("got %v, want %v", codes, want)
		}
	}
}
