package youdu

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

var updateSession = &contract.Operation{
	Name:   "UpdateSession",
	Doc:    "Changes a session's title and members, all at once or not at all. A title that is missing, null or empty stays as it is, and so do the members where the lists are. No call sets another owner, and none ends a session.",
	Cite:   citeSession,
	Method: "POST", Path: "/cgi/session/update", Aliases: alias("/cgi/session/update"),
	Params: []contract.Param{
		tokenRow,
		sessionIDRow,
		{Name: "opUser", Need: contract.Required, Example: "test1", Cite: citeSession, Doc: "The account that makes the change."},
		{Name: "title", Max: maxTitle, Example: "修改后的标题", Cite: citeSession, Doc: "The new title, at most 64 characters."},
		{Name: "addMember", Type: contract.List, Of: contract.String, Cite: citeSession, Doc: "The accounts to add. An account that is a member already is ignored."},
		{Name: "delMember", Type: contract.List, Of: contract.String, Cite: citeSession, Doc: "The accounts to remove, after the others were added. An account that is no member is ignored."},
	},
	Outcomes: contract.Outcomes(updated, invalidRequest, illegalAccess, noRight, userNotExist),
	Decide:   decideUpdate,
}

var updated = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The session is changed, or there was nothing to change.", Cite: citeSession,
	Returns: sessionRows, Keeps: true, Do: doUpdate,
}

func decideUpdate(c *contract.Call) contract.Verdict {
	st, by := c.State.(*state), c.In.Text("opUser")
	switch {
	case !c.In.Has("sessionId"):
		return st.refuse(missingValue, "Name", "sessionId")
	case by == "":
		return st.refuse(missingValue, "Name", "opUser")
	}
	if v := st.checkTitle(c); !v.Pending() {
		return v
	}
	s, v := st.findSession(c)
	if !v.Pending() {
		return v
	}
	if v := st.checkAccounts("opUser", []string{by}); !v.Pending() {
		return v
	}
	if !slices.Contains(s.Members, by) {
		return st.refuse(notMember, "Name", "opUser", "got", by, "members", describeAccounts(s.Members))
	}
	if v := st.checkAccounts("addMember", rosterWith("", c.In["addMember"]).list); !v.Pending() {
		return v
	}
	return st.decideChange(c, s, by)
}

// decideChange checks the session as it would be after the change.
func (st *state) decideChange(c *contract.Call, s *session, by string) contract.Verdict {
	x := changeOf(c, s)
	switch {
	case len(x.members) == 0:
		return st.refuse(noMemberLeft)
	case len(x.added) > 0:
		if v := st.checkMemberCount(c, len(x.members)); !v.Pending() {
			return v
		}
	}
	others := slices.ContainsFunc(x.removed, func(account string) bool { return account != by })
	if c.Switches.Bool("owner_only_delete") && others && by != s.Owner {
		return st.refuse(notOwner, "got", by, "owner", s.Owner)
	}
	return updated.Verdict()
}

// A change is a session as an update leaves it.
type change struct {
	title          string
	owner          string
	members        []string // a new list, if they change
	added, removed []string
}

// changeOf works out a change without making it. An account in both lists is
// added first and then removed.
func changeOf(c *contract.Call, s *session) change {
	x := change{title: s.Title, owner: s.Owner, members: s.Members}
	if title := c.In.Text("title"); title != "" {
		x.title = title
	}
	add, del := rosterWith("", c.In["addMember"]), rosterWith("", c.In["delMember"])
	if len(add.list)+len(del.list) == 0 {
		return x
	}
	was := rosterOf(s.Members...)
	all := rosterOf(s.Members...)
	for _, account := range add.list {
		if all.add(account) && !del.has(account) {
			x.added = append(x.added, account)
		}
	}
	x.members, x.removed = all.without(del)
	x.removed = slices.DeleteFunc(x.removed, func(account string) bool { return !was.has(account) })
	if len(x.members) > 0 && del.has(s.Owner) {
		x.owner = x.members[0]
	}
	return x
}

// effective reports whether the change differs from the session.
func (x *change) effective(s *session) bool {
	return x.title != s.Title || len(x.added) > 0 || len(x.removed) > 0
}

// doUpdate makes the change. If a scenario lets it succeed on a session that does
// not exist, the session is created.
func doUpdate(c *contract.Call) any {
	st, by := c.State.(*state), c.In.Text("opUser")
	s := st.Sessions[c.In.Text("sessionId")]
	if s == nil {
		s = st.inventSession(c, c.In.Text("sessionId"), by)
		s.Serial = st.nextSerial()
		st.addSession(s)
	}
	x := changeOf(c, s)
	if len(x.members) == 0 || !x.effective(s) {
		return s.reply()
	}
	st.applyChange(c, s, &x, by)
	return s.reply()
}

// applyChange makes a change, and reports it to the audit application.
func (st *state) applyChange(c *contract.Call, s *session, x *change, by string) {
	st.changeSession(s, func() {
		s.Title, s.Owner, s.Members = x.title, x.owner, x.members
		s.Version++
	})
	st.notifyUpdated(c, s, x, by)
}
