package player

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// An index holds the active rules about one operation of one API, in the order
// in which they are tried. It finds the candidates for a call by the values in
// the call: of a thousand rules, each about a value of its own, a call is held
// against one. An index is built anew whenever a scenario is switched on or off.
type index struct {
	op        *contract.Operation // nil: for calls that name none
	rules     []candidate
	columns   []column
	always    []int       // the rules that no column has, in order
	slots     []slot      // where in a call the rules' predicates look, each once
	described []ruleFacts // of the first rules, of which mismatches are described
	seen      int         // how many slots the described rules have
	worn      uint64      // bit n is set: the n-th of them is worn out, and in no list
}

// A slot is a place in a call.
type slot struct {
	param string
	at    scenario.Spot
}

// A candidate is a rule in an index.
type candidate struct {
	ruleFacts
	state *ruleState
	ends  []end // one for each of the rule's outcomes
}

// ruleFacts is what never changes of an active rule.
type ruleFacts struct {
	scenario     string // full name
	number       int    // counted from 1
	rule         *scenario.Rule
	options      *scenario.Options
	where        []predicate // all that must hold, the activation's after the rule's
	afterRefusal bool        // it may be played to a request that a check refused
}

// An end is an outcome that a rule calls for.
type end struct {
	outcome *contract.Outcome // nil: the emulator decides
	byCheck bool              // a check of the API declares it
	with    wire.Patch        // of the rule's fields those that this outcome returns
}

// A column finds rules by the value at one place.
type column struct {
	slot  int
	rules map[scenario.Key][]int // in order
}

// maxColumns is how many columns an index has. Rules about values at further
// places are tried at every call.
const maxColumns = 8

// newIndex makes the index of those rules that are about op.
func newIndex(api *contract.API, op *contract.Operation, rules ...*ruleState) *index {
	ix := &index{op: op}
	for _, r := range rules {
		if c, ok := newCandidate(api, op, r); ok {
			ix.add(c)
		}
	}
	return ix
}

// newCandidate makes a candidate of a rule; ok is false where the rule is about
// another operation.
func newCandidate(api *contract.API, op *contract.Operation, r *ruleState) (c candidate, ok bool) {
	a, rule := r.activation, r.rule
	if rule.Operation != scenario.Any && (op == nil || rule.Operation != op.Name) {
		return c, false
	}
	c.state = r
	c.ruleFacts = ruleFacts{scenario: a.name, number: r.number, rule: rule, options: &a.options, afterRefusal: rule.OnlyWire()}
	for _, name := range rule.Outcomes {
		e := end{}
		if name != scenario.Emulator {
			if e.outcome = api.Outcome(op, name); e.outcome == nil {
				return c, false // a scenario that was not read against these tables
			}
			e.byCheck = api.DeclaredByCheck(e.outcome)
			e.with = returned(rule.With, api.Returned(e.outcome), len(rule.Outcomes))
			c.afterRefusal = c.afterRefusal || e.byCheck
		}
		c.ends = append(c.ends, e)
	}
	for _, where := range [...][]scenario.Condition{rule.Where, a.options.Where} {
		for i := range where {
			c.where = append(c.where, predicate{Condition: &where[i]})
		}
	}
	return c, true
}

// returned are the fields that one of several outcomes returns; where there is
// only one, the file was held against it.
func returned(with wire.Patch, rows []contract.Param, outcomes int) wire.Patch {
	if outcomes == 1 {
		return with
	}
	var some wire.Patch
	for _, m := range with {
		if contract.FindParam(rows, m.Name) != nil {
			some = append(some, m)
		}
	}
	return some
}

// add adds a candidate after the others: to the column where fewest rules ask for
// the value that it asks for, or to those that are always tried.
func (ix *index) add(c candidate) {
	n := len(ix.rules)
	ix.rules = append(ix.rules, c)
	c.state.places = append(c.state.places, place{ix, n})
	var best *column
	var keys []scenario.Key
	for i := range c.where {
		p := &c.where[i]
		if p.slot = slices.IndexFunc(ix.slots, func(s slot) bool { return s.param == p.Param }); p.slot < 0 {
			p.slot = len(ix.slots)
			ix.slots = append(ix.slots, slot{p.Param, scenario.SpotOf(p.Param, ix.op)})
		}
		if col := ix.column(p); col != nil {
			if k := scenario.KeysOf(p.Value); best == nil || len(col.rules[k[0]]) < len(best.rules[keys[0]]) {
				best, keys = col, k
			}
		}
	}
	if n < maxDescribed {
		ix.described, ix.seen = append(ix.described, c.ruleFacts), len(ix.slots)
	}
	switch {
	case c.state.wornOut():
		ix.markWorn(n)
		return
	case best == nil:
		ix.always = append(ix.always, n)
	}
	for _, k := range keys {
		best.rules[k] = append(best.rules[k], n)
	}
}

// column returns the column by which a predicate can find its rule, or nil.
func (ix *index) column(p *predicate) *column {
	if p.Match != scenario.Equal {
		return nil
	}
	for i := range ix.columns {
		if ix.columns[i].slot == p.slot {
			return &ix.columns[i]
		}
	}
	if len(ix.columns) == maxColumns {
		return nil
	}
	ix.columns = append(ix.columns, column{slot: p.slot, rules: map[scenario.Key][]int{}})
	return &ix.columns[len(ix.columns)-1]
}

// A place is where a rule stands in an index.
type place struct {
	index *index
	rule  int
}

// wornOut reports whether the rule decides no call any more, however often it is asked,
// before it begins anew. One that wants a state is asked all the same: it is told that
// the scenario is in another one, where that is so.
func (s *ruleState) wornOut() bool {
	return s.rule.Times > 0 && s.fired >= s.rule.Times && s.rule.State == ""
}

// markWorn notes that a rule is worn out.
func (ix *index) markWorn(n int) {
	if n < maxDescribed {
		ix.worn |= 1 << n
	}
}

// remove takes a rule that is worn out from what is tried.
func (ix *index) remove(n int) {
	ix.markWorn(n)
	ix.always = without(ix.always, n)
	for i := range ix.rules[n].where {
		p := &ix.rules[n].where[i]
		if col := ix.column(p); col != nil {
			for _, k := range scenario.KeysOf(p.Value) {
				if list := col.rules[k]; list != nil {
					col.rules[k] = without(list, n)
				}
			}
		}
	}
}

// without removes n from a list in order, if it is there.
func without(list []int, n int) []int {
	if i, found := slices.BinarySearch(list, n); found {
		return slices.Delete(list, i, i+1)
	}
	return list
}
