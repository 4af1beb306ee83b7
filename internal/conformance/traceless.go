package conformance

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// traceless plays each success so that it does not happen, in a world where it
// has happened before: as a phantom, or lost on the way to the service. The state
// and the callbacks stay as they were.
func traceless(t *testing.T, api *contract.API) {
	for _, op := range api.Operations {
		for _, o := range op.Outcomes {
			if o.Fails {
				continue
			}
			for _, how := range []string{"phantom: true", "wire: {fault: reset}", "wire: {answer: {status: 502}}"} {
				w := New(t, api, Setting{Auth: contract.Off})
				w.Play(t, op, o)
				w.Send(w.Request(t, op, contract.Sample(op.Params)))
				before, sent := w.snapshot(t), len(w.Callbacks())
				w.Sandbox.Player.On(only(t, api, op, o, how), scenario.Options{})
				if e := w.Glance(t, w.Request(t, op, contract.Sample(op.Params))); e.Outcome != o.Name || e.DecidedBy.Scenario != api.Name+"/only" {
					t.Errorf("%s/%s with %s ended in %s, decided by %s", op.Name, o.Name, how, e.Outcome, e.DecidedBy.Kind)
				}
				if after := w.snapshot(t); after != before || len(w.Callbacks()) != sent {
					t.Errorf("%s/%s with %s: %d callbacks, and the state was\n%s\nand is\n%s", op.Name, o.Name, how, len(w.Callbacks())-sent, before, after)
				}
			}
		}
	}
}

// only is a scenario of one rule.
func only(t *testing.T, api *contract.API, op *contract.Operation, o *contract.Outcome, how string) *scenario.Scenario {
	t.Helper()
	text := "scenario: only\napi: " + api.Name + "\nrules:\n  - {operation: " + op.Name + ", outcome: " + o.Name + ", " + how + "}\n"
	s, err := scenario.Parse("only.yaml", []byte(text), []*contract.API{api})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// snapshot returns the world's state as JSON.
func (w *World) snapshot(t *testing.T) string {
	t.Helper()
	state, err := w.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(state)
}
