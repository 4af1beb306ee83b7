package control_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/redact"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

func TestProbes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{
		{method: "GET", target: "/healthz?now=1", status: 200, want: []string{`{"status":"ok"}`}},
		{method: "GET", target: "/readyz", status: 503, want: []string{`"detail":"the APIs are not served yet; wait`}},
	})
	s.server.SetReady(true)
	s.check([]row{
		{method: "GET", target: "/readyz", status: 200, want: []string{`{"status":"ready"}`}},
		{method: "HEAD", target: "/readyz", status: 200},
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.check([]row{
		{method: "GET", target: "/v1/status", status: 200, want: []string{
			`"version":"1.2.3","commit":"abc","go":"go1.`, `"seed":7,"started":"2026-03-01T12:00:00Z","uptime_seconds":0,"ready":false`,
			`"doors":{"door":"http://localhost:6400:1","plain":"http://localhost:6400:2/","toy":"http://localhost:6400:1/toy"}`, `"sandboxes":1,"calls":1,"failures":0,"state":{"bytes":118,"max_bytes":0,"refused":0},"slow_reads":[]`,
		}},
		{
			name: "behind a proxy", method: "GET", target: "/v1/status", status: 200, headers: []string{"X-Forwarded-Proto", "HTTPS, http", "X-Forwarded-Host", "ci.example.com:8443"},
			want: []string{`"toy":"https://ci.example.com:8443:1/toy"`},
		},
		{
			name: "behind a proxy that lies", method: "GET", target: "/v1/status", status: 200, headers: []string{"X-Forwarded-Proto", "javascript", "X-Forwarded-Host", "a/b"},
			want: []string{`"toy":"http://localhost:6400:1/toy"`},
		},
		{method: "GET", target: "/", status: 200, want: []string{`"name":"understudy"`, `"GET /v1/sandboxes/{sandbox}/journal/{id}"`}},
	})
	none := newTestServer(t, func(c *control.Config) { c.URLs, c.Log, c.Body, c.Panics = nil, nil, 0, nil })
	none.check([]row{{method: "GET", target: "/v1/status", status: 200, want: []string{`"doors":{}`, `"failures":0`}}})
}

func TestAPIs(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{
		{method: "GET", target: "/v1/apis", status: 200, want: []string{
			`{"items":[{"name":"toy","title":"Toy Hats","docs":"https://toy.example.com/docs","port":7001,"url":"http://localhost:6400:1/toy","hosts":["toy.example.com"],"operation_count":2},{"name":"plain"`,
		}},
		{method: "GET", target: "/v1/apis/toy", status: 200, want: []string{
			`"checks":[{"name":"read","ends":["strange"]},{"name":"hours","ends":["closed"]}]`,
			`"name":"SellHat","doc":"Sells a hat.","cite":"toy#sell","inferred":false,"method":"POST","path":"/hats/{shop}","aliases":["/hüte"],"rate":5`,
			`{"name":"hat","in":"body","type":"string","need":"required","one_of":["bowler","fez"],"doc":"which","cite":"toy#sell","inferred":false}`,
			`{"name":"sizes","in":"body","type":"array","of":"object","need":"optional","doc":"","cite":"","inferred":true,"fields":[{"name":"cm","in":"body","type":"integer","need":"optional","min":40,"max":70`,
			`"name":"sig","in":"query","type":"string","need":"expected","example":"abc"`,
			`{"name":"SoldOut.NoHat","scenario":"toy/SellHat/SoldOut.NoHat","fails":true,"status":409,"message":"no {hat} is left","doc":"None is left.","cite":"","inferred":true}`,
			`"name":"ListHats","doc":"","cite":"","inferred":true,"helper":true`,
			`"switches":[{"name":"patience","type":"duration","need":"optional","default":"1m30s"`, `"default":true`,
			`"adopts":[{"what":"shop","doc":"A shop as the first.","example":"north"}]`,
			`"givens":[]`, `"triggers":[{"name":"hat.lost","doc":"A hat is lost.","params":[{"name":"hat"`,
			`"credentials":[{"name":"toyKey","env":"TOY_KEY"}]`, `"fixture":[{"name":"hats","type":"array","of":"string"`,
		}},
		{method: "GET", target: "/v1/apis/toi", status: 404, want: []string{`there is no API \"toi\"; did you mean \"toy\"?`}},
	})
}

