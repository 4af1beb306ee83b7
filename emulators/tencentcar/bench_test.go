package tencentcar

import (
	"math/rand"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A bareRuntime does for a call what its API's code cannot do without.
type bareRuntime struct {
	contract.Runtime

	call *contract.Call
	st   *state
	dice *contract.Dice
}

func (r *bareRuntime) WithState(f func()) {
	r.call.State = r.st
	f()
	r.call.State = nil
}

func (r *bareRuntime) Dice() *contract.Dice { return r.dice }

// bareCreate makes a function that serves a signed CreateSession by the API's own code
// alone, from its checks to its answer.
func bareCreate(tb testing.TB) (serve func() contract.Response) {
	tb.Helper()
	w := newWorld(tb, conformance.Setting{Set: map[string]string{"rate_limits": "false"}})
	instance := w.Instance(tb)
	r := w.signed("CreateSession", contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="})
	run := &bareRuntime{dice: contract.NewDice(rand.NewSource(1).(rand.Source64))}
	w.withState(func(st *state) { run.st = st })
	now, switches := w.Sandbox.Clock.Now(), instance.Switches()
	return func() contract.Response {
		c := &contract.Call{Runtime: run, API: API, Request: r, Now: now, Auth: contract.Verify, Switches: switches}
		run.call = c
		c.Operation, c.Miss = API.Pick(r)
		for i := range API.Checks {
			if v := API.Checks[i].Do(c); !v.Pending() {
				tb.Fatal(v.Outcome.Name)
			}
		}
		c.State = run.st
		v := c.Operation.Decide(c)
		if v.Outcome != created {
			tb.Fatal(v.Outcome.Name)
		}
		reply := contract.Reply{Body: wire.Encode(v.Outcome.Do(c))}
		v.Outcome.Sent(c)
		return API.Write(c, v, reply)
	}
}

// BenchmarkBareCreateSession is the API's own part of BenchmarkCreateSession.
func BenchmarkBareCreateSession(b *testing.B) {
	serve := bareCreate(b)
	b.ReportAllocs()
	for b.Loop() {
		serve()
	}
}
