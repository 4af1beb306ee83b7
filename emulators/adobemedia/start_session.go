package adobemedia

import (
	"encoding/hex"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

var startSession = &contract.Operation{
	Name: "StartSession", Method: http.MethodPost, Path: sessionsPath, Cite: citeSessions,
	Doc:      "Opens a session: the viewer means to play. Its id is in the header Location, and each call opens another.",
	Params:   events[sessionStart].rows,
	Outcomes: contract.Outcomes(created),
	Decide:   func(*contract.Call) contract.Verdict { return created.Verdict() },
}

var created = &contract.Outcome{
	Name: "created", Status: 201, Cite: citeSessions, Doc: "The session is open. Clients count exactly 201 as success, and take the id out of Location by position.",
	Returns: []contract.Param{
		{Name: "Location", In: contract.Header, Need: contract.Required, Cite: citeSessions, Doc: "/api/v1/sessions/ and the session's id, 64 hexadecimal digits in lower case: never a whole address, never below a prefix."},
	},
	Keeps: true, Do: doStart,
}

// A location is the reply of StartSession. It encodes itself: of all answers only this one
// and those of schemas are not empty.
type location struct {
	Location string `json:"Location"`
}

func (l *location) AppendJSON(b []byte) []byte {
	return append(wire.AppendString(append(b, `{"Location":`...), l.Location), '}')
}

// doStart opens the session.
func doStart(c *contract.Call) any {
	noteSeconds(c)
	st := c.State.(*state)
	return st.start(c, st.newID(c))
}

// start opens a session of an id that no other has.
func (st *state) start(c *contract.Call, sid string) *location {
	s := st.openSession(c, sid, now(c))
	s.recordEvent(now(c), c.In)
	st.keepStart(s, st.newHit(c))
	c.Issue(s.ID)
	return &location{sessionsPath + "/" + s.ID}
}

// newID returns a new session id. It skips existing ids, because a restored
// state may contain ids that the dice generate again.
func (st *state) newID(c *contract.Call) string {
	dice := c.Mint()
	for {
		var id [32]byte
		var digits [2 * len(id)]byte
		_, _ = dice.Read(id[:])
		hex.Encode(digits[:], id[:])
		if sid := string(digits[:]); st.session(sid) == nil && !st.isWaiting(sid) {
			return sid
		}
	}
}
