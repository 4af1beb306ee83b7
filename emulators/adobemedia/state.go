package adobemedia

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The limits of what a sandbox stores.
const (
	maxSessions = 200_000  // sessions, including closed ones that are not yet unknown
	maxHits     = 256      // events of one session
	maxBytes    = 96 << 20 // of all events together
	maxSweep    = 256      // sessions that one call deletes
	hitCost     = 64       // bytes of an event without its text
)

// A state is what the service stores in one sandbox. Instants are Unix
// milliseconds by the sandbox's clock, as in the API.
//
// Nothing ticks: whether a session is closed follows from its instants, so that
// Decide does not need to write.
type state struct {
	Accounts []account  `json:"accounts"`
	Waiting  []string   `json:"waiting"`  // ids of the fixture, each open from its first event on
	Sessions []*session `json:"sessions"` // in the order in which they were opened
	Number   uint64     `json:"number"`   // of the newest event

	sessions map[string]*session // by id
	bytes    int                 // of all stored events
}

// An account is a customer whose sessions are reported. The service requires no
// credentials.
type account struct {
	ReportSuite string `json:"reportSuite" yaml:"reportSuite"`
	OrgID       string `json:"orgId" yaml:"orgId"`
}

// identifier returns what identifies an account in a sessionStart.
func (a account) identifier() string { return a.OrgID + " " + a.ReportSuite }

// A session is one viewing.
type session struct {
	ID        string  `json:"sid"`
	Created   int64   `json:"created"`
	Last      int64   `json:"last"`               // when an event was last accepted
	Moved     int64   `json:"moved"`              // when the playhead last changed
	Playhead  float64 `json:"playhead"`           // of the last event
	Ended     int64   `json:"ended,omitempty"`    // when it was closed, other than by time
	EndedBy   string  `json:"ended_by,omitempty"` // what closed it
	Received  int     `json:"received"`           // accepted events
	Dropped   int     `json:"dropped,omitempty"`  // events that arrived after it was closed
	Forgotten bool    `json:"forgotten,omitempty"`
	Start     hit     `json:"start"`
	Hits      []hit   `json:"hits,omitempty"` // the newest ones, in the order of arrival
}

// A hit is one event as it arrived.
type hit struct {
	Number  uint64          `json:"number"`
	At      int64           `json:"at"`
	Dropped bool            `json:"dropped,omitempty"` // it arrived after the session was closed
	Raw     json.RawMessage `json:"raw,omitempty"`     // nil: deleted to limit memory
}

// Reindex rebuilds the unexported fields.
func (st *state) Reindex() error {
	st.sessions, st.bytes = make(map[string]*session, len(st.Sessions)), 0
	for i, a := range st.Accounts {
		if a.ReportSuite == "" || a.OrgID == "" || slices.Contains(st.Accounts[:i], a) {
			return fmt.Errorf("accounts: %q of %q is incomplete or appears twice", a.ReportSuite, a.OrgID)
		}
	}
	if len(st.Sessions) > maxSessions {
		return fmt.Errorf("sessions: there are %d; at most %d were expected", len(st.Sessions), maxSessions)
	}
	for i, s := range st.Sessions {
		if s == nil {
			return fmt.Errorf("sessions: element %d is null", i)
		}
		if !wellFormed(s.ID) || st.sessions[s.ID] != nil || len(s.Hits) > maxHits {
			return fmt.Errorf("sessions: the sid %.80q is not 64 hexadecimal digits, appears twice, or has more than %d hits", s.ID, maxHits)
		}
		st.sessions[s.ID] = s
		st.bytes += len(s.Start.Raw)
		for _, h := range s.Hits {
			st.bytes += len(h.Raw) + hitCost
		}
	}
	for i, sid := range st.Waiting {
		if !wellFormed(sid) || st.sessions[sid] != nil || slices.Contains(st.Waiting[:i], sid) {
			return fmt.Errorf("waiting: the sid %.80q is not 64 hexadecimal digits or appears twice", sid)
		}
	}
	return nil
}

