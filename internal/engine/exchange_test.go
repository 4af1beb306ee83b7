package engine_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// A rig is a registry of sandboxes with the toy API.
type rig struct {
	t        *testing.T
	api      *contract.API
	registry *sandbox.Registry
}

func newRig(t *testing.T, auth contract.Auth) *rig {
	t.Helper()
	api := toy.New()
	registry, err := sandbox.New(sandbox.Config{
		APIs: []*contract.API{api}, Fixtures: map[string]*fixture.Fixture{"toy": fixture.Empty(api)},
		Auth: map[string]contract.Auth{"toy": auth}, Seed: 1, Wall: func() time.Time { return noon },
		Journal: journal.Limits{Entries: 1000, Bytes: 1 << 20, Body: 1 << 10}, JournalAll: 1 << 22, Max: 10,
		Clock: clock.Setting{Frozen: noon},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t, api, registry}
}

func (b *rig) exchange(op, body, outcome string) *engine.Exchange {
	b.t.Helper()
	s := b.registry.Find(sandbox.Default)
	instance, err := s.Instance(b.api)
	if err != nil {
		b.t.Fatal(err)
	}
	o := b.api.Operation(op)
	return &engine.Exchange{Instance: instance, Sandbox: s, FoundBy: "default", RequestedOutcome: outcome, Request: &contract.Request{
		Method: o.Method, Target: o.Path, URL: &url.URL{Path: o.Path}, At: []*contract.Operation{o},
		Header: http.Header{}, Body: []byte(body),
	}}
}

func (b *rig) serve(op, body, outcome string) *engine.Exchange {
	b.t.Helper()
	x := b.exchange(op, body, outcome)
	if err := engine.Serve(x); err != nil {
		b.t.Fatal(err)
	}
	return x
}

func (b *rig) play(yaml string) {
	b.t.Helper()
	s, err := scenario.Parse("test.yaml", []byte("scenario: test\napi: toy\nrules:\n"+yaml), []*contract.API{b.api})
	if err != nil {
		b.t.Fatal(err)
	}
	b.registry.Find(sandbox.Default).Player.On(s, scenario.Options{})
}

func TestWhoDecides(t *testing.T) {
	tests := []struct {
		name, rules, op, body, header string
		auth                          contract.Auth
		want                          string // outcome by decider
	}{
		{"the emulator", "", "DropParcel", `{"content":"x"}`, "", contract.Off, "success by emulator"},
		{"a check", "", "DropParcel", `{"content":"x"}`, "", contract.Verify, "unknownToken by check token"},
		{"the parameters", "", "DropParcel", `{}`, "", contract.Off, "invalid by check parameters"},
		{"a scenario", "- {operation: DropParcel, outcome: busy}", "DropParcel", `{"content":"x"}`, "", contract.Off, "busy by scenario toy/test rule 1"},
		{"a scenario waits behind the checks", "- {operation: DropParcel, outcome: busy}", "DropParcel", `{}`, "", contract.Off, "invalid by check parameters"},
		{"a scenario plays an outcome of a check to anybody", "- {operation: DropParcel, outcome: tooFast}", "DropParcel", `{}`, "", contract.Verify, "tooFast by scenario toy/test rule 1"},
		{"a rule without outcome fits whoever decides", "- {operation: DropParcel, wire: {headers: {X-Test: yes}}}", "DropParcel", `{}`, "", contract.Off, "invalid by check parameters"},
		{"the header", "- {operation: DropParcel, outcome: busy}", "DropParcel", `{"content":"x"}`, "broken", contract.Off, "broken by header"},
		{"the header by its full name", "", "DropParcel", `{"content":"x"}`, "toy/DropParcel/busy", contract.Off, "busy by header"},
		{"the header waits behind the checks", "", "DropParcel", `{}`, "busy", contract.Off, "invalid by check parameters"},
		{"the header plays an outcome of a check", "", "DropParcel", `{}`, "unknownToken", contract.Verify, "unknownToken by header"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, tt.auth)
			if tt.rules != "" {
				b.play(tt.rules)
			}
			a := b.serve(tt.op, tt.body, tt.header)
			if got := a.Entry.Outcome + " by " + a.Entry.DecidedBy.String(); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if strings.Contains(tt.rules, "X-Test") && a.Response.Header.Get("X-Test") != "yes" {
				t.Errorf("the wire's part is missing: %v", a.Response.Header)
			}
			if a.OutcomeName() != "toy/"+tt.op+"/"+a.Entry.Outcome {
				t.Errorf("got %s", a.OutcomeName())
			}
		})
	}
}

func TestUnknownOutcomeIsOurOwnFailure(t *testing.T) {
	b := newRig(t, contract.Off)
	err := engine.Serve(b.exchange("DropParcel", `{}`, "Busy"))
	if err == nil || !strings.Contains(err.Error(), `DropParcel of toy cannot end in "Busy"; its documented outcomes: success, busy, noSuchPath`) {
		t.Errorf("got %v", err)
	}
	x := b.exchange("DropParcel", `{}`, "busy")
	x.Request.At = nil
	if err = engine.Serve(x); err == nil || !strings.Contains(err.Error(), "names no operation") {
		t.Errorf("got %v", err)
	}
}

func TestRequestThatNamesNoOperation(t *testing.T) {
	b := newRig(t, contract.Off)
	x := b.exchange("DropParcel", "", "")
	x.Request.At = nil
	err := engine.Serve(x)
	if err != nil || x.OutcomeName() != "toy/-/noSuchPath" || x.Response.Status != 404 {
		t.Errorf("got %v, %v", x.Entry, err)
	}
}

