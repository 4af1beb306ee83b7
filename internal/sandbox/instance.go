package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
)

// A Instance is what one API has of a sandbox: its world, its switches, its
// counters, and the one lock that keeps them whole.
type Instance struct {
	API *contract.API

	sandbox *Sandbox
	fixture atomic.Pointer[fixture.Fixture] // what the world began with
	auth    contract.Auth

	mu    sync.Mutex
	state contract.State

	calls sync.Map // *contract.Operation (nil: none) → *atomic.Uint64, how many calls there were

	windows struct {
		sync.Mutex
		windows map[string]*rateWindow
	}
}

// rateWindow counts the calls under one key.
type rateWindow struct {
	began time.Time
	n     int
}

func newInstance(s *Sandbox, api *contract.API, auth contract.Auth) (*Instance, error) {
	r := &Instance{API: api, sandbox: s, auth: auth}
	r.windows.windows = map[string]*rateWindow{}
	return r, r.reset()
}

// Auth says how much of a caller's proof is looked at here.
func (r *Instance) Auth() contract.Auth { return r.auth }

// Switches are the switches of the room's fixture. They are never written.
func (r *Instance) Switches() contract.Values { return r.fixture.Load().Switches }

// Fixture is what the room's world began with.
func (r *Instance) Fixture() *fixture.Fixture { return r.fixture.Load() }

// WithState runs f while the state stands still. Every call is decided and
// carried out in here, which is why no emulator needs a lock.
func (r *Instance) WithState(f func(contract.State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.state)
}

// CountCall counts a call of op, which may be nil, and tells how many-th it is.
func (r *Instance) CountCall(op *contract.Operation) uint64 {
	counter, ok := r.calls.Load(op)
	if !ok {
		counter, _ = r.calls.LoadOrStore(op, new(atomic.Uint64))
	}
	return counter.(*atomic.Uint64).Add(1)
}

// Dice are the dice of the n-th call of op.
func (r *Instance) Dice(op *contract.Operation, n uint64) *contract.Dice {
	return newDice(r.sandbox.seed, n, r.API.Name, operationName(op))
}

// Mint gives dice for identifiers by which callers are found: no two sandboxes
// throw the same, whatever their seeds.
func (r *Instance) Mint(op *contract.Operation, n uint64) *contract.Dice {
	return newDice(r.sandbox.seed, n, r.API.Name, operationName(op), "mint", r.sandbox.Name)
}

func operationName(op *contract.Operation) string {
	if op == nil {
		return ""
	}
	return op.Name
}

// Issue tells that word was handed out here.
func (r *Instance) Issue(word string) { r.sandbox.registry.directory.add(r.API, word, r.sandbox) }

// Wall tells the server's time.
func (r *Instance) Wall() time.Time { return r.sandbox.registry.Wall() }

// Forget tells that a word counts no more.
func (r *Instance) Forget(word string) { r.sandbox.registry.directory.remove(r.API, word, r.sandbox) }

// windowKeys is how many keys a room counts before it forgets those whose
// window is over.
const windowKeys = 4096

// CountInWindow counts a call under key and tells how many-th it is in its window.
// Windows are cut on whole multiples of their length by the wall clock.
func (r *Instance) CountInWindow(key string, length time.Duration) int {
	now := r.sandbox.registry.config.Wall().Truncate(length)
	r.windows.Lock()
	defer r.windows.Unlock()
	w := r.windows.windows[key]
	if w == nil {
		if len(r.windows.windows) >= windowKeys {
			maps.DeleteFunc(r.windows.windows, func(_ string, w *rateWindow) bool { return w.began.Before(now) })
		}
		w = &rateWindow{began: now}
		r.windows.windows[key] = w
	}
	if !w.began.Equal(now) {
		w.began, w.n = now, 0
	}
	w.n++
	return w.n
}

