package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A budget bounds the memory that the states of all sandboxes hold together.
//
// A call asks for room before it is carried out, and is booked after it. So calls that
// are carried out at the same moment may pass the limit, each by what it keeps of its
// own body, of which the gateway takes 10 MiB at most. Replaced states are booked one
// after the other, and pass it only where a reset has to bring a fixture back.
type budget struct {
	most    int64 // 0: no limit
	held    atomic.Int64
	refused atomic.Int64

	replacing sync.Mutex // held while states are replaced, so that no two take the same room

	mu      sync.Mutex // guards holders, and takes no other lock
	holders map[*Sandbox]bool
}

func newBudget(most int64) *budget { return &budget{most: most, holders: map[*Sandbox]bool{}} }

func (b *budget) join(s *Sandbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holders[s] = true
}

func (b *budget) leave(s *Sandbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.holders, s)
}

// room returns a *NoRoomError if no more bytes fit. Less than one always fits.
func (b *budget) room(more int64) error {
	if b.fits(more) {
		return nil
	}
	b.refused.Add(1)
	return &NoRoomError{Held: b.held.Load(), Most: b.most, More: more, holders: b.largest()}
}

// fits is room for who refuses nothing, so that nothing is counted.
func (b *budget) fits(more int64) bool {
	return b.most == 0 || more <= 0 || b.held.Load()+more <= b.most
}

// largest describes the sandboxes that hold most, the largest first.
func (b *budget) largest() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	type holder struct {
		name  string
		bytes int64
	}
	var all []holder
	for s := range b.holders {
		all = append(all, holder{s.Name, s.held.Load()})
	}
	slices.SortFunc(all, func(a, b holder) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, h := range all {
		names = append(names, fmt.Sprintf("%s (%d)", h.name, h.bytes))
	}
	return listed(names)
}

// A NoRoomError says that the states of all sandboxes hold as much memory as they may.
type NoRoomError struct {
	Held, Most int64 // bytes
	More       int64 // bytes that were asked for, at least

	holders string
}

func (e *NoRoomError) Error() string {
	return fmt.Sprintf("the states of all sandboxes hold about %d bytes, --max-state allows %d, and this takes %d more at least. These hold most, in bytes: %s. Drop a sandbox with understudy sandbox drop NAME or DELETE /v1/sandboxes/NAME, reset one with understudy reset or POST /v1/sandboxes/NAME/reset, or start the server with a larger --max-state",
		e.Held, e.Most, e.More, e.holders)
}

// StateLoad is how much of the limit of all states is in use.
type StateLoad struct {
	Held    int64 // bytes, about
	Most    int64 // bytes; 0: no limit
	Refused int64 // calls, triggers and states that found no room
}

// StateLoad returns how much of the limit of all states is in use.
func (r *Registry) StateLoad() StateLoad {
	return StateLoad{Held: r.states.held.Load(), Most: r.states.most, Refused: r.states.refused.Load()}
}

// Room returns a *NoRoomError if a call with a body of so many bytes may keep nothing.
func (i *Instance) Room(body int) error {
	return i.sandbox.registry.states.room(int64(max(body, 1)))
}

// book has the budget count what the state holds now; of a dropped sandbox, nothing.
// The caller holds the lock.
func (i *Instance) book() {
	n := i.base
	if i.weighed != nil {
		n += i.weighed.Weight()
	}
	if i.sandbox.gone.Load() {
		n = 0
	}
	if more := n - i.booked.Load(); more != 0 {
		i.booked.Store(n)
		i.sandbox.held.Add(more)
		i.sandbox.registry.states.held.Add(more)
	}
}

// A replacement is a state that an instance is to have.
type replacement struct {
	instance *Instance
	state    contract.State
	adopted  []Adopted // of what the state knows
}

// replace replaces states. Where there is no room for all of them, nothing changes, and
// the error is a *NoRoomError.
func (r *Registry) replace(all []replacement) error {
	return r.admit(all, func(sizes []int64) {
		for n, one := range all {
			one.instance.replace(one.state, sizes[n], one.adopted)
		}
	})
}

// admit has put replace states, which have these sizes, if there is room for all of
// them; otherwise the error is a *NoRoomError.
func (r *Registry) admit(all []replacement, put func(sizes []int64)) error {
	r.states.replacing.Lock()
	defer r.states.replacing.Unlock()
	sizes := make([]int64, len(all))
	more := int64(0)
	for n, one := range all {
		sizes[n] = sizeOf(one.state)
		more += sizes[n] - max(one.instance.booked.Load(), one.instance.begun)
	}
	if err := r.states.room(more); err != nil {
		return err
	}
	put(sizes)
	return nil
}
