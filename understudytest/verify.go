package understudytest

import (
	"context"
	"encoding/json"
	"testing"
	"time"
)

// A Check is what Sandbox.Verify holds against the calls that came: Call, Order or
// Expectations.
type Check interface {
	check() map[string]any // as the control API has it
}

// A Call says which calls there should be. What is left out may be anything.
type Call struct {
	Name      string // what failures call it
	API       string
	Operation string
	Outcome   string
	Where     map[string]any // by parameter, as Rule.Where has it
	DecidedBy string         // emulator, header, check, "check signature", scenario, "scenario tencentcar/no-idle rule 1"
	Since     string         // the ID of the call after which the check begins
	Count     Count          // how many; zero: at least one
}

// A Count is how many calls there should be.
type Count struct{ limits map[string]int }

// Exactly is n calls.
func Exactly(n int) Count { return Count{map[string]int{"exactly": n}} }

// AtLeast is n calls or more.
func AtLeast(n int) Count { return Count{map[string]int{"at_least": n}} }

// AtMost is n calls or fewer.
func AtMost(n int) Count { return Count{map[string]int{"at_most": n}} }

func (c Call) check() map[string]any {
	m := members("name", c.Name, "api", c.API, "operation", c.Operation, "outcome", c.Outcome, "decided_by", c.DecidedBy, "since", c.Since)
	if len(c.Where) > 0 {
		m["where"] = c.Where
	}
	if c.Count.limits != nil {
		m["count"] = c.Count.limits
	}
	return m
}

// An Order says that calls came one after the other, whatever came between.
type Order struct {
	Name   string // what failures call it
	API    string
	Calls  []Call        // with API, Operation, Outcome, Where and DecidedBy
	By     string        // the parameter for each value of which the order holds; "": for all calls together
	Within time.Duration // the longest time from each call to the next, by the wall clock
	After  time.Duration // the shortest
	Since  string        // the ID of the call after which the check begins
}

func (o Order) check() map[string]any {
	m := members("name", o.Name, "api", o.API, "by", o.By, "since", o.Since)
	calls := []any{}
	for _, c := range o.Calls {
		calls = append(calls, c.check())
	}
	m["order"] = calls
	if o.Within != 0 {
		m["within"] = o.Within.String()
	}
	if o.After != 0 {
		m["after"] = o.After.String()
	}
	return m
}

// Expectations says that every rule with an expected count decided as often: those of
// Rule.Expect, and those of scenario files.
type Expectations struct{}

func (Expectations) check() map[string]any { return map[string]any{"expectations": true} }

// members are those with a value, of names and values that alternate.
func members(pairs ...string) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

// Verify holds checks against the calls of the sandbox. Where one does not hold it fails t
// with the calls that came closest and what differed, and returns false. Without checks it
// holds Expectations.
func (b *Sandbox) Verify(t testing.TB, checks ...Check) bool {
	t.Helper()
	if len(checks) == 0 {
		checks = []Check{Expectations{}}
	}
	all := make([]any, len(checks))
	for i, c := range checks {
		all[i] = c.check()
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Errorf("the checks cannot be written as JSON: %v", err)
		return false
	}
	verdict, report, err := b.control.Verify(context.Background(), text, "text")
	switch {
	case err != nil:
		t.Errorf("sandbox %s: %s", b.Name, b.said(err))
	case verdict != "holds":
		t.Errorf("sandbox %s: not all checks hold\n%s", b.Name, report)
	default:
		return true
	}
	return false
}