// reset makes the world anew, as the fixture that is in force describes it.
func (r *Instance) reset() error {
	f := r.sandbox.registry.fixtureOf(r.API)
	state, err := r.API.State(contract.Seed{
		Dice:        newDice(r.sandbox.seed, 0, r.API.Name, "", "fixture"),
		Now:         r.sandbox.created,
		Switches:    f.Switches,
		Credentials: r.sandbox.credentials[r.API.Name],
		Decode:      f.Decode,
	})
	if err == nil {
		err = state.Reindex()
	}
	if err != nil {
		return fmt.Errorf("fixture %s of %s: %w", f.Name, r.API.Name, err)
	}
	r.fixture.Store(f)
	r.replace(state)
	return nil
}

// replace puts state in the place of the present one; the book follows.
func (r *Instance) replace(state contract.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sandbox.registry.directory.replace(r.API, r.sandbox, r.state, state)
	r.state = state
}

// resetCounters sets the counters of calls and rates to nothing.
func (r *Instance) resetCounters() {
	r.calls.Clear()
	r.windows.Lock()
	defer r.windows.Unlock()
	clear(r.windows.windows)
}

// Snapshot writes the world down as JSON.
func (r *Instance) Snapshot() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.Marshal(r.state)
}

// Restore puts the world back that Snapshot wrote down. Where the document is
// not one, or contradicts itself, nothing changes.
func (r *Instance) Restore(document []byte) error {
	state, err := r.decode(document)
	if err != nil {
		return err
	}
	r.replace(state)
	return nil
}

// decode makes the world that a document describes.
func (r *Instance) decode(document []byte) (contract.State, error) {
	state, err := r.API.State(contract.Seed{
		Dice: newDice(0, 0), Now: r.sandbox.created, Switches: r.Switches(),
		Decode: func(any) error { return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", r.API.Name, err)
	}
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.DisallowUnknownFields()
	if err := dec.Decode(state); err != nil {
		return nil, fmt.Errorf("state of %s: %w", r.API.Name, err)
	}
	if err := state.Reindex(); err != nil {
		return nil, fmt.Errorf("state of %s: %w", r.API.Name, err)
	}
	return state, nil
}

// Copy makes a world that is like state and shares nothing with it, at the cost
// of writing it down and reading it again. It takes no lock.
func (r *Instance) Copy(state contract.State) (contract.State, error) {
	document, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", r.API.Name, err)
	}
	return r.decode(document)
}

// Trigger pulls a trigger: something happens outside the API's calls.
func (r *Instance) Trigger(t *contract.Trigger, in contract.Values) error {
	var callbacks []contract.Callback
	var err error
	r.WithState(func(contract.State) { callbacks, err = r.TriggerLocked(t, in, r.sandbox.Clock.Now()) })
	if err != nil {
		return err
	}
	r.sandbox.registry.Notify(callbacks)
	return nil
}

// TriggerLocked is Pull for whoever is alone with the state, in what Alone runs. What
// is to be sent to the client's side is left to the caller.
func (r *Instance) TriggerLocked(t *contract.Trigger, in contract.Values, now time.Time) ([]contract.Callback, error) {
	c := &contract.Call{
		API: r.API, In: in, Auth: r.auth, Switches: r.Switches(), Now: now,
		Request: &contract.Request{}, Runtime: triggerRuntime{r, r.CountCall(nil)}, State: r.state,
	}
	err := t.Do(c)
	return c.Callbacks, err
}

// triggerRuntime serves triggers, which happen without a request.
type triggerRuntime struct {
	instance *Instance
	n        uint64
}

func (o triggerRuntime) WithState(f func()) { f() }
func (o triggerRuntime) CountInWindow(key string, d time.Duration) int {
	return o.instance.CountInWindow(key, d)
}
func (o triggerRuntime) Wall() time.Time      { return o.instance.Wall() }
func (o triggerRuntime) Dice() *contract.Dice { return o.instance.Dice(nil, o.n) }
func (o triggerRuntime) Mint() *contract.Dice { return o.instance.Mint(nil, o.n) }
func (o triggerRuntime) Issue(word string)    { o.instance.Issue(word) }
func (o triggerRuntime) Forget(word string)   { o.instance.Forget(word) }
