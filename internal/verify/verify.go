package verify

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// A World is what a sandbox observed. Its members are only read.
type World struct {
	Sandbox string
	APIs    []*contract.API
	Journal journal.Evidence
	Active  []player.Status // the active scenarios
	Open    int             // calls that are under way still, whether the journal has them or not
	Strays  int             // calls in the journal of the sandbox that serves those which name no other

	// Show returns an entry without what may not be told; nil: all may.
	Show func(journal.Entry) journal.Entry
}

// undecided is how many calls are under way of which the journal knows nothing yet.
func (w *World) undecided() int { return max(0, w.Open-len(w.Journal.Pending)) }

// A Verdict says what became of a check.
type Verdict string

// The verdicts.
const (
	Holds        Verdict = "holds"
	Fails        Verdict = "fails"
	Insufficient Verdict = "insufficient" // the evidence does not suffice to tell
)

// A Report is what became of all checks.
type Report struct {
	Verdict  Verdict  `json:"verdict"` // Fails where one does, else Insufficient where one is
	Summary  string   `json:"summary"`
	Sandbox  string   `json:"sandbox"`
	Observed Observed `json:"observed"`
	Checks   []Result `json:"checks"`
}

// Observed is on how much a report rests.
type Observed struct {
	Calls   int      `json:"calls"`             // in the journal
	Dropped int      `json:"dropped"`           // that gave way to later ones
	Open    int      `json:"open,omitempty"`    // under way still
	Pending []string `json:"pending,omitempty"` // the first of those whose answer has not left, or not whole
}

// A Result is what became of one check, or of one rule with expect.
type Result struct {
	Name     string  `json:"name"`
	Verdict  Verdict `json:"verdict"`
	Expected string  `json:"expected"`
	Found    int     `json:"found"`             // calls; of an order, what it holds for; of a rule, how often it fired
	Unclear  int     `json:"unclear,omitempty"` // calls of which it cannot be told whether they are meant
	Why      string  `json:"why,omitempty"`     // where it does not hold
	Nearest  []Miss  `json:"nearest,omitempty"` // the calls that came closest
	Surplus  []Miss  `json:"surplus,omitempty"` // the first calls that are too many
}

// A Miss is a call that came close to what was expected.
type Miss struct {
	Call      string `json:"call"` // the ID of the journal's entry
	API       string `json:"api"`
	Operation string `json:"operation,omitempty"`
	Outcome   string `json:"outcome"`

	Of      string       `json:"of,omitempty"` // of which call of an order it fell short, and for whom
	Differs []Difference `json:"differs,omitempty"`
	More    int          `json:"more,omitempty"` // differences that are not listed
}

// A Difference is what sets a call apart from what was expected.
type Difference struct {
	What     string `json:"what"` // operation, outcome, decided_by, within, after, order, or a condition's parameter
	Expected string `json:"expected"`
	Got      string `json:"got"`
}

// How much of what went wrong is told.
const (
	mostMisses      = 3
	mostDifferences = 5
	mostPending     = 20
)

// A trial is one check that is being held against a world.
type trial interface {
	see(*call)                     // once for each call, in their order
	judge(context.Context, *World) // when all calls were seen; without a meaning once the context is done
	rank(*call)                    // again for each call, the latest first, where the verdict is not Holds
	results() []*Result            // when that is over
}

// Run holds checks against a world. Its error says that ctx was done before the end.
func Run(ctx context.Context, checks []Check, w *World) (*Report, error) {
	operations := newCatalogue(w.APIs)
	trials := make([]trial, 0, len(checks))
	asked := newQuestions()
	for i := range checks {
		trials = append(trials, newTrial(&checks[i], asked))
	}
	if err := w.each(ctx, slices.All(w.Journal.Entries), operations, trials, trial.see); err != nil {
		return nil, err
	}
	var open []trial
	for _, t := range trials {
		t.judge(ctx, w)
		if err := ended(ctx); err != nil {
			return nil, err
		}
		if t.results()[0].Verdict != Holds {
			open = append(open, t)
		}
	}
	if err := w.each(ctx, slices.Backward(w.Journal.Entries), operations, open, trial.rank); err != nil {
		return nil, err
	}
	return w.report(trials), nil
}

// ended says that a context is done, if it is.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("verifying: %w", err)
	}
	return nil
}

func newTrial(c *Check, asked *questions) trial {
	switch {
	case c.Doubt != "":
		return &doubtful{check: c}
	case c.Expectations:
		return &expectations{check: c}
	case c.Order != nil:
		return newOrderTrial(c, asked)
	}
	return &countTrial{check: c, matcher: asked.matcher(&c.Calls)}
}

