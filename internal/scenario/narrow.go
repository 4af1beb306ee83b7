package scenario

import (
	"errors"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// NarrowKeys are the keys of what narrows an activation.
var NarrowKeys = []string{"times", "skip", "where", "for", "wire"}

// Narrow narrows an activation. Zero values narrow nothing.
type Narrow struct {
	Times int           // how many calls the scenario decides, over all of its rules
	Skip  int           // how many calls that fit a rule pass before
	Where []Condition   // must hold beside each rule's own
	For   time.Duration // how long it is on, by the sandbox's clock
	Wire  *Wire         // laid over each rule's own
}

// ParseNarrow reads by what an activation of a scenario is narrowed, and holds
// its conditions against what each of the scenario's rules is about. Its error
// has every fault once.
func ParseNarrow(of *Scenario, text []byte, apis []*contract.API) (Narrow, error) {
	var n Narrow
	root, err := document.Parse("body", text)
	if err != nil {
		return n, err
	}
	r := reader{faults: document.NewFaults("body"), apis: apis, all: of.API == Everywhere}
	for _, api := range apis {
		if api.Name == of.API {
			r.api = api
		}
	}
	m := document.Fields(r.faults, root, "what narrows a scenario", NarrowKeys...)
	if x := m["times"]; x != nil {
		n.Times = r.atLeast(x, "times", 1, "; leave it out for no end")
	}
	if x := m["skip"]; x != nil {
		n.Skip = r.atLeast(x, "skip", 0, "")
	}
	if x := m["for"]; x != nil {
		n.For = r.duration(x, "for")
	}
	if x := m["wire"]; x != nil {
		n.Wire = r.wire(x)
	}
	if x := m["where"]; x != nil {
		n.Where = r.forEach(of, x)
	}
	if err := r.faults.Err(); err != nil {
		return Narrow{}, dropRepeated(err)
	}
	return n, nil
}

// forEach reads conditions as if each rule of the scenario had them.
func (r *reader) forEach(of *Scenario, n *yaml.Node) (where []Condition) {
	for _, name := range of.Operations() {
		t := target{name: name, known: r.api != nil}
		if r.api != nil && name != Any {
			t.op = r.api.Operation(name)
			t.known = t.op != nil
		}
		where = r.where(n, t)
	}
	return where
}

// dropRepeated removes errors of equal text.
func dropRepeated(err error) error {
	several, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // what is wrapped singly is one error
	if !ok {
		return err
	}
	var all []error
	seen := map[string]bool{}
	for _, e := range several.Unwrap() {
		if text := e.Error(); !seen[text] {
			seen[text] = true
			all = append(all, e)
		}
	}
	return errors.Join(all...)
}
