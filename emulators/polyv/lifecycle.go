package polyv

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// lifecycle has no Due: no page says that a broadcast, a binding or an application
// ends by itself, and the blocks of addresses run by the wall clock.
var lifecycle = contract.Lifecycle{Open: listOpen, Given: givens}

// What the trigger expire ends.
const (
	aSession      = "session"
	aBinding      = "binding"
	anApplication = "application"
)

// listOpen lists the broadcasts that StartLive began.
func listOpen(s contract.State, _ contract.Values, _ time.Time) []contract.Open {
	var all []contract.Open
	for _, ch := range s.(*state).Channels {
		if ch.live != nil && ch.live.Called {
			all = append(all, contract.Open{What: aSession, ID: ch.live.ID, Since: time.UnixMilli(ch.live.Start).UTC(), By: endLive.Name, State: ch.status()})
		}
	}
	return contract.OldestFirst(all)
}
