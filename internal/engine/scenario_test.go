package engine_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// state returns the toy's state as JSON.
func (b *rig) state() string {
	b.t.Helper()
	instance, err := b.registry.Find(sandbox.Default).Instance(b.api)
	if err != nil {
		b.t.Fatal(err)
	}
	state, err := instance.Snapshot()
	if err != nil {
		b.t.Fatal(err)
	}
	return string(state)
}

func TestWhenTheWireBreaks(t *testing.T) {
	tests := []struct {
		wire string
		done bool
	}{
		{"fault: reset, when: after", true},
		{"fault: empty, when: after", true},
		{"fault: stall, when: after", true},
		{"answer: {status: 502}, when: after", true},
		{"fault: reset, when: before", false},
		{"answer: {status: 502}, when: before", false},
		{"fault: truncate, when: after", true},
	}
	for _, tt := range tests {
		t.Run(tt.wire, func(t *testing.T) {
			b := newRig(t, contract.Off)
			b.play("- {operation: DropParcel, wire: {" + tt.wire + "}}")
			a := b.serve("DropParcel", `{"content":"x"}`, "")
			if done := strings.Contains(b.state(), `"x"`); done != tt.done || a.Entry.Wire.Undone == tt.done {
				t.Errorf("done %t, entry has %+v", done, a.Entry.Wire)
			}
			a.Close(0, journal.Faulted)
			if again := b.serve("DropParcel", `{"content":"x"}`, "busy"); again.Entry.Outcome != "busy" {
				t.Errorf("got %s", again.Entry.Outcome)
			}
		})
	}
}

// A phantom answers as a success does and leaves the state as it was: nothing is
// kept, no identifier leads anywhere, and what lasts as long as the call ends on
// the copy.
func TestPhantom(t *testing.T) {
	b := newRig(t, contract.Off)
	real := b.serve("DropParcel", `{"content":"real"}`, "")
	real.Close(0, journal.Sent)
	before := b.state()
	b.play("- {operation: DropParcel, times: 1, outcome: success, phantom: true}\n- {operation: Register, outcome: success, phantom: true}\n- {operation: DropParcel, times: 1, phantom: true}")
	for i := range 2 {
		a := b.serve("DropParcel", `{"content":"ghost"}`, "")
		a.Close(0, journal.Sent)
		if a.Response.Status != 200 || !strings.Contains(string(a.Response.Body), `"parcel":"`) || !a.Entry.Wire.Phantom {
			t.Errorf("call %d: got %d %s, %+v", i, a.Response.Status, a.Response.Body, a.Entry.Wire)
		}
	}
	token := strings.TrimPrefix(b.serve("Register", "", "").Response.Header.Get("Location"), "/clients/")
	if after := b.state(); token == "" || after != before {
		t.Errorf("the world was\n%s and is\n%s", before, after)
	}
	if cmp.Or(b.registry.ByIdentifier(b.api, func() []string { return []string{token} })) != nil {
		t.Error("an identifier of a phantom answer finds a sandbox")
	}
	if last := b.serve("DropParcel", `{"content":"real"}`, ""); last.Entry.Outcome != "success" || last.Entry.DecidedBy.Kind != journal.Emulator {
		t.Errorf("after the phantoms: got %s by %s", last.Entry.Outcome, last.Entry.DecidedBy.String())
	}
}

