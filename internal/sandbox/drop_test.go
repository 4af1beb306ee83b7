package sandbox_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// What a call under way issues or records after its sandbox is gone leads nowhere.
func TestDropLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newTestRegistry(t, nil)
	s := h.get(t, "a")
	instance, err := s.Instance(h.api)
	if err != nil {
		t.Fatal(err)
	}
	use := s.Use()
	if use == nil {
		t.Fatal("a new sandbox cannot be used")
	}
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if left, err := h.Drop(cut, "a"); left != 1 || err != nil {
		t.Errorf("got %d, %v; want the call that is under way", left, err)
	}
	instance.Issue("late-word")
	s.Journal.Add(s.Journal.Turn(), &journal.Entry{API: "toy"})
	if got := cmp.Or(h.ByIdentifier(h.api, func() []string { return []string{"late-word"} })); got != nil {
		t.Errorf("a word that was issued late leads to %s", got.Name)
	}
	if counts := s.Journal.Counts(); counts.Entries != 0 || counts.Bytes != 0 {
		t.Errorf("the journal keeps %+v", counts)
	}
	if s.Use() != nil {
		t.Error("a dropped sandbox can be used")
	}
	if other := h.get(t, "a"); other == s {
		t.Error("the name still means the dropped sandbox")
	}
	use.Done()
	for _, name := range []string{sandbox.Default, "none"} {
		if _, err := h.Drop(t.Context(), name); !errors.As(err, new(*sandbox.DropError)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Dropping waits for the calls that are under way.
func TestDropWaits(t *testing.T) {
	t.Parallel()
	h := newTestRegistry(t, nil)
	s := h.get(t, "a")
	use := s.Use()
	dropped := make(chan int)
	go func() {
		left, _ := h.Drop(t.Context(), "a")
		dropped <- left
	}()
	select {
	case <-dropped:
		t.Error("dropping did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	use.Done()
	if left := <-dropped; left != 0 {
		t.Errorf("%d calls are left", left)
	}
}

// When room is needed, the sandbox that was idle longest gives way, but none that was
// used within the last minute, and none with a call under way.
func TestIdleSandboxesGiveWay(t *testing.T) {
	t.Parallel()
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Max = 4 })
	a := h.get(t, "a")
	use := a.Use()
	h.wall = h.wall.Add(time.Second)
	identifier := h.register(t, "b")
	h.wall = h.wall.Add(time.Second)
	h.get(t, "c")
	_, err := h.Get("d")
	if err == nil || !strings.Contains(err.Error(), "default, a, b, c.") || !strings.Contains(err.Error(), "understudy sandbox drop") {
		t.Errorf("got %v", err)
	}
	h.wall = h.wall.Add(59 * time.Second) // b is idle for a minute, c is not
	h.get(t, "d")
	if h.Find("a") == nil || h.Find("b") != nil || h.Find("c") == nil {
		t.Error("b was expected to give way")
	}
	if got := h.byIdentifier(identifier); got != "" {
		t.Errorf("an identifier of b leads to %s", got)
	}
	h.wall = h.wall.Add(time.Hour)
	use.Done() // it was used until now
	h.get(t, "e")
	h.get(t, "f")
	if h.Find("a") == nil || h.Find("c") != nil || h.Find("d") != nil {
		t.Error("c and d were expected to give way")
	}
}

func TestRefusalNamesSome(t *testing.T) {
	t.Parallel()
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Max = 30 })
	for i := range 29 {
		h.get(t, fmt.Sprintf("s-%02d", i))
	}
	if _, err := h.Get("more"); err == nil || !strings.Contains(err.Error(), "s-09 and 19 more.") {
		t.Errorf("got %v", err)
	}
}

// Who waits for the calls under way does not wait for those that begin meanwhile.
func TestSettle(t *testing.T) {
	t.Parallel()
	h := newTestRegistry(t, nil)
	s := h.get(t, "a")
	if left := s.Settle(t.Context()); left != 0 {
		t.Errorf("%d calls are under way where there is none", left)
	}
	first := s.Use()
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if left := s.Settle(cut); left != 1 {
		t.Errorf("got %d, want the first", left)
	}
	second := s.Use()
	if left := s.Settle(cut); left != 2 {
		t.Errorf("got %d, want both", left)
	}
	first.Done()
	second.Done()
	third := s.Use()
	settled := make(chan int)
	go func() { settled <- s.Settle(t.Context()) }()
	fourth := s.Use()
	for fourth == third { // until somebody waits for the third
		fourth.Done()
		fourth = s.Use()
	}
	defer fourth.Done()
	select {
	case <-settled:
		t.Error("it did not wait for the third")
	default:
	}
	third.Done()
	if left := <-settled; left != 0 {
		t.Errorf("%d calls of those before are left", left)
	}
}

// Following a sandbox is use of it: neither is its time to live over, nor does it give
// way to another, until it was left for that long.
func TestFollowedSandboxStays(t *testing.T) {
	t.Parallel()
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Max = 3 })
	o := h.Origin()
	o.Request, o.TTL = "{}", time.Minute
	planned, _, err := h.Make("planned", o)
	if err != nil {
		t.Fatal(err)
	}
	first, err := h.Get("first")
	if err != nil {
		t.Fatal(err)
	}
	leave, leaveFirst := planned.Follow(), first.Follow()
	h.wall = h.wall.Add(time.Hour)
	if _, err := h.Get("next"); err == nil || h.Find("planned") != planned || h.Find("first") != first {
		t.Errorf("got %v, %v and %v: a sandbox that is followed gave way", err, h.Find("planned"), h.Find("first"))
	}
	leave()
	leaveFirst()
	h.wall = h.wall.Add(time.Minute)
	if h.Find("planned") != planned {
		t.Error("its time was over before it was left for that long")
	}
	h.wall = h.wall.Add(time.Second)
	if _, err := h.Get("next"); err != nil || h.Find("planned") != nil {
		t.Errorf("got %v and %v after it was left for longer than it lives", err, h.Find("planned"))
	}
}

// What was planned in sandboxes that have ended, however they did, and never played is
// kept: so much as a table lists.
func TestNeverFiredOutlivesSandboxes(t *testing.T) {
	t.Parallel()
	h := newTestRegistry(t, nil)
	s, err := scenario.Parse("own.yaml", []byte(own), h.Config().APIs)
	if err != nil {
		t.Fatal(err)
	}
	plan := func(name string, ttl time.Duration) {
		t.Helper()
		o := h.Origin()
		o.Request, o.Scenarios, o.TTL = "{}", []*scenario.Scenario{s}, ttl
		if _, _, err := h.Make(name, o); err != nil {
			t.Fatal(err)
		}
	}
	plan("dropped", 0)
	plan("over", time.Minute)
	if _, err := h.Drop(t.Context(), "dropped"); err != nil {
		t.Fatal(err)
	}
	h.wall = h.wall.Add(time.Hour)
	plan("lives", 0)
	never, more := h.NeverFired()
	var boxes []string
	for _, r := range never {
		boxes = append(boxes, r.Sandbox)
	}
	if want := "dropped dropped over over lives lives"; strings.Join(boxes, " ") != want || more != 0 {
		t.Errorf("got %s and %d more, want %s", boxes, more, want)
	}
	for i := range 150 {
		name := fmt.Sprint("job-", i)
		plan(name, 0)
		if _, err := h.Drop(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if never, more := h.NeverFired(); len(never) != coverage.MaxListed+2 || more != 104 {
		t.Errorf("%d rules are listed and %d more", len(never), more)
	}
}
