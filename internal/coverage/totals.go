package coverage

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/journal"
)

// Totals are the calls of all sandboxes since the server began, by the words of the
// tables alone: no client can make their number grow. They never fall.
type Totals struct {
	Calls uint64
	Ended []Ended // sorted by its members
	Took  []Took  // the same
}

// An Ended is how many calls of an operation ended in an outcome. Scenarios share a
// decider, since there may be any number of them.
type Ended struct {
	API, Operation, Outcome, DecidedBy string

	Calls uint64
}

// A Took is how long the calls of an operation took, delays of scenarios included.
type Took struct {
	API, Operation string

	Within  [len(Bounds) + 1]uint64 // how many took no longer than each of Bounds; the last: all
	Seconds float64                 // of all together
}

// Bounds are seconds. They reach from an answer at once to the longest that may be stalled.
var Bounds = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}

// A tallied is what calls came to. Whoever has it holds a lock.
type tallied struct {
	rows counts
	ends map[end]*met
	took map[operation]*times
}

// operation is an operation of an API; "": the request named none.
type operation struct{ api, name string }

// A met is an end that was met, with all places where it is counted.
type met struct {
	place
	counts *Counts // of its row
	by     []decided
	took   *times
}

// A decided is how many calls one decided.
type decided struct {
	kind  journal.Kind
	name  string // of the check
	calls uint64
}

// times is how many calls took how long, by the bound that they kept to; the last: by none.
type times struct {
	kept   [len(Bounds) + 1]uint64
	micros uint64 // of all together, whole ones: sums of fractions depend on their order, and must not fall
}

// at returns the place of an end; nil: it stands in no table, as a test's outcome.
func (t *tallied) at(at end, catalogue func() *Catalogue) *met {
	if m := t.ends[at]; m != nil {
		return m
	}
	c := catalogue()
	p, known := c.at[at]
	if !known {
		return nil
	}
	if t.ends == nil {
		t.ends, t.took = map[end]*met{}, map[operation]*times{}
	}
	op := operation{at.api, at.operation}
	if t.took[op] == nil {
		t.took[op] = &times{}
	}
	m := &met{place: p, counts: t.rows.at(p.row, c.rows), took: t.took[op]}
	t.ends[at] = m
	return m
}

func (m *met) count(e *journal.Entry) {
	m.counts.count(e, m.row)
	name := ""
	if e.DecidedBy.Kind == journal.Check {
		name = e.DecidedBy.Name
	}
	m.decider(e.DecidedBy.Kind, name).calls++
	m.took.add(e.DurationMS / 1000)
}

func (m *met) decider(kind journal.Kind, name string) *decided {
	for i := range m.by {
		if d := &m.by[i]; d.kind == kind && d.name == name {
			return d
		}
	}
	m.by = append(m.by, decided{kind: kind, name: name})
	return &m.by[len(m.by)-1]
}

func (t *times) add(seconds float64) {
	i := 0
	for i < len(Bounds) && seconds > Bounds[i] {
		i++
	}
	t.kept[i]++
	t.micros += uint64(math.Round(seconds * 1e6))
}

// add adds what others counted, but for the counts of the rows.
func (t *tallied) add(o *tallied, catalogue func() *Catalogue) {
	for at, from := range o.ends {
		m := t.at(at, catalogue)
		for _, d := range from.by {
			m.decider(d.kind, d.name).calls += d.calls
		}
	}
	for op, from := range o.took {
		to := t.took[op]
		for i, n := range from.kept {
			to.kept[i] += n
		}
		to.micros += from.micros
	}
}

// totals returns what was counted in words.
func (t *tallied) totals() Totals {
	var all Totals
	for at, m := range t.ends {
		for _, d := range m.by {
			by := journal.Decider{Kind: d.kind, Name: d.name}.Label()
			all.Ended = append(all.Ended, Ended{at.api, at.operation, at.outcome, by, d.calls})
			all.Calls += d.calls
		}
	}
	for op, t := range t.took {
		took := Took{API: op.api, Operation: op.name, Within: t.kept, Seconds: float64(t.micros) / 1e6}
		for i := range Bounds {
			took.Within[i+1] += took.Within[i]
		}
		all.Took = append(all.Took, took)
	}
	slices.SortFunc(all.Ended, func(a, b Ended) int {
		return cmp.Or(strings.Compare(a.API, b.API), strings.Compare(a.DecidedBy, b.DecidedBy), strings.Compare(a.Operation, b.Operation), strings.Compare(a.Outcome, b.Outcome))
	})
	slices.SortFunc(all.Took, func(a, b Took) int {
		return cmp.Or(strings.Compare(a.API, b.API), strings.Compare(a.Operation, b.Operation))
	})
	return all
}

// Totals returns what all sandboxes have met, those that are gone among them.
func (c *Counter) Totals() Totals {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all tallied
	all.add(&c.past, c.catalogue)
	for t := range c.living {
		t.mu.Lock()
		all.add(&t.tallied, c.catalogue)
		t.mu.Unlock()
	}
	return all.totals()
}
