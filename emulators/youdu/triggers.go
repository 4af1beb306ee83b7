package youdu

import (
	"fmt"
	"maps"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

var triggers = []*contract.Trigger{
	{
		Name: "member.left", Do: leave,
		Doc: "A person leaves: the session that is named, or else every one. Who owned it is followed by the first member that remains; a session that nobody is left in is gone.",
		Params: []contract.Param{
			{Name: "account", Need: contract.Required, Example: "test3", Doc: "Who leaves."},
			{Name: "sessionId", Example: exampleSession, Doc: "The session that is left; without it: all."},
		},
	},
	{
		Name: "expire", Do: expire,
		Doc: "What was granted for a time is over now: an access token (id: the token), or all of an application (id: the appId).",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{"token"}, Doc: "What expires."},
			{Name: "id", Need: contract.Required, Example: lastingToken, Doc: "Which: an accessToken, or an appId for all of its tokens."},
		},
	},
}

func leave(c *contract.Call) error {
	w, who, id := c.State.(*state), c.In.Text("account"), c.In.Text("sessionId")
	if id != "" {
		s := w.Sessions[id]
		if s == nil || !slices.Contains(s.Members, who) {
			return fmt.Errorf("%s is no member of a session %s", who, id)
		}
		w.leaveOne(c, s, who)
		return nil
	}
	left := 0
	for _, s := range slices.SortedFunc(maps.Values(w.Sessions), bySerial[*session]) {
		if slices.Contains(s.Members, who) {
			w.leaveOne(c, s, who)
			left++
		}
	}
	if left == 0 {
		return fmt.Errorf("%s is a member of no session", who)
	}
	return nil
}

// leaveOne takes who out of a session of which it is a member.
func (w *state) leaveOne(c *contract.Call, s *session, who string) {
	all := rosterOf(s.Members...)
	members, gone := all.without(rosterOf(who))
	if len(members) == 0 {
		w.drop(s)
		return
	}
	x := change{title: s.Title, owner: s.Owner, members: members, removed: gone}
	if x.owner == who {
		x.owner = members[0]
	}
	w.alter(c, s, &x, who)
}

func expire(c *contract.Call) error {
	w, now, id := c.State.(*state), instant(c), c.In.Text("id")
	if t := w.Tokens[id]; t != nil {
		w.expireToken(t, now)
		return nil
	}
	ended := 0
	for _, word := range slices.Sorted(maps.Keys(w.Tokens)) {
		if t := w.Tokens[word]; t.AppID == id {
			w.expireToken(t, now)
			ended++
		}
	}
	if ended == 0 {
		return fmt.Errorf("there is neither a token %s nor an application with tokens of that name", id)
	}
	return nil
}
