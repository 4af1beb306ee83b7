package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
)

// aLifetime is longer than whatever ends by itself lasts.
const aLifetime = 10 * 365 * 24 * time.Hour

// lives checks what an API says of things that have a life: each is named as the
// trigger expire names it, and is over once the trigger has ended it. An API without a
// Lifecycle has none.
func lives(t *testing.T, api *contract.API) {
	life := api.Lifecycle
	if life == nil || life.Due == nil && life.Open == nil {
		return
	}
	w := New(t, api, Setting{})
	traffic(t, w)
	words := expireWords(t, api)
	for _, o := range w.Open(t) {
		if !slices.Contains(words, o.What) || o.ID == "" || o.Since.IsZero() || o.By != "" && api.Operation(o.By) == nil {
			t.Errorf("open is %+v; an id, a beginning, and names that the trigger expire and the operations have were expected", o)
		}
		if !o.Ends.IsZero() && !o.Ends.After(w.Sandbox.Clock.Now()) {
			t.Errorf("%s %s is open, and ended at %s", o.What, o.ID, o.Ends)
		}
	}
	for range 10_000 {
		due := w.Due(t, aLifetime)
		if len(due) == 0 {
			return
		}
		first := due[0]
		if !slices.Contains(words, first.What) {
			t.Fatalf("%s %s is due, and the trigger expire has no such what, only %v", first.What, first.ID, words)
		}
		if err := w.Trigger(t, "expire", contract.Values{"what": first.What, "id": first.ID}); err != nil {
			t.Fatalf("%s %s is due next, and the trigger expire says %v", first.What, first.ID, err)
		}
		for _, d := range w.Due(t, aLifetime) {
			if d.What == first.What && d.ID == first.ID {
				t.Fatalf("%s %s is due at %s, and the trigger expire has ended it", d.What, d.ID, d.At)
			}
		}
	}
	t.Error("what is due never comes to an end")
}

// expireWords are the values of the trigger expire's parameter what.
func expireWords(t *testing.T, api *contract.API) []string {
	t.Helper()
	expire := api.Trigger("expire")
	if expire == nil {
		t.Fatal("the API has a Lifecycle and no trigger expire")
	}
	return contract.FindParam(expire.Params, "what").OneOf
}

// Due lists what ends by itself within d from now.
func (w *World) Due(t testing.TB, d time.Duration) (all []contract.Due) {
	t.Helper()
	if w.API.Lifecycle.Due == nil {
		return nil
	}
	i, now := w.Instance(t), w.Sandbox.Clock.Now()
	i.WithState(func(s contract.State) { all = w.API.Lifecycle.Due(s, i.Switches(), now, now.Add(d)) })
	return all
}

// Open lists what calls have left open.
func (w *World) Open(t testing.TB) (all []contract.Open) {
	t.Helper()
	if w.API.Lifecycle.Open == nil {
		return nil
	}
	i := w.Instance(t)
	i.WithState(func(s contract.State) { all = w.API.Lifecycle.Open(s, i.Switches(), w.Sandbox.Clock.Now()) })
	return all
}

// An End is the end of something in a Lives.
type End struct {
	What  string
	ID    string        // or the name under which Begin returned it
	After time.Duration // since the world's beginning

	// Probe makes a call that says whether the thing still lives, and returns how it
	// ended: Before until the end, and Then from there on.
	Probe        func(t *testing.T, w *World, ids map[string]string) string
	Before, Then string
}

// A Life is what calls begin, and how it ends if nobody does anything.
type Life struct {
	Setting Setting
	Begin   func(t *testing.T, w *World) (ids map[string]string)
	Ends    []End // in the order of time
}

// Lives checks that the ends of a life are listed once each, in their order and
// in time, and that the API itself answers so. Each probe has a world of its own.
func Lives(t *testing.T, api *contract.API, l Life) {
	t.Helper()
	begin := func(t *testing.T) (*World, map[string]string) {
		t.Helper()
		w := New(t, api, l.Setting)
		return w, l.Begin(t, w)
	}
	w, ids := begin(t)
	noon := w.Sandbox.Clock.Now()
	var want []contract.Due
	for _, e := range l.Ends {
		if id, named := ids[e.ID]; named {
			e.ID = id
		}
		want = append(want, contract.Due{What: e.What, ID: e.ID, At: noon.Add(e.After).UTC()})
	}
	if got := w.Due(t, aLifetime); !slices.Equal(got, want) {
		t.Errorf("due is\n%v, want\n%v", got, want)
	}
	var listed []contract.Due
	for _, e := range l.Ends {
		for _, at := range []time.Duration{e.After - time.Second, e.After} {
			listed = append(listed, w.freezeAt(t, noon.Add(at))...)
		}
	}
	if listed = append(listed, w.freezeAt(t, noon.Add(aLifetime))...); !slices.Equal(listed, want) {
		t.Errorf("step by step, what ended is\n%v, want\n%v", listed, want)
	}
	for _, e := range l.Ends {
		for at, want := range map[time.Duration]string{e.After - time.Second: e.Before, e.After: e.Then} {
			t.Run(fmt.Sprintf("%s %s after %s", e.What, e.ID, at), func(t *testing.T) {
				w, ids := begin(t)
				w.freezeAt(t, noon.Add(at))
				if got := e.Probe(t, w, ids); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

// freezeAt stops the clock at an instant, and returns what ended because of that.
func (w *World) freezeAt(t *testing.T, at time.Time) (all []contract.Due) {
	t.Helper()
	if at.Before(w.Sandbox.Clock.Now()) {
		return nil // two things end within a second
	}
	moved, err := w.Sandbox.MoveClock(func(c *clock.Clock) error { c.Freeze(at); return nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range moved.Expired {
		all = append(all, e.Due)
	}
	return all
}