func TestWhatLastsAsLongAsTheCall(t *testing.T) {
	b := newRig(t, contract.Off)
	first := b.serve("DropParcel", `{"content":"x"}`, "")
	if got := b.serve("DropParcel", `{"content":"x"}`, "").Entry.Outcome; got != "busy" {
		t.Errorf("while the first is on its way: got %s", got)
	}
	first.Close(time.Millisecond, journal.Sent)
	if got := b.serve("DropParcel", `{"content":"x"}`, "").Entry.Outcome; got != "success" {
		t.Errorf("once it has left: got %s", got)
	}
}

func TestFieldsAreLaidOverTheReply(t *testing.T) {
	b := newRig(t, contract.Off)
	b.play("- {operation: DropParcel, outcome: success, with: {parcel: p-7}}\n- {operation: Register, outcome: success, with: {Location: /elsewhere}}\n- {operation: Page, outcome: broken, message: gone, with: {id: null}}")
	if got := string(b.serve("DropParcel", `{"content":"x"}`, "").Response.Body); got != `{"parcel":"p-7"}` {
		t.Errorf("got %s", got)
	}
	a := b.serve("Register", "", "")
	if a.Response.Header.Get("Location") != "/elsewhere" || strings.Contains(string(a.Response.Body), "Location") || a.Response.Status != 201 {
		t.Errorf("got %v %s", a.Response.Header, a.Response.Body)
	}
	if got := fmt.Sprintf("%s", b.serve("Page", "", "").Entry.Response.Decoded); got != `{"error":"gone"}` {
		t.Errorf("got %s", got)
	}
}

func TestABrokenWireLeavesTheOutcomeUndone(t *testing.T) {
	tests := []struct {
		wire string
		done bool
	}{
		{"fault: reset", false},
		{"fault: empty", false},
		{"fault: stall", false},
		{"answer: {status: 502, body: bad gateway}", false},
		{"fault: truncate", true},
		{"fault: garbage", true},
		{"delay: 1ms", true},
	}
	for _, tt := range tests {
		t.Run(tt.wire, func(t *testing.T) {
			b := newRig(t, contract.Off)
			b.play("- {operation: DropParcel, wire: {" + tt.wire + "}}")
			a := b.serve("DropParcel", `{"content":"x"}`, "")
			instance, _ := b.registry.Find(sandbox.Default).Instance(b.api)
			state, err := instance.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if done := strings.Contains(string(state), `"x"`); done != tt.done || a.Entry.Wire.Undone == tt.done {
				t.Errorf("done %t, entry has %+v, world %s", done, a.Entry.Wire, state)
			}
			if strings.HasPrefix(tt.wire, "answer") && (a.Response.Status != 502 || string(a.Response.Body) != "bad gateway" || !a.Entry.Wire.Answered) {
				t.Errorf("got %d %s", a.Response.Status, a.Response.Body)
			}
			a.Close(0, journal.Faulted)
		})
	}
}

func TestJournalExplains(t *testing.T) {
	b := newRig(t, contract.Verify)
	e := b.serve("DropParcel", `{"content":"x"}`, "").Entry
	if e.Explanation.Cause != "strange_token" || !strings.Contains(e.Explanation.Text, "Register first") {
		t.Errorf("got %+v", e.Explanation)
	}
	b.play("- {operation: DropParcel, where: {content: y}, outcome: tooFast}\n- {operation: DropParcel, outcome: tooFast}")
	e = b.serve("DropParcel", `{"content":"x"}`, "").Entry
	if e.Explanation.Cause != "scenario" || len(e.Mismatches.List()) != 1 || !strings.Contains(e.Mismatches.List()[0].Why, "content") {
		t.Errorf("got %+v, %+v", e.Explanation, e.Mismatches)
	}
	if e = b.serve("Register", "", "success").Entry; e.Explanation.Cause != "header" {
		t.Errorf("got %+v", e.Explanation)
	}
}

func TestDiceFollowSeedOperationAndNumber(t *testing.T) {
	ids := func(b *rig, noise bool) string {
		var all []string
		for range 3 {
			if noise {
				b.serve("Page", "", "")
			}
			a := b.serve("DropParcel", `{"content":"x"}`, "")
			a.Close(0, journal.Sent)
			all = append(all, string(a.Response.Body))
		}
		return strings.Join(all, "\n")
	}
	quiet, noisy := ids(newRig(t, contract.Off), false), ids(newRig(t, contract.Off), true)
	if quiet != noisy {
		t.Errorf("other operations shift the dice:\n%s\n%s", quiet, noisy)
	}
	b := newRig(t, contract.Off)
	first := ids(b, false)
	if err := b.registry.Find(sandbox.Default).Reset(); err != nil {
		t.Fatal(err)
	}
	if again := ids(b, false); again != first {
		t.Errorf("reset does not rewind the dice:\n%s\n%s", first, again)
	}
}

func TestParallelCallsKeepTheWorldWhole(t *testing.T) {
	b := newRig(t, contract.Off)
	b.play("- {operation: DropParcel, times: 50, outcome: broken}")
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 10 {
				b.serve("DropParcel", `{"content":"x"}`, "").Close(0, journal.Sent)
				b.serve("Register", "", "").Close(0, journal.Sent)
			}
		})
	}
	wg.Wait()
	fired, _ := b.registry.Find(sandbox.Default).Journal.List(journal.Filter{Outcome: "broken"})
	if len(fired) > 50 {
		t.Errorf("fired %d times, want 50", len(fired))
	}
}
