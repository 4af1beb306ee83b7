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

// A Request is what arrived, taken off the wire and not yet understood.
type Request struct {
	Method   string
	Target   string            // the request line's target as it came, sandbox and API prefixes included
	URL      *url.URL          // the target without those prefixes
	Base     string            // scheme, host, port and prefix by which the request came; what the API tells of itself is built from it
	Host     string            // as it came, with a port where there was one
	Header   http.Header       //
	Body     []byte            // at most the server's limit
	TooLarge bool              // the body was longer than that
	Path     map[string]string // what the names in the path stand for; nil where there are none
	At       []*Operation      // operations whose path fits, whatever the method
	Client   string            // the sender's address
	Arrived  time.Time         // what callers' timestamps are held against
}

// A Response is what will be sent. Nobody writes into its header, so that
// answers may share one.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// A Reply is what an outcome returns, encoded, with a scenario's fields laid
// over it. Write carries it and never looks into it.
type Reply struct {
	Body   []byte      // a JSON value; nil where there is nothing to return
	Header http.Header // what rows with the place Header say; nil where there are none
}

// A Draft is what a caller means, before a client library has put it on the wire.
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
	In        Values    // what the request says; a check reads it
	Caller    any       // who is asking; a check finds out
	Now       time.Time // by the sandbox's clock: what the service issued is judged by this one
	Auth      Auth
	Switches  Values // the fixture's switches, each there
	State     State  // the API's world; set only where it is safe to read: in Look, Decide, Do, Sent and triggers

	Violations []Violation // what Rows found
	Notes      Facts       // what the journal should say of the call beside its outcome
	Callbacks  []Callback  // what is sent to the client's side once the answer has left
}

// Note has the journal say something of the call: which variant of a
// signature matched, what was taken for what.
func (c *Call) Note(name string, value any) { c.Notes = append(c.Notes, Fact{name, value}) }

// ServerTime is the time against which the timestamps of callers are held:
// Request.Arrived, or Now where no request made the call.
func (c *Call) ServerTime() time.Time {
	if c.Request == nil || c.Request.Arrived.IsZero() {
		return c.Now
	}
	return c.Request.Arrived
}

// A Callback is a request that the service makes to its customer's side.
type Callback struct {
	Method string
	URL    string // absolute; whether it may be called is the operator's to say
	Header http.Header
	Body   []byte
}

// Notify has understudy send b once the answer has left. For Do and triggers
// only. A callback that cannot be sent is told in the log, and nothing else
// comes of it.
func (c *Call) Notify(b Callback) { c.Callbacks = append(c.Callbacks, b) }

// Runtime is what the engine does for a call.
type Runtime interface {
	// WithState runs f while c.State stands still. For checks; Decide and Do are
	// already run so.
	WithState(f func())

	// CountInWindow counts a call under key and tells how many-th it is in the present
	// window by the wall clock. Windows follow on one another without a gap.
	CountInWindow(key string, window time.Duration) int

	// Wall is the server's wall clock, on which rates and throttles run whatever
	// the sandbox's clock does. For checks only.
	Wall() time.Time

	// Dice are the call's own: the same sandbox seed, operation and number of
	// the call give the same throws. For Do and Write only.
	Dice() *Dice

	// Mint gives dice for identifiers by which callers will be found, so that
	// no two sandboxes throw the same.
	Mint() *Dice

	// Issue tells that word was handed out, and that whoever carries it belongs
	// to this sandbox. For Do only.
	Issue(word string)

	// Forget takes back what Issue told: the word counts no more. For Do only.
	Forget(word string)
}

// Auth says how much of the caller's proof is looked at.
type Auth string

// The ways to look at it.
const (
	Verify   Auth = "verify"   // as the vendor does
	Presence Auth = "presence" // there and well-formed; values are not checked
	Off      Auth = "off"      // nothing is asked
)

// State is what an API remembers in one sandbox: a plain struct without locks.
// Its exported fields are the whole truth and survive JSON and back; indices
// are unexported.
type State interface {
	// Reindex rebuilds the indices. It refuses a document that contradicts itself.
	Reindex() error

	// Identifiers lists every word by which a caller of this world may be found:
	// credentials, and all that was issued and still counts.
	Identifiers() iter.Seq[string]

	// Credentials are those of the world's first account, by the names of
	// API.Credentials.
	Credentials() Values
}

// A Deriver is a State of which more can be told than it remembers. What is
// derived is made when somebody looks, shown beside the state, and never part
// of a snapshot or of an answer.
type Deriver interface {
	State

	// Derive tells what follows from the state at now: a struct or map that
	// survives encoding as JSON.
	Derive(now time.Time, switches Values) any
}

// A Seed is what the state of an API begins with.
type Seed struct {
	Dice        *Dice
	Now         time.Time
	Switches    Values
	Credentials Values               // of a caller to be known beside the fixture's; nil: none
	Decode      func(into any) error // fills into from the lists of the fixture; leaves it as it is where there is none
}

// Dice are a source of chance that can be thrown again.
type Dice struct {
	source rand.Source64
	fake   *gofakeit.Faker // made when it is first asked for
}

// NewDice returns dice that throw what source says.
func NewDice(source rand.Source64) *Dice { return &Dice{source: source} }

// Fake returns a maker of plausible values.
func (d *Dice) Fake() *gofakeit.Faker {
	if d.fake == nil {
		d.fake = gofakeit.NewCustom(d.source)
	}
	return d.fake
}

// ID returns a random UUID in lower case.
func (d *Dice) ID() string { return uuid.Must(uuid.NewRandomFromReader(d)).String() }

// Read fills p with random bytes.
func (d *Dice) Read(p []byte) (int, error) {
	var eight [8]byte
	for n := 0; n < len(p); {
		binary.LittleEndian.PutUint64(eight[:], d.source.Uint64())
		n += copy(p[n:], eight[:])
	}
	return len(p), nil
}
