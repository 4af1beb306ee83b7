package conformance

import (
	"maps"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// worded walks what givens and triggers refuse: of their examples each parameter is left
// out in turn, and takes values that may be of nothing, or too much.
func worded(t *testing.T, api *contract.API) {
	w := New(t, api, Setting{})
	for _, what := range api.Givens() {
		varied(what.Params, func(in contract.Values) {
			_ = w.TryGiven(t, string(wire.Encode([]any{contract.Values{what.Name: written(in)}})))
		})
	}
	if len(api.Givens()) > 0 {
		w.Given(t, "[]")
	}
	for _, trigger := range api.Triggers {
		varied(trigger.Params, func(in contract.Values) {
			if len(contract.Validate(trigger.Params, in)) == 0 {
				_ = w.Trigger(t, trigger.Name, in)
			}
		})
	}
}

// checkWorded holds that a refusal has no place that nothing filled.
func checkWorded(t testing.TB, refusal error) {
	t.Helper()
	if refusal == nil {
		return
	}
	if place := unfilled.FindString(refusal.Error()); place != "" {
		t.Errorf("a refusal has %s, which nothing filled: %v", place, refusal)
	}
}

// varied calls f with the examples of the rows, and with those in which one is left out
// or has another value.
func varied(rows []contract.Param, f func(contract.Values)) {
	f(contract.Sample(rows))
	for i := range rows {
		p := &rows[i]
		without := contract.Sample(rows)
		delete(without, p.Name)
		f(without)
		for _, value := range oddValues(p) {
			in := maps.Clone(without)
			in[p.Name] = value
			f(in)
		}
	}
}

// written are values as a file has them.
func written(in contract.Values) contract.Values {
	for name, value := range in {
		if d, is := value.(time.Duration); is {
			in[name] = d.String()
		}
	}
	return in
}

// oddValues are values of a row that may be of nothing, or too much.
func oddValues(p *contract.Param) (all []any) {
	switch p.Type {
	case contract.String:
		for _, one := range p.OneOf {
			all = append(all, one)
		}
		return append(all, "nobody")
	case contract.Integer:
		return []any{int64(p.Min), int64(max(p.Max, 1))}
	case contract.Duration:
		return []any{time.Duration(0), aLifetime}
	case contract.Boolean:
		return []any{true, false}
	}
	return nil
}
