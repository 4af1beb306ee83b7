package contract

import (
	"encoding/binary"
	"iter"
	"math/rand"
	"net/http"
	"net/url"
	"time"

	"github.com/brianvoe/gofakeit/v6"
	"github.com/google/uuid"
)

// A Request is an HTTP request as it arrived.
type Request struct {
	Method   string
	Target   string            // the request line's target as it came, sandbox and API prefixes included
	URL      *url.URL          // the target without those prefixes
	Base     string            // scheme, host, port and prefix of the request's address; the API builds its own addresses from it
	Host     string            // as it came, with a port where there was one
	Header   http.Header       //
	Body     []byte            // at most the server's limit
	TooLarge bool              // the body was longer than that
	Path     map[string]string // values of the names in the operation's path; nil where it has none
	At       []*Operation      // operations whose path fits, whatever the method
	Client   string            // the sender's address
	Arrived  time.Time         // what callers' timestamps are compared with
	Parsed   any               // what API.Identifiers has read of it and the checks need not read again: the API's own type; nil: nothing
}

// A Response is the answer as it is sent. Its header is never written to, so that
// answers may share one.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// A Reply is what an outcome returns, encoded, with a scenario's fields laid
// over it. Write sends it and never looks into it.
type Reply struct {
	Body   []byte      // a JSON value; nil: nothing is returned
	Header http.Header // values of rows with the place Header; nil: none
}

// A Draft is a call before a client library makes a request of it.
type Draft struct {
	Operation   *Operation
	In          Values
	Host        string // where it goes, with the port
	Credentials Values // by the names of API.Credentials
	Now         time.Time
}

// A Call is a request as the code of an API sees it.
type Call struct {
	Runtime

	API       *API
	Operation *Operation // nil where the request named none
	Miss      Miss       // why it named none
	Request   *Request
	In        Values    // the request's values; a check sets them
	Caller    any       // what checks find out about the caller; the API's own type
	Now       time.Time // by the sandbox's clock: what the service issued is judged by this one
	Auth      Auth
	Unknown   OnUnknown
	Switches  Values // the fixture's switches, each there
	State     State  // set only under the instance's lock: in WithState, Decide, Do, Sent and triggers

	// Key is the secret under which the caller signs, as soon as a check knows
	// it. It decides whether the journal shows the request's proofs.
	Key string

	Violations []Violation // what ValidateParams found
	Notes      Facts       // what the journal shows beside the outcome
	Callbacks  []Callback  // what is sent to the client's side once the answer has left
}

// Note adds a note to the journal's entry: which variant of a signature matched,
// what was taken for what.
func (c *Call) Note(name string, value any) { c.Notes = append(c.Notes, Fact{name, value}) }

// ServerTime returns the time with which callers' timestamps are compared:
// Request.Arrived, or Now for a call without a request.
func (c *Call) ServerTime() time.Time {
	if c.Request == nil || c.Request.Arrived.IsZero() {
		return c.Now
	}
	return c.Request.Arrived
}

// A Callback is a request that the service makes to its customer's side.
type Callback struct {
	Method string
	URL    string // absolute; the operator allows hosts other than this machine
	Header http.Header
	Body   []byte
}

// Notify sends b once the answer has left. For Do and triggers only. A callback
// that cannot be sent is logged, and nothing else happens.
func (c *Call) Notify(b Callback) { c.Callbacks = append(c.Callbacks, b) }

// Runtime is what the engine does for a call.
type Runtime interface {
	// WithState runs f with c.State set and locked. For checks; Decide and Do
	// already run so.
	WithState(f func())

	// CountInWindow counts a call under key and returns its number in the current
	// window, from 1. Windows begin at whole multiples of their length by the
	// wall clock.
	CountInWindow(key string, window time.Duration) int

	// Wall returns the server's wall clock, by which rate limits run, whatever the
	// sandbox's clock does. For checks only.
	Wall() time.Time

	// Dice returns the call's dice: the same seed, operation and number of the
	// call give the same values. For Do, Write and Take only.
	Dice() *Dice

	// Mint returns dice for identifiers by which sandboxes are found; they differ
	// between sandboxes.
	Mint() *Dice

	// Issue enters identifier into the directory: calls that carry it belong to
	// this sandbox. For Do only.
	Issue(identifier string)

	// Forget removes identifier from the directory. For Do only.
	Forget(identifier string)

	// Adopt takes in an identifier that c.State does not know, by the row of that name
	// in API.Adopts. It reports false where that is not wanted, or not possible. For
	// checks, inside WithState; it refuses nothing.
	Adopt(what, id string) bool

	// Adopted reports whether the identifier was adopted. For checks and Decide.
	Adopted(what, id string) bool
}

