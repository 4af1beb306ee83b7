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

// destroyed is also what becomes of a user without a session: the
// documentation lists no SessionNotFound for this action.
var destroyed = plain("The session is ended, or there was none.", citeSDK, doDestroy, nil)

func decideDestroy(c *contract.Call) contract.Verdict {
	if v := unfit(c); !v.Pending() {
		return v
	}
	return destroyed.Verdict()
}

// doDestroy ends what the user has: the session or reservation of its own, and
// the place in another's room.
func doDestroy(c *contract.Call) {
	w, now := c.State.(*state), instant(c)
	user := c.In.Text("UserId")
	w.depart(user)
	n := w.users[user]
	if n == nil {
		return
	}
	w.settle(n.ProjectID, now)
	if n.held(now) {
		w.destroy(c, n, now)
		c.Note("concurrency", n.ID)
	}
}
