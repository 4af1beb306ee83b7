package control_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/redact"
	"github.com/understudy-suite/understudy/internal/verify"
)

const verifyOf = "/v1/sandboxes/default/verify"

func TestVerify(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const fezes = `{"operation": "SellHat", "where": {"hat": "fez"}, "count": {"exactly": 1}}`
	s.check([]row{{name: "nothing observed", method: "POST", target: verifyOf, body: fezes, status: 409, header: [2]string{control.VerdictHeader, "insufficient"}, want: []string{`"verdict":"insufficient"`, "nothing was observed"}}})
	s.call("POST", "/hats/1?sig=abcdef", `{"hat":"fez"}`)
	s.call("POST", "/hats/1", `{"hat":"bowler"}`, "Understudy-Outcome", "SoldOut.NoHat")
	verdict := func(v verify.Verdict) [2]string { return [2]string{control.VerdictHeader, string(v)} }
	s.check([]row{
		{method: "POST", target: verifyOf, body: fezes, status: 200, header: verdict(verify.Holds), want: []string{`{"verdict":"holds","summary":"1 check: 1 holds","sandbox":"default","observed":{"calls":2,"dropped":0},"checks":[{"name":"SellHat where hat is \"fez\": exactly 1 call","verdict":"holds","expected":"exactly 1 call","found":1}]}`}},
		{method: "POST", target: verifyOf, body: "- operation: SellHat\n  outcome: SoldOut.NoHat\n  decided_by: header\n- order: [SellHat, SellHat]\n", status: 200, want: []string{`"summary":"2 checks: 2 hold"`}},
		{method: "POST", target: verifyOf, body: `{"operation": "SellHat", "where": {"hat": "trilby"}}`, status: 409, header: verdict(verify.Fails), want: []string{
			`{"title":"Conflict","status":409,"detail":"1 check: 1 fails","verdict":"fails"`,
			`"nearest":[{"call":"default-2","api":"toy","operation":"SellHat","outcome":"SoldOut.NoHat","differs":[{"what":"hat","expected":"\"trilby\"","got":"\"bowler\""}]},{"call":"default-1"`,
		}},
		{method: "POST", target: verifyOf, body: `{"expectations": true}`, status: 409, header: verdict(verify.Insufficient), want: []string{"no active scenario"}},
		{method: "POST", target: verifyOf, body: `{"since": "default-2", "count": {"exactly": 0}}`, status: 200},
		{method: "POST", target: verifyOf, body: `[{"operation": "SelHat"}, {"outcome": "NoHat"}]`, status: 422, want: []string{
			`the checks have 2 faults, and nothing was verified`, `did you mean \"SellHat\"?`, `did you mean \"SoldOut.NoHat\"?`,
		}},
		{method: "POST", target: verifyOf, body: `{"decided_by": "scenario toy/no-hats"}`, status: 422, want: []string{`did you mean \"toy/no-hat\"`}},
		{method: "POST", target: verifyOf, body: `{"decided_by": "scenario no-hat rule 1", "count": {"exactly": 0}}`, status: 200},
		{method: "POST", target: verifyOf, body: `{"since": "default-3"}`, status: 422, want: []string{"no call of the sandbox"}},
		{method: "POST", target: verifyOf, body: `{`, status: 400, want: []string{"the checks cannot be read, for 1 fault; JSON or YAML was expected", "checks:2:1:"}},
		{method: "POST", target: verifyOf, status: 400, want: []string{"the file is empty"}},
		{method: "POST", target: verifyOf, body: strings.Repeat(" ", 5000), status: 413},
		{method: "POST", target: verifyOf + "?format=tpa", body: fezes, status: 400, want: []string{`there is no format \"tpa\"; did you mean \"tap\"?`}},
		{method: "GET", target: verifyOf, status: 405},
		{method: "POST", target: "/v1/sandboxes/defalt/verify", body: fezes, status: 404, want: []string{`did you mean \"default\"?`}},
	})
	for form, want := range map[string]string{
		"text": "text/plain; charset=utf-8 holds         SellHat", "json": `application/json {"verdict":"holds"`, "tap": "text/plain; charset=utf-8 TAP version 14\n1..1\nok 1 - ",
		"junit": "application/xml <?xml", "markdown": "text/markdown; charset=utf-8 | verdict |",
	} {
		w := s.ask("POST", verifyOf+"?format="+form, fezes)
		if got := w.Header().Get("Content-Type") + " " + w.Body.String(); w.Code != 200 || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %d %s", form, w.Code, got)
		}
		if w := s.ask("POST", verifyOf+"?format="+form, `{"operation": "ListHats"}`); w.Code != 409 || w.Header().Get(control.VerdictHeader) != "fails" {
			t.Errorf("%s: got %d %v for a check that fails", form, w.Code, w.Header())
		}
	}
}

