package sandbox

import (
	"slices"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A directory maps the identifiers of each API, which are credentials and whatever
// was issued to callers, to the sandboxes that know them. It stays empty while only
// the sandbox default exists, since all calls belong to that one, and nothing was loaded.
type directory struct {
	mu    sync.RWMutex
	off   bool
	byAPI map[*contract.API]map[string][]knower
}

// A knower is a sandbox that knows an identifier.
type knower struct {
	*Sandbox
	weak bool // it adopted it, or loaded it from a world that was saved; whoever knows it otherwise comes first
}

func newDirectory() *directory {
	return &directory{off: true, byAPI: map[*contract.API]map[string][]knower{}}
}

// start switches the directory on, with the identifiers of first.
func (d *directory) start(first *Sandbox) {
	d.mu.Lock()
	d.off = false // from here on an instance that is made enters what it knows by itself
	d.mu.Unlock()
	for _, i := range first.Existing() {
		i.WithState(func(contract.State) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.addAllLocked(i)
		})
	}
}

// add enters that s knows identifier, and whether it adopted it.
func (d *directory) add(api *contract.API, identifier string, s *Sandbox, adopted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.off {
		d.addLocked(api, identifier, knower{s, adopted})
	}
}

// addLocked enters nothing for a sandbox that was dropped while a call of it was under
// way.
func (d *directory) addLocked(api *contract.API, identifier string, k knower) {
	if k.gone.Load() {
		return
	}
	known := d.byAPI[api]
	if known == nil {
		known = map[string][]knower{}
		d.byAPI[api] = known
	}
	at := slices.IndexFunc(known[identifier], func(o knower) bool { return o.Sandbox == k.Sandbox })
	if at < 0 {
		known[identifier] = append(known[identifier], k)
		return
	}
	known[identifier][at].weak = k.weak
}

// addAllLocked enters what the state of an instance knows, which is locked.
func (d *directory) addAllLocked(i *Instance) {
	for identifier := range i.state.Identifiers() {
		d.addLocked(i.API, identifier, knower{i.sandbox, i.adopted.routes(i.API, identifier)})
	}
}

// replace removes the identifiers of old, which may be nil, and enters those of the
// instance's state, which is locked; with gone it enters none.
func (d *directory) replace(i *Instance, old contract.State, gone bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return
	}
	if old != nil {
		for identifier := range old.Identifiers() {
			d.removeLocked(i.API, identifier, i.sandbox)
		}
	}
	if !gone {
		d.addAllLocked(i)
	}
}

// load is replace for a state that was saved, perhaps in another sandbox. Nobody else's
// callers are led elsewhere by it: what s knew by itself, it goes on to know; what
// another sandbox knows, stays that one's; what nobody knows, leads to s until a sandbox
// knows it by itself. It returns how many identifiers stay others'.
func (d *directory) load(api *contract.API, s *Sandbox, old, state contract.State) (others int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	own := map[string]bool{}
	for identifier := range old.Identifiers() {
		own[identifier] = own[identifier] || slices.Contains(d.byAPI[api][identifier], knower{Sandbox: s})
		d.removeLocked(api, identifier, s)
	}
	for identifier := range state.Identifiers() {
		known := d.byAPI[api][identifier]
		if own[identifier] || len(known) == 0 {
			d.addLocked(api, identifier, knower{s, !own[identifier]})
		} else if !slices.Contains(known, knower{s, true}) { // a list may have one twice
			others++
		}
	}
	return others
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
	left := slices.DeleteFunc(known[identifier], func(o knower) bool { return o.Sandbox == s })
	if len(left) == 0 {
		delete(known, identifier)
		return
	}
	known[identifier] = left
}

// find returns the only sandbox that knows identifier, or nil, and whether its knowledge is
// weak. Those whose knowledge is weak count only where no other knows it.
func (d *directory) find(api *contract.API, identifier string) (s *Sandbox, weak bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	known := d.byAPI[api][identifier]
	if len(known) == 1 {
		return known[0].Sandbox, known[0].weak
	}
	for _, k := range known {
		switch {
		case k.weak:
		case s != nil:
			return nil, false
		default:
			s = k.Sandbox
		}
	}
	return s, false
}
