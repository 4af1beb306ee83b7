package verify

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A call is an entry of the journal and the values in it, which are read when a
// condition first asks for them, and are gone with the next call.
type call struct {
	*journal.Entry
	op   *contract.Operation // nil: the request named none
	show func(journal.Entry) journal.Entry

	values scenario.Values
	lost   bool             // the journal kept no parameters
	shown  *scenario.Values // as they may be told, where show is set
	read   bool
	found  []*place // where its values were looked up
}

func (w *World) call(e *journal.Entry, operations catalogue) call {
	return call{Entry: e, op: operations[[2]string{e.API, e.Operation}], show: w.Show, values: outerValues(&e.Request)}
}

// outerValues are the values of a request that are no parameters.
func outerValues(m *journal.Message) scenario.Values {
	values := scenario.Values{Header: m.Header, Host: m.Host}
	if _, query, given := strings.Cut(m.URL, "?"); given {
		values.URL = &url.URL{RawQuery: query}
	}
	return values
}

// parameters returns a request's parameters. What was kept as text gets the types of
// its rows again.
func (c *call) parameters(decoded any) contract.Values {
	switch v := decoded.(type) {
	case contract.Values:
		return v
	case json.RawMessage:
		in, err := wire.Object(v)
		if err == nil && c.op != nil {
			contract.Validate(c.op.Params, in)
		}
		return in
	}
	return nil
}

// load reads the parameters.
func (c *call) load() {
	if c.read {
		return
	}
	c.read = true
	c.values.In = c.parameters(c.Request.Decoded)
	c.lost = c.Request.Truncated && c.Request.Decoded == nil
}

// told are the values as the journal shows them.
func (c *call) told() *scenario.Values {
	if c.shown == nil {
		e := c.Entry // what is still written to is not read
		shown := c.show(journal.Entry{
			API: e.API, Key: e.Key, Client: e.Client, Request: e.Request, Response: e.Response,
			Violations: e.Violations, Notes: e.Notes, Explanation: e.Explanation, Callbacks: e.Callbacks,
		})
		values := outerValues(&shown.Request)
		values.In = c.parameters(shown.Request.Decoded)
		c.shown = &values
	}
	return c.shown
}

// A finding is what stands at a spot of a call.
type finding struct {
	x     any
	given bool

	lost   bool // the journal did not keep it
	hidden bool // it is a secret
}

func (c *call) find(at *scenario.Spot) (f finding) {
	if at.IsParam() {
		c.load()
		f.lost = c.lost
	}
	f.x, f.given = c.values.Find(at)
	if c.show != nil && f.given {
		shown, _ := c.told().Find(at)
		was, plain := scenario.KeyOf(f.x)
		is, still := scenario.KeyOf(shown)
		f.hidden = was != is || plain != still
	}
	return f
}

// forget lets go of what was found in the call.
func (c *call) forget() {
	for _, p := range c.found {
		p.known, p.finding = false, finding{}
	}
	c.found = c.found[:0]
}

// String says what was found.
func (f *finding) String() string {
	switch {
	case f.lost:
		return "what the journal did not keep of a long body"
	case f.hidden:
		return "a secret, which is not shown"
	}
	return scenario.Describe(f.x, f.given)
}

// An answer says whether a call is of a kind.
type answer int

const (
	no    answer = iota
	maybe        // what would tell was not kept, or is secret
	yes
)

// holds says whether a condition holds for what was found.
func (f *finding) holds(c *scenario.Condition) answer {
	about := c.Match == scenario.Absent || c.Match == scenario.Present
	switch {
	case f.lost, f.hidden && !about:
		return maybe
	case c.Holds(f.x, f.given):
		return yes
	}
	return no
}

// fits says whether a call is meant.
func (m *matcher) fits(c *call) answer {
	if m.of != c.Entry {
		m.of, m.answer = c.Entry, m.ask(c)
	}
	return m.answer
}

func (m *matcher) ask(c *call) answer {
	if m.API != "" && m.API != c.API || m.Operation != "" && m.Operation != c.Operation ||
		m.Outcome != "" && m.Outcome != c.Outcome || !decided(m.DecidedBy, c.DecidedBy) {
		return no
	}
	all := yes
	for _, t := range m.terms {
		if all = min(all, t.holds(c)); all == no {
			break
		}
	}
	return all
}

// decided reports whether a decider is the one that is meant, as far as that is said.
func decided(want, got journal.Decider) bool {
	return (want.Kind == "" || want.Kind == got.Kind) && (want.Name == "" || want.Name == got.Name) &&
		(want.Scenario == "" || want.Scenario == got.Scenario) && (want.Rule == 0 || want.Rule == got.Rule)
}

// How far a call is from what is meant, by what differs.
const (
	otherOperation = 100
	otherMember    = 10
	otherPlace     = 5 // its place or its pace in an order
)

// far says how far a call is from what is meant. near is false for one of another API.
func (m *matcher) far(c *call) (far int, near bool) {
	switch {
	case m.API != "" && m.API != c.API:
		return 0, false
	case m.Operation != "" && m.Operation != c.Operation:
		return otherOperation, true
	}
	if m.Outcome != "" && m.Outcome != c.Outcome {
		far += otherMember
	}
	if !decided(m.DecidedBy, c.DecidedBy) {
		far += otherMember
	}
	for _, t := range m.terms {
		if t.holds(c) != yes {
			far += otherMember
		}
	}
	return far, true
}

// differences lists what sets a call apart from what is meant.
func (m *matcher) differences(c *call) (all []Difference) {
	if m.Operation != "" && m.Operation != c.Operation {
		return []Difference{{"operation", m.Operation, orDash(c.Operation)}}
	}
	if m.Outcome != "" && m.Outcome != c.Outcome {
		all = append(all, Difference{"outcome", m.Outcome, c.Outcome})
	}
	if !decided(m.DecidedBy, c.DecidedBy) {
		all = append(all, Difference{"decided_by", deciderText(m.DecidedBy), c.DecidedBy.String()})
	}
	for _, t := range m.terms {
		if t.holds(c) != yes {
			all = append(all, Difference{t.Param, t.Want(), t.place.find(c).String()})
		}
	}
	return all
}

// orDash writes the operation of a call that may have named none.
func orDash(operation string) string {
	if operation == "" {
		return "-"
	}
	return operation
}
