package verify

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// An orderTrial looks for calls that came one after the other.
type orderTrial struct {
	check  *Check
	items  []*matcher
	by     map[*contract.Operation]*scenario.Spot
	steps  map[scenario.Key]*walk // by the value of the parameter By; without it one, of the zero Key
	keys   []scenario.Key         // in the order of their first call
	none   *walk                  // what stands in where no call has a value of By
	lost   int                    // calls of the order of which By is not known
	result Result
}

// A walk is the calls among which one order is looked for.
type walk struct {
	value   string // of the parameter By, as text
	steps   []step
	trail   []*journal.Entry // the calls of the longest beginning of the order
	next    string           // names the call that is missing after it
	closest closest
}

// A step is a call that is, or may be, one of an order.
type step struct {
	entry     *journal.Entry
	sure, may bits // of which items; what is sure may be as well
}

// bits is a set of the numbers of items.
type bits [(mostItems + 63) / 64]uint64

func (b *bits) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b *bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func newOrderTrial(c *Check) *orderTrial {
	t := &orderTrial{check: c, by: map[*contract.Operation]*scenario.Spot{}, steps: map[scenario.Key]*walk{}}
	for i := range c.Order {
		t.items = append(t.items, newMatcher(&c.Order[i]))
	}
	if c.By == "" {
		t.walk(scenario.Key{}, "")
	}
	return t
}

// walk returns the walk of a value of By, which is made at its first call.
func (t *orderTrial) walk(key scenario.Key, value string) *walk {
	w := t.steps[key]
	if w == nil {
		w = &walk{value: value}
		t.steps[key] = w
		t.keys = append(t.keys, key)
	}
	return w
}

// whose finds by which value of By a call is looked at. member is no for a call
// without one, and maybe where the value is not known.
func (t *orderTrial) whose(c *call) (key scenario.Key, value string, member answer) {
	if t.check.By == "" {
		return key, "", yes
	}
	at := t.by[c.op]
	if at == nil {
		spot := scenario.SpotOf(t.check.By, c.op)
		at = &spot
		t.by[c.op] = at
	}
	f := c.find(at)
	if f.lost || f.hidden {
		return key, "", maybe
	}
	key, plain := scenario.KeyOf(f.x)
	if !f.given || !plain {
		return key, "", no
	}
	return key, f.String(), yes
}

func (t *orderTrial) see(c *call) {
	if c.Number <= t.check.Since {
		return
	}
	s := step{entry: c.Entry}
	found := no
	for i, item := range t.items {
		a := item.fits(c)
		if a != no {
			s.may.add(i)
		}
		if a == yes {
			s.sure.add(i)
		}
		found = max(found, a)
	}
	if found == no {
		return
	}
	key, value, member := t.whose(c)
	switch member {
	case maybe:
		t.lost++
	case yes:
		w := t.walk(key, value)
		w.steps = append(w.steps, s)
	}
}

func (t *orderTrial) judge(w *World) {
	missing, why := w.missing(t.check.Since)
	r := &t.result
	*r = Result{Name: t.check.Name, Expected: t.check.expected(), Unclear: t.lost}
	if len(t.keys) == 0 {
		t.none = t.walk(scenario.Key{}, "any")
	}
	held, possible := 0, 0 // possible: it is not known whether the order holds, or has to
	for _, key := range t.keys {
		g := t.steps[key]
		g.trail = t.longest(g.steps, func(s *step, i int) bool { return s.sure.has(i) })
		g.closest.most = mostMisses
		if t.check.By != "" {
			g.closest.most = 1
		}
		if len(g.trail) == len(t.items) {
			held++
			continue
		}
		g.next = t.next(g)
		if !g.isSure() || len(t.longest(g.steps, func(s *step, i int) bool { return s.may.has(i) })) == len(t.items) {
			possible++
		}
	}
	r.Found = held
	known := missing == 0 && t.lost == 0
	switch {
	case w.nothing(t.check.Since):
		r.Verdict, r.Why = Insufficient, nothingObserved
	case held > 0 && held == len(t.keys) && (known || t.check.By == ""):
		r.Verdict = Holds
	case known && held+possible == len(t.keys) && possible > 0:
		r.Verdict, r.Why = Insufficient, untold(0, []string{"it depends on values that the journal did not keep or does not show"})
	case !known:
		r.Verdict, r.Why = Insufficient, untold(t.lost, why)
	default:
		r.Verdict, r.Why = Fails, t.gap()
	}
}

// isSure reports whether the order has to hold for the walk: a call of it is known, or
// there is no call at all.
func (w *walk) isSure() bool {
	return len(w.steps) == 0 || slices.ContainsFunc(w.steps, func(s step) bool { return s.sure != bits{} })
}

