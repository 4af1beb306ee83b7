package contract_test

import (
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

func TestMessageFillsPlaces(t *testing.T) {
	c := &contract.Call{API: &contract.API{Fill: func(_ *contract.Call, place string) string {
		return map[string]string{"Action": "Create"}[place]
	}}}
	missing := &contract.Outcome{Name: "missing", Message: "The parameter `{Name}` of {Action} lacks {Else}, {"}
	tests := []struct {
		name string
		v    contract.Verdict
		want string
	}{
		{"from facts, then from the call, then by name", missing.Because(nil, "Name", "UserId"), "The parameter `UserId` of Create lacks Else, "},
		{"a note stands in for it", contract.Verdict{Outcome: missing, OwnMessage: "said {so}"}, "said {so}"},
		{"without places", (&contract.Outcome{Message: "plain"}).Verdict(), "plain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.v.Message(c); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	c := &contract.Call{API: &contract.API{}}
	o := &contract.Outcome{Name: "o"}
	cause := &contract.Cause{Code: "no_reservation", Text: "{UserId} holds none"}
	if got := o.Because(cause, "UserId", "u1").Explain(c); got.Cause != "no_reservation" || got.Text != "u1 holds none" {
		t.Errorf("got %+v", got)
	}
	if got := o.Verdict().Explain(c); got.Cause != "" {
		t.Errorf("got %+v", got)
	}
	long := o.Because(cause).Explained(func(*contract.Call) contract.Explanation { return contract.Explanation{Cause: "long"} })
	if got := long.Explain(c); got.Cause != "long" {
		t.Errorf("got %+v", got)
	}
}

func TestEndsListsEachOutcomeOnce(t *testing.T) {
	own, refusal, common := &contract.Outcome{Name: "own"}, &contract.Outcome{Name: "refusal"}, &contract.Outcome{Name: "common"}
	op := &contract.Operation{Name: "Op", Outcomes: []*contract.Outcome{own, common}}
	trigger := &contract.Trigger{Name: "t"}
	api := &contract.API{
		Operations: []*contract.Operation{op}, Checks: []contract.Check{{Ends: []*contract.Outcome{refusal}}},
		Common: []*contract.Outcome{common}, Triggers: []*contract.Trigger{trigger},
	}
	if got := api.Ends(op); !slices.Equal(got, []*contract.Outcome{own, common, refusal}) {
		t.Errorf("got %v", got)
	}
	if api.Outcome(nil, "own") != nil || api.Outcome(op, "own") != own || api.Outcome(op, "none") != nil {
		t.Error("Outcome finds the wrong ones")
	}
	if !api.DeclaredByCheck(refusal) || api.DeclaredByCheck(own) {
		t.Error("DeclaredByCheck finds the wrong ones")
	}
	if api.Operation("Op") != op || api.Operation("op") != nil || api.Trigger("t") != trigger || api.Trigger("T") != nil {
		t.Error("names are found inexactly")
	}
}

type counting struct {
	contract.Runtime
	n int
}

func (c *counting) CountInWindow(string, time.Duration) int { c.n++; return c.n }

func TestRateRefusesBeyondTheLimit(t *testing.T) {
	o := &contract.Outcome{Name: "tooFast", Message: "{n} of {limit}"}
	limit := contract.Limit{Key: "k", Calls: 2, Window: time.Second}
	step := contract.RateLimit(o, func(*contract.Call) contract.Limit { return limit })
	c := &contract.Call{Runtime: &counting{}, API: &contract.API{}}
	for range 2 {
		if v := step(c); !v.Pending() {
			t.Fatalf("refused too early: %v", v)
		}
	}
	if v := step(c); v.Outcome != o || v.Message(c) != "3 of 2" {
		t.Errorf("got %v", v)
	}
	limit.Calls = 0
	if v := step(c); !v.Pending() {
		t.Error("refused without a limit")
	}
}

func TestRowsLetsTheAPIJudge(t *testing.T) {
	o := &contract.Outcome{Name: "invalid"}
	step := contract.ValidateParams(func(_ *contract.Call, found []contract.Violation) contract.Verdict {
		return o.Because(nil, "n", len(found))
	})
	c := &contract.Call{Operation: &contract.Operation{Params: table}, In: contract.Values{}}
	if v := step(c); v.Outcome != o || len(c.Violations) != 1 {
		t.Errorf("got %v, %v", v, c.Violations)
	}
	c.In = contract.Values{"name": "x"}
	if v := step(c); !v.Pending() {
		t.Errorf("got %v", v)
	}
	c.Note("signature", "TC3")
	if x, ok := c.Notes.Get("signature"); !ok || x != "TC3" {
		t.Errorf("got %v", c.Notes)
	}
}

func TestDiceThrowTheSameAgain(t *testing.T) {
	throw := func(seed int64) string { return contract.NewDice(rand.NewSource(seed).(rand.Source64)).ID() }
	if first, again := throw(1), throw(1); first != again || first == throw(2) {
		t.Error("dice do not follow their seed")
	}
}

// An operation whose page prints another status ends with that one.
func TestStatus(t *testing.T) {
	o, other := &contract.Outcome{Name: "o", Status: 403}, &contract.Outcome{Name: "other", Status: 500}
	op := &contract.Operation{Statuses: map[*contract.Outcome]int{o: 400}}
	var none *contract.Operation
	if got := []int{op.Status(o), op.Status(other), none.Status(o), new(contract.Operation).Status(o)}; !slices.Equal(got, []int{400, 500, 403, 403}) {
		t.Errorf("got %v", got)
	}
}
