package tencentcar

import "github.com/understudy-suite/understudy/internal/contract"

var (
	noSession = &contract.Cause{Code: "no_session", Text: "The user {UserId} has no session. Call ApplyConcurrent and CreateSession for it first."}
	asGuest   = &contract.Cause{Code: "guest_acts_as_host", Text: "The user {UserId} is a guest in the room of {HostUserId}; the stream belongs to the owner of the room."}
)

// publishes lists the endings that the three operations on streams share with
// each success.
func publishes(success *contract.Outcome) []*contract.Outcome {
	return contract.Outcomes(success, failedOperation, internalError, invalidParameter, jsonParseError, operationDenied, sessionNotFound)
}

// unpublishable says why a user's session cannot be pushed anywhere.
func (w *state) unpublishable(c *contract.Call, user string) contract.Verdict {
	now := instant(c)
	if w.users[user].live(now) {
		return contract.Verdict{}
	}
	if n := w.room(user, now); n != nil {
		return operationDenied.Because(asGuest, "UserId", user, "HostUserId", n.UserID)
	}
	return sessionNotFound.Because(noSession, "UserId", user)
}

// publish has the user's session pushed. One that is pushed already is pushed
// anew: the documentation does not say otherwise.
func publish(c *contract.Call, url, args string) {
	w, now := c.State.(*state), instant(c)
	user := c.In.Text("UserId")
	if user == "" {
		user = c.Dice().ID()
	}
	n := w.users[user]
	if !n.live(now) { // a scenario has it succeed
		n = w.hold(user, now)
		n.Session = &session{Created: now, RequestID: requestID(c)}
		w.until(c, n, never)
	}
	n.Session.Publishing, n.Session.PublishURL, n.Session.PublishArgs = true, url, args
	c.Note("stream id", user)
}
