package verify

import (
	"context"
	"fmt"
)

// A countTrial counts the calls that a check means.
type countTrial struct {
	check *Check
	*matcher
	sure, unclear int
	surplus       []Miss
	closest       closest
	result        Result
}

func (t *countTrial) see(c *call) {
	if c.Number <= t.check.Since {
		return
	}
	switch t.fits(c) {
	case yes:
		t.sure++
		if most := t.check.Count.Most; most != Unlimited && t.sure > most && len(t.surplus) < mostMisses {
			t.surplus = append(t.surplus, missOf(c.Entry))
		}
	case maybe:
		t.unclear++
	}
}

func (t *countTrial) judge(_ context.Context, w *World) {
	count, since := t.check.Count, t.check.Since
	missing, why := w.missing(since)
	possible := t.sure + t.unclear + missing
	t.result = Result{Name: t.check.Name, Expected: count.String(), Found: t.sure, Unclear: t.unclear}
	t.closest.most = mostMisses
	r := &t.result
	switch {
	case w.nothing(since):
		r.Verdict, r.Why = Insufficient, w.nothingObserved()
	case count.Most != Unlimited && t.sure > count.Most:
		r.Verdict, r.Why = Fails, fmt.Sprintf("got %s, want %s", counted(t.sure, "call"), count)
		r.Surplus, t.closest.most = t.surplus, 0
	case possible < count.Least:
		r.Verdict, r.Why = Fails, fmt.Sprintf("got %s, want %s", counted(t.sure, "call"), count)
	case t.sure >= count.Least && (count.Most == Unlimited || possible <= count.Most):
		r.Verdict = Holds
	default:
		r.Verdict, r.Why = Insufficient, untold(t.unclear, why)
	}
}

func (t *countTrial) rank(c *call) {
	if c.Number <= t.check.Since || t.closest.most == 0 || t.sure >= t.check.Count.Least && t.unclear == 0 {
		return
	}
	if far, near := t.far(c); near {
		t.closest.add(c, far, "", func() []Difference { return t.differences(c) })
	}
}

func (t *countTrial) results() []*Result {
	t.result.Nearest = t.closest.list()
	return []*Result{&t.result}
}
