package player

import (
	"time"

	"github.com/understudy-suite/understudy/internal/scenario"
)

// A match is one call that is held against the rules of an index.
type match struct {
	*index
	values  scenario.Values
	now     time.Time
	refused bool        // a check refused the call
	skipped *activation // the one whose own Skip let this call pass

	found  [8]found // by slot
	notes  [maxDescribed]note
	nNotes int
}

// found is the value at a place, once it was looked up.
type found struct {
	x             any
	given, looked bool
}

// first finds the first rule that fits the call and returns its number, or the
// number of rules where none does. The rules that let the call pass count it.
func (m *match) first() int {
	lists := append(make([][]int, 0, maxColumns+1), m.always)
	for i := range m.columns {
		col := &m.columns[i]
		if v := m.find(col.slot); v.given {
			if k, ok := scenario.KeyOf(v.x); ok && len(col.rules[k]) > 0 {
				lists = append(lists, col.rules[k])
			}
		}
	}
	if len(lists) == 1 {
		for _, i := range m.always {
			if m.fits(i) {
				return i
			}
		}
		return len(m.rules)
	}
	for { // the lowest number of all lists comes next
		i, from := len(m.rules), 0
		for l, list := range lists {
			if len(list) > 0 && list[0] < i {
				i, from = list[0], l
			}
		}
		if i == len(m.rules) || m.fits(i) {
			return i
		}
		lists[from] = lists[from][1:]
	}
}

// find finds the value at a slot. It looks for it once a call, however many rules are
// about it.
func (m *match) find(slot int) (v found) {
	if slot >= len(m.found) {
		v.x, v.given = m.values.Find(&m.slots[slot].at)
		return v
	}
	if v := &m.found[slot]; !v.looked {
		v.x, v.given = m.values.Find(&m.slots[slot].at)
		v.looked = true
	}
	return m.found[slot]
}

// fits reports whether a candidate decides the call.
func (m *match) fits(i int) bool {
	c := &m.rules[i]
	rule, s, a := c.rule, c.state, c.state.activation
	switch {
	case m.refused && !c.afterRefusal:
		return false
	case rule.State != "" && rule.State != a.state:
		return m.note(i, inOtherState, 0)
	case rule.Times > 0 && s.fired >= rule.Times:
		return m.note(i, usedUp, 0)
	}
	for j := range c.where {
		p := &c.where[j]
		if v := m.find(p.slot); !p.Holds(v.x, v.given) {
			return false
		}
	}
	if e := c.next(); m.refused && e != nil && !e.byCheck {
		return m.note(i, afterCheck, 0)
	}
	switch since := m.now.Sub(a.began); {
	case rule.From > 0 && since < rule.From:
		return m.note(i, tooEarly, int64(since))
	case rule.Until > 0 && since >= rule.Until:
		return m.note(i, tooLate, int64(since))
	case c.options.For > 0 && since >= c.options.For:
		return m.note(i, activationOver, int64(since))
	case c.options.Times > 0 && a.fired >= c.options.Times:
		return m.note(i, activationTimes, int64(a.fired))
	case rule.Chance > 0 && !s.lucky():
		return m.note(i, noLuck, int64(min(s.reached, 1<<53)))
	case m.skipped == a || a.skipped < c.options.Skip:
		if m.skipped != a { // an activation counts a call once, whatever number of its rules fit
			m.skipped = a
			a.skipped++
		}
		return m.note(i, activationSkip, int64(a.skipped))
	case s.skipped < rule.Skip:
		s.skipped++
		return m.note(i, skipped, int64(s.skipped))
	}
	return true
}

// lucky throws the rule's dice.
func (s *ruleState) lucky() bool {
	s.reached++
	return throw(s.seed, s.reached) < s.rule.Chance
}
