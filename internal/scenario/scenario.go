package scenario

import (
	"net/http"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A Scenario decides the outcomes of some calls of one API in the emulator's
// stead. It never changes once it is read.
type Scenario struct {
	Name        string // unique per API
	API         string // or Everywhere
	Description string
	Tags        []string
	Rules       []Rule // tried from top to bottom
	File        string // where it was read from; "" for one without a file
	Text        string // what it was read from; "" for a documented outcome

	FromLibrary bool // a library has it, and may have a newer one
}

// FullName is api/name: parcels/slow.
func (s *Scenario) FullName() string { return s.API + "/" + s.Name }

// Operations lists the operations that the rules name, each once.
func (s *Scenario) Operations() []string {
	var all []string
	seen := map[string]bool{}
	for i := range s.Rules {
		if name := s.Rules[i].Operation; !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}

const (
	// Any stands for every operation of an API.
	Any = "*"

	// Everywhere stands for every API. Its scenarios say what the network does,
	// because no outcome belongs to all APIs.
	Everywhere = "all"

	// Emulator in a sequence of outcomes leaves a call to the emulator.
	Emulator = "emulator"

	// Initial is the state of a scenario that has just been switched on.
	Initial = "initial"
)

// A Rule decides the calls that fit it.
type Rule struct {
	Line int // where it stands in its file, counted from 1; 0: in none

	Operation string      // a documented name, or Any
	Where     []Condition // all must hold
	State     string      // the scenario's state in which it fits; "": in any
	Times     int         // how many calls it decides; 0: without end
	Skip      int         // how many fitting calls it lets through before
	Chance    float64     // how likely it fits, above 0 and below 1; 0: always
	From      time.Duration
	Until     time.Duration // both since the activation, by the sandbox's clock; Until 0: without end

	Outcomes  []string // one per call, in this order, Emulator among them; none: the emulator decides, and only the rest applies
	RepeatAll bool     // after the last outcome they begin anew; otherwise the last one stays
	Message   string   // stands in for the documented message
	With      wire.Patch
	Phantom   bool // the outcome is answered and not carried out

	Then     string    // the scenario's state afterwards; "": it stays
	Triggers []Trigger // what happens after the call
	Expect   int       // how many calls it should have decided in the end; 0: no expectation
	Wire     *Wire     // nil: the network does nothing
}

// OnlyWire reports whether the rule says what the network does and nothing else.
// Such a rule fits refused calls too: the network does not know whether a
// request is right.
func (r *Rule) OnlyWire() bool {
	return r.Wire != nil && len(r.Outcomes) == 0 && len(r.Triggers) == 0 && !r.Phantom
}

// endless reports whether the rule takes every call from the first one on, as
// far as operation, conditions and state let it.
func (r *Rule) endless() bool {
	return r.Times == 0 && r.Skip == 0 && r.Chance == 0 && r.From == 0 && r.Until == 0
}

// A Trigger runs a trigger of the API after a rule has decided. Required parameters
// that In lacks are taken from the call, by the same names.
type Trigger struct {
	Name string
	In   contract.Values
}

// Fill returns the parameters of a trigger, with those of a call for required ones
// that In lacks.
func (t *Trigger) Fill(rows []contract.Param, call contract.Values) contract.Values {
	in := make(contract.Values, len(rows))
	for i := range rows {
		name := rows[i].Name
		if x, given := t.In[name]; given {
			in[name] = x
		} else if x, given := call[name]; given && rows[i].Need == contract.Required {
			in[name] = x
		}
	}
	return in
}

// Wire says what the network does to an answer.
type Wire struct {
	Delay     Delay
	Bandwidth int // bytes of a body in a second; 0: as many as there are
	Fault     Fault
	When      When           // whether what breaks had reached the service; "": as the fault has it
	Answer    *Answer        // in place of the API's
	Headers   []HeaderChange // of the API's answer or of Answer
}

// Removes reports whether a header, by its canonical name, is taken from every
// answer.
func (w *Wire) Removes(header string) bool {
	return w != nil && slices.ContainsFunc(w.Headers, func(h HeaderChange) bool {
		return h.Remove && http.CanonicalHeaderKey(h.Name) == header
	})
}

// A Delay is how long an answer is held back: a fixed time, one between two,
// or one that is log-normally distributed. The zero Delay is none.
type Delay struct {
	Fixed    time.Duration
	Min, Max time.Duration // Max 0: not this kind
	Median   time.Duration // 0: not this kind
	Sigma    float64       // of the logarithm
}

// String writes a delay as a scenario file does.
func (d Delay) String() string {
	switch {
	case d.Max > 0:
		return d.Min.String() + " to " + d.Max.String()
	case d.Median > 0:
		return "about " + d.Median.String()
	}
	return d.Fixed.String()
}

// Fault is a way in which a connection fails.
type Fault string

// The faults of a connection.
const (
	NoFault  Fault = ""
	Reset    Fault = "reset"    // the connection is reset
	Empty    Fault = "empty"    // the connection is closed without an answer
	Truncate Fault = "truncate" // the answer ends too early
	Garbage  Fault = "garbage"  // the body is bytes that no API sends, and ends too early
	Stall    Fault = "stall"    // no answer comes, and the connection stays open
)

// Faults lists the names of all faults.
var Faults = []string{string(Reset), string(Empty), string(Truncate), string(Garbage), string(Stall)}

// When says whether a request reached the service before the wire broke.
type When string

// The times at which a wire breaks.
const (
	Before When = "before" // the request never arrived: the outcome is not carried out
	After  When = "after"  // the outcome has happened, and the client does not know
)

// Undone reports whether the request did not arrive, so that its outcome is not
// carried out. For a truncated or garbled answer it did arrive.
func (w *Wire) Undone() bool {
	if w == nil || w.When == After {
		return false
	}
	return w.Answer != nil || w.Fault == Reset || w.Fault == Empty || w.Fault == Stall
}

// An Answer comes from something between client and service, such as the 502 page
// of a proxy.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// A HeaderChange sets a header of an answer, or removes it.
type HeaderChange struct {
	Name, Value string
	Remove      bool
}

// Over returns below with the members that w sets. A fault and an answer exclude
// each other, so the one that w has replaces either.
func (w *Wire) Over(below *Wire) *Wire {
	if w == nil {
		return below
	}
	if below == nil {
		return w
	}
	sum := *below
	if w.Delay != (Delay{}) {
		sum.Delay = w.Delay
	}
	if w.Bandwidth > 0 {
		sum.Bandwidth = w.Bandwidth
	}
	if w.Fault != NoFault || w.Answer != nil {
		sum.Fault, sum.Answer, sum.When = w.Fault, w.Answer, w.When
	}
	sum.Headers = slices.Concat(sum.Headers, w.Headers)
	return &sum
}

// Implicit returns the scenario of one documented outcome, which needs no file:
// api/Operation/outcome. A nil op stands for every operation.
func Implicit(api *contract.API, op *contract.Operation, outcome *contract.Outcome) *Scenario {
	name := Any
	if op != nil {
		name = op.Name
	}
	return &Scenario{
		Name: name + "/" + outcome.Name, API: api.Name, Description: outcome.Doc,
		Rules: []Rule{{Operation: name, Outcomes: []string{outcome.Name}}},
	}
}
