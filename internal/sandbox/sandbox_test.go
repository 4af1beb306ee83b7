package sandbox_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

const tokens = "fixture: default\napi: toy\ntokens: [t-1, t-2]\n"

// A testRegistry is a registry whose wall clock a test moves.
type testRegistry struct {
	*sandbox.Registry
	api  *contract.API
	wall time.Time
}

func newTestRegistry(t *testing.T, change func(*sandbox.Config)) *testRegistry {
	t.Helper()
	h := &testRegistry{api: toy.New(), wall: noon}
	f, err := fixture.Parse("toy/default.yaml", []byte(tokens), []*contract.API{h.api})
	if err != nil {
		t.Fatal(err)
	}
	config := sandbox.Config{
		APIs: []*contract.API{h.api}, Fixtures: map[string]*fixture.Fixture{"toy": f}, Seed: 1,
		Wall: func() time.Time { return h.wall }, Max: 4, Clock: clock.Setting{Frozen: noon},
		Journal: journal.Limits{Entries: 10, Bytes: 1 << 20, Body: 100}, JournalAll: 1 << 20,
	}
	if change != nil {
		change(&config)
	}
	if h.Registry, err = sandbox.New(config); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *testRegistry) get(t *testing.T, name string) *sandbox.Sandbox {
	t.Helper()
	s, err := h.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *testRegistry) instance(t *testing.T, name string) *sandbox.Instance {
	t.Helper()
	r, err := h.get(t, name).Instance(h.api)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// register has a sandbox hand out a token, and returns it.
func (h *testRegistry) register(t *testing.T, name string) string {
	t.Helper()
	op := h.api.Operation("Register")
	s := h.get(t, name)
	x := &engine.Exchange{Instance: h.instance(t, name), Sandbox: s, Request: &contract.Request{
		Method: op.Method, URL: &url.URL{Path: op.Path}, At: []*contract.Operation{op}, Header: http.Header{},
	}}
	if err := engine.Serve(x); err != nil {
		t.Fatal(err)
	}
	x.Close(0, journal.Sent)
	return strings.TrimPrefix(x.Response.Header.Get("Location"), "/clients/")
}

func (h *testRegistry) byIdentifier(identifier string) string {
	s := cmp.Or(h.ByIdentifier(h.api, func() []string { return []string{"", identifier} }))
	if s == nil {
		return ""
	}
	return s.Name
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "job-17": true, "9": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "A": false, "a_b": false, "ä": false, "a/b": false, strings.Repeat("a", 64): false,
	} {
		if got := sandbox.CheckName(name) == nil; got != ok {
			t.Errorf("%q: got %t", name, got)
		}
	}
}

func TestFindMakesNoSandbox(t *testing.T) {
	h := newTestRegistry(t, nil)
	if h.Find("alice") != nil || h.Find(sandbox.Default) == nil {
		t.Error("Find makes or misses a sandbox")
	}
	if a := h.get(t, "alice"); h.Find("alice") != a || h.get(t, "alice") != a {
		t.Error("Get makes the same sandbox twice")
	}
	if _, err := h.Get("Alice"); err == nil {
		t.Error("a name that is not well-formed was taken")
	}
	var names []string
	h.get(t, "aaron")
	for _, s := range h.List() {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "default aaron alice" {
		t.Errorf("got %s", got)
	}
}

func TestByIdentifier(t *testing.T) {
	h := newTestRegistry(t, nil)
	early := h.register(t, sandbox.Default)
	if got := h.byIdentifier(early); got != "" {
		t.Errorf("while only default exists: got %s", got)
	}
	late := h.register(t, "alice")
	for identifier, want := range map[string]string{early: "default", late: "alice", "t-1": "", "nobody": ""} {
		if got := h.byIdentifier(identifier); got != want {
			t.Errorf("%s: got %q, want %q", identifier, got, want)
		}
	}
	instance := h.instance(t, "alice")
	state, err := instance.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.get(t, "alice").Reset(); err != nil {
		t.Fatal(err)
	}
	if got := h.byIdentifier(late); got != "" {
		t.Errorf("after reset: got %s", got)
	}
	if err := instance.Restore(state); err != nil {
		t.Fatal(err)
	}
	if got := h.byIdentifier(late); got != "alice" {
		t.Errorf("after restore: got %q", got)
	}
}

func TestMintDiffersBetweenSandboxes(t *testing.T) {
	h := newTestRegistry(t, nil)
	if a, b := h.register(t, "a"), h.register(t, "b"); a == b {
		t.Error("two sandboxes handed out the same token")
	}
}

func TestRestoreRefuses(t *testing.T) {
	h := newTestRegistry(t, nil)
	instance := h.instance(t, sandbox.Default)
	before, _ := instance.Snapshot()
	for _, document := range []string{
		``, `{`, `null`, `[]`, `{}`, `{"tokens":5}`, `{"strange":1}`, `{"tokens":["a","a"],"parcels":{},"made":"2026-03-01T12:00:00Z"}`,
		`{"tokens":[],"parcels":{}}`, `{"tokens":null,"parcels":{},"made":"2026-03-01T12:00:00Z"}`, `{"tokens":[],"parcels":{},"made":"noon"}`,
		`{"Tokens":[],"parcels":{},"made":"2026-03-01T12:00:00Z"}`, `{"tokens":[],"tokens":[],"parcels":{},"made":"2026-03-01T12:00:00Z"}`,
	} {
		if err := instance.Restore([]byte(document)); err == nil {
			t.Errorf("%s was taken", document)
		}
	}
	if after, _ := instance.Snapshot(); string(after) != string(before) {
		t.Errorf("got %s, want %s", after, before)
	}
}

func TestResetOfParts(t *testing.T) {
	s, err := scenario.Parse("s.yaml", []byte("scenario: s\napi: toy\nrules: [{operation: Page, outcome: broken}]"), []*contract.API{toy.New()})
	if err != nil {
		t.Fatal(err)
	}
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Scenarios = []*scenario.Scenario{s} })
	alice := h.get(t, "alice")
	h.register(t, "alice")
	alice.Clock.Freeze(noon.Add(time.Hour))
	alice.Player.OffAll()
	state := func() string {
		state, _ := h.instance(t, "alice").Snapshot()
		return fmt.Sprint(strings.Count(string(state), "t-"), len(state) > 80, alice.Journal.Counts().Entries, len(alice.Player.Active()), alice.Clock.Now().Equal(noon))
	}
	for _, step := range []struct {
		part sandbox.Part
		want string
	}{
		{sandbox.Dice, "2 true 1 0 false"},
		{sandbox.Clock, "2 true 1 0 true"},
		{sandbox.Scenarios, "2 true 1 1 true"},
		{sandbox.Journal, "2 true 0 1 true"},
		{sandbox.State, "2 false 0 1 true"},
	} {
		if err := alice.Reset(step.part); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != step.want {
			t.Errorf("after %s: got %s, want %s", step.part, got, step.want)
		}
	}
}

