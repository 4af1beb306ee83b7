package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// An orderTrial looks for calls that came one after the other.
type orderTrial struct {
	check  *Check
	items  []*matcher
	kinds  []kind                 // the items, those that are alike as one
	by     *place                 // nil: without By
	steps  map[scenario.Key]*walk // by the value of the parameter By; without it one, of the zero Key
	keys   []scenario.Key         // in the order of their first call
	none   *walk                  // what stands in where no call has a value of By
	lost   int                    // calls of the order of which By is not known
	result Result
}

// A kind is what several items of an order may be alike.
type kind struct {
	*matcher
	items bits
}

// A walk is the calls among which one order is looked for.
type walk struct {
	value   string // of the parameter By, as text
	steps   []step
	doubt   bool             // some steps are not sure
	trail   []*journal.Entry // the calls of the longest beginning of the order
	hasty   *haste           // the first call that surely came too soon
	next    string           // names the call that is missing after the trail, or that came too soon
	closest closest
}

// A step is a call that is, or may be, one of an order.
type step struct {
	entry     *journal.Entry
	pace      time.Duration // since the first step
	sure, may bits          // of which items; what is sure may be as well
}

// bits is a set of the numbers of items.
type bits [(mostItems + 63) / 64]uint64

func (b *bits) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b *bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// join adds all that others has.
func (b *bits) join(others *bits) {
	for i := range b {
		b[i] |= others[i]
	}
}

