package sandbox

import (
	"slices"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// book tells which sandboxes know a word of an API: a credential, or
// something that was issued to a caller. While only default exists nobody
// asks it, and nothing is written down.
type book struct {
	mu     sync.RWMutex
	closed bool
	pages  map[*contract.API]map[string][]*Sandbox
}

func newBook() *book {
	return &book{closed: true, pages: map[*contract.API]map[string][]*Sandbox{}}
}

// open begins to write, with all that first knows.
func (b *book) open(first *Sandbox) {
	for _, r := range first.all() {
		r.Alone(func(state contract.State) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.closed = false
			b.enterAll(r.API, state, first)
		})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = false
}

// enter writes down that s knows word.
func (b *book) enter(api *contract.API, word string, s *Sandbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.write(api, word, s)
	}
}

func (b *book) write(api *contract.API, word string, s *Sandbox) {
	page := b.pages[api]
	if page == nil {
		page = map[string][]*Sandbox{}
		b.pages[api] = page
	}
	if !slices.Contains(page[word], s) {
		page[word] = append(page[word], s)
	}
}

func (b *book) enterAll(api *contract.API, state contract.State, s *Sandbox) {
	for word := range state.Words() {
		b.write(api, word, s)
	}
}

// swap strikes out what old knew and enters what state knows; either may be
// nil.
func (b *book) swap(api *contract.API, s *Sandbox, old, state contract.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	if old != nil {
		for word := range old.Words() {
			b.strike(api, word, s)
		}
	}
	if state != nil {
		b.enterAll(api, state, s)
	}
}

// forget strikes out that s knows word.
func (b *book) forget(api *contract.API, word string, s *Sandbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.strike(api, word, s)
	}
}

func (b *book) strike(api *contract.API, word string, s *Sandbox) {
	page := b.pages[api]
	left := slices.DeleteFunc(page[word], func(o *Sandbox) bool { return o == s })
	if len(left) == 0 {
		delete(page, word)
		return
	}
	page[word] = left
}

// find returns the only sandbox that knows word, or nil.
func (b *book) find(api *contract.API, word string) *Sandbox {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if known := b.pages[api][word]; len(known) == 1 {
		return known[0]
	}
	return nil
}
