package player

import (
	"time"

	"github.com/understudy-suite/understudy/internal/scenario"
)

// Status is the progress of an active scenario.
type Status struct {
	Scenario string    // full name
	File     string    // "": it has none
	State    string    // in which it is
	Since    time.Time // by the sandbox's clock
	Rules    []RuleStatus
}

// RuleStatus is the progress of a rule.
type RuleStatus struct {
	Rule      int // counted from 1
	Line      int // in File; 0: in none
	Operation string
	Outcomes  []string // none: the emulator decides
	Next      string   // the outcome of the next call that it decides; "": the emulator's
	Fired     int
	Skipped   int
	Left      *int // nil: without end
	Expect    int  // how often it should have fired in the end; 0: no expectation
}

// Active lists the active scenarios, the last activated first.
func (p *Player) Active() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Status, 0, len(p.active))
	for _, a := range p.active {
		s := Status{Scenario: a.name, File: a.scenario.File, State: a.state, Since: a.began}
		for _, r := range a.rules {
			s.Rules = append(s.Rules, RuleStatus{
				Rule: r.number, Line: r.rule.Line, Operation: r.rule.Operation, Outcomes: r.rule.Outcomes, Next: r.next(),
				Fired: r.fired, Skipped: r.skipped, Left: r.left(), Expect: r.rule.Expect,
			})
		}
		all = append(all, s)
	}
	return all
}

// next is the outcome of the next call that the rule decides.
func (s *ruleState) next() string {
	if len(s.rule.Outcomes) == 0 {
		return ""
	}
	if name := s.rule.Outcomes[outcomeAt(s.rule, s.fired)]; name != scenario.Emulator {
		return name
	}
	return ""
}

// left is how many calls the rule may still decide; nil: any number.
func (s *ruleState) left() *int {
	var left *int
	bound := func(times, fired int) {
		if n := times - fired; times > 0 && (left == nil || n < *left) {
			left = &n
		}
	}
	bound(s.rule.Times, s.fired)
	bound(s.activation.options.Times, s.activation.fired)
	return left
}
