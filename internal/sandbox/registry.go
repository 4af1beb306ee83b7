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

// Default is the name of the sandbox of whoever names none.
const Default = "default"

// Config says how sandboxes begin.
type Config struct {
	APIs        []*contract.API
	Fixtures    map[string]*fixture.Fixture // by API
	Scenarios   []*scenario.Scenario        // active from the start
	Credentials map[string]contract.Values  // by API: callers known beside those of the fixtures
	Auth        map[string]contract.Auth    // by API; none: verify
	Seed        uint64
	Clock       clock.Setting
	Wall        func() time.Time
	Journal     journal.Limits
	JournalAll  int // bytes of all journals together
	Max         int // live sandboxes

	// Notify takes what is to be sent to the clients' side, and does not wait.
	// nil: nothing is sent.
	Notify func([]contract.Callback)
}

// A Registry holds all sandboxes.
type Registry struct {
	config     Config
	budget     *journal.Budget
	directory  *directory
	defaultBox *Sandbox // default

	mu        sync.RWMutex
	sandboxes map[string]*Sandbox
	several   atomic.Bool // there are others beside default

	initial struct { // how sandboxes begin, which may change
		sync.Mutex
		scenarios []*scenario.Scenario
		fixtures  map[string]*fixture.Fixture
	}
}

// New returns a registry that has the sandbox default, with an instance of every
// API, so that a fixture that cannot be used is an error at once.
func New(config Config) (*Registry, error) {
	h := &Registry{
		config: config, budget: journal.NewBudget(config.JournalAll),
		directory: newDirectory(), sandboxes: map[string]*Sandbox{},
	}
	h.initial.scenarios, h.initial.fixtures = config.Scenarios, config.Fixtures
	h.defaultBox = h.add(Default)
	for _, api := range config.APIs {
		if _, err := h.defaultBox.Instance(api); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (h *Registry) authOf(api *contract.API) contract.Auth {
	if a := h.config.Auth[api.Name]; a != "" {
		return a
	}
	return contract.Verify
}

// Wall tells the server's time.
func (h *Registry) Wall() time.Time { return h.config.Wall() }

// Notify has callbacks sent. It does not wait for them.
func (h *Registry) Notify(callbacks []contract.Callback) {
	if len(callbacks) > 0 && h.config.Notify != nil {
		h.config.Notify(callbacks)
	}
}

// initialScenarios are the scenarios that are active from the start.
func (h *Registry) initialScenarios() []*scenario.Scenario {
	h.initial.Lock()
	defer h.initial.Unlock()
	return h.initial.scenarios
}

// fixtureOf is what the world of an API begins with.
func (h *Registry) fixtureOf(api *contract.API) *fixture.Fixture {
	h.initial.Lock()
	defer h.initial.Unlock()
	return h.initial.fixtures[api.Name]
}

// SetFixtures has worlds that are made or reset from now on begin with these
// fixtures, which are by API.
func (h *Registry) SetFixtures(fixtures map[string]*fixture.Fixture) {
	h.initial.Lock()
	defer h.initial.Unlock()
	h.initial.fixtures = fixtures
}

// UpdateScenarios has every sandbox play the newest version of the scenarios that are
// active in it; find tells it by the full name, or nil where it is gone. Those
// that are as they were go on where they stand. Told is in which sandboxes
// which scenarios began anew.
func (h *Registry) UpdateScenarios(find func(full string) *scenario.Scenario) map[string][]string {
	h.initial.Lock()
	first := slices.Clone(h.initial.scenarios)
	for i, s := range first {
		if fresh := find(s.FullName()); fresh != nil {
			first[i] = fresh
		}
	}
	h.initial.scenarios = first
	h.initial.Unlock()
	anew := map[string][]string{}
	for _, s := range h.List() {
		if names := s.Player.Update(find); names != nil {
			anew[s.Name] = names
		}
	}
	return anew
}

// Config says how sandboxes begin here. It is not to be changed.
func (h *Registry) Config() Config { return h.config }

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// CheckName says what is wrong with the name of a sandbox.
func CheckName(name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	return fmt.Errorf("the sandbox name %.80q is not well-formed; expected are 1 to 63 lower-case letters, digits and hyphens, the first no hyphen", name)
}

// Find returns the named sandbox, or nil.
func (h *Registry) Find(name string) *Sandbox {
	if name == Default {
		return h.defaultBox
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.sandboxes[name]
}

// Get returns the named sandbox and makes it where there is none yet. Where
// too many live, one that was idle for an hour gives way.
func (h *Registry) Get(name string) (*Sandbox, error) {
	if s := h.Find(name); s != nil {
		s.lastUsed.Store(h.config.Wall().UnixNano())
		return s, nil
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.sandboxes[name]; s != nil {
		return s, nil
	}
	if len(h.sandboxes) >= h.config.Max && !h.evictIdle() {
		return nil, fmt.Errorf("%d sandboxes live already and none was idle for an hour; drop one, or start the server with a larger --max-sandboxes", len(h.sandboxes))
	}
	if !h.several.Swap(true) {
		h.directory.start(h.defaultBox)
	}
	return h.add(name), nil
}

// add makes a sandbox. The caller holds the lock, or is the only one there.
func (h *Registry) add(name string) *Sandbox {
	c, seed := clock.New(h.config.Wall, h.config.Clock), seedOf(h.config.Seed, []string{name})
	s := &Sandbox{
		Name: name, Clock: c, registry: h, created: c.Now(),
		Journal:     journal.New(name, h.config.Journal, h.budget),
		Player:      player.New(h.config.APIs, seed, c.Now),
		seed:        seed,
		credentials: h.config.Credentials,
		instances:   map[*contract.API]*Instance{},
	}
	s.lastUsed.Store(h.config.Wall().UnixNano())
	s.beginScenarios()
	h.sandboxes[name] = s
	return s
}

// evictIdle drops the sandbox that was idle longest, if that was an hour.
func (h *Registry) evictIdle() bool {
	var idle *Sandbox
	for _, s := range h.sandboxes {
		if s != h.defaultBox && (idle == nil || s.idleLongerThan(idle)) {
			idle = s
		}
	}
	if idle == nil || h.config.Wall().Sub(time.Unix(0, idle.lastUsed.Load())) < time.Hour {
		return false
	}
	delete(h.sandboxes, idle.Name)
	for _, r := range idle.existing() {
		r.unregister()
	}
	idle.Journal.Leave()
	return true
}

func (s *Sandbox) idleLongerThan(than *Sandbox) bool {
	if a, b := s.lastUsed.Load(), than.lastUsed.Load(); a != b {
		return a < b
	}
	return s.Name < than.Name
}

// unregister strikes the room's words out of the book.
func (r *Instance) unregister() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sandbox.registry.directory.replace(r.API, r.sandbox, r.state, nil)
}

// List returns all sandboxes by name, default first.
func (h *Registry) List() []*Sandbox {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := []*Sandbox{h.defaultBox}
	for _, s := range h.sandboxes {
		if s != h.defaultBox {
			all = append(all, s)
		}
	}
	slices.SortFunc(all[1:], func(a, b *Sandbox) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ByIdentifier returns the sandbox that is the only one to know a word, trying the
// words in their order; nil where no word leads to just one.
func (h *Registry) ByIdentifier(api *contract.API, words func() []string) *Sandbox {
	if !h.several.Load() {
		return nil
	}
	for _, w := range words() {
		if s := h.directory.find(api, w); s != nil {
			s.lastUsed.Store(h.config.Wall().UnixNano())
			return s
		}
	}
	return nil
}