func TestCountInWindow(t *testing.T) {
	h := newTestRegistry(t, nil)
	instance := h.instance(t, sandbox.Default)
	for i, step := range []struct {
		wait time.Duration
		want int
	}{{0, 1}, {0, 2}, {999 * time.Millisecond, 3}, {time.Millisecond, 1}, {time.Hour, 1}} {
		h.wall = h.wall.Add(step.wait)
		if got := instance.CountInWindow("k", time.Second); got != step.want {
			t.Errorf("%d: got %d, want %d", i, got, step.want)
		}
	}
	for i := range 10_000 {
		instance.CountInWindow(fmt.Sprint(i), time.Second)
		h.wall = h.wall.Add(time.Millisecond)
	}
}

func TestTriggers(t *testing.T) {
	h := newTestRegistry(t, nil)
	instance := h.instance(t, sandbox.Default)
	if err := instance.Restore([]byte(`{"tokens":[],"parcels":{"p-1":"books"},"made":"2026-03-01T12:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	lost := h.api.Trigger("parcel.lost")
	if err := instance.Trigger(lost, contract.Values{"parcel": "p-1"}); err != nil {
		t.Error(err)
	}
	if err := instance.Trigger(lost, contract.Values{"parcel": "p-1"}); err == nil {
		t.Error("a parcel got lost twice")
	}
}

func TestCredentialsOfTheEnvironment(t *testing.T) {
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Credentials = map[string]contract.Values{"toy": {"token": "mine"}} })
	h.instance(t, sandbox.Default).WithState(func(s contract.State) {
		if got := s.Credentials().Text("token"); got != "t-1" && got != "mine" {
			t.Errorf("got %s", got)
		}
	})
}

func TestContradictoryFixtureStopsTheStart(t *testing.T) {
	api := toy.New()
	f, err := fixture.Parse("toy/default.yaml", []byte("fixture: default\napi: toy\ntokens: [a, a]"), []*contract.API{api})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sandbox.New(sandbox.Config{APIs: []*contract.API{api}, Fixtures: map[string]*fixture.Fixture{"toy": f}, Wall: time.Now, Max: 1})
	if err == nil || !strings.Contains(err.Error(), "fixture default of toy: token a stands twice") {
		t.Errorf("got %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Max = 1000 })
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			name := fmt.Sprint("s", i%8)
			h.register(t, name)
			h.byIdentifier("t-1")
			if err := h.get(t, name).Reset(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A scenario begins by the clock as it stands after a reset, so that its times
// count from there.
func TestResetBeginsByTheClock(t *testing.T) {
	s, err := scenario.Parse("s.yaml", []byte("scenario: s\napi: toy\nrules: [{operation: Page, until: 1m, outcome: broken}]"), []*contract.API{toy.New()})
	if err != nil {
		t.Fatal(err)
	}
	h := newTestRegistry(t, func(c *sandbox.Config) { c.Scenarios = []*scenario.Scenario{s} })
	alice := h.get(t, "alice")
	alice.Clock.Freeze(noon.Add(time.Hour))
	if err := alice.Reset(); err != nil {
		t.Fatal(err)
	}
	if since := alice.Player.Active()[0].Since; !since.Equal(noon) {
		t.Errorf("it began at %s, want %s", since, noon)
	}
}
