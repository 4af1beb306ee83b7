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
	"github.com/understudy-suite/understudy/internal/coverage"
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
	Fixtures    map[string]*fixture.Fixture   // by API
	Scenarios   []*scenario.Scenario          // active from the start
	Credentials map[string]contract.Values    // by API: accounts beside those of the fixtures
	Auth        map[string]contract.Auth      // by API; none: verify
	Unknown     map[string]contract.OnUnknown // by API; none: refuse
	Seed        uint64
	Clock       clock.Setting
	Wall        func() time.Time
	Journal     journal.Limits
	JournalAll  int   // bytes of all journals together
	Max         int   // live sandboxes
	MaxState    int64 // bytes of the states of all sandboxes together; 0: no limit

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
	Feed     *journal.Feed     // the calls of all sandboxes, as they close
	Coverage *coverage.Counter // how they ended

	config     Config
	budget     *journal.Budget
	states     *budget
	directory  *directory
	defaultBox *Sandbox // default

	initial origin // how sandboxes begin

	mu             sync.RWMutex
	sandboxes      map[string]*Sandbox
	nameless       int // how many got a name of ours
	pasts          pasts
	never          []coverage.Rule // of sandboxes that have ended: what was planned and not played
	moreNever      int             // of these, how many are left out
	claims         map[string]*Sandbox
	claimedHeaders map[string]int // how many sandboxes claim a value of it
	claimed        atomic.Bool    // there are claims
	several        atomic.Bool    // there are sandboxes other than default

	directoryStart sync.Once
}

// ample is room in bytes of which the states of fixtures that can be put off take a small
// part. Where there is less, they are made at once, so that a start without room fails.
const ample = 16 << 20

// New returns a registry with the sandbox default. Of every API whose fixture is not put
// off it has an instance, so that a fixture that cannot be used is an error at once.
func New(config Config) (*Registry, error) {
	r := &Registry{
		Feed: journal.NewFeed(maxReaders), Coverage: coverage.NewCounter(config.APIs, config.Wall), config: config,
		budget: journal.NewBudget(config.JournalAll), states: newBudget(config.MaxState),
		directory: newDirectory(), sandboxes: map[string]*Sandbox{},
		claims: map[string]*Sandbox{}, claimedHeaders: map[string]int{},
	}
	r.initial.Origin = Origin{Fixtures: config.Fixtures, Scenarios: config.Scenarios, Clock: config.Clock, Auth: config.Auth, Unknown: config.Unknown}.clone()
	r.defaultBox = r.add(Default, r.Origin())
	for _, api := range config.APIs {
		if f := config.Fixtures[api.Name]; f != nil && f.PutOff() && (config.MaxState == 0 || config.MaxState >= ample) {
			continue
		}
		if _, err := r.defaultBox.Instance(api); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Wall returns the server's time.
func (r *Registry) Wall() time.Time { return r.config.Wall() }

// JournalLost returns how many entries of all journals gave way to later ones.
func (r *Registry) JournalLost() int64 { return r.budget.Lost() }

// Notify sends callbacks. It does not wait for them.
func (r *Registry) Notify(callbacks []contract.Callback) {
	if len(callbacks) > 0 && r.config.Notify != nil {
		r.config.Notify(callbacks)
	}
}

// UpdateScenarios replaces every active scenario by its newest version, which find
// returns for a full name, or nil where it is gone. An unchanged scenario keeps its
// progress. The result lists, by sandbox, the scenarios that began anew.
func (r *Registry) UpdateScenarios(find func(full string) *scenario.Scenario) map[string][]string {
	r.initial.updateScenarios(find)
	anew := map[string][]string{}
	for _, s := range r.List() {
		s.origin.updateScenarios(find)
		if names := s.Player.Update(find); names != nil {
			anew[s.Name] = names
		}
	}
	return anew
}

// Config returns how sandboxes begin. The caller does not change it.
func (r *Registry) Config() Config { return r.config }

var namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`) })

// A NameError says that a sandbox cannot have a name.
type NameError struct{ Name string }

func (e *NameError) Error() string {
	return fmt.Sprintf("the sandbox name %.80q is not well-formed; expected are 1 to 63 lower-case letters, digits and hyphens, the first no hyphen", e.Name)
}

// CheckName returns what is wrong with the name of a sandbox, a *NameError.
func CheckName(name string) error {
	if namePattern().MatchString(name) {
		return nil
	}
	return &NameError{name}
}

// Find returns the named sandbox, or nil.
func (r *Registry) Find(name string) *Sandbox {
	if name == Default {
		return r.defaultBox
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.sandboxes[name].alive()
}

// Get returns the named sandbox and makes it where there is none yet. At the
// limit, one that is idle gives way. Its error is a *NameError or a *FullError.
func (r *Registry) Get(name string) (*Sandbox, error) {
	if s := r.Find(name); s != nil {
		return s.used(), nil
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropExpired()
	if s := r.sandboxes[name]; s != nil {
		return s, nil
	}
	if err := r.makeRoom(); err != nil {
		return nil, err
	}
	return r.add(name, r.Origin()), nil
}

// add makes a sandbox. The caller holds the lock, unless it is New.
func (r *Registry) add(name string, o Origin) *Sandbox {
	if name != Default {
		r.several.Store(true)
		r.startDirectory()
	}
	seed := seedOf(r.config.Seed, []string{name})
	if o.Seed != nil {
		seed = seedOf(*o.Seed, nil)
	}
	c := clock.New(r.config.Wall, o.Clock)
	s := &Sandbox{
		Name: name, Door: o.Door, Clock: c, registry: r,
		Journal:     journal.Remade(r.pasts.of[name], name, r.config.Journal, r.budget, r.config.Wall),
		Coverage:    r.Coverage.NewTally(),
		Player:      player.New(r.config.APIs, seed, c.Now),
		seed:        seed,
		credentials: r.config.Credentials,
		instances:   map[*contract.API]*Instance{},
		ended:       make(chan struct{}),
	}
	s.origin.Origin, s.request, s.ttl = o, o.Request, o.TTL
	s.created = c.Now()
	s.began = s.created
	s.Touch()
	s.beginScenarios()
	r.sandboxes[name] = s
	r.claim(s)
	r.states.join(s)
	return s
}

// startDirectory switches the directory on. No lock of an instance is held.
func (r *Registry) startDirectory() {
	r.directoryStart.Do(func() { r.directory.start(r.defaultBox) })
}

// List returns all sandboxes by name, default first.
func (r *Registry) List() []*Sandbox {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropExpired()
	all := []*Sandbox{r.defaultBox}
	for _, s := range r.sandboxes {
		if s != r.defaultBox {
			all = append(all, s)
		}
	}
	slices.SortFunc(all[1:], func(a, b *Sandbox) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ByIdentifier returns the only sandbox that knows an identifier by itself: it has it by its
// fixture, or gave it out. It tries the identifiers in their order. Where none belongs to just
// one so, weak is the only sandbox that adopted one, or loaded it from a world that was saved.
func (r *Registry) ByIdentifier(api *contract.API, identifiers func() []string) (own, weak *Sandbox) {
	if !r.several.Load() {
		return nil, nil
	}
	for _, identifier := range identifiers() {
		switch s, isWeak := r.directory.find(api, identifier); {
		case !isWeak:
			if s = s.used(); s != nil {
				return s, nil
			}
		case weak == nil:
			weak = s.alive()
		}
	}
	return nil, weak
}
