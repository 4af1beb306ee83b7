// Package sandbox isolates tests that run at the same time.
//
// A sandbox belongs to one test, not to one caller. Each has its own clock, seed,
// active scenarios and journal, and an instance of every API.
package sandbox

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// A Sandbox is one isolated test.
type Sandbox struct {
	Name     string
	Door     string // URL of the shared door as its clients see it; "": the server's
	Clock    *clock.Clock
	Journal  *journal.Journal
	Coverage *coverage.Tally // begins anew where Journal is reset, and stays where it is emptied
	Player   *player.Player

	registry    *Registry
	origin      origin
	request     string        // what it was made by; "": by first use
	ttl         time.Duration // how long it lives unused; 0: until it is dropped
	seed        uint64
	created     time.Time // by its clock, when it was made
	credentials map[string]contract.Values
	lastUsed    atomic.Int64 // when it was last used, in wall-clock nanoseconds
	followers   atomic.Int64 // who follow its journal
	gone        atomic.Bool  // it was dropped
	ended       chan struct{}
	held        atomic.Int64 // bytes that the budget counts for its states
	calls       calls

	// moment is held for reading by whoever acts on a state at an instant that the
	// clock showed, and for writing by whoever moves the clock.
	moment sync.RWMutex

	mu        sync.Mutex
	instances map[*contract.API]*Instance
	began     time.Time // by its clock, when it was made, or its states were reset
}

// Instance returns the sandbox's instance of api, and makes it at the first call. The one
// of the sandbox default is made before any other, so that the directory has what
// default knows wherever it has what another sandbox knows.
func (s *Sandbox) Instance(api *contract.API) (*Instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.instances[api]; i != nil {
		return i, nil
	}
	if first := s.registry.defaultBox; s != first {
		if _, err := first.Instance(api); err != nil {
			return nil, err
		}
	}
	i, err := newInstance(s, api, s.began)
	if err != nil {
		return nil, err
	}
	s.instances[api] = i
	return i, nil
}

// Existing returns the instances that were made so far.
func (s *Sandbox) Existing() []*Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Instance
	for _, api := range s.registry.config.APIs {
		if i := s.instances[api]; i != nil {
			all = append(all, i)
		}
	}
	return all
}

// Close completes the entry of a call whose answer has left or could not, and tells
// who follows the calls.
func (s *Sandbox) Close(e *journal.Entry, took time.Duration, d journal.Delivered) {
	s.Journal.Close(e, took, d)
	s.Coverage.Count(e)
	s.registry.Feed.Tell(e)
}

// A Part is a part of a sandbox that can be reset alone.
type Part string

// The parts of a sandbox.
const (
	State     Part = "state"
	Journal   Part = "journal"
	Scenarios Part = "scenarios"
	Clock     Part = "clock"
	Dice      Part = "dice"
)

// Parts lists every part.
var Parts = []Part{State, Journal, Scenarios, Clock, Dice}

// resetOrder is the order in which parts are reset: scenarios begin by the clock.
var resetOrder = []Part{Clock, State, Journal, Dice, Scenarios}

// Reset sets the named parts, or all, back to how they were when the sandbox was
// made: as the newest versions of the files say with which it was. The scenarios it was made with are on and rewound, all others are off.
func (s *Sandbox) Reset(parts ...Part) error {
	if len(parts) == 0 {
		parts = Parts
	}
	s.moment.Lock()
	defer s.moment.Unlock()
	var errs []error
	for _, p := range resetOrder {
		if !slices.Contains(parts, p) {
			continue
		}
		switch p {
		case Clock:
			s.Clock.Reset()
		case State:
			errs = append(errs, s.resetStates())
		case Journal:
			s.Journal.Clear(true)
			s.Coverage.Restart()
		case Dice:
			for _, i := range s.Existing() {
				i.resetCounters()
			}
			s.Player.RewindDice()
		case Scenarios:
			s.beginScenarios()
		}
	}
	return errors.Join(errs...)
}

// resetStates makes every state anew. The sandbox then begins by its clock.
func (s *Sandbox) resetStates() error {
	s.mu.Lock()
	s.began = s.Clock.Now()
	began := s.began
	s.mu.Unlock()
	var errs []error
	for _, i := range s.Existing() {
		errs = append(errs, i.reset(began))
	}
	return errors.Join(errs...)
}

// beginScenarios switches on the scenarios the sandbox was made with, and no other.
func (s *Sandbox) beginScenarios() { s.Player.Begin(s.origin.scenarios()) }
