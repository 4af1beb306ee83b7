package conformance

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// Noon is when a test happens that says no other time.
var Noon = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// Setting says how a World begins. Zero members mean: Noon, seed
// 1, fixture default, verify, refuse, the API's switches as the fixture has them.
type Setting struct {
	Clock   time.Time
	Seed    uint64
	Fixture string
	Auth    contract.Auth
	Unknown contract.OnUnknown
	Set     map[string]string // switches

	Credentials contract.Values  // of an account beside those of the fixture
	Wall        func() time.Time // nil: a clock that advances a second at each reading
	Journal     int              // bytes of memory that the journal may hold; 0: 16 MiB
}

// A World is a server of its own for a test, with one API and without sockets.
type World struct {
	API      *contract.API
	Registry *sandbox.Registry
	Sandbox  *sandbox.Sandbox // default
	Handler  http.Handler     // of the API's own port

	mu        sync.Mutex
	callbacks []contract.Callback
	latest    string // body of the latest answer
}

// New makes a world. Its clock is frozen, and callers' timestamps are judged by it.
func New(t testing.TB, api *contract.API, s Setting) *World {
	t.Helper()
	if s.Clock.IsZero() {
		s.Clock = Noon
	}
	if s.Seed == 0 {
		s.Seed = 1
	}
	if s.Journal == 0 {
		s.Journal = 16 << 20
	}
	if s.Wall == nil {
		s.Wall = slowly(s.Clock)
	}
	w := &World{API: api}
	registry, err := sandbox.New(sandbox.Config{
		APIs: []*contract.API{api}, Fixtures: map[string]*fixture.Fixture{api.Name: load(t, api, s)},
		Auth: map[string]contract.Auth{api.Name: s.Auth}, Unknown: map[string]contract.OnUnknown{api.Name: s.Unknown}, Seed: s.Seed, Wall: s.Wall, Max: 100,
		Clock:      clock.Setting{Frozen: s.Clock, Signatures: clock.Sandbox},
		Journal:    journal.Limits{Entries: 1000, Bytes: s.Journal, Body: 64 << 10},
		JournalAll: 64 << 20, Credentials: map[string]contract.Values{api.Name: s.Credentials}, Notify: w.notify,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Registry, w.Sandbox = registry, registry.Find(sandbox.Default)
	w.Handler = gateway.New(gateway.Config{
		APIs: []*contract.API{api}, Registry: registry, Body: 10 << 20, MaxStall: time.Second, Find: w.find,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}).Own(api)
	return w
}

func load(t testing.TB, api *contract.API, s Setting) *fixture.Fixture {
	t.Helper()
	l, err := shipped(api)
	if err != nil {
		t.Fatal(err)
	}
	f := l.Default(api)
	if s.Fixture != "" {
		if f, err = l.Find(api, s.Fixture); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range s.Set {
		if f, err = f.With(api, name, value); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// fixtureLibraries holds the shipped fixtures by API. They never change, and tests make
// worlds by the hundred.
var fixtureLibraries sync.Map

func shipped(api *contract.API) (*fixture.Library, error) {
	if read, ok := fixtureLibraries.Load(api); ok {
		return read.(*fixture.Library), nil
	}
	l := fixture.NewLibrary([]*contract.API{api})
	if err := l.Add(folder{fixtures.Files, []string{api.Name}}); err != nil {
		return nil, err
	}
	fixtureLibraries.Store(api, l)
	return l, nil
}

// folder shows some folders of a file system, so that the files of other APIs
// are left alone.
type folder struct {
	fs.FS
	names []string
}

func (f folder) Glob(string) ([]string, error) {
	var all []string
	for _, name := range f.names {
		some, err := fs.Glob(f.FS, name+"/*.yaml")
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// ReadDir lists a folder of the file system, of the topmost only those shown.
func (f folder) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(f.FS, name)
	if name == "." {
		all = slices.DeleteFunc(all, func(e fs.DirEntry) bool { return !slices.Contains(f.names, e.Name()) })
	}
	return all, err
}

// slowly returns a wall clock that advances a second at each reading, so that no two
// calls share a window of a rate limit.
func slowly(from time.Time) func() time.Time {
	var looks atomic.Int64
	return func() time.Time { return from.Add(time.Duration(looks.Add(1)) * time.Second) }
}

// Play switches a scenario on, of which each outcome has one by its name.
func (w *World) Play(t testing.TB, op *contract.Operation, o *contract.Outcome) {
	t.Helper()
	s, err := library.New([]*contract.API{w.API}).Find(w.API.Name + "/" + op.Name + "/" + o.Name)
	if err != nil {
		t.Fatal(err)
	}
	w.Sandbox.Player.On(s, scenario.Options{})
}

// Instance returns the world's instance of the API.
func (w *World) Instance(t testing.TB) *sandbox.Instance {
	t.Helper()
	r, err := w.Sandbox.Instance(w.API)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Credentials returns those of the world's first account.
func (w *World) Credentials(t testing.TB) (v contract.Values) {
	t.Helper()
	w.Instance(t).WithState(func(s contract.State) { v = s.Credentials() })
	return v
}

// Request makes the request that a client library would send. Where the world
// has no account, it is signed with made-up credentials.
func (w *World) Request(t testing.TB, op *contract.Operation, in contract.Values) *http.Request {
	t.Helper()
	return HTTP(w.signed(t, op, in, w.Credentials(t)))
}

// RequestOf is Request for a caller with these credentials. Where one is missing, it is made
// up.
func (w *World) RequestOf(t testing.TB, op *contract.Operation, in, credentials contract.Values) *http.Request {
	t.Helper()
	return HTTP(w.signed(t, op, in, credentials))
}

// signed is Request for a caller with these credentials.
func (w *World) signed(t testing.TB, op *contract.Operation, in, known contract.Values) *contract.Request {
	t.Helper()
	credentials := contract.Values{}
	for _, k := range w.API.Credentials {
		credentials[k.Name] = "nobody"
		if known.Has(k.Name) {
			credentials[k.Name] = known[k.Name]
		}
	}
	host := "api.example"
	if names := w.API.HostNames(); len(names) > 0 {
		host = names[0]
	}
	r, err := w.API.Sign(contract.Draft{
		Operation: op, In: in, Host: host, Credentials: credentials, Now: w.Sandbox.Clock.Now(),
	})
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	if want := r.URL.RequestURI(); r.Target != want {
		t.Fatalf("%s: Sign made a request with the Target %q; clients send the Target, so %q was expected", op.Name, r.Target, want)
	}
	return r
}

// Send sends r to the API.
func (w *World) Send(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.Handler.ServeHTTP(rec, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latest = rec.Body.String()
	return rec
}

// Glance sends r from a client that leaves at once, so that nothing is waited
// for, and returns what the journal has of the call. A connection that a
// scenario breaks is no failure here.
func (w *World) Glance(t testing.TB, r *http.Request) journal.Entry {
	t.Helper()
	left, leave := context.WithCancel(r.Context())
	leave()
	func() {
		defer func() {
			fault := recover()
			if err, ok := fault.(error); fault != nil && !(ok && errors.Is(err, http.ErrAbortHandler)) {
				panic(fault)
			}
		}()
		w.Send(r.WithContext(left))
	}()
	return w.Last(t)
}

// notify stores the callbacks that a server would send.
func (w *World) notify(callbacks []contract.Callback) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.callbacks = append(w.callbacks, callbacks...)
}

// Callbacks returns the callbacks that a server would have sent, in order. None of
// them leaves the test.
func (w *World) Callbacks() []contract.Callback {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.callbacks)
}

// Trigger runs a trigger of the API.
func (w *World) Trigger(t testing.TB, name string, in contract.Values) error {
	t.Helper()
	trigger := w.API.Trigger(name)
	if trigger == nil {
		t.Fatalf("%s has no trigger %s", w.API.Name, name)
	}
	err := w.Instance(t).Trigger(trigger, in)
	checkWorded(t, err)
	return err
}

// checkListed checks that a call ended in an outcome that the check or the operation
// that decided it lists.
func (w *World) checkListed(t testing.TB, e *journal.Entry) {
	t.Helper()
	switch e.DecidedBy.Kind {
	case journal.Check:
		i := slices.IndexFunc(w.API.Checks, func(c contract.Check) bool { return c.Name == e.DecidedBy.Name })
		listed := contract.OutcomeNames(w.API.Checks[i].Ends)
		if op := w.API.Operation(e.Operation); op != nil {
			listed = append(listed, contract.OutcomeNames(op.Outcomes)...)
		}
		if !slices.Contains(listed, e.Outcome) {
			t.Errorf("the check %s refused with %s, which neither its Ends nor the Outcomes of %s list", e.DecidedBy.Name, e.Outcome, e.Operation)
		}
	case journal.Emulator:
		if w.API.Outcome(w.API.Operation(e.Operation), e.Outcome) == nil {
			t.Errorf("%s decided %s, which its Outcomes do not list", e.Operation, e.Outcome)
		}
	}
}

// Last returns the journal's latest entry. Its outcome has to be one that its
// decider lists.
func (w *World) Last(t testing.TB) journal.Entry {
	t.Helper()
	entries, _ := w.Sandbox.Journal.List(journal.Filter{Limit: 1})
	if len(entries) == 0 {
		t.Fatalf("the journal is empty; the latest answer was %s", w.latest)
	}
	w.checkListed(t, &entries[0])
	return entries[0]
}
