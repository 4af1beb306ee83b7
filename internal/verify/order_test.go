package verify_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/verify"
)

// An order holds, and breaks off, where a search through all ways to choose the calls
// says so.
func TestOrdersAgainstAPlainSearch(t *testing.T) {
	t.Parallel()
	verdicts := map[verify.Verdict]int{}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		operations := []string{"Apply", "Create", "Destroy"}[:2+r.IntN(2)]
		w := &verify.World{Sandbox: "box", APIs: names.APIs}
		seconds := 0
		for i := range 1 + r.IntN(30) {
			seconds += r.IntN(4)
			e := happened("toy/"+operations[r.IntN(len(operations))]+"/success", float64(seconds), nil)
			e.Number, e.ID = i+1, fmt.Sprint("box-", i+1)
			w.Journal.Entries = append(w.Journal.Entries, e)
		}
		items := make([]string, 2+r.IntN(5))
		for i := range items {
			items[i] = operations[r.IntN(len(operations))]
		}
		within, after := time.Duration(r.IntN(5))*time.Second, time.Duration(r.IntN(3))*time.Second
		text := "[{order: [" + strings.Join(items, ", ") + "]"
		if within = max(within, after); within > 0 {
			text += ", within: " + within.String()
		}
		if after > 0 {
			text += ", after: " + after.String()
		}
		checks, err := verify.Parse("checks", []byte(text+"}]"), names)
		if err != nil {
			t.Fatal(err)
		}
		report, err := verify.Run(t.Context(), checks, w)
		if err != nil {
			t.Fatal(err)
		}
		got, want := report.Checks[0], beginning(w.Journal.Entries, items, within, after)
		verdicts[got.Verdict]++
		if want == len(items) && got.Verdict != verify.Holds ||
			want < len(items) && !strings.HasPrefix(got.Why, fmt.Sprintf("no call was number %d of the order", want+1)) {
			t.Errorf("seed %d: got %+v, want a beginning of %d for %s", seed, got, want, text)
		}
	}
	if verdicts[verify.Holds] < 100 || verdicts[verify.Fails] < 100 {
		t.Errorf("got %v, want many of each", verdicts)
	}
}

// beginning is how many items of an order calls can be chosen for.
func beginning(entries []*journal.Entry, items []string, within, after time.Duration) int {
	ends := make([]bool, len(entries)) // whether the item before can be the call of that number
	for i, operation := range items {
		now, found := make([]bool, len(entries)), false
		for at, e := range entries {
			now[at] = e.Operation == operation && i == 0
			for before, is := range ends[:at] {
				pace := e.Arrived.Sub(entries[before].Arrived)
				now[at] = now[at] || is && e.Operation == operation && pace >= after && (within == 0 || pace <= within)
			}
			found = found || now[at]
		}
		if !found {
			return i
		}
		ends = now
	}
	return len(items)
}

// tiring is a context that is done once it was asked so often.
type tiring struct {
	context.Context
	left int
}

func (c *tiring) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// Whether the context is done is asked for each call, and again for each call of an order.
func TestRunHeedsItsContext(t *testing.T) {
	t.Parallel()
	const calls = 1000
	w := worldOf(calls, false)
	checks, err := verify.Parse("checks", []byte("[{order: [Create, Destroy, Create, Destroy], within: 1h, after: 899s}]"), names)
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range []int{0, calls / 2, calls, calls + calls/2, 2 * calls, 2*calls + calls/2} {
		c := &tiring{t.Context(), asked}
		if report, err := verify.Run(c, checks, w); !errors.Is(err, context.Canceled) || c.left < -3 {
			t.Errorf("done when it was asked %d times: got %v, %v, and %d questions more", asked, report, err, -c.left)
		}
	}
}