func newOrderTrial(c *Check, asked *questions) *orderTrial {
	t := &orderTrial{check: c, steps: map[scenario.Key]*walk{}}
	at := map[*matcher]int{} // of kinds
	for i := range c.Order {
		m := asked.matcher(&c.Order[i])
		n, known := at[m]
		if !known {
			n = len(t.kinds)
			at[m], t.kinds = n, append(t.kinds, kind{matcher: m})
		}
		t.items = append(t.items, m)
		t.kinds[n].items.add(i)
	}
	if c.By == "" {
		t.walk(scenario.Key{}, "")
	} else {
		t.by = asked.place(c.By)
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
	if t.by == nil {
		return key, "", yes
	}
	f := t.by.find(c)
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
	for i := range t.kinds {
		switch k := &t.kinds[i]; k.fits(c) {
		case yes:
			s.sure.join(&k.items)
			s.may.join(&k.items)
		case maybe:
			s.may.join(&k.items)
		}
	}
	if s.may == (bits{}) {
		return
	}
	key, value, member := t.whose(c)
	switch member {
	case maybe:
		t.lost++
	case yes:
		w := t.walk(key, value)
		w.doubt = w.doubt || s.sure != s.may
		if len(w.steps) > 0 {
			s.pace = c.Arrived.Sub(w.steps[0].entry.Arrived)
		}
		w.steps = append(w.steps, s)
	}
}

func (t *orderTrial) judge(ctx context.Context, w *World) {
	missing, why := w.missing(t.check.Since)
	r := &t.result
	*r = Result{Name: t.check.Name, Expected: t.check.expected(), Unclear: t.lost}
	if len(t.keys) == 0 {
		t.none = t.walk(scenario.Key{}, "any")
	}
	look := &lookout{check: t.check, ends: make([][]int, len(t.items))}
	held, possible, hasty := 0, 0, false // possible: it is not known whether the order holds, or has to
	for _, key := range t.keys {
		g := t.steps[key]
		g.closest.most = mostMisses
		if t.check.By != "" {
			g.closest.most = 1
		}
		switch t.try(ctx, look, g) {
		case yes:
			held++
		case maybe:
			possible++
		case no:
			hasty = hasty || g.hasty != nil
		}
	}
	r.Found = held
	known := missing == 0 && t.lost == 0
	switch {
	case w.nothing(t.check.Since):
		r.Verdict, r.Why = Insufficient, w.nothingObserved()
	case hasty: // whatever else there was
		r.Verdict, r.Why = Fails, t.gap()
	case held > 0 && held == len(t.keys) && (known || t.check.By == "" && t.check.After == 0):
		r.Verdict = Holds
	case known && held+possible == len(t.keys) && possible > 0:
		r.Verdict, r.Why = Insufficient, untold(0, []string{"it depends on values that the journal did not keep or does not show"})
	case !known:
		r.Verdict, r.Why = Insufficient, untold(t.lost, why)
	default:
		r.Verdict, r.Why = Fails, t.gap()
	}
}

// try looks for the order in a walk, and says whether it holds there.
func (t *orderTrial) try(ctx context.Context, look *lookout, g *walk) answer {
	sure, may := func(s *step) *bits { return &s.sure }, func(s *step) *bits { return &s.may }
	g.trail = look.longest(ctx, g.steps, sure)
	complete := len(g.trail) == len(t.items)
	if g.hasty = look.haste(ctx, g.steps, sure); g.hasty != nil {
		g.next = t.names(g, g.hasty.item)
		return no
	}
	hurried := g.doubt && look.haste(ctx, g.steps, may) != nil
	switch {
	case complete && hurried:
		g.next = t.names(g, len(t.items)-1)
		return maybe
	case complete:
		return yes
	}
	g.next = t.names(g, len(g.trail))
	if !g.isSure() || g.doubt && len(look.longest(ctx, g.steps, may)) == len(t.items) {
		return maybe
	}
	return no
}

// isSure reports whether the order has to hold for the walk: a call of it is known, or
// there is no call at all.
func (w *walk) isSure() bool {
	return len(w.steps) == 0 || slices.ContainsFunc(w.steps, func(s step) bool { return s.sure != bits{} })
}

// gap says which call came too soon first, or how far the first of those came that did
// not come to the end.
func (t *orderTrial) gap() string {
	why := ""
	for _, key := range t.keys {
		g := t.steps[key]
		switch {
		case g.hasty != nil:
			return g.hasty.call.ID + " was " + g.next + ", and came " + paceText(g.hasty.pace) + " after " + g.hasty.last.ID +
				", which is " + paceText(t.check.After-g.hasty.pace) + " too soon"
		case len(g.trail) < len(t.items) && why == "":
			why = "no call was " + g.next + trailText(g.trail)
		}
	}
	return why
}

// names names a call of the order.
func (t *orderTrial) names(g *walk, item int) string {
	text := fmt.Sprintf("number %d of the order, %s", item+1, t.items[item])
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

// A lookout looks for an order in steps. Later steps arrived later.
type lookout struct {
	check *Check
	ends  [][]int // for each item, the steps at which a beginning of the order ends with it
}

// longest returns the calls of the longest beginning of the order, of which a haste may
// be one. of says of which items a step is. Once the context is done, it returns nothing.
func (l *lookout) longest(ctx context.Context, steps []step, of func(*step) *bits) []*journal.Entry {
	for i := range l.ends {
		l.ends[i] = l.ends[i][:0]
	}
	reached := 0 // items that have an end
	for at := range steps {
		if ctx.Err() != nil {
			return nil
		}
		first := 0
		if l.check.Within == 0 { // then the first end of an item is as good as any later one
			first = reached
		}
		items := of(&steps[at])
		for i := reached; i >= first; i-- { // so that a step is not its own successor
			if !items.has(i) || i > 0 && !l.follows(steps, i-1, at) {
				continue
			}
			l.ends[i] = append(l.ends[i], at)
			if i == reached {
				reached++
			}
		}
		if reached == len(l.ends) {
			break
		}
	}
	return l.trail(steps, reached)
}

// follows reports whether a step comes soon enough after an end of an item. The latest
// end tells.
func (l *lookout) follows(steps []step, item, at int) bool {
	ends := l.ends[item]
	return len(ends) > 0 && (l.check.Within == 0 || steps[at].pace-steps[ends[len(ends)-1]].pace <= l.check.Within)
}

// trail lists the calls of the latest beginning that has so many items: where the order
// breaks off, that came closest.
func (l *lookout) trail(steps []step, items int) []*journal.Entry {
	trail := make([]*journal.Entry, items)
	for i, at := items-1, len(steps); i >= 0; i-- {
		n, _ := slices.BinarySearch(l.ends[i], at)
		at = l.ends[i][n-1]
		trail[i] = steps[at].entry
	}
	return trail
}

// A haste is a call of an order that came too soon after the one before it.
type haste struct {
	item       int
	call, last *journal.Entry
	pace       time.Duration // between them
}

// haste returns the first call that came too soon after any call with which a beginning
// of the order ends, whatever came before or later: a pace that only some calls kept was
// not kept.
func (l *lookout) haste(ctx context.Context, steps []step, of func(*step) *bits) *haste {
	if l.check.After == 0 {
		return nil
	}
	latest := make([]*step, 0, len(l.ends)) // of each item that was reached
	for at := range steps {
		if ctx.Err() != nil {
			return nil
		}
		s := &steps[at]
		items := of(s)
		for i := min(len(latest), len(l.ends)-1); i >= 0; i-- { // so that a step is not its own successor
			if !items.has(i) {
				continue
			}
			if i > 0 && s.pace-latest[i-1].pace < l.check.After {
				return &haste{item: i, call: s.entry, last: latest[i-1].entry, pace: s.pace - latest[i-1].pace}
			}
			if i == len(latest) {
				latest = append(latest, s)
			}
			latest[i] = s
		}
	}
	return nil
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
	if g != nil && g.hasty != nil {
		g.hasty.rank(g, c, t.check)
		return
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
	switch {
	case c.Number <= last.Number:
		return Difference{"order", "a call after " + last.ID, "one before it"}, true
	case pace < t.check.After:
		return t.check.tooSoon(last, pace), true
	case t.check.Within > 0 && pace > t.check.Within:
		return Difference{"within", "at most " + t.check.Within.String() + " after " + last.ID, paceText(pace)}, true
	}
	return d, false
}

// rank shows the call that came too soon, and no other.
func (h *haste) rank(g *walk, c *call, check *Check) {
	if c.Entry == h.call {
		g.closest.add(c, otherPlace, g.next, func() []Difference { return []Difference{check.tooSoon(h.last, h.pace)} })
	}
}

// tooSoon says that a call came too soon after another.
func (c *Check) tooSoon(last *journal.Entry, pace time.Duration) Difference {
	return Difference{"after", "at least " + c.After.String() + " after " + last.ID, paceText(pace)}
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
