package conformance

import (
	"maps"
	"slices"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/verify"
	"github.com/understudy-suite/understudy/internal/wire"
)

// verifiable checks that a call that a client library would make is found by each plain
// parameter that it had, and that another value of one is told apart from it.
func verifiable(t *testing.T, api *contract.API) {
	var setting Setting
	if len(New(t, api, setting).Credentials(t)) == 0 {
		setting.Auth = contract.Off // nobody is known who could sign
	}
	held := 0
	for _, op := range api.Operations {
		w := New(t, api, setting)
		w.Send(w.Request(t, op, contract.Sample(op.Params)))
		e := w.Last(t)
		in, _ := e.Request.Decoded.(contract.Values)
		for _, name := range slices.Sorted(maps.Keys(in)) {
			key, plain := scenario.KeyOf(in[name])
			if !plain || contract.FindParam(op.Params, name) == nil {
				continue
			}
			held++
			where := contract.Values{name: key.String()}
			check := contract.Values{"api": api.Name, "operation": op.Name, "outcome": e.Outcome, "where": where, "count": contract.Values{"exactly": 1}}
			if r := w.verify(t, check); r.Verdict != verify.Holds {
				t.Errorf("%s is not found by %s=%v, which it had: %+v", op.Name, name, in[name], r.Checks[0])
			}
			where[name] = key.String() + "x"
			r := w.verify(t, check)
			if r.Verdict != verify.Fails || len(r.Checks[0].Nearest) != 1 || len(r.Checks[0].Nearest[0].Differs) != 1 || r.Checks[0].Nearest[0].Differs[0].What != name {
				t.Errorf("%s is not told apart from one with %s=%v: %+v", op.Name, name, where[name], r.Checks[0])
			}
		}
	}
	if held == 0 {
		t.Error("no call has a plain parameter")
	}
}

// verify holds one check against what the world observed.
func (w *World) verify(t *testing.T, check contract.Values) *verify.Report {
	t.Helper()
	names := verify.Names{APIs: []*contract.API{w.API}, Entry: w.Sandbox.Journal.Number}
	checks, err := verify.Parse("check", wire.Encode(check), names)
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Run(t.Context(), checks, &verify.World{Sandbox: w.Sandbox.Name, APIs: names.APIs, Journal: w.Sandbox.Journal.Evidence()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
