package control_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/coverage"
)

const coverageOf = "/v1/sandboxes/default/coverage"

func TestCoverage(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{
		{name: "nothing was called", method: "GET", target: coverageOf, status: 200, want: []string{`"calls":0,"total":{"documented":0,"met":0,"waived":0,"percent":null}`}},
		{name: "as text", method: "GET", target: coverageOf + "?format=text", status: 200, want: []string{"0 of 0 documented outcomes met, nothing to count, in 0 calls"}},
		{name: "as JUnit", method: "GET", target: coverageOf + "?format=junit", status: 200, want: []string{`errors="1"`, `<testcase classname="coverage" name="any call">`}},
	})
	s.call("POST", "/hats/1", `{"hat":"bowler"}`, "Understudy-Outcome", "closed")
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.check([]row{
		{method: "GET", target: coverageOf, status: 200, want: []string{
			`{"version":1,"understudy":"1.2.3","sandbox":"default","uncalled":false,"calls":2`,
			`{"outcome":"closed","fails":true,"met":true,"calls":1,"delivered":1,"client_gone":0,"decided_by":{"emulator":0,"check":0,"scenario":0,"header":1},"operations":{"SellHat":1},"reacted":{"again":1,`,
		}},
		{method: "GET", target: coverageOf + "?format=json&uncalled=true", status: 200, want: []string{`"uncalled":true`}},
		{method: "GET", target: coverageOf + "?format=text", status: 200, want: []string{"documented outcomes met", "left out of the total: plain", "again 1 ("}},
		{method: "GET", target: coverageOf + "?format=markdown", status: 200, want: []string{"## Coverage", "| toy | SellHat 1 | closed |"}},
		{method: "GET", target: coverageOf + "?format=junit", status: 200, want: []string{`<testcase classname="toy.common" name="closed"></testcase>`}},
		{method: "GET", target: coverageOf + "?format=html", status: 200, want: []string{"<h1>Coverage</h1>"}, never: []string{"<script"}},
		{method: "GET", target: coverageOf + "?format=htm", status: 400, want: []string{`there is no format \"htm\"; did you mean \"html\"?`}},
		{method: "GET", target: coverageOf + "?all=yes", status: 400, want: []string{`all is \"yes\"; true or false was expected`}},
		{method: "GET", target: coverageOf + "?al=true", status: 400, want: []string{`did you mean \"all\"?`}},
		{method: "GET", target: "/v1/sandboxes/defautl/coverage", status: 404, want: []string{`did you mean \"default\"?`}},
		{method: "PUT", target: coverageOf, status: 405, header: [2]string{"Allow", "GET, HEAD, POST"}},
		{name: "emptying the journal", method: "DELETE", target: journalOf, status: 204},
		{name: "changes nothing", method: "GET", target: coverageOf, status: 200, want: []string{`"calls":2,`}},
		{name: "nor does a reset of another part", method: "POST", target: "/v1/sandboxes/default/reset?only=state,clock", status: 200},
		{method: "GET", target: coverageOf, status: 200, want: []string{`"calls":2,`}},
		{name: "a reset does", method: "POST", target: "/v1/sandboxes/default/reset?only=journal", status: 200},
		{method: "GET", target: coverageOf, status: 200, want: []string{`"calls":0,`}},
		{name: "and not in the total", method: "GET", target: coverageOf + "?all=true", status: 200, want: []string{`"calls":2,`}, never: []string{`"sandbox"`}},
	})
}

func TestCoverageKinds(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for form, kind := range map[string]string{
		"json": "application/json", "text": "text/plain; charset=utf-8", "table": "text/plain; charset=utf-8", "tap": "text/plain; charset=utf-8", "markdown": "text/markdown; charset=utf-8", "junit": "application/xml", "html": "text/html; charset=utf-8",
	} {
		w := s.ask("GET", coverageOf+"?format="+form, "")
		if got := w.Header().Get("Content-Type"); got != kind || w.Code != http.StatusOK {
			t.Errorf("%s: got %d, %s", form, w.Code, got)
		}
	}
}

