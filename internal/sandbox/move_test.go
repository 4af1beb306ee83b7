package sandbox_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// A wake is a list of ends that a trigger and the tests' Due share.
type wake struct {
	ends []contract.Due
}

// withWake gives the toy API things that end: those in the list, and one a minute
// after each run of its trigger.
func withWake(h *testRegistry) *wake {
	w := &wake{}
	h.api.Lifecycle = &contract.Lifecycle{Due: func(_ contract.State, _ contract.Values, from, to time.Time) (all []contract.Due) {
		for _, d := range w.ends {
			if d.At.After(from) && !d.At.After(to) {
				all = append(all, d)
			}
		}
		return all
	}}
	h.api.Triggers = append(h.api.Triggers, &contract.Trigger{Name: "begin", Do: func(c *contract.Call) error {
		w.ends = append(w.ends, contract.Due{What: "thing", ID: fmt.Sprint(len(w.ends)), At: c.Now.Add(time.Minute)})
		return nil
	}})
	return w
}

func moveClock(t *testing.T, s *sandbox.Sandbox, move func(*clock.Clock) error) *sandbox.Moved {
	t.Helper()
	m, err := s.MoveClock(move, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func advance(d time.Duration) func(*clock.Clock) error {
	return func(c *clock.Clock) error { return c.Advance(d) }
}

func TestMoveClockListsWhatFellDue(t *testing.T) {
	h := newTestRegistry(t, nil)
	w, s := withWake(h), h.get(t, "default")
	for i, at := range []time.Duration{0, 3, 1, 2, 2, 60} {
		w.ends = append(w.ends, contract.Due{What: "thing", ID: fmt.Sprint(i), At: noon.Add(at * time.Minute)})
	}
	ids := func(m *sandbox.Moved) (all []string) {
		for _, e := range m.Expired {
			if e.API != "toy" || e.What != "thing" {
				t.Errorf("got %v", e)
			}
			all = append(all, e.ID)
		}
		return all
	}
	freeze := func(at time.Duration) func(*clock.Clock) error {
		return func(c *clock.Clock) error { c.Freeze(noon.Add(at)); return nil }
	}
	for _, step := range []struct {
		move func(*clock.Clock) error
		want []string
	}{
		{advance(2 * time.Minute), []string{"2", "3", "4"}},
		{advance(30 * time.Second), nil},
		{freeze(3 * time.Minute), []string{"1"}},
		{freeze(0), nil},
		{advance(time.Minute), []string{"2"}}, // the clock was set back, so it ends again
		{func(c *clock.Clock) error { return c.Scale(60) }, nil},
		{func(c *clock.Clock) error { c.SetSignatures(clock.Wall); return nil }, nil},
		{func(c *clock.Clock) error { c.Freeze(noon.Add(90 * time.Second)); return nil }, nil},
		{freeze(time.Hour), []string{"3", "4", "1", "5"}},
	} {
		if m := moveClock(t, s, step.move); !slices.Equal(ids(m), step.want) || m.Expired == nil || m.More != 0 {
			t.Errorf("at %s: got %v, want %v", m.Now, m, step.want)
		}
	}
	broken := errors.New("no")
	if _, err := s.MoveClock(func(*clock.Clock) error { return broken }, nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestMoveClockIsBounded(t *testing.T) {
	h := newTestRegistry(t, nil)
	w, s := withWake(h), h.get(t, "default")
	for i := range 1100 {
		w.ends = append(w.ends, contract.Due{ID: fmt.Sprint(i), At: noon.Add(time.Duration(1100-i) * time.Second)})
	}
	m := moveClock(t, s, advance(time.Hour))
	if len(m.Expired) != 1000 || m.More != 100 || m.Expired[0].ID != "1099" || m.Expired[999].ID != "100" {
		t.Errorf("got %d and %d more, from %v to %v", len(m.Expired), m.More, m.Expired[0], m.Expired[len(m.Expired)-1])
	}
}

// An API without a Lifecycle has nothing that falls due.
func TestMoveClockWithoutLifecycle(t *testing.T) {
	h := newTestRegistry(t, nil)
	if m := moveClock(t, h.get(t, "default"), advance(time.Hour)); len(m.Expired) != 0 || !m.Now.Equal(noon.Add(time.Hour)) {
		t.Errorf("got %v", m)
	}
}

// Who holds the clock acts before it is moved: what begins then is listed.
func TestMoveClockWaitsForWhoHoldsIt(t *testing.T) {
	h := newTestRegistry(t, nil)
	w, s := withWake(h), h.get(t, "default")
	now, _ := s.HoldClock()
	done := make(chan *sandbox.Moved)
	go func() {
		m, err := s.MoveClock(advance(time.Hour), nil)
		if err != nil {
			t.Error(err)
		}
		done <- m
	}()
	for !s.MoveWaits() {
		select {
		case <-done:
			t.Fatal("the clock was moved while it was held")
		default:
			runtime.Gosched()
		}
	}
	if got := s.Clock.Now(); !got.Equal(now) {
		t.Errorf("held, the clock went from %s to %s", now, got)
	}
	w.ends = append(w.ends, contract.Due{ID: "late", At: now.Add(time.Minute)})
	s.ReleaseClock()
	if m := <-done; len(m.Expired) != 1 || m.Expired[0].ID != "late" {
		t.Errorf("got %v", m)
	}
}

// Calls and triggers hold the clock while they act.
func TestCallsHoldTheClock(t *testing.T) {
	h := newTestRegistry(t, nil)
	s, i := h.get(t, "default"), h.instance(t, "default")
	held, moves := 0, []chan struct{}{}
	look := func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := s.MoveClock(advance(time.Second), nil); err != nil {
				t.Error(err)
			}
		}()
		for !s.MoveWaits() {
			select {
			case <-done:
				t.Fatal("the clock was moved while something happened")
			default:
				runtime.Gosched()
			}
		}
		held++
		moves = append(moves, done)
	}
	h.api.Triggers = append(h.api.Triggers, &contract.Trigger{Name: "look", Do: func(*contract.Call) error { look(); return nil }})
	if err := i.Trigger(h.api.Trigger("look"), nil); err != nil {
		t.Fatal(err)
	}
	h.api.Checks = append([]contract.Check{{Name: "look", Do: func(*contract.Call) (v contract.Verdict) { look(); return v }}}, h.api.Checks...)
	h.register(t, "default")
	for _, done := range moves {
		<-done
	}
	if held != 2 {
		t.Errorf("the clock was held %d times", held)
	}
}

// Things begin while the clock is moved. Each ends in the list of one move.
func TestMoveClockBetweenCalls(t *testing.T) {
	h := newTestRegistry(t, nil)
	w, s := withWake(h), h.get(t, "default")
	i := h.instance(t, "default")
	const begun, moves = 500, 200
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			for range begun / 5 {
				if err := i.Trigger(h.api.Trigger("begin"), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	listed := map[string]int{}
	for range moves {
		for _, e := range moveClock(t, s, advance(7*time.Second)).Expired {
			listed[e.ID]++
		}
	}
	all.Wait()
	for _, e := range moveClock(t, s, advance(time.Hour)).Expired {
		listed[e.ID]++
	}
	if len(w.ends) != begun || len(listed) != begun {
		t.Errorf("%d things began and %d ended", len(w.ends), len(listed))
	}
	for id, n := range listed {
		if n != 1 {
			t.Errorf("%s ended %d times", id, n)
		}
	}
}

// A secret that is the id of something is masked where secrets are.
func TestMoveClockMasksSecrets(t *testing.T) {
	h := newTestRegistry(t, nil)
	w, s := withWake(h), h.get(t, "default")
	w.ends = []contract.Due{{ID: "t-1", At: noon.Add(time.Second)}, {ID: "a thing", At: noon.Add(2 * time.Second)}}
	m, err := s.MoveClock(advance(time.Minute), func(api, secret string) string { return api + " hides " + strings.ToUpper(secret) })
	if err != nil || len(m.Expired) != 2 || m.Expired[0].ID != "toy hides T-1" || m.Expired[1].ID != "a thing" {
		t.Errorf("got %v, %v", m, err)
	}
}
