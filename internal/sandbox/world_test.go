package sandbox_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// worldOf returns how the sandbox default stands.
func (h *testRegistry) worldOf(t *testing.T) *sandbox.World {
	t.Helper()
	w, _, err := h.Find(sandbox.Default).World(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// reread returns a World after it was written and read.
func reread(t *testing.T, w *sandbox.World) *sandbox.World {
	t.Helper()
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	again := new(sandbox.World)
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	if err := dec.Decode(again); err != nil {
		t.Fatal(err)
	}
	return again
}

func noScenario(full string) (*scenario.Scenario, error) {
	return nil, errors.New("there is no scenario " + full)
}

const own = `
scenario: own
api: toy
rules:
  - {operation: Page, state: initial, chance: 0.5, outcome: broken, then: late}
  - {operation: Page, state: late, times: 3, outcome: broken}
`

// A World has the clock, the switches, and the scenarios with what narrows them, also
// those that no library has.
func TestWorldIsPutBack(t *testing.T) {
	h := newTestRegistry(t, nil)
	box := h.Find(sandbox.Default)
	s, err := scenario.Parse("own.yaml", []byte(own), h.Config().APIs)
	if err != nil {
		t.Fatal(err)
	}
	by, err := scenario.ParseOptions(s, []byte(`{"times":9,"for":"30m","where":{"header.X-A":"b"}}`), h.Config().APIs)
	if err != nil {
		t.Fatal(err)
	}
	h.register(t, sandbox.Default)
	box.Player.On(s, by)
	if err := box.Clock.Advance(90 * time.Second); err != nil {
		t.Fatal(err)
	}
	box.Clock.SetSignatures(clock.Sandbox)
	saved := reread(t, h.worldOf(t))
	if err := box.Reset(); err != nil {
		t.Fatal(err)
	}
	h.register(t, sandbox.Default)
	if _, err := box.Restore(saved, noScenario); err != nil {
		t.Fatal(err)
	}
	if again := reread(t, h.worldOf(t)); !reflect.DeepEqual(again, saved) {
		t.Errorf("got\n%+v\nwant\n%+v", again, saved)
	}
	if now := box.Clock.Now(); !now.Equal(noon.Add(90 * time.Second)) {
		t.Errorf("it is %s", now)
	}
	// A clock that goes on goes on from what it showed.
	box.Clock.Follow()
	followed := h.worldOf(t)
	h.wall = h.wall.Add(time.Hour)
	if _, err := box.Restore(followed, noScenario); err != nil {
		t.Fatal(err)
	}
	if now := box.Clock.Now(); !now.Equal(noon) {
		t.Errorf("it is %s, want %s", now, noon)
	}
}

// A scenario of the library goes on to be the library's where it says the same.
func TestRestoredScenarioIsTheLibrarys(t *testing.T) {
	h := newTestRegistry(t, nil)
	box := h.Find(sandbox.Default)
	read := func(text string) *scenario.Scenario {
		s, err := scenario.Parse("own.yaml", []byte(text), h.Config().APIs)
		if err != nil {
			t.Fatal(err)
		}
		s.FromLibrary = true
		return s
	}
	box.Player.On(read(own), scenario.Options{})
	saved := h.worldOf(t)
	for text, want := range map[string]bool{own: true, own + "# newer": false} {
		library := read(text)
		if _, err := box.Restore(saved, func(string) (*scenario.Scenario, error) { return library, nil }); err != nil {
			t.Fatal(err)
		}
		newer := read(own + "# newest")
		if changed := box.Player.Update(func(string) *scenario.Scenario { return newer }); (changed != nil) != want {
			t.Errorf("%q: updated %v, want %t", text, changed, want)
		}
	}
}

// A damaged World changes nothing, whichever part of it is damaged.
func TestDamagedWorldChangesNothing(t *testing.T) {
	h := newTestRegistry(t, nil)
	h.register(t, sandbox.Default)
	box := h.Find(sandbox.Default)
	before := h.worldOf(t)
	of := func(p player.Progress) *sandbox.Progress {
		return &sandbox.Progress{Scenarios: []player.Progress{p}}
	}
	rules := make([]player.RuleProgress, 2)
	for name, tt := range map[string]struct {
		change func(*sandbox.World)
		want   string
	}{
		"no state":               {func(w *sandbox.World) { w.State["toy"] = json.RawMessage("5") }, "state of toy"},
		"another API's":          {func(w *sandbox.World) { w.State["tyo"] = w.State["toy"] }, `state: there is no API "tyo" here; served are toy`},
		"another API's switches": {func(w *sandbox.World) { w.Fixtures["tyo"] = sandbox.Settled{} }, `fixtures: there is no API "tyo"`},
		"another API's calls": {func(w *sandbox.World) {
			w.Progress = &sandbox.Progress{Calls: map[string]map[string]uint64{"tyo": {}}}
		}, `progress.calls: there is no API "tyo"`},
		"an operation": {func(w *sandbox.World) {
			w.Progress = &sandbox.Progress{Calls: map[string]map[string]uint64{"toy": {"Pages": 1}}}
		}, `toy has no operation "Pages"; did you mean "Page"?`},
		"the clock": {func(w *sandbox.World) { w.Clock = &clock.Reading{Mode: clock.Freeze, Signatures: clock.Wall} }, "clock: it shows no instant"},
		"a switch": {func(w *sandbox.World) {
			w.Fixtures["toy"] = sandbox.Settled{Switches: contract.Values{"strange": true}}
		}, `toy has no switch "strange"`},
		"an unknown scenario": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/own", State: "initial"})
		}, "there is no scenario toy/own"},
		"no state of a scenario": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/own", Text: own, Rules: rules})
		}, `scenario "toy/own": it is in no state`},
		"less than nothing": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/own", Text: own, State: "initial", Rules: rules, Skipped: -1})
		}, "less than nothing"},
		"rules": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/own", Text: own, State: "initial", Rules: rules[:1]})
		}, "it has 2 rules, and the progress of 1 is given"},
		"another name": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/mine", Text: own, State: "initial", Rules: rules})
		}, "its text says that it is toy/own"},
		"a text": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/own", Text: own + "strange: 1", State: "initial", Rules: rules})
		}, "strange"},
		"a redacted text": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/own", Text: own + "# " + contract.Redacted, State: "initial", Rules: rules})
		}, "a secret was left out of its text"},
		"what narrows": {func(w *sandbox.World) {
			w.Progress = of(player.Progress{Scenario: "toy/own", Text: own, State: "initial", Rules: rules, Narrowed: json.RawMessage(`{"tims":1}`)})
		}, `did you mean "times"?`},
		"twice": {func(w *sandbox.World) {
			p := player.Progress{Scenario: "toy/own", Text: own, State: "initial", Rules: rules}
			w.Progress = &sandbox.Progress{Scenarios: []player.Progress{p, p}}
		}, "is on twice"},
		"too many": {func(w *sandbox.World) {
			w.Progress = &sandbox.Progress{Scenarios: make([]player.Progress, player.MostActive+1)}
		}, "101 scenarios are on; at most 100 were expected"},
	} {
		w := reread(t, before)
		w.State["toy"] = json.RawMessage(`{"tokens":["t-9"]}`)
		tt.change(w)
		if _, err := box.Restore(w, noScenario); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
		if after := h.worldOf(t); !reflect.DeepEqual(after, before) {
			t.Fatalf("%s: got\n%+v\nwant\n%+v", name, after, before)
		}
	}
}

