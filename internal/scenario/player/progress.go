package player

import (
	"fmt"
	"time"
)

// Progress is how far an active scenario has come, as a snapshot keeps it.
type Progress struct {
	Scenario string         `json:"scenario"` // full name
	State    string         `json:"state"`
	Began    time.Time      `json:"began"` // by the sandbox's clock
	Fired    int            `json:"fired"`
	Skipped  int            `json:"skipped"`
	Rules    []RuleProgress `json:"rules"`
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
			return fmt.Errorf("scenario %s: it or a rule fired or let through less than nothing", p.Scenario)
		case int64(n) > mostCounted:
			return fmt.Errorf("scenario %s: it or a rule fired or let through %d calls; at most %d were expected", p.Scenario, n, int64(mostCounted))
		}
	}
	if p.State == "" {
		return fmt.Errorf("scenario %s: it is in no state", p.Scenario)
	}
	return nil
}

// Progress returns the progress of each active scenario.
func (p *Player) Progress() []Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Progress, 0, len(p.active))
	for _, a := range p.active {
		p := Progress{Scenario: a.name, State: a.state, Began: a.began, Fired: a.fired, Skipped: a.skipped}
		for _, r := range a.rules {
			p.Rules = append(p.Rules, RuleProgress{r.fired, r.skipped, r.reached, r.rolled})
		}
		all = append(all, p)
	}
	return all
}

// Resume sets the active scenarios back to an earlier Progress, so
// that the same calls meet the same faults again. What is active and was not
// then, or had other rules, begins anew; nothing is switched on or off.
func (p *Player) Resume(all []Progress) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.active {
		a.rewind(now)
		for i := range all {
			if all[i].Scenario == a.name && len(all[i].Rules) == len(a.rules) {
				a.resume(&all[i])
			}
		}
	}
}

func (a *activation) resume(at *Progress) {
	a.state, a.began, a.fired, a.skipped = at.State, at.Began, at.Fired, at.Skipped
	for i, r := range at.Rules {
		a.rules[i].fired, a.rules[i].skipped, a.rules[i].reached, a.rules[i].rolled = r.Fired, r.Skipped, r.Reached, r.Rolled
	}
}
