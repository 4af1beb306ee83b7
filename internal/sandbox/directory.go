package sandbox

import (
	"slices"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A directory maps the identifiers of each API, which are credentials and whatever
// was issued to callers, to the sandboxes that know them. It stays empty while only
// the sandbox default exists, since all calls belong to that one.
type directory struct {
	mu    sync.RWMutex
	off   bool
	byAPI map[*contract.API]map[string][]*Sandbox
}

func newDirectory() *directory {
	return &directory{off: true, byAPI: map[*contract.API]map[string][]*Sandbox{}}
}

// start switches the directory on, with the identifiers of first.
func (d *directory) start(first *Sandbox) {
	for _, i := range first.Existing() {
		i.WithState(func(state contract.State) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.off = false
			d.addAllLocked(i.API, state, first)
		})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = false
}

// add enters that s knows identifier.
func (d *directory) add(api *contract.API, identifier string, s *Sandbox) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.off {
		d.addLocked(api, identifier, s)
	}
}

// addLocked enters nothing for a sandbox that was dropped while a call of it was under
// way.
func (d *directory) addLocked(api *contract.API, identifier string, s *Sandbox) {
	if s.gone.Load() {
		return
	}
	known := d.byAPI[api]
	if known == nil {
		known = map[string][]*Sandbox{}
		d.byAPI[api] = known
	}
	if !slices.Contains(known[identifier], s) {
		known[identifier] = append(known[identifier], s)
	}
}

func (d *directory) addAllLocked(api *contract.API, state contract.State, s *Sandbox) {
	for identifier := range state.Identifiers() {
		d.addLocked(api, identifier, s)
	}
}

// replace removes the identifiers of old and enters those of state. Either may be
// nil.
func (d *directory) replace(api *contract.API, s *Sandbox, old, state contract.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return
	}
	if old != nil {
		for identifier := range old.Identifiers() {
			d.removeLocked(api, identifier, s)
		}
	}
	if state != nil {
		d.addAllLocked(api, state, s)
	}
}

// remove deletes that s knows identifier.
func (d *directory) remove(api *contract.API, identifier string, s *Sandbox) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.off {
		d.removeLocked(api, identifier, s)
	}
}

func (d *directory) removeLocked(api *contract.API, identifier string, s *Sandbox) {
	known := d.byAPI[api]
	left := slices.DeleteFunc(known[identifier], func(o *Sandbox) bool { return o == s })
	if len(left) == 0 {
		delete(known, identifier)
		return
	}
	known[identifier] = left
}

// find returns the only sandbox that knows identifier, or nil.
func (d *directory) find(api *contract.API, identifier string) *Sandbox {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if known := d.byAPI[api][identifier]; len(known) == 1 {
		return known[0]
	}
	return nil
}
