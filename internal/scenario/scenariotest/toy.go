// Package scenariotest has the small API that the tests of scenarios, of their
// library and of their player share.
package scenariotest

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The API, its operations and its outcomes.
var (
	Success = &contract.Outcome{Name: "success", Status: 200, Doc: "It was created.", Returns: []contract.Param{
		{Name: "id"}, {Name: "zebra"}, {Name: "inner", Type: contract.Object, Fields: []contract.Param{{Name: "size"}}},
	}}
	NoIdle        = &contract.Outcome{Name: "NotFound.NoIdle", Status: 404, Fails: true, Message: "No idle {Name}."}
	Listed        = &contract.Outcome{Name: "success", Status: 200}
	Expired       = &contract.Outcome{Name: "expired", Status: 401, Fails: true}
	InternalError = &contract.Outcome{Name: "internalError", Status: 500, Fails: true}

	Create = &contract.Operation{
		Name: "Create", Method: "POST", Path: "/create",
		Params: []contract.Param{
			{Name: "UserId", Need: contract.Required},
			{Name: "Count", Type: contract.Integer},
			{Name: "Strict", Type: contract.Boolean},
			{Name: "Page", Type: contract.Integer},
			{Name: "Media", Type: contract.Object, Fields: []contract.Param{{Name: "id"}, {Name: "size", Type: contract.Integer}}},
			{Name: "Lines", Type: contract.List, Of: contract.Object, Fields: []contract.Param{{Name: "name"}}},
			{Name: "a.b"},
		},
		Outcomes: []*contract.Outcome{Success, NoIdle},
	}
	List = &contract.Operation{
		Name: "List", Method: "GET", Path: "/list",
		Params:   []contract.Param{{Name: "Page", In: contract.Query, Type: contract.Integer}},
		Outcomes: []*contract.Outcome{Listed},
	}
	Login = &contract.Operation{Name: "Login", Path: "/login", Helper: true, Outcomes: []*contract.Outcome{Listed}}

	Toy = &contract.API{
		Name:       "toy",
		Operations: []*contract.Operation{Create, List, Login},
		Checks:     []contract.Check{{Name: "token", Ends: []*contract.Outcome{Expired}}},
		Common:     []*contract.Outcome{InternalError},
		Failure: []contract.Param{
			{Name: "zebra"}, {Name: "apple"}, {Name: "inner", Type: contract.Object}, {Name: "none"}, {Name: "text"}, {Name: "a"},
		},
		Triggers: []*contract.Trigger{{Name: "user.lost", Params: []contract.Param{
			{Name: "UserId", Need: contract.Required}, {Name: "count", Type: contract.Integer, Min: 1, Max: 5},
		}}},
	}
	Other = &contract.API{
		Name: "other", Operations: []*contract.Operation{{Name: "Create", Outcomes: []*contract.Outcome{Success}}},
	}
	APIs = []*contract.API{Toy, Other}
)

// Call is a call of the toy API at noon.
func Call(op *contract.Operation, in contract.Values) *contract.Call {
	return &contract.Call{API: Toy, Operation: op, In: in, Now: Noon}
}

// Noon is the time of tests that say no Other.
var Noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
