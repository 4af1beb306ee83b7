package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/verify"
)

var (
	success = &contract.Outcome{Name: "success", Status: 200}
	noIdle  = &contract.Outcome{Name: "NotFound.NoIdle", Fails: true, Status: 200}
	badSign = &contract.Outcome{Name: "badSignature", Fails: true, Status: 403}

	userID = contract.Param{Name: "UserId"}
	toy    = &contract.API{
		Name:   "toy",
		Checks: []contract.Check{{Name: "signature", Ends: []*contract.Outcome{badSign}}},
		Operations: []*contract.Operation{
			{Name: "Apply", Params: []contract.Param{userID}, Outcomes: []*contract.Outcome{success}},
			{Name: "Create", Outcomes: []*contract.Outcome{success, noIdle}, Params: []contract.Param{
				userID,
				{Name: "Count", Type: contract.Integer},
				{Name: "a.b"},
				{Name: "Rate", Type: contract.Number},
				{Name: "Media", Type: contract.Object, Fields: []contract.Param{{Name: "id"}}},
			}},
			{Name: "Destroy", Params: []contract.Param{userID}, Outcomes: []*contract.Outcome{success}},
		},
	}
	other = &contract.API{Name: "other", Operations: []*contract.Operation{{Name: "Ask", Outcomes: []*contract.Outcome{success}}}}

	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// in are parameters of a request.
type in = contract.Values

// happened makes an entry of "toy/Create/success" that arrived some seconds after noon.
func happened(what string, seconds float64, values any) *journal.Entry {
	parts := strings.Split(what, "/")
	e := &journal.Entry{API: parts[0], Operation: parts[1], Outcome: parts[2], Arrived: noon.Add(time.Duration(seconds * float64(time.Second)))}
	e.DecidedBy.Kind = journal.Emulator
	e.Request.URL = "/x?page=3"
	e.Request.Header = http.Header{"X-Trace": {"on"}}
	e.Request.Decoded = values
	return e
}

// world is what a sandbox observed.
type world struct {
	entries   []*journal.Entry
	dropped   int
	open      int
	active    []player.Status
	show      func(journal.Entry) journal.Entry
	truncated bool // the parameters of the last entry were not kept
}

// run holds checks against a world. The journal of the world is a real one that has
// dropped as many entries as the world says.
func run(t *testing.T, checks string, w world) *verify.Report {
	t.Helper()
	limit := len(w.entries)
	if limit == 0 {
		limit = 1
	}
	j := journal.New("box", journal.Limits{Entries: limit, Bytes: 1 << 30, Body: 1 << 10}, journal.NewBudget(1<<30), func() time.Time { return noon })
	for range w.dropped {
		j.Add(j.Turn(), happened("toy/Apply/success", 0, nil))
	}
	for i, e := range w.entries {
		arrived := e.Arrived
		if w.truncated && i == len(w.entries)-1 {
			e.Request.Body = make([]byte, 2<<10)
		}
		j.Add(j.Turn(), e)
		e.Arrived = arrived
		j.Close(e, 0, journal.Sent)
	}
	names := verify.Names{
		APIs: []*contract.API{toy, other}, Entry: j.Number,
		Scenario: func(name string) (string, int, error) {
			if name != "full" && name != "toy/full" {
				return "", 0, errors.New("there is no scenario " + name)
			}
			return "toy/full", 9, nil
		},
	}
	parsed, err := verify.Parse("checks", []byte(checks), names)
	if err != nil {
		t.Fatalf("%s: %v", checks, err)
	}
	report, err := verify.Run(t.Context(), parsed, &verify.World{
		Sandbox: "box", APIs: names.APIs, Journal: j.Evidence(), Active: w.active, Open: w.open, Show: w.show,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// three are two calls for u1 and one for u2.
func three() []*journal.Entry {
	return []*journal.Entry{
		happened("toy/Create/success", 0, in{"UserId": "u1", "Count": int64(5), "a.b": "dotted", "Media": in{"id": "m1"}}),
		happened("toy/Create/NotFound.NoIdle", 1, in{"UserId": "u1"}),
		happened("toy/Create/success", 2, in{"UserId": "u2"}),
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for checks, want := range map[string]string{
		"{}":                                                                      "holds 3",
		"{operation: Create}":                                                     "holds 3",
		"{api: toy, operation: Create}":                                           "holds 3",
		"{api: other}":                                                            "fails 0",
		"{api: other, count: {exactly: 0}}":                                       "holds 0",
		"{outcome: success}":                                                      "holds 2",
		"{operation: Create, outcome: success}":                                   "holds 2",
		"{operation: Apply}":                                                      "fails 0",
		"{count: {exactly: 3}}":                                                   "holds 3",
		"{count: {exactly: 2}}":                                                   "fails 3",
		"{count: {exactly: 4}}":                                                   "fails 3",
		"{count: {at_least: 3}}":                                                  "holds 3",
		"{count: {at_least: 4}}":                                                  "fails 3",
		"{count: {at_most: 3}}":                                                   "holds 3",
		"{count: {at_most: 2}}":                                                   "fails 3",
		"{count: {at_least: 1, at_most: 2}}":                                      "fails 3",
		"{count: {at_least: 1, at_most: 3}}":                                      "holds 3",
		"{decided_by: emulator}":                                                  "holds 3",
		"{decided_by: check}":                                                     "fails 0",
		"{decided_by: check signature}":                                           "fails 0",
		"{decided_by: scenario full rule 2}":                                      "fails 0",
		"{decided_by: scenario toy/full}":                                         "fails 0",
		"{operation: Create, where: {UserId: u1}}":                                "holds 2",
		"{operation: Create, where: {UserId: u3}}":                                "fails 0",
		"{operation: Create, where: {UserId: {in: [u2, u3]}}}":                    "holds 1",
		"{operation: Create, where: {UserId: {matches: '^u[12]$'}}}":              "holds 3",
		"{operation: Create, where: {UserId: {absent: true}}}":                    "fails 0",
		"{operation: Create, where: {Count: {present: true}}}":                    "holds 1",
		"{operation: Create, where: {Count: {gt: 4, lt: 6}}}":                     "holds 1",
		"{operation: Create, where: {Count: 5, a.b: dotted, Media.id: m1}}":       "holds 1",
		"{operation: Create, where: {Count: 5, a.b: dotted, Media.id: m2}}":       "fails 0",
		"{where: {header.X-Trace: on, query.page: 3}}":                            "holds 3",
		"{where: {header.X-Trace: off}}":                                          "fails 0",
		"{where: {UserId: u2}}":                                                   "holds 1",
		"{since: box-2}":                                                          "holds 1",
		"{since: box-3, count: {exactly: 0}}":                                     "holds 0",
		"{since: box-3}":                                                          "fails 0",
		`{"operation": "Create",	"where": {"UserId": "\ud83d\ude00"}}`:            "fails 0",
		"[{operation: Create}, {operation: Apply}]":                               "holds 3; fails 0",
		"[{operation: Create, name: one}, {operation: Create, outcome: success}]": "holds 3; holds 2",
	} {
		if got := say(run(t, checks, world{entries: three()})); got != want {
			t.Errorf("%s: got %s, want %s", checks, got, want)
		}
	}
}

// say writes the verdicts of a report.
func say(r *verify.Report) string {
	var all []string
	for _, c := range r.Checks {
		all = append(all, fmt.Sprintf("%s %d", c.Verdict, c.Found))
	}
	return strings.Join(all, "; ")
}

// Each way in which the evidence may not suffice, and beside it the same check where
// it does.
func TestNeverALie(t *testing.T) {
	t.Parallel()
	masked := func(e journal.Entry) journal.Entry {
		e.Request.Decoded = in{"UserId": contract.Redacted}
		return e
	}
	fired := func(n int) []player.Status {
		return []player.Status{{Scenario: "toy/full", Rules: []player.RuleStatus{{Rule: 1, Operation: "Create"}, {Rule: 2, Operation: "*", Expect: 2, Fired: n}}}}
	}
	const order = "{order: [Create, Destroy]}"
	ordered := func(user string) []*journal.Entry {
		return append(three(), happened("toy/Destroy/success", 3, in{"UserId": user}))
	}
	for _, tt := range []struct {
		name, checks string
		w            world
		want, why    string
		enough       world // with which the same checks hold
	}{
		{"dropped, exactly", "{operation: Create, count: {exactly: 3}}", world{entries: three(), dropped: 1}, "insufficient 3", "1 call gave way", world{entries: three()}},
		{"dropped, at most", "{operation: Create, count: {at_most: 3}}", world{entries: three(), dropped: 2}, "insufficient 3", "2 calls gave way", world{entries: three()}},
		{"dropped, absent", "{operation: Apply, count: {exactly: 0}}", world{entries: three(), dropped: 1}, "insufficient 0", "gave way", world{entries: three()}},
		{"dropped, at least", "{operation: Create, count: {at_least: 4}}", world{entries: three(), dropped: 1}, "insufficient 3", "gave way", world{entries: append(three(), three()...)}},
		{"dropped, order", "{order: [Apply, Create]}", world{entries: three(), dropped: 1}, "insufficient 0", "gave way", world{entries: append([]*journal.Entry{happened("toy/Apply/success", 0, nil)}, three()...), dropped: 1}},
		{"dropped, order with after", "{order: [Create, Create], after: 1s}", world{entries: three(), dropped: 1}, "insufficient 1", "gave way", world{entries: three()}},
		{"dropped, order by", "{order: [Create, Destroy], by: UserId}", world{entries: ordered("u1")[1:2:2], dropped: 1}, "insufficient 0", "gave way", world{entries: []*journal.Entry{ordered("u1")[1], ordered("u1")[3]}}},
		{"nothing observed", "{operation: Create}", world{}, "insufficient 0", "nothing was observed", world{entries: three()}},
		{"nothing observed, none expected", "{operation: Apply, count: {exactly: 0}}", world{}, "insufficient 0", "nothing was observed", world{entries: three()}},
		{"nothing observed, order", order, world{}, "insufficient 0", "nothing was observed", world{entries: ordered("u1")}},
		{"a body was cut", "{operation: Create, where: {UserId: u2}}", world{entries: three(), truncated: true}, "insufficient 0", "did not keep", world{entries: three()}},
		{"a body was cut, none expected", "{operation: Create, where: {UserId: u3}, count: {exactly: 0}}", world{entries: three(), truncated: true}, "insufficient 0", "did not keep", world{entries: three()}},
		{"a body was cut, by", "{order: [Create, Destroy], by: UserId}", world{entries: ordered("u1")[1:], truncated: true}, "insufficient 0", "did not keep", world{entries: []*journal.Entry{ordered("u1")[1], ordered("u1")[3]}}},
		{
			"a body was cut of what may be no call of the order", "{order: [{operation: Create, where: {Count: 5}}, Destroy], by: header.X-Trace}",
			world{entries: three()[2:], truncated: true},
			"insufficient 0", "did not keep",
			world{entries: []*journal.Entry{three()[0], ordered("u1")[3]}},
		},
		{"a secret", "{operation: Create, where: {UserId: u2}}", world{entries: three(), show: masked}, "insufficient 0", "does not show", world{entries: three(), show: func(e journal.Entry) journal.Entry { return e }}},
		{"a secret, none expected", "{operation: Create, where: {UserId: u3}, count: {exactly: 0}}", world{entries: three(), show: masked}, "insufficient 0", "does not show", world{entries: three()}},
		{"a call under way", "{operation: Apply, count: {exactly: 0}}", world{entries: three(), open: 1}, "insufficient 0", "1 call under way", world{entries: three()}},
		{"a rule fired less", "{expectations: true}", world{active: fired(1)}, "insufficient 1", "fired 1 time, want at least 2", world{active: fired(2)}},
		{"no rule with expect", "{expectations: true}", world{entries: three()}, "insufficient 0", "no active scenario", world{active: fired(3)}},
	} {
		r := run(t, tt.checks, tt.w)
		if got := say(r); got != tt.want || !strings.Contains(r.Checks[0].Why, tt.why) || r.Verdict != verify.Insufficient {
			t.Errorf("%s: got %s, %q, want %s, %q", tt.name, got, r.Checks[0].Why, tt.want, tt.why)
		}
		if r := run(t, tt.checks, tt.enough); r.Verdict != verify.Holds {
			t.Errorf("%s, with the evidence: got %s, %q, want it to hold", tt.name, r.Verdict, r.Checks[0].Why)
		}
	}
}

// What is kept may suffice though entries gave way or values were not kept.
func TestEnoughEvidence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		checks string
		w      world
		want   string
	}{
		{"{operation: Create, count: {at_least: 3}}", world{entries: three(), dropped: 100}, "holds 3"},
		{"{operation: Create, count: {exactly: 2}}", world{entries: three(), dropped: 100}, "fails 3"},
		{"{operation: Create, count: {at_least: 9}}", world{entries: three(), dropped: 2}, "fails 3"},
		{"{operation: Create, since: box-5, count: {exactly: 2}}", world{entries: three(), dropped: 4}, "holds 2"},
		{"{operation: Create, since: box-3, count: {exactly: 3}}", world{entries: three(), dropped: 4}, "insufficient 3"},
		{"{operation: Create, where: {header.X-Trace: on}}", world{entries: three(), truncated: true}, "holds 3"},
		{"{operation: Create, where: {UserId: u1}, count: {at_least: 2}}", world{entries: three(), truncated: true}, "holds 2"},
		{"{operation: Create, where: {UserId: {present: true}}}", world{entries: three(), show: func(e journal.Entry) journal.Entry {
			e.Request.Decoded = in{"UserId": contract.Redacted}
			return e
		}}, "holds 3"},
		{"{order: [Create, Create]}", world{entries: three(), dropped: 1}, "holds 1"},
	} {
		if got := say(run(t, tt.checks, tt.w)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.checks, got, tt.want)
		}
	}
}

// What was kept as JSON text is compared as the values that it was.
func TestTextIsDecoded(t *testing.T) {
	t.Parallel()
	kept := func() world {
		return world{entries: []*journal.Entry{happened("toy/Create/success", 0, json.RawMessage(`{"UserId":"u1","Count":5,"Rate":2.5,"Media":{"id":"m1"}}`))}}
	}
	for checks, want := range map[string]string{
		"{operation: Create, where: {UserId: u1, Count: {gt: 4}, Media.id: m1}}": "holds 1",
		"{operation: Create, where: {UserId: u1, Count: {gt: 5}, Media.id: m1}}": "fails 0",
		"{operation: Create, where: {Rate: 2.50}}":                               "holds 1",
	} {
		if got := say(run(t, checks, kept())); got != want {
			t.Errorf("%s: got %s, want %s", checks, got, want)
		}
	}
}

// calls makes entries of "Create u1 0, Destroy u1 2.5".
func calls(text string) (all []*journal.Entry) {
	for one := range strings.SplitSeq(text, ", ") {
		var operation, user string
		var at float64
		if _, err := fmt.Sscan(one, &operation, &user, &at); err != nil {
			panic(one)
		}
		values := in{}
		if user != "-" {
			values["UserId"] = user
		}
		if !strings.Contains(operation, "/") {
			operation += "/success"
		}
		all = append(all, happened("toy/"+operation, at, values))
	}
	return all
}

func TestOrders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ check, calls, want string }{
		{"order: [Apply, Create, Destroy]", "Apply u1 0, Create u1 1, Destroy u1 2", "holds 1"},
		{"order: [Apply, Create, Destroy]", "Create u1 0, Apply u1 1, Create u1 2, Apply u1 3, Destroy u1 4", "holds 1"},
		{"order: [Apply, Create, Destroy]", "Create u1 0, Apply u1 1, Destroy u1 2", "fails 0"},
		{"order: [Apply, Create, Destroy]", "Apply u1 0, Create u2 1, Destroy u3 2", "holds 1"},
		{"order: [Create, Create]", "Create u1 0", "fails 0"},
		{"order: [Create, Create]", "Create u1 0, Create u1 1", "holds 1"},
		{"order: [Apply, Create, Destroy], by: UserId", "Apply u1 0, Create u2 1, Destroy u3 2", "fails 0"},
		{"order: [Apply, Create], by: UserId", "Apply u1 0, Apply u2 1, Create u2 2, Create u1 3", "holds 2"},
		{"order: [Apply, Create], by: UserId", "Apply u1 0, Apply u2 1, Create u2 2", "fails 1"},
		{"order: [Apply, Create], by: UserId", "Apply u1 0, Destroy u2 1, Create u1 2", "holds 1"},
		{"order: [Apply, Create], by: UserId", "Apply - 0, Create - 1", "fails 0"},
		{"order: [Apply, Create], within: 5s", "Apply u1 0, Create u1 5", "holds 1"},
		{"order: [Apply, Create], within: 5s", "Apply u1 0, Create u1 5.1", "fails 0"},
		{"order: [Apply, Create], within: 5s", "Apply u1 0, Apply u1 1, Create u1 5.1", "holds 1"},
		{"order: [Apply, Create, Destroy], within: 5s", "Apply u1 0, Create u1 1, Create u1 4, Create u1 6, Destroy u1 9", "holds 1"},
		{"order: [Apply, Create, Destroy], within: 2s", "Apply u1 0, Create u1 1, Create u1 4, Destroy u1 5", "fails 0"},
		{"order: [Create, Create], after: 1s", "Create u1 0, Create u1 0.9", "fails 0"},
		{"order: [Create, Create], after: 1s", "Create u1 0, Create u1 0.9, Create u1 1", "fails 0"},
		{"order: [Create, Create], after: 1s", "Create u1 0, Create u1 1, Create u1 2", "holds 1"},
		{"order: [Create, Create], after: 1s", "Create u1 0, Create u1 1.5, Create u1 1.6", "fails 0"},
		{"order: [Create, Create], after: 1s, by: UserId", "Create u1 0, Create u2 0.5, Create u1 1, Create u2 1.5", "holds 2"},
		{"order: [Create, Create], after: 1s, by: UserId", "Create u1 0, Create u2 0.5, Create u1 1, Create u2 1.4, Create u2 3", "fails 1"},
		{"order: [Create, Create, Create], after: 500ms", "Create u1 0, Create u1 0.24, Create u1 0.48, Create u1 0.72, Create u1 0.96, Create u1 1.2, Create u1 1.44, Create u1 1.68", "fails 0"},
		{"order: [{operation: Create, outcome: NotFound.NoIdle}, Create], after: 1s", "Create/NotFound.NoIdle u1 0, Create u1 0.2, Create u1 5", "fails 0"},
		{"order: [{operation: Create, outcome: NotFound.NoIdle}, Create], after: 1s", "Create/NotFound.NoIdle u1 0, Create/NotFound.NoIdle u1 1, Create u1 2, Create u1 2.1", "holds 1"},
		{"order: [{operation: Create, outcome: NotFound.NoIdle}, Create], after: 1s", "Create/NotFound.NoIdle u1 0, Create/NotFound.NoIdle u1 1, Create u1 1.5, Create u1 5", "fails 0"},
		{"order: [Apply, Create, Destroy], after: 1s", "Create u1 0, Destroy u1 0.1, Apply u1 1, Create u1 2, Destroy u1 3", "holds 1"},
		{"order: [Create, Create, Create], after: 1s, within: 2s", "Create u1 0, Create u1 1.5, Create u1 3", "holds 1"},
		{"order: [Create, Create, Create], after: 1s, within: 2s", "Create u1 0, Create u1 0.5, Create u1 3", "fails 0"},
		{"order: [{operation: Create, where: {UserId: u1}}, {operation: Create, where: {UserId: u2}}]", "Create u1 0, Create u2 1", "holds 1"},
		{"order: [{operation: Create, where: {UserId: u1}}, {operation: Create, where: {UserId: u2}}]", "Create u2 0, Create u1 1", "fails 0"},
		{"order: [Apply, Create], since: box-1", "Apply u1 0, Create u1 1", "fails 0"},
		{"api: toy, order: [Apply, {api: other, operation: Ask}]", "Apply u1 0", "fails 0"},
	} {
		r := run(t, "{"+tt.check+"}", world{entries: calls(tt.calls)})
		if got := say(r); got != tt.want {
			t.Errorf("%s over %s: got %s (%s), want %s", tt.check, tt.calls, got, r.Checks[0].Why, tt.want)
		}
	}
}

