package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/wire"
)

// An Instance is one API in one sandbox: its state, its switches, its counters,
// and the lock of the state.
type Instance struct {
	API *contract.API

	sandbox *Sandbox
	fixture atomic.Pointer[fixture.Fixture] // what the state began with
	auth    contract.Auth
	unknown contract.OnUnknown
	begun   int64 // bytes of the state with which it was made: so many fit at each reset

	mu      sync.Mutex
	state   contract.State
	weighed contract.Weighed // state, if it is one
	base    int64            // bytes of the state beside its Weight
	booked  atomic.Int64     // bytes that the budget counts for the state; written under mu
	adopted adoptions        // written under mu

	calls sync.Map // *contract.Operation (nil: none) → *atomic.Uint64, how many calls there were

	windows struct {
		sync.Mutex
		windows map[string]*rateWindow
	}
}

// A rateWindow counts the calls under one key.
type rateWindow struct {
	began time.Time
	n     int
}

// newInstance makes an instance of a sandbox that began at an instant of its clock.
func newInstance(s *Sandbox, api *contract.API, began time.Time) (*Instance, error) {
	o := s.Origin()
	i := &Instance{API: api, sandbox: s, auth: cmp.Or(o.Auth[api.Name], contract.Verify), unknown: cmp.Or(o.Unknown[api.Name], contract.Refuse)}
	i.windows.windows = map[string]*rateWindow{}
	err := i.reset(began)
	i.begun = i.booked.Load()
	return i, err
}

// Auth returns how much of a caller's proof is checked.
func (i *Instance) Auth() contract.Auth { return i.auth }

// Switches returns the switches of the instance's fixture. They are never written.
func (i *Instance) Switches() contract.Values { return i.fixture.Load().Switches }

// Credentials returns the sandbox's own account, or else the fixture's first one, by
// the names of API.Credentials.
func (i *Instance) Credentials() contract.Values {
	var first contract.Values
	i.WithState(func(s contract.State) { first = s.Credentials() })
	if own := i.own(first); own != nil {
		return own
	}
	return first
}

// own returns the sandbox's own account, as it is told beside the first one; nil: it has
// none.
func (i *Instance) own(first contract.Values) contract.Values {
	own := i.sandbox.Minted(i.API)
	if own == nil {
		return nil
	}
	for _, c := range i.API.Credentials {
		if c.Identifier && !own.Has(c.Name) && first.Has(c.Name) {
			own[c.Name] = first[c.Name] // what all accounts have in common
		}
	}
	return own
}

// Fixture returns what the instance's state began with.
func (i *Instance) Fixture() *fixture.Fixture { return i.fixture.Load() }

// WithState runs f with the state locked. Every call is decided and carried out
// under this lock, so no emulator needs one.
func (i *Instance) WithState(f func(contract.State)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f(i.state)
	i.book()
}

// CountCall counts a call of op, which may be nil, and returns its number, from 1.
func (i *Instance) CountCall(op *contract.Operation) uint64 {
	counter, ok := i.calls.Load(op)
	if !ok {
		counter, _ = i.calls.LoadOrStore(op, new(atomic.Uint64))
	}
	return counter.(*atomic.Uint64).Add(1)
}

// Dice returns the dice of the n-th call of op.
func (i *Instance) Dice(op *contract.Operation, n uint64) *contract.Dice {
	return newDice(i.sandbox.seed, n, i.API.Name, operationName(op))
}

// Mint returns dice for identifiers by which sandboxes are found: they differ
// between sandboxes, whatever the seeds.
func (i *Instance) Mint(op *contract.Operation, n uint64) *contract.Dice {
	return newDice(i.sandbox.seed, n, i.API.Name, operationName(op), "mint", i.sandbox.Name)
}

func operationName(op *contract.Operation) string {
	if op == nil {
		return ""
	}
	return op.Name
}

// Issue enters an identifier that the instance issued into the directory.
func (i *Instance) Issue(identifier string) {
	i.sandbox.registry.directory.add(i.API, identifier, i.sandbox, false)
}

// Wall returns the server's time.
func (i *Instance) Wall() time.Time { return i.sandbox.registry.Wall() }

// Forget removes an identifier from the directory.
func (i *Instance) Forget(identifier string) {
	i.sandbox.registry.directory.remove(i.API, identifier, i.sandbox)
}