func TestStateIsReadAndRestored(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const state = "/v1/sandboxes/default/state"
	s.check([]row{
		{method: "GET", target: state, status: 200, want: []string{
			`{"version":2,"state":{"plain":`, `"toy":{"Hats":["bowler"]}}`, `"clock":{"now":"2026-03-01T12:00:00Z","mode":"follow","scale":1,"signatures":"wall"},"progress":{"calls":{"plain":{},"toy":{}},"scenarios":[]},"fixtures":{"plain":{"fixture":"empty","switches":{}},"toy":{"fixture":`, `"derived":{"plain":`, `"toy":{"count":1,"at":"2026-03-01T12:00:00Z"}}}`,
		}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":["fez","cap"]}},"derived":{"toy":{"count":9}}}`, status: 200, want: []string{`{"sandbox":"default","restored":["toy"]}`}},
		{method: "GET", target: state, status: 200, want: []string{`"toy":{"Hats":["fez","cap"]}`, `"toy":{"count":2,`}},
		// Nothing changes where one of the documents is none, whichever comes first.
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":["bonnet"]},"plain":{"Hats":[""]}}}`, status: 422, want: []string{"nothing was put back: state of plain: a hat is nothing"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[""]},"plain":{"Hats":["bonnet"]}}}`, status: 422, want: []string{"state of toy: a hat is nothing"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Shoes":[]}}}`, status: 422, want: []string{`state of toy: Shoes: the member is unknown`}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toi":{}}}`, status: 422, want: []string{`there is no API \"toi\" here; served are toy, plain`}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[]}},"progress":{"scenarios":[{"scenario":"toy/x","state":"initial","began":"2026-03-01T12:00:00Z","fired":0,"skipped":0,"rules":[{"fired":-1,"skipped":0,"reached":0,"rolled":0}]}],"calls":{}}}`, status: 422, want: []string{"nothing was put back: ", "less than nothing"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[]}},"clock":{"now":"2026-03-01T12:00:00Z","mode":"stand","scale":1,"signatures":"wall"}}`, status: 422, want: []string{`nothing was put back: clock: its mode is \"stand\"; follow or freeze was expected`}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[]}},"clock":{"now":"8000-01-01T00:00:00Z","mode":"follow","scale":2000000,"signatures":"wall"}}`, status: 422, want: []string{"its scale is 2e+06"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[]}},"progress":{"calls":{"toy":{"SellHats":1}},"scenarios":[]}}`, status: 422, want: []string{`toy has no operation \"SellHats\"; did you mean \"SellHat\"?`}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[]}},"progress":{"scenarios":[{"scenario":"toy/nowhere","state":"initial","began":"2026-03-01T12:00:00Z","fired":0,"skipped":0,"rules":[]}],"calls":{}}}`, status: 422, want: []string{`nothing was put back: scenario \"toy/nowhere\": `}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[]}},"fixtures":{"toy":{"fixture":"x","switches":{"colour":1}}}}`, status: 422, want: []string{`toy has no switch \"colour\"`}},
		{method: "PUT", target: state, body: `{"version":2,"states":{}}`, status: 422, want: []string{`the snapshot is damaged: states: the member is unknown`}},
		{method: "PUT", target: state, body: `{"state":{}}`, status: 422, want: []string{"the body has no version"}},
		{method: "PUT", target: state, body: `{"VERSION":2,"STATE":{}}`, status: 422, want: []string{"VERSION: the member is unknown"}},
		{method: "PUT", target: state, body: `{"version":2}`, status: 422, want: []string{"the snapshot is damaged: state: the member is missing"}},
		{method: "PUT", target: state, body: `{"version":2,"STATE":{}}`, status: 422, want: []string{"STATE: the member is unknown"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{}}}`, status: 422, want: []string{"state of toy: Hats: the member is missing"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":null}}}`, status: 422, want: []string{"state of toy: Hats: an array was expected, null was found"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{"toy":{"Hats":[],"Hats":[]}}}`, status: 422, want: []string{"Hats: the member stands twice"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{},"clock":{"now":"2026-03-01T12:00:00Z"},"clock":{}}`, status: 422, want: []string{"clock: the member stands twice"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{},"clock":{"now":"2026-03-01T12:00:00Z"}}`, status: 422, want: []string{"clock.mode: the member is missing"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{},"fixtures":{"toy":null}}`, status: 422, want: []string{"fixtures.toy: an object was expected, null was found"}},
		{method: "PUT", target: state, body: `{"version":2,"state":{},"fixtures":{"toy":{"fixture":"<b>","switches":{}}}}`, status: 422, want: []string{`fixtures: toy.fixture is \"<b>\"`}},
		{method: "PUT", target: state, body: `{"version":2,"state":{},"fixtures":{"toy":{"fixture":"nowhere","switches":{"open":true}}}}`, status: 422, want: []string{`patience`, "missing"}},

		{method: "PUT", target: state, body: `{"version":2,"progress":{"calls":{"toy":{"SellHat":-1}}}}`, status: 422, want: []string{"the snapshot is damaged: "}},
		{method: "PUT", target: state, body: `{"version":1,"state":{"toy":{"Hats":[]}}}`, status: 422, want: []string{"the snapshot has the version 1; 2 was expected; take it anew"}},
		{method: "PUT", target: state, body: `[]`, status: 400, want: []string{"the body is no snapshot: an object was expected, an array was found;"}, never: []string{"struct"}},
		{method: "PUT", target: state, body: `{"version":"2"}`, status: 400, want: []string{"the body is no snapshot: version: a whole number was expected, a string was found;"}},
		{method: "PUT", target: state, body: `{"version":`, status: 400, want: []string{"the body is no snapshot"}},
		{method: "GET", target: state, status: 200, want: []string{`"plain":{"Hats":[]}`, `"toy":{"Hats":["fez","cap"]}`}},
		{method: "PUT", target: "/v1/sandboxes/nobody/state", body: `{}`, status: 404, want: []string{"there is no sandbox"}},
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{
		{method: "GET", target: "/v1/statuz", status: 404, want: []string{`{"title":"Not Found","status":404,"detail":"there is no route \"/v1/statuz\"; did you mean \"/v1/status\"?; GET / lists all routes"}`}},
		{method: "GET", target: "/v1/status/", status: 404, want: []string{`did you mean \"/v1/status\"?`}},
		{method: "GET", target: "/v1/sandboxes/default/clocks", status: 404, want: []string{`did you mean \"/v1/sandboxes/default/clock\"?`}},
		{method: "GET", target: "/v1/scenario/toy/no-hat", status: 404, want: []string{`did you mean \"/v1/scenarios/toy/no-hat\"?`}},
		{method: "POST", target: "/v1/status", status: 405, header: [2]string{"Allow", "GET, HEAD"}, want: []string{`/v1/status takes GET, HEAD and not \"POST\"`}},
		{method: "DELETE", target: "/v1/sandboxes", status: 405, header: [2]string{"Allow", "GET, HEAD, POST"}},
		{method: "POST", target: "/v1/sandboxes/default", status: 405, header: [2]string{"Allow", "GET, HEAD, PUT, DELETE"}},
		{method: "DELETE", target: "/v1/sandboxes/default", status: 409, want: []string{"the sandbox default cannot be dropped; reset it instead"}},
		{method: "DELETE", target: "/v1/sandboxes/defaul", status: 404, want: []string{`did you mean \"default\"?`}},
		{method: "FOO", target: "/v1/sandboxes/default/scenarios", status: 405, header: [2]string{"Allow", "GET, HEAD, DELETE"}},
		{method: "OPTIONS", target: "/v1/scenarios/x/y/z", status: 405, header: [2]string{"Allow", "GET, HEAD, PUT, DELETE"}},
		{method: "GET", target: "/v1/status?verbose=1", status: 400, want: []string{`/v1/status takes no query parameter \"verbose\"`}},
		{method: "GET", target: "/v1/scenarios?ap=toy", status: 400, want: []string{`did you mean \"api\"?`}},
		{method: "GET", target: "/v1/scenarios?api=toy&api=toy", status: 400, want: []string{"is given 2 times; once was expected"}},
		{method: "GET", target: "/v1/scenarios?api=", status: 400, want: []string{"the query parameter api is empty"}},
		{method: "GET", target: "/v1/scenarios?api=%zz", status: 400, want: []string{"the query cannot be read"}},
		{method: "GET", target: "/v1/sandboxes/defalt/clock", status: 404, want: []string{`there is no sandbox \"defalt\"; did you mean \"default\"?`, "other calls to the control API never do"}},
		{method: "GET", target: "/v1/sandboxes//clock", status: 404, want: []string{`there is no sandbox \"\"`}},
	})
	if got := s.registry.List(); len(got) != 1 {
		t.Errorf("control calls made a sandbox: %d live", len(got))
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const clock = "/v1/sandboxes/default/clock"
	long := `{"advance":"` + strings.Repeat("1", 5000) + `m"}`
	s.check([]row{
		{name: "too long", method: "PUT", target: clock, body: long, status: 413, want: []string{"more than 4096 bytes"}},
		{name: "too long YAML", method: "PUT", target: "/v1/scenarios/toy/x", body: long, status: 413},
		{method: "PUT", target: clock, body: `{"advance":"1m"`, status: 400, want: []string{"the JSON text ends too early at byte 15"}},
		{method: "PUT", target: clock, body: `[1]`, status: 400, want: []string{"a JSON object was expected, found an array"}},
		{method: "PUT", target: clock, body: `{"advance":"1m","advance":"2m"}`, status: 400, want: []string{`the name \"advance\" stands twice`}},
		{method: "PUT", target: clock, body: `{"advance":"1m"}{}`, status: 400, want: []string{"something follows"}},
		{method: "PUT", target: clock, body: `x`, headers: []string{"Content-Encoding", "gzip"}, status: 415, want: []string{`encoded as \"gzip\"`}},
	})
}

