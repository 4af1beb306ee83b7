package journal

import "slices"

// A Call names a call that was closed. It keeps nothing of it.
type Call struct {
	journal         *Journal
	number, closing int
}

// Entry returns what the journal knows of the call; false where it no longer knows it.
func (c Call) Entry() (Entry, bool) {
	if c.journal == nil {
		return Entry{}, false
	}
	c.journal.mu.Lock()
	defer c.journal.mu.Unlock()
	at := c.journal.from(c.number)
	if at == len(c.journal.entries) || c.journal.entries[at].closing != c.closing {
		return Entry{}, false
	}
	return *c.journal.entries[at], true
}

// A Backlog is what was closed before somebody began to follow a journal.
type Backlog struct {
	Calls []Call // in the order in which they closed
	Lost  int    // how many are no longer known, or were too many

	journal *Journal
	latest  int
}

// Has reports whether a call had closed when the backlog was made.
func (b *Backlog) Has(c Call) bool { return c.journal == b.journal && c.closing <= b.latest }

// Backlog returns the closed calls that f chooses: those that closed after the call
// f.After, and of these the latest f.Limit. What was lost is told where there is an
// f.After. A number that is still to come is one from before a reset, which took the
// calls out that came after it.
func (j *Journal) Backlog(f Filter) *Backlog {
	j.mu.Lock()
	defer j.mu.Unlock()
	b := &Backlog{journal: j, latest: j.closings}
	number, closing := j.number(f.After), 0
	reset := 0
	if number > j.last {
		number, reset = 0, max(0, j.former-number)
	}
	if at := j.from(number); at < len(j.entries) && j.entries[at].Number == number {
		closing = j.entries[at].closing
	}
	for _, e := range j.entries {
		later := e.Number > number
		if closing > 0 {
			later = e.closing > closing
		}
		if later && e.closing > 0 && f.Fits(e) {
			b.Calls = append(b.Calls, e.call())
		}
	}
	slices.SortFunc(b.Calls, func(a, b Call) int { return a.closing - b.closing })
	if closing == 0 {
		b.Lost = reset + max(0, j.gone-number)
	}
	if over := len(b.Calls) - f.Limit; f.Limit > 0 && over > 0 {
		b.Calls, b.Lost = b.Calls[over:], b.Lost+over
	}
	if f.After == "" {
		b.Lost = 0
	}
	return b
}

func (e *Entry) call() Call { return Call{e.journal, e.Number, e.closing} }
