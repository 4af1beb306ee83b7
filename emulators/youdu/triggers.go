package youdu

import (
	"fmt"
	"maps"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

var triggers = []*contract.Trigger{
	{
		Name: "member.left", Do: memberLeaves,
		Doc: "A person leaves the session that is named, or else every one. If the owner leaves, the first member that remains becomes the owner; a session without members is removed.",
		Params: []contract.Param{
			{Name: "account", Need: contract.Required, Example: "test3", Doc: "Who leaves."},
			{Name: "sessionId", Example: exampleSession, Doc: "The session that is left; without it: all."},
		},
	},
	{
		Name: "expire", Do: expire,
		Doc: "Ends now an access token (id: the token), ahead of the end that was announced, all tokens of an application (id: the appId), or a session (id: sessionId), as if its owner had dissolved it.",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{aToken, aSession}, Doc: "What ends."},
			{Name: "id", Need: contract.Required, Example: lastingToken, Doc: "Which: an accessToken, an appId for all of its tokens, or a sessionId."},
		},
	},
}

// memberLeaves removes an account from one session or from all.
func memberLeaves(c *contract.Call) error {
	st, account, id := c.State.(*state), c.In.Text("account"), c.In.Text("sessionId")
	if id != "" {
		s := st.Sessions[id]
		if s == nil || !slices.Contains(s.Members, account) {
			return fmt.Errorf("%s is no member of a session %s", account, id)
		}
		st.leaveSession(c, s, account)
		return nil
	}
	left := 0
	for _, s := range slices.SortedFunc(maps.Values(st.Sessions), bySerial[*session]) {
		if slices.Contains(s.Members, account) {
			st.leaveSession(c, s, account)
			left++
		}
	}
	if left == 0 {
		return fmt.Errorf("%s is a member of no session", account)
	}
	return nil
}

// leaveSession removes an account from a session of which it is a member.
func (st *state) leaveSession(c *contract.Call, s *session, account string) {
	all := rosterOf(s.Members...)
	members, removed := all.without(rosterOf(account))
	if len(members) == 0 {
		st.removeSession(s)
		return
	}
	x := change{title: s.Title, owner: s.Owner, members: members, removed: removed}
	if x.owner == account {
		x.owner = members[0]
	}
	st.applyChange(c, s, &x, account)
}

// expire ends a session, a token, or all tokens of an application.
func expire(c *contract.Call) error {
	st, now, id := c.State.(*state), nowUTC(c), c.In.Text("id")
	if c.In.Text("what") == aSession {
		s := st.Sessions[id]
		if s == nil {
			return fmt.Errorf("there is no session %s", id)
		}
		st.removeSession(s)
		return nil
	}
	ended := 0
	for _, text := range slices.Sorted(maps.Keys(st.Tokens)) {
		if t := st.Tokens[text]; (t.Token == id || t.AppID == id) && !t.ended(now) {
			st.expireToken(t, now)
			ended++
		}
	}
	if ended == 0 {
		return fmt.Errorf("there is neither a valid token %s nor an application with valid tokens of that name", id)
	}
	return nil
}