// A panic of understudy's own reaches no one as a broken connection.
func TestPanics(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.call("GET", "/hats?break", "")
	s.check([]row{
		{method: "POST", target: "/v1/sandboxes/default/triggers/toy/roof.falls", status: 500, want: []string{"understudy failed on this request: the roof fell"}},
		{method: "GET", target: "/v1/status", status: 200, want: []string{`"failures":2`}},
		{method: "GET", target: "/metrics", status: 200, want: []string{"understudy_failures_total 2"}},
		{name: "the lock was given back", method: "POST", target: "/v1/sandboxes/default/triggers/toy/hat.lost", body: `{"hat":"bowler"}`, status: 200},
	})
	if !strings.Contains(s.log.String(), "goroutine") {
		t.Errorf("the log has no stack: %s", s.log)
	}
	aborts := newTestServer(t, func(c *control.Config) { c.URLs = func(string) map[string]string { panic(http.ErrAbortHandler) } })
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Error("an aborted handler did not end the connection")
		}
	}()
	aborts.ask("GET", "/v1/status", "")
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.call("GET", "/nowhere?n=canary", "")
	s.registry.Find(sandbox.Default).Player.On(mustParse(t, "toy/SellHat/SoldOut.NoHat"), narrow{})
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.check([]row{{method: "GET", target: "/metrics?name=x", status: 200, never: []string{"canary"}, want: []string{
		`understudy_calls_total{api="toy",decided_by="emulator",operation="SellHat",outcome="success"} 1`,
		`understudy_calls_total{api="toy",decided_by="check read",operation="",outcome="strange"} 1`,
		`understudy_calls_total{api="toy",decided_by="scenario",operation="SellHat",outcome="SoldOut.NoHat"} 1`,
		`understudy_call_duration_seconds_count{api="toy",operation="SellHat"} 2`,
		`understudy_sandboxes 1`, `understudy_journal_entries 3`, `understudy_journal_bytes `, `understudy_failures_total 0`,
		`understudy_build_info{commit="abc",go_version="go1.`, `go_goroutines`,
	}}})
}

