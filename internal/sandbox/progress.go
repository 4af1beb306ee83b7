package sandbox

import (
	"sync/atomic"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// Progress is the counters from which a sandbox's dice follow, and the progress of
// its active scenarios. Restored together with a snapshot, it makes the same calls
// end the same, with the same faults.
type Progress struct {
	Calls     map[string]map[string]uint64 `json:"calls"` // how many there were, by API and operation; "" for calls without one
	Scenarios []player.Progress            `json:"scenarios"`
}

// Check returns what no sandbox's progress can be. nil is fine.
func (p *Progress) Check() error {
	if p == nil {
		return nil
	}
	for i := range p.Scenarios {
		if err := p.Scenarios[i].Check(); err != nil {
			return err
		}
	}
	return nil
}

// Progress returns how far the sandbox has come.
func (s *Sandbox) Progress() Progress {
	p := Progress{Calls: map[string]map[string]uint64{}, Scenarios: s.Player.Progress()}
	for _, i := range s.Existing() {
		p.Calls[i.API.Name] = i.callCounts()
	}
	return p
}

// Resume sets the sandbox back to p. It switches no scenario on or off; active ones
// that p does not have begin anew. Where p is impossible, nothing changes.
func (s *Sandbox) Resume(p Progress) error {
	if err := p.Check(); err != nil {
		return err
	}
	for _, i := range s.Existing() {
		i.resetCounters()
		i.setCallCounts(p.Calls[i.API.Name])
	}
	s.Player.Resume(p.Scenarios)
	return nil
}

// callCounts returns how many calls of each operation there were.
func (i *Instance) callCounts() map[string]uint64 {
	all := map[string]uint64{}
	i.calls.Range(func(op, n any) bool {
		all[operationName(op.(*contract.Operation))] = n.(*atomic.Uint64).Load()
		return true
	})
	return all
}

// setCallCounts sets how many calls of each operation there were. It ignores
// operations that the API does not have.
func (i *Instance) setCallCounts(calls map[string]uint64) {
	for called, n := range calls {
		op := i.API.Operation(called)
		if op == nil && called != "" {
			continue
		}
		counter := new(atomic.Uint64)
		counter.Store(n)
		i.calls.Store(op, counter)
	}
}
