// Package engine takes a request of an API to its outcome: it runs the API's
// checks, decides, carries the outcome out, makes the answer and records it.
package engine

import (
	"maps"
	"net/http"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/wire"
)

// An Exchange is one request and what becomes of it. Its maker fills the
// members up to RequestedScenario, and Serve fills those from Response on.
type Exchange struct {
	Sandbox  *sandbox.Sandbox
	Instance *sandbox.Instance
	FoundBy  string // what led to the sandbox
	Request  *contract.Request

	RequestedOutcome  string             // the name of the outcome that the request itself calls for; "": none
	RequestedScenario *scenario.Scenario // the scenario that the request itself names, as if it were active for this request alone; nil: none

	Response contract.Response
	Wire     *scenario.Wire // how the network carries the response; nil: at once and whole
	Delay    time.Duration  // how long Wire holds the response back
	Entry    *journal.Entry // the journal's entry

	call      contract.Call // the request as the API's code sees it
	number    uint64        // how many-th call of its operation this is
	requested *contract.Outcome
	dice      *contract.Dice
	mint      *contract.Dice

	adopted   []contract.Adopted // what the call brought and the instance took in
	unadopted string             // why something that it brought was not taken in, as a sentence; "": nothing was left

	turn    journal.Turn // its place among the calls of the sandbox
	verdict contract.Verdict
	by      journal.Decider
	play    player.Play    // what the scenarios say to the call
	state   contract.State // the one on which the outcome is carried out
	result  any            // what the outcome returned, or the failure
	encoded []byte         // result as JSON, with the scenario's fields laid over it
	ended   bool           // EndCall has run
}

// Serve takes a request to its outcome, and leaves the answer in x. The caller
// then sends the answer and closes x. The error is understudy's own: the
// request calls for an outcome or a scenario that does not fit it, or there is no
// room for what it would keep (a *sandbox.NoRoomError).
func Serve(x *Exchange) error {
	if err := x.happen(); err != nil {
		return err
	}
	x.respond()
	x.record()
	return nil
}

// happen has the call begin, be decided and be carried out, all at one moment of
// the sandbox's clock: nobody moves it meanwhile.
func (x *Exchange) happen() error {
	now, stamp := x.Sandbox.HoldClock()
	defer x.Sandbox.ReleaseClock()
	x.Request.Arrived = stamp
	x.begin(now)
	if err := x.checkRequested(); err != nil {
		return err
	}
	refusal, check := x.runChecks()
	var full error
	x.withState(func() {
		x.turn = x.Sandbox.Journal.Turn()
		if x.adopted != nil {
			x.Instance.AdoptedBy(x.Sandbox.Journal.ID(x.turn), x.adopted)
		}
		x.decide(refusal, check)
		if full = x.findRoom(); full == nil {
			x.perform()
		}
	})
	return full
}

// begin makes the call.
func (x *Exchange) begin(now time.Time) {
	x.call = contract.Call{
		Runtime: runtime{x}, API: x.Instance.API, Request: x.Request, Now: now,
		Auth: x.Instance.Auth(), Unknown: x.Instance.Unknown(), Switches: x.Instance.Switches(),
	}
	x.call.Operation, x.call.Miss = x.call.API.Pick(x.Request)
	x.number = x.Instance.CountCall(x.call.Operation)
}

// runChecks runs the API's checks in their order until one refuses the request,
// and names that one. A pending verdict lets the request pass.
func (x *Exchange) runChecks() (refusal contract.Verdict, check string) {
	checks := x.call.API.Checks
	for i := range checks {
		if v := checks[i].Do(&x.call); !v.Pending() {
			return v, checks[i].Name
		}
	}
	if x.call.Operation == nil {
		panic("engine: the checks of " + x.call.API.Name + " let a request pass that names no operation")
	}
	return contract.Verdict{}, ""
}

// decide asks the request's own header first, then the scenarios, and then the
// emulator. A check's refusal stands unless the header or a scenario calls for
// an outcome that a check declares.
func (x *Exchange) decide(refusal contract.Verdict, check string) {
	refused := !refusal.Pending()
	if x.requested != nil && (!refused || x.call.API.DeclaredByCheck(x.requested)) {
		x.verdict, x.by.Kind = x.requested.Verdict(), journal.Header
		return
	}
	x.play = x.askScenarios(refused)
	switch {
	case !x.play.Verdict.Pending():
		x.verdict, x.by.Kind = x.play.Verdict, journal.Scenario
	case refused:
		x.verdict, x.by.Kind, x.by.Name = refusal, journal.Check, check
	default:
		x.verdict, x.by.Kind = x.call.Operation.Decide(&x.call), journal.Emulator
	}
	x.by.Scenario, x.by.Rule = x.play.Scenario, x.play.Rule
}