// No call is half in a World: as many are counted as left a token, whenever it is
// taken or put back.
func TestWorldHasNoHalfCalls(t *testing.T) {
	h := newTestRegistry(t, nil)
	box := h.Find(sandbox.Default)
	const clients, calls = 4, 200
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for range calls {
				h.register(t, sandbox.Default)
			}
		})
	}
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	for taken := 0; ; taken++ {
		w := h.worldOf(t)
		if n, counted := len(tokensIn(t, w)), int(w.Progress.Calls["toy"]["Register"]); n != counted+2 {
			t.Fatalf("%d tokens stand beside %d calls and the two of the fixture", n, counted)
		}
		if taken%10 == 9 {
			if _, err := box.Restore(w, noScenario); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func tokensIn(t *testing.T, w *sandbox.World) []string {
	t.Helper()
	var state struct{ Tokens []string }
	if err := json.Unmarshal(w.State["toy"], &state); err != nil {
		t.Fatal(err)
	}
	return state.Tokens
}

// parcelsIn returns what the parcels of the sandbox default hold, sorted.
func parcelsIn(t *testing.T, w *sandbox.World) []string {
	t.Helper()
	var state struct{ Parcels map[string]string }
	if err := json.Unmarshal(w.State["toy"], &state); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Values(state.Parcels))
}

// What a sandbox is given happens after what its fixture gives, whenever its states
// are made; it counts no call and notifies nobody.
func TestGivens(t *testing.T) {
	notified := 0
	h := newTestRegistry(t, func(c *sandbox.Config) {
		f, err := fixture.Parse("toy/default.yaml", []byte(tokens+"notify: http://127.0.0.1:1/\ngiven: [{parcel: {content: first}}]\n"), c.APIs)
		if err != nil {
			t.Fatal(err)
		}
		c.Fixtures["toy"], c.Notify = f, func(b []contract.Callback) { notified += len(b) }
	})
	if got := parcelsIn(t, h.worldOf(t)); !slices.Equal(got, []string{"first"}) {
		t.Errorf("got %v", got)
	}
	givens, err := fixture.ReadGivens(h.api, []byte("[{parcel: {content: second}}, {parcel: {content: third, age: 1h}}]"))
	if err != nil {
		t.Fatal(err)
	}
	origin := h.Origin()
	origin.Givens = map[string][]fixture.Given{"toy": givens}
	box, _, err := h.Make("given", origin)
	if err != nil {
		t.Fatal(err)
	}
	worldOf := func() *sandbox.World {
		t.Helper()
		w, _, err := box.World(nil)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for range 2 {
		w := worldOf()
		if got := parcelsIn(t, w); !slices.Equal(got, []string{"first", "second", "third"}) {
			t.Errorf("got %v", got)
		}
		if n := len(w.Progress.Calls["toy"]); n != 0 || notified != 0 {
			t.Errorf("%d operations were counted, and %d callbacks sent", n, notified)
		}
		if err := box.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	before := worldOf()
	h.api.Lifecycle.Given[0].Do = func(*contract.Call) error { return errors.New("the locker is full") }
	if err := box.Reset(sandbox.State); err == nil || !strings.Contains(err.Error(), "fixture default of toy: given 1, parcel: the locker is full") {
		t.Errorf("got %v", err)
	}
	if after := worldOf(); !reflect.DeepEqual(after, before) {
		t.Errorf("it was refused and changed the world to %+v", after)
	}
}

// Ages count from where the sandbox begins, by its clock: not from its first call, and
// after a reset from there.
func TestGivenAgesCountFromTheBeginning(t *testing.T) {
	var at []time.Time
	h := newTestRegistry(t, func(c *sandbox.Config) {
		c.Clock = clock.Setting{}
		c.APIs[0].Lifecycle.Given[0].Do = func(c *contract.Call) error { at = append(at, c.Now); return nil }
		f, err := fixture.Parse("toy/default.yaml", []byte(tokens+"given: [{parcel: {content: a}}]\n"), c.APIs)
		if err != nil {
			t.Fatal(err)
		}
		c.Fixtures["toy"] = f
	})
	box := h.get(t, "late")
	h.wall = h.wall.Add(time.Minute)
	h.instance(t, "late")
	h.wall = h.wall.Add(time.Minute)
	if err := box.Reset(); err != nil {
		t.Fatal(err)
	}
	if want := []time.Time{noon, noon, noon.Add(2 * time.Minute)}; !slices.EqualFunc(at, want, time.Time.Equal) {
		t.Errorf("got %v, want %v", at, want)
	}
}
