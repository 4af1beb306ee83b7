package verify

import (
	"context"
	"fmt"

	"github.com/understudy-suite/understudy/internal/scenario"
)

// expectations holds the rules of active scenarios against their expect.
type expectations struct {
	check *Check
	rules []*Result
}

func (t *expectations) see(*call)  {}
func (t *expectations) rank(*call) {}

func (t *expectations) judge(_ context.Context, w *World) {
	for _, s := range w.Active {
		for _, rule := range s.Rules {
			if rule.Expect == 0 {
				continue
			}
			what := rule.Operation
			if what == scenario.Any {
				what = "every operation"
			}
			r := &Result{
				Name: fmt.Sprintf("%s rule %d, %s", s.Scenario, rule.Rule, what), Verdict: Holds,
				Expected: fmt.Sprintf("fired at least %s", counted(rule.Expect, "time")), Found: rule.Fired,
			}
			if rule.Fired < rule.Expect {
				r.Verdict = Insufficient
				r.Why = fmt.Sprintf("fired %s, want at least %d: what it was to show did not happen", counted(rule.Fired, "time"), rule.Expect)
			}
			t.rules = append(t.rules, r)
		}
	}
	if t.rules == nil {
		t.rules = []*Result{{
			Name: t.check.Name, Verdict: Insufficient, Expected: t.check.expected(),
			Why: "no active scenario of the sandbox has a rule with expect, so that nothing was checked; write expect: {fired: 1}, or switch the scenario on",
		}}
	}
}

func (t *expectations) results() []*Result { return t.rules }