// Auth says how much of the caller's proof is checked.
type Auth string

// The values of Auth.
const (
	Verify   Auth = "verify"   // as the vendor does
	Presence Auth = "presence" // proof is there and well-formed; values are not checked
	Off      Auth = "off"      // no proof is needed
)

// State is what an API stores in one sandbox: a plain struct without locks. Its
// exported fields are all of it and survive JSON and back; indices are unexported.
type State interface {
	// Reindex rebuilds the indices. Its error says where the state contradicts
	// itself.
	Reindex() error

	// Identifiers lists all identifiers by which a sandbox is found: credentials,
	// and whatever was issued and is still valid.
	Identifiers() iter.Seq[string]

	// Credentials returns those of the first account, by the names of
	// API.Credentials.
	Credentials() Values
}

// A SecretHolder is a State that holds secrets.
type SecretHolder interface {
	State

	// Secrets yields where each secret stands: those of accounts, and whatever else
	// must not be told, such as signing keys. It is asked before Reindex, too: of what
	// a document says, which may be damaged.
	Secrets() iter.Seq[*string]
}

// An Enroller is a State that takes in accounts besides those with which it began. It has
// to be one where the API's table has Mint.
type Enroller interface {
	State

	// Enroll adds an account in the likeness of the first one, with credentials by the
	// names of API.Credentials. Where it is known already, nothing changes. Reindex
	// follows. now is when the account begins to count.
	Enroll(credentials Values, now time.Time) error
}

// A Weighed is a State that knows how much memory its records take. One that is not
// counts as large as its exported fields are when it is made, whatever calls add.
type Weighed interface {
	State

	// Weight returns about how many bytes of memory the records take that calls make
	// and delete, their share of maps and indices included. It is asked after every
	// call, so the state keeps the number and counts nothing anew.
	Weight() int64
}

// A Deriver is a State from which more follows than it stores. What is derived is
// shown beside the state, and never part of a snapshot or an answer.
type Deriver interface {
	State

	// Derive returns what follows from the state at now: a struct or map that can
	// be encoded as JSON.
	Derive(now time.Time, switches Values) any
}

// A Seed is what the state of an API begins with.
type Seed struct {
	Dice        *Dice
	Now         time.Time
	Switches    Values
	Credentials []Values             // of accounts beside those of the fixture
	Decode      func(into any) error // fills into from the lists of the fixture; leaves it as it is for an empty one
}

// Dice are a source of chance that gives the same values again.
type Dice struct {
	source rand.Source64
	fake   *gofakeit.Faker // made at the first call of Fake
}

// NewDice returns dice that take their values from source.
func NewDice(source rand.Source64) *Dice { return &Dice{source: source} }

// Fake returns a maker of plausible values.
func (d *Dice) Fake() *gofakeit.Faker {
	if d.fake == nil {
		d.fake = gofakeit.NewCustom(d.source)
	}
	return d.fake
}

// ID returns a random UUID in lower case.
func (d *Dice) ID() string {
	var id uuid.UUID
	_, _ = d.Read(id[:])
	id[6] = id[6]&0x0f | 0x40 // version 4: random
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	return id.String()
}

// Read fills p with random bytes.
func (d *Dice) Read(p []byte) (int, error) {
	var eight [8]byte
	for n := 0; n < len(p); {
		binary.LittleEndian.PutUint64(eight[:], d.source.Uint64())
		n += copy(p[n:], eight[:])
	}
	return len(p), nil
}
