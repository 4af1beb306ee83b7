package journal

import (
	"net/http"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// An Entry is one call: request, answer, outcome and why.
type Entry struct {
	ID         string               `json:"id"`
	Number     int                  `json:"number"`  // in the order in which the sandbox's calls were decided, from 1
	Time       time.Time            `json:"time"`    // by the sandbox's clock
	Arrived    time.Time            `json:"arrived"` // by the wall clock
	Sandbox    string               `json:"sandbox"`
	FoundBy    string               `json:"found_by"` // header, path, host, proxy, word, claim or default
	API        string               `json:"api"`
	Operation  string               `json:"operation,omitempty"` // "" where the request named none
	Outcome    string               `json:"outcome"`
	DecidedBy  Decider              `json:"decided_by"`
	Status     int                  `json:"status"`
	DurationMS float64              `json:"duration_ms"`
	Delivered  Delivered            `json:"delivered"`
	Client     Client               `json:"client"`
	Request    Message              `json:"request"`
	Response   Message              `json:"response"`
	Wire       *Wire                `json:"wire,omitempty"`
	Violations []contract.Violation `json:"violations,omitempty"`

	// MoreViolations counts those that are not kept.
	MoreViolations int `json:"more_violations,omitempty"`

	Notes       contract.Facts     `json:"notes,omitempty"`
	Adopted     []contract.Adopted `json:"adopted,omitempty"` // identifiers that it brought and that were taken in at first sight
	Explanation *Explanation       `json:"explanation,omitempty"`
	Callbacks   []Callback         `json:"callbacks,omitempty"`
	Mismatches  Mismatches         `json:"rules_passed_over,omitzero"`
	Redacted    bool               `json:"redacted,omitempty"` // it is shown without what proves its caller: signatures, tokens, ciphertexts

	Key string `json:"-"` // the secret under which the caller signs, where a check knew it

	bytes   int      // of memory, about
	journal *Journal // that keeps it
	closing int      // its place among the calls of its journal as they closed, from 1; 0: it is under way
}

// A Decider is what decided how a call ended.
type Decider struct {
	Kind     Kind   `json:"kind"`
	Name     string `json:"name,omitempty"` // of the check
	Scenario string `json:"scenario,omitempty"`
	Rule     int    `json:"rule,omitempty"` // counted from 1
}

// String writes the decider as the header Understudy-Decided-By does: "emulator",
// "check signature", "scenario parcels/full rule 2".
func (d Decider) String() string {
	switch d.Kind {
	case Check:
		return string(Check) + " " + d.Name
	case Scenario:
		return string(Scenario) + " " + d.Scenario + " rule " + strconv.Itoa(d.Rule)
	}
	return string(d.Kind)
}

// Label is String where all scenarios are one.
func (d Decider) Label() string {
	if d.Kind == Scenario {
		return string(Scenario)
	}
	return d.String()
}

// Kind is a kind of decider.
type Kind string

// The kinds of deciders.
const (
	Emulator Kind = "emulator"
	Scenario Kind = "scenario"
	Header   Kind = "header" // Understudy-Outcome
	Check    Kind = "check"  // a check of the API, which Decider.Name names
)

// Delivered says what became of an answer.
type Delivered string

// What can become of an answer.
const (
	Pending    Delivered = "pending"     // it is being sent, or waits
	Sent       Delivered = "sent"        // handed to the network whole
	ClientGone Delivered = "client gone" // the client left before the end
	Faulted    Delivered = "fault"       // a scenario broke the wire
)

// Client is who sent a request.
type Client struct {
	Address   string `json:"address"`
	UserAgent string `json:"user_agent,omitempty"`
}

// Message is a request or a response.
type Message struct {
	Method    string      `json:"method,omitempty"`
	URL       string      `json:"url,omitempty"`
	Host      string      `json:"host,omitempty"`
	Status    int         `json:"status,omitempty"`
	Header    http.Header `json:"headers,omitempty"`
	Body      Text        `json:"body,omitempty"`
	Bytes     int         `json:"bytes"`               // the body's length, also where Body is cut
	Decoded   any         `json:"decoded,omitempty"`   // what the body says, by parameter name; of a large body as json.RawMessage
	Truncated bool        `json:"truncated,omitempty"` // Body holds its beginning only
}

// Wire is what a scenario had the network do.
type Wire struct {
	DelayMS   int64  `json:"delay_ms,omitempty"`
	Bandwidth int    `json:"bandwidth,omitempty"` // bytes of the body in a second
	Fault     string `json:"fault,omitempty"`
	Answered  bool   `json:"answered,omitempty"` // something in between answered in the API's stead
	Undone    bool   `json:"undone,omitempty"`   // the request never arrived: the outcome was not carried out
	Phantom   bool   `json:"phantom,omitempty"`  // the outcome was answered and not carried out

	// Headers are the names of the answer's headers that were set or taken away. Those
	// that were set stand in the answer.
	Headers []string `json:"headers,omitempty"`
}

// Explanation is contract.Explanation, under the name by which the journal shows it.
type Explanation = contract.Explanation

// Callback is a request to the client's side that the call gave rise to. It is
// sent once the answer has left.
type Callback struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   Text   `json:"body,omitempty"`
}
