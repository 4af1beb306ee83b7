package player

import (
	"fmt"
	"strconv"
	"time"
)

// A Mismatch is a rule that was tried before one fitted, and why it did not fit.
type Mismatch struct {
	Scenario string // full name
	Rule     int    // counted from 1
	Why      string
}

// Mismatches are the rules that were tried before one fitted a call. List puts
// them into words; until somebody asks, they are those of the call's values that the
// rules are about, and a few numbers.
type Mismatches struct {
	rules   []ruleFacts // the first of them
	count   int
	values  []found // by slot
	refused bool
	worn    uint64 // bit n is set: the n-th rule was worn out
	notes   []note
	next    *Mismatches // those of the index that was tried after this one
}

// maxDescribed is how many mismatches of one call are described.
const maxDescribed = 64

// A note keeps what cannot be found out later of a mismatch.
type note struct {
	rule   uint8 // its number in the index
	reason reason
	n      int64 // a count, or a duration since the activation
}

// reason is why a rule does not fit that fits by the call's values.
type reason uint8

const (
	afterCheck reason = iota
	inOtherState
	usedUp
	tooEarly
	tooLate
	noLuck
	skipped
	activationOver
	activationTimes
	activationSkip
)

// note notes why a candidate does not fit, and reports false for it.
func (m *match) note(i int, why reason, n int64) bool {
	if i < maxDescribed {
		m.notes[m.nNotes] = note{uint8(i), why, n}
		m.nNotes++
	}
	return false
}

// mismatches keeps what is needed to describe the rules before the one that
// decides; nil where there are none.
func (m *match) mismatches(decided int) *Mismatches {
	if decided == 0 {
		return nil
	}
	list := &Mismatches{rules: m.described[:min(decided, maxDescribed)], count: decided, refused: m.refused, worn: m.worn, values: make([]found, m.seen)}
	for i := range list.values {
		list.values[i] = m.find(i)
	}
	list.notes = append(list.notes, m.notes[:m.nNotes]...)
	return list
}

// followedBy appends the mismatches of the index that was tried next.
func (m *Mismatches) followedBy(next *Mismatches) *Mismatches {
	if m == nil {
		return next
	}
	m.next = next
	return m
}

// List describes the mismatches in the order in which the rules were tried, and
// counts those that are not described. Several may ask at once.
func (m *Mismatches) List() (list []Mismatch, more int) {
	for ; m != nil; m = m.next {
		described := min(m.count, maxDescribed-len(list))
		more += m.count - described
		for i := range described {
			r := &m.rules[i]
			list = append(list, Mismatch{r.scenario, r.number, m.describe(i, r)})
		}
	}
	return list, more
}

// describe says why the i-th rule does not fit.
func (m *Mismatches) describe(i int, r *ruleFacts) string {
	if m.refused && !r.afterRefusal {
		if len(r.rule.Outcomes) == 0 {
			return "a check refused the request, and the rule is about calls that pass the checks"
		}
		return "a check refused the request, and " + r.rule.Outcomes[0] + " is not an outcome of a check"
	}
	for i := range r.where {
		p := &r.where[i]
		if v := &m.values[p.slot]; !p.Holds(v.x, v.given) {
			return p.mismatch(v.x, v.given)
		}
	}
	if m.worn>>i&1 == 1 {
		return (&note{reason: usedUp}).describe(r)
	}
	for _, n := range m.notes {
		if int(n.rule) == i {
			return n.describe(r)
		}
	}
	return ""
}

// describe returns a note as text.
func (n *note) describe(r *ruleFacts) string {
	rule, options, since := r.rule, r.options, time.Duration(n.n)
	switch n.reason {
	case afterCheck:
		return "a check refused the request, and the next outcome of the sequence is not one of a check's"
	case inOtherState:
		return "state: the scenario was not in " + rule.State
	case usedUp:
		return "times: fired " + of(int64(rule.Times), rule.Times)
	case tooEarly:
		return fmt.Sprintf("from: %s since the activation, and the rule begins at %s", since, rule.From)
	case tooLate:
		return fmt.Sprintf("until: %s since the activation, and the rule ends at %s", since, rule.Until)
	case noLuck:
		return fmt.Sprintf("chance: the dice were against it, for the %d. call that reached it", n.n)
	case skipped:
		return "skip: " + of(n.n, rule.Skip) + " let through"
	case activationTimes:
		return "times of the activation: fired " + of(n.n, options.Times)
	case activationSkip:
		return "skip of the activation: " + of(n.n, options.Skip) + " let through"
	default: // activationOver
		return fmt.Sprintf("for: %s since the activation, which was for %s", since, options.For)
	}
}

func of(n int64, all int) string { return strconv.FormatInt(n, 10) + " of " + strconv.Itoa(all) }