// wellFormed reports whether an id has the form of the service's ids.
func wellFormed(sid string) bool {
	if len(sid) != 64 {
		return false
	}
	for i := range len(sid) {
		if c := sid[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Identifiers lists the identifiers by which the directory finds this sandbox:
// organisation and report suite, and session ids.
func (st *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, a := range st.Accounts {
			if !yield(a.identifier()) {
				return
			}
		}
		for _, sid := range st.Waiting {
			if !yield(sid) {
				return
			}
		}
		for _, s := range st.Sessions {
			if !s.Forgotten && s.EndedBy != byDownload && !yield(s.ID) {
				return
			}
		}
	}
}

// Credentials returns those of the first account.
func (st *state) Credentials() contract.Values {
	if len(st.Accounts) == 0 {
		return contract.Values{}
	}
	return contract.Values{"reportSuite": st.Accounts[0].ReportSuite, "orgId": st.Accounts[0].OrgID}
}

// sessionCost is about how many bytes a session takes beside its events: itself, its id,
// and its share of the map and of the directory.
const sessionCost = 512

// Weight returns about how many bytes sessions and their events take.
func (st *state) Weight() int64 { return int64(st.bytes + sessionCost*len(st.Sessions)) }

// session returns a session, or nil.
func (st *state) session(sid string) *session { return st.sessions[sid] }

// isWaiting reports whether an id of the fixture is still unused.
func (st *state) isWaiting(sid string) bool { return slices.Contains(st.Waiting, sid) }

// stopWaiting removes an id from the waiting ones.
func (st *state) stopWaiting(sid string) {
	if i := slices.Index(st.Waiting, sid); i >= 0 {
		st.Waiting = slices.Delete(st.Waiting, i, i+1)
	}
}

// openSession opens a session.
func (st *state) openSession(c *contract.Call, sid string, now int64) *session {
	st.sweep(c)
	s := &session{ID: sid, Created: now, Last: now, Moved: now}
	st.Sessions = append(st.Sessions, s)
	st.sessions[sid] = s
	return s
}

// newHit returns the call's event as a hit.
func (st *state) newHit(c *contract.Call) hit {
	st.Number++
	return hit{Number: st.Number, At: now(c), Raw: c.Request.Body}
}

// keepStart stores the event that opened a session.
func (st *state) keepStart(s *session, h hit) {
	s.Start = h
	st.addBytes(s, len(h.Raw))
}

// keepEvent stores an event of a session. It deletes the oldest where there are
// too many.
func (st *state) keepEvent(s *session, h hit) {
	s.Hits = append(s.Hits, h)
	if len(s.Hits) > maxHits {
		st.dropOldestEvent(s)
	}
	st.addBytes(s, len(h.Raw)+hitCost)
}

func (st *state) dropOldestEvent(s *session) {
	st.bytes -= len(s.Hits[0].Raw) + hitCost
	s.Hits[0] = hit{}
	s.Hits = s.Hits[1:]
}

// addBytes counts the bytes of a new event. Above the limit, the oldest sessions
// lose their events until a quarter is free, so that the search is rarely
// needed.
func (st *state) addBytes(s *session, n int) {
	st.bytes += n
	if st.bytes <= maxBytes {
		return
	}
	const enough = maxBytes / 4 * 3
	for _, old := range st.Sessions {
		if st.bytes <= enough {
			return
		}
		if old != s {
			st.dropEvents(old)
		}
	}
	for st.bytes > enough && len(s.Hits) > 1 {
		st.dropOldestEvent(s)
	}
}

// dropEvents deletes the events of a session.
func (st *state) dropEvents(s *session) {
	for _, h := range s.Hits {
		st.bytes -= len(h.Raw) + hitCost
	}
	st.bytes -= len(s.Start.Raw)
	s.Start.Raw, s.Hits = nil, nil
}

// forget makes a session unknown. It keeps its position until sweep deletes it.
func (st *state) forget(c *contract.Call, s *session) {
	st.dropEvents(s)
	s.Forgotten = true
	c.Forget(s.ID)
}

// removeForgotten deletes a forgotten session at once, so that one with its id
// can be opened. The search is linear, but only scenarios need it.
func (st *state) removeForgotten(c *contract.Call, s *session) {
	st.Sessions = slices.DeleteFunc(st.Sessions, func(other *session) bool { return other == s })
	st.deleteSession(c, s)
}

// sweep deletes forgotten sessions. Sessions are in the order of opening, so
// these are at the front. Each call deletes only a few.
func (st *state) sweep(c *contract.Call) {
	l, now := limitsOf(c.Switches), now(c)
	for n := 0; n < maxSweep && len(st.Sessions) > 0; n++ {
		s := st.Sessions[0]
		if !s.isForgotten(now, l) {
			break
		}
		st.Sessions[0] = nil
		st.Sessions = st.Sessions[1:]
		st.deleteSession(c, s)
	}
	if len(st.Sessions) >= maxSessions {
		st.makeRoom(c, now, l)
	}
}

func (st *state) deleteSession(c *contract.Call, s *session) {
	st.dropEvents(s)
	delete(st.sessions, s.ID)
	c.Forget(s.ID)
}

// makeRoom deletes a sixteenth of all sessions: the oldest closed ones, then the
// oldest.
func (st *state) makeRoom(c *contract.Call, now int64, l limits) {
	excess := maxSessions / 16
	for _, any := range [...]bool{false, true} {
		st.Sessions = slices.DeleteFunc(st.Sessions, func(s *session) bool {
			by, _ := s.closedBy(now, l)
			if excess == 0 || by == notClosed && !any {
				return false
			}
			excess--
			st.deleteSession(c, s)
			return true
		})
	}
}
