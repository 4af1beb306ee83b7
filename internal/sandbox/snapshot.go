package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A World is all that decides how the calls of a sandbox end, as it stood at one
// moment. Restored, the same calls get the same answers.
type World struct {
	State    map[string]json.RawMessage `json:"state"`              // by API
	Clock    *clock.Reading             `json:"clock,omitempty"`    //
	Progress *Progress                  `json:"progress,omitempty"` //
	Fixtures map[string]Settled         `json:"fixtures,omitempty"` // by API
	Adopted  map[string][]Adopted       `json:"adopted,omitempty"`  // by API: what its state took in at first sight
	Origin   *Source                    `json:"origin,omitempty"`   // never put back
}

// A Source says of which sandbox a World is.
type Source struct {
	Sandbox  string `json:"sandbox"`
	Dice     string `json:"dice"`     // equal for those whose dice fall alike
	Accounts string `json:"accounts"` // equal for those to which the same accounts were added
}

// source says of which sandbox its World is.
func (s *Sandbox) source() *Source {
	config := s.registry.config
	accounts := []string{"accounts"}
	if s.request != "" {
		accounts = append(accounts, s.Name)
	}
	for _, api := range config.APIs {
		for _, c := range api.Credentials {
			if given := config.Credentials[api.Name]; given != nil && c.Identifier {
				accounts = append(accounts, api.Name, c.Name, given.Text(c.Name))
			}
		}
	}
	mark := func(n uint64) string { return fmt.Sprintf("%016x", n) }
	return &Source{s.Name, mark(seedOf(s.seed, []string{"dice"})), mark(seedOf(config.Seed, accounts))}
}

// Restored is what became of a World where it was put back.
type Restored struct {
	Others int  // identifiers of its states that stay those of other sandboxes
	Dice   bool // they fall as where it was saved, as far as is known
}

// Settled is the fixture with which an instance began, and how its switches are set.
type Settled struct {
	Fixture  string          `json:"fixture"`
	Switches contract.Values `json:"switches"`
}

// instancesOfAll returns the instances of all APIs, in their order.
func (s *Sandbox) instancesOfAll() ([]*Instance, error) {
	var all []*Instance
	for _, api := range s.registry.config.APIs {
		i, err := s.Instance(api)
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, nil
}

// still runs f at a moment at which no call is between its number and its outcome,
// and no trigger runs.
func (s *Sandbox) still(all []*Instance, f func()) {
	s.moment.Lock()
	defer s.moment.Unlock()
	locked(all, f)
}

// locked runs f under the locks of the instances' states.
func locked(all []*Instance, f func()) {
	for _, i := range all {
		i.mu.Lock()
		defer i.mu.Unlock()
	}
	f()
}

// World returns how the sandbox stands, and what contract.Deriver derives from the
// states by API. mask says what stands for a secret; nil: it is told.
func (s *Sandbox) World(mask func(api, secret string) string) (*World, map[string]any, error) {
	all, err := s.instancesOfAll()
	if err != nil {
		return nil, nil, err
	}
	w := &World{State: map[string]json.RawMessage{}, Progress: &Progress{Calls: map[string]map[string]uint64{}}, Fixtures: map[string]Settled{}, Origin: s.source()}
	derived := map[string]any{}
	var errs []error
	s.still(all, func() {
		w.Progress.Scenarios = s.Player.Progress(func() { r := s.Clock.Read(); w.Clock = &r })
		for _, i := range all {
			name := i.API.Name
			state, err := wire.Saved(i.state)
			if err != nil {
				errs = append(errs, fmt.Errorf("state of %s: %w", name, err))
			}
			if adopted := i.stillAdopted(); adopted != nil {
				if w.Adopted == nil {
					w.Adopted = map[string][]Adopted{}
				}
				w.Adopted[name] = adopted
			}
			w.State[name], w.Progress.Calls[name], w.Fixtures[name] = state, i.callCounts(), i.settled()
			if d, ok := i.state.(contract.Deriver); ok {
				derived[name] = d.Derive(w.Clock.Now, i.Switches())
			}
		}
	})
	if err := errors.Join(errs...); err != nil || mask == nil {
		return w, derived, err
	}
	for _, i := range all {
		name := i.API.Name
		if w.State[name], err = i.masked(w.State[name], func(secret string) string { return mask(name, secret) }); err != nil {
			return nil, nil, fmt.Errorf("state of %s: %w", name, err)
		}
	}
	return w, derived, nil
}

// A Find finds a scenario of the library by its full name.
type Find func(full string) (*scenario.Scenario, error)

// Restore has the sandbox stand as a World says. What it leaves out stays as it is:
// the state of an API, the clock, the progress, a fixture's name and switches. Where
// a part of it is damaged, nothing changes at all. The sandbox's own accounts go on to
// count, also in the World of another.
func (s *Sandbox) Restore(w *World, find Find) (Restored, error) {
	all, err := s.instancesOfAll()
	if err != nil {
		return Restored{}, err
	}
	r := restoration{sandbox: s, world: w, instances: all}
	if err := errors.Join(r.checkNames(), r.readFixtures(), r.readStates(), r.readProgress(find), r.readClock()); err != nil {
		return Restored{}, err
	}
	s.registry.startDirectory()
	s.moment.Lock()
	defer s.moment.Unlock()
	done := Restored{Dice: w.Origin == nil || w.Origin.Dice == s.source().Dice}
	err = s.registry.admit(r.states, func(sizes []int64) {
		locked(all, func() { done.Others = r.put(sizes) })
	})
	return done, err
}

// A restoration is what becomes of a World before anything changes.
type restoration struct {
	sandbox   *Sandbox
	world     *World
	instances []*Instance

	states   []replacement
	fixtures map[*Instance]*fixture.Fixture
	active   []player.Activation
	setClock func()
}

// checkNames refuses names of APIs that are not served.
func (r *restoration) checkNames() error {
	var known []string
	for _, i := range r.instances {
		known = append(known, i.API.Name)
	}
	var errs []error
	check := func(where, name string) {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("%s: there is no API %.80q here; served are %s", where, name, strings.Join(known, ", ")))
		}
	}
	for name := range r.world.State {
		check("state", name)
	}
	for name := range r.world.Fixtures {
		check("fixtures", name)
	}
	for name := range r.world.Adopted {
		check("adopted", name)
		if _, there := r.world.State[name]; !there {
			errs = append(errs, fmt.Errorf("adopted: %.80q has no state here that could know what was adopted", name))
		}
	}
	if r.world.Progress != nil {
		for name := range r.world.Progress.Calls {
			check("progress.calls", name)
		}
	}
	return errors.Join(errs...)
}

