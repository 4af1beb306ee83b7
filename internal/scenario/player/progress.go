package player

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// Progress is how far an active scenario has come, as a snapshot keeps it.
type Progress struct {
	Scenario string         `json:"scenario"` // full name
	State    string         `json:"state"`
	Began    time.Time      `json:"began"` // by the sandbox's clock
	Fired    int            `json:"fired"`
	Skipped  int            `json:"skipped"`
	Rules    []RuleProgress `json:"rules"`

	Text     string          `json:"text,omitempty"`     // its file; "" for a documented outcome, which has none
	Narrowed json.RawMessage `json:"narrowed,omitempty"` // what narrows the activation, as it was switched on with
}

// RuleProgress is how far a rule has come, and how often its dice were thrown.
type RuleProgress struct {
	Fired   int    `json:"fired"`
	Skipped int    `json:"skipped"`
	Reached uint64 `json:"reached"`
	Rolled  uint64 `json:"rolled"`
}

// mostCounted is more calls than a scenario can have met. From there, no counter
// can be counted to where it would begin below nothing.
const mostCounted = 1 << 53

// Check says what no scenario can have come to.
func (p *Progress) Check() error {
	counts := []int{p.Fired, p.Skipped}
	for _, r := range p.Rules {
		counts = append(counts, r.Fired, r.Skipped)
	}
	for _, n := range counts {
		switch {
		case n < 0:
			return errors.New("it or a rule fired or let through less than nothing")
		case int64(n) > mostCounted:
			return fmt.Errorf("it or a rule fired or let through %d calls; at most %d were expected", n, int64(mostCounted))
		}
	}
	if p.State == "" {
		return errors.New("it is in no state; initial is the first one")
	}
	return nil
}

// Progress returns the progress of each active scenario, the last activated first.
// It runs also, which may be nil, at the same moment.
func (p *Player) Progress(also func()) []Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	if also != nil {
		also()
	}
	all := make([]Progress, 0, len(p.active))
	for _, a := range p.active {
		p := Progress{
			Scenario: a.name, State: a.state, Began: a.began, Fired: a.fired, Skipped: a.skipped,
			Text: a.scenario.Text, Narrowed: json.RawMessage(a.options.Text),
		}
		for _, r := range a.rules {
			p.Rules = append(p.Rules, RuleProgress{r.fired, r.skipped, r.reached, r.rolled})
		}
		all = append(all, p)
	}
	return all
}

// An Activation is an active scenario as a snapshot has it.
type Activation struct {
	scenario *scenario.Scenario
	options  scenario.Options
	at       *Progress
}

// Read finds the scenarios of a snapshot. find returns one of the library, which is
// taken where it says what the snapshot's says, so that it goes on to be updated.
func Read(all []Progress, apis []*contract.API, find func(full string) (*scenario.Scenario, error)) ([]Activation, error) {
	if len(all) > MostActive {
		return nil, fmt.Errorf("%d scenarios are on; at most %d were expected", len(all), MostActive)
	}
	seen := map[string]bool{}
	var read []Activation
	for i := range all {
		p := &all[i]
		if seen[p.Scenario] {
			return nil, fmt.Errorf("scenario %.80q is on twice; once was expected", p.Scenario)
		}
		seen[p.Scenario] = true
		a, err := p.read(apis, find)
		if err != nil {
			return nil, fmt.Errorf("scenario %.80q: %w", p.Scenario, err)
		}
		read = append(read, a)
	}
	return read, nil
}

func (p *Progress) read(apis []*contract.API, find func(full string) (*scenario.Scenario, error)) (a Activation, err error) {
	if err := p.Check(); err != nil {
		return a, err
	}
	a.at = p
	if a.scenario, err = p.scenario(apis, find); err != nil {
		return a, err
	}
	if full := a.scenario.FullName(); full != p.Scenario {
		return a, fmt.Errorf("its text says that it is %s; let both say the same", full)
	}
	if len(a.scenario.Rules) != len(p.Rules) {
		return a, fmt.Errorf("it has %d rules, and the progress of %d is given", len(a.scenario.Rules), len(p.Rules))
	}
	if len(p.Narrowed) > 0 {
		a.options, err = scenario.ParseOptions(a.scenario, p.Narrowed, apis)
	}
	return a, err
}

// scenario returns the library's scenario, or the one that the text describes where
// the library has none or another of that name.
func (p *Progress) scenario(apis []*contract.API, find func(full string) (*scenario.Scenario, error)) (*scenario.Scenario, error) {
	known, err := find(p.Scenario)
	if p.Text == "" || err == nil && known.Text == p.Text {
		return known, err
	}
	if strings.Contains(p.Text, contract.Redacted) {
		return nil, fmt.Errorf("a secret was left out of its text and reads %s, as serve --redact writes; take the snapshot from a server without it, or put the secret there", contract.Redacted)
	}
	s, err := scenario.Parse(p.Scenario+".yaml", []byte(p.Text), apis)
	if err == nil {
		s.File = "" // the one that stands in the faults is nowhere
	}
	return s, err
}

// Restore has just these scenarios be on, each as far as it had come, so that the
// same calls meet the same faults again. It runs also at the same moment.
func (p *Player) Restore(all []Activation, also func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	also()
	p.active = nil
	for _, read := range all {
		a := newActivation(read.scenario, read.options, p.seed, read.at.Began)
		a.resume(read.at)
		p.active = append(p.active, a)
	}
	p.changed()
}

func (a *activation) resume(at *Progress) {
	a.state, a.fired, a.skipped = at.State, at.Fired, at.Skipped
	for i, r := range at.Rules {
		a.rules[i].fired, a.rules[i].skipped, a.rules[i].reached, a.rules[i].rolled = r.Fired, r.Skipped, r.Reached, r.Rolled
	}
}
