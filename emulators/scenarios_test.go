package emulators_test

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/scenarios"
)

func newClient(t *testing.T, api *contract.API, op *contract.Operation) *client {
	t.Helper()
	return &client{t, conformance.New(t, api, conformance.Setting{}), op, op.Outcomes[0]}
}

// mostCalls is the number of calls that the tests below make, at most.
const mostCalls = 100

// repeatable returns the API's first operation whose documented example succeeds
// as often as the tests call it. The scenarios for all APIs are played with it.
func repeatable(t *testing.T, api *contract.API) *contract.Operation {
	t.Helper()
	var ends []string
	for _, op := range api.Operations {
		c := newClient(t, api, op)
		for n := 1; ; n++ {
			if outcome := c.call().Outcome; outcome != c.success.Name {
				ends = append(ends, fmt.Sprintf("call %d of %s ended in %s", n, op.Name, outcome))
				break
			}
			if n == mostCalls {
				return op
			}
		}
	}
	t.Fatalf("no operation of %s succeeds %d times in a row when it is called with the examples of its rows: %s. Give one what it needs, by the Example of its Params or by fixtures/%s/default.yaml",
		api.Name, mostCalls, strings.Join(ends, "; "), api.Name)
	return nil
}

// everywhere has what the scenarios for all APIs do to a client of any.
var everywhere = map[string]func(t *testing.T, c *client){
	"brown-out": func(t *testing.T, c *client) {
		conformance.BrownOut(t, c.call)
	},
	"network-flapping": func(t *testing.T, c *client) {
		for second := range 65 {
			e := c.call()
			away := second >= 10 && second < 20 || second >= 30 && second < 40 || second >= 50 && second < 60
			if broken := e.Wire != nil && e.Wire.Fault == "reset" && e.Wire.Undone; broken != away {
				t.Errorf("after %d s: got %s, %+v; away: %v", second, e.Outcome, e.Wire, away)
			}
			if err := c.w.Sandbox.Clock.Advance(time.Second); err != nil {
				t.Fatal(err)
			}
		}
	},
	"slow-network": func(t *testing.T, c *client) {
		delays := map[int64]bool{}
		for range 50 {
			e := c.call()
			if e.Wire == nil || e.Wire.Bandwidth != 2000 || e.Wire.DelayMS < 200 || e.Wire.DelayMS > 600 || e.Wire.Undone || e.Status != c.success.Status {
				t.Fatalf("got %d, %+v", e.Status, e.Wire)
			}
			delays[e.Wire.DelayMS/100] = true
		}
		if len(delays) < 4 {
			t.Errorf("got delays of %d kinds", len(delays))
		}
	},
}

// A client makes one call over and over.
type client struct {
	t       *testing.T
	w       *conformance.World
	op      *contract.Operation
	success *contract.Outcome // the operation's plain one
}

func (c *client) call() *journal.Entry {
	c.t.Helper()
	e := c.w.Glance(c.t, c.w.Request(c.t, c.op, contract.Sample(c.op.Params)))
	return &e
}

// untouched holds that the client sees nothing of any scenario.
func (c *client) untouched(when string) {
	c.t.Helper()
	if e := c.call(); e.Status != c.success.Status || e.Wire != nil || e.DecidedBy.Kind != journal.Emulator {
		c.t.Errorf("%s: got %d, %s, %+v", when, e.Status, e.Outcome, e.Wire)
	}
}

// Each scenario for all APIs does to the clients of each what its description
// says.
func TestScenariosForAllAPIs(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(scenarios.Files, "all/*.yaml")
	if err != nil || len(files) != len(everywhere) {
		t.Fatalf("%d files ship, and %d are played: %v", len(files), len(everywhere), err)
	}
	operations := map[*contract.API]*contract.Operation{}
	for _, api := range emulators.All {
		operations[api] = repeatable(t, api)
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		for _, api := range emulators.All {
			t.Run(name+"/"+api.Name, func(t *testing.T) {
				t.Parallel()
				play := everywhere[name]
				if play == nil {
					t.Fatalf("%s is played by nothing", file)
				}
				c := newClient(t, api, operations[api])
				c.untouched("before")
				c.w.Activate(t, "all/"+name)
				play(t, c)
				c.w.Sandbox.Player.OffAll()
				c.untouched("after")
			})
		}
	}
}
