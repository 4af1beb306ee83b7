// Package journal keeps the calls of a sandbox: request, answer, outcome and why,
// by the API's own names.
package journal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits say how much a journal keeps.
type Limits struct {
	Entries int // of one journal
	Bytes   int // of memory that one journal holds, about
	Body    int // of one body; longer ones are cut
}

// A Journal keeps the latest entries of one sandbox.
type Journal struct {
	sandbox string
	limits  Limits
	budget  *Budget
	wall    func() time.Time

	mu       sync.Mutex
	entries  []*Entry // by their numbers
	bytes    int
	last     int // number of the latest call
	restarts int // how often the numbers began anew
	former   int // the greatest number that a call had before that
	dropped  int
	latest   int  // the greatest number of those that gave way to later ones
	emptied  int  // number of the latest call when it was emptied last
	gone     int  // number of the latest entry that was removed, for whatever reason
	closings int  // how many calls were closed
	left     bool // the sandbox is gone
}

// New returns the journal of the named sandbox. It shares budget with others.
func New(sandbox string, limits Limits, budget *Budget, wall func() time.Time) *Journal {
	return Remade(Past{}, sandbox, limits, budget, wall)
}

// Past is what is still known of sandboxes of the same name that are gone.
type Past struct {
	lives  int // how often their numbers began
	latest int // the greatest number that a call of them had
}

// Remade is New where there was a sandbox of that name before.
func Remade(past Past, sandbox string, limits Limits, budget *Budget, wall func() time.Time) *Journal {
	j := &Journal{sandbox: sandbox, limits: limits, budget: budget, wall: wall, restarts: past.lives, former: past.latest}
	budget.join(j)
	return j
}

// A Turn is a call's place among those of its sandbox.
type Turn struct {
	number   int
	restarts int
	arrived  time.Time
}

// Turn gives the next call its number and its time by the wall clock. Take it under
// the lock under which the call is decided, so that a later number is never an
// earlier decision.
func (j *Journal) Turn() Turn {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.turn()
}

func (j *Journal) turn() Turn {
	j.last++
	return Turn{j.last, j.restarts, j.wall()}
}

// ID is the id of the entry of the call that has a turn.
func (j *Journal) ID(t Turn) string { return j.sandbox + "-" + strconv.Itoa(t.number) }

// Add keeps e at its turn, and shortens what is long. The journal owns e from then
// on.
func (j *Journal) Add(t Turn, e *Entry) {
	e.shorten(j.limits.Body)
	e.bytes = e.weigh()
	j.mu.Lock()
	if t.restarts != j.restarts { // the sandbox was reset while the call was under way
		t = j.turn()
	}
	e.Number, e.Arrived = t.number, t.arrived
	e.ID = j.ID(t)
	e.Sandbox, e.journal = j.sandbox, j
	if e.Delivered == "" {
		e.Delivered = Pending
	}
	if j.left {
		j.mu.Unlock()
		return
	}
	j.entries = slices.Insert(j.entries, j.from(t.number), e)
	j.bytes += e.bytes
	grown := e.bytes
	for len(j.entries) > j.limits.Entries || (j.bytes > j.limits.Bytes && len(j.entries) > 1) {
		grown -= j.drop()
	}
	j.mu.Unlock()
	j.budget.grow(grown)
}

func (m *Message) cut(limit int) {
	m.Bytes = len(m.Body)
	if len(m.Body) > limit {
		m.Body, m.Truncated, m.Decoded = append(Text(nil), m.Body[:limit]...), true, nil
	}
}

// drop removes the oldest entry and returns how many bytes it held.
func (j *Journal) drop() int {
	size := j.entries[0].bytes
	j.latest = max(j.latest, j.entries[0].Number)
	j.gone = max(j.gone, j.latest)
	j.entries[0] = nil
	j.entries = j.entries[1:]
	j.bytes -= size
	j.dropped++
	j.budget.lost.Add(1)
	return size
}

// Close completes e once its answer has left or could not.
func (j *Journal) Close(e *Entry, took time.Duration, d Delivered) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.DurationMS = float64(took.Microseconds()) / 1000
	e.Delivered = d
	j.closings++
	e.closing = j.closings
}

// A Filter chooses entries. Zero members choose all.
type Filter struct {
	API, Operation, Outcome string
	DecidedBy               Kind
	Status                  int
	Since                   time.Time
	After                   string // the ID of an entry: only older ones
	Limit                   int    // at most so many; 0: all
}

// Fits reports whether f chooses e. After and Limit are about lists.
func (f *Filter) Fits(e *Entry) bool {
	return (f.API == "" || f.API == e.API) &&
		(f.Operation == "" || f.Operation == e.Operation) &&
		(f.Outcome == "" || f.Outcome == e.Outcome) &&
		(f.DecidedBy == "" || f.DecidedBy == e.DecidedBy.Kind) &&
		(f.Status == 0 || f.Status == e.Status) &&
		(f.Since.IsZero() || !e.Time.Before(f.Since))
}

