package engine

import (
	"fmt"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// ScenarioHeader is the header by which a request names a scenario for itself.
const ScenarioHeader = "Understudy-Scenario"

// A StrangeScenarioError tells that a request named a scenario which cannot be
// played to it.
type StrangeScenarioError struct{ text string }

func (e *StrangeScenarioError) Error() string { return e.text }

// fits holds the scenario that the request names against the request.
func (w *walk) fits(s *scenario.Scenario) error {
	switch {
	case s == nil:
		return nil
	case w.asked != nil:
		return &StrangeScenarioError{fmt.Sprintf("the request calls for the outcome %s and for the scenario %s; leave one of the headers %s and %s",
			w.asked.Name, s.FullName(), OutcomeHeader, ScenarioHeader)}
	case s.API != w.API.Name && s.API != scenario.Everywhere:
		return &StrangeScenarioError{fmt.Sprintf("the scenario %s is about %s, and the request is to %s; name one of %[3]s",
			s.FullName(), s.API, w.API.Name)}
	}
	return nil
}

// pretend has the outcome be carried out on a copy of the world, which is thrown
// away: the answer is that of a success, and nothing has changed.
func (w *walk) pretend() {
	world, err := w.visit.Instance.Copy(w.State)
	if err != nil {
		panic("engine: " + w.API.Name + ": copying the world for a phantom: " + err.Error())
	}
	w.state, w.State, w.Runtime = world, world, stage{w}
}

// stage is the house of an outcome that is told and not carried out: what it
// issues leads nowhere.
type stage struct{ *walk }

func (stage) Issue(string)  {}
func (stage) Forget(string) {}

// pull pulls a trigger that a rule has happen after the call. What stands in
// its way stands in the journal, since no client is to be told.
func (w *walk) pull(t *scenario.Trigger) {
	trigger := w.API.Trigger(t.Name)
	if trigger == nil {
		return // a scenario that was not read against these tables
	}
	in := t.Fill(trigger.Params, w.In)
	happened := "happened"
	if found := contract.Validate(trigger.Params, in); len(found) > 0 {
		happened = fmt.Sprintf("did not happen: %s is %s", found[0].Path, found[0].Rule)
	} else if callbacks, err := w.visit.Instance.TriggerLocked(trigger, in, w.Now); err != nil {
		happened = "did not happen: " + err.Error()
	} else {
		w.Callbacks = append(w.Callbacks, callbacks...)
	}
	w.Note("trigger "+t.Name, happened)
}

// carried tells what a scenario had the network do.
func (w *walk) carried() *journal.Wire {
	told := &journal.Wire{Undone: w.undone(), Phantom: w.phantom}
	if w.wire != nil {
		told.DelayMS, told.Bandwidth = w.delay.Milliseconds(), w.wire.Bandwidth
		told.Fault, told.Answered = string(w.wire.Fault), w.wire.Answer != nil
	}
	return told
}

// passedOver tells which rules did not fit. It keeps nothing of the walk, which
// is much larger than what it needs.
type passedOver struct{ *scenario.Passing }

// List puts into words what did not fit.
func (p passedOver) List() []journal.Mismatch {
	list, more := p.Passing.List()
	told := make([]journal.Mismatch, 0, len(list)+1)
	for _, p := range list {
		told = append(told, journal.Mismatch{Scenario: p.Scenario, Rule: p.Rule, Why: p.Why})
	}
	if more > 0 {
		told = append(told, journal.Mismatch{Why: fmt.Sprintf("%d more rules did not fit", more)})
	}
	return told
}
