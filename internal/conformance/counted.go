package conformance

import (
	"slices"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// counted makes each call several times, as the emulator and as each success has it.
// Where the state becomes larger with each, its Weight does too, and the outcome in
// which the emulator ended says so.
func counted(t *testing.T, api *contract.API) {
	for _, op := range api.Operations {
		w := New(t, api, Setting{Auth: contract.Off})
		grew, ended := grows(t, w, op, "")
		if grew && !slices.ContainsFunc(ended, func(o *contract.Outcome) bool { return o.Keeps }) {
			t.Errorf("%s: the state becomes larger with each call; set Keeps of its outcome %s, so that it is refused where there is no room", op.Name, ended[0].Name)
		}
		for _, o := range op.Outcomes {
			if !o.Fails {
				grows(t, New(t, api, Setting{Auth: contract.Off}), op, o.Name)
			}
		}
	}
}

// grows reports whether the state as JSON becomes larger with each call, and lists how
// the calls ended.
func grows(t *testing.T, w *World, op *contract.Operation, outcome string) (grew bool, ended []*contract.Outcome) {
	t.Helper()
	const times, least = 8, 16 // bytes; counters and times become longer by less
	call := func() {
		r := w.Request(t, op, contract.Sample(op.Params))
		if outcome != "" {
			r.Header.Set(gateway.OutcomeHeader, outcome)
		}
		w.Send(r)
		ended = append(ended, w.API.Outcome(op, w.Last(t).Outcome))
	}
	call() // what is there once is there
	before, counted := len(w.snapshot(t)), w.Registry.StateLoad().Held
	for range times {
		call()
	}
	after, now := len(w.snapshot(t)), w.Registry.StateLoad().Held
	grew = after-before >= times*least
	if more := now - counted; grew && more < times*least {
		t.Errorf("%s/%s: after %d calls the state is %d bytes longer as JSON, and its Weight %d; State has to be a contract.Weighed that counts what calls add",
			op.Name, outcome, times, after-before, more)
	}
	return grew, ended
}
