package scenario

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A Player plays the active scenarios of one sandbox and remembers how far
// each has come. It may be used by many calls at the same time.
type Player struct {
	apis []*contract.API
	book atomic.Pointer[book] // nil: nothing is active

	mu     sync.Mutex    // guards what follows, and the counters behind the book
	active []*activation // the last activated first
}

// A book tells which rules a call is held against, in the order in which they
// are asked. It is made anew with every activation and never changes.
type book map[page][]candidate

// A page is an operation of an API; "" stands for a call that names none.
type page struct{ api, operation string }

// A candidate is a rule for one operation.
type candidate struct {
	*played
	outcome *contract.Outcome // nil: the rule names none
	atDoor  bool              // it may be played to a call that the Door refused
}

// An activation is one scenario that was switched on.
type activation struct {
	scenario       *Scenario
	name           string // its full name
	narrow         Narrow
	rules          []*played
	fired, skipped int // calls, whatever the rule
}

// played is one rule of an activation.
type played struct {
	activation     *activation
	rule           *Rule
	number         int   // counted from 1
	wire           *Wire // the rule's with the activation's laid over it
	fired, skipped int
}

// Narrow narrows an activation. Zero values narrow nothing.
type Narrow struct {
	Times int         // how many calls the scenario decides, over all of its rules
	Skip  int         // how many calls that fit a rule it lets through before
	Where []Condition // must hold beside each rule's own
	Wire  *Wire       // laid over each rule's own
}

// Play is what the active scenarios say to a call.
type Play struct {
	// Verdict decides the call. The zero Verdict leaves that to the emulator, or
	// to the Door that refused, and only Wire applies.
	Verdict  contract.Verdict
	With     wire.Patch
	Wire     *Wire  // shared by all calls; not to be changed
	Scenario string // full name; "": no rule fitted
	Rule     int    // counted from 1
	Passed   []Passed
}

// Passed tells of a rule that was asked before one fitted, and what did not
// fit.
type Passed struct {
	Scenario string
	Rule     int
	Why      string
}

// mostPassed is how many rules are told about for one call: each goes into the
// journal.
const mostPassed = 64

// Status tells how far an active scenario has come.
type Status struct {
	Scenario string // full name
	Rules    []RuleStatus
}

// RuleStatus tells how far a rule has come.
type RuleStatus struct {
	Rule      int // counted from 1
	Operation string
	Outcome   string // "": the emulator decides
	Fired     int
	Left      *int // nil: without end
}

// NewPlayer returns a player for these APIs with nothing active. Rules of
// other APIs are never asked.
func NewPlayer(apis []*contract.API) *Player { return &Player{apis: apis} }

// On activates a scenario as the last activated, which is asked first. One of
// the same full name that is active already gives way, so that it begins anew.
func (p *Player) On(s *Scenario, n Narrow) {
	a := &activation{scenario: s, name: s.FullName(), narrow: n}
	for i := range s.Rules {
		rule := &s.Rules[i]
		a.rules = append(a.rules, &played{activation: a, rule: rule, number: i + 1, wire: n.Wire.over(rule.Wire)})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active = append([]*activation{a}, p.without(a.name)...)
	p.open()
}

// without lists what is active but for one scenario.
func (p *Player) without(name string) []*activation {
	var rest []*activation
	for _, a := range p.active {
		if a.name != name {
			rest = append(rest, a)
		}
	}
	return rest
}

// Off switches a scenario off, by its full name or by its short one where only
// one of the active has it. It reports whether it was active.
func (p *Player) Off(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.fullName(name)
	rest := p.without(full)
	if len(rest) == len(p.active) {
		return false
	}
	p.active = rest
	p.open()
	return true
}

func (p *Player) fullName(name string) string {
	full := name
	for _, a := range p.active {
		switch {
		case a.name == name:
			return name
		case a.scenario.Name != name:
		case full != name:
			return "" // several have it
		default:
			full = a.name
		}
	}
	return full
}

// OffAll switches everything off.
func (p *Player) OffAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active = nil
	p.open()
}

// Rewind has every active scenario begin anew.
func (p *Player) Rewind() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.active {
		a.fired, a.skipped = 0, 0
		for _, r := range a.rules {
			r.fired, r.skipped = 0, 0
		}
	}
}

// Active tells what is active, the last activated first.
func (p *Player) Active() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Status, 0, len(p.active))
	for _, a := range p.active {
		s := Status{Scenario: a.name}
		for _, r := range a.rules {
			s.Rules = append(s.Rules, RuleStatus{r.number, r.rule.Operation, r.rule.Outcome, r.fired, r.left()})
		}
		all = append(all, s)
	}
	return all
}

