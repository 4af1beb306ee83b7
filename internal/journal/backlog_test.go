package journal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
)

// Calls end in another order than they were decided in. Who goes on after one is told
// of every call that closed later, once, and of how many are gone.
func TestBacklog(t *testing.T) {
	j := journal.New("s", limits, journal.NewBudget(1<<20), time.Now)
	slow := entry("slow")
	j.Add(j.Turn(), slow) // s-1
	closed(j, "a")        // s-2
	closed(j, "b")        // s-3
	check := func(f journal.Filter, want string) {
		t.Helper()
		b := j.Backlog(f)
		var all []string
		for _, c := range b.Calls {
			e, known := c.Entry()
			if !known || !b.Has(c) {
				t.Errorf("%+v: the call is not known", c)
			}
			all = append(all, e.ID)
		}
		if got := fmt.Sprint(strings.Join(all, " "), ", lost ", b.Lost); got != want {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
	check(journal.Filter{}, "s-2 s-3, lost 0")
	check(journal.Filter{After: "s-2"}, "s-3, lost 0")
	j.Close(slow, time.Second, journal.Sent)
	check(journal.Filter{}, "s-2 s-3 s-1, lost 0")
	check(journal.Filter{After: "s-2"}, "s-3 s-1, lost 0")
	check(journal.Filter{After: "s-1"}, ", lost 0")
	check(journal.Filter{Limit: 2}, "s-3 s-1, lost 0")
	check(journal.Filter{After: "s-2", Limit: 1}, "s-1, lost 1")
	check(journal.Filter{Outcome: "b"}, "s-3, lost 0")
	first := j.Backlog(journal.Filter{}).Calls[0]
	for range 3 {
		closed(j, "c") // s-4 to s-6: s-1 and s-2 give way
	}
	if _, known := first.Entry(); known {
		t.Error("a call that gave way is known")
	}
	check(journal.Filter{After: "s-0"}, "s-3 s-4 s-5 s-6, lost 2")
	check(journal.Filter{After: "s-2"}, "s-3 s-4 s-5 s-6, lost 0")
	check(journal.Filter{}, "s-3 s-4 s-5 s-6, lost 0")
	j.Clear(false)
	check(journal.Filter{After: "s-4"}, ", lost 2")
	j.Clear(true)
	closed(j, "d")
	check(journal.Filter{After: "s-6"}, "s-1, lost 0")
	other := journal.New("t", limits, journal.NewBudget(1<<20), time.Now)
	closed(other, "e")
	if b := j.Backlog(journal.Filter{}); b.Has(other.Backlog(journal.Filter{}).Calls[0]) {
		t.Error("the backlog has a call of another journal")
	}
}

// A number that begins anew after a reset names another call.
func TestCallsOfBeforeAResetAreNotKnown(t *testing.T) {
	j := journal.New("s", limits, journal.NewBudget(1<<20), time.Now)
	closed(j, "a")
	c := j.Backlog(journal.Filter{}).Calls[0]
	j.Clear(true)
	closed(j, "b")
	if e, known := c.Entry(); known {
		t.Errorf("got %s", e.Outcome)
	}
}

// Whoever turns pages while calls come meets every call that was there, once.
func TestPagesWhileCallsCome(t *testing.T) {
	const before = 500
	j := journal.New("s", journal.Limits{Entries: 100_000, Bytes: 1 << 30, Body: 8}, journal.NewBudget(1<<30), time.Now)
	for range before {
		closed(j, "a")
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				closed(j, "b")
			}
		}
	}()
	seen := map[int]bool{}
	f := journal.Filter{Limit: 7}
	for more := true; more; {
		var page []journal.Entry
		page, more = j.List(f)
		for _, e := range page {
			if seen[e.Number] {
				t.Fatalf("%s stands on two pages", e.ID)
			}
			seen[e.Number] = true
		}
		f.After = page[len(page)-1].ID
	}
	close(stop)
	<-done
	for n := 1; n <= before; n++ {
		if !seen[n] {
			t.Errorf("s-%d is on no page", n)
		}
	}
}
