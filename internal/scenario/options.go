package scenario

import (
	"errors"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// OptionKeys are the keys of Options in a request.
var OptionKeys = []string{"times", "skip", "where", "for", "wire"}

// Options narrow one activation of a scenario. Zero values narrow nothing.
type Options struct {
	Times int           // how many calls the scenario decides, over all of its rules
	Skip  int           // how many calls that fit a rule pass before
	Where []Condition   // must hold beside each rule's own
	For   time.Duration // how long it is on, by the sandbox's clock
	Wire  *Wire         // laid over each rule's own
	Text  string        // the JSON that they were read from
}

// ParseOptions reads the options of an activation, and checks its conditions
// against the operations of all rules of the scenario. Its error has every fault
// once.
func ParseOptions(of *Scenario, text []byte, apis []*contract.API) (Options, error) {
	var n Options
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
	m := document.Fields(r.faults, root, "what narrows a scenario", OptionKeys...)
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
		return Options{}, dropRepeated(err)
	}
	n.Text = string(text)
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
