package scenario

import (
	"fmt"
	"math/bits"
	"strconv"
	"time"
)

// asking is one call that is held against the rules of a page.
type asking struct {
	*page
	said    said
	now     time.Time
	refused bool
	counted *activation // by which the activation's own Skip has let this call through
	values  [mostValues]value

	notes [mostNoted]note
	noted int
}

// mostValues is how many values of a call are kept at hand while rules are held
// against it.
const mostValues = 8

// A value is what a call says at one place.
type value struct {
	x            any
	given, found bool
	refuted      set // rules that it is known not to fit; nil: of none
}

// value finds what the call says where a condition looks.
func (a *asking) value(c *check) (any, bool) {
	if c.slot >= mostValues {
		return a.said.find(&c.at)
	}
	v := a.at(c.slot, &c.at)
	return v.x, v.given
}

// at finds what the call says at a place once.
func (a *asking) at(slot int, p *place) *value {
	v := &a.values[slot]
	if !v.found {
		v.x, v.given = a.said.find(p)
		v.found = true
	}
	return v
}

// A note tells why a rule that fitted by what the call says did not fit by what
// had happened before: that cannot be found out later.
type note struct {
	rule int
	why  reason
	n    int           // how far something had come
	d    time.Duration // since the activation
}

// mostNoted is how many notes are taken of one call. Rules that nobody took a
// note of are passed over all the same, and told as such.
const mostNoted = 8

// reason is a reason for which a rule passes a call over.
type reason int

const (
	ofDoor reason = iota
	ofTime
	ofTimes
	ofChance
	ofSkip
	ofLateTimes // of the activation, as the following
	ofLateSkip
	ofLateTime
)

// first is the first rule that decides the call, or one more than the last.
func (a *asking) first(m *match) int {
	a.recall()
	for w := range a.live {
		for b := m.word(w) &^ a.known(w); b != 0; b &= b - 1 {
			if i := w*64 + bits.TrailingZeros64(b); a.fits(i) {
				return i
			}
		}
	}
	return len(a.rules)
}

// fits reports whether the i-th rule decides the call, as far as columns have
// not told. What it counts stays counted.
func (a *asking) fits(i int) bool {
	c := &a.rules[i]
	for j := range c.rest {
		if ch := &c.rest[j]; !ch.holds(a.value(ch)) {
			a.refute(i, ch)
			return false // found out again when somebody asks
		}
	}
	on, rule := c.activation, c.rule
	if e := c.next(); a.refused && e != nil && !e.atDoor {
		return a.note(note{rule: i, why: ofDoor})
	}
	if rule.From > 0 || rule.Until > 0 || on.narrow.For > 0 {
		since := a.now.Sub(on.began)
		switch {
		case rule.From > 0 && since < rule.From, rule.Until > 0 && since >= rule.Until:
			return a.note(note{rule: i, why: ofTime, d: since})
		case on.narrow.For > 0 && since >= on.narrow.For:
			return a.note(note{rule: i, why: ofLateTime, d: since})
		}
	}
	if n := on.narrow.Times; n > 0 && on.fired >= n {
		return a.note(note{rule: i, why: ofLateTimes, n: on.fired})
	}
	if n := rule.Times; n > 0 && c.fired >= n {
		a.live.take(i) // until the scenario is rewound
		return a.note(note{rule: i, why: ofTimes})
	}
	return a.lucky(i, c) && a.due(i, c)
}

// lucky throws the rule's dice.
func (a *asking) lucky(i int, c *candidate) bool {
	if c.rule.Chance == 0 {
		return true
	}
	c.reached++
	if throw(c.seed, c.reached) < c.rule.Chance {
		return true
	}
	return a.note(note{rule: i, why: ofChance, n: int(min(c.reached, 1<<53))})
}

// due counts the calls that are let through before the rule decides.
func (a *asking) due(i int, c *candidate) bool {
	on := c.activation
	if n := on.narrow.Skip; a.counted == on || on.skipped < n {
		if a.counted != on {
			a.counted = on
			on.skipped++
		}
		return a.note(note{rule: i, why: ofLateSkip, n: on.skipped})
	}
	if n := c.rule.Skip; c.skipped < n {
		c.skipped++
		return a.note(note{rule: i, why: ofSkip, n: c.skipped})
	}
	return true
}