// A share that is asked for is judged, in every form, by the status and the verdict.
func TestCoverageIsJudged(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	verdict := func(v string) [2]string { return [2]string{control.VerdictHeader, v} }
	s.check([]row{
		{name: "nothing was called", method: "GET", target: coverageOf + "?fail_under=0", status: 409, header: verdict("insufficient"), want: []string{
			`{"title":"Conflict","status":409,"detail":"there was no call, so nothing is covered and nothing is known","version":1,`,
		}},
		{name: "nobody asks for a share", method: "GET", target: coverageOf, status: 200, header: verdict("")},
	})
	for form, want := range map[string]string{"tap": "not ok 1 - at least 1 %\n", "junit": "<error message="} {
		if w := s.ask("GET", coverageOf+"?fail_under=1&format="+form, ""); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s", form, w.Code, w.Body)
		}
	}
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.check([]row{
		{method: "GET", target: coverageOf + "?fail_under=1", status: 200, header: verdict("holds"), want: []string{`{"version":1,`}},
		{method: "GET", target: coverageOf + "?fail_under=100", status: 409, header: verdict("fails"), want: []string{"100 % were asked for", `"apis":[`}},
		{method: "GET", target: coverageOf + "?fail_under=0.5&all=true", status: 200, header: verdict("holds")},
		{method: "GET", target: coverageOf + "?fail_under=NaN", status: 400, want: []string{"a number of percent from 0 to 100 was expected"}},
		{method: "GET", target: coverageOf + "?fail_under=101", status: 400},
		{method: "GET", target: coverageOf + "?fail_under=much", status: 400},
	})
	for form, want := range map[string]string{
		"json": "application/problem+json {", "table": "text/plain; charset=utf-8 1 of ", "tap": "text/plain; charset=utf-8 TAP version 14\n1..",
		"junit": "application/xml <?xml", "markdown": "text/markdown; charset=utf-8 ## Coverage", "html": "text/html; charset=utf-8 <!DOCTYPE html>",
	} {
		w := s.ask("GET", coverageOf+"?fail_under=100&format="+form, "")
		got := w.Header().Get("Content-Type") + " " + w.Body.String()
		if w.Code != http.StatusConflict || w.Header().Get(control.VerdictHeader) != "fails" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %d %v %s", form, w.Code, w.Header(), got)
		}
	}
	if tap := s.ask("GET", coverageOf+"?fail_under=100&format=tap", "").Body.String(); !strings.Contains(tap, " - at least 100 %\n  ---\n") || !strings.Contains(tap, " - toy/SellHat/success\n") {
		t.Errorf("got %s", tap)
	}
}

func TestCoverageWithWaivers(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	const one = `{"waivers":[{"api":"toy","outcome":"closed","reason":"never at night","until":"2999-12-31"}]}`
	yaml := []string{"Content-Type", "application/yaml"}
	s.check([]row{
		{method: "POST", target: coverageOf, body: one, status: 200, want: []string{`"waived":{"reason":"never at night","until":"2999-12-31"}`}},
		{
			name: "YAML", method: "POST", target: coverageOf + "?format=tap", headers: yaml, status: 200,
			body: "waivers:\n  - {api: toy, outcome: closed, reason: never at night, until: 2999-12-31}\n", want: []string{"ok ", " # SKIP waived until 2999-12-31: never at night\n"},
		},
		{name: "JSON with tabs", method: "POST", target: coverageOf, body: strings.Replace(one, `[{`, "[\n\t{", 1), status: 200, want: []string{`"waived":1`}},
		{name: "what is waived is not missing", method: "POST", target: coverageOf + "?fail_under=100", body: one, status: 200, header: [2]string{control.VerdictHeader, "holds"}, want: []string{`"waived":1`}},
		{name: "nothing is kept", method: "GET", target: coverageOf, status: 200, want: []string{`"waived":0`}, never: []string{`"waived":1`}},
		{method: "POST", target: coverageOf, status: 422, want: []string{"the file is empty"}},
		{method: "POST", target: coverageOf, body: `{}`, status: 422, want: []string{"the file has no key waivers"}},
		{method: "POST", target: coverageOf, body: strings.Replace(one, "closed", "close", 1), status: 422, want: []string{"the document of waivers has 1 fault", `did you mean \"closed\"?`, "waivers:1:"}},
		{method: "POST", target: coverageOf, body: strings.Replace(one, "2999", "1999", 1), status: 422, want: []string{"ended with 1999-12-31"}},
		{method: "POST", target: coverageOf + "?format=tpa", body: one, status: 400, want: []string{`did you mean \"tap\"?`}},
		{method: "POST", target: coverageOf, body: strings.Repeat(" ", 5000), status: 413},
	})
}

