package adobemedia

import (
	"fmt"
	"net/http"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var sendEvent = &contract.Operation{
	Name: "SendEvent", Method: http.MethodPost, Path: eventsPath, Cite: citeEvents,
	Doc: "Reports one event of a session. An event is checked against its schema only, not against earlier events.",
	Params: []contract.Param{
		{Name: "sid", In: contract.Path, Need: contract.Required, Example: documentedID, Cite: citeEvents, Doc: "The session's id from Location."},
		{Name: "eventType", Need: contract.Required, OneOf: typeNames(eventTypes[1:]), Example: "play", Cite: citeTypes, Doc: "What happened."},
		playerTime,
		{Name: "params", Type: contract.Object, Fields: eventParams, Cite: citeEvents, Doc: "What the event says; adBreakStart, adStart, chapterStart, stateStart, stateEnd and statesUpdate need it."},
		qoeData,
		customMetadata,
	},
	Outcomes: contract.Outcomes(accepted, sessionNotFound, sessionClosed),
	Decide:   decideEvent,
}

// documentedID is the session id that the pages print.
const documentedID = "bfcca2ca597a3c71bc03b4ce357833ad02b3570d262ecd0c595fcf8f2ae4df58"

var accepted = &contract.Outcome{
	Name: "accepted", Status: 204, Cite: citeEvents, Keeps: true, Do: doEvent,
	Doc: "The event was accepted. Where the session is closed and the service drops its events, the answer is the same.",
}

var (
	unknownSession = &contract.Cause{Code: "unknown_session", Text: "No session {sid} is known here: it was never opened in this sandbox, or it was opened so long ago that it is forgotten (switch tombstone_ttl). Open one with POST /api/v1/sessions and send the event there."}
	sessionEnded   = &contract.Cause{Code: "session_ended", Text: "The session was closed by {by} at {closed}. Open a new one and send the event there; the switch closed_policy: drop has such events taken and dropped."}
	sessionIdle    = &contract.Cause{Code: "session_idle", Text: "The last event of the session came at {last}, and it was closed at {closed}: the switch idle_timeout is {limit}. Pings every ten seconds keep a session open; refused requests do not."}
	sessionStalled = &contract.Cause{Code: "session_stalled", Text: "The playhead last moved at {moved}, and the session was closed at {closed}: the switch stall_timeout is {limit}. Players end a session that is paused so long, and open a new one with media.resume."}
	sessionTooOld  = &contract.Cause{Code: "session_too_old", Text: "The session was opened at {opened}, and closed at {closed}: the switch max_age is {limit}. Players open a new one with media.resume every 24 hours."}
)

func decideEvent(c *contract.Call) contract.Verdict {
	st, sid := c.State.(*state), c.In.Text("sid")
	if st.isWaiting(sid) {
		return accepted.Verdict()
	}
	s, l := st.session(sid), limitsOf(c.Switches)
	if s == nil || s.isForgotten(now(c), l) {
		return sessionNotFound.Because(unknownSession, "sid", shorten(sid))
	}
	by, at := s.closedBy(now(c), l)
	switch {
	case by == notClosed:
		return accepted.Verdict()
	case by == sessionEnd && c.In.Text("eventType") == sessionEnd:
		return accepted.Verdict() // documented as harmless
	case l.drop && by != byAge && by != byScenario && now(c) <= s.Created+l.age:
		return accepted.Verdict()
	}
	return s.refuse(by, at, l)
}

// refuse returns the refusal of an event of a closed session.
func (s *session) refuse(by string, at int64, l limits) contract.Verdict {
	closed := stamp(at)
	switch by {
	case byIdle:
		return sessionClosed.Because(sessionIdle, "last", stamp(s.Last), "closed", closed, "limit", millis(l.idle))
	case byStall:
		return sessionClosed.Because(sessionStalled, "moved", stamp(s.Moved), "closed", closed, "limit", millis(l.stall))
	case byAge:
		return sessionClosed.Because(sessionTooOld, "opened", stamp(s.Created), "closed", closed, "limit", millis(l.age))
	}
	return sessionClosed.Because(sessionEnded, "by", by, "closed", closed)
}

func stamp(ms int64) string         { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
func now(c *contract.Call) int64    { return c.Now.UnixMilli() }
func playheadOf(in contract.Values) (float64, bool) {
	p, ok := in.Object("playerTime")["playhead"].(float64)
	return p, ok
}

// noteSeconds notes a time that was probably sent in seconds. No page says that the
// service refuses it.
func noteSeconds(c *contract.Call) {
	ts, given := c.In.Object(playerTime.Name)["ts"].(int64)
	if given && ts >= 1e9 && ts < 1e10 { // in seconds from 2001 on, in milliseconds early in 1970
		c.Note("playerTime.ts looks like seconds", fmt.Sprintf("%d; in milliseconds that is %s", ts, stamp(ts)))
	}
}

// doEvent stores the event. It opens the session where a scenario forces success
// for an unknown one.
func doEvent(c *contract.Call) any {
	noteSeconds(c)
	st, sid, l := c.State.(*state), c.In.Text("sid"), limitsOf(c.Switches)
	st.sweep(c)
	s := st.session(sid)
	if s != nil && s.isForgotten(now(c), l) {
		st.removeForgotten(c, s)
		s = nil
	}
	if s == nil {
		if !wellFormed(sid) {
			return nil
		}
		st.stopWaiting(sid)
		s = st.openSession(c, sid, now(c))
		c.Issue(sid)
	}
	h := st.newHit(c)
	if by, _ := s.closedBy(now(c), l); by != notClosed {
		h.Dropped = true
		s.Dropped++
		c.Note("dropped, because the session was closed by", by)
	} else {
		s.recordEvent(now(c), c.In)
		if c.In.Text("eventType") == sessionEnd {
			s.Ended, s.EndedBy = now(c), sessionEnd
		}
	}
	st.keepEvent(s, h)
	return nil
}

// doNotFound forgets the session, so that later events get the same answer.
func doNotFound(c *contract.Call) any {
	st, sid := c.State.(*state), c.In.Text("sid")
	st.stopWaiting(sid)
	if s := st.session(sid); s != nil && !s.Forgotten {
		st.forget(c, s)
	}
	return nil
}

// doClosed closes the session where it is open.
func doClosed(c *contract.Call) any {
	st, sid := c.State.(*state), c.In.Text("sid")
	if st.isWaiting(sid) {
		st.stopWaiting(sid)
		st.openSession(c, sid, now(c))
		c.Issue(sid)
	}
	if s := st.session(sid); s != nil {
		if by, _ := s.closedBy(now(c), limitsOf(c.Switches)); by == notClosed {
			s.Ended, s.EndedBy = now(c), byScenario
		}
	}
	return nil
}