// windowKeys is how many keys an instance counts before it deletes those whose
// window is over.
const windowKeys = 4096

// CountInWindow counts a call under key and returns its number in its window, from
// 1. Windows begin at whole multiples of their length by the wall clock.
func (i *Instance) CountInWindow(key string, length time.Duration) int {
	now := i.sandbox.registry.config.Wall().Truncate(length)
	i.windows.Lock()
	defer i.windows.Unlock()
	w := i.windows.windows[key]
	if w == nil {
		if len(i.windows.windows) >= windowKeys {
			maps.DeleteFunc(i.windows.windows, func(_ string, w *rateWindow) bool { return w.began.Before(now) })
		}
		w = &rateWindow{began: now}
		i.windows.windows[key] = w
	}
	if !w.began.Equal(now) {
		w.began, w.n = now, 0
	}
	w.n++
	return w.n
}

// reset makes the state anew from what the sandbox was made with.
func (i *Instance) reset(began time.Time) error {
	o := i.sandbox.Origin()
	return i.begin(o.Fixtures[i.API.Name], began, o.Givens[i.API.Name])
}

// Load makes the state anew from a fixture. Until the next reset, it counts in place
// of what the sandbox was made with.
func (i *Instance) Load(f *fixture.Fixture) error { return i.begin(f, i.sandbox.Clock.Now(), nil) }

// begin makes the state anew from a fixture, and has happened before what that and
// givens say.
func (i *Instance) begin(f *fixture.Fixture, at time.Time, givens []fixture.Given) error {
	whole, err := f.Read()
	if err != nil {
		return fmt.Errorf("fixture %s of %s: %w", f.Name, i.API.Name, err)
	}
	f = whole
	state, err := i.make(f, at, givens)
	if err == nil {
		err = i.sandbox.registry.replace([]replacement{{instance: i, state: state}})
	}
	if err != nil {
		return fmt.Errorf("fixture %s of %s: %w", f.Name, i.API.Name, err)
	}
	i.fixture.Store(f)
	return nil
}

// Check returns why no state can be made of a fixture.
func (i *Instance) Check(f *fixture.Fixture) error {
	f, err := f.Read()
	if err == nil {
		_, err = i.make(f, i.sandbox.Clock.Now(), nil)
	}
	return err
}

// make makes a state of a fixture.
func (i *Instance) make(f *fixture.Fixture, at time.Time, givens []fixture.Given) (contract.State, error) {
	state, err := i.API.State(contract.Seed{
		Dice:        newDice(i.sandbox.seed, 0, i.API.Name, "", "fixture"),
		Now:         i.sandbox.created,
		Switches:    f.Switches,
		Credentials: i.sandbox.accounts(i.API),
		Decode:      f.Decode,
	})
	if err == nil {
		err = i.resolveAll(state)
	}
	if err == nil {
		err = state.Reindex()
	}
	if err == nil {
		err = i.happened(state, f, at, slices.Concat(f.Givens, givens))
	}
	if mask := i.sandbox.registry.config.Mask; mask != nil && err != nil {
		err = mask(err)
	}
	return state, err
}

// happened has happen to a new state what is given, seen from an instant of the
// sandbox's clock. Callbacks of what happened before reach nobody.
func (i *Instance) happened(state contract.State, f *fixture.Fixture, at time.Time, givens []fixture.Given) error {
	for n, g := range givens {
		c := &contract.Call{
			API: i.API, In: maps.Clone(g.In), Auth: i.auth, Switches: f.Switches, Now: at, State: state,
			Runtime: &pastRuntime{
				instance: i,
				dice:     newDice(i.sandbox.seed, uint64(n), i.API.Name, g.What.Name, "given"),
				mint:     newDice(i.sandbox.seed, uint64(n), i.API.Name, g.What.Name, "given", "mint", i.sandbox.Name),
			},
		}
		if err := g.What.Do(c); err != nil {
			return fmt.Errorf("given %d, %s: %w", n+1, g.What.Name, err)
		}
	}
	return nil
}

// A pastRuntime is the runtime of what happened before. The state is locked, and in
// no directory yet.
type pastRuntime struct {
	instance   *Instance
	dice, mint *contract.Dice
}

