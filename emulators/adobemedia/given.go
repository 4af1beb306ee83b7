package adobemedia

import (
	"fmt"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// givens are what can have happened before a test begins.
var givens = []*contract.Trigger{{
	Name: "session", Do: givenSession,
	Doc: "A session was opened, and reached a state; pings kept it open until its last event. Open is only what no limit has closed since.",
	Params: []contract.Param{
		{Name: "id", Max: 64, Example: "5ba0c3d4e5f60718293a4b5c6d7e8f905ba0c3d4e5f60718293a4b5c6d7e8f90", Doc: "Its id; a new one unless said otherwise."},
		{Name: "age", Type: contract.Duration, Example: "9m50s", Doc: "How long ago it was opened."},
		{Name: "quiet", Type: contract.Duration, Example: "9m50s", Doc: "How long ago its last event was; as long as it was opened unless said otherwise. At idle_timeout it is closed."},
		{Name: "state", OneOf: []string{"starting", "playing", "paused", "buffering"}, Example: "paused", Doc: "What the player did since it was opened; playing unless said otherwise."},
	},
}}

// enters has the event by which a player enters a state; "": none.
var enters = map[string]string{"starting": "", "": "play", "playing": "play", "paused": "pauseStart", "buffering": "bufferStart"}

// mostPings is how many pings a session sent before a test begins, at most. Where it
// is older, they are further apart than a player's ten seconds.
const mostPings = 1000

func givenSession(c *contract.Call) error {
	st, state, age := c.State.(*state), c.In.Text("state"), c.In.Duration("age")
	quiet := age
	if c.In.Has("quiet") {
		quiet = c.In.Duration("quiet")
	}
	if quiet > age {
		return fmt.Errorf("quiet is %s and age is %s; the last event lies after the first, so at most %s was expected", quiet, age, age)
	}
	opened := c.Now.Add(-age)
	sid, err := st.openGiven(c, opened)
	if err != nil {
		return err
	}
	report := func(event string, at time.Time) error {
		playhead := 0.0
		if enters[state] == "play" {
			playhead = at.Sub(opened).Seconds()
		}
		return st.reportGiven(c, sid, event, playhead, at)
	}
	if event := enters[state]; event != "" {
		if err := report(event, opened); err != nil {
			return err
		}
	}
	last := c.Now.Add(-quiet)
	step := max(10*time.Second, last.Sub(opened)/mostPings)
	for at := opened.Add(step); at.Before(last); at = at.Add(step) {
		if err := report("ping", at); err != nil {
			return err
		}
	}
	if last.After(opened) {
		if err := report("ping", last); err != nil {
			return err
		}
	}
	if s := st.session(sid); s == nil || s.isForgotten(now(c), limitsOf(c.Switches)) {
		return fmt.Errorf("age is %s; a session of that age is forgotten: the switch tombstone_ttl is %s", age, c.Switches.Duration("tombstone_ttl"))
	}
	return nil
}

// openGiven opens a session as StartSession does, and returns its id.
func (st *state) openGiven(c *contract.Call, at time.Time) (string, error) {
	draft := contract.Draft{Operation: startSession, Credentials: st.Credentials(), Now: at}
	event := sessionStartEvent(draft, nil)
	past := c.Earlier(at, startSession, event)
	past.Request.Body = wire.Encode(event)
	sid := c.In.Text("id")
	switch {
	case sid == "":
		sid = st.newID(past)
	case !wellFormed(sid):
		return "", fmt.Errorf("id is %.80q; 64 hexadecimal digits in lower case were expected", sid)
	case st.session(sid) != nil:
		return "", fmt.Errorf("the session %s is there already; give another id", shorten(sid))
	}
	st.stopWaiting(sid)
	st.start(past, sid)
	return sid, nil
}

// reportGiven reports an event as SendEvent does.
func (st *state) reportGiven(c *contract.Call, sid, event string, playhead float64, at time.Time) error {
	in := withTime(contract.Draft{Operation: sendEvent, Now: at}, contract.Values{"eventType": event, playerTime.Name: contract.Values{"playhead": playhead}})
	past := c.Earlier(at, sendEvent, in)
	past.Request.Body = wire.Encode(in)
	in["sid"] = sid
	_, err := past.Succeed()
	return err
}