// note keeps in mind why a rule does not fit.
func (a *asking) note(n note) bool {
	if a.noted < mostNoted {
		a.notes[a.noted] = n
		a.noted++
	}
	return false
}

// Passed tells of a rule that was asked before one fitted, and what did not
// fit.
type Passed struct {
	Scenario string
	Rule     int
	Why      string
}

// A Passing knows which rules were passed over by one call. What did not fit
// is put into words when somebody asks.
type Passing struct {
	page    *page
	said    said
	refused bool
	live    set       // as it was, and after it awake
	near    [4]uint64 // where both are kept of up to 128 rules
	before  int       // rules with a lower number were passed over
	notes   []note
	next    *Passing

	list []Passed // where it was put into words at once; page is nil then
	more int
}

// mostKept is how many rules a page may have that is kept for being asked
// later: of larger ones so many could be kept alive that memory runs out.
const mostKept = 256

// passing remembers what was passed over by a call before a rule decided.
func (a *asking) passing(decided int) *Passing {
	p := &Passing{page: a.page, said: a.said, refused: a.refused, before: decided}
	p.live = append(append(p.near[:0], a.live...), a.awake...)
	p.notes = append(p.notes, a.notes[:a.noted]...)
	if len(a.rules) <= mostKept {
		return p
	}
	told := &Passing{}
	told.list, told.more = p.List()
	return told
}

func (p *Passing) followedBy(q *Passing) *Passing {
	if p == nil {
		return q
	}
	p.next = q
	return p
}

// mostPassed is how many rules are told about for one call.
const mostPassed = 64

// List tells what did not fit, in the order in which the rules were asked, and
// how many more were passed over than are told.
func (p *Passing) List() (list []Passed, more int) {
	for ; p != nil; p = p.next {
		list, more = append(list, p.list...), more+p.more
		s := p.said // of which several may ask at the same time
		for i := range p.before {
			if len(list) == mostPassed {
				more += p.before - i
				break
			}
			c := &p.page.rules[i]
			list = append(list, Passed{c.activation.name, c.number, p.why(i, c, &s)})
		}
	}
	return list, more
}

// why says why the i-th rule did not fit.
func (p *Passing) why(i int, c *candidate, s *said) string {
	if p.refused && !p.page.door.has(i) {
		if len(c.ends) == 0 {
			return "the Door refused, and the rule is about calls that it lets in"
		}
		return "the Door refused, and " + c.rule.Outcomes[0] + " is not the Door's to give"
	}
	for _, ch := range c.where {
		if x, given := s.find(&ch.at); !ch.holds(x, given) {
			return ch.why(x, given)
		}
	}
	if !p.live[len(p.live)/2:].has(i) {
		return "state: the scenario was not in " + c.rule.State
	}
	if !p.live.has(i) {
		return "times: fired " + of(c.rule.Times, c.rule.Times)
	}
	for _, n := range p.notes {
		if n.rule == i {
			return n.say(c)
		}
	}
	return "it did not fit; of more than " + strconv.Itoa(mostNoted) + " rules the reason is not kept"
}

// say puts a note into words.
func (n *note) say(c *candidate) string {
	rule, narrow := c.rule, &c.activation.narrow
	switch n.why {
	case ofDoor:
		return "the Door refused, and the next outcome of the sequence is not the Door's to give"
	case ofTime:
		if n.d < rule.From {
			return fmt.Sprintf("from: %s since the activation, and the rule begins at %s", n.d, rule.From)
		}
		return fmt.Sprintf("until: %s since the activation, and the rule ends at %s", n.d, rule.Until)
	case ofTimes:
		return "times: fired " + of(rule.Times, rule.Times)
	case ofChance:
		return fmt.Sprintf("chance: the dice were against it, for the %d. call that reached it", n.n)
	case ofSkip:
		return "skip: " + of(n.n, rule.Skip) + " let through"
	case ofLateTimes:
		return "times of the activation: fired " + of(n.n, narrow.Times)
	case ofLateSkip:
		return "skip of the activation: " + of(n.n, narrow.Skip) + " let through"
	}
	return fmt.Sprintf("for: %s since the activation, which was for %s", n.d, narrow.For)
}

func of(n, all int) string { return strconv.Itoa(n) + " of " + strconv.Itoa(all) }
