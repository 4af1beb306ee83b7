// Package engine is the one corridor that every request walks down: enter,
// decide, perform, send.
package engine

import (
	"maps"
	"net/http"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A Visit is a request that found its API and its sandbox.
type Visit struct {
	Instance *sandbox.Instance
	Sandbox  *sandbox.Sandbox
	FoundBy  string // what led to the sandbox
	Request  *contract.Request
	Now      time.Time // by the sandbox's clock
	Outcome  string    // the outcome that the request itself calls for; "": none

	// Scenario is one that the request itself names, as if it had been switched
	// on for this request alone. nil: it names none.
	Scenario *scenario.Scenario
}

// Serve takes a request through the house and brings it to its outcome. What
// is left to the caller is to send the answer and to close it. The error is
// understudy's own: an outcome was called for that nobody documents.
func Serve(v *Visit) (*Answer, error) {
	w := newWalk(v)
	if err := w.callFor(v.Outcome); err != nil {
		return nil, err
	}
	if err := w.fits(v.Scenario); err != nil {
		return nil, err
	}
	refusal, check := w.enter()
	w.alone(func() {
		w.decide(refusal, check)
		w.perform()
	})
	w.send()
	w.record()
	return &Answer{Response: w.response, Wire: w.wire, Delay: w.delay, Entry: w.entry, walk: w}, nil
}

// walk is one request on its way down the corridor.
type walk struct {
	contract.Call
	visit *Visit
	asked *contract.Outcome // what the request itself calls for
	n     uint64            // how many-th call of its operation this is
	dice  *contract.Dice
	mint  *contract.Dice

	verdict  contract.Verdict
	by       journal.By
	passed   *scenario.Passing
	with     wire.Patch
	wire     *scenario.Wire
	delay    time.Duration
	phantom  bool // the outcome is told and not carried out
	triggers []scenario.Trigger
	state    contract.State // the one that the outcome was carried out on
	value    any
	told     []byte // what the outcome returned, as JSON: for the journal
	reply    contract.Reply
	response contract.Response
	entry    *journal.Entry
	left     bool // what lasts as long as the call is over
}

func newWalk(v *Visit) *walk {
	w := &walk{visit: v, Call: contract.Call{
		API: v.Instance.API, Request: v.Request, Now: v.Now,
		Auth: v.Instance.Auth(), Switches: v.Instance.Switches(),
	}}
	w.Runtime = w
	w.Operation, w.Miss = w.API.Pick(v.Request)
	w.n = v.Instance.CountCall(w.Operation)
	return w
}

// enter runs the API's checks in their order until one refuses, and names that
// one. A pending verdict lets the request in.
func (w *walk) enter() (refusal contract.Verdict, check string) {
	for i := range w.API.Checks {
		if v := w.API.Checks[i].Do(&w.Call); !v.Pending() {
			return v, w.API.Checks[i].Name
		}
	}
	if w.Operation == nil {
		panic("engine: the checks of " + w.API.Name + " let a request in that names no operation")
	}
	return contract.Verdict{}, ""
}

// decide asks the request's own header, then the active scenarios, and the
// emulator where they are silent. A check's refusal stands, but for an outcome
// that a check declares.
func (w *walk) decide(refusal contract.Verdict, check string) {
	refused := !refusal.Pending()
	if w.asked != nil && (!refused || w.API.DeclaredByCheck(w.asked)) {
		w.verdict, w.by.Kind = w.asked.Verdict(), journal.Header
		return
	}
	play := w.ask(refused)
	w.with, w.wire, w.delay, w.passed = play.With, play.Wire, play.Delay, play.Passed
	w.phantom, w.triggers = play.Phantom, play.Triggers
	switch {
	case !play.Verdict.Pending():
		w.verdict, w.by.Kind = play.Verdict, journal.Scenario
	case refused:
		w.verdict, w.by = refusal, journal.By{Kind: journal.Check, Name: check}
	default:
		w.verdict, w.by.Kind = w.Operation.Decide(&w.Call), journal.Emulator
	}
	w.by.Scenario, w.by.Rule = play.Scenario, play.Rule
}

// ask asks the scenario that the request names, and the active ones.
func (w *walk) ask(refused bool) scenario.Play {
	player := w.visit.Sandbox.Player
	if w.visit.Scenario != nil {
		return player.AskFirst(w.visit.Scenario, &w.Call, refused, w.n)
	}
	return player.Ask(&w.Call, refused)
}

// perform carries the outcome out, unless the wire broke before the request
// could arrive. What a scenario has happen after the call happens then, before
// the next call is decided.
func (w *walk) perform() {
	w.state = w.State
	if w.phantom {
		w.pretend()
	}
	if do := w.verdict.Outcome.Do; do != nil && !w.undone() {
		w.value = do(&w.Call)
	}
	if w.phantom {
		w.Callbacks = nil
	}
	for i := range w.triggers {
		w.pull(&w.triggers[i])
	}
}

// undone reports whether a scenario had the request never arrive.
func (w *walk) undone() bool { return w.wire.Undone() }

// send puts the outcome on the wire, as the API does it and then as the
// scenario has the network change it.
func (w *walk) send() {
	o := w.verdict.Outcome
	if o.Fails {
		w.value = w.API.Fail(&w.Call, w.verdict)
	}
	write := w.API.Write
	if w.Operation != nil && w.Operation.Write != nil {
		write = w.Operation.Write
	}
	w.encode(o)
	w.response = write(&w.Call, w.verdict, w.reply)
	if w.wire != nil {
		change(&w.response, w.wire)
	}
}

// change lays over a response what a scenario has the network make of it.
func change(r *contract.Response, by *scenario.Wire) {
	if a := by.Answer; a != nil {
		*r = contract.Response{Status: a.Status, Header: a.Header, Body: []byte(a.Body)}
	}
	if len(by.Headers) > 0 {
		r.Header = maps.Clone(r.Header)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	for _, h := range by.Headers {
		if h.Remove {
			r.Header.Del(h.Name)
		} else {
			r.Header.Set(h.Name, h.Value)
		}
	}
}

// encode makes the reply of what the outcome returned and lays the scenario's
// fields over it.
func (w *walk) encode(o *contract.Outcome) {
	var body []byte
	if w.value != nil {
		body = wire.Encode(w.value)
	}
	rows := o.Returns
	if o.Fails {
		rows = w.API.Failure
	}
	body, err := w.with.Over(body)
	if err == nil {
		w.told = body
		w.reply.Header, w.reply.Body, err = wire.Headers(rows, body)
	}
	if err != nil {
		panic("engine: " + w.API.Name + ", outcome " + o.Name + ": " + err.Error())
	}
}

// alone runs f while the world of the call's API stands still.
func (w *walk) alone(f func()) {
	w.visit.Instance.WithState(func(state contract.State) {
		w.State = state
		defer func() { w.State = nil }()
		f()
	})
}

// WithState is for steps of the Door.
func (w *walk) WithState(f func()) { w.alone(f) }

// CountInWindow counts a call by the wall clock.
func (w *walk) CountInWindow(key string, window time.Duration) int {
	return w.visit.Instance.CountInWindow(key, window)
}

// Wall tells the server's time.
func (w *walk) Wall() time.Time { return w.visit.Instance.Wall() }

// Dice are thrown for the first time when somebody asks for them.
func (w *walk) Dice() *contract.Dice {
	if w.dice == nil {
		w.dice = w.visit.Instance.Dice(w.Operation, w.n)
	}
	return w.dice
}

// Mint gives dice for what callers will be found by.
func (w *walk) Mint() *contract.Dice {
	if w.mint == nil {
		w.mint = w.visit.Instance.Mint(w.Operation, w.n)
	}
	return w.mint
}

// Issue tells the house what was handed out.
func (w *walk) Issue(word string) { w.visit.Instance.Issue(word) }

// Forget tells the house what counts no more.
func (w *walk) Forget(word string) { w.visit.Instance.Forget(word) }
