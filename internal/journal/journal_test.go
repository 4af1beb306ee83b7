package journal_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

var limits = journal.Limits{Entries: 4, Bytes: 1 << 20, Body: 8}

func entry(outcome string) *journal.Entry {
	return &journal.Entry{API: "toy", Operation: "Op", Outcome: outcome, Status: 200, DecidedBy: journal.Decider{Kind: journal.Emulator}}
}

func ids(entries []journal.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.ID)
	}
	return strings.Join(all, " ")
}

func TestListIsNewestFirstAndPaged(t *testing.T) {
	j := journal.New("s", limits, journal.NewBudget(1<<20), time.Now)
	for i := range 6 {
		j.Add(j.Turn(), entry(fmt.Sprint("o", i%2)))
	}
	tests := []struct {
		name   string
		filter journal.Filter
		want   string
		more   bool
	}{
		{"all that is kept", journal.Filter{}, "s-6 s-5 s-4 s-3", false},
		{"a page", journal.Filter{Limit: 3}, "s-6 s-5 s-4", true},
		{"the next page", journal.Filter{Limit: 3, After: "s-4"}, "s-3", false},
		{"after one long gone", journal.Filter{After: "s-1"}, "", false},
		{"after nobody", journal.Filter{After: "x"}, "", false},
		{"by outcome", journal.Filter{Outcome: "o1"}, "s-6 s-4", false},
		{"by API", journal.Filter{API: "other"}, "", false},
		{"by operation", journal.Filter{Operation: "Op", Status: 200, DecidedBy: journal.Emulator}, "s-6 s-5 s-4 s-3", false},
		{"by another decider", journal.Filter{DecidedBy: journal.Check}, "", false},
		{"since", journal.Filter{Since: time.Now()}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, more := j.List(tt.filter)
			if ids(got) != tt.want || more != tt.more {
				t.Errorf("got %s, %t, want %s, %t", ids(got), more, tt.want, tt.more)
			}
		})
	}
	if c := j.Counts(); c.Entries != 4 || c.Dropped != 2 {
		t.Errorf("got %+v", c)
	}
	if _, ok := j.Find("s-2"); ok {
		t.Error("a dropped entry was found")
	}
	if e, ok := j.Find("s-5"); !ok || e.Sandbox != "s" {
		t.Errorf("got %+v, %t", e, ok)
	}
}

func TestCloseCompletesAnEntry(t *testing.T) {
	j := journal.New("s", limits, journal.NewBudget(1<<20), time.Now)
	e := entry("o")
	j.Add(j.Turn(), e)
	if got, _ := j.Find("s-1"); got.Delivered != journal.Pending {
		t.Errorf("got %s", got.Delivered)
	}
	j.Close(e, 1500*time.Microsecond, journal.Sent)
	if got, _ := j.Find("s-1"); got.Delivered != journal.Sent || got.DurationMS != 1.5 {
		t.Errorf("got %+v", got)
	}
}

func TestLongBodiesAreCut(t *testing.T) {
	j := journal.New("s", limits, journal.NewBudget(1<<20), time.Now)
	e := entry("o")
	e.Request.Body = journal.Text("0123456789")
	j.Add(j.Turn(), e)
	got, _ := j.Find("s-1")
	if string(got.Request.Body) != "01234567" || !got.Request.Truncated || got.Request.Bytes != 10 {
		t.Errorf("got %+v", got.Request)
	}
}

func TestBytesAreBounded(t *testing.T) {
	j := journal.New("s", journal.Limits{Entries: 1000, Bytes: 5000, Body: 1000}, journal.NewBudget(1<<20), time.Now)
	for range 100 {
		j.Add(j.Turn(), entry("o"))
	}
	if c := j.Counts(); c.Bytes > 5000 || c.Entries == 0 || c.Entries+c.Dropped != 100 {
		t.Errorf("got %+v", c)
	}
}

func TestTheFullestGivesWay(t *testing.T) {
	budget := journal.NewBudget(20_000)
	limits := journal.Limits{Entries: 1000, Bytes: 1 << 20, Body: 1000}
	full, small := journal.New("full", limits, budget, time.Now), journal.New("small", limits, budget, time.Now)
	small.Add(small.Turn(), entry("o"))
	for range 100 {
		full.Add(full.Turn(), entry("o"))
	}
	if c := small.Counts(); c.Dropped != 0 {
		t.Errorf("the small one gave way: %+v", c)
	}
	if c := full.Counts(); c.Bytes > 20_000 || c.Dropped == 0 {
		t.Errorf("got %+v", c)
	}
	full.Leave()
	for range 10 {
		small.Add(small.Turn(), entry("o"))
	}
	if c := small.Counts(); c.Entries != 11 {
		t.Errorf("a journal that left still counts: %+v", c)
	}
}

