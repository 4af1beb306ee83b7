package coverage_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
)

func outcome(name string) *contract.Outcome {
	return &contract.Outcome{Name: name, Fails: name != "success", Cite: "page"}
}

// shops returns two APIs. Of the first, what counts is: Buy success and SoldOut, Sell
// success and tooMany, and once for all badKey, broken, and tooMany, which Buy has from a
// check alone.
func shops() []*contract.API {
	badKey, broken, tooMany, guessed := outcome("badKey"), outcome("broken"), outcome("tooMany"), outcome("guessed")
	guessed.Cite = ""
	return []*contract.API{
		{
			Name:   "hats",
			Checks: []contract.Check{{Name: "key", Ends: contract.Outcomes(badKey, tooMany, guessed)}},
			Common: contract.Outcomes(broken),
			Operations: []*contract.Operation{
				{Name: "Buy", Outcomes: contract.Outcomes(outcome("success"), outcome("SoldOut"), broken)},
				{Name: "Sell", Outcomes: contract.Outcomes(outcome("success"), tooMany, guessed)},
				{Name: "Page", Helper: true, Outcomes: contract.Outcomes(outcome("success"))},
			},
		},
		{Name: "shoes", Operations: []*contract.Operation{{Name: "Buy", Outcomes: contract.Outcomes(outcome("success"))}}},
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A world is a sandbox whose calls are counted.
type world struct {
	counter *coverage.Counter
	tally   *coverage.Tally
	now     time.Time
	number  int
}

func newWorld() *world {
	w := &world{now: noon}
	w.counter = coverage.NewCounter(shops(), func() time.Time { return w.now })
	w.tally = w.counter.NewTally()
	return w
}

// entry is a call that is decided, at a second of its own. change may be nil.
func (w *world) entry(path string, change func(*journal.Entry)) *journal.Entry {
	w.number++
	w.now = w.now.Add(time.Second)
	parts := strings.Split(path, "/")
	e := &journal.Entry{
		Number: w.number, Arrived: w.now, API: parts[0], Operation: parts[1], Outcome: parts[2],
		DecidedBy: journal.Decider{Kind: journal.Emulator}, Delivered: journal.Sent,
	}
	if change != nil {
		change(e)
	}
	return e
}

func (w *world) call(path string, change func(*journal.Entry)) { w.tally.Count(w.entry(path, change)) }

func delivered(d journal.Delivered) func(*journal.Entry) {
	return func(e *journal.Entry) { e.Delivered = d }
}

func find(t *testing.T, r *coverage.Report, path string) *coverage.Outcome {
	t.Helper()
	parts := strings.Split(path, "/")
	for _, api := range r.APIs {
		if api.API != parts[0] {
			continue
		}
		lists := map[string][]*coverage.Outcome{"": api.Common, "uncounted": api.Uncounted}
		for _, op := range api.Operations {
			lists[op.Operation] = op.Outcomes
		}
		for _, o := range lists[parts[1]] {
			if o.Outcome == parts[2] {
				return o
			}
		}
	}
	t.Fatalf("the report has no %s", path)
	return nil
}

func TestWhatCounts(t *testing.T) {
	w := newWorld()
	r := w.tally.Report()
	r.Settle(true)
	want := []string{
		"hats/Buy/success", "hats/Buy/SoldOut", "hats/Sell/success", "hats/Sell/tooMany",
		"hats/*/badKey", "hats/*/tooMany", "hats/*/broken", "shoes/Buy/success",
	}
	if got := r.Missing(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, path := range []string{"hats/Page/success", "hats/Page/badKey", "hats/Sell/guessed", "hats/Buy/guessed", "hats//guessed", "hats/Buy/unheard of"} {
		w.call(path, nil)
	}
	r = w.tally.Report()
	if r.Total.Met != 0 || r.Calls != 5 {
		t.Errorf("got %+v of %d calls; inferred outcomes and operations of ours do not count", r.Total, r.Calls)
	}
	if got := len(r.APIs[0].Uncounted); got != 4 {
		t.Errorf("got %d outcomes that do not count, want 4", got)
	}
}

func TestCommonOutcomesCountOnce(t *testing.T) {
	w := newWorld()
	for _, path := range []string{"hats/Buy/badKey", "hats/Buy/broken", "hats/Sell/broken", "hats//badKey", "hats/Buy/tooMany", "hats/Sell/tooMany"} {
		w.call(path, nil)
	}
	r := w.tally.Report()
	if want := (coverage.Share{Documented: 7, Met: 4, Percent: new(57.1)}); !reflect.DeepEqual(r.Total, want) {
		t.Errorf("got %+v, want %+v", r.Total, want)
	}
	if got := find(t, r, "hats//badKey").Operations; !reflect.DeepEqual(got, map[string]uint64{"Buy": 1, "-": 1}) {
		t.Errorf("got %v", got)
	}
	if got := r.APIs[0].Operations[0]; got.Calls != 3 || got.Documented != 2 || got.Met != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestMetMeansDelivered(t *testing.T) {
	for _, lost := range []func(*journal.Entry){
		delivered(journal.ClientGone), delivered(journal.Faulted),
		func(e *journal.Entry) { e.Wire = &journal.Wire{Answered: true} },
	} {
		w := newWorld()
		w.call("hats/Buy/success", lost)
		if o := find(t, w.tally.Report(), "hats/Buy/success"); o.Met || o.Calls != 1 || o.Delivered != 0 {
			t.Errorf("got %+v", o)
		}
		w.call("hats/Buy/success", nil)
		if o := find(t, w.tally.Report(), "hats/Buy/success"); !o.Met || o.Calls != 2 || o.Delivered != 1 {
			t.Errorf("got %+v", o)
		}
	}
}

func TestWhoDecidedAndWhy(t *testing.T) {
	w := newWorld()
	for _, kind := range []journal.Kind{journal.Emulator, journal.Check, journal.Check, journal.Scenario, journal.Header} {
		w.call("hats/Buy/broken", func(e *journal.Entry) {
			e.DecidedBy.Kind = kind
			e.Explanation = &journal.Explanation{Cause: "because of " + string(kind)}
		})
	}
	o := find(t, w.tally.Report(), "hats//broken")
	if want := (coverage.By{Emulator: 1, Check: 2, Scenario: 1, Header: 1}); o.By != want {
		t.Errorf("got %+v, want %+v", o.By, want)
	}
	if want := map[string]uint64{"because of emulator": 1, "because of check": 2}; !reflect.DeepEqual(o.Causes, want) {
		t.Errorf("got %v, want %v", o.Causes, want)
	}
}

func TestReactions(t *testing.T) {
	for _, row := range []struct {
		name  string
		calls []string
		want  coverage.Reacted
	}{
		{"nothing", []string{"hats/Buy/SoldOut"}, coverage.Reacted{Nothing: 1}},
		{"again", []string{"hats/Buy/SoldOut", "hats/Buy/success"}, coverage.Reacted{Again: 1, ShortestMS: 1000, MedianMS: 1000, WaitsMS: []float64{1000}}},
		{"again and again", []string{"hats/Buy/SoldOut", "hats/Buy/SoldOut"}, coverage.Reacted{Again: 1, ShortestMS: 1000, MedianMS: 1000, WaitsMS: []float64{1000}, Nothing: 1}},
		{"another", []string{"hats/Buy/SoldOut", "hats/Sell/success"}, coverage.Reacted{Other: map[string]uint64{"hats/Sell": 1}}},
		{"of another API", []string{"hats/Buy/SoldOut", "shoes/Buy/success"}, coverage.Reacted{Other: map[string]uint64{"shoes/Buy": 1}}},
		{"of no operation", []string{"hats/Buy/SoldOut", "hats//badKey"}, coverage.Reacted{Other: map[string]uint64{"hats/-": 1}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, order := range permutations(len(row.calls)) {
				w := newWorld()
				var entries []*journal.Entry
				for _, path := range row.calls {
					entries = append(entries, w.entry(path, nil))
				}
				for _, i := range order { // the order of closing plays no part
					w.tally.Count(entries[i])
				}
				if got := find(t, w.tally.Report(), "hats/Buy/SoldOut").Reacted; !reflect.DeepEqual(*got, row.want) {
					t.Errorf("closed in the order %v: got %+v, want %+v", order, *got, row.want)
				}
			}
		})
	}
}

func permutations(n int) [][]int {
	if n == 1 {
		return [][]int{{0}}
	}
	return [][]int{{0, 1}, {1, 0}}
}

// A failure that closes long after its next call, or whose next call does, is not
// matched with a wrong one.
func TestReactionsFarApart(t *testing.T) {
	w := newWorld()
	late := w.entry("hats/Buy/SoldOut", nil)
	for range 100 {
		w.call("hats/Sell/success", nil)
	}
	w.tally.Count(late)
	w.call("hats/Buy/SoldOut", nil)
	next := w.entry("hats/Buy/success", nil)
	for range 100 {
		w.call("hats/Sell/success", nil)
	}
	w.tally.Count(next)
	got := find(t, w.tally.Report(), "hats/Buy/SoldOut").Reacted
	if !reflect.DeepEqual(*got, coverage.Reacted{Unknown: 2}) {
		t.Errorf("got %+v", *got)
	}
}

func TestWaitsAreAnEvenChoice(t *testing.T) {
	w := newWorld()
	for i := range 1001 {
		w.call("hats/Buy/SoldOut", nil)
		w.now = w.now.Add(time.Duration(i) * time.Millisecond)
	}
	got := find(t, w.tally.Report(), "hats/Buy/SoldOut").Reacted
	if got.Again != 1000 || got.ShortestMS != 1000 || len(got.WaitsMS) > 32 || got.MedianMS < 1450 || got.MedianMS > 1550 {
		t.Errorf("got %+v", got)
	}
}

// What was before a reset, and what a sandbox had that is gone, stays in the total.
func TestResetAndDrop(t *testing.T) {
	w := newWorld()
	w.call("hats/Buy/SoldOut", nil)
	underWay := w.entry("hats/Buy/success", nil)
	w.now = w.now.Add(time.Second)
	w.tally.Restart()
	if got := w.tally.Report(); got.Calls != 0 {
		t.Errorf("got %d calls after a reset", got.Calls)
	}
	w.number = 0
	w.tally.Count(underWay)
	w.call("hats/Sell/success", nil)
	if got := w.tally.Report(); got.Calls != 1 {
		t.Errorf("got %d calls, want 1: the other was decided before the reset", got.Calls)
	}
	other := w.counter.NewTally()
	other.Count(w.entry("hats/Buy/SoldOut", nil))
	other.Leave()
	other.Count(w.entry("hats/Buy/SoldOut", nil))
	all := w.counter.Report()
	if got := find(t, all, "hats/Buy/SoldOut"); got.Calls != 3 || got.Reacted.Nothing != 2 || got.Reacted.Unknown != 1 || all.Calls != 5 {
		t.Errorf("got %+v, %+v of %d calls", got, got.Reacted, all.Calls)
	}
}

// No call is lost or counted twice while sandboxes come, are reset and go.
func TestCountingBesideResets(t *testing.T) {
	const sandboxes, calls = 32, 200
	counter := coverage.NewCounter(shops(), time.Now)
	var clients, watcher sync.WaitGroup
	done := make(chan struct{})
	watcher.Go(func() {
		for last := uint64(0); ; {
			r := counter.Report()
			if r.Calls < last {
				t.Errorf("the total went from %d down to %d", last, r.Calls)
			}
			last = r.Calls
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for range sandboxes {
		clients.Go(func() {
			tally := counter.NewTally()
			for i := range calls {
				tally.Count(&journal.Entry{Number: i + 1, Arrived: time.Now(), API: "hats", Operation: "Buy", Outcome: "SoldOut", Delivered: journal.Sent})
				if i%50 == 20 {
					tally.Restart()
				}
			}
			tally.Leave()
		})
	}
	clients.Wait()
	close(done)
	watcher.Wait()
	r := counter.Report()
	if got := find(t, r, "hats/Buy/SoldOut").Reacted; r.Calls != sandboxes*calls || got.Again+got.Nothing+got.Unknown != sandboxes*calls {
		t.Errorf("got %d calls, %+v", r.Calls, got)
	}
}

// Totals know every sandbox that there was, and what each call was decided by.
func TestTotals(t *testing.T) {
	w := newWorld()
	other := w.counter.NewTally()
	w.call("hats/Buy/success", func(e *journal.Entry) { e.DurationMS = 3 })
	w.call("hats/Buy/success", func(e *journal.Entry) {
		e.DecidedBy, e.DurationMS = journal.Decider{Kind: journal.Scenario, Scenario: "hats/a", Rule: 2}, 200_000
	})
	w.tally.Restart()
	w.call("hats/Buy/success", func(e *journal.Entry) {
		e.DecidedBy = journal.Decider{Kind: journal.Scenario, Scenario: "hats/b", Rule: 1}
	})
	w.call("hats//badKey", func(e *journal.Entry) { e.DecidedBy = journal.Decider{Kind: journal.Check, Name: "key"} })
	other.Leave()
	other.Count(w.entry("hats//badKey", func(e *journal.Entry) { e.DecidedBy = journal.Decider{Kind: journal.Check, Name: "key"} }))
	w.call("hats/Buy/nowhere", nil)
	got := w.counter.Totals()
	want := []coverage.Ended{
		{API: "hats", Outcome: "badKey", DecidedBy: "check key", Calls: 2},
		{API: "hats", Operation: "Buy", Outcome: "success", DecidedBy: "emulator", Calls: 1},
		{API: "hats", Operation: "Buy", Outcome: "success", DecidedBy: "scenario", Calls: 2},
	}
	if got.Calls != 5 || !slices.Equal(got.Ended, want) {
		t.Errorf("got %d calls, %+v\nwant %+v", got.Calls, got.Ended, want)
	}
	buy := got.Took[1]
	within := fmt.Sprint(buy.Within)
	if buy.Operation != "Buy" || within != "[1 1 1 2 2 2 2 2 2 2 2 2 2 2 2 2 2 3]" || buy.Seconds != 200.003 {
		t.Errorf("got %+v", buy)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	w := newWorld()
	entries := []*journal.Entry{w.entry("hats/Buy/success", nil), w.entry("hats/Buy/SoldOut", nil), w.entry("hats//badKey", nil)}
	count := func() {
		for _, e := range entries {
			e.Number += len(entries)
			w.tally.Count(e)
		}
	}
	for range 100 {
		count()
	}
	if n := testing.AllocsPerRun(100, count); n > 0 {
		t.Errorf("got %v allocations", n)
	}
}

func BenchmarkCount(b *testing.B) {
	for _, path := range []string{"hats/Buy/success", "hats/Buy/SoldOut", "hats/Buy/badKey"} {
		b.Run(path, func(b *testing.B) {
			w := newWorld()
			e := w.entry(path, nil)
			b.ReportAllocs()
			for b.Loop() {
				e.Number++
				w.tally.Count(e)
			}
		})
	}
}

// busy is the report of a sandbox that has met something of everything.
func busy() *coverage.Report {
	w := newWorld()
	for i := range 70 {
		w.call("hats/Buy/SoldOut", func(e *journal.Entry) { e.Explanation = &journal.Explanation{Cause: "no_hat"} })
		w.now = w.now.Add(time.Duration(i) * time.Millisecond)
	}
	w.call("hats/Buy/success", delivered(journal.ClientGone))
	w.call("hats/Sell/badKey", delivered(journal.Faulted))
	w.call("hats/Sell/success", func(e *journal.Entry) { e.DecidedBy.Kind = journal.Scenario })
	w.call("hats/Sell/guessed", nil)
	return w.tally.Report()
}

func encode(t *testing.T, r *coverage.Report) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMergeSums(t *testing.T) {
	a, b := busy(), busy()
	was := encode(t, a)
	back, err := coverage.Read([]byte(encode(t, a)))
	if err != nil {
		t.Fatal(err)
	}
	if encode(t, back) != encode(t, a) {
		t.Error("a report that is read is another one")
	}
	sum, err := coverage.Merge(back, b)
	if err != nil {
		t.Fatal(err)
	}
	o := find(t, sum, "hats/Buy/SoldOut")
	if o.Calls != 140 || o.Causes["no_hat"] != 140 || o.Reacted.Again != 140 || o.Reacted.Other["hats/Buy"] != 0 || len(o.Reacted.WaitsMS) != 32 {
		t.Errorf("got %+v, %+v", o, o.Reacted)
	}
	if got := find(t, sum, "hats/uncounted/guessed").Calls; got != 2 || sum.Calls != 2*a.Calls || !reflect.DeepEqual(sum.Total, a.Total) {
		t.Errorf("got %d, %d calls, %+v", got, sum.Calls, sum.Total)
	}
	if encode(t, a) != was {
		t.Error("merging changed what was merged")
	}
	if _, err := coverage.Read([]byte(encode(t, sum))); err != nil {
		t.Errorf("a sum cannot be read again: %v", err)
	}
}

// Jobs that served different APIs are summed; those of different tables are not.
func TestMergeOfDifferentJobs(t *testing.T) {
	report := func(change func(*contract.API), apis ...*contract.API) *coverage.Report {
		for _, api := range apis {
			change(api)
		}
		return coverage.NewCounter(apis, func() time.Time { return noon }).Report()
	}
	same := func(*contract.API) {}
	all := shops()
	sum, err := coverage.Merge(report(same, all[0]), report(same, all[1]))
	if err != nil || len(sum.APIs) != 2 {
		t.Errorf("got %v, %v", sum, err)
	}
	another := func(api *contract.API) {
		api.Operations[0].Outcomes = append(api.Operations[0].Outcomes, outcome("new"))
	}
	if _, err := coverage.Merge(report(same, all[1]), report(another, shops()[1])); err == nil || !strings.Contains(err.Error(), "different versions: what is documented of shoes") {
		t.Errorf("got %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	text := encode(t, busy())
	if _, err := coverage.Read([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ old, new, want string }{
		{text, "", "no JSON"},
		{text, text[:len(text)/2], "no JSON"},
		{text, "{}", "no version"},
		{text, "null", "no version"},
		{`"version":1`, `"version":2`, "version 2; version 1 was expected"},
		{text, text + " {}", "no JSON"},
		{`"calls":70`, `"calls":71`, "contradict"},
		{`"delivered":70`, `"delivered":71`, "contradict"},
		{`"calls":70`, `"calls":18446744073709551615`, "contradict"},
		{`"again":70`, `"again":69`, "contradict"},
		{`"met":2`, `"met":3`, "sums"},
		{`"percent":`, `"percent":1`, "sums"},
		{`"outcome":"SoldOut"`, `"outcome":"SoldIn"`, "not those that its tables say"},
		{`"api":"shoes"`, `"api":"hats"`, "twice"},
		{`"hats"`, `"hat"`, "not those that its tables say"},
		{`"reacted"`, `"reakted"`, "the member is unknown"},
		{`"operations":[{"operation"`, `"operations":[null,{"operation"`, "null"},
		{`"common":[`, `"common":[null,`, "contradict"},
		{`"apis":[`, `"apis":[null,`, "null"},
	} {
		if !strings.Contains(text, row.old) {
			t.Errorf("%s is not in the report", row.old)
			continue
		}
		r, err := coverage.Read([]byte(strings.Replace(text, row.old, row.new, 1)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%.40s → %.40s: got %v, %v; want %q", row.old, row.new, r, err, row.want)
		}
	}
}

const goodWaivers = `waivers:
  - {api: hats, operation: Buy, outcome: SoldOut, reason: hats never run out, until: 2026-12-31}
  - api: hats
    outcome: badKey
    reason: >-
      the key is checked elsewhere
    until: "2026-03-01"
`

func TestWaivers(t *testing.T) {
	w := newWorld()
	w.call("hats/Sell/success", nil)
	waivers, err := coverage.NewCatalogue(shops()).ParseWaivers("waivers.yaml", []byte(goodWaivers), noon)
	if err != nil {
		t.Fatal(err)
	}
	r := w.tally.Report()
	r.Waive(waivers)
	if want := (coverage.Share{Documented: 5, Met: 1, Waived: 2, Percent: new(20.0)}); !reflect.DeepEqual(r.Total, want) {
		t.Errorf("got %+v, want %+v", r.Total, want)
	}
	if got := r.Missing(); slices.Contains(got, "hats/Buy/SoldOut") || slices.Contains(got, "hats/*/badKey") || len(got) != 4 {
		t.Errorf("got %q", got)
	}
	var text strings.Builder
	if err := r.Print(&text, output.FormTable, 0); err != nil || !strings.Contains(text.String(), "hats never run out") {
		t.Errorf("got %s, %v", text.String(), err)
	}
	sum, err := coverage.Merge(r)
	if err != nil || sum.Total.Waived != 0 || sum.Total.Documented != 7 {
		t.Errorf("got %+v, %v; waivers do not outlive a merge", sum.Total, err)
	}
}

func TestFaultyWaivers(t *testing.T) {
	catalogue := coverage.NewCatalogue(shops())
	for _, row := range []struct{ text, want string }{
		{"waivers: 3", "w.yaml:1:10: waivers is the number 3; a list was expected"},
		{"waiver: []", `w.yaml:1:1: the file has no key "waiver"; did you mean "waivers"?`},
		{"waivers: [{api: hats, outcome: badKey, until: 2026-12-31}]", `w.yaml:1:11: a waiver has no "reason"`},
		{"waivers: [{api: hats, outcome: badKey, reason: ' ', until: 2026-12-31}]", "w.yaml:1:48: reason is blank; why the outcome need not be met was expected"},
		{"waivers: [{api: hats, outcome: badKey, reason: x}]", `w.yaml:1:11: a waiver has no "until"`},
		{"waivers: [{api: hat, outcome: badKey, reason: x, until: 2026-12-31}]", `w.yaml:1:17: there is no API "hat"; did you mean "hats"?`},
		{"waivers: [{api: hats, operation: Buyy, outcome: SoldOut, reason: x, until: 2026-12-31}]", `w.yaml:1:34: hats has no operation "Buyy"; did you mean "Buy"?`},
		{"waivers: [{api: hats, operation: Buy, outcome: SoldOff, reason: x, until: 2026-12-31}]", `w.yaml:1:48: Buy has no documented outcome "SoldOff"; did you mean "SoldOut"?`},
		{"waivers: [{api: hats, operation: Page, outcome: success, reason: x, until: 2026-12-31}]", `hats has no operation "Page"`},
		{"waivers: [{api: hats, operation: Sell, outcome: guessed, reason: x, until: 2026-12-31}]", `Sell has no documented outcome "guessed"`},
		{"waivers: [{api: hats, outcome: badKy, reason: x, until: 2026-12-31}]", `did you mean "badKey"?`},
		{"waivers: [{api: hats, operation: Buy, outcome: badKey, reason: x, until: 2026-12-31}]", "leave the key operation out"},
		{"waivers: [{api: hats, outcome: badKey, reason: x, until: tomorrow}]", `w.yaml:1:58: until is "tomorrow"; a day such as 2026-12-31 was expected`},
		{"waivers: [{api: hats, outcome: badKey, reason: x, until: 2026-02-28}]", "w.yaml:1:58: the waiver of badKey ended with 2026-02-28; meet the outcome, or give a later day"},
		{"waivers: [&a {api: hats, outcome: badKey, reason: x, until: 2026-12-31}, *a]", `"badKey" is waived twice`},
	} {
		if _, err := catalogue.ParseWaivers("w.yaml", []byte(row.text), noon); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s\ngot  %v\nwant %s", row.text, err, row.want)
		}
	}
}

func TestForms(t *testing.T) {
	r := busy()
	for _, form := range coverage.Forms {
		var b strings.Builder
		if err := r.Print(&b, form, 90); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		text := b.String()
		for _, want := range []string{"SoldOut", "hats", "badKey"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in\n%s", form, want, text)
			}
		}
		if form != output.FormJUnit && form != output.FormTAP && !strings.Contains(strings.ReplaceAll(text, `\`, ""), "guessed") {
			t.Errorf("%s: no guessed in\n%s", form, text)
		}
		switch form {
		case output.FormJUnit, output.FormHTML:
			checkXML(t, strings.Replace(text, "<!DOCTYPE html>\n", "", 1))
			if strings.Contains(text, "<script") || strings.Contains(text, "://") {
				t.Errorf("%s fetches or runs something:\n%s", form, text)
			}
		}
	}
}

// checkXML reads a text to its end. Void elements of HTML are closed here.
func checkXML(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.AutoClose, d.Strict = []string{"meta"}, !strings.HasPrefix(text, "<html")
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%v in\n%s", err, text)
			return
		}
	}
}

func TestJUnitFailsBelowTheShare(t *testing.T) {
	for least, want := range map[float64]string{90: `failures="1"`, 28: `failures="0"`} {
		var b strings.Builder
		if err := busy().Print(&b, output.FormJUnit, least); err != nil {
			t.Fatal(err)
		}
		_, last, _ := strings.Cut(b.String(), `<testsuite name="coverage"`)
		if !strings.Contains(last, want) {
			t.Errorf("at least %v %%: no %s in %s", least, want, last)
		}
	}
}

func TestClosing(t *testing.T) {
	var never []coverage.Rule
	for i := range 201 {
		never = append(never, coverage.Rule{Sandbox: fmt.Sprint("job-", i), Scenario: "hats/none", Rule: 1, Operation: "Buy", Outcomes: []string{"SoldOut"}})
	}
	c := busy().Close(never, 0, 7)
	if c.ClientGone != 1 || c.JournalLost != 7 || len(c.NeverFired) != 200 || c.MoreNever != 1 {
		t.Errorf("got %+v", c)
	}
	if want := []coverage.Reason{{API: "hats", Outcome: "SoldOut", Cause: "no_hat", Calls: 70}}; !reflect.DeepEqual(c.Refusals, want) {
		t.Errorf("got %+v, want %+v", c.Refusals, want)
	}
	if want := (coverage.End{API: "hats", Operation: "Sell", Outcome: "badKey", Calls: 1}); !slices.Contains(c.Ends, want) {
		t.Errorf("%+v is not in %+v", want, c.Ends)
	}
	for _, form := range []string{output.FormTable, "markdown"} {
		var b strings.Builder
		if err := c.Print(&b, form); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"1 call.", "later ones: 7", "hats/none", "SoldOut", "(and 1 more)"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", form, want, b.String())
			}
		}
	}
	var b strings.Builder
	if err := newWorld().counter.Report().Close(nil, 0, 0).Print(&b, output.FormTable); err != nil || b.String() != "No calls were made.\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
}

// What people read stays short, and JSON has it all.
func TestLongCells(t *testing.T) {
	broken := outcome("broken")
	api := &contract.API{Name: "hats", Common: contract.Outcomes(broken)}
	for i := range 30 {
		api.Operations = append(api.Operations, &contract.Operation{Name: fmt.Sprint("Op", i), Outcomes: contract.Outcomes(outcome("success"))})
	}
	counter := coverage.NewCounter([]*contract.API{api}, func() time.Time { return noon })
	w := &world{counter: counter, tally: counter.NewTally(), now: noon}
	for i := range 30 {
		w.call(fmt.Sprintf("hats/Op%d/broken", i), nil)
	}
	r := w.tally.Report()
	if got := find(t, r, "hats//broken"); len(got.Operations) != 30 || len(got.Reacted.Other) != 29 {
		t.Errorf("got %+v, %+v", got, got.Reacted)
	}
	for form, want := range map[string]string{output.FormTable: "Op0 1, Op1 1, Op10 1, 6 more", "markdown": "Op14 1, Op15 1, 22 more"} {
		var b strings.Builder
		if err := r.Print(&b, form, 0); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: no %s in %s, %v", form, want, b.String(), err)
		}
	}
}

// A report in which one value each is null, missing, of another type, there twice or below
// nothing, or in which elements have changed places, is refused.
func TestDamagedReports(t *testing.T) {
	text, err := json.Marshal(busy())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := coverage.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	damages := 0
	try := func(what string) {
		damages++
		damaged, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		r, err := coverage.Read(damaged)
		if err != nil {
			return
		}
		if again, _ := json.Marshal(r); !jsonEqual(t, damaged, again) {
			t.Errorf("%s: it was taken, and says something else: %s", what, again)
		}
		_, _ = coverage.Merge(r, whole)
		_, _ = coverage.Merge(whole, r)
	}
	var walk func(path string, x any)
	walk = func(path string, x any) {
		switch x := x.(type) {
		case map[string]any:
			for name, value := range x {
				for _, other := range []any{nil, -1, "", []any{}, map[string]any{}, 1.5} {
					x[name] = other
					try(fmt.Sprintf("%s.%s is %v", path, name, other))
				}
				delete(x, name)
				try(path + "." + name + " is missing")
				x[name] = value
				walk(path+"."+name, value)
			}
		case []any:
			for i, value := range x {
				x[i] = x[(i+1)%len(x)]
				try(fmt.Sprintf("%s.%d stands there twice, or one place on", path, i))
				x[i] = nil
				try(fmt.Sprintf("%s.%d is null", path, i))
				x[i] = value
				walk(fmt.Sprintf("%s.%d", path, i), value)
			}
		}
	}
	walk("report", document)
	for name, more := range map[string]string{
		"an operation without outcomes": `{"operation":"More","calls":0,"documented":0,"met":0,"waived":0,"percent":100,"outcomes":[]},`,
		"a foreign operation":           `{"operation":"More","calls":0,"documented":1,"met":0,"waived":0,"percent":0,"outcomes":[{"outcome":"x","fails":false,"met":false,"calls":0,"delivered":0,"client_gone":0,"decided_by":{"emulator":0,"check":0,"scenario":0,"header":0}}]},`,
	} {
		damaged := strings.Replace(string(text), `"operations":[{`, `"operations":[`+more+`{`, 1)
		if _, err := coverage.Read([]byte(damaged)); err == nil || !strings.Contains(err.Error(), "it is damaged") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if damages < 500 {
		t.Errorf("only %d damages were tried", damages)
	}
}

func jsonEqual(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// FuzzRead holds that a report that is taken can be summed and printed.
func FuzzRead(f *testing.F) {
	text, err := json.Marshal(busy())
	if err != nil {
		f.Fatal(err)
	}
	whole, err := coverage.Read(text)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(strings.Replace(string(text), `"operations":[{`, `"operations":[{"operation":"More","calls":0,"documented":0,"met":0,"waived":0,"percent":100,"outcomes":[]},{`, 1)))
	f.Add([]byte(`{"version":1,"apis":[{"operations":[{"outcomes":[null]}],"common":[{}],"uncounted":null}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := coverage.Read(text)
		if err != nil {
			return
		}
		for _, pair := range [][]*coverage.Report{{r, whole}, {whole, r}} {
			_, _ = coverage.Merge(pair...) // of different tables, it is refused
		}
		other := *r
		other.Of = nil
		sum, err := coverage.Merge(r, &other)
		if err != nil || sum.Calls != 2*r.Calls {
			t.Fatalf("got %v, %v", sum, err)
		}
		for _, form := range coverage.Forms {
			if err := sum.Print(io.Discard, form, 50); err != nil {
				t.Error(err)
			}
		}
		if err := sum.Close(nil, 0, 0).Print(io.Discard, output.FormTable); err != nil {
			t.Error(err)
		}
	})
}

// Seconds of several sandboxes come to the same in every order: a total that falls is taken
// for a restart.
func TestTotalsDoNotFall(t *testing.T) {
	w := newWorld()
	for i := range 3 {
		tally := w.counter.NewTally()
		tally.Count(w.entry("hats/Buy/success", func(e *journal.Entry) { e.DurationMS = float64(100 * (i + 1)) }))
	}
	for range 200 {
		if got := w.counter.Totals().Took[0].Seconds; got != .6 {
			t.Fatalf("got %v seconds, want 0.6", got)
		}
	}
}
