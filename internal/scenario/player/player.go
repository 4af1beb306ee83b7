// Package player plays the scenarios that are active in a sandbox: it finds the
// rule that decides a call, and remembers how far each scenario has come.
package player

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A Player plays the active scenarios of one sandbox. Many calls of several APIs
// may use it at the same time. It has a lock of its own, since a scenario may
// be about several APIs.
type Player struct {
	apis []*contract.API
	seed uint64
	now  func() time.Time
	busy atomic.Bool // some scenario is active

	mu      sync.Mutex           // guards what follows, and the state behind the indexes
	active  []*activation        // the last activated first
	indexes map[operation]*index // those of operations that were called since active changed
}

// operation is what an index is about. A nil op stands for calls that name no
// operation.
type operation struct {
	api *contract.API
	op  *contract.Operation
}

// An activation is one scenario that is switched on.
type activation struct {
	scenario       *scenario.Scenario
	name           string // its full name
	options        scenario.Options
	rules          []*ruleState
	began          time.Time // by the sandbox's clock
	state          string
	fired, skipped int // calls, whatever the rule
}

// A ruleState is how far one rule of an activation has come.
type ruleState struct {
	activation *activation
	rule       *scenario.Rule
	number     int            // counted from 1
	wire       *scenario.Wire // the rule's with the activation's laid over it
	seed       uint64

	places          []place // in the player's indexes
	fired, skipped  int
	reached, rolled uint64 // throws: calls that reached the chance, and delays
}

// Play is what the active scenarios say to a call.
type Play struct {
	// Verdict decides the call. The zero Verdict leaves that to the emulator, or
	// to the check that refused, and only the rest applies.
	Verdict    contract.Verdict
	With       wire.Patch
	Phantom    bool
	Triggers   []scenario.Trigger // shared by all calls; not to be changed
	Wire       *scenario.Wire     // shared by all calls; not to be changed
	Delay      time.Duration      // Wire's delay for this call
	Scenario   string             // full name; "": no rule fitted
	Rule       int                // counted from 1
	Mismatches *Mismatches        // nil: the first rule fitted, or there is none
}

// MostActive is how many scenarios are active in a sandbox at once.
const MostActive = 100

// New returns a player for these APIs with nothing active. Rules about other
// APIs never fit. seed is that of its dice, and now is the sandbox's clock, which
// is asked with the player's lock held.
func New(apis []*contract.API, seed uint64, now func() time.Time) *Player {
	return &Player{apis: apis, seed: seed, now: now}
}

// On switches a scenario on, as the first that is tried. One of the same full
// name that is on already gives way, so that the scenario begins anew.
func (p *Player) On(s *scenario.Scenario, n scenario.Options) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.activate(s, n, p.now())
	p.changed()
}

// activate puts a scenario in front of the active ones.
func (p *Player) activate(s *scenario.Scenario, n scenario.Options, now time.Time) {
	a := newActivation(s, n, p.seed, now)
	p.active = append([]*activation{a}, p.without(a.name)...)
}

func newActivation(s *scenario.Scenario, n scenario.Options, playerSeed uint64, now time.Time) *activation {
	a := &activation{scenario: s, name: s.FullName(), options: n}
	for i := range s.Rules {
		rule := &s.Rules[i]
		a.rules = append(a.rules, &ruleState{
			activation: a, rule: rule, number: i + 1, wire: n.Wire.Over(rule.Wire), seed: seed(playerSeed, a.name, i+1),
		})
	}
	a.rewind(now)
	return a
}

// rewind has a scenario begin anew.
func (a *activation) rewind(now time.Time) {
	a.began, a.state, a.fired, a.skipped = now, scenario.Initial, 0, 0
	for _, r := range a.rules {
		r.fired, r.skipped, r.reached, r.rolled = 0, 0, 0, 0
	}
}

// without lists the active scenarios but for one.
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
	rest := p.without(p.fullName(name))
	if len(rest) == len(p.active) {
		return false
	}
	p.active = rest
	p.changed()
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
func (p *Player) OffAll() { p.Begin(nil) }

// Begin has just these scenarios be on, each at its beginning.
func (p *Player) Begin(all []*scenario.Scenario) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.active = nil
	for _, s := range all {
		p.activate(s, scenario.Options{}, now)
	}
	p.changed()
}

// Rewind has every active scenario begin anew.
func (p *Player) Rewind() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for _, a := range p.active {
		a.rewind(now)
	}
	p.changed()
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

