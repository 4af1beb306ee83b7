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
	verdicts, paced := map[verify.Verdict]int{}, map[verify.Verdict]int{}
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
		within, after := time.Duration(r.IntN(5))*time.Second, time.Duration(max(0, r.IntN(4)-1))*time.Second
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
		got, want := report.Checks[0], beginning(w.Journal.Entries, items, within)
		hurried := tooSoon(w.Journal.Entries, items, after)
		verdicts[got.Verdict]++
		paced[got.Verdict] += int(after / time.Second)
		switch {
		case hurried != "":
			if got.Verdict != verify.Fails || !strings.HasPrefix(got.Why, hurried+" was number ") || len(got.Nearest) != 1 || got.Nearest[0].Call != hurried {
				t.Errorf("seed %d: got %+v, want that %s came too soon for %s", seed, got, hurried, text)
			}
		case want == len(items) && got.Verdict != verify.Holds,
			want < len(items) && !strings.HasPrefix(got.Why, fmt.Sprintf("no call was number %d of the order", want+1)):
			t.Errorf("seed %d: got %+v, want a beginning of %d for %s", seed, got, want, text)
		}
	}
	for _, count := range []map[verify.Verdict]int{verdicts, paced} {
		if count[verify.Holds] < 100 || count[verify.Fails] < 100 {
			t.Errorf("got %v, want many of each", count)
		}
	}
}

// Where it is not known what some calls are, an order holds, or fails, only where it does
// so whatever they are.
func TestOrdersOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	verdicts := map[verify.Verdict]int{}
	for seed := range uint64(800) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := &verify.World{Sandbox: "box", APIs: names.APIs}
		var unknown []*journal.Entry
		seconds := 0
		for i := range 2 + r.IntN(8) {
			seconds += r.IntN(3)
			e := happened("toy/"+[]string{"Apply", "Create"}[r.IntN(2)]+"/success", float64(seconds), in{"UserId": fmt.Sprint("u", r.IntN(2))})
			e.Number, e.ID = i+1, fmt.Sprint("box-", i+1)
			if r.IntN(4) == 0 {
				e.Request.Decoded, e.Request.Truncated = nil, true
				unknown = append(unknown, e)
			}
			w.Journal.Entries = append(w.Journal.Entries, e)
		}
		items := make([]string, 2+r.IntN(2))
		for i := range items {
			items[i] = fmt.Sprintf("{operation: %s, where: {UserId: u1}}", []string{"Apply", "Create"}[r.IntN(2)])
		}
		text := fmt.Sprintf("[{order: [%s], after: %ds}]", strings.Join(items, ", "), 1+r.IntN(2))
		verdict := func() verify.Verdict {
			checks, err := verify.Parse("checks", []byte(text), names)
			if err != nil {
				t.Fatal(err)
			}
			report, err := verify.Run(t.Context(), checks, w)
			if err != nil {
				t.Fatal(err)
			}
			return report.Verdict
		}
		got := verdict()
		verdicts[got]++
		for world := range 1 << len(unknown) {
			for i, e := range unknown {
				e.Request.Truncated, e.Request.Decoded = false, in{"UserId": fmt.Sprint("u", world>>i&1)}
			}
			if is := verdict(); got != verify.Insufficient && is != got {
				t.Errorf("seed %d: got %s, and it may be %s, for %s", seed, got, is, text)
			}
		}
	}
	if verdicts[verify.Holds] < 50 || verdicts[verify.Fails] < 50 || verdicts[verify.Insufficient] < 50 {
		t.Errorf("got %v, want many of each", verdicts)
	}
}

// tooSoon is the first call that came too soon: one that may be the next of an order after
// a call with which a beginning of the order ends.
func tooSoon(entries []*journal.Entry, items []string, after time.Duration) string {
	for at, e := range entries {
		for before, last := range entries[:at] {
			for i := 1; i < len(items); i++ {
				if e.Operation == items[i] && last.Operation == items[i-1] && e.Arrived.Sub(last.Arrived) < after &&
					beginning(entries[:before+1], items[:i], 0) == i {
					return e.ID
				}
			}
		}
	}
	return ""
}

// beginning is how many items of an order calls can be chosen for.
func beginning(entries []*journal.Entry, items []string, within time.Duration) int {
	ends := make([]bool, len(entries)) // whether the item before can be the call of that number
	for i, operation := range items {
		now, found := make([]bool, len(entries)), false
		for at, e := range entries {
			now[at] = e.Operation == operation && i == 0
			for before, is := range ends[:at] {
				pace := e.Arrived.Sub(entries[before].Arrived)
				now[at] = now[at] || is && e.Operation == operation && (within == 0 || pace <= within)
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

// Whether the context is done is asked for each call, and again for each call of an order, and of its pace.
func TestRunHeedsItsContext(t *testing.T) {
	t.Parallel()
	const calls = 1000
	w := worldOf(calls, false)
	checks, err := verify.Parse("checks", []byte("[{order: [Create, Destroy, Create, Destroy], within: 1s, after: 1s}]"), names)
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range []int{0, calls / 2, calls, calls + calls/2, 2 * calls, 2*calls + calls/2, 3*calls + calls/2} {
		c := &tiring{t.Context(), asked}
		if report, err := verify.Run(c, checks, w); !errors.Is(err, context.Canceled) || c.left < -3 {
			t.Errorf("done when it was asked %d times: got %v, %v, and %d questions more", asked, report, err, -c.left)
		}
	}
}
