package sandbox

import (
	"sync/atomic"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// Progress is all by which a sandbox's dice are thrown, and how far its active
// scenarios have come. Kept beside a snapshot and resumed with it, the same
// calls end the same again, and meet the same faults.
type Progress struct {
	Calls     map[string]map[string]uint64 `json:"calls"` // by API and operation: how many there were; "" for those that name none
	Scenarios []player.Progress            `json:"scenarios"`
}

// Check says what no sandbox can have come to. Nothing is wrong with nil.
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

// Progress tells how far the sandbox has come.
func (s *Sandbox) Progress() Progress {
	p := Progress{Calls: map[string]map[string]uint64{}, Scenarios: s.Player.Progress()}
	for _, r := range s.existing() {
		p.Calls[r.API.Name] = r.callCounts()
	}
	return p
}

// Resume puts the sandbox back to how far it had come. Which scenarios are
// active stays as it is; those that were not then begin anew. Where p tells
// what cannot be, nothing changes.
func (s *Sandbox) Resume(p Progress) error {
	if err := p.Check(); err != nil {
		return err
	}
	for _, r := range s.existing() {
		r.resetCounters()
		r.setCallCounts(p.Calls[r.API.Name])
	}
	s.Player.Resume(p.Scenarios)
	return nil
}

// callCounts tells how many calls of each operation there were.
func (r *Instance) callCounts() map[string]uint64 {
	all := map[string]uint64{}
	r.calls.Range(func(op, n any) bool {
		all[operationName(op.(*contract.Operation))] = n.(*atomic.Uint64).Load()
		return true
	})
	return all
}

// setCallCounts sets how many calls of each operation there were. What the API has no
// operation for is left out.
func (r *Instance) setCallCounts(calls map[string]uint64) {
	for called, n := range calls {
		op := r.API.Operation(called)
		if op == nil && called != "" {
			continue
		}
		counter := new(atomic.Uint64)
		counter.Store(n)
		r.calls.Store(op, counter)
	}
}
