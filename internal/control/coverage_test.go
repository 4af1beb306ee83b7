package control_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-suite/understudy/internal/coverage"
)

const coverageOf = "/v1/sandboxes/default/coverage"

func TestCoverage(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{{name: "nothing was called", method: "GET", target: coverageOf, status: 200, want: []string{`"calls":0,"total":{"documented":0,"met":0,"waived":0,"percent":100}`}}})
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
		{method: "POST", target: coverageOf, status: 405, header: [2]string{"Allow", "GET, HEAD"}},
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
		"json": "application/json", "text": "text/plain; charset=utf-8", "markdown": "text/markdown; charset=utf-8", "junit": "application/xml", "html": "text/html; charset=utf-8",
	} {
		w := s.ask("GET", coverageOf+"?format="+form, "")
		if got := w.Header().Get("Content-Type"); got != kind || w.Code != http.StatusOK {
			t.Errorf("%s: got %d, %s", form, w.Code, got)
		}
	}
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
