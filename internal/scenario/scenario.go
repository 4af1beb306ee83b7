package scenario

import (
	"net/http"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A Scenario decides the outcomes of some calls of one API in the emulator's
// stead. It never changes once it is read.
type Scenario struct {
	Name        string // unique per API
	API         string
	Description string
	Tags        []string
	Rules       []Rule // tried from top to bottom
	File        string // where it was read from; "" for one without a file
}

// FullName is api/name: parcels/slow.
func (s *Scenario) FullName() string { return s.API + "/" + s.Name }

// operations lists the operations that the rules name, each once.
func (s *Scenario) operations() []string {
	var all []string
	seen := map[string]bool{}
	for _, r := range s.Rules {
		if !seen[r.Operation] {
			seen[r.Operation] = true
			all = append(all, r.Operation)
		}
	}
	return all
}

// Any stands for every operation of an API.
const Any = "*"

// A Rule decides the calls that fit it.
type Rule struct {
	Operation string      // a documented name, or Any
	Where     []Condition // all must hold
	Times     int         // how many calls it decides; 0: without end
	Skip      int         // how many fitting calls it lets through before
	Outcome   string      // "": the emulator decides, and only Wire applies
	Message   string      // stands in for the documented message
	With      wire.Patch  // laid over what the outcome returns
	Wire      *Wire       // nil: the network does nothing
}

// Wire says what the network does to an answer.
type Wire struct {
	Delay   time.Duration
	Fault   Fault
	Answer  *Answer        // in place of the API's
	Headers []HeaderChange // laid over the answer's, whoever gave it
}

// Fault is a way in which a connection fails.
type Fault string

// The faults of a connection.
const (
	NoFault  Fault = ""
	Reset    Fault = "reset"    // the connection is reset
	Empty    Fault = "empty"    // the connection is closed without an answer
	Truncate Fault = "truncate" // the answer ends too early
	Garbage  Fault = "garbage"  // something that is no HTTP is answered
	Stall    Fault = "stall"    // no answer comes, and the connection stays open
)

var faultNames = []string{string(Reset), string(Empty), string(Truncate), string(Garbage), string(Stall)}

// An Answer is what something between client and service says in the
// service's stead: the 502 page of a proxy.
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

// over lays w over what a rule says of the network: what w says stands, and of
// a fault and an answer, which exclude each other, the one that w names.
func (w *Wire) over(below *Wire) *Wire {
	if w == nil {
		return below
	}
	if below == nil {
		return w
	}
	sum := *below
	if w.Delay > 0 {
		sum.Delay = w.Delay
	}
	if w.Fault != NoFault || w.Answer != nil {
		sum.Fault, sum.Answer = w.Fault, w.Answer
	}
	sum.Headers = append(sum.Headers[:len(sum.Headers):len(sum.Headers)], w.Headers...)
	return &sum
}

// Implicit is the scenario that every documented outcome is without a file:
// api/Operation/outcome. A nil op stands for every operation.
func Implicit(api *contract.API, op *contract.Operation, outcome *contract.Outcome) *Scenario {
	name := Any
	if op != nil {
		name = op.Name
	}
	return &Scenario{
		Name: name + "/" + outcome.Name, API: api.Name, Description: outcome.Doc,
		Rules: []Rule{{Operation: name, Outcome: outcome.Name}},
	}
}