func TestSandboxes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	if _, err := s.registry.Get("ci-7"); err != nil {
		t.Fatal(err)
	}
	s.check([]row{
		{method: "GET", target: "/v1/sandboxes/default", status: 200, want: []string{
			`{"name":"default","urls":{"plain":"http://localhost:6400:2","toy":"http://localhost:6400:1/toy"},"credentials":{"plain":{"toyKey":"toy-key"},"toy":{"toyKey":"toy-key"}},"clock":{"now":"2026-03-01T12:00:00Z","mode":"follow","scale":1,"signatures":"wall"}`,
		}},
		{name: "the sandbox stands before the API at the shared door, and last elsewhere", method: "GET", target: "/v1/sandboxes", status: 200, want: []string{
			`{"items":[{"name":"default"`, `"credentials":{},`, `{"name":"ci-7","urls":{"plain":"http://localhost:6400:2/@ci-7","toy":"http://localhost:6400:1/@ci-7/toy"}`, `"scenarios":[],"fixtures":{},"made":false}]}`,
		}},
	})
	if made := s.registry.Find("ci-7").Existing(); len(made) > 0 {
		t.Errorf("listing the sandboxes made %d instances", len(made))
	}
	instance, err := s.registry.Find("ci-7").Instance(toy)
	if err != nil {
		t.Fatal(err)
	}
	// What was reported is a copy: the state is not shared with whoever reads.
	instance.WithState(func(st contract.State) { st.Credentials()["toyKey"] = "x" })
	s.check([]row{
		{method: "GET", target: "/v1/sandboxes/ci-7", status: 200, want: []string{`"toyKey":"toy-key"`}},
		{method: "DELETE", target: "/v1/sandboxes/ci-7", status: 200, want: []string{`{"dropped":"ci-7"}`}},
		{method: "GET", target: "/v1/sandboxes/ci-7", status: 404},
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const reset = "/v1/sandboxes/default/reset"
	lost := row{method: "POST", target: "/v1/sandboxes/default/triggers/toy/hat.lost", body: `{"hat":"bowler"}`, status: 200}
	s.call("GET", "/hats", "")
	s.check([]row{
		lost,
		{method: "PUT", target: "/v1/sandboxes/default/scenarios/toy/no-hat", status: 200},
		{method: "PUT", target: "/v1/sandboxes/default/clock", body: `{"advance":"1h"}`, status: 200},
		{method: "POST", target: reset + "?only=sate", status: 400, want: []string{`a sandbox has no part \"sate\"; did you mean \"state\"?`}},
		{method: "POST", target: reset + "?only=state,%20clock", status: 200, want: []string{`{"sandbox":"default","reset":["state","clock"]}`}},
		{name: "state and clock are back, the rest is left", method: "GET", target: "/v1/sandboxes/default", status: 200, want: []string{`T12:00:00Z`, `"entries":1`, `["toy/no-hat"]`}},
		lost,
		{method: "POST", target: reset, status: 200, want: []string{`"reset":["state","journal","scenarios","clock","dice"]`}},
		{method: "GET", target: "/v1/sandboxes/default", status: 200, want: []string{`"entries":0`, `"scenarios":[]`}},
		{method: "GET", target: reset, status: 405, header: [2]string{"Allow", "POST"}},
	})
}

func TestClock(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const clock = "/v1/sandboxes/default/clock"
	put := func(body string, status int, want string) row {
		return row{method: "PUT", target: clock, body: body, status: status, want: []string{want}}
	}
	s.check([]row{
		{method: "GET", target: clock, status: 200, want: []string{`{"now":"2026-03-01T12:00:00Z","mode":"follow","scale":1,"signatures":"wall"}`}},
		put(`{"advance":"20m"}`, 200, `"now":"2026-03-01T12:20:00Z"`),
		put(`{"freeze":"2020-01-01T00:00:00+01:00"}`, 200, `{"now":"2019-12-31T23:00:00Z","mode":"freeze","scale":1,"signatures":"wall","expired":[]}`),
		put(`{"signatures":"sandbox"}`, 200, `"signatures":"sandbox"`),
		put(`{"follow":true}`, 200, `"now":"2026-03-01T12:00:00Z","mode":"follow"`),
		put(``, 400, "the body has none of the members advance, follow, freeze, scale, signatures; exactly one was expected"),
		put(`{"follow":true,"advance":"1s"}`, 400, "the body has advance and follow of the members"),
		put(`{"scale":60}`, 200, `{"now":"2026-03-01T12:00:00Z","mode":"follow","scale":60,"signatures":"sandbox","expired":[]}`),
		put(`{"scale":0.5}`, 200, `"scale":0.5`),
		put(`{"scale":1000000}`, 200, `"scale":1000000`),
		put(`{"scale":1000001}`, 400, `a number greater than 0 and at most 1000000 was expected`),
		put(`{"scale":0}`, 400, `scale is 0; a number greater than 0`),
		put(`{"scale":-1}`, 400, `scale is -1; a number greater than 0`),
		put(`{"scale":1e999}`, 400, `a number such as 60 was expected`),
		put(`{"scale":"60"}`, 400, `scale is \"60\"; a number such as 60 was expected`),
		put(`{"follow":true}`, 200, `"mode":"follow","scale":1`),
		put(`{"freeze":"8999-12-31T23:59:59-01:00"}`, 400, `an instant from the year 1000 to 8999`),
		put(`{"advanse":"1m"}`, 400, `did you mean \"advance\"?`),
		put(`{"advance":20}`, 400, `advance is 20; a positive duration such as`),
		put(`{"advance":"-5m"}`, 400, `a positive duration was expected: to go back`),
		put(`{"advance":"0s"}`, 400, `a positive duration was expected`),
		put(`{"advance":"1000000h"}`, 400, `which is too far`),
		put(`{"freeze":"tomorrow"}`, 400, `freeze is \"tomorrow\"; an instant such as`),
		put(`{"freeze":"0001-01-01T00:00:00Z"}`, 400, `an instant from the year 1000 to 8999`),
		put(`{"freeze":["2020-01-01T00:00:00Z","2020-01-01T00:00:00Z","2020-01-01T00:00:00Z"]}`, 400, `…; an instant`),
		put(`{"follow":false}`, 400, `follow is false; true was expected`),
		put(`{"signatures":"wal"}`, 400, `signatures is \"wal\"; did you mean \"wall\"?`),
		put(`{"signatures":null}`, 400, `signatures is null; known: wall, sandbox`),
		put(`{"freeze":"8999-12-31T23:59:59Z"}`, 200, `8999`),
		put(`{"advance":"1m"}`, 400, `no further than the year 8999`),
		{method: "GET", target: clock, status: 200, want: []string{`8999`}},
	})
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	pull := func(name, body string, status int, want ...string) row {
		return row{method: "POST", target: "/v1/sandboxes/default/triggers/" + name, body: body, status: status, want: want}
	}
	s.check([]row{
		pull("toy/hat.lost", `{"hat":"bowler","n":2,"why":{"wind":1.5}}`, 200, `{"sandbox":"default","api":"toy","trigger":"hat.lost"}`),
		pull("toy/hat.lost", `{"hat":"bowler"}`, 409, `trigger hat.lost of toy: no hat bowler`),
		pull("toy/hat.lost", `{"n":"2","hut":"x"}`, 422, `in 3 places; GET /v1/apis/toy lists them`,
			`"violations":[{"param":"hat","rule":"missing"},{"param":"n","rule":"mistyped","got":"2"},{"param":"hut","rule":"unknown","got":"x"}]`),
		pull("toy/hat.lost", ``, 422, `in 1 place;`),
		pull("toy/hat.lots", `{}`, 404, `toy has no trigger \"hat.lots\"; did you mean \"hat.lost\"?`),
		pull("tyo/hat.lost", `{}`, 404, `there is no API \"tyo\"; did you mean \"toy\"?`),
		pull("toy/hat.lost", `[]`, 400, `a JSON object was expected`),
	})
}

// Many ask at once, on a real connection.
func TestTogether(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Redactor = redact.New(redact.Config{APIs: apis, All: true}) })
	server := httptest.NewServer(s.server.Handler())
	defer server.Close()
	asks := []struct{ method, path, body string }{
		{"GET", "/v1/status", ""},
		{"GET", "/metrics", ""},
		{"GET", "/v1/sandboxes", ""},
		{"GET", "/v1/sandboxes/default/journal", ""},
		{"PUT", "/v1/sandboxes/default/scenarios/toy/no-hat", `{"times":1}`},
		{"POST", "/v1/sandboxes/default/reset", ""},
		{"PUT", "/v1/sandboxes/default/clock", `{"advance":"1s"}`},
		{"HEAD", "/v1/apis/toy", ""},
		{"DELETE", "/v1/sandboxes/default/scenarios", ""},
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			a := asks[i%len(asks)]
			s.call("POST", "/hats/1?sig=secret", `{"hat":"fez"}`)
			r, err := http.NewRequest(a.method, server.URL+a.path, strings.NewReader(a.body))
			if err != nil {
				t.Error(err)
				return
			}
			answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = answer.Body.Close() }()
			if answer.StatusCode >= 500 || answer.StatusCode == 400 {
				t.Errorf("%s %s: %s", a.method, a.path, answer.Status)
			}
			if a.method == "GET" && a.path != "/metrics" {
				var x any
				if err := json.NewDecoder(answer.Body).Decode(&x); err != nil {
					t.Errorf("%s: %v", a.path, err)
				}
			}
		})
	}
	wg.Wait()
}