// The expect of active scenarios is held against how often their rules fired.
func TestVerifyExpectations(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{{
		method: "PUT", target: "/v1/sandboxes/default/scenarios/toy/two", headers: []string{"Content-Type", "application/yaml"}, status: 200,
		body: "scenario: two\napi: toy\nrules:\n  - {operation: SellHat, outcome: SoldOut.NoHat, expect: {fired: 2}}\n",
	}})
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.check([]row{{method: "POST", target: verifyOf, body: `{"expectations": true}`, status: 409, header: [2]string{control.VerdictHeader, "insufficient"}, want: []string{`fired 1 time, want at least 2`}}})
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.check([]row{
		{method: "POST", target: verifyOf, body: `{"expectations": true}`, status: 200, want: []string{`"name":"toy/two rule 1, SellHat","verdict":"holds"`}},
		{method: "POST", target: verifyOf, body: `{"decided_by": "scenario toy/two rule 1", "count": {"exactly": 2}}`, status: 200},
		{method: "POST", target: verifyOf, body: `{"decided_by": "scenario toy/two rule 2", "count": {"exactly": 0}}`, status: 422, want: []string{"names the rule 2, and the scenario toy/two has 1 rule"}},
		{method: "DELETE", target: "/v1/sandboxes/default/scenarios", status: 204},
		{name: "it is known by the calls that it decided", method: "POST", target: verifyOf, body: `{"decided_by": "scenario toy/two", "count": {"exactly": 2}}`, status: 200},
	})
}

// The journal of this server keeps five entries.
func TestVerifyAfterEntriesGaveWay(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for range 7 {
		s.call("GET", "/hats", "")
	}
	s.check([]row{
		{method: "POST", target: verifyOf, body: `{"operation": "ListHats", "count": {"at_least": 5}}`, status: 200},
		{method: "POST", target: verifyOf, body: `{"operation": "ListHats", "count": {"exactly": 5}}`, status: 409, header: [2]string{control.VerdictHeader, "insufficient"}, want: []string{"2 calls gave way"}},
		{method: "POST", target: verifyOf, body: `{"operation": "SellHat", "count": {"exactly": 0}}`, status: 409, header: [2]string{control.VerdictHeader, "insufficient"}},
		{method: "POST", target: verifyOf, body: `{"since": "default-2", "count": {"exactly": 5}}`, status: 200},
	})
}

// What was taken out is not held to have never been, where a check begins before that.
func TestVerifyAfterTheJournalWasEmptied(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	for range 3 {
		s.call("GET", "/hats", "")
	}
	s.check([]row{
		{method: "DELETE", target: "/v1/sandboxes/default/journal", status: 204},
		{method: "POST", target: verifyOf, body: `{"since": "default-1", "operation": "ListHats", "count": {"exactly": 0}}`, status: 409, header: [2]string{control.VerdictHeader, "insufficient"}, want: []string{"2 calls taken out when the journal was emptied"}},
		{method: "POST", target: verifyOf, body: `{"since": "default-3", "operation": "ListHats", "count": {"exactly": 0}}`, status: 200},
	})
	s.call("GET", "/hats", "")
	s.check([]row{
		{method: "POST", target: verifyOf, body: `{"operation": "ListHats", "count": {"exactly": 1}}`, status: 200},
		{method: "POST", target: verifyOf, body: `{"since": "default-1", "operation": "ListHats", "count": {"exactly": 1}}`, status: 409, header: [2]string{control.VerdictHeader, "insufficient"}},
		{method: "POST", target: verifyOf, body: `{"since": "default-1", "operation": "ListHats", "count": {"at_least": 4}}`, status: 409, header: [2]string{control.VerdictHeader, "fails"}},
	})
}

