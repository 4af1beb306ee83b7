package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var (
	noSession       = &contract.Cause{Code: "no_session", Text: "The user {UserId} has no session. Call ApplyConcurrent and CreateSession for it first."}
	guestActsAsHost = &contract.Cause{Code: "guest_acts_as_host", Text: "The user {UserId} is a guest in the room of {HostUserId}; the stream belongs to the owner of the room."}
)

// streamOutcomes lists a success and the errors of the three operations on
// streams.
func streamOutcomes(success *contract.Outcome) []*contract.Outcome {
	return contract.Outcomes(success, failedOperation, internalError, invalidParameter, jsonParseError, operationDenied, sessionNotFound)
}

// checkPublishing refuses a call if the user has no session of its own.
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

// stopPublishing ends the push of a concurrency's session.
func (st *state) stopPublishing(co *concurrency) {
	s := co.Session
	s.Publishing, s.Published, s.PublishURL, s.PublishArgs = false, never, "", ""
	st.weigh(co)
}

// publish starts to push the user's session. A push that is running is replaced:
// the documentation lists no error for it.
func publish(c *contract.Call, url, args string) {
	st, now := c.State.(*state), sandboxTime(c)
	user := c.In.Text("UserId")
	if user == "" {
		user = c.Dice().ID()
	}
	co := st.users[user]
	if !co.live(now) { // a scenario makes the call succeed
		co = st.concurrencyOrReserve(user, now)
		co.Session = &session{Created: now, RequestID: requestID(c)}
		st.setEnd(c, co, never)
	}
	s := co.Session
	s.Publishing, s.Published, s.PublishURL, s.PublishArgs = true, now, url, args
	st.weigh(co)
	c.Note("stream id", user)
}
