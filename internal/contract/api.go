package contract

import "strings"

// An API is one documented service.
//
// Its members are in the order in which a request meets them, so that the literal
// reads like the way of a request.
type API struct {
	Name  string // folder, scenario key and path segment: "parcels"
	Title string // as the vendor writes it
	Docs  string // address of the documentation that the tables were read from
	Port  int    // its own port; declared here, so that a new API moves no other

	Hosts       []Host                  // documented host names, by which the door finds the API
	Claims      func(*Request) bool     // requests without the API's paths that it takes at the door; nil: none
	Identifiers func(*Request) []string // identifiers of the caller that a sandbox may know, surest first; it refuses nothing

	Pick   func(*Request) (*Operation, Miss)    // names the operation, or says why nothing fits
	CORS   bool                                 // the service itself lets pages of other origins in
	Checks []Check                              // checks in the order of the service, until one decides
	Fill   func(c *Call, place string) string   // the text for {place} in a message where no fact has that name; "": the name itself
	Fail   func(*Call, Verdict) any             // what a failure returns, as a struct whose fields are in the documented order
	Write  func(*Call, Verdict, Reply) Response // puts any ending on the wire
	Sign   func(Draft) (*Request, error)        // the request that a client library would send: for call, try and tests

	Operations []*Operation
	Protocol   []string   // parameters of every request beside the rows of its operation: proofs, envelopes
	Common     []*Outcome // outcomes in which any operation may end, besides those that checks declare
	Failure    []Param    // the rows of what Fail returns

	State       func(Seed) (State, error) // the state that a fixture describes
	Fixture     []Param                   // the keys of a fixture file beside the switches: accounts, projects, channels
	Switches    []Param                   // the scalars of a fixture file, settable one by one; each has a Default
	Credentials []Credential              // what a caller needs to be known to the service, surest first
	Adopts      []Adoptable               // identifiers that are taken in where clients bring their own; nil: none
	Mint        func(*Dice) Values        // credentials of one more account, by which alone its calls find their sandbox; nil: they cannot
	Environment []Variable                // what points a client here, beside Env of Credentials
	Secrets     []string                  // headers and parameters that hold secrets or what proves that a caller knows one: tokens, signatures, ciphertexts
	Mistakes    []Mistake                 // what clients are known to do wrong, the most frequent first
	Triggers    []*Trigger
	Lifecycle   *Lifecycle // what ends by itself, what is open, and how a test begins in the middle; nil: nothing of it
}

// An Operation is one thing that a client may ask for, by its documented name.
type Operation struct {
	Name    string
	Doc     string
	Cite    string // page the operation was read from
	Method  string
	Path    string   // as documented: /api/v2/{serviceProvider}/sessions
	Aliases []string // other documented paths of the operation
	Rate    int      // documented calls a second; 0: none
	Params  []Param

	// Outcomes lists the operation's own endings, its plain success first.
	Outcomes []*Outcome

	// Statuses are those of outcomes for which the operation's page prints another
	// status than the outcome has elsewhere.
	Statuses map[*Outcome]int

	// Decide returns how the call ends. It reads the state and never writes it;
	// the outcome's Do writes. A scenario replaces exactly this function.
	Decide func(*Call) Verdict

	Write  func(*Call, Verdict, Reply) Response // nil: the API's
	Helper bool                                 // an operation of ours beside the documented ones: journalled, in no catalogue
}

// A Param is one row of a documented table of parameters, of returned fields,
// of fixture entries or of switches.
type Param struct {
	Name    string
	In      Place
	Type    Type
	Of      Type // what a List holds
	Need    Need
	OneOf   []string // the documented values, where they are listed
	Max     int      // longest length in characters, or greatest number; 0: none documented
	Min     int      // least number; 0 with Max 0: none documented
	Fields  []Param  // rows of an Object, or of each Object in a List; nil: any members
	Default any      // the value where none is given, of the row's Go type
	Example string   // a value from the documentation
	Doc     string
	Cite    string // "" marks an inference of ours, which the handbook says

	Nullable bool // null is one of its values
}

// Place says where in a request or an answer a parameter is.
type Place int

// The places of a parameter.
const (
	Body Place = iota
	Form
	Query
	Path
	Header
)

// Type is a documented type of a parameter. The comment of each is the Go type of
// a validated value.
type Type int

// The types of a parameter.
const (
	String   Type = iota // string
	Integer              // int64
	Number               // float64
	Boolean              // bool
	List                 // []any
	Object               // Values
	Duration             // time.Duration, written as Go writes it: 90s, 1h30m
)

