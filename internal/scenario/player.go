package scenario

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A Player plays the active scenarios of one sandbox and remembers how far
// each has come. It may be used by many calls at the same time, of several
// APIs: it has a lock of its own, since a scenario may span them.
type Player struct {
	apis []*contract.API
	seed uint64
	now  func() time.Time
	busy atomic.Bool // something is active

	mu     sync.Mutex    // guards what follows, and the counters behind the book
	active []*activation // the last activated first
	book   book
}

// A book tells which rules a call is held against. It is made anew with every
// activation.
type book map[entitled]*page

// entitled is what a page is about: an operation of an API; "" stands for a
// call that names none.
type entitled struct{ api, operation string }

// An activation is one scenario that was switched on.
type activation struct {
	scenario       *Scenario
	name           string // its full name
	narrow         Narrow
	rules          []*played
	began          time.Time // by the sandbox's clock
	state          string
	fired, skipped int // calls, whatever the rule
	sleepers       []sleeper
}

// A sleeper is a rule that asks for a state, on one of the pages that it is on.
type sleeper struct {
	on   *page
	rule int
}

// played is one rule of an activation.
type played struct {
	activation      *activation
	rule            *Rule
	number          int   // counted from 1
	wire            *Wire // the rule's with the activation's laid over it
	seed            uint64
	fired, skipped  int
	reached, rolled uint64 // throws: calls that reached the chance, and delays
}

// Narrow narrows an activation. Zero values narrow nothing.
type Narrow struct {
	Times int           // how many calls the scenario decides, over all of its rules
	Skip  int           // how many calls that fit a rule it lets through before
	Where []Condition   // must hold beside each rule's own
	For   time.Duration // how long it is on, by the sandbox's clock
	Wire  *Wire         // laid over each rule's own
}

// Play is what the active scenarios say to a call.
type Play struct {
	// Verdict decides the call. The zero Verdict leaves that to the emulator, or
	// to the Door that refused, and only the rest applies.
	Verdict  contract.Verdict
	With     wire.Patch
	Phantom  bool
	Triggers []Trigger     // shared by all calls; not to be changed
	Wire     *Wire         // shared by all calls; not to be changed
	Delay    time.Duration // what Wire's delay came to for this call
	Scenario string        // full name; "": no rule fitted
	Rule     int           // counted from 1
	Passed   *Passing      // nil: none was passed over
}

// NewPlayer returns a player for these APIs with nothing active. Rules of
// other APIs are never asked. Its dice are seeded by seed, and now is the
// clock of the sandbox.
func NewPlayer(apis []*contract.API, seed uint64, now func() time.Time) *Player {
	return &Player{apis: apis, seed: seed, now: now}
}

// On activates a scenario as the last activated, which is asked first. One of
// the same full name that is active already gives way, so that it begins anew.
func (p *Player) On(s *Scenario, n Narrow) {
	a := newActivation(s, n, p.seed)
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	a.rewind(now)
	p.active = append([]*activation{a}, p.without(a.name)...)
	p.open()
}

func newActivation(s *Scenario, n Narrow, of uint64) *activation {
	a := &activation{scenario: s, name: s.FullName(), narrow: n}
	for i := range s.Rules {
		rule := &s.Rules[i]
		a.rules = append(a.rules, &played{
			activation: a, rule: rule, number: i + 1, wire: n.Wire.over(rule.Wire), seed: seed(of, a.name, i+1),
		})
	}
	return a
}

// rewind has a scenario begin anew.
func (a *activation) rewind(now time.Time) {
	a.began, a.state, a.fired, a.skipped = now, Initial, 0, 0
	for _, r := range a.rules {
		r.fired, r.skipped, r.reached, r.rolled = 0, 0, 0, 0
	}
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

// Begin has just these scenarios be on, each at its beginning.
func (p *Player) Begin(all []*Scenario) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active = nil
	for _, s := range all {
		a := newActivation(s, Narrow{}, p.seed)
		a.rewind(now)
		p.active = append([]*activation{a}, p.without(a.name)...)
	}
	p.open()
}

// Rewind has every active scenario begin anew.
func (p *Player) Rewind() {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.active {
		a.rewind(now)
	}
	p.open()
}

// RewindDice has the dice of every active scenario throw from the start again.
func (p *Player) RewindDice() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.active {
		for _, r := range a.rules {
			r.reached, r.rolled = 0, 0
		}
	}
}

