package sandbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// Default is the name of the sandbox that serves calls which name no other.
const Default = "default"

// Config says how sandboxes begin.
type Config struct {
	APIs        []*contract.API
	Fixtures    map[string]*fixture.Fixture // by API
	Scenarios   []*scenario.Scenario        // active from the start
	Credentials map[string]contract.Values  // by API: accounts beside those of the fixtures
	Auth        map[string]contract.Auth    // by API; none: verify
	Seed        uint64
	Clock       clock.Setting
	Wall        func() time.Time
	Journal     journal.Limits
	JournalAll  int // bytes of all journals together
	Max         int // live sandboxes

	// Learn is shown every state that an instance begins with or is put back to,
	// locked. nil: nobody is.
	Learn func(*contract.API, contract.State)

	// Mask keeps secrets out of the errors of fixtures, which clients read. nil:
	// they stay as they are.
	Mask func(error) error

	// Notify sends callbacks to the clients' side, and does not wait. nil:
	// nothing is sent.
	Notify func([]contract.Callback)
}

// maxReaders is how many may follow the calls at once.
const maxReaders = 64

// A Registry holds all sandboxes.
type Registry struct {
	Feed *journal.Feed // the calls of all sandboxes, as they close

	config     Config
	budget     *journal.Budget
	directory  *directory
	defaultBox *Sandbox // default

	mu        sync.RWMutex
	sandboxes map[string]*Sandbox
	several   atomic.Bool // there are sandboxes other than default

	initial struct { // how sandboxes begin, which may change
		sync.Mutex
		scenarios []*scenario.Scenario
		fixtures  map[string]*fixture.Fixture
	}
}

// New returns a registry with the sandbox default, which has an instance of every
// API, so that a fixture that cannot be used is an error at once.
func New(config Config) (*Registry, error) {
	r := &Registry{
		Feed: journal.NewFeed(maxReaders), config: config, budget: journal.NewBudget(config.JournalAll),
		directory: newDirectory(), sandboxes: map[string]*Sandbox{},
	}
	r.initial.scenarios, r.initial.fixtures = config.Scenarios, config.Fixtures
	r.defaultBox = r.add(Default)
	for _, api := range config.APIs {
		if _, err := r.defaultBox.Instance(api); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Registry) authOf(api *contract.API) contract.Auth {
	if a := r.config.Auth[api.Name]; a != "" {
		return a
	}
	return contract.Verify
}

// Wall returns the server's time.
func (r *Registry) Wall() time.Time { return r.config.Wall() }

// Notify sends callbacks. It does not wait for them.
func (r *Registry) Notify(callbacks []contract.Callback) {
	if len(callbacks) > 0 && r.config.Notify != nil {
		r.config.Notify(callbacks)
	}
}

// initialScenarios are the scenarios that are active from the start.
func (r *Registry) initialScenarios() []*scenario.Scenario {
	r.initial.Lock()
	defer r.initial.Unlock()
	return r.initial.scenarios
}

// fixtureOf returns the fixture with which an instance of an API begins.
func (r *Registry) fixtureOf(api *contract.API) *fixture.Fixture {
	r.initial.Lock()
	defer r.initial.Unlock()
	return r.initial.fixtures[api.Name]
}

// SetFixtures sets the fixtures, by API, with which instances begin that are made
// or reset from now on.
func (r *Registry) SetFixtures(fixtures map[string]*fixture.Fixture) {
	r.initial.Lock()
	defer r.initial.Unlock()
	r.initial.fixtures = fixtures
}

// UpdateScenarios replaces every active scenario by its newest version, which find
// returns for a full name, or nil where it is gone. An unchanged scenario keeps its
// progress. The result lists, by sandbox, the scenarios that began anew.
func (r *Registry) UpdateScenarios(find func(full string) *scenario.Scenario) map[string][]string {
	r.initial.Lock()
	first := slices.Clone(r.initial.scenarios)
	for i, s := range first {
		if fresh := find(s.FullName()); fresh != nil {
			first[i] = fresh
		}
	}
	r.initial.scenarios = first
	r.initial.Unlock()
	anew := map[string][]string{}
	for _, s := range r.List() {
		if names := s.Player.Update(find); names != nil {
			anew[s.Name] = names
		}
	}
	return anew
}

// Config returns how sandboxes begin. The caller does not change it.
func (r *Registry) Config() Config { return r.config }

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// CheckName returns what is wrong with the name of a sandbox.
func CheckName(name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	return fmt.Errorf("the sandbox name %.80q is not well-formed; expected are 1 to 63 lower-case letters, digits and hyphens, the first no hyphen", name)
}

// Find returns the named sandbox, or nil.
func (r *Registry) Find(name string) *Sandbox {
	if name == Default {
		return r.defaultBox
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.sandboxes[name]
}

// Get returns the named sandbox and makes it where there is none yet. At the
// limit, the one that was idle longest gives way, if that was a minute and none of
// its calls is under way.
func (r *Registry) Get(name string) (*Sandbox, error) {
	if s := r.Find(name); s != nil {
		s.lastUsed.Store(r.config.Wall().UnixNano())
		return s, nil
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sandboxes[name]; s != nil {
		return s, nil
	}
	if len(r.sandboxes) >= r.config.Max && !r.evictIdle() {
		return nil, r.fullError()
	}
	if !r.several.Swap(true) {
		r.directory.start(r.defaultBox)
	}
	return r.add(name), nil
}

// add makes a sandbox. The caller holds the lock, unless it is New.
func (r *Registry) add(name string) *Sandbox {
	c, seed := clock.New(r.config.Wall, r.config.Clock), seedOf(r.config.Seed, []string{name})
	s := &Sandbox{
		Name: name, Clock: c, registry: r, created: c.Now(),
		Journal:     journal.New(name, r.config.Journal, r.budget, r.config.Wall),
		Player:      player.New(r.config.APIs, seed, c.Now),
		seed:        seed,
		credentials: r.config.Credentials,
		instances:   map[*contract.API]*Instance{},
	}
	s.lastUsed.Store(r.config.Wall().UnixNano())
	s.beginScenarios()
	r.sandboxes[name] = s
	return s
}

// List returns all sandboxes by name, default first.
func (r *Registry) List() []*Sandbox {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := []*Sandbox{r.defaultBox}
	for _, s := range r.sandboxes {
		if s != r.defaultBox {
			all = append(all, s)
		}
	}
	slices.SortFunc(all[1:], func(a, b *Sandbox) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ByIdentifier returns the only sandbox that knows an identifier. It tries the
// identifiers in their order, and returns nil where none belongs to just one.
func (r *Registry) ByIdentifier(api *contract.API, identifiers func() []string) *Sandbox {
	if !r.several.Load() {
		return nil
	}
	for _, identifier := range identifiers() {
		if s := r.directory.find(api, identifier); s != nil {
			s.lastUsed.Store(r.config.Wall().UnixNano())
			return s
		}
	}
	return nil
}
