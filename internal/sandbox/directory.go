package sandbox

import (
	"slices"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// directory tells which sandboxes know a word of an API: a credential, or
// something that was issued to a caller. While only default exists nobody
// asks it, and nothing is written down.
type directory struct {
	mu    sync.RWMutex
	off   bool
	byAPI map[*contract.API]map[string][]*Sandbox
}

func newDirectory() *directory {
	return &directory{off: true, byAPI: map[*contract.API]map[string][]*Sandbox{}}
}

// start begins to write, with all that first knows.
func (b *directory) start(first *Sandbox) {
	for _, r := range first.existing() {
		r.WithState(func(state contract.State) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.off = false
			b.addAllLocked(r.API, state, first)
		})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.off = false
}

// add writes down that s knows word.
func (b *directory) add(api *contract.API, word string, s *Sandbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.off {
		b.addLocked(api, word, s)
	}
}

func (b *directory) addLocked(api *contract.API, word string, s *Sandbox) {
	page := b.byAPI[api]
	if page == nil {
		page = map[string][]*Sandbox{}
		b.byAPI[api] = page
	}
	if !slices.Contains(page[word], s) {
		page[word] = append(page[word], s)
	}
}

func (b *directory) addAllLocked(api *contract.API, state contract.State, s *Sandbox) {
	for word := range state.Identifiers() {
		b.addLocked(api, word, s)
	}
}

// replace strikes out what old knew and enters what state knows; either may be
// nil.
func (b *directory) replace(api *contract.API, s *Sandbox, old, state contract.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.off {
		return
	}
	if old != nil {
		for word := range old.Identifiers() {
			b.removeLocked(api, word, s)
		}
	}
	if state != nil {
		b.addAllLocked(api, state, s)
	}
}

// remove strikes out that s knows word.
func (b *directory) remove(api *contract.API, word string, s *Sandbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.off {
		b.removeLocked(api, word, s)
	}
}

func (b *directory) removeLocked(api *contract.API, word string, s *Sandbox) {
	page := b.byAPI[api]
	left := slices.DeleteFunc(page[word], func(o *Sandbox) bool { return o == s })
	if len(left) == 0 {
		delete(page, word)
		return
	}
	page[word] = left
}

// find returns the only sandbox that knows word, or nil.
func (b *directory) find(api *contract.API, word string) *Sandbox {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if known := b.byAPI[api][word]; len(known) == 1 {
		return known[0]
	}
	return nil
}