// The numbers of calls begin anew with a reset, and in a sandbox that is made again. An ID
// that was given before is not taken for that of another call.
func TestVerifySinceACallOfAFormerLife(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	const boxes = "/v1/sandboxes/"
	calls := func(box string, n int) {
		for range n {
			s.call("GET", "/hats", "", "Understudy-Sandbox", box)
		}
	}
	since := func(box, id string, n, status int, want string) row {
		return row{method: "POST", target: boxes + box + "/verify", body: fmt.Sprintf(`{"operation": "ListHats", "since": %q, "count": {"exactly": %d}}`, id, n), status: status, want: []string{want}}
	}
	for _, again := range []struct {
		box    string
		method string
		target string
	}{{"reset", "POST", boxes + "reset/reset"}, {"dropped", "DELETE", boxes + "dropped"}} {
		box := again.box
		calls(box, 4)
		s.check([]row{since(box, box+"-3", 1, 200, `"holds"`), since(box, box+"-3@1", 1, 200, `"holds"`), since(box, box+"-3@2", 1, 422, "which is no call")})
		if w := s.ask(again.method, again.target, ""); w.Code >= 300 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		calls(box, 1)
		s.check([]row{since(box, box+"-3", 0, 409, box+"-3 was given before the sandbox was reset or made again, and what came after it is not known")})
		calls(box, 4)
		s.check([]row{
			since(box, box+"-3", 2, 409, `it cannot be told: since `+box+`-3 was given before and after the sandbox was reset or made again; `+box+`-3@2 is the call after that`),
			since(box, box+"-3@1", 2, 409, `"verdict":"insufficient"`),
			since(box, box+"-3@2", 2, 200, `"holds"`),
			since(box, box+"-5", 0, 200, `"holds"`),
			since(box, box+"-6", 0, 422, "which is no call"),
			since(box, box+"-6@1", 0, 422, "which is no call"),
			since(box, box+"-3@0", 0, 422, "which is no call"),
			since(box, box+"-3@x", 0, 422, "which is no call"),
			{method: "GET", target: boxes + box, status: 200, want: []string{`"life":2`}},
		})
	}
}

// A report tells no secret, neither what a condition is about nor, bit by bit, whether
// it holds.
func TestVerifyTellsNoSecret(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) { c.Redactor = redact.New(redact.Config{APIs: apis, All: true}) })
	s.call("POST", "/hats/1?sig="+canary, `{"hat":"fez","sig":"`+canary+`"}`, "X-Toy-Key", canary)
	for _, at := range []string{"header.X-Toy-Key", "query.sig", "sig"} {
		for _, value := range []string{`"x"`, `{"matches": "^c"}`, `{"matches": "^x"}`, `"` + canary + `"`} {
			w := s.ask("POST", verifyOf, `{"operation": "SellHat", "where": {"`+at+`": `+value+`}}`)
			if w.Code != 409 || w.Header().Get(control.VerdictHeader) != "insufficient" || !strings.Contains(w.Body.String(), "a secret, which is not shown") {
				t.Errorf("%s, %s: got %d %s", at, value, w.Code, w.Body)
			}
			if value[1] != canary[0] && strings.Contains(w.Body.String(), canary) {
				t.Errorf("%s: the secret is in %s", at, w.Body)
			}
		}
		s.check([]row{{method: "POST", target: verifyOf, body: `{"operation": "SellHat", "where": {"hat": "fez", "` + at + `": {"present": true}}}`, status: 200}})
	}
}

// verify waits for an answer that is under way, but no longer than a second; then the
// call is named.
func TestVerifyWaits(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	stalled := make(chan struct{})
	reader, writer := io.Pipe()
	go func() {
		defer func() { _ = writer.Close(); close(stalled) }()
		r, _ := http.NewRequest("POST", "/hats/1", strings.NewReader(`{"hat":"fez"}`))
		s.gateway.Own(toy).ServeHTTP(&pipeWriter{header: http.Header{}, Writer: writer}, r)
	}()
	one := make([]byte, 1)
	if _, err := reader.Read(one); err != nil { // the answer has begun
		t.Fatal(err)
	}
	began := time.Now()
	w := s.ask("POST", verifyOf, `{"operation": "SellHat", "count": {"exactly": 1}}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"open":1,"pending":["default-1"]`) || time.Since(began) < time.Second {
		t.Errorf("got %d %s after %s", w.Code, w.Body, time.Since(began))
	}
	asked := make(chan string)
	go func() { asked <- s.ask("POST", verifyOf, `{"operation": "SellHat"}`).Body.String() }()
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	<-stalled
	if got := <-asked; strings.Contains(got, "pending") {
		t.Errorf("got %s, after the answer left", got)
	}
}

// pipeWriter is a connection whose client reads slowly.
type pipeWriter struct {
	io.Writer
	header http.Header
}

func (w *pipeWriter) Header() http.Header { return w.header }
func (*pipeWriter) WriteHeader(int)       {}

// The report has the parameter that differed also where its value was long.
func TestVerifyReadsLargeBodies(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	many, _ := json.Marshal(contract.Values{"hat": "fez", "sizes": make([]int, 300)})
	s.call("POST", "/hats/1", string(many))
	s.check([]row{
		{method: "POST", target: verifyOf, body: `{"operation": "SellHat", "where": {"hat": "fez"}}`, status: 200},
		{method: "POST", target: verifyOf, body: `{"operation": "SellHat", "where": {"hat": "bowler"}}`, status: 409, want: []string{`"got":"\"fez\""`}},
	})
}
