package sandbox

import (
	"sync/atomic"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// Progress is the counters from which a sandbox's dice follow, and the scenarios
// that are active, each with how far it has come.
type Progress struct {
	Calls     map[string]map[string]uint64 `json:"calls"`     // how many there were, by API and operation; "" for calls without one
	Scenarios []player.Progress            `json:"scenarios"` // the last activated first
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

// setCallCounts sets how many calls of each operation there were.
func (i *Instance) setCallCounts(calls map[string]uint64) {
	for called, n := range calls {
		counter := new(atomic.Uint64)
		counter.Store(n)
		i.calls.Store(i.API.Operation(called), counter)
	}
}
