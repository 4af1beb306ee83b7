package adobepass

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var lifecycle = contract.Lifecycle{Due: listDue, Open: listOpen, Given: givens}

// What has a life, as the trigger expire names it.
const (
	aCode    = "code"
	aToken   = "token"
	aProfile = "profile"
	aTrial   = "trial"
)

// A life is how long a record is valid, in milliseconds. Clients are told NotBefore
// and NotAfter, and a trigger that ends the record earlier changes neither.
type life struct {
	NotBefore int64 `json:"not_before"`
	NotAfter  int64 `json:"not_after"`
	Expired   int64 `json:"expired,omitempty"` // when a trigger ended it; 0: none did
}

// plausible reports whether the times can be written as dates.
func (l *life) plausible() bool {
	within := func(ms int64) bool { year := timeOfMillis(ms).Year(); return year >= 1 && year <= 9999 }
	return within(l.NotBefore) && within(l.NotAfter) && within(l.Expired)
}

// ends returns the first instant at which the record is not valid any more.
func (l *life) ends() int64 {
	if l.Expired != 0 {
		return min(l.Expired, l.NotAfter)
	}
	return l.NotAfter
}

// expire ends the record, and reports whether it was valid.
func (l *life) expire(now int64) bool {
	if now >= l.ends() {
		return false
	}
	l.Expired = now
	return true
}

// listDue lists the ends of codes, profiles, trials, and of the newest token of each
// client. Decisions and media tokens are stored by clients alone.
func listDue(s contract.State, _ contract.Values, from, to time.Time) []contract.Due {
	st, span := s.(*state), &contract.Span{From: from, To: to}
	for _, s := range st.Sessions {
		if !s.Superseded {
			span.Add(aCode, s.Code, timeOfMillis(s.ends()))
		}
	}
	for _, cl := range st.Clients {
		if cl.Until != 0 {
			span.Add(aToken, cl.ID, time.Unix(cl.Until, 0))
		}
	}
	for _, p := range st.Profiles {
		if !p.Revoked {
			span.Add(aProfile, p.ID, timeOfMillis(p.ends()))
		}
	}
	for _, t := range st.Trials {
		span.Add(aTrial, t.ID, timeOfMillis(t.ends()))
	}
	return span.Ends()
}

// listOpen lists authentications that wait for their user, logins, and trials, which
// no call ends.
func listOpen(s contract.State, sw contract.Values, now time.Time) []contract.Open {
	var all []contract.Open
	st, ms := s.(*state), now.UnixMilli()
	open := func(what, id string, l *life, by, stands string) {
		all = append(all, contract.Open{What: what, ID: id, Since: timeOfMillis(l.NotBefore), Ends: timeOfMillis(l.ends()), By: by, State: stands})
	}
	for _, s := range st.Sessions {
		if s.Fixed || s.Done || !s.valid(ms) {
			continue
		}
		next := "authenticate"
		if len(s.missing(sw)) > 0 {
			next = "resume"
		}
		open(aCode, s.Code, &s.life, authenticate.Name, next)
	}
	for _, p := range st.Profiles {
		if !p.Fixed && p.valid(ms) {
			open(aProfile, p.ID, &p.life, logout.Name, p.Type)
		}
	}
	for _, t := range st.Trials {
		if ms < t.ends() {
			open(aTrial, t.ID, &t.life, "", temporary)
		}
	}
	return contract.OldestFirst(all)
}
