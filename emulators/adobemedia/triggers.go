package adobemedia

import (
	"fmt"

	"github.com/understudy-suite/understudy/internal/contract"
)

var triggers = []*contract.Trigger{{
	Name: "expire", Do: triggerExpire,
	Doc: "A session's time is over now.",
	Params: []contract.Param{
		{Name: "what", Need: contract.Required, OneOf: []string{byIdle, byStall, byAge, aTombstone}, Doc: "What ran out: the 10 minutes without an event, the 30 without movement, the 24 hours, or the time for which a session is remembered."},
		{Name: "id", Need: contract.Required, Example: documentedID, Doc: "The session's id."},
	},
}}

func triggerExpire(c *contract.Call) error {
	st, sid, what := c.State.(*state), c.In.Text("id"), c.In.Text("what")
	s := st.session(sid)
	if s == nil && st.isWaiting(sid) {
		st.stopWaiting(sid)
		s = st.openSession(c, sid, now(c))
	}
	if s == nil || s.Forgotten {
		return fmt.Errorf("there is no session %s", shorten(sid))
	}
	if what == aTombstone {
		st.forget(c, s)
		return nil
	}
	if by, _ := s.closedBy(now(c), limitsOf(c.Switches)); by != notClosed {
		return fmt.Errorf("the session is closed already, by %s", by)
	}
	s.Ended, s.EndedBy = now(c), what
	return nil
}
