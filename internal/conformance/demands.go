package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// Demands say what has to be among the scenarios that ship for an API, beside
// one of each of the kinds. The zero Demands demand nothing.
type Demands struct {
	// Failures are operations: some file plays each failure that is documented
	// for them, those of checks and those common to all included, and some file
	// has them fail at first and succeed then.
	Failures []string

	// Patience is how long clients are documented to wait for an operation's
	// answer: some file answers just in time, and some just too late.
	Patience map[string][]time.Duration
}

// An account is kept of what clients saw in all runs.
type account struct {
	mu         sync.Mutex
	runs       int
	scenarios  []*scenario.Scenario
	failures   map[ending]bool // that a scenario brought about
	recoveries map[string]bool // operations that failed by a scenario and succeeded while it was still on
	triggers   int             // that happened because of a scenario
}

// An ending is how an operation ended.
type ending struct{ operation, outcome string }

// add takes in what the journal of a run says.
func (a *account) add(t *testing.T, w *World, name string) {
	t.Helper()
	s, err := w.find(w.API.Name + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if s.Description == "" || len(s.Tags) == 0 {
		t.Error("the file lacks a description or tags")
	}
	entries, _ := w.Sandbox.Journal.List(journal.Filter{})
	if !framed(entries, s.FullName()) {
		t.Error("a run makes a call before the scenario decides, one that it decides, and one after")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runs++
	a.scenarios = append(a.scenarios, s)
	failed := map[string]bool{}
	for i := len(entries) - 1; i >= 0; i-- { // the newest comes first
		e := &entries[i]
		o := w.API.Outcome(w.API.Operation(e.Operation), e.Outcome)
		if o == nil {
			continue // which the API's own conformance test reports
		}
		switch broken := e.Wire != nil && (e.Wire.Answered || e.Wire.Fault != ""); {
		case e.DecidedBy.Scenario == s.FullName() && (o.Fails || broken):
			failed[e.Operation] = true
			if e.DecidedBy.Kind == journal.Scenario {
				a.failures[ending{e.Operation, o.Name}] = true
			}
		case !o.Fails && failed[e.Operation] && (e.DecidedBy.Scenario == s.FullName() || passed(e, s.FullName())):
			a.recoveries[e.Operation] = true
		}
		for _, n := range e.Notes {
			if strings.HasPrefix(n.Name, "trigger ") && n.Value == "happened" {
				a.triggers++
			}
		}
	}
}

// passed reports whether a scenario was on and let a call through.
func passed(e *journal.Entry, full string) bool {
	return slices.ContainsFunc(e.Mismatches.List(), func(p journal.Mismatch) bool { return p.Scenario == full })
}

// framed reports whether a scenario decided calls, but neither the first nor
// the last one.
func framed(entries []journal.Entry, full string) bool {
	decided := 0
	for i := range entries {
		if entries[i].DecidedBy.Scenario == full {
			decided++
		}
	}
	return decided > 0 && entries[0].DecidedBy.Scenario != full && entries[len(entries)-1].DecidedBy.Scenario != full
}

// lacks lists the demands that are not met.
func (a *account) lacks(api *contract.API, demands Demands) (all []string) {
	if len(demands.Failures) == 0 && len(demands.Patience) == 0 {
		return nil
	}
	lack := func(format string, args ...any) {
		all = append(all, "no scenario of "+api.Name+" "+fmt.Sprintf(format, args...))
	}
	for _, name := range demands.Failures {
		for _, o := range api.Ends(api.Operation(name)) {
			if o.Fails && o.Cite != "" && !a.failures[ending{name, o.Name}] {
				lack("plays %s/%s, which is documented", name, o.Name)
			}
		}
		if !a.recoveries[name] {
			lack("has %s fail at first and succeed then", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(demands.Patience)) {
		for _, limit := range demands.Patience[name] {
			if !a.answers(name, limit-limit/10, limit) {
				lack("answers %s just before the %s that clients wait", name, limit)
			}
			if !a.answers(name, limit+1, limit+limit/4) {
				lack("answers %s just after the %s that clients wait", name, limit)
			}
		}
	}
	if a.triggers == 0 {
		lack("has something happen between two calls")
	}
	for _, k := range kinds {
		if !a.has(k.is) {
			lack("is a %s", k.name)
		}
	}
	return all
}

// answers reports whether a scenario holds an operation's answer back for a
// fixed time, from a shortest one up to less than a longest.
func (a *account) answers(operation string, from, until time.Duration) bool {
	return a.has(func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool {
			return (r.Operation == operation || r.Operation == scenario.Any) && r.Wire != nil &&
				r.Wire.Delay.Fixed >= from && r.Wire.Delay.Fixed < until
		})
	})
}

func (a *account) has(fits func(*scenario.Scenario) bool) bool {
	for _, s := range a.scenarios {
		if fits(s) {
			return true
		}
	}
	return false
}

func anyRule(s *scenario.Scenario, fits func(*scenario.Rule) bool) bool {
	for i := range s.Rules {
		if fits(&s.Rules[i]) {
			return true
		}
	}
	return false
}

// A kind is a kind of scenario.
type kind struct {
	name string
	is   func(*scenario.Scenario) bool
}

// kinds are those of which each API has at least one, beside plain failures.
var kinds = []kind{
	{"brown-out, in which some calls fail by chance, late, and the others are slow", func(s *scenario.Scenario) bool {
		late := func(r *scenario.Rule) bool { return r.Wire != nil && r.Wire.Delay.Median > 0 }
		return anyRule(s, func(r *scenario.Rule) bool {
			return r.Chance > 0 && late(r) && (len(r.Outcomes) > 0 || r.Wire.Answer != nil && r.Wire.Answer.Status == http.StatusServiceUnavailable)
		}) && anyRule(s, func(r *scenario.Rule) bool { return r.Chance == 0 && late(r) })
	}},
	{"flapping service, of which failure and success take turns", func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.RepeatAll && len(r.Outcomes) > 1 })
	}},
	{"slow start, in which calls fail for some time", func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.From == 0 && r.Until > 0 })
	}},
	{"combination of states, what happens between calls, and the network", func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.Then != "" && len(r.Triggers) > 0 }) &&
			anyRule(s, func(r *scenario.Rule) bool { return r.State != "" && r.State != scenario.Initial && r.Wire != nil })
	}},
	{"lost answer, where the write has happened", func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.Wire != nil && r.Wire.When == scenario.After })
	}},
	{"success that is answered and did not happen", func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.Phantom })
	}},
}