func TestClear(t *testing.T) {
	j := journal.New("s", limits, journal.NewBudget(1<<20), time.Now)
	j.Add(j.Turn(), entry("o"))
	j.Clear(false)
	j.Add(j.Turn(), entry("o"))
	if got, _ := j.List(journal.Filter{}); ids(got) != "s-2" {
		t.Errorf("got %s", ids(got))
	}
	j.Clear(true)
	j.Add(j.Turn(), entry("o"))
	if got, _ := j.List(journal.Filter{}); ids(got) != "s-1" {
		t.Errorf("got %s", ids(got))
	}
}

func TestParallelWritersLoseNothing(t *testing.T) {
	j := journal.New("s", journal.Limits{Entries: 10_000, Bytes: 1 << 30, Body: 10}, journal.NewBudget(200_000), time.Now)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				e := entry("o")
				j.Add(j.Turn(), e)
				j.Close(e, time.Millisecond, journal.Sent)
				j.List(journal.Filter{Limit: 3})
			}
		})
	}
	wg.Wait()
	if c := j.Counts(); c.Entries+c.Dropped != 800 {
		t.Errorf("got %+v", c)
	}
}

func TestTextSurvivesJSON(t *testing.T) {
	for _, body := range []string{"", "plain <text>", "\xff\x00"} {
		raw, err := json.Marshal(journal.Text(body))
		if err != nil {
			t.Fatal(err)
		}
		var got journal.Text
		if err := json.Unmarshal(raw, &got); err != nil || string(got) != body {
			t.Errorf("got %q, %v, want %q", got, err, body)
		}
	}
	var got journal.Text
	if json.Unmarshal([]byte(`5`), &got) == nil {
		t.Error("a number was read as a body")
	}
}

// What an entry keeps of a large request is bounded, and says what is missing.
func TestAddShortens(t *testing.T) {
	t.Parallel()
	j := journal.New("s", journal.Limits{Entries: 10, Bytes: 1 << 20, Body: 100}, journal.NewBudget(1<<20), time.Now)
	long := strings.Repeat("é", 50_000)
	e := entry("a")
	e.Explanation = &journal.Explanation{Expected: long, Got: "short", Facts: contract.Facts{{Name: "big", Value: make([]any, 1000)}}}
	e.Notes = contract.Facts{{Name: "long", Value: long}, {Name: "short", Value: 5}}
	for range 250 {
		e.Violations = append(e.Violations, contract.Violation{Path: "p", Rule: contract.Unknown, Got: contract.Values{"a": long}})
	}
	j.Add(j.Turn(), e)
	got, _ := j.Find("s-1")
	if n := len(got.Explanation.Expected); n > 85_000 || !strings.HasSuffix(got.Explanation.Expected, "é… (100000 bytes in all)") || got.Explanation.Got != "short" {
		t.Errorf("explanation: got %d bytes", n)
	}
	if fact := got.Explanation.Facts[0].Value; fact != "a list of 1000 elements" {
		t.Errorf("fact: got %v", fact)
	}
	if note := got.Notes[0].Value.(string); len(note) > 1100 || got.Notes[1].Value != 5 {
		t.Errorf("notes: got %v", got.Notes)
	}
	if len(got.Violations) != 100 || got.MoreViolations != 150 || got.Violations[99].Got != "an object of 1 members" {
		t.Errorf("violations: got %d and %d more", len(got.Violations), got.MoreViolations)
	}
	if bytes := j.Counts().Bytes; bytes > 120_000 {
		t.Errorf("counted %d bytes", bytes)
	}
}

// Calls stand in the order in which they were decided, however long each took to be
// recorded.
func TestEntriesStandInTheOrderOfTheirTurns(t *testing.T) {
	wall := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	j := journal.New("s", limits, journal.NewBudget(1<<20), func() time.Time { wall = wall.Add(time.Second); return wall })
	first, second, third := j.Turn(), j.Turn(), j.Turn()
	j.Add(third, entry("third"))
	j.Add(first, entry("first"))
	if got, _ := j.List(journal.Filter{}); ids(got) != "s-3 s-1" {
		t.Errorf("got %s", ids(got))
	}
	if _, found := j.Find("s-2"); found {
		t.Error("a call was found that is still under way")
	}
	j.Add(second, entry("second"))
	got, _ := j.List(journal.Filter{})
	if ids(got) != "s-3 s-2 s-1" || got[0].Arrived.Sub(got[1].Arrived) != time.Second || got[2].Number != 1 {
		t.Errorf("got %s: %+v", ids(got), got)
	}
	late := j.Turn()
	j.Clear(true)
	j.Add(j.Turn(), entry("anew"))
	j.Add(late, entry("late"))
	if got, _ := j.List(journal.Filter{}); ids(got) != "s-2 s-1" || got[0].Outcome != "late" {
		t.Errorf("after a reset: got %s", ids(got))
	}
}
