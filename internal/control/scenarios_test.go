package control_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

type narrow = scenario.Options

// mustParse finds a scenario without a file.
func mustParse(t *testing.T, name string) *scenario.Scenario {
	t.Helper()
	found, err := library.New(apis).Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const rude = "scenario: rude\napi: toy\nrules:\n  - operation: SellHat\n    outcome: closed\n"

func TestLibrary(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{
		{method: "GET", target: "/v1/scenarios", status: 200, want: []string{
			`{"items":[{"name":"toy/faulty","api":"toy","description":"","tags":[],"rules":0,"operations":[],"file":"shipped/toy/faulty.yaml","source":"shipped","error":"shipped/toy/faulty.yaml:4:16: toy has no operation \"SelHat\"; did you mean \"SellHat\"?"}`,
			`{"name":"toy/no-hat","api":"toy","description":"No hat is left.","tags":["quota"],"rules":1,"operations":["SellHat"],"file":"shipped/toy/no-hat.yaml","source":"shipped"}`,
		}},
		{method: "GET", target: "/v1/scenarios?api=plain", status: 200, want: []string{`{"items":[]}`}},
		{method: "GET", target: "/v1/scenarios?api=toy&operation=SellHat", status: 200, want: []string{"toy/no-hat", "toy/network"}, never: []string{"faulty"}},
		{name: "* is every operation", method: "GET", target: "/v1/scenarios?operation=ListHats", status: 200, want: []string{"toy/network"}, never: []string{"no-hat"}},
		{method: "GET", target: "/v1/scenarios?api=toi", status: 400, want: []string{`did you mean \"toy\"?`}},
		{method: "GET", target: "/v1/scenarios?operation=SelHat", status: 400, want: []string{`there is no operation \"SelHat\"; did you mean \"SellHat\"?`}},

		{method: "GET", target: "/v1/scenarios/toy/no-hat", status: 200, want: []string{
			`{"name":"toy/no-hat","api":"toy","description":"No hat is left.","tags":["quota"],"file":"shipped/toy/no-hat.yaml","rules":[{"line":6,"operation":"SellHat","where":{"hat":"fez"},"times":2,"skip":1,"outcome":"SoldOut.NoHat","message":"none","with":{"error":"gone","code":null,"more":{"a":[1]}},"wire":{"delay":"2s","headers":{"X-A":"b","X-B":null}}}]}`,
		}},
		{method: "GET", target: "/v1/scenarios/network", status: 200, want: []string{
			`"rules":[{"line":4,"operation":"*","times":9,"wire":{"answer":{"status":502,"headers":{"A":["b"]},"body":"bad"}}},{"line":7,"operation":"ListHats","wire":{"fault":"reset"}}]`,
		}},
		{method: "GET", target: "/v1/scenarios/toy/SellHat/SoldOut.NoHat", status: 200, want: []string{`"name":"toy/SellHat/SoldOut.NoHat"`, `"description":"None is left."`}},
		{name: "escaped slashes", method: "GET", target: "/v1/scenarios/toy%2FSellHat%2FSoldOut%2ENoHat", status: 200, want: []string{`"name":"toy/SellHat/SoldOut.NoHat"`}},
		{method: "GET", target: "/v1/scenarios/toy/no-had", status: 404, want: []string{`there is no scenario \"toy/no-had\"; did you mean \"toy/no-hat\"?`}},
		{method: "GET", target: "/v1/scenarios/", status: 404},
		{name: "a broken escape", method: "GET", target: "/v1/scenarios/%2Fx", status: 404},

		{method: "PUT", target: "/v1/scenarios/toy/rude", body: rude, status: 201, want: []string{`"name":"toy/rude"`, `"outcome":"closed"`}},
		{method: "PUT", target: "/v1/scenarios/toy/rude", body: rude, status: 200, want: []string{`"name":"toy/rude"`}},
		{
			method: "PUT", target: "/v1/scenarios/toy/bad", body: "scenario: bad\napi: toy\nrules:\n  - operation: SellHat\n    outcom: closed\n    times: none\n", status: 422,
			want: []string{` faults and was not taken"`, `"toy/bad:5:5: a rule has no key \"outcom\"; did you mean \"outcome\"?"`, `toy/bad:6:12:`},
		},
		{method: "PUT", target: "/v1/scenarios/toy/other", body: rude, status: 422, want: []string{`the scenario has 1 fault and`}},
		{method: "PUT", target: "/v1/scenarios/toy/empty", status: 422, want: []string{`the file is empty`}},
		{method: "DELETE", target: "/v1/scenarios/toy/rude", status: 204},
		{method: "DELETE", target: "/v1/scenarios/toy/rude", status: 404},
		{method: "DELETE", target: "/v1/scenarios/toy/no-hat", status: 409, want: []string{"it comes from the file"}},
	})
}

