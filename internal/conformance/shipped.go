package conformance

import (
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
	"github.com/understudy-suite/understudy/scenarios"
)

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
	seen := &account{failures: map[ending]bool{}, recoveries: map[string]bool{}}
	t.Cleanup(func() { // when the parallel tests are over
		if seen.runs < len(files) {
			return // some were left out, or failed
		}
		for _, what := range seen.lacks(api, demands) {
			t.Error(what)
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
			seen.add(t, w, name)
		})
	}
	for name := range plays {
		if !ships[name] {
			t.Errorf("%s/%s does not ship", api.Name, name)
		}
	}
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
	w.Sandbox.Player.On(s, scenario.Options{})
}

// find finds a scenario that ships for the world's API or for all, or that an
// outcome is.
func (w *World) find(name string) (*scenario.Scenario, error) {
	if l, read := libraries.Load(w.API); read {
		return l.(*library.Library).Find(name)
	}
	l := library.New([]*contract.API{w.API})
	if err := l.Add(folder{scenarios.Files, []string{w.API.Name, scenario.Everywhere}}, "shipped"); err != nil {
		return nil, err
	}
	libraries.Store(w.API, l)
	return l.Find(name)
}

// libraries holds the scenarios that ship, by API.
var libraries sync.Map
