package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var (
	noSession       = &contract.Cause{Code: "no_session", Text: "The user {UserId} has no session. Call ApplyConcurrent and CreateSession for it first."}
	guestActsAsHost = &contract.Cause{Code: "guest_acts_as_host", Text: "The user {UserId} is a guest in the room of {HostUserId}; the stream belongs to the owner of the room."}
)

// publishes lists the endings that the three operations on streams share with
// each success.
func streamOutcomes(success *contract.Outcome) []*contract.Outcome {
	return contract.Outcomes(success, failedOperation, internalError, invalidParameter, jsonParseError, operationDenied, sessionNotFound)
}

// unpublishable says why a user's session cannot be pushed anywhere.
func (st *state) checkPublishing(c *contract.Call, user string) contract.Verdict {
	now := sandboxTime(c)
	if st.users[user].live(now) {
		return contract.Verdict{}
	}
	if co := st.roomOf(user, now); co != nil {
		return operationDenied.Because(guestActsAsHost, "UserId", user, "HostUserId", co.UserID)
	}
	return sessionNotFound.Because(noSession, "UserId", user)
}

// publish has the user's session pushed. One that is pushed already is pushed
// anew: the documentation does not say otherwise.
func publish(c *contract.Call, url, args string) {
	st, now := c.State.(*state), sandboxTime(c)
	user := c.In.Text("UserId")
	if user == "" {
		user = c.Dice().ID()
	}
	co := st.users[user]
	if !co.live(now) { // a scenario has it succeed
		co = st.concurrencyOrReserve(user, now)
		co.Session = &session{Created: now, RequestID: requestID(c)}
		st.setEnd(c, co, never)
	}
	co.Session.Publishing, co.Session.PublishURL, co.Session.PublishArgs = true, url, args
	c.Note("stream id", user)
}