// A client cannot fill the memory with scenarios.
func TestLibraryIsBounded(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for i := range 1001 {
		name := fmt.Sprintf("s%d", i)
		w := s.ask("PUT", "/v1/scenarios/toy/"+name, strings.Replace(rude, "rude", name, 1))
		if want := map[bool]int{true: 409, false: 201}[i == 1000]; w.Code != want {
			t.Fatalf("scenario %d: %d %s", i, w.Code, w.Body)
		}
	}
}

func TestActive(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const on = "/v1/sandboxes/default/scenarios"
	put := func(name, body string, status int, want ...string) row {
		return row{method: "PUT", target: on + "/" + name, body: body, status: status, want: want}
	}
	yaml := []string{"Content-Type", "application/yaml; charset=utf-8"}
	s.check([]row{
		{method: "GET", target: on, status: 200, want: []string{`{"items":[]}`}},
		put("toy/no-hat", ``, 200, `{"name":"toy/no-hat","state":"initial","since":"2026-03-01T12:00:00Z","file":"shipped/toy/no-hat.yaml","rules":[{"rule":1,"line":6,"operation":"SellHat","outcome":"SoldOut.NoHat","fired":0,"left":2}]}`),
		put("network", `{"times":3,"skip":0}`, 200, `{"name":"toy/network"`, `"left":3`),
		put("toy/SellHat/SoldOut.NoHat", `{"where":{"hat":"bowler"}}`, 200, `"left":null`),
		put("toy/network", `{"wire":{"delay":"6s"}}`, 200),
		put("toy/no-hut", ``, 404, `did you mean \"toy/no-hat\"?`),
		put("toy/no-hat", `{"time":1}`, 400, `the body has a member \"time\", which is unknown here; did you mean \"times\"?`),
		put("toy/no-hat", `{"times":"two"}`, 422, `"faults":["times is the text \"two\"; a whole number was expected"]`),
		put("toy/no-hat", `{"times":0}`, 422, `times is 0; at least 1 was expected`),
		put("toy/no-hat", `{"times":1.5,"skip":-1}`, 422, `times is `, `skip is -1`),
		put("toy/no-hat", `{"where":{"hut":"fez"}}`, 422, `SellHat has no parameter \"hut\"; did you mean \"hat\"?`),
		put("toy/no-hat", `{"where":"fez"}`, 422, `where is`),
		put("toy/no-hat", `{"wire":{"fault":"rest"}}`, 422, `did you mean \"reset\"?`),
		put("toy/no-hat", `{"wire":{"dely":"6s"}}`, 422, `did you mean \"delay\"?`),
		put("toy/no-hat", `{"wire":null}`, 422, `wire`),
		{name: "a fault of every rule is reported once", method: "PUT", target: on + "/toy/network", body: `{"times":-1}`, status: 422, want: []string{`"faults":["times is -1; at least 1 was expected; leave it out for no end"]`}},

		{name: "a scenario for this sandbox alone", method: "PUT", target: on + "/toy/rude", body: rude, headers: yaml, status: 200, want: []string{`{"name":"toy/rude"`}},
		{name: "by its short name", method: "PUT", target: on + "/rude", body: rude, headers: yaml, status: 200},
		{name: "under another name", method: "PUT", target: on + "/toy/kind", body: rude, headers: yaml, status: 422, want: []string{`the body says that it is scenario toy/rude and the address says \"toy/kind\"`}},
		{name: "with a fault", method: "PUT", target: on + "/toy/kind", body: "scenario: [", headers: yaml, status: 422, want: []string{`"toy/kind.yaml:`}},
		{name: "too long", method: "PUT", target: on + "/toy/kind", body: strings.Repeat("#", 5000), headers: yaml, status: 413},
		{method: "GET", target: "/v1/scenarios/toy/rude", status: 404},
		{name: "the last activated is asked first", method: "GET", target: on, status: 200, want: []string{`{"items":[{"name":"toy/rude"`}},
	})
	if w := s.call("POST", "/hats/1", `{"hat":"fez"}`); w.Header().Get("Understudy-Decided-By") != "scenario toy/rude rule 1" {
		t.Errorf("decided by %q", w.Header().Get("Understudy-Decided-By"))
	}
	s.check([]row{
		{method: "GET", target: on, status: 200, want: []string{`"name":"toy/rude","state":"initial","since":"2026-03-01T12:00:00Z","rules":[{"rule":1,"line":4,"operation":"SellHat","outcome":"closed","fired":1,"left":null}]`}},
		{method: "DELETE", target: on + "/toy/rude", status: 204},
		{method: "DELETE", target: on + "/toy/rude", status: 404, want: []string{`the scenario \"toy/rude\" is not active in sandbox default`}},
		{method: "DELETE", target: on + "/toy/no-hta", status: 404, want: []string{`did you mean \"toy/no-hat\"?`}},
		{name: "by its short name", method: "DELETE", target: on + "/no-hat", status: 204},
		{method: "DELETE", target: on, status: 204},
		{method: "GET", target: on, status: 200, want: []string{`{"items":[]}`}},
	})
}

