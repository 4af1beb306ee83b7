package scenario_test

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// The API that these tests are played on.
var (
	success = &contract.Outcome{Name: "success", Status: 200, Doc: "It was created.", Returns: []contract.Param{
		{Name: "id"}, {Name: "zebra"}, {Name: "inner", Type: contract.Object, Fields: []contract.Param{{Name: "size"}}},
	}}
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
			{Name: "Media", Type: contract.Object, Fields: []contract.Param{{Name: "id"}, {Name: "size", Type: contract.Integer}}},
			{Name: "Lines", Type: contract.List, Of: contract.Object, Fields: []contract.Param{{Name: "name"}}},
			{Name: "a.b"},
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
		Checks:     []contract.Check{{Name: "token", Ends: []*contract.Outcome{expired}}},
		Common:     []*contract.Outcome{internalError},
		Failure: []contract.Param{
			{Name: "zebra"}, {Name: "apple"}, {Name: "inner", Type: contract.Object}, {Name: "none"}, {Name: "text"}, {Name: "a"},
		},
		Triggers: []*contract.Trigger{{Name: "user.lost", Params: []contract.Param{
			{Name: "UserId", Need: contract.Required}, {Name: "count", Type: contract.Integer, Min: 1, Max: 5},
		}}},
	}
	other = &contract.API{
		Name: "other", Operations: []*contract.Operation{{Name: "Create", Outcomes: []*contract.Outcome{success}}},
	}
	apis = []*contract.API{toy, other}
)

func call(op *contract.Operation, in contract.Values) *contract.Call {
	return &contract.Call{API: toy, Operation: op, In: in, Now: noon}
}

// noon is the time of tests that say no other.
var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func newPlayer() *scenario.Player {
	return scenario.NewPlayer(apis, 1, func() time.Time { return noon })
}
