package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// ofEachKind is a scenario of each kind, and two that answer just before and just
// after five seconds.
const ofEachKind = `
scenario: all-kinds
api: toy
rules:
  - {operation: DropParcel, chance: 0.1, outcome: broken, wire: {delay: {median: 1s, sigma: 1}}}
  - {operation: DropParcel, state: strange, wire: {delay: {median: 1s, sigma: 1}}}
  - {operation: DropParcel, outcomes: [broken, emulator], repeat: all, until: 1m}
  - {operation: DropParcel, times: 1, then: strange, trigger: {parcel.lost: {parcel: "1"}}}
  - {operation: DropParcel, times: 1, wire: {fault: reset, when: after}}
  - {operation: DropParcel, times: 1, outcome: success, phantom: true}
  - {operation: "*", times: 1, wire: {delay: 4900ms}}
  - {operation: DropParcel, wire: {delay: 5100ms}}
`

// What no scenario has is reported, and nothing else.
func TestDemands(t *testing.T) {
	t.Parallel()
	api := toy.New()
	refused := &contract.Outcome{Name: "refused", Fails: true, Status: 400, Cite: "toy 2"}
	op := api.Operation("DropParcel")
	op.Outcomes = append(op.Outcomes, refused)
	demands := Demands{Failures: []string{op.Name}, Patience: map[string][]time.Duration{op.Name: {5 * time.Second}}}

	none := (&account{}).lacks(api, demands)
	wanted := []string{"plays DropParcel/refused", "fail at first", "just before the 5s", "just after the 5s", "between two calls"}
	for _, k := range kinds {
		wanted = append(wanted, "is a "+k.name)
	}
	for _, want := range wanted {
		if !slices.ContainsFunc(none, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("that no scenario %q is not reported", want)
		}
	}
	if len(none) != len(wanted) {
		t.Errorf("got %q", none)
	}

	s, err := library.New([]*contract.API{api}).Put("", []byte(ofEachKind))
	if err != nil {
		t.Fatal(err)
	}
	all := &account{
		scenarios: []*scenario.Scenario{s}, failures: map[ending]bool{{op.Name, "refused"}: true},
		recoveries: map[string]bool{op.Name: true}, triggers: 1,
	}
	if left := all.lacks(api, demands); len(left) > 0 {
		t.Errorf("got %q", left)
	}
	if early := all.lacks(api, Demands{Patience: map[string][]time.Duration{op.Name: {time.Minute}}}); len(early) != 2 {
		t.Errorf("got %q", early)
	}
}

// A run frames what the scenario decides with what it does not.
func TestFramed(t *testing.T) {
	t.Parallel()
	for runs, want := range map[string]bool{"-": false, "s": false, "-s": false, "s-": false, "-s-": true, "-s-s-": true, "---": false} {
		var entries []journal.Entry
		for _, by := range runs {
			e := journal.Entry{}
			if by == 's' {
				e.DecidedBy.Scenario = "toy/s"
			}
			entries = append(entries, e)
		}
		if framed(entries, "toy/s") != want {
			t.Errorf("%q: got %v", runs, !want)
		}
	}
}