func TestTriggersOfRules(t *testing.T) {
	b := newRig(t, contract.Off)
	a := b.serve("DropParcel", `{"content":"books"}`, "")
	a.Close(0, journal.Sent)
	var described struct{ Parcel string }
	if err := json.Unmarshal(a.Response.Body, &described); err != nil {
		t.Fatal(err)
	}
	b.play("- {operation: GetParcel, skip: 1, trigger: {parcel.lost: {}}}\n- {operation: Page, trigger: {parcel.lost: {parcel: p-0}}}")
	get := func() *engine.Exchange {
		x := b.exchange("GetParcel", "", "")
		x.Request.Path = map[string]string{"parcel": described.Parcel}
		if err := engine.Serve(x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	for i, want := range []struct{ outcome, note string }{
		{"success", ""},         // let through
		{"success", "happened"}, // and lost afterwards
		{"noParcel", "did not happen: there is no parcel"}, // so that it cannot get lost again
	} {
		a := get()
		note, _ := a.Entry.Notes.Get("trigger parcel.lost")
		if a.Entry.Outcome != want.outcome || !strings.HasPrefix(fmt.Sprint(note), want.note) && want.note != "" {
			t.Errorf("call %d: got %s, %v, want %+v", i, a.Entry.Outcome, note, want)
		}
	}
	if note, _ := b.serve("Page", "", "").Entry.Notes.Get("trigger parcel.lost"); note != "did not happen: there is no parcel p-0" {
		t.Errorf("got %v", note)
	}
}

func TestScenarioOfTheRequest(t *testing.T) {
	b := newRig(t, contract.Off)
	named := scenario.Implicit(b.api, b.api.Operation("DropParcel"), b.api.Outcome(b.api.Operation("DropParcel"), "busy"))
	x := b.exchange("DropParcel", `{"content":"x"}`, "")
	x.RequestedScenario = named
	err := engine.Serve(x)
	if err != nil || x.OutcomeName() != "toy/DropParcel/busy" || x.Entry.DecidedBy.String() != "scenario toy/DropParcel/busy rule 1" {
		t.Errorf("got %v, %v", x.Entry, err)
	}
	if text := x.Entry.Explanation.Text; !strings.HasPrefix(text, "The request itself named the scenario toy/DropParcel/busy") {
		t.Errorf("got %s", text)
	}
	if got := b.serve("DropParcel", `{"content":"x"}`, ""); got.Entry.Outcome != "success" {
		t.Errorf("the next call: got %s", got.Entry.Outcome)
	}
	x = b.exchange("DropParcel", `{}`, "broken")
	x.RequestedScenario = named
	scenarioError := (*engine.ScenarioError)(nil)
	if err = engine.Serve(x); !errors.As(err, &scenarioError) || !strings.Contains(err.Error(), "leave one of the headers") {
		t.Errorf("got %v", err)
	}
	elsewhere := *named
	elsewhere.API = "other"
	x = b.exchange("DropParcel", `{}`, "")
	x.RequestedScenario = &elsewhere
	if err = engine.Serve(x); !errors.As(err, &scenarioError) || !strings.Contains(err.Error(), "is about other, and the request is to toy") {
		t.Errorf("got %v", err)
	}
}

// Mismatches are put into words when somebody looks, also long after the scenario
// is gone.
func TestMismatchesAreWordedLate(t *testing.T) {
	b := newRig(t, contract.Off)
	b.play("- {operation: DropParcel, times: 1, outcome: busy}\n- {operation: DropParcel, where: {content: y}, outcome: busy}")
	b.serve("DropParcel", `{"content":"x"}`, "")
	e := b.serve("DropParcel", `{"content":"x"}`, "").Entry
	b.registry.Find(sandbox.Default).Player.OffAll()
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	want := `"rules_passed_over":[{"scenario":"toy/test","rule":1,"why":"times: fired 1 of 1"},{"scenario":"toy/test","rule":2,"why":"where content: got \"x\", want \"y\""}]`
	if !strings.Contains(string(raw), want) {
		t.Errorf("got %s, want in it %s", raw, want)
	}
	var back journal.Entry
	if err := json.Unmarshal(raw, &back); err != nil || len(back.Mismatches.List()) != 2 {
		t.Errorf("got %v, %v", back.Mismatches.List(), err)
	}
	long := b.serve("DropParcel", `{"content":"`+strings.Repeat("x", 2<<10)+`"}`, "").Entry
	if !long.Request.Truncated || !long.Mismatches.IsZero() {
		t.Errorf("nothing is on: got %v", long.Mismatches.List())
	}
}
