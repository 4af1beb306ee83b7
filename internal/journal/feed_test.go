package journal_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
)

// closed is a call that the journal keeps, and that has ended.
func closed(j *journal.Journal, outcome string) *journal.Entry {
	e := entry(outcome)
	j.Add(j.Turn(), e)
	j.Close(e, time.Millisecond, journal.Sent)
	return e
}

func TestFeed(t *testing.T) {
	f := journal.NewFeed(2)
	counted := 0
	f.Count(func(*journal.Entry) { counted++ })
	read := func(waiting int) *journal.Reader {
		r, err := f.Read(waiting, func(e *journal.Entry) bool { return e.Outcome != "dull" })
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	quick, slow := read(8), read(1)
	if _, err := f.Read(1, nil); err == nil || !strings.Contains(err.Error(), "2 readers") {
		t.Errorf("got %v", err)
	}
	j := journal.New("s", limits, journal.NewBudget(1<<20), time.Now)
	for _, outcome := range []string{"a", "dull", "b", "c"} {
		f.Tell(closed(j, outcome))
	}
	heard := func(r *journal.Reader) string {
		r.Close()
		var all []string
		for len(r.Calls) > 0 {
			e, known := (<-r.Calls).Entry()
			if !known {
				t.Error("the journal does not know the call any more")
			}
			all = append(all, e.Outcome)
		}
		return strings.Join(all, " ")
	}
	if lost := slow.Lost(); lost != 2 || slow.Lost() != 0 {
		t.Errorf("the slow reader lost %d", lost)
	}
	if a, b := heard(quick), heard(slow); a != "a b c" || b != "a" || counted != 4 || f.Readers() != 0 {
		t.Errorf("got %q, %q, counted %d; %d readers are left", a, b, counted, f.Readers())
	}
}

// Readers come and go while calls are told.
func TestFeedAtOnce(t *testing.T) {
	f := journal.NewFeed(100)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				f.Tell(entry("a"))
			}
		})
		wg.Go(func() {
			for range 50 {
				r, err := f.Read(4, func(*journal.Entry) bool { return true })
				if err != nil {
					t.Error(err)
					return
				}
				r.Close()
			}
		})
	}
	wg.Wait()
	if n := f.Readers(); n != 0 {
		t.Errorf("%d readers are left", n)
	}
}
