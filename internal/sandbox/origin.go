package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// An Origin is what a sandbox was made with, and what a reset goes back to, whatever
// the server's settings are by then.
type Origin struct {
	Request   string                      // what was asked for, so that the same can be told again; "": it was made by first use
	Seed      *uint64                     // nil: by the server's seed and the sandbox's name
	Fixtures  map[string]*fixture.Fixture // by API
	Givens    map[string][]fixture.Given  // by API: what happened before, after what the fixtures say
	Scenarios []*scenario.Scenario
	Clock     clock.Setting
	Auth      map[string]contract.Auth      // by API; none: verify
	Unknown   map[string]contract.OnUnknown // by API; none: refuse
	Claims    Claims
	Door      string        // URL of the shared door as its clients see it, without a slash at its end; "": the server's
	TTL       time.Duration // how long it lives unused; 0: until it is dropped
}

// clone returns a copy of which every list and map can be written to.
func (o Origin) clone() Origin {
	fixtures, auth := map[string]*fixture.Fixture{}, map[string]contract.Auth{}
	maps.Copy(fixtures, o.Fixtures)
	maps.Copy(auth, o.Auth)
	unknown := map[string]contract.OnUnknown{}
	maps.Copy(unknown, o.Unknown)
	o.Fixtures, o.Auth, o.Unknown, o.Scenarios = fixtures, auth, unknown, slices.Clone(o.Scenarios)
	return o
}

// origin is an Origin whose files may change.
type origin struct {
	mu sync.Mutex
	Origin
}

// read returns a copy.
func (o *origin) read() Origin {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clone()
}

func (o *origin) scenarios() []*scenario.Scenario {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.Scenarios)
}

// updateScenarios replaces each scenario by its newest version, which find returns for
// a full name, or nil where it is gone.
func (o *origin) updateScenarios(find func(full string) *scenario.Scenario) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, s := range o.Scenarios {
		if fresh := find(s.FullName()); s.FromLibrary && fresh != nil {
			o.Scenarios[i] = fresh
		}
	}
}

// updateFixtures replaces each fixture by its newest version, which newest returns, or
// nil where it is gone.
func (o *origin) updateFixtures(newest func(*fixture.Fixture) *fixture.Fixture) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for api, f := range o.Fixtures {
		if fresh := newest(f); fresh != nil {
			o.Fixtures[api] = fresh
		}
	}
}

// Origin returns what the sandbox was made with. The copy is the caller's.
func (s *Sandbox) Origin() Origin { return s.origin.read() }

// Origin returns what sandboxes are made with now where nothing else is asked for.
// The copy is the caller's.
func (r *Registry) Origin() Origin { return r.initial.read() }

// Fixtures lists the fixtures with which sandboxes begin, those that live included,
// each once.
func (r *Registry) Fixtures() []*fixture.Fixture {
	seen := map[*fixture.Fixture]bool{}
	add := func(o Origin) {
		for _, f := range o.Fixtures {
			seen[f] = true
		}
	}
	add(r.Origin())
	for _, s := range r.List() {
		add(s.Origin())
	}
	return slices.Collect(maps.Keys(seen))
}

// UpdateFixtures replaces the fixtures with which sandboxes begin, those that live
// included, by their newest versions, which newest returns, or nil where it is gone.
// States change when they are reset.
func (r *Registry) UpdateFixtures(newest func(*fixture.Fixture) *fixture.Fixture) {
	r.initial.updateFixtures(newest)
	for _, s := range r.List() {
		s.origin.updateFixtures(newest)
	}
}

// A TakenError says that there is another sandbox of a name.
type TakenError struct {
	Name  string
	First bool // it was made by first use
}

func (e *TakenError) Error() string {
	how := "was made by another request"
	if e.First {
		how = "was made by its first use, and has no credentials of its own"
	}
	return fmt.Sprintf("the sandbox %s lives already and %s; drop it first with understudy sandbox drop %s or DELETE /v1/sandboxes/%s, or take another name", e.Name, how, e.Name, e.Name)
}

// Make makes a sandbox by o, with credentials of its own for every API. The name ""
// is one that is free. Where a sandbox lives that the same request made it is the
// answer. Its error is a *NameError, *TakenError, *ClaimError, *FullError or
// *NoRoomError, or says that no state can be made of a fixture.
func (r *Registry) Make(name string, o Origin) (s *Sandbox, made bool, err error) {
	if name != "" {
		if err := CheckName(name); err != nil {
			return nil, false, err
		}
	}
	if s, made, err = r.findOrAdd(name, o); err != nil {
		return nil, false, err
	}
	for _, api := range r.config.APIs {
		if _, err := s.Instance(api); err != nil {
			r.discard(s)
			return nil, false, err
		}
	}
	s.Touch()
	return s, made, nil
}

// discard ends a sandbox of which not all could be made. Another one may have its name by
// then, where the same was asked for twice.
func (r *Registry) discard(s *Sandbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.close(false) {
		r.forget(s)
	}
}

func (r *Registry) findOrAdd(name string, o Origin) (s *Sandbox, made bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropExpired()
	if s := r.sandboxes[name]; s != nil {
		if s.request != o.Request {
			return nil, false, &TakenError{Name: name, First: s.request == ""}
		}
		return s, false, nil
	}
	if err := r.checkClaims(o.Claims); err != nil {
		return nil, false, err
	}
	if err := r.makeRoom(); err != nil {
		return nil, false, err
	}
	for name == "" || r.sandboxes[name] != nil {
		r.nameless++
		name = "auto-" + strconv.Itoa(r.nameless)
	}
	return r.add(name, o), true, nil
}

// accounts lists the credentials beside those of the fixture with which an API is
// called.
func (s *Sandbox) accounts(api *contract.API) []contract.Values {
	var all []contract.Values
	for _, v := range []contract.Values{s.credentials[api.Name], s.Minted(api)} {
		if v != nil {
			all = append(all, v)
		}
	}
	return all
}

// Minted returns the credentials that are the sandbox's own; nil for one that was made
// by first use.
func (s *Sandbox) Minted(api *contract.API) contract.Values {
	if s.request == "" || api.Mint == nil {
		return nil
	}
	return api.Mint(newDice(seedOf(s.registry.config.Seed, []string{s.Name}), 0, api.Name, "credentials"))
}