// each shows every call to trials. What is read of a call is kept no longer than that.
func (w *World) each(ctx context.Context, entries iter.Seq2[int, *journal.Entry], operations catalogue, trials []trial, show func(trial, *call)) error {
	if len(trials) == 0 {
		return nil
	}
	var c call
	for _, e := range entries {
		room := c.found
		c = w.call(e, operations)
		c.found = room
		for _, t := range trials {
			if err := ended(ctx); err != nil {
				return err
			}
			show(t, &c)
		}
		c.forget()
	}
	return nil
}

func (w *World) report(trials []trial) *Report {
	r := &Report{Verdict: Holds, Sandbox: w.Sandbox, Observed: Observed{
		Calls: len(w.Journal.Entries), Dropped: w.Journal.Dropped, Open: w.Open,
		Pending: w.Journal.Pending[:min(len(w.Journal.Pending), mostPending)],
	}}
	count := map[Verdict]int{}
	for _, t := range trials {
		for _, result := range t.results() {
			count[result.Verdict]++
			r.Checks = append(r.Checks, *result)
		}
	}
	parts := []string{counted(len(r.Checks), "check")}
	for _, v := range []Verdict{Holds, Insufficient, Fails} {
		if count[v] > 0 {
			r.Verdict = v
			parts = append(parts, strconv.Itoa(count[v])+" "+v.plural(count[v]))
		}
	}
	r.Summary = parts[0] + ": " + strings.Join(parts[1:], ", ")
	return r
}

// plural is the verdict's word for so many checks.
func (v Verdict) plural(n int) string {
	if n == 1 || v == Insufficient {
		return string(v)
	}
	return strings.TrimSuffix(string(v), "s")
}

// missing says of how many calls nothing is known, and why. since is the number of the
// call after which the check begins.
func (w *World) missing(since int) (n int, why []string) {
	if dropped := w.Journal.DroppedAfter(since); dropped > 0 {
		n += dropped
		why = append(why, counted(dropped, "call")+" gave way to later ones in the journal (serve --journal keeps more)")
	}
	if emptied := w.Journal.EmptiedAfter(since); since > 0 && emptied > 0 { // a check of all calls begins where it was emptied
		n += emptied
		why = append(why, counted(emptied, "call")+" taken out when the journal was emptied")
	}
	if undecided := w.undecided(); undecided > 0 {
		n += undecided
		why = append(why, counted(undecided, "call")+" under way, of which nothing is decided yet")
	}
	return n, why
}

// nothing reports whether nothing was observed at all.
func (w *World) nothing(since int) bool { return len(w.Journal.Entries) == 0 && since == 0 }

// nothingObserved says so, and where the calls may be instead.
func (w *World) nothingObserved() string {
	const why = "nothing was observed: the journal of the sandbox is empty"
	if w.Strays == 0 {
		return why
	}
	return why + "; the sandbox default has " + counted(w.Strays, "call") + ", where calls arrive that name no sandbox and whose credentials no sandbox alone knows: see understudy journal --sandbox default"
}

// untold says why an insufficient check cannot be told.
func untold(unclear int, why []string) string {
	if unclear > 0 {
		why = append(why, counted(unclear, "call")+" with values that the journal did not keep or does not show")
	}
	return "it cannot be told: " + strings.Join(why, "; ")
}

// A closest keeps the calls that came closest, the first of equals first.
type closest struct {
	misses []Miss
	far    []int
	most   int
}

// add takes a call in, if few came as close. differs lists what differs.
func (n *closest) add(c *call, far int, of string, differs func() []Difference) {
	at := len(n.far)
	for at > 0 && n.far[at-1] > far {
		at--
	}
	if far == 0 || at >= n.most {
		return
	}
	miss, all := missOf(c.Entry), differs()
	miss.Of, miss.Differs = of, all[:min(len(all), mostDifferences)]
	miss.More = len(all) - len(miss.Differs)
	n.misses, n.far = slices.Insert(n.misses, at, miss), slices.Insert(n.far, at, far)
	if len(n.misses) > n.most {
		n.misses, n.far = n.misses[:n.most], n.far[:n.most]
	}
}

// list returns what was kept. Calls of other operations count where there is no other.
func (n *closest) list() []Miss {
	for i, far := range n.far {
		if far >= otherOperation && n.far[0] < otherOperation {
			return n.misses[:i]
		}
	}
	return n.misses
}

func missOf(e *journal.Entry) Miss {
	return Miss{Call: e.ID, API: e.API, Operation: e.Operation, Outcome: e.Outcome}
}
