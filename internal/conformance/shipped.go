package conformance

import (
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/scenarios"
)

// Demands say what has to be among the scenarios that ship for an API, beside
// one of each of the kinds.
type Demands struct {
	// Failures are operations: some file plays each failure that is documented
	// for them, those of the Door and those common to all included, and some file
	// has them fail at first and succeed then.
	Failures []string

	// Patience is how long clients are documented to wait for an operation's
	// answer: some file answers just in time, and some just too late.
	Patience map[string][]time.Duration
}

// Shipped runs a parallel test for each scenario that ships for api, with what the
// scenario's name stands for in plays, in a default world where it is not yet on. A
// file without an entry fails, and so does an entry without a file. Each run has to
// make a call before the scenario decides any, one that it decides, and one that it
// does not decide any more; all runs together have to meet the demands.
func Shipped[V any](t *testing.T, api *contract.API, plays map[string]V, demands Demands, run func(*testing.T, *World, V)) {
	t.Helper()
	files, err := folder{scenarios.Files, []string{api.Name}}.Glob("")
	if err != nil {
		t.Fatal(err)
	}
	told := &account{failures: map[ending]bool{}, recoveries: map[string]bool{}}
	t.Cleanup(func() { // when the parallel tests are over
		if told.runs == len(files) {
			told.meet(t, api, demands)
		}
	})
	ships := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		ships[name] = true
		play, known := plays[name]
		if !known {
			t.Errorf("%s has no entry here: say what a client sees", file)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := New(t, api, Setting{})
			run(t, w, play)
			told.add(t, w, name)
		})
	}
	for name := range plays {
		if !ships[name] {
			t.Errorf("%s/%s does not ship", api.Name, name)
		}
	}
}

// An account is kept of what clients saw in all runs.
type account struct {
	mu         sync.Mutex
	runs       int
	scenarios  []*scenario.Scenario
	failures   map[ending]bool // that a scenario brought about
	recoveries map[string]bool // operations that failed by a scenario and then succeeded without it
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
			continue // which the emulators' own conformance tells
		}
		switch broken := e.Wire != nil && (e.Wire.Answered || e.Wire.Fault != ""); {
		case e.DecidedBy.Scenario == s.FullName() && (o.Fails || broken):
			failed[e.Operation] = true
			if e.DecidedBy.Kind == journal.Scenario {
				a.failures[ending{e.Operation, o.Name}] = true
			}
		case e.DecidedBy.Scenario == "" && !o.Fails && failed[e.Operation]:
			a.recoveries[e.Operation] = true
		}
		for _, n := range e.Notes {
			if strings.HasPrefix(n.Name, "trigger ") && n.Value == "happened" {
				a.triggers++
			}
		}
	}
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

// meet holds the account against the demands.
func (a *account) meet(t *testing.T, api *contract.API, demands Demands) {
	t.Helper()
	for _, name := range demands.Failures {
		for _, o := range api.Ends(api.Operation(name)) {
			if o.Fails && o.Cite != "" && !a.failures[ending{name, o.Name}] {
				t.Errorf("no scenario of %s plays %s/%s, which is documented", api.Name, name, o.Name)
			}
		}
		if !a.recoveries[name] {
			t.Errorf("no scenario of %s has %s fail at first and succeed then", api.Name, name)
		}
	}
	for name, limits := range demands.Patience {
		for _, limit := range limits {
			if !a.answers(name, limit-limit/10, limit) || !a.answers(name, limit+1, limit+limit/4) {
				t.Errorf("clients of %s wait %s for %s; a scenario that answers just before was expected, and one just after", api.Name, limit, name)
			}
		}
	}
	if a.triggers == 0 {
		t.Errorf("no scenario of %s has something happen between two calls", api.Name)
	}
	for kind, has := range kinds {
		if !a.has(has) {
			t.Errorf("no scenario of %s is a %s", api.Name, kind)
		}
	}
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

// kinds are those of which each API has at least one, beside plain failures.
var kinds = map[string]func(*scenario.Scenario) bool{
	"brown-out, in which some calls fail by chance, late, and the others are slow": func(s *scenario.Scenario) bool {
		late := func(r *scenario.Rule) bool { return r.Wire != nil && r.Wire.Delay.Median > 0 }
		return anyRule(s, func(r *scenario.Rule) bool {
			return r.Chance > 0 && late(r) && (len(r.Outcomes) > 0 || r.Wire.Answer != nil && r.Wire.Answer.Status == 503)
		}) && anyRule(s, func(r *scenario.Rule) bool { return r.Chance == 0 && late(r) })
	},
	"flapping, in which failure and success take turns": func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.Again && len(r.Outcomes) > 1 })
	},
	"slow start, in which calls fail for some time": func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.From == 0 && r.Until > 0 })
	},
	"combination of states, what happens between calls, and the network": func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.Then != "" && len(r.Triggers) > 0 }) &&
			anyRule(s, func(r *scenario.Rule) bool { return r.State != "" && r.State != scenario.Initial && r.Wire != nil })
	},
	"lost answer, where the write has happened": func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.Wire != nil && r.Wire.When == scenario.After })
	},
	"success that is told and did not happen": func(s *scenario.Scenario) bool {
		return anyRule(s, func(r *scenario.Rule) bool { return r.Phantom })
	},
}

// BrownOut makes 200 calls in a world where a brown-out is on: about one in ten
// fails, none at once, and no two tenths of a second hold all delays.
func BrownOut(t testing.TB, call func() *journal.Entry) {
	t.Helper()
	failed, delays := 0, map[int64]bool{}
	for range 200 {
		e := call()
		if e.Wire == nil || e.Wire.DelayMS == 0 {
			t.Fatalf("%s comes at once", e.Outcome)
		}
		delays[e.Wire.DelayMS/100] = true
		if e.DecidedBy.Kind == journal.Scenario || e.Wire.Answered && e.Status == http.StatusServiceUnavailable {
			failed++
		}
	}
	if failed < 8 || failed > 35 || len(delays) < 5 {
		t.Errorf("%d of 200 calls failed, with delays of %d kinds; about 20 were expected, spread", failed, len(delays))
	}
}

// Activate switches a shipped scenario on: one of the world's API by its name
// without the API's, any other by its full name.
func (w *World) Activate(t testing.TB, name string) {
	t.Helper()
	if !strings.Contains(name, "/") {
		name = w.API.Name + "/" + name
	}
	s, err := w.find(name)
	if err != nil {
		t.Fatal(err)
	}
	w.Sandbox.Player.On(s, scenario.Narrow{})
}

// find finds a scenario that ships for the world's API or for all, or that an
// outcome is.
func (w *World) find(name string) (*scenario.Scenario, error) {
	l := scenario.NewLibrary([]*contract.API{w.API})
	if err := l.Add(folder{scenarios.Files, []string{w.API.Name, scenario.Everywhere}}, "shipped"); err != nil {
		return nil, err
	}
	return l.Find(name)
}
