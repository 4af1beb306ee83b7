package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var destroySession = &contract.Operation{
	Name:   "DestroySession",
	Doc:    "Terminates a session and frees its concurrency, which is then cleaned. A push of the session to a live stream ends too.",
	Cite:   citeSDK,
	Method: "POST", Path: "/",
	Rate:     100,
	Params:   []contract.Param{userIDRow},
	Outcomes: contract.Outcomes(destroyed, failedOperation, processTimeout, internalError, jsonParseError, accessFailed),
	Decide:   decideDestroy,
}

// destroyed is also the outcome for a user without a session: the documentation
// lists no SessionNotFound for this action.
var destroyed = successWithoutResult("The session is ended, or there was none.", citeSDK, doDestroy, nil)

func decideDestroy(c *contract.Call) contract.Verdict {
	if v := checkUser(c); !v.Pending() {
		return v
	}
	return destroyed.Verdict()
}

// doDestroy ends the user's session or reservation, and its place in the room of
// another user.
func doDestroy(c *contract.Call) {
	st, now := c.State.(*state), sandboxTime(c)
	user := c.In.Text("UserId")
	st.leaveRoom(user)
	co := st.users[user]
	if co == nil {
		return
	}
	st.forgetIdle(co.ProjectID, now)
	if co.held(now) {
		st.destroy(c, co, now)
		c.Note("concurrency", co.ID)
	}
}
