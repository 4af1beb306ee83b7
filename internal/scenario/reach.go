package scenario

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// reportUnreachable reports rules that can never decide: an earlier one takes every call
// that they would, or nothing enters the state that they want. Rules that are
// not sound are left out: what they mean is not known.
func (r *reader) reportUnreachable(nodes []*yaml.Node, rules []Rule, sound []bool) {
	states := []string{Initial}
	for i := range rules {
		if then := rules[i].Then; then != "" && !slices.Contains(states, then) {
			states = append(states, then)
		}
	}
	for i := range rules {
		late := &rules[i]
		if !sound[i] {
			continue
		}
		if late.State != "" && !slices.Contains(states, late.State) {
			r.faults.Addf(nodes[i], "the rule can never be reached: no rule enters the state %s%s", document.Quote(late.State), document.Hint(late.State, states))
			continue
		}
		for k := range rules[:i] {
			if sound[k] && r.covers(&rules[k], late) {
				r.faults.Addf(nodes[i], "the rule can never be reached: rule %d in line %d has no end and takes every call that would fit; give that one times, or move this one before it", k+1, nodes[k].Line)
				break
			}
		}
	}
}

// covers reports whether a rule takes every call that a later one would.
func (r *reader) covers(early, late *Rule) bool {
	return early.endless() &&
		(early.Operation == Any || early.Operation == late.Operation) && late.Operation != "" &&
		(early.State == "" || early.State == late.State) &&
		implies(late.Where, early.Where) &&
		(r.alwaysTakesRefused(early) || !r.mayTakeRefused(late))
}

// implies reports whether all conditions of a weaker list are in a stronger.
func implies(stronger, weaker []Condition) bool {
	for i := range weaker {
		if !slices.ContainsFunc(stronger, func(c Condition) bool { return c.same(&weaker[i]) }) {
			return false
		}
	}
	return true
}

// alwaysTakesRefused reports whether a rule always also takes calls that a
// check refused.
func (r *reader) alwaysTakesRefused(rule *Rule) bool {
	ends := r.declaredByChecks(rule)
	return rule.OnlyWire() || len(ends) > 0 && !slices.Contains(ends, false)
}

// mayTakeRefused reports whether a rule sometimes takes them.
func (r *reader) mayTakeRefused(rule *Rule) bool {
	return rule.OnlyWire() || slices.Contains(r.declaredByChecks(rule), true)
}

// declaredByChecks says of each outcome of a rule whether a check declares it.
func (r *reader) declaredByChecks(rule *Rule) []bool {
	if r.api == nil {
		return nil
	}
	var op *contract.Operation
	if rule.Operation != Any {
		op = r.api.Operation(rule.Operation)
	}
	all := make([]bool, len(rule.Outcomes))
	for i, name := range rule.Outcomes {
		o := r.api.Outcome(op, name)
		all[i] = o != nil && r.api.DeclaredByCheck(o)
	}
	return all
}
