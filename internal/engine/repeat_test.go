package engine_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// stormy throws dice wherever dice can be thrown.
const stormy = `
- {operation: DropParcel, chance: 0.1, outcomes: [busy, emulator, tooFast], repeat: all}
- {operation: DropParcel, where: {content: {matches: '^[a-m]'}}, chance: 0.3, phantom: true, outcome: success}
- {operation: DropParcel, state: initial, skip: 40, times: 10, outcome: busy, then: calm}
- {operation: DropParcel, state: calm, chance: 0.2, wire: {fault: reset, when: after}}
- {operation: Register, chance: 0.25, wire: {delay: {median: 1s, sigma: 1}, headers: {X-Slow: yes}}}
- {operation: Register, chance: 0.5, outcomes: [success, broken], repeat: all, message: "no"}
- {operation: Page, times: 100, wire: {delay: {min: 1s, max: 9s}}}
- {operation: "*", chance: 0.02, outcome: unknownToken}
`

// mixed sends 1,000 calls and writes down each answer to the byte, and what the
// network does to it.
func mixed(b *rig) string {
	var all strings.Builder
	for i := range 1000 {
		var a *engine.Exchange
		switch i % 4 {
		case 0, 1:
			a = b.serve("DropParcel", fmt.Sprintf(`{"content":"%c","weight":%d}`, 'a'+i%26, i%33), "")
		case 2:
			a = b.serve("Register", "", "")
		default:
			a = b.serve("Page", "", "")
		}
		fmt.Fprintln(&all, a.Response.Status, a.Response.Header, string(a.Response.Body), a.Delay, a.Wire.Undone(), a.Entry.DecidedBy.String())
		a.Close(0, journal.Sent)
	}
	return all.String()
}

// The same seed, clock and requests give the same bytes: in another registry,
// after a reset, and after a snapshot was restored.
func TestSameCallsMeetTheSameFaults(t *testing.T) {
	first := newRig(t, contract.Off)
	first.play(stormy)
	want := mixed(first)
	if !strings.Contains(want, "busy") || strings.Count(want, "\n") != 1000 {
		t.Fatalf("the storm did not happen:\n%s", want)
	}
	second := newRig(t, contract.Off)
	second.play(stormy)
	same(t, "in another registry", mixed(second), want)

	box := second.registry.Find(sandbox.Default)
	if err := box.Reset(); err != nil {
		t.Fatal(err)
	}
	second.play(stormy) // a reset switches off what was switched on since
	same(t, "after a reset", mixed(second), want)

	world, _, err := box.World(nil)
	if err != nil {
		t.Fatal(err)
	}
	third := mixed(second)
	if third == want {
		t.Error("the dice fall alike for later calls")
	}
	restore := func() {
		box.Player.OffAll()
		if _, err := box.Restore(world, unknownScenario); err != nil {
			t.Fatal(err)
		}
	}
	restore()
	same(t, "after a snapshot was restored", mixed(second), third)
	restore()
	if again, _, err := box.World(nil); err != nil || !reflect.DeepEqual(again, world) {
		t.Errorf("restored:\n%+v, %v\nwas:\n%+v", again, err, world)
	}
}

// unknownScenario is a library without scenarios.
func unknownScenario(full string) (*scenario.Scenario, error) {
	return nil, errors.New("there is no scenario " + full)
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	as, bs := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			t.Errorf("%s, line %d:\ngot  %s\nwant %s", what, i+1, as[i], bs[i])
			return
		}
	}
	if len(as) != len(bs) {
		t.Errorf("%s: got %d lines, want %d", what, len(as), len(bs))
	}
}

// A rule fires exactly as often as it says under 64 clients, while scenarios
// are read anew and sandboxes reset in between: in each life of its scenario
// neither less nor more.
func TestTimesIsExactInBetween(t *testing.T) {
	const times, clients, lives = 50, 64, 20
	b := newRig(t, contract.Off)
	library := library.New([]*contract.API{b.api})
	text := func(name, description string) []byte {
		return []byte("scenario: " + name + "\napi: toy\ndescription: " + description + "\nrules:\n  - {operation: Page, times: 50, outcome: broken}\n")
	}
	put := func(name, description string) {
		if _, err := library.Put("", text(name, description)); err != nil {
			t.Error(err)
		}
		b.registry.UpdateScenarios(library.InForce)
	}
	put("counted", "x")
	put("other", "x")
	box := b.registry.Find(sandbox.Default)
	for life := range lives {
		if err := box.Reset(); err != nil {
			t.Fatal(err)
		}
		box.Player.On(library.InForce("toy/counted"), scenario.Options{})
		var fired atomic.Int64
		var all sync.WaitGroup
		for client := range clients {
			all.Go(func() {
				for range 10 {
					if a := b.serve("Page", "", ""); a.Entry.DecidedBy.Scenario == "toy/counted" {
						fired.Add(1)
					}
				}
				if client%16 == 0 {
					put("counted", "x") // says what it said: its counters live on
					put("other", fmt.Sprint(life, client))
				}
			})
		}
		all.Wait()
		if got := fired.Load(); got != times {
			t.Fatalf("life %d: got %d, want %d", life, got, times)
		}
		if left := box.Player.Active()[0].Rules[0].Left; *left != 0 {
			t.Fatalf("life %d: %d left", life, *left)
		}
	}

	// Resets among the calls: a life ends early, and never fires more.
	box.Player.On(library.InForce("toy/counted"), scenario.Options{})
	var fired, resets atomic.Int64
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for i := range 30 {
				if a := b.serve("Page", "", ""); a.Entry.DecidedBy.Scenario == "toy/counted" {
					fired.Add(1)
				}
				if client == 0 && i%5 == 4 {
					box.Player.Rewind()
					resets.Add(1)
				}
			}
		})
	}
	all.Wait()
	lastLeft := int64(*box.Player.Active()[0].Rules[0].Left)
	if got := fired.Load(); got > (resets.Load()+1)*times-lastLeft || got < times-lastLeft {
		t.Errorf("fired %d in %d lives, %d left in the last", got, resets.Load()+1, lastLeft)
	}
}
