package scenario_test

import (
	"github.com/understudy-suite/understudy/internal/contract"
)

// The API that these tests are played on.
var (
	success       = &contract.Outcome{Name: "success", Status: 200, Doc: "It was created."}
	noIdle        = &contract.Outcome{Name: "NotFound.NoIdle", Status: 404, Fails: true, Message: "No idle {Name}."}
	listed        = &contract.Outcome{Name: "success", Status: 200}
	expired       = &contract.Outcome{Name: "expired", Status: 401, Fails: true}
	internalError = &contract.Outcome{Name: "internalError", Status: 500, Fails: true}

	create = &contract.Operation{
		Name: "Create", Method: "POST", Path: "/create",
		Params: []contract.Param{
			{Name: "UserId", Need: contract.Required},
			{Name: "Count", Type: contract.Integer},
			{Name: "Strict", Type: contract.Boolean},
			{Name: "Page", Type: contract.Integer},
		},
		Outcomes: []*contract.Outcome{success, noIdle},
	}
	list = &contract.Operation{
		Name: "List", Method: "GET", Path: "/list",
		Params:   []contract.Param{{Name: "Page", In: contract.Query, Type: contract.Integer}},
		Outcomes: []*contract.Outcome{listed},
	}
	login = &contract.Operation{Name: "Login", Path: "/login", Helper: true, Outcomes: []*contract.Outcome{listed}}

	toy = &contract.API{
		Name:       "toy",
		Operations: []*contract.Operation{create, list, login},
		Door:       []contract.Step{{Name: "token", Ends: []*contract.Outcome{expired}}},
		Common:     []*contract.Outcome{internalError},
	}
	other = &contract.API{
		Name: "other", Operations: []*contract.Operation{{Name: "Create", Outcomes: []*contract.Outcome{success}}},
	}
	apis = []*contract.API{toy, other}
)

func call(op *contract.Operation, in contract.Values) *contract.Call {
	return &contract.Call{API: toy, Operation: op, In: in}
}