// What came closest is told, and how it differs.
func TestNearestMisses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		check string
		w     world
		want  string
	}{
		{
			"{operation: Create, outcome: success, where: {UserId: u2, Count: 7}}",
			world{entries: three()},
			`box-3 Count: got nothing, want "7"|box-1 UserId: got "u1", want "u2"; Count: got "5", want "7"|box-2 outcome: got NotFound.NoIdle, want success; UserId: got "u1", want "u2"; Count: got nothing, want "7"`,
		},
		{"{operation: Create, decided_by: scenario full rule 1}", world{entries: three()[2:]}, "box-1 decided_by: got emulator, want scenario toy/full rule 1"},
		{"{operation: Destroy}", world{entries: three()[2:]}, "box-1 operation: got Create, want Destroy"},
		{"{operation: Create, count: {at_most: 1}}", world{entries: three()}, "box-2 |box-3 "},
		{"{order: [Apply, Create], within: 1s}", world{entries: calls("Apply u1 0, Create u1 3")}, "box-2 within: got 3s, want at most 1s after box-1"},
		{"{order: [Create, Create], after: 1s}", world{entries: calls("Create u1 0, Create u1 0.25")}, "box-2 after: got 250ms, want at least 1s after box-1"},
		{"{order: [Create, Create], after: 1s}", world{entries: calls("Create u1 0, Create u1 0.25, Create u1 9")}, "box-2 after: got 250ms, want at least 1s after box-1"},
		{"{order: [Create, Destroy]}", world{entries: calls("Destroy u1 0, Create u1 1")}, "box-1 order: got one before it, want a call after box-2"},
		{
			"{order: [Create, {operation: Destroy, where: {UserId: u1}}], by: UserId}",
			world{entries: calls("Create u1 0, Create u2 1, Destroy u1 2, Destroy u2 3")},
			`box-4 UserId: got "u2", want "u1"`,
		},
		{"{operation: Create, where: {UserId: u9}}", world{entries: three()[2:], truncated: true}, `box-1 UserId: got what the journal did not keep of a long body, want "u9"`},
	} {
		c := run(t, tt.check, tt.w).Checks[0]
		var all []string
		for _, m := range append(c.Nearest, c.Surplus...) {
			var differs []string
			for _, d := range m.Differs {
				differs = append(differs, d.String())
			}
			all = append(all, m.Call+" "+strings.Join(differs, "; "))
		}
		if got := strings.Join(all, "|"); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.check, got, tt.want)
		}
	}
}
