package contract

import (
	"fmt"
	"strings"
)

// An Outcome is one documented ending of an operation: a success, a variant of
// it, or an error. Emulators, scenarios, the journal and the handbook all
// speak of outcomes by these names.
type Outcome struct {
	Name    string // the API's own word: "ResourceNotFound.NoIdle", "missingParameters"
	Fails   bool   // an error: API.Fail says what it returns
	Status  int    // on the wire
	Message string // as documented, with places in braces: "… parameter `{Name}`."
	Doc     string // what it means
	Cite    string // page it was read from; "" marks an inference of ours
	Returns []Param

	// Do carries the outcome out and tells what it returns: a struct whose
	// fields stand in the documented order. A scenario can call for any outcome
	// at any time, so Do leans on nothing that Decide has checked. nil where
	// nothing happens; what a failing outcome's Do returns is not used.
	Do func(*Call) any

	// Sent runs when the answer has left or could not: what lasts as long as
	// the call ends here.
	Sent func(*Call)
}

// A Verdict names the outcome of a call and says why. The zero Verdict decides
// nothing: the request goes on to the next step.
type Verdict struct {
	Outcome *Outcome
	Text    string // stands in for the documented message
	Cause   *Cause
	Facts   Facts // the values that decided; they also fill the places of the message and of the cause's text

	// Why makes the long explanation, outside of every lock and only for
	// refusals. nil: the cause's text is the explanation.
	Why func(*Call) Explanation
}

// A Cause is one reason for which an emulator chooses an outcome.
type Cause struct {
	Code string // "no_reservation"
	Text string // what was found, what was expected and what to do, with places in braces
}

// Facts are named values in the order in which they were told.
type Facts []Fact

// A Fact is one named value.
type Fact struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// An Explanation tells a reader of the journal why a call ended as it did.
// Keys and secrets stand in it by name, never by value.
type Explanation struct {
	Cause           string `json:"cause"`
	Text            string `json:"text,omitempty"`
	Facts           Facts  `json:"facts,omitempty"`
	Expected        string `json:"expected,omitempty"`
	Got             string `json:"got,omitempty"`
	FirstDifference string `json:"first_difference,omitempty"`
}

// Verdict decides for o without a reason that needs telling.
func (o *Outcome) Verdict() Verdict { return Verdict{Outcome: o} }

// Because decides for o and says why. Names and values of facts alternate.
func (o *Outcome) Because(cause *Cause, facts ...any) Verdict {
	v := Verdict{Outcome: o, Cause: cause}
	for i := 0; i+1 < len(facts); i += 2 {
		v.Facts = append(v.Facts, Fact{Name: facts[i].(string), Value: facts[i+1]})
	}
	return v
}

// Explained adds the long explanation.
func (v Verdict) Explained(why func(*Call) Explanation) Verdict {
	v.Why = why
	return v
}

// Pending reports whether nothing is decided yet.
func (v Verdict) Pending() bool { return v.Outcome == nil }

// Explain says why the call ended so.
func (v Verdict) Explain(c *Call) Explanation {
	if v.Why != nil {
		return v.Why(c)
	}
	if v.Cause == nil {
		return Explanation{}
	}
	return Explanation{Cause: v.Cause.Code, Text: v.Fill(c, v.Cause.Text), Facts: v.Facts}
}

// Message is the text that v's outcome carries, with every place filled.
func (v Verdict) Message(c *Call) string {
	if v.Text != "" {
		return v.Text
	}
	return v.Fill(c, v.Outcome.Message)
}

// Fill puts values into the places of text: a fact of that name, or else what
// the API makes of the call. No brace of a place ever reaches a client.
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
