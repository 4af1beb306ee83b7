package coverage

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// A Counter counts the calls of all sandboxes of a server.
type Counter struct {
	catalogue func() *Catalogue // made when it is first needed
	wall      func() time.Time

	run string // tells servers apart

	mu     sync.Mutex // taken before that of a Tally
	begun  int        // counts of tallies
	past   tallied    // of sandboxes that are gone, and from before resets
	living map[*Tally]bool
}

// NewCounter returns a counter of the outcomes of some APIs.
func NewCounter(apis []*contract.API, wall func() time.Time) *Counter {
	return &Counter{
		catalogue: sync.OnceValue(func() *Catalogue { return NewCatalogue(apis) }),
		wall:      wall, run: rand.Text(), living: map[*Tally]bool{},
	}
}

// counts has the counts of each row of the catalogue that was met.
type counts []*Counts

func (c *counts) at(r *row, rows int) *Counts {
	if *c == nil {
		*c = make(counts, rows)
	}
	if (*c)[r.index] == nil {
		(*c)[r.index] = &Counts{}
	}
	return (*c)[r.index]
}

func (c *counts) add(other counts) {
	if *c == nil && other != nil {
		*c = make(counts, len(other))
	}
	for i, o := range other {
		if o == nil {
			continue
		}
		if (*c)[i] == nil {
			(*c)[i] = &Counts{}
		}
		(*c)[i].add(o)
	}
}

// A Tally counts the calls of one sandbox. What it holds is bounded by the tables: no
// client can make it grow further.
type Tally struct {
	counter *Counter

	mu     sync.Mutex
	began  time.Time // by the wall clock
	number int       // of the count, among those of the server
	gone   bool      // the sandbox was dropped
	tallied
	recent []recent // calls by their numbers, of which the latest are kept
}

// A recent is a call whose neighbours may still be to come: calls close in another order
// than they were decided in.
type recent struct {
	number  int // 0: none
	call    string
	arrived time.Time
	row     *row
	failed  *Reacted // where the next call is to be counted; nil: it is no failure, or was followed already
}

// window is how many calls may be closed between a failure and its next call.
const window = 64

// Catalogue is what the counter counts by.
func (c *Counter) Catalogue() *Catalogue { return c.catalogue() }

// NewTally returns the tally of a sandbox that begins.
func (c *Counter) NewTally() *Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun++
	t := &Tally{counter: c, began: c.wall(), number: c.begun}
	c.living[t] = true
	return t
}

// Count counts a call that is closed. Calls that were decided before the tally began
// count for what was before.
func (t *Tally) Count(e *journal.Entry) {
	at := end{e.API, e.Operation, e.Outcome}
	t.mu.Lock()
	if t.gone || e.Arrived.Before(t.began) {
		t.mu.Unlock()
		t.counter.countPast(e, at)
		return
	}
	defer t.mu.Unlock()
	if m := t.at(at, t.counter.catalogue); m != nil {
		m.count(e)
		t.follow(e, m)
	}
}

func (c *Counter) countPast(e *journal.Entry, at end) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.past.at(at, c.catalogue)
	if m == nil {
		return
	}
	m.count(e)
	if m.row.fails {
		m.counts.Reacted.Unknown++
	}
}

// follow finds out which call followed which.
func (t *Tally) follow(e *journal.Entry, m *met) {
	failed := m.counts.Reacted
	if t.recent == nil {
		t.recent = make([]recent, window)
	}
	own := &t.recent[e.Number%window]
	if own.number > e.Number {
		if failed != nil {
			failed.Unknown++
		}
		return
	}
	if own.failed != nil {
		own.failed.Unknown++
	}
	*own = recent{e.Number, m.call, e.Arrived, m.row, failed}
	own.followedBy(&t.recent[(e.Number+1)%window])
	t.recent[(e.Number+window-1)%window].followedBy(own)
}

// followedBy counts next as what the client did after r, if it is the next call.
func (r *recent) followedBy(next *recent) {
	if r.failed == nil || next.number != r.number+1 {
		return
	}
	if next.call == r.call {
		r.failed.again(float64(max(next.arrived.Sub(r.arrived), 0).Microseconds()) / 1000)
	} else {
		add(&r.failed.Other, next.call, 1)
	}
	r.failed = nil
}

// Restart has the tally count from nothing, as when the sandbox was made. What it had
// counted stays in the counts of the server.
func (t *Tally) Restart() { t.fold(false) }

// Leave says that the sandbox is gone.
func (t *Tally) Leave() { t.fold(true) }

func (t *Tally) fold(gone bool) {
	t.counter.mu.Lock()
	defer t.counter.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counter.past.add(&t.tallied, t.counter.catalogue)
	t.counter.past.rows.add(t.copy())
	t.counter.begun++
	t.tallied, t.recent, t.began, t.gone, t.number = tallied{}, nil, t.counter.wall(), gone, t.counter.begun
	if gone {
		delete(t.counter.living, t)
	}
}

// copy returns what was counted. The latest failures were followed by nothing so far.
func (t *Tally) copy() counts {
	var all counts
	all.add(t.rows)
	for i := range t.recent {
		if r := &t.recent[i]; r.failed != nil {
			all[r.row.index].Reacted.Nothing++
		}
	}
	return all
}

// Report returns what the sandbox has met.
func (t *Tally) Report() *Report {
	t.mu.Lock()
	all, of := t.copy(), Of{t.counter.run, t.number}
	t.mu.Unlock()
	r := t.counter.catalogue().report(all)
	r.Of = []Of{of}
	return r
}

// Report returns what all sandboxes have met, those that are gone among them.
func (c *Counter) Report() *Report {
	c.mu.Lock()
	var all counts
	all.add(c.past.rows)
	for t := range c.living {
		t.mu.Lock()
		all.add(t.copy())
		t.mu.Unlock()
	}
	c.mu.Unlock()
	r := c.catalogue().report(all)
	r.Of = []Of{{Server: c.run}}
	return r
}
