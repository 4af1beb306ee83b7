package contract

import (
	"cmp"
	"slices"
	"time"
)

// A Lifecycle tells what in a state ends by itself, what calls have left open, and
// how a state begins in the middle. Its functions run under the instance's lock and
// never write, except those of Given.
type Lifecycle struct {
	// Due lists what ends by itself after from and not after to, in the order of
	// time: sessions, tokens, reservations. What is over already is not among it.
	// nil: nothing ends by itself.
	Due func(s State, switches Values, from, to time.Time) []Due

	// Open lists what calls began and neither a call nor time has ended by now,
	// oldest first: what a tidy client leaves nothing of, where a call ends it. What
	// a fixture lists was begun by no call. nil: there is no such thing.
	Open func(s State, switches Values, now time.Time) []Open

	// Given lists what can have happened before a test begins: "a session that is
	// 9 m 50 s old and paused". Each builds a state which calls could have reached,
	// or refuses; its error says why.
	Given []*Trigger
}

// A Due is something that ends by itself.
type Due struct {
	What string    `json:"what"` // as the trigger expire names it
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
}

// An Open is something that a call began and none has ended.
type Open struct {
	What  string    `json:"what"` // as the trigger expire names it
	ID    string    `json:"id"`
	Since time.Time `json:"since"`
	Ends  time.Time `json:"ends,omitzero"`   // when it ends by itself; zero: never
	By    string    `json:"by,omitempty"`    // the operation that ends it; "": none does
	State string    `json:"state,omitempty"` // how it stands, by the API's own word
}

// A Span collects what ends within it, for Due: after From, and not after To.
type Span struct {
	From, To time.Time

	ends []Due
}

// Add takes in what ends at an instant, if that is within the span. The zero time
// is within none: such a thing does not end by itself.
func (s *Span) Add(what, id string, at time.Time) {
	if !at.IsZero() && at.After(s.From) && !at.After(s.To) {
		s.ends = append(s.ends, Due{what, id, at.UTC()})
	}
}

// Ends returns what was taken in, in the order of time.
func (s *Span) Ends() []Due {
	slices.SortFunc(s.ends, func(a, b Due) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.What, b.What), cmp.Compare(a.ID, b.ID))
	})
	return s.ends
}

// OldestFirst sorts what is open, for Open.
func OldestFirst(all []Open) []Open {
	slices.SortFunc(all, func(a, b Open) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.What, b.What), cmp.Compare(a.ID, b.ID))
	})
	return all
}
