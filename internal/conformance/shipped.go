package conformance

import (
	"path"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/scenarios"
)

// Shipped runs a parallel test for each scenario that ships for api, with what the
// scenario's name stands for in plays, in a default world where it is not yet on. A
// file without an entry fails, and so
// does an entry without a file.
func Shipped[V any](t *testing.T, api *contract.API, plays map[string]V, run func(*testing.T, *World, V)) {
	t.Helper()
	files, err := folder{scenarios.Files, api.Name}.Glob("")
	if err != nil {
		t.Fatal(err)
	}
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
			run(t, New(t, api, Setting{}), play)
		})
	}
	for name := range plays {
		if !ships[name] {
			t.Errorf("%s/%s does not ship", api.Name, name)
		}
	}
}

// Activate switches a shipped scenario of the world's API on, by its name
// without the API's.
func (w *World) Activate(t testing.TB, name string) {
	t.Helper()
	s, err := w.find(w.API.Name + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	w.Sandbox.Player.On(s, scenario.Narrow{})
}

// find finds a scenario that ships for the world's API, or that an outcome is.
func (w *World) find(name string) (*scenario.Scenario, error) {
	l := scenario.NewLibrary([]*contract.API{w.API})
	if err := l.Add(folder{scenarios.Files, w.API.Name}, "shipped"); err != nil {
		return nil, err
	}
	return l.Find(name)
}