// gap says how far the first of those came that did not come to the end.
func (t *orderTrial) gap() string {
	for _, key := range t.keys {
		g := t.steps[key]
		if len(g.trail) == len(t.items) {
			continue
		}
		return "no call was " + g.next + trailText(g.trail)
	}
	return ""
}

// next names the call that is missing after a trail.
func (t *orderTrial) next(g *walk) string {
	n := len(g.trail)
	text := fmt.Sprintf("number %d of the order, %s", n+1, t.items[n])
	if t.check.By != "" {
		text += ", of " + t.check.By + " " + g.value
	}
	return text
}

// trailText lists the latest calls of a trail.
func trailText(trail []*journal.Entry) string {
	if len(trail) == 0 {
		return ""
	}
	const most = 4
	text := ", after "
	if len(trail) > most {
		text += "… "
		trail = trail[len(trail)-most:]
	}
	var names []string
	for _, e := range trail {
		names = append(names, e.Operation+" ("+e.ID+")")
	}
	return text + strings.Join(names, ", ")
}

// An end is a step at which a beginning of the order ends.
type end struct {
	step   int
	before int // the index of the end before it, among those of the item before
}

// longest finds the longest beginning of the order, and its calls. allowed says of
// which items a step is.
func (t *orderTrial) longest(steps []step, allowed func(*step, int) bool) (trail []*journal.Entry) {
	ends := make([][]end, len(t.items))
	for at := range steps {
		for i := len(t.items) - 1; i >= 0; i-- {
			// Without a longest pace, the first end is as good as any later one.
			if !allowed(&steps[at], i) || t.check.Within == 0 && len(ends[i]) > 0 {
				continue
			}
			before := -1
			if i > 0 {
				if before = t.before(steps, ends[i-1], at); before < 0 {
					continue
				}
			}
			ends[i] = append(ends[i], end{at, before})
		}
	}
	reached := slices.IndexFunc(ends, func(all []end) bool { return len(all) == 0 })
	if reached < 0 {
		reached = len(ends)
	}
	for i, at := reached-1, -1; i >= 0; i-- {
		if at < 0 {
			at = len(ends[i]) - 1 // the latest, which is what came closest where the order breaks off
		}
		trail = append(trail, steps[ends[i][at].step].entry)
		at = ends[i][at].before
	}
	slices.Reverse(trail)
	return trail
}

// before finds the latest of the ends that is early enough for a step, and returns -1
// where that is too early, or none is. Later calls arrived later.
func (t *orderTrial) before(steps []step, ends []end, at int) int {
	arrived := steps[at].entry.Arrived
	n := sort.Search(len(ends), func(i int) bool {
		return arrived.Sub(steps[ends[i].step].entry.Arrived) < t.check.After
	})
	if n == 0 || t.check.Within > 0 && arrived.Sub(steps[ends[n-1].step].entry.Arrived) > t.check.Within {
		return -1
	}
	return n - 1
}

func (t *orderTrial) rank(c *call) {
	if c.Number <= t.check.Since {
		return
	}
	key, _, member := t.whose(c)
	g := t.steps[key]
	if t.none != nil {
		g, member = t.none, yes
	}
	if member != yes || g == nil || len(g.trail) == len(t.items) {
		return
	}
	item := t.items[len(g.trail)]
	far, near := item.far(c)
	if !near {
		return
	}
	place, wrong := t.place(g, c)
	if wrong {
		far += otherPlace
	}
	g.closest.add(c, far, g.next, func() []Difference {
		differs := item.differences(c)
		if wrong {
			differs = append(differs, place)
		}
		return differs
	})
}

// place says what is wrong with a call's place and pace after a trail.
func (t *orderTrial) place(g *walk, c *call) (d Difference, wrong bool) {
	if len(g.trail) == 0 {
		return d, false
	}
	last := g.trail[len(g.trail)-1]
	pace := c.Arrived.Sub(last.Arrived)
	after := " after " + last.ID
	switch {
	case c.Number <= last.Number:
		return Difference{"order", "a call" + after, "one before it"}, true
	case pace < t.check.After:
		return Difference{"after", "at least " + t.check.After.String() + after, paceText(pace)}, true
	case t.check.Within > 0 && pace > t.check.Within:
		return Difference{"within", "at most " + t.check.Within.String() + after, paceText(pace)}, true
	}
	return d, false
}

func paceText(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }

func (t *orderTrial) results() []*Result {
	if t.result.Verdict == Holds {
		return []*Result{&t.result}
	}
	t.result.Nearest = nil
	for _, key := range t.keys {
		if left := mostMisses - len(t.result.Nearest); left > 0 {
			near := t.steps[key].closest.list()
			t.result.Nearest = append(t.result.Nearest, near[:min(left, len(near))]...)
		}
	}
	return []*Result{&t.result}
}
