package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var stopPublishStream = &contract.Operation{
	Name:   "StopPublishStream",
	Doc:    "Stops to push the session's picture.",
	Cite:   citeSDK,
	Method: "POST", Path: "/",
	Rate:     20,
	Params:   []contract.Param{userIDRow},
	Outcomes: streamOutcomes(stoppedStream),
	Decide:   decideStop,
}

// stoppedStream is also the outcome for a session that is not pushed.
var stoppedStream = successWithoutResult("The session is not pushed any more.", citeSDK, doStop, nil)

func decideStop(c *contract.Call) contract.Verdict {
	if v := c.State.(*state).checkPublishing(c, c.In.Text("UserId")); !v.Pending() {
		return v
	}
	return stoppedStream.Verdict()
}

func doStop(c *contract.Call) {
	st := c.State.(*state)
	if co := st.users[c.In.Text("UserId")]; co.live(sandboxTime(c)) {
		st.stopPublishing(co)
	}
}