// Update has the newest version of each active scenario be on. find returns it
// by the full name, or nil where it is gone. A scenario that has not changed
// goes on where it stands. One that has begins anew in its place. One that is
// gone stays on as it was, until it is switched off. Scenarios that never came
// from a library are left alone. The result has the full names of those that
// changed.
func (p *Player) Update(find func(full string) *scenario.Scenario) (changed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for i, a := range p.active {
		if !a.scenario.FromLibrary {
			continue
		}
		if s := find(a.name); s != nil && s != a.scenario {
			p.active[i] = newActivation(s, a.options, p.seed, now)
			changed = append(changed, a.name)
		}
	}
	if changed != nil {
		p.changed()
	}
	return changed
}

// changed forgets the indexes of what was active before.
func (p *Player) changed() {
	p.indexes = map[operation]*index{}
	for _, a := range p.active {
		for _, r := range a.rules {
			r.places = nil
		}
	}
	p.busy.Store(len(p.active) > 0)
}

// index returns the index of the active rules about an operation, and makes it at
// the first call.
func (p *Player) index(of operation) *index {
	ix := p.indexes[of]
	if ix != nil {
		return ix
	}
	var rules []*ruleState
	if slices.Contains(p.apis, of.api) {
		for _, a := range p.active {
			if a.scenario.API == of.api.Name || a.scenario.API == scenario.Everywhere {
				rules = append(rules, a.rules...)
			}
		}
	}
	ix = newIndex(of.api, of.op, rules...)
	p.indexes[of] = ix
	return ix
}

// Ask asks the active scenarios about a call, once: after it passed the checks,
// or when one of them refused it. The first rule that fits decides. It counts
// the call, and so do the rules that let the call pass.
func (p *Player) Ask(c *contract.Call, refused bool) Play {
	if !p.busy.Load() {
		return Play{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ix := p.index(operation{c.API, c.Operation})
	if len(ix.rules) == 0 {
		return Play{}
	}
	return ix.ask(c, refused)
}

// AskFirst asks a scenario that a call itself names, as if it had just been
// switched on for this call alone, and then the active ones. n is how many-th
// call of its operation this is, by which the dice are thrown.
func (p *Player) AskFirst(s *scenario.Scenario, c *contract.Call, refused bool, n uint64) Play {
	a := newActivation(s, scenario.Options{}, p.seed, c.Now)
	for _, r := range a.rules {
		r.reached, r.rolled = n, n
	}
	play := newIndex(c.API, c.Operation, a.rules...).ask(c, refused)
	if play.Scenario != "" {
		return play
	}
	mismatches := play.Mismatches
	play = p.Ask(c, refused)
	play.Mismatches = mismatches.followedBy(play.Mismatches)
	return play
}

// ask finds the rule that decides a call, and has it fire. The caller holds the
// player's lock.
func (ix *index) ask(c *contract.Call, refused bool) (play Play) {
	m := match{index: ix, values: scenario.ValuesOf(c), now: c.Now, refused: refused}
	decided := m.first()
	play.Mismatches = m.mismatches(decided)
	if decided < len(ix.rules) {
		ix.rules[decided].fire(&play)
	}
	return play
}

// next is how the rule ends the next call; nil: it names no outcome.
func (c *candidate) next() *end {
	if len(c.ends) == 0 {
		return nil
	}
	return &c.ends[outcomeAt(c.rule, c.state.fired)]
}

// outcomeAt is the number of the outcome in which the n-th call of a rule ends,
// counted from 0.
func outcomeAt(r *scenario.Rule, n int) int {
	switch k := len(r.Outcomes); {
	case n < k:
		return n
	case r.RepeatAll:
		return n % k
	default:
		return k - 1
	}
}

// fire has the rule decide.
func (c *candidate) fire(play *Play) {
	rule, s, a := c.rule, c.state, c.state.activation
	if e := c.next(); e != nil && e.outcome != nil {
		play.Verdict = contract.Verdict{Outcome: e.outcome, OwnMessage: rule.Message}
		play.With = e.with
	}
	play.Scenario, play.Rule = c.scenario, c.number
	play.Phantom, play.Triggers, play.Wire = rule.Phantom, rule.Triggers, s.wire
	if s.wire != nil {
		play.Delay = roll(s.wire.Delay, s.seed, s.rolled)
		s.rolled++
	}
	s.fired++
	a.fired++
	if rule.Then != "" {
		a.state = rule.Then
	}
	if s.wornOut() {
		for _, at := range s.places {
			at.index.remove(at.rule)
		}
	}
}
