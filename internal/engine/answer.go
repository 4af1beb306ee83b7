package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// An Answer is what is to be sent, and how the wire is to carry it.
type Answer struct {
	contract.Response
	Wire  *scenario.Wire // nil: at once and whole
	Delay time.Duration  // how long Wire holds it back
	Entry *journal.Entry // how the journal tells it

	walk *walk
}

// Leave ends what lasts as long as the call. It is to be called before the last
// byte leaves: a client that has it may call again at once. Called again, it
// does nothing.
func (a *Answer) Leave() {
	w := a.walk
	sent := w.verdict.Outcome.Sent
	if sent == nil || w.left || w.undone() {
		return
	}
	w.left = true
	w.visit.Instance.WithState(func(contract.State) {
		w.State = w.state // the world may have been reset in between
		sent(&w.Call)
		w.State = nil
	})
}

// Callbacks are what is to be sent to the client's side once the answer has
// left.
func (a *Answer) Callbacks() []contract.Callback { return a.walk.Callbacks }

// Close is to be called once the answer has left or could not.
func (a *Answer) Close(took time.Duration, d journal.Delivered) {
	a.Leave()
	a.walk.visit.Sandbox.Journal.Close(a.Entry, took, d)
}

// DecidedBy tells who decided, in words.
func (a *Answer) DecidedBy() string {
	return a.Entry.DecidedBy.String()
}

// Outcome is the outcome's full name: API, operation and outcome. The middle
// is a hyphen where the request named no operation.
func (a *Answer) Outcome() string {
	op := a.Entry.Operation
	if op == "" {
		op = "-"
	}
	return a.Entry.API + "/" + op + "/" + a.Entry.Outcome
}

// record writes the journal's entry, complete but for delivery.
func (w *walk) record() {
	r := w.Request
	w.entry = &journal.Entry{
		Time: w.Now, FoundBy: w.visit.FoundBy, API: w.API.Name, Outcome: w.verdict.Outcome.Name,
		DecidedBy: w.by, Status: w.response.Status,
		Client: journal.Client{Address: r.Client, UserAgent: r.Header.Get("User-Agent")},
		Request: journal.Message{
			Method: r.Method, URL: r.Target, Host: r.Host, Header: r.Header, Body: r.Body,
		},
		Response:   journal.Message{Status: w.response.Status, Header: w.response.Header, Body: w.response.Body},
		Violations: w.Violations,
		Notes:      w.Notes,
	}
	if w.told != nil {
		w.entry.Response.Decoded = json.RawMessage(w.told)
	}
	if len(w.In) > 0 {
		w.entry.Request.Decoded = w.In
	}
	if w.Operation != nil {
		w.entry.Operation = w.Operation.Name
	}
	if w.wire != nil || w.phantom {
		w.entry.Wire = w.carried()
	}
	if w.passed != nil {
		w.entry.Mismatches = journal.LazyMismatches(passedOver{w.passed})
	}
	for _, b := range w.Callbacks {
		w.entry.Callbacks = append(w.entry.Callbacks, journal.Callback{Method: b.Method, URL: b.URL, Body: b.Body})
	}
	w.entry.Explanation = w.explain()
	w.visit.Sandbox.Journal.Add(w.entry)
}

// explain says why the call ended so; nil where there is nothing to explain.
func (w *walk) explain() *journal.Explanation {
	switch w.by.Kind {
	case journal.Scenario:
		if named := w.visit.Scenario; named != nil && named.FullName() == w.by.Scenario {
			return &journal.Explanation{Cause: "scenario", Text: fmt.Sprintf(
				"The request itself named the scenario %s with the header %s, and rule %d of it decided this outcome; the emulator was not asked.",
				w.by.Scenario, ScenarioHeader, w.by.Rule)}
		}
		return &journal.Explanation{Cause: "scenario", Text: fmt.Sprintf(
			"Rule %d of the active scenario %s decided this outcome; the emulator was not asked. Switch it off with: understudy scenarios off %s",
			w.by.Rule, w.by.Scenario, w.by.Scenario)}
	case journal.Header:
		return &journal.Explanation{Cause: "header", Text: "The request itself called for this outcome with the header " + OutcomeHeader + "; the emulator was not asked."}
	}
	if w.verdict.Cause == nil && w.verdict.Why == nil {
		return nil
	}
	e := w.verdict.Explain(&w.Call)
	return &e
}

// OutcomeHeader is the header by which a request calls for its own outcome,
// and by which the answer tells it.
const OutcomeHeader = "Understudy-Outcome"

// UnknownOutcomeError tells that a request called for an outcome in which its
// operation cannot end.
type UnknownOutcomeError struct {
	API, Operation, Outcome string
	Known                   []string
}

func (e *UnknownOutcomeError) Error() string {
	what := e.Operation + " of " + e.API
	if e.Operation == "" {
		what = "a request to " + e.API + " that names no operation"
	}
	return fmt.Sprintf("%s cannot end in %q; its documented outcomes: %s", what, e.Outcome, strings.Join(e.Known, ", "))
}

// callFor finds the outcome that the request itself calls for. Its full name
// is accepted too.
func (w *walk) callFor(name string) error {
	if name == "" {
		return nil
	}
	short := name
	if w.Operation != nil {
		short = strings.TrimPrefix(name, w.API.Name+"/"+w.Operation.Name+"/")
	}
	if w.asked = w.API.Outcome(w.Operation, short); w.asked != nil {
		return nil
	}
	err := &UnknownOutcomeError{API: w.API.Name, Outcome: name}
	if w.Operation != nil {
		err.Operation = w.Operation.Name
	}
	for _, o := range w.API.Ends(w.Operation) {
		err.Known = append(err.Known, o.Name)
	}
	return err
}