// What narrows an activation does so when it plays.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{{
		method: "PUT", target: "/v1/sandboxes/default/scenarios/toy/SellHat/SoldOut.NoHat", status: 200,
		body: `{"times":1,"skip":1,"where":{"hat":"fez"},"wire":{"headers":{"Via":"proxy"}}}`,
	}})
	for i, want := range []struct {
		hat    string
		status int
		via    string
	}{{"bowler", 200, ""}, {"fez", 200, ""}, {"fez", 409, "proxy"}, {"fez", 200, ""}} {
		w := s.call("POST", "/hats/1", `{"hat":"`+want.hat+`"}`)
		if w.Code != want.status || w.Header().Get("Via") != want.via {
			t.Errorf("call %d: got %d, Via %q, want %d, %q", i, w.Code, w.Header().Get("Via"), want.status, want.via)
		}
	}
}

// A client cannot fill the memory with active scenarios either.
func TestActiveIsBounded(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for i := range 101 {
		name := fmt.Sprintf("s%d", i)
		w := s.ask("PUT", "/v1/sandboxes/default/scenarios/toy/"+name, strings.Replace(rude, "rude", name, 1), "Content-Type", "text/yaml")
		if want := map[bool]int{true: 409, false: 200}[i == 100]; w.Code != want {
			t.Fatalf("scenario %d: %d %s", i, w.Code, w.Body)
		}
	}
	s.check([]row{{
		name: "one that is active begins anew", method: "PUT", target: "/v1/sandboxes/default/scenarios/toy/s1",
		body: strings.Replace(rude, "rude", "s1", 1), headers: []string{"Content-Type", "application/x-yaml"}, status: 200,
	}})
}