// List returns the entries that f chooses, newest first, and whether more
// would follow.
func (j *Journal) List(f Filter) (entries []Entry, more bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	older := j.entries
	if f.After != "" {
		older = older[:j.from(j.number(f.After))]
	}
	for _, e := range slices.Backward(older) {
		if !f.Fits(e) {
			continue
		}
		if f.Limit > 0 && len(entries) == f.Limit {
			return entries, true
		}
		entries = append(entries, *e)
	}
	return entries, false
}

// Find returns the entry with this ID.
func (j *Journal) Find(id string) (Entry, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if at := j.from(j.number(id)); at < len(j.entries) && j.entries[at].ID == id {
		return *j.entries[at], true
	}
	return Entry{}, false
}

// number is the number in an ID, or 0.
func (j *Journal) number(id string) int {
	digits, own := strings.CutPrefix(id, j.sandbox+"-")
	n, err := strconv.Atoi(digits)
	if !own || err != nil {
		return 0
	}
	return n
}

// from is the index of the first entry that has this number or a later one. Most
// calls are the latest.
func (j *Journal) from(number int) int {
	if n := len(j.entries); n == 0 || j.entries[n-1].Number < number {
		return n
	}
	at, _ := slices.BinarySearchFunc(j.entries, number, func(e *Entry, n int) int { return e.Number - n })
	return at
}

// Clear empties the journal. restart lets the numbers begin anew, as when the
// sandbox was made; otherwise they go on, so that no ID is given twice.
func (j *Journal) Clear(restart bool) {
	j.mu.Lock()
	freed := j.bytes
	if n := len(j.entries); n > 0 {
		j.gone = max(j.gone, j.entries[n-1].Number)
	}
	j.entries, j.bytes, j.dropped, j.latest = nil, 0, 0, 0
	if restart {
		j.last, j.gone, j.former = 0, 0, max(j.former, j.last)
		j.restarts++
	}
	j.emptied = j.last
	j.mu.Unlock()
	j.budget.grow(-freed)
}

// Evidence is what a journal knows of the calls of its sandbox.
type Evidence struct {
	Entries []*Entry // by their numbers. What becomes of an answer (DurationMS, Delivered) may still change: do not read it
	Pending []string // the IDs of those whose answer has not left, or not whole
	Dropped int      // how many gave way to later ones

	latestDropped, emptied int
}

// Evidence returns what the journal knows. It copies no entry.
func (j *Journal) Evidence() Evidence {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := Evidence{Entries: slices.Clone(j.entries), Dropped: j.dropped, latestDropped: j.latest, emptied: j.emptied}
	for _, e := range all.Entries {
		if e.Delivered == Pending {
			all.Pending = append(all.Pending, e.ID)
		}
	}
	return all
}

// DroppedAfter returns at most how many of the entries after a number gave way to
// later ones.
func (e *Evidence) DroppedAfter(number int) int {
	return min(e.Dropped, max(0, e.latestDropped-number))
}

// EmptiedAfter returns at most how many of the calls after a number were taken out when
// the journal was emptied.
func (e *Evidence) EmptiedAfter(number int) int { return max(0, e.emptied-number) }

// Number returns the number of a call by its ID. Where the numbers began anew, as by a
// reset, box-7 may have been given twice: box-7@2 says in which life of the sandbox.
// found is false for an ID that was never given. doubt says why it is not known that the
// call is one of this life; "": it is.
func (j *Journal) Number(id string) (number int, doubt string, found bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	id, text, told := strings.Cut(id, "@")
	now := j.restarts + 1
	life := now
	if told {
		life, _ = strconv.Atoi(text)
	}
	n := j.number(id)
	was, is := n > 0 && n <= j.former && life > 0, n > 0 && n <= j.last && life == now
	switch {
	case told && life == now:
		return n, "", is
	case life > now:
		return n, "", false
	case was && is:
		return n, fmt.Sprintf("%s was given before and after the sandbox was reset or made again; %[1]s@%d is the call after that", id, now), true
	case was:
		return n, fmt.Sprintf("%s was given before the sandbox was reset or made again, and what came after it is not known", id), true
	}
	return n, "", is
}

// Counts are how much a journal holds.
type Counts struct {
	Entries int `json:"entries"`
	Bytes   int `json:"bytes"`
	Dropped int `json:"dropped"` // removed for later ones
	Life    int `json:"life"`    // how often the numbers of its calls began: a reset begins another
}

// Counts returns how much the journal holds.
func (j *Journal) Counts() Counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Counts{Entries: len(j.entries), Bytes: j.bytes, Dropped: j.dropped, Life: j.restarts + 1}
}

// Leave returns the journal's share to the budget, and keeps nothing from then on but
// what it returns. Call it when the sandbox is gone.
func (j *Journal) Leave() Past {
	j.mu.Lock()
	j.left = true
	past := Past{j.restarts + 1, max(j.former, j.last)}
	j.mu.Unlock()
	j.Clear(false)
	j.budget.leave(j)
	return past
}