// left is how many calls the rule may still decide; nil: any number.
func (r *played) left() *int {
	var left *int
	bound := func(times, fired int) {
		if n := times - fired; times > 0 && (left == nil || n < *left) {
			left = &n
		}
	}
	bound(r.rule.Times, r.fired)
	bound(r.activation.narrow.Times, r.activation.fired)
	return left
}

// open makes the book of what is active.
func (p *Player) open() {
	if len(p.active) == 0 {
		p.book.Store(nil)
		return
	}
	b := book{}
	for _, a := range p.active {
		i := slices.IndexFunc(p.apis, func(api *contract.API) bool { return api.Name == a.scenario.API })
		if i < 0 {
			continue
		}
		b.enter(p.apis[i], nil, a)
		for _, op := range p.apis[i].Operations {
			b.enter(p.apis[i], op, a)
		}
	}
	p.book.Store(&b)
}

// enter writes down the rules of an activation that are about op; nil stands
// for a call that names no operation.
func (b book) enter(api *contract.API, op *contract.Operation, a *activation) {
	at := page{api: api.Name}
	if op != nil {
		at.operation = op.Name
	}
	ends := map[string]*contract.Outcome{}
	list := b[at]
	for _, r := range a.rules {
		if r.rule.Operation != Any && (op == nil || r.rule.Operation != op.Name) {
			continue
		}
		c := candidate{played: r, atDoor: true}
		if name := r.rule.Outcome; name != "" {
			o, known := ends[name]
			if !known {
				o = api.Outcome(op, name)
				ends[name] = o
			}
			if o == nil {
				continue // a scenario that was not read against these tables
			}
			c.outcome, c.atDoor = o, api.AtDoor(o)
		}
		list = append(list, c)
	}
	b[at] = list
}

// of finds the rules that a call is held against.
func (b book) of(c *contract.Call) []candidate {
	at := page{api: c.API.Name}
	if c.Operation != nil {
		at.operation = c.Operation.Name
	}
	return b[at]
}

// Ask asks the active scenarios about a call, once: after the Door let it in,
// or when the Door refused it. The first rule that fits decides; it and those
// that let the call through count it.
func (p *Player) Ask(c *contract.Call, refused bool) Play {
	b := p.book.Load()
	if b == nil {
		return Play{}
	}
	candidates := b.of(c)
	if len(candidates) == 0 {
		return Play{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return ask(candidates, c.In, refused)
}

func ask(candidates []candidate, in contract.Values, refused bool) Play {
	var play Play
	var counted *activation // by which the activation's own Skip has let this call through
	for _, c := range candidates {
		why := c.passes(in, refused, &counted)
		if why == "" {
			c.fire(&play)
			return play
		}
		if len(play.Passed) < mostPassed {
			play.Passed = append(play.Passed, Passed{c.activation.name, c.number, why})
		}
	}
	return play
}

// fire has the rule decide.
func (c candidate) fire(play *Play) {
	c.fired++
	c.activation.fired++
	play.Scenario, play.Rule, play.With, play.Wire = c.activation.name, c.number, c.rule.With, c.wire
	if c.outcome != nil {
		play.Verdict = contract.Verdict{Outcome: c.outcome, Note: c.rule.Message}
	}
}

// passes says why the rule passes a call over, or "" where it fits. Counted is
// the activation that has counted this call as let through.
func (c candidate) passes(in contract.Values, refused bool, counted **activation) string {
	if refused && !c.atDoor {
		return "the Door refused, and " + c.outcome.Name + " is not the Door's to give"
	}
	if why := unmet(c.rule.Where, in); why != "" {
		return why
	}
	a := c.activation
	if why := unmet(a.narrow.Where, in); why != "" {
		return why
	}
	if n := c.rule.Times; n > 0 && c.fired >= n {
		return "times: fired " + of(c.fired, n)
	}
	if n := a.narrow.Times; n > 0 && a.fired >= n {
		return "times of the activation: fired " + of(a.fired, n)
	}
	if n := a.narrow.Skip; *counted == a || a.skipped < n {
		if *counted != a {
			*counted = a
			a.skipped++
		}
		return "skip of the activation: " + of(a.skipped, n) + " let through"
	}
	if n := c.rule.Skip; c.skipped < n {
		c.skipped++
		return "skip: " + of(c.skipped, n) + " let through"
	}
	return ""
}

func of(n, all int) string { return strconv.Itoa(n) + " of " + strconv.Itoa(all) }

// unmet says which condition does not hold, or "" where all do.
func unmet(where []Condition, in contract.Values) string {
	for _, condition := range where {
		if !condition.holds(in) {
			return condition.why(in)
		}
	}
	return ""
}