func (p *pastRuntime) WithState(f func())                      { f() }
func (p *pastRuntime) CountInWindow(string, time.Duration) int { return 1 }
func (p *pastRuntime) Wall() time.Time                         { return p.instance.Wall() }
func (p *pastRuntime) Dice() *contract.Dice                    { return p.dice }
func (p *pastRuntime) Mint() *contract.Dice                    { return p.mint }
func (p *pastRuntime) Issue(string)                            {}
func (p *pastRuntime) Forget(string)                           {}
func (p *pastRuntime) Adopt(string, string) bool               { return false }
func (p *pastRuntime) Adopted(string, string) bool             { return false }

// replace replaces the state, and its identifiers in the directory. size is that of the
// new one, of which adopted was adopted.
func (i *Instance) replace(state contract.State, size int64, adopted []Adopted) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.replaceLocked(state, size, adopted)
}

func (i *Instance) replaceLocked(state contract.State, size int64, adopted []Adopted) {
	old := i.state
	i.setLocked(state, size, adopted)
	i.sandbox.registry.directory.replace(i, old, false)
}

// loadLocked is replaceLocked for a state that was saved. It returns how many of its
// identifiers stay those of other sandboxes.
func (i *Instance) loadLocked(state contract.State, size int64, adopted []Adopted) (others int) {
	others = i.sandbox.registry.directory.load(i.API, i.sandbox, i.state, state)
	i.setLocked(state, size, adopted)
	return others
}

func (i *Instance) setLocked(state contract.State, size int64, adopted []Adopted) {
	i.state, i.base, i.adopted = state, size, newAdoptions(adopted)
	if i.weighed, _ = state.(contract.Weighed); i.weighed != nil {
		i.base -= i.weighed.Weight()
	}
	i.book()
	if learn := i.sandbox.registry.config.Learn; learn != nil {
		learn(i.API, state)
	}
}

// resetCounters sets the counters of calls and rate limits to zero.
func (i *Instance) resetCounters() {
	i.calls.Clear()
	i.windows.Lock()
	defer i.windows.Unlock()
	clear(i.windows.windows)
}

// Snapshot returns the state as JSON.
func (i *Instance) Snapshot() ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return wire.Saved(i.state)
}

// masked returns a snapshot in which each secret is what mask makes of it.
func (i *Instance) masked(document []byte, mask func(secret string) string) ([]byte, error) {
	state, err := i.read(document)
	if err != nil {
		return nil, err
	}
	holder, is := state.(contract.SecretHolder)
	if !is {
		return document, nil
	}
	for place := range holder.Secrets() {
		*place = mask(*place)
	}
	return wire.Saved(state)
}

// Restore replaces the state by one that Snapshot returned.
// Nothing changes where the document is none, or contradicts itself.
func (i *Instance) Restore(document []byte) error {
	state, err := i.restored(document)
	if err != nil {
		return err
	}
	return i.sandbox.registry.replace([]replacement{{instance: i, state: state}})
}

// restored makes the state that a document describes, which may name secrets of the
// environment.
func (i *Instance) restored(document []byte) (contract.State, error) {
	state, err := i.read(document)
	if err != nil {
		return nil, err
	}
	if err := i.resolveAll(state); err != nil {
		return nil, fmt.Errorf("state of %s: %w", i.API.Name, err)
	}
	return i.reindexed(state)
}

// resolveAll puts the secrets that a state names in the place of their names.
func (i *Instance) resolveAll(state contract.State) (err error) {
	holder, is := state.(contract.SecretHolder)
	if !is {
		return nil
	}
	for place := range holder.Secrets() {
		if *place, err = i.resolve(*place); err != nil {
			return err
		}
	}
	return nil
}

// resolve returns the secret that stands in a document, or that it names.
func (i *Instance) resolve(secret string) (string, error) {
	if secret == contract.Redacted {
		return "", fmt.Errorf("a secret was left out and reads %s, as serve --redact writes states; take the state from a server without it, or put the secret there", contract.Redacted)
	}
	variable, named := strings.CutPrefix(secret, contract.EnvPrefix)
	if !named {
		return secret, nil
	}
	var known []string
	for _, c := range i.API.Credentials {
		if c.Identifier || c.Env == "" {
			continue
		}
		known = append(known, c.Env)
		if c.Env != variable {
			continue
		}
		if value := i.sandbox.credentials[i.API.Name].Text(c.Name); value != "" {
			return value, nil
		}
		return "", fmt.Errorf("a secret is named %s, and this server took in no %s; start it with --credentials env and all variables of %s set, or put the secret itself there", secret, variable, i.API.Name)
	}
	return "", fmt.Errorf("a secret is named %.80q, which is no variable of %s; it has %s", secret, i.API.Name, cmp.Or(strings.Join(known, ", "), "none"))
}

