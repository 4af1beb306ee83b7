package youdu

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var lifecycle = contract.Lifecycle{Due: listDue, Open: listOpen, Given: givens}

// What the trigger expire ends. Tokens alone end by themselves: no page says how long
// sessions or files are kept.
const (
	aToken   = "token"
	aSession = "session"
)

// listDue lists the ends of tokens.
func listDue(s contract.State, _ contract.Values, from, to time.Time) []contract.Due {
	span := &contract.Span{From: from, To: to}
	for _, t := range s.(*state).Tokens {
		span.Add(aToken, t.Token, t.Ends)
	}
	return span.Ends()
}

// listOpen lists the sessions that calls created. No call ends one.
func listOpen(s contract.State, _ contract.Values, _ time.Time) []contract.Open {
	var all []contract.Open
	for _, s := range s.(*state).Sessions {
		if !s.Fixed {
			all = append(all, contract.Open{What: aSession, ID: s.ID, Since: time.Unix(s.Created, 0).UTC()})
		}
	}
	return contract.OldestFirst(all)
}
