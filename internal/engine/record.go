package engine

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/wire"
)

// record writes the journal's entry. Only what became of the answer is still
// missing in it.
func (x *Exchange) record() {
	r, c := x.Request, &x.call
	e := &journal.Entry{
		Time: x.call.Now, FoundBy: x.FoundBy, API: c.API.Name, Outcome: x.verdict.Outcome.Name,
		DecidedBy: x.by, Status: x.Response.Status,
		Client: journal.Client{Address: r.Client, UserAgent: r.Header.Get("User-Agent")},
		Request: journal.Message{
			Method: r.Method, URL: r.Target, Host: r.Host, Header: r.Header, Body: r.Body,
		},
		Response:    journal.Message{Status: x.Response.Status, Header: x.Response.Header, Body: x.Response.Body},
		Violations:  c.Violations,
		Notes:       c.Notes,
		Adopted:     x.adopted,
		Explanation: x.explain(),
	}
	e.Key = c.Key
	if x.encoded != nil {
		e.Response.Decoded = json.RawMessage(x.encoded)
	}
	if len(c.In) > 0 {
		e.Request.Decoded = keptValues(c.In)
	}
	if c.Operation != nil {
		e.Operation = c.Operation.Name
	}
	if x.Wire != nil || x.play.Phantom {
		e.Wire = x.wireRecord()
	}
	if x.play.Mismatches != nil {
		e.Mismatches = journal.LazyMismatches(mismatches{x.play.Mismatches})
	}
	for _, b := range c.Callbacks {
		e.Callbacks = append(e.Callbacks, journal.Callback{Method: b.Method, URL: b.URL, Body: b.Body})
	}
	x.Sandbox.Journal.Add(x.turn, e)
	x.Entry = e
}

// maxKept is how much memory the values of a request may hold to be kept as they
// are.
const maxKept = 8 << 10

// keptValues returns what the journal keeps of a request's values. Decoded JSON can
// be dozens of times as large as its text, so large values become text again.
func keptValues(in contract.Values) any {
	if journal.Weigh(in) <= maxKept {
		return in
	}
	return json.RawMessage(wire.Encode(in))
}

// explain says why the call ended so; nil where there is nothing to explain.
func (x *Exchange) explain() *journal.Explanation {
	switch x.by.Kind {
	case journal.Scenario:
		if named := x.RequestedScenario; named != nil && named.FullName() == x.by.Scenario {
			return &journal.Explanation{Cause: "scenario", Text: fmt.Sprintf(
				"The request itself named the scenario %s with the header %s, and rule %d of it decided this outcome; the emulator was not asked.",
				x.by.Scenario, ScenarioHeader, x.by.Rule)}
		}
		return &journal.Explanation{Cause: "scenario", Text: fmt.Sprintf(
			"Rule %d of the active scenario %s decided this outcome; the emulator was not asked. Switch it off with: understudy scenarios off %s",
			x.by.Rule, x.by.Scenario, x.by.Scenario)}
	case journal.Header:
		return &journal.Explanation{Cause: "header", Text: "The request itself called for this outcome with the header " + OutcomeHeader + "; the emulator was not asked."}
	}
	if x.verdict.Cause == nil && x.verdict.Why == nil {
		return nil
	}
	e := x.verdict.Explain(&x.call)
	if x.unadopted != "" {
		e.Text = strings.TrimSpace(e.Text + " " + x.unadopted)
	}
	return &e
}

// wireRecord says what a scenario had the network do.
func (x *Exchange) wireRecord() *journal.Wire {
	record := &journal.Wire{Undone: x.Wire.Undone(), Phantom: x.play.Phantom}
	if w := x.Wire; w != nil {
		record.DelayMS, record.Bandwidth = x.Delay.Milliseconds(), w.Bandwidth
		record.Fault, record.Answered = string(w.Fault), w.Answer != nil
		for _, h := range w.Headers {
			record.Headers = append(record.Headers, h.Name)
		}
	}
	return record
}

// runTrigger runs a trigger that a rule names. No client sees why it could not
// happen, so the journal notes it.
func (x *Exchange) runTrigger(t *scenario.Trigger) {
	trigger := x.call.API.Trigger(t.Name)
	if trigger == nil {
		return // a scenario that was not read against these tables
	}
	in := t.Fill(trigger.Params, x.call.In)
	result := "happened"
	if found := contract.Validate(trigger.Params, in); len(found) > 0 {
		result = fmt.Sprintf("did not happen: %s is %s", found[0].Path, found[0].Rule)
	} else if callbacks, err := x.Instance.TriggerLocked(trigger, in, x.call.Now); err != nil {
		result = "did not happen: " + err.Error()
	} else {
		x.call.Callbacks = append(x.call.Callbacks, callbacks...)
	}
	x.call.Note("trigger "+t.Name, result)
}

// mismatches describes the rules that did not fit. It keeps nothing of the
// exchange, which is much larger than what it needs.
type mismatches struct{ *player.Mismatches }

// List describes why each rule did not fit.
func (m mismatches) List() []journal.Mismatch {
	list, more := m.Mismatches.List()
	all := make([]journal.Mismatch, 0, len(list)+1)
	for _, p := range list {
		all = append(all, journal.Mismatch(p))
	}
	if more > 0 {
		all = append(all, journal.Mismatch{Why: fmt.Sprintf("%d more rules did not fit", more)})
	}
	return all
}
