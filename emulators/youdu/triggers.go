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
		Name: "expire", Do: expireTokens,
		Doc: "Expires now what was granted for a time: an access token (id: the token), or all tokens of an application (id: the appId).",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{"token"}, Doc: "What expires."},
			{Name: "id", Need: contract.Required, Example: lastingToken, Doc: "Which: an accessToken, or an appId for all of its tokens."},
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

// expireTokens makes a token, or all tokens of an application, expire.
func expireTokens(c *contract.Call) error {
	st, now, id := c.State.(*state), nowUTC(c), c.In.Text("id")
	if t := st.Tokens[id]; t != nil {
		st.expireToken(t, now)
		return nil
	}
	ended := 0
	for _, text := range slices.Sorted(maps.Keys(st.Tokens)) {
		if t := st.Tokens[text]; t.AppID == id {
			st.expireToken(t, now)
			ended++
		}
	}
	if ended == 0 {
		return fmt.Errorf("there is neither a token %s nor an application with tokens of that name", id)
	}
	return nil
}