func (r *restoration) readFixtures() error {
	r.fixtures = map[*Instance]*fixture.Fixture{}
	var errs []error
	for _, i := range r.instances {
		settled, found := r.world.Fixtures[i.API.Name]
		if !found {
			continue
		}
		f, err := i.Fixture().Settled(i.API, settled.Fixture, settled.Switches)
		if err != nil {
			errs = append(errs, fmt.Errorf("fixtures: %w", err))
		}
		r.fixtures[i] = f
	}
	return errors.Join(errs...)
}

func (r *restoration) readStates() error {
	var errs []error
	for _, i := range r.instances {
		state, found := r.world.State[i.API.Name]
		if !found {
			continue
		}
		adopted := r.world.Adopted[i.API.Name]
		read, err := i.restored(state)
		if err == nil && (r.world.Origin == nil || r.world.Origin.Accounts != r.sandbox.source().Accounts) {
			err = i.enroll(read)
		}
		errs = append(errs, err, i.checkAdopted(adopted, read))
		r.states = append(r.states, replacement{i, read, adopted})
	}
	return errors.Join(errs...)
}

func (r *restoration) readProgress(find Find) (err error) {
	p := r.world.Progress
	if p == nil {
		return nil
	}
	var errs []error
	for _, i := range r.instances {
		for name := range p.Calls[i.API.Name] {
			if name != "" && i.API.Operation(name) == nil {
				errs = append(errs, fmt.Errorf("progress.calls: %s has no operation %.80q%s", i.API.Name, name, document.Hint(name, i.API.OperationNames())))
			}
		}
	}
	r.active, err = player.Read(p.Scenarios, r.sandbox.registry.config.APIs, find)
	return errors.Join(append(errs, err)...)
}

func (r *restoration) readClock() (err error) {
	if r.world.Clock == nil {
		return nil
	}
	if r.setClock, err = r.sandbox.Clock.Restore(*r.world.Clock); err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	return nil
}

// put replaces what was read. sizes are those of the states. It returns how many
// identifiers stay those of other sandboxes.
func (r *restoration) put(sizes []int64) (others int) {
	setClock := func() {
		if r.setClock != nil {
			r.setClock()
		}
	}
	if r.world.Progress != nil {
		r.sandbox.Player.Restore(r.active, setClock)
	} else {
		setClock()
	}
	for n, one := range r.states {
		others += one.instance.loadLocked(one.state, sizes[n], one.adopted)
	}
	for _, i := range r.instances {
		if f := r.fixtures[i]; f != nil {
			i.fixture.Store(f)
		}
		if p := r.world.Progress; p != nil {
			i.resetCounters()
			i.setCallCounts(p.Calls[i.API.Name])
		}
	}
	return others
}

// settled says how the instance's switches are set.
func (i *Instance) settled() Settled {
	f := i.Fixture()
	set := Settled{f.Name, contract.Values{}}
	for name, value := range f.Switches {
		if d, is := value.(time.Duration); is {
			value = d.String()
		}
		set.Switches[name] = value
	}
	return set
}