func reportOf(t *testing.T, s *testServer, target string) *coverage.Report {
	t.Helper()
	w := s.ask("GET", target, "")
	r, err := coverage.Read(w.Body.Bytes())
	if err != nil {
		t.Fatalf("%s: %v in %s", target, err, w.Body)
	}
	return r
}

// Many sandboxes count at the same time, come and go, and the total misses none.
func TestCoverageOfManySandboxes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const boxes, calls = 8, 40
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			name := fmt.Sprint("job-", i)
			for range calls {
				s.call("POST", "/hats/1", `{"hat":"fez"}`, "Understudy-Sandbox", name, "Understudy-Outcome", "closed")
			}
			if got := reportOf(t, s, "/v1/sandboxes/"+name+"/coverage").Calls; got != calls {
				t.Errorf("%s: got %d calls, want %d", name, got, calls)
			}
			if i%2 == 0 {
				s.ask("DELETE", "/v1/sandboxes/"+name, "")
			}
		})
	}
	wg.Wait()
	all := reportOf(t, s, coverageOf+"?all=true")
	for _, o := range all.APIs[0].Common {
		if o.Outcome == "closed" && (o.Calls != boxes*calls || o.Reacted.Again != boxes*(calls-1) || o.Reacted.Nothing != boxes) {
			t.Errorf("got %+v, %+v", o, o.Reacted)
		}
	}
	if all.Calls != boxes*calls {
		t.Errorf("got %d calls, want %d", all.Calls, boxes*calls)
	}
}

// 5,000 calls, of which the journal keeps five, and then none.
func TestCoverageRestsNotOnTheJournal(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for i := range 5000 {
		outcome := []string{"success", "closed"}[i%2]
		s.call("POST", "/hats/1", `{"hat":"fez"}`, "Understudy-Outcome", outcome)
	}
	before := s.ask("GET", coverageOf, "").Body.String()
	s.ask("DELETE", journalOf, "")
	if after := s.ask("GET", coverageOf, "").Body.String(); after != before {
		t.Errorf("got  %s\nwant %s", after, before)
	}
	var r coverage.Report
	if err := json.Unmarshal([]byte(before), &r); err != nil || r.Calls != 5000 || !strings.Contains(before, `"again":2499,`) {
		t.Errorf("got %s, %v", before, err)
	}
}

// Nothing that a request says gets into what is counted.
func TestCoverageKnowsTheTablesAlone(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	before := len(s.ask("GET", coverageOf, "").Body.String())
	for i := range 100 {
		s.call("GET", fmt.Sprintf("/evil-%d", i), "", "User-Agent", "evil")
		s.call("POST", "/hats/evil", `{"evil":"evil"}`)
	}
	w := s.ask("GET", coverageOf, "").Body.String()
	if strings.Contains(w, "evil") || len(w) > before+2000 || !strings.Contains(w, `"operations":{"-":100}`) {
		t.Errorf("got %s", w)
	}
}