// askScenarios asks the scenario that the request names, and the active ones.
func (x *Exchange) askScenarios(refused bool) player.Play {
	player := x.Sandbox.Player
	if x.RequestedScenario != nil {
		return player.AskFirst(x.RequestedScenario, &x.call, refused, x.number)
	}
	return player.Ask(&x.call, refused)
}

// findRoom returns an error if the outcome adds to the state and there is no room.
// What it adds beside the body is little.
func (x *Exchange) findRoom() error {
	o := x.verdict.Outcome
	forced := x.by.Kind == journal.Header || x.by.Kind == journal.Scenario
	if adds := o.Keeps || forced && !o.Fails; !adds || o.Do == nil || x.play.Phantom || x.play.Wire.Undone() {
		return nil
	}
	return x.Instance.Room(len(x.Request.Body))
}

// perform carries the outcome out, unless the network broke before the request
// arrived. The scenario's triggers run here too, before the next call is
// decided.
func (x *Exchange) perform() {
	x.Wire, x.Delay = x.play.Wire, x.play.Delay
	if x.play.Phantom {
		x.useCopyOfState()
	}
	x.state = x.call.State
	if do := x.verdict.Outcome.Do; do != nil && !x.Wire.Undone() {
		x.result = do(&x.call)
	}
	if x.play.Phantom {
		x.call.Callbacks = nil
	}
	for i := range x.play.Triggers {
		x.runTrigger(&x.play.Triggers[i])
	}
}

// respond encodes the outcome as the API does it, and then changes the response
// as the scenario has the network do.
func (x *Exchange) respond() {
	api, op, outcome := x.call.API, x.call.Operation, x.verdict.Outcome
	rows := outcome.Returns
	if outcome.Fails {
		x.result, rows = api.Fail(&x.call, x.verdict), api.Failure
	}
	write := api.Write
	if op != nil && op.Write != nil {
		write = op.Write
	}
	x.Response = write(&x.call, x.verdict, x.encode(rows))
	if x.Wire != nil {
		changeResponse(&x.Response, x.Wire)
	}
}

// encode makes the reply of what the outcome returned, with the scenario's
// fields laid over it.
func (x *Exchange) encode(rows []contract.Param) (reply contract.Reply) {
	var body []byte
	if x.result != nil {
		body = wire.Encode(x.result)
	}
	body, err := x.play.With.Over(body)
	if err == nil {
		x.encoded = body
		reply.Header, reply.Body, err = wire.Headers(rows, body)
	}
	if err != nil {
		panic("engine: " + x.call.API.Name + ", outcome " + x.verdict.Outcome.Name + ": " + err.Error())
	}
	return reply
}

// changeResponse changes a response as the network does: something in between
// answers, or headers are set and removed.
func changeResponse(r *contract.Response, by *scenario.Wire) {
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

// EndCall ends what lasts as long as the call, by Outcome.Sent. Run it before
// the last byte is sent: a client that has the whole answer may call again at
// once. A second run does nothing.
func (x *Exchange) EndCall() {
	sent := x.verdict.Outcome.Sent
	if sent == nil || x.ended || x.Wire.Undone() {
		return
	}
	x.ended = true
	x.Instance.WithState(func(contract.State) {
		x.call.State = x.state // a reset may have replaced the instance's since
		sent(&x.call)
		x.call.State = nil
	})
}

// Close completes the journal's entry and tells of it. Run it once the answer is sent, or could
// not be.
func (x *Exchange) Close(took time.Duration, d journal.Delivered) {
	x.EndCall()
	x.Sandbox.Close(x.Entry, took, d)
}

// Callbacks are the requests to the client's side that follow the answer.
func (x *Exchange) Callbacks() []contract.Callback { return x.call.Callbacks }

// OutcomeName is the outcome's full name: API, operation and outcome. The middle
// is a hyphen where the request names no operation.
func (x *Exchange) OutcomeName() string {
	op := "-"
	if x.call.Operation != nil {
		op = x.call.Operation.Name
	}
	return x.call.API.Name + "/" + op + "/" + x.verdict.Outcome.Name
}