// Renew has the newest version of each active scenario be on. find tells it by
// the full name, or nil where it is gone. One that is as it was goes on where
// it stands; one that changed begins anew in its place; one that is gone stays
// on as it was last, until it is switched off. What never came from a library
// is left alone. Told are the full names of those that changed.
func (p *Player) Renew(find func(full string) *Scenario) []string {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	var changed []string
	for i, a := range p.active {
		if !a.scenario.shelved {
			continue
		}
		if s := find(a.name); s != nil && s != a.scenario {
			p.active[i] = newActivation(s, a.narrow, p.seed)
			p.active[i].rewind(now)
			changed = append(changed, a.name)
		}
	}
	if changed != nil {
		p.open()
	}
	return changed
}

// open makes the book of what is active.
func (p *Player) open() {
	p.book = book{}
	for _, a := range p.active {
		a.sleepers = nil
	}
	for _, api := range p.apis {
		p.write(api, nil)
		for _, op := range api.Operations {
			p.write(api, op)
		}
	}
	p.busy.Store(len(p.book) > 0)
}

// write makes the page of one operation; nil stands for calls that name none.
func (p *Player) write(api *contract.API, op *contract.Operation) {
	about := &page{}
	for _, a := range p.active {
		if a.scenario.API != api.Name && a.scenario.API != Everywhere {
			continue
		}
		for _, r := range a.rules {
			about.add(api, op, r)
		}
	}
	if len(about.rules) == 0 {
		return
	}
	about.close()
	about.refuted = make([]refuted, min(len(about.places), mostValues))
	p.book[entitledTo(api, op)] = about
}

func entitledTo(api *contract.API, op *contract.Operation) entitled {
	if op == nil {
		return entitled{api: api.Name}
	}
	return entitled{api.Name, op.Name}
}

// Ask asks the active scenarios about a call, once: after the Door let it in,
// or when the Door refused it. The first rule that fits decides; it and those
// that let the call through count it.
func (p *Player) Ask(c *contract.Call, refused bool) Play {
	if !p.busy.Load() {
		return Play{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	about := p.book[entitledTo(c.API, c.Operation)]
	if about == nil {
		return Play{}
	}
	return about.ask(c, refused)
}

// AskFirst asks a scenario that a call itself names, as if it had just been
// switched on for this call alone, and then the active ones. n is how many-th
// call of its operation this is, by which the dice are thrown.
func (p *Player) AskFirst(s *Scenario, c *contract.Call, refused bool, n uint64) Play {
	a := newActivation(s, Narrow{}, p.seed)
	a.rewind(c.Now)
	about := &page{}
	for _, r := range a.rules {
		r.reached, r.rolled = n, n
		about.add(c.API, c.Operation, r)
	}
	about.close()
	play := about.ask(c, refused)
	if play.Scenario != "" {
		return play
	}
	before := play.Passed
	play = p.Ask(c, refused)
	play.Passed = before.followedBy(play.Passed)
	return play
}

// ask finds the rule that decides a call. The caller holds the player's lock.
func (p *page) ask(c *contract.Call, refused bool) Play {
	a := asking{page: p, said: saidBy(c), now: c.Now, refused: refused}
	m := p.look(&a.said, refused)
	decided := a.first(&m)
	var play Play
	if decided > 0 {
		play.Passed = a.passing(decided) // before the scenario changes its state
	}
	if decided < len(p.rules) {
		p.rules[decided].fire(&play)
	}
	return play
}

// fire has the rule decide.
func (c *candidate) fire(play *Play) {
	if e := c.next(); e != nil && e.outcome != nil {
		play.Verdict = contract.Verdict{Outcome: e.outcome, Text: c.rule.Message}
		play.With = e.with
	}
	play.Scenario, play.Rule = c.activation.name, c.number
	play.Phantom, play.Triggers, play.Wire = c.rule.Phantom, c.rule.Triggers, c.wire
	if c.wire != nil {
		play.Delay = c.wire.Delay.roll(c.seed, c.rolled)
		c.rolled++
	}
	c.fired++
	c.activation.fired++
	if then := c.rule.Then; then != "" && then != c.activation.state {
		c.activation.state = then
		for _, s := range c.activation.sleepers {
			s.on.wake(s.rule)
		}
	}
}
