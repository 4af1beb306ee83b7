package player

import "github.com/understudy-suite/understudy/internal/scenario"

// A predicate is a condition and where in a call it looks.
type predicate struct {
	*scenario.Condition
	at   scenario.Spot
	slot int // the number of its Param in the index
}

// mismatch says why the predicate does not hold.
func (p *predicate) mismatch(x any, given bool) string {
	return "where " + p.Param + ": got " + scenario.Describe(x, given) + ", want " + p.Want()
}
