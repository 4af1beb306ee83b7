package contract

import "time"

// A Lifecycle tells what in a state ends by itself, what calls have left open, and
// how a state begins in the middle. Its functions run under the instance's lock and
// never write, except those of Given.
type Lifecycle struct {
	// Due lists what ends by itself after from and not after to, in the order of
	// time: sessions, tokens, reservations. What is over already is not among it.
	Due func(s State, switches Values, from, to time.Time) []Due

	// Open lists what calls began and no call has ended by now, oldest first:
	// what a tidy client leaves nothing of.
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