// decode makes the state that a document describes.
func (i *Instance) decode(document []byte) (contract.State, error) {
	state, err := i.read(document)
	if err != nil {
		return nil, err
	}
	return i.reindexed(state)
}

// read makes a state of a document, without its indices.
func (i *Instance) read(document []byte) (contract.State, error) {
	state, err := i.API.State(contract.Seed{
		Dice: newDice(0, 0), Now: i.sandbox.created, Switches: i.Switches(),
		Decode: func(any) error { return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", i.API.Name, err)
	}
	if err := wire.ReadSaved(document, state); err != nil {
		return nil, fmt.Errorf("state of %s: %w", i.API.Name, err)
	}
	return state, nil
}

func (i *Instance) reindexed(state contract.State) (contract.State, error) {
	if err := state.Reindex(); err != nil {
		return nil, fmt.Errorf("state of %s: %w", i.API.Name, err)
	}
	return state, nil
}

// enroll has a state, which was saved elsewhere, know the accounts with which the
// sandbox's callers go on to call.
func (i *Instance) enroll(state contract.State) error {
	enroller, is := state.(contract.Enroller)
	if !is {
		return nil
	}
	accounts := []contract.Values{i.sandbox.credentials[i.API.Name]}
	i.WithState(func(s contract.State) { accounts = append(accounts, i.own(s.Credentials())) })
	for _, a := range accounts {
		if a == nil {
			continue
		}
		if err := enroller.Enroll(a, i.sandbox.created); err != nil {
			return fmt.Errorf("state of %s: the sandbox's own account: %w", i.API.Name, err)
		}
	}
	_, err := i.reindexed(state)
	return err
}

// Copy returns a deep copy of state, by way of JSON. It takes no lock.
func (i *Instance) Copy(state contract.State) (contract.State, error) {
	document, err := wire.Saved(state)
	if err != nil {
		return nil, fmt.Errorf("state of %s: %w", i.API.Name, err)
	}
	return i.decode(document)
}

// Trigger runs a trigger: something happens outside the API's calls.
func (i *Instance) Trigger(t *contract.Trigger, in contract.Values) error {
	var callbacks []contract.Callback
	var err error
	func() {
		now, _ := i.sandbox.HoldClock()
		defer i.sandbox.ReleaseClock()
		i.WithState(func(contract.State) { callbacks, err = i.TriggerLocked(t, in, now) })
	}()
	if err != nil {
		return err
	}
	i.sandbox.registry.Notify(callbacks)
	return nil
}

// TriggerLocked is Trigger for a caller that already runs inside WithState. The
// caller sends the callbacks. Its error may be a *NoRoomError.
func (i *Instance) TriggerLocked(t *contract.Trigger, in contract.Values, now time.Time) ([]contract.Callback, error) {
	if t.Keeps {
		if err := i.Room(0); err != nil {
			return nil, err
		}
	}
	c := &contract.Call{
		API: i.API, In: in, Auth: i.auth, Switches: i.Switches(), Now: now,
		Request: &contract.Request{}, Runtime: triggerRuntime{i, i.CountCall(nil)}, State: i.state,
	}
	err := t.Do(c)
	return c.Callbacks, err
}

// A triggerRuntime is the runtime of a trigger, which has no request.
type triggerRuntime struct {
	instance *Instance
	n        uint64
}

func (t triggerRuntime) WithState(f func()) { f() }
func (t triggerRuntime) CountInWindow(key string, d time.Duration) int {
	return t.instance.CountInWindow(key, d)
}
func (t triggerRuntime) Wall() time.Time             { return t.instance.Wall() }
func (t triggerRuntime) Dice() *contract.Dice        { return t.instance.Dice(nil, t.n) }
func (t triggerRuntime) Mint() *contract.Dice        { return t.instance.Mint(nil, t.n) }
func (t triggerRuntime) Issue(identifier string)     { t.instance.Issue(identifier) }
func (t triggerRuntime) Forget(identifier string)    { t.instance.Forget(identifier) }
func (t triggerRuntime) Adopt(string, string) bool   { return false }
func (t triggerRuntime) Adopted(string, string) bool { return false }
