package player

import "github.com/understudy-suite/understudy/internal/scenario"

// A predicate is a condition in an index.
type predicate struct {
	*scenario.Condition
	slot int // where in a call it looks, by the number in the index
}

// mismatch says why the predicate does not hold.
func (p *predicate) mismatch(x any, given bool) string {
	return "where " + p.Param + ": got " + scenario.Describe(x, given) + ", want " + p.Want()
}
