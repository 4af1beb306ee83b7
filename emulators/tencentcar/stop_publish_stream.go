package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var stopPublishStream = &contract.Operation{
	Name:   "StopPublishStream",
	Doc:    "Stops to push the session's picture.",
	Cite:   citeSDK,
	Method: "POST", Path: "/",
	Rate:     20,
	Params:   []contract.Param{userIDRow},
	Outcomes: publishes(stoppedStream),
	Decide:   decideStop,
}

// stoppedStream is also what becomes of a session that was not pushed.
var stoppedStream = plain("The session is not pushed any more.", citeSDK, doStop, nil)

func decideStop(c *contract.Call) contract.Verdict {
	if v := c.State.(*state).unpublishable(c, c.In.Text("UserId")); !v.Pending() {
		return v
	}
	return stoppedStream.Verdict()
}

func doStop(c *contract.Call) {
	w := c.State.(*state)
	if n := w.users[c.In.Text("UserId")]; n.live(instant(c)) {
		n.Session.Publishing, n.Session.PublishURL, n.Session.PublishArgs = false, "", ""
	}
}
