package engine

import (
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// The headers by which a request calls for its own outcome, and names a scenario
// for itself. The answer's OutcomeHeader says how the call ended.
const (
	OutcomeHeader  = "Understudy-Outcome"
	ScenarioHeader = "Understudy-Scenario"
)

// An UnknownOutcomeError says that a request calls for an outcome in which its
// operation cannot end.
type UnknownOutcomeError struct {
	API, Operation, Outcome string
	Known                   []string
}

func (e *UnknownOutcomeError) Error() string {
	what := e.Operation + " of " + e.API
	if e.Operation == "" {
		what = "a request to " + e.API + " that names no operation"
	}
	return fmt.Sprintf("%s cannot end in %q; its documented outcomes: %s", what, e.Outcome, strings.Join(e.Known, ", "))
}

// A ScenarioError says why the scenario that a request names cannot be played to
// it.
type ScenarioError struct{ text string }

func (e *ScenarioError) Error() string { return e.text }

// checkRequested finds the outcome that the request calls for, and holds the
// scenario that it names against it.
func (x *Exchange) checkRequested() error {
	if x.RequestedOutcome != "" {
		if x.requested = x.findOutcome(x.RequestedOutcome); x.requested == nil {
			return x.unknownOutcome()
		}
	}
	s, api := x.RequestedScenario, x.call.API.Name
	switch {
	case s == nil:
		return nil
	case x.requested != nil:
		return &ScenarioError{fmt.Sprintf("the request calls for the outcome %s and for the scenario %s; leave one of the headers %s and %s",
			x.requested.Name, s.FullName(), OutcomeHeader, ScenarioHeader)}
	case s.API != api && s.API != scenario.Everywhere:
		return &ScenarioError{fmt.Sprintf("the scenario %s is about %s, and the request is to %s; name one of %[3]s", s.FullName(), s.API, api)}
	}
	return nil
}

// findOutcome finds an outcome of the call's operation by its short or its full
// name.
func (x *Exchange) findOutcome(name string) *contract.Outcome {
	if op := x.call.Operation; op != nil {
		name = strings.TrimPrefix(name, x.call.API.Name+"/"+op.Name+"/")
	}
	return x.call.API.Outcome(x.call.Operation, name)
}

func (x *Exchange) unknownOutcome() error {
	api, op := x.call.API, x.call.Operation
	err := &UnknownOutcomeError{API: api.Name, Outcome: x.RequestedOutcome}
	if op != nil {
		err.Operation = op.Name
	}
	for _, o := range api.Ends(op) {
		err.Known = append(err.Known, o.Name)
	}
	return err
}
