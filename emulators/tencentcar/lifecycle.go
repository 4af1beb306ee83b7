package tencentcar

import (
	"iter"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var lifecycle = contract.Lifecycle{Due: listDue, Open: listOpen, Given: givens}

// What has a life, as the trigger expire names it.
const (
	aReservation = "reservation"
	aSession     = "session"
	aReconnect   = "reconnect"
	aCleaning    = "cleaning"
	aPreload     = "preload"
	aStream      = "stream"
	aToken       = "token"
)

// listDue lists what ends by itself. A released concurrency is cleaned and, in a
// project with pre-launch, launched; both have ends of their own.
func listDue(s contract.State, _ contract.Values, from, to time.Time) []contract.Due {
	st, span := s.(*state), &contract.Span{From: from, To: to}
	for i := range st.Accounts {
		if a := &st.Accounts[i]; a.Token != "" {
			span.Add(aToken, a.SecretID, a.TokenExpires)
		}
	}
	for _, co := range st.Concurrencies {
		switch {
		case co.Destroyed: // by a call
		case co.Session == nil:
			span.Add(aReservation, co.UserID, co.Ends)
		default:
			span.Add(aReconnect, co.UserID, co.Ends)
		}
		if co.Cleaned.After(co.Ends) {
			span.Add(aCleaning, co.ID, co.Cleaned)
		}
		if co.Ready.After(co.Cleaned) {
			span.Add(aPreload, co.ID, co.Ready)
		}
		for user, g := range co.guests() {
			if co.Ends.IsZero() || g.Ends.Before(co.Ends) { // a guest's place ends with the room
				span.Add(aReconnect, user, g.Ends)
			}
		}
	}
	return span.Ends()
}

// listOpen lists reservations, sessions, places in rooms, and pushes to live
// streams.
func listOpen(s contract.State, _ contract.Values, now time.Time) []contract.Open {
	var all []contract.Open
	for _, co := range s.(*state).Concurrencies {
		switch co.phase(now) {
		case reserved:
			all = append(all, contract.Open{What: aReservation, ID: co.UserID, Since: co.Applied, Ends: co.Ends, By: destroySession.Name, State: "reserved"})
		case running:
			all = append(all, co.open("running")...)
		case waiting:
			all = append(all, co.open("waiting")...)
		default:
			continue
		}
		for user, g := range co.guests() {
			if !g.gone(now) {
				all = append(all, contract.Open{What: aSession, ID: user, Since: g.Joined, Ends: g.Ends, By: destroySession.Name, State: "guest"})
			}
		}
	}
	return contract.OldestFirst(all)
}

// open lists the session of a concurrency, unless it is one of the fixture that no
// call has created anew, and its push.
func (co *concurrency) open(stands string) (all []contract.Open) {
	s := co.Session
	if s.RequestID != "" {
		all = append(all, contract.Open{What: aSession, ID: co.UserID, Since: s.Created, Ends: co.Ends, By: destroySession.Name, State: stands})
	}
	if s.Publishing {
		all = append(all, contract.Open{What: aStream, ID: co.UserID, Since: s.Published, Ends: co.Ends, By: stopPublishStream.Name, State: "publishing"})
	}
	return all
}

// guests yields the guests of a concurrency's room by UserId.
func (co *concurrency) guests() iter.Seq2[string, *guest] {
	return func(yield func(string, *guest) bool) {
		if co.Session == nil {
			return
		}
		for _, members := range [...]map[string]*guest{co.Session.Players, co.Session.Viewers} {
			for user, g := range members {
				if !yield(user, g) {
					return
				}
			}
		}
	}
}