// String names the type as JSON Schema does.
func (t Type) String() string {
	return [...]string{"string", "integer", "number", "boolean", "array", "object", "duration"}[t]
}

// Need says what the absence of a parameter means.
type Need int

// The needs of a parameter.
const (
	Optional Need = iota
	Required      // its absence is refused
	Expected      // documented as required, yet its absence is answered by an outcome of its own
)

// Miss says why a request named no operation. The zero Miss: it named one.
type Miss string

// The values of a Miss.
const (
	NoSuchPath   Miss = "no such path"
	WrongMethod  Miss = "wrong method"
	NoSuchAction Miss = "no such action"
)

// A Trigger is something that happens outside the API's calls: a user logs
// in, a stream starts, a client disconnects.
type Trigger struct {
	Name   string
	Doc    string
	Params []Param

	// Do changes the state, with the trigger's parameters in c.In. Its error
	// says why it cannot happen ("no session of UserId u-1").
	Do func(*Call) error

	Keeps bool // it adds something to the state, as with outcomes
}

// A Credential is one part of what identifies a caller.
type Credential struct {
	Name string // as the vendor writes it: "token"
	Env  string // the environment variable that the vendor's client libraries read: "PARCELS_TOKEN"; "": none does

	// Identifier says that it only names the caller and may be told. All others
	// are secrets, which SecretHolder finds in a state.
	Identifier bool
}

// A Variable is an environment variable that a client's configuration is read from.
type Variable struct {
	Name  string // "PARCELS_URL"
	Value func(base string, s State) string
}

// BaseURL is the address of an API as a Variable has it: http://127.0.0.1:6414.
func BaseURL(base string, _ State) string { return base }

// HostPort is the address without its scheme and path: 127.0.0.1:6414.
func HostPort(base string, _ State) string {
	_, rest, _ := strings.Cut(base, "://")
	address, _, _ := strings.Cut(rest, "/")
	return address
}

// EnvPrefix stands before the name of an environment variable where a document
// names a secret that came from it: "env:PARCELS_TOKEN".
const EnvPrefix = "env:"

// Redacted stands in documents where a secret stood that nothing names.
const Redacted = "[redacted]"

// Operation finds an operation by its name, or returns nil.
func (a *API) Operation(name string) *Operation {
	for _, op := range a.Operations {
		if op.Name == name {
			return op
		}
	}
	return nil
}

// Status returns the status with which the operation ends in o. A nil op has none
// of its own.
func (op *Operation) Status(o *Outcome) int {
	if op != nil {
		if own, found := op.Statuses[o]; found {
			return own
		}
	}
	return o.Status
}

// Trigger finds a trigger by its name, or returns nil.
func (a *API) Trigger(name string) *Trigger {
	for _, t := range a.Triggers {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Ends lists every outcome in which op may end, each once: its own, those
// that a check declares, and those common to all. A nil op has only
// the latter two.
func (a *API) Ends(op *Operation) []*Outcome {
	var all []*Outcome
	seen := map[*Outcome]bool{}
	add := func(outcomes []*Outcome) {
		for _, o := range outcomes {
			if !seen[o] {
				seen[o] = true
				all = append(all, o)
			}
		}
	}
	if op != nil {
		add(op.Outcomes)
	}
	for _, s := range a.Checks {
		add(s.Ends)
	}
	add(a.Common)
	return all
}

// Outcome finds an outcome in which op may end, or returns nil.
func (a *API) Outcome(op *Operation, name string) *Outcome {
	for _, o := range a.Ends(op) {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// DeclaredByCheck reports whether a check may refuse with o. A scenario may play
// such an outcome to any client, also to one that would be refused for another
// reason.
func (a *API) DeclaredByCheck(o *Outcome) bool {
	for _, s := range a.Checks {
		for _, end := range s.Ends {
			if end == o {
				return true
			}
		}
	}
	return false
}

// OperationNames lists the names of the operations, in the order of the table.
func (a *API) OperationNames() []string {
	names := make([]string, len(a.Operations))
	for i, op := range a.Operations {
		names[i] = op.Name
	}
	return names
}

// Returned returns the rows of what o returns: for a failure, those of Fail.
func (a *API) Returned(o *Outcome) []Param {
	if o.Fails {
		return a.Failure
	}
	return o.Returns
}

// FindParam finds the row of a name, or returns nil.
func FindParam(rows []Param, name string) *Param {
	for i := range rows {
		if rows[i].Name == name {
			return &rows[i]
		}
	}
	return nil
}
