package adobemedia

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var lifecycle = contract.Lifecycle{Due: listDue, Open: listOpen, Given: givens}

// aTombstone is what is remembered of a session, as the trigger expire names it.
// What closes a session has the names of its causes.
const aTombstone = "tombstone"

// listDue lists which timer closes each open session, and when a session is
// forgotten. Sessions that were downloaded have ids that nobody was told.
func listDue(s contract.State, sw contract.Values, from, to time.Time) []contract.Due {
	span, l := &contract.Span{From: from, To: to}, limitsOf(sw)
	for _, s := range s.(*state).Sessions {
		if s.Forgotten || s.EndedBy == byDownload {
			continue
		}
		forgotten := s.forgottenAt(l)
		if by, at := s.firstTimer(l); s.EndedBy == notClosed && at < forgotten {
			span.Add(by, s.ID, time.UnixMilli(at))
		}
		span.Add(aTombstone, s.ID, time.UnixMilli(forgotten))
	}
	return span.Ends()
}

// listOpen lists the sessions that take events. Each has the name of the timer that
// closes it if none follows.
func listOpen(s contract.State, sw contract.Values, now time.Time) []contract.Open {
	var all []contract.Open
	l, ms := limitsOf(sw), now.UnixMilli()
	for _, s := range s.(*state).Sessions {
		if closed, _ := s.closedBy(ms, l); closed != notClosed || s.isForgotten(ms, l) {
			continue
		}
		by, at := s.firstTimer(l)
		all = append(all, contract.Open{What: by, ID: s.ID, Since: time.UnixMilli(s.Created).UTC(), Ends: time.UnixMilli(at).UTC(), By: sendEvent.Name})
	}
	return contract.OldestFirst(all)
}
