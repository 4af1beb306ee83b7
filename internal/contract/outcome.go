package contract

import (
	"fmt"
	"strings"
)

// An Outcome is one documented ending of an operation: a success, a variant of
// it, or an error. Emulators, scenarios, the journal and the handbook use its name.
type Outcome struct {
	Name    string // the API's own name: "ResourceNotFound.NoIdle", "missingParameters"
	Fails   bool   // an error: API.Fail says what it returns
	Status  int    // on the wire
	Message string // as documented, with places in braces: "… parameter `{Name}`."
	Doc     string // what it means
	Cite    string // page it was read from; "" marks an inference of ours
	Returns []Param

	// Do carries the outcome out and returns what the call returns: a struct
	// whose fields are in the documented order. A scenario can force any outcome
	// at any time, so Do does not rely on what Decide has checked. nil: nothing
	// happens. What the Do of a failure returns is not used.
	Do func(*Call) any

	// Keeps says that Do adds something to the state, such as a session or a file,
	// where the emulator decides for the outcome. Where the states of all sandboxes
	// hold as much memory as they may, such a call is refused before Do. So is an
	// outcome that is no failure and that a scenario or the request itself calls for,
	// since its Do may add what it lacks. All other calls are served.
	Keeps bool

	// Sent runs when the answer has left or could not be sent: here ends what
	// lasts as long as the call.
	Sent func(*Call)
}

// A Verdict is the outcome of a call and why. The zero Verdict decides nothing:
// the request goes on to the next check.
type Verdict struct {
	Outcome    *Outcome
	OwnMessage string // replaces the documented message
	Cause      *Cause
	Facts      Facts // the values that decided; they also fill the places of the message and of the cause's text

	// Why returns the long explanation. It runs outside of every lock, and only
	// for refusals. nil: the cause's text is the explanation.
	Why func(*Call) Explanation

	Aside string // follows the text of the explanation, whichever it is
}

// A Cause is one reason for which an emulator chooses an outcome.
type Cause struct {
	Code string // "no_reservation"
	Text string // what was found, what was expected and what to do, with places in braces
}

// Facts are named values in the order in which they were added.
type Facts []Fact

// A Fact is one named value.
type Fact struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// An Explanation says in the journal why a call ended as it did. It has the names
// of keys and secrets, never their values.
type Explanation struct {
	Cause           string `json:"cause"`
	Text            string `json:"text,omitempty"`
	Facts           Facts  `json:"facts,omitempty"`
	Expected        string `json:"expected,omitempty"`
	Got             string `json:"got,omitempty"`
	FirstDifference string `json:"first_difference,omitempty"`

	// Where signatures stand in the texts, these say what is left out where they
	// must not be shown.
	Signatures       []string `json:"-"` // those in the texts, the client's and ours
	SignaturesDiffer bool     `json:"-"` // FirstDifference is between signatures, not between the texts that were signed
	Keys             []string `json:"-"` // the secrets under which they were made
}

// Verdict decides for o without a cause.
func (o *Outcome) Verdict() Verdict { return Verdict{Outcome: o} }

// Because decides for o and says why. Names and values of facts alternate.
func (o *Outcome) Because(cause *Cause, facts ...any) Verdict {
	return Verdict{Outcome: o, Cause: cause, Facts: factsOf(facts)}
}

// factsOf makes facts of names and values that alternate.
func factsOf(pairs []any) (facts Facts) {
	for i := 0; i+1 < len(pairs); i += 2 {
		facts = append(facts, Fact{Name: pairs[i].(string), Value: pairs[i+1]})
	}
	return facts
}

// Explained adds the long explanation.
func (v Verdict) Explained(why func(*Call) Explanation) Verdict {
	v.Why = why
	return v
}

// Pending reports whether nothing is decided yet.
func (v Verdict) Pending() bool { return v.Outcome == nil }

// Explain returns why the call ended as it did, and the mistake that led to it where
// it is a known one.
func (v Verdict) Explain(c *Call) Explanation {
	if v.Cause == nil && v.Why == nil {
		return Explanation{}
	}
	var e Explanation
	if v.Why != nil {
		e = v.Why(c)
	} else {
		e = Explanation{Cause: v.Cause.Code, Text: v.Fill(c, v.Cause.Text), Facts: v.Facts}
	}
	e = v.withMistake(c, e)
	e.Text = strings.TrimSpace(e.Text + " " + v.Aside)
	return e
}

// Message returns the message of v's outcome, with every place filled.
func (v Verdict) Message(c *Call) string {
	if v.OwnMessage != "" {
		return v.OwnMessage
	}
	return v.Fill(c, v.Outcome.Message)
}

// Fill fills the places of text: with the fact of that name, or else with what
// API.Fill returns. No brace of a place ever reaches a client.
func (v Verdict) Fill(c *Call, text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		b.WriteString(before)
		place, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			b.WriteString(rest)
			return b.String()
		}
		b.WriteString(v.place(c, place))
		text = after
	}
}

func (v Verdict) place(c *Call, name string) string {
	if x, ok := v.Facts.Get(name); ok {
		return fmt.Sprint(x)
	}
	if c.API.Fill != nil {
		if s := c.API.Fill(c, name); s != "" {
			return s
		}
	}
	return name
}

// Get finds the value of a name.
func (f Facts) Get(name string) (any, bool) {
	for _, fact := range f {
		if fact.Name == name {
			return fact.Value, true
		}
	}
	return nil, false
}

// Outcomes lists outcomes, as Check.Ends has them.
func Outcomes(o ...*Outcome) []*Outcome { return o }

// OutcomeNames lists the names of outcomes.
func OutcomeNames(outcomes []*Outcome) []string {
	names := make([]string, len(outcomes))
	for i, o := range outcomes {
		names[i] = o.Name
	}
	return names
}
