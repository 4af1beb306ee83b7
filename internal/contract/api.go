package contract

// An API is one documented service.
//
// Its members stand in the order in which a request meets them; reading the
// literal from top to bottom is reading the journey of a request.
type API struct {
	Name  string // folder, scenario key and path segment: "parcels"
	Title string // as the vendor writes it
	Docs  string // address of the documentation that the tables were read from
	Port  int    // its own port; declared here, so that a new API moves no other

	Hosts       []string                // documented host names, by which the shared door knows it
	Claims      func(*Request) bool     // requests it takes at the shared door besides those to its paths; nil: none
	Identifiers func(*Request) []string // words by which the caller can be known, surest first; looks, and never judges

	Pick   func(*Request) (*Operation, Miss)    // names the operation, or says why nothing fits
	Checks []Check                              // checks in the order of the service, until one decides
	Fill   func(c *Call, place string) string   // what stands in a message for {place} where no step said; "" is never sent
	Fail   func(*Call, Verdict) any             // what a failure returns, as a struct whose fields stand in the documented order
	Write  func(*Call, Verdict, Reply) Response // puts any ending on the wire
	Sign   func(Draft) (*Request, error)        // the request that a client library would send: for call, try and tests

	Operations []*Operation
	Common     []*Outcome // outcomes in which any operation may end, besides those that checks declare
	Failure    []Param    // the rows of what Fail returns

	State       func(Seed) (State, error) // the world as a fixture describes it
	Fixture     []Param                   // the lists of a fixture file: accounts, projects, channels
	Switches    []Param                   // the scalars of a fixture file, settable one by one; each has a Default
	Credentials []Credential              // what a caller needs to be known, surest first
	Secrets     []string                  // headers and parameters that --redact blackens
	Triggers    []*Trigger
}

// An Operation is one thing a client may ask for, named as the documentation
// names it.
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

	// Decide says how the call ends. It reads the state and never writes it:
	// what follows from the decision is the outcome's to do. A scenario stands
	// in for exactly this function.
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
	Default any      // what holds when nothing is said: a value of the row's Go type
	Example string   // a value from the documentation
	Doc     string
	Cite    string // "" marks an inference of ours; the handbook says so

	Nullable bool // null is one of its values
}

// Place says where in a request, or in an answer, a parameter stands.
type Place int

// The places of a parameter.
const (
	Body Place = iota
	Form
	Query
	Path
	Header
)

// Type is a documented type of a parameter. The Go type of a checked value
// stands behind each.
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

// The ways to miss.
const (
	NoSuchPath   Miss = "no such path"
	WrongMethod  Miss = "wrong method"
	NoSuchAction Miss = "no such action"
)

// A Check is one of the tests that a request passes before its outcome is decided.
type Check struct {
	Name string              // what is checked: "signature"
	Ends []*Outcome          // how it may refuse
	Do   func(*Call) Verdict // the zero Verdict lets the call pass
}

// A Trigger is something that happens outside the API's calls: a user logs
// in, a stream starts, a client disconnects.
type Trigger struct {
	Name   string
	Doc    string
	Params []Param

	// Do changes the state, with the trigger's parameters in c.In. Its error
	// says what stands in the way ("no session of UserId u-1").
	Do func(*Call) error
}

// A Credential is one part of what makes a caller known.
type Credential struct {
	Name string // as the vendor writes it: "token"
	Env  string // the environment variable that the vendor's client libraries read: "PARCELS_TOKEN"; "": none does
}

// Operation finds an operation by its name, or returns nil.
func (a *API) Operation(name string) *Operation {
	for _, op := range a.Operations {
		if op.Name == name {
			return op
		}
	}
	return nil
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

// DeclaredByCheck reports whether a check may refuse with o. A scenario may play such an outcome to any client, also to one that would be refused for
// another reason.
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

// Returned are the rows of what o returns: of a failure, those of what Fail
// returns.
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
