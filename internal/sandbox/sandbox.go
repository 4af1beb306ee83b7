// Package sandbox keeps apart those who test at the same time.
//
// A sandbox is who is testing, not who is calling: each has a clock, a seed, a
// world for every API, active scenarios and a journal of its own.
package sandbox

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario/player"
)

// A Sandbox is one isolated world.
type Sandbox struct {
	Name    string
	Clock   *clock.Clock
	Journal *journal.Journal
	Player  *player.Player

	registry    *Registry
	seed        uint64
	created     time.Time // by its clock, when it was made
	credentials map[string]contract.Values
	lastUsed    atomic.Int64 // when it was last asked for, in wall-clock nanoseconds

	mu        sync.Mutex
	instances map[*contract.API]*Instance
}

// Instance returns what api has of this sandbox. It is made when it is first
// asked for.
func (s *Sandbox) Instance(api *contract.API) (*Instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.instances[api]; r != nil {
		return r, nil
	}
	r, err := newInstance(s, api, s.registry.authOf(api))
	if err != nil {
		return nil, err
	}
	s.instances[api] = r
	return r, nil
}

func (s *Sandbox) existing() []*Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Instance
	for _, api := range s.registry.config.APIs {
		if r := s.instances[api]; r != nil {
			all = append(all, r)
		}
	}
	return all
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

// Reset makes the named parts as they were when the sandbox was made; none
// named means all. Scenarios switched on since are off, those it was made
// with are on and rewound.
func (s *Sandbox) Reset(parts ...Part) error {
	if len(parts) == 0 {
		parts = Parts
	}
	var errs []error
	for _, p := range resetOrder {
		if !slices.Contains(parts, p) {
			continue
		}
		switch p {
		case Clock:
			s.Clock.Reset()
		case State:
			for _, r := range s.existing() {
				errs = append(errs, r.reset())
			}
		case Journal:
			s.Journal.Clear(true)
		case Dice:
			for _, r := range s.existing() {
				r.resetCounters()
			}
			s.Player.RewindDice()
		case Scenarios:
			s.beginScenarios()
		}
	}
	return errors.Join(errs...)
}

// beginScenarios switches on what the sandbox was made with, and nothing else.
func (s *Sandbox) beginScenarios() { s.Player.Begin(s.registry.initialScenarios()) }
