package scenario

import (
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A page holds the rules for one operation of one API, in the order in which
// they are asked. Which rules a call is held against is found by what it says
// and not by asking one rule after the other, so that a hundred scenarios cost
// a call little more than one.
type page struct {
	rules   []candidate
	columns []column // by which rules are found
	places  []place  // at which further conditions look, each once
	slots   map[string]int
	door    set // rules that may be played to a call that the Door refused

	// live are the rules that may still fire: one whose times are used up leaves
	// it. awake are those whose state the scenario is in. refuted is, by place,
	// what is known of values; a page for a single call keeps none. All else of a
	// page never changes. The player's lock guards these.
	live, awake set
	refuted     []refuted
}

// A candidate is a rule for one operation.
type candidate struct {
	*played
	where []check // all conditions, the activation's after the rule's
	rest  []check // those that no column has looked at
	ends  []end   // one for each of the rule's outcomes
}

// A check is a condition and where it looks.
type check struct {
	*Condition
	at   place
	slot int // in the page's places
}

// An end is an outcome that a rule calls for.
type end struct {
	outcome *contract.Outcome // nil: the emulator decides
	atDoor  bool
	with    wire.Patch // of the rule's fields, those that this outcome returns
}

// A column finds rules by the value of one place.
type column struct {
	at    place
	name  string
	free  set           // rules that ask for no value there
	rules map[key][]int // those that ask for one, in order: no larger than what files say
}

// mostColumns is how many places rules of one page are found by. Conditions on
// further ones are looked at one by one.
const mostColumns = 8

// A set is a set of rules by their number.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func full(n int) set {
	s := newSet(n)
	for i := range n {
		s.add(i)
	}
	return s
}

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) take(i int)     { s[i/64] &^= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// add takes in a rule of an activation, where it is about op; nil stands for
// a call that names no operation.
func (p *page) add(api *contract.API, op *contract.Operation, r *played) {
	if r.rule.Operation != Any && (op == nil || r.rule.Operation != op.Name) {
		return
	}
	c := candidate{played: r}
	for _, name := range r.rule.Outcomes {
		e := end{}
		if name != Emulator {
			if e.outcome = api.Outcome(op, name); e.outcome == nil {
				return // a scenario that was not read against these tables
			}
			e.atDoor, e.with = api.DeclaredByCheck(e.outcome), returned(r.rule.With, rowsOf(api, e.outcome), len(r.rule.Outcomes))
		}
		c.ends = append(c.ends, e)
	}
	for _, where := range [...][]Condition{r.rule.Where, r.activation.narrow.Where} {
		for i := range where {
			c.where = append(c.where, check{&where[i], placeOf(where[i].Param, op), 0})
		}
	}
	p.rules = append(p.rules, c)
}

// rowsOf are the rows of what an outcome returns.
func rowsOf(api *contract.API, o *contract.Outcome) []contract.Param {
	if o.Fails {
		return api.Failure
	}
	return o.Returns
}

// returned are the fields that one of several outcomes returns; where there is
// only one, the file was held against it.
func returned(with wire.Patch, rows []contract.Param, outcomes int) wire.Patch {
	if outcomes == 1 {
		return with
	}
	var some wire.Patch
	for _, m := range with {
		if row(rows, m.Name) != nil {
			some = append(some, m)
		}
	}
	return some
}

// close makes the index, once all rules are there.
func (p *page) close() {
	n := len(p.rules)
	p.live, p.awake, p.door = full(n), newSet(n), newSet(n)
	for i := range p.rules {
		c := &p.rules[i]
		p.wake(i)
		if c.rule.State != "" {
			c.activation.sleepers = append(c.activation.sleepers, sleeper{p, i})
		}
		if c.mayMeetRefusal() {
			p.door.add(i)
		}
		used := map[string]bool{}
		for _, ch := range c.where {
			col := p.column(ch)
			if col == nil || used[ch.Param] {
				ch.slot = p.slot(ch)
				c.rest = append(c.rest, ch)
				continue
			}
			used[ch.Param] = true
			col.free.take(i)
			for _, k := range keysOf(ch.Value) {
				col.rules[k] = append(col.rules[k], i)
			}
		}
	}
}

// wake has a rule be asked, where the scenario is in its state.
func (p *page) wake(i int) {
	if r := p.rules[i]; r.rule.State == "" || r.rule.State == r.activation.state {
		p.awake.add(i)
	} else {
		p.awake.take(i)
	}
}

// slot is the number of a condition's place.
func (p *page) slot(c check) int {
	if slot, known := p.slots[c.Param]; known {
		return slot
	}
	if p.slots == nil {
		p.slots = map[string]int{}
	}
	p.slots[c.Param] = len(p.places)
	p.places = append(p.places, c.at)
	return p.slots[c.Param]
}

// column finds the column by which a condition can find its rule, or nil.
func (p *page) column(c check) *column {
	if c.Match != Equal {
		return nil
	}
	for i := range p.columns {
		if p.columns[i].name == c.Param {
			return &p.columns[i]
		}
	}
	if len(p.columns) == mostColumns {
		return nil
	}
	p.columns = append(p.columns, column{at: c.at, name: c.Param, free: full(len(p.rules)), rules: map[key][]int{}})
	return &p.columns[len(p.columns)-1]
}

// mayMeetRefusal reports whether a rule may be played to a call that the Door
// refused: it says what the network does, or names an outcome that is the Door's
// to give.
func (c *candidate) mayMeetRefusal() bool {
	for i := range c.ends {
		if c.ends[i].atDoor {
			return true
		}
	}
	return c.rule.network()
}

// next is how the rule would end the next call; nil: it names no outcome.
func (c *candidate) next() *end {
	if len(c.ends) == 0 {
		return nil
	}
	return &c.ends[c.rule.at(c.fired)]
}

// A match is what the columns make of one call.
type match struct {
	p       *page
	refused bool
	found   [mostColumns][]int // by column: rules that ask for the value that was said and were not looked at yet
}

// look looks up what the call says in every column.
func (p *page) look(s *said, refused bool) match {
	m := match{p: p, refused: refused}
	for i := range p.columns {
		col := &p.columns[i]
		if x, given := s.find(&col.at); given {
			if k, ok := keyOf(x); ok {
				m.found[i] = col.rules[k]
			}
		}
	}
	return m
}

// word is the w-th word of the set of rules that fit as far as columns tell. It
// is asked for one word after the other.
func (m *match) word(w int) uint64 {
	b := m.p.live[w] & m.p.awake[w]
	if m.refused {
		b &= m.p.door[w]
	}
	for i := range m.p.columns {
		fits := m.p.columns[i].free[w]
		found := m.found[i]
		for len(found) > 0 && found[0]/64 == w {
			fits |= 1 << (found[0] % 64)
			found = found[1:]
		}
		m.found[i] = found
		b &= fits
	}
	return b
}
