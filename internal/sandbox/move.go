package sandbox

import (
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
)

// HoldClock returns the sandbox's time and the time by which callers' timestamps are
// judged, and lets nobody move the clock until ReleaseClock. What happens in between
// happens at that moment. Its caller does not wait for others meanwhile, and does not
// hold the clock twice.
func (s *Sandbox) HoldClock() (now, stamp time.Time) {
	s.moment.RLock()
	return s.Clock.Times()
}

// ReleaseClock ends what HoldClock began.
func (s *Sandbox) ReleaseClock() { s.moment.RUnlock() }

// A Moved is what a clock shows after it was moved, and what ended meanwhile.
type Moved struct {
	clock.Reading
	Expired []Expired `json:"expired"`        // in the order of time
	More    int       `json:"more,omitempty"` // how many others ended, later than those
}

// An Expired is something that ended by itself while the clock was moved.
type Expired struct {
	API string `json:"api"`
	contract.Due
}

// maxExpired is how many things that ended are listed.
const maxExpired = 1000

// MoveClock has move set the clock, and lists what fell due in between: what ended
// after the instant at which it stood before, and not after the one at which it
// stands then. Calls and triggers run wholly before or wholly after, so that each
// thing is listed once, by the move that passed its end. Where a secret is the id of
// one, mask says what stands there; nil: the secret does.
func (s *Sandbox) MoveClock(move func(*clock.Clock) error, mask func(api, secret string) string) (*Moved, error) {
	var instances []*Instance
	for _, api := range s.registry.config.APIs {
		if api.Lifecycle == nil || api.Lifecycle.Due == nil {
			continue
		}
		i, err := s.Instance(api) // made at the first call; what its fixture lists counts already
		if err != nil {
			return nil, err
		}
		instances = append(instances, i)
	}
	s.moment.Lock()
	defer s.moment.Unlock()
	from := s.Clock.Now()
	if err := move(s.Clock); err != nil {
		return nil, err
	}
	m := &Moved{Reading: s.Clock.Read(), Expired: []Expired{}}
	if m.Now.After(from) {
		m.add(instances, from, mask)
	}
	return m, nil
}

// add lists what ended after from.
func (m *Moved) add(instances []*Instance, from time.Time, mask func(api, secret string) string) {
	for _, i := range instances {
		for _, due := range i.due(from, m.Now, mask) {
			m.Expired = append(m.Expired, Expired{i.API.Name, due})
		}
	}
	slices.SortStableFunc(m.Expired, func(a, b Expired) int { return a.At.Compare(b.At) })
	if n := len(m.Expired) - maxExpired; n > 0 {
		m.Expired, m.More = m.Expired[:maxExpired:maxExpired], n
	}
}

// due lists what ends in the instance's state after from and not after to.
func (i *Instance) due(from, to time.Time, mask func(api, secret string) string) (all []contract.Due) {
	i.WithState(func(state contract.State) {
		all = i.API.Lifecycle.Due(state, i.Switches(), from.Round(0).UTC(), to.Round(0).UTC())
		holder, is := state.(contract.SecretHolder)
		if !is || mask == nil || len(all) == 0 {
			return
		}
		secrets := map[string]bool{}
		for place := range holder.Secrets() {
			secrets[*place] = true
		}
		for n := range all {
			if secrets[all[n].ID] {
				all[n].ID = mask(i.API.Name, all[n].ID)
			}
		}
	})
	return all
}
