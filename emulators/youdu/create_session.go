package youdu

import (
	"strings"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The documented limits. Lengths are in characters: pages of the same service
// say that a Chinese character counts like a letter.
const (
	maxTitle   = 64
	maxAccount = 64
	minMembers = 3
)

const multi = "multi"

var createSession = &contract.Operation{
	Name:   "CreateSession",
	Doc:    "Creates a session of several people, which clients show as a discussion group. Sessions of two are never created.",
	Cite:   citeSession,
	Method: "POST", Path: "/cgi/session/create", Aliases: alias("/cgi/session/create"),
	Params: []contract.Param{
		tokenRow,
		{Name: "title", Need: contract.Required, Max: maxTitle, Example: "测试创建会话", Cite: citeSession, Doc: "The title, at most 64 characters."},
		{Name: "creator", Need: contract.Required, Max: maxAccount, Example: "test1", Cite: citeSession, Doc: "The account that creates the session, at most 64 characters."},
		{Name: "type", OneOf: []string{multi, ""}, Example: multi, Cite: citeSession, Doc: "The type. Only multi is there."},
		{Name: "member", Type: contract.List, Of: contract.String, Need: contract.Required, Example: `["test1","test2","test3"]`, Cite: citeSession, Doc: "The accounts of the members. With the creator, who is taken in where the list lacks it, they are three or more."},
	},
	Outcomes: contract.Outcomes(created, invalidRequest, accountTooLong, userNotExist),
	Decide:   decideCreate,
}

var created = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The session is created.", Cite: citeSession,
	Returns: sessionRows, Keeps: true, Do: doCreate,
}

func decideCreate(c *contract.Call) contract.Verdict {
	st, title, creator := c.State.(*state), c.In.Text("title"), c.In.Text("creator")
	if v := st.checkTitle(c); !v.Pending() {
		return v
	}
	switch {
	case strings.TrimSpace(title) == "":
		return st.refuse(missingValue, "Name", "title")
	case creator == "":
		return st.refuse(missingValue, "Name", "creator")
	case utf8.RuneCountInString(creator) > maxAccount:
		return st.refuse(creatorTooLong, "got", utf8.RuneCountInString(creator), "most", maxAccount)
	}
	if kind := c.In.Text("type"); kind != "" && kind != multi {
		return st.refuse(unknownSessionType, "got", describe(kind))
	}
	members := rosterWith(creator, c.In["member"]).list
	if len(members) < minMembers {
		return st.refuse(tooFewMembers, "got", len(members), "members", describeAccounts(members), "least", minMembers)
	}
	if v := st.checkMemberCount(c, len(members)); !v.Pending() {
		return v
	}
	if v := st.checkAccounts("creator", members[:1]); !v.Pending() {
		return v
	}
	if v := st.checkAccounts("member", members[1:]); !v.Pending() {
		return v
	}
	return created.Verdict()
}

// checkTitle refuses a title that is too long. (For messages whose titles are cut
// instead, the page says so.)
func (st *state) checkTitle(c *contract.Call) contract.Verdict {
	title := c.In.Text("title")
	if len(title) > maxTitle && utf8.RuneCountInString(title) > maxTitle {
		return st.refuse(titleTooLong, "got", utf8.RuneCountInString(title), "most", maxTitle)
	}
	return contract.Verdict{}
}

// checkMemberCount refuses more members than the switch max_members allows.
func (st *state) checkMemberCount(c *contract.Call, n int) contract.Verdict {
	if most := c.Switches.Int("max_members"); most > 0 && int64(n) > most {
		return st.refuse(tooManyMembers, "got", n, "most", most)
	}
	return contract.Verdict{}
}

// checkAccounts refuses the first account that is unknown or disabled.
func (st *state) checkAccounts(param string, accounts []string) contract.Verdict {
	for _, name := range accounts {
		if !st.hasAccount(name) {
			return st.refuse(unknownAccount, "Name", param, "got", describe(name))
		}
	}
	return contract.Verdict{}
}

// describeAccounts shortens a list of accounts for an explanation.
func describeAccounts(accounts []string) string {
	const most = 10
	if len(accounts) > most {
		return strings.Join(accounts[:most], ", ") + ", …"
	}
	return strings.Join(accounts, ", ")
}

// doCreate creates the session. If a scenario lets an incomplete call succeed,
// what the call lacks is invented.
func doCreate(c *contract.Call) any {
	st, now := c.State.(*state), c.Now.Unix()
	title, creator := c.In.Text("title"), c.In.Text("creator")
	if title == "" {
		title = c.Dice().Fake().Noun()
	}
	if creator == "" {
		creator = strings.ToLower(c.Dice().Fake().FirstName())
	}
	s := &session{
		ID: callerOf(c).wanted, Title: title, Owner: creator, Version: 1, Members: rosterWith(creator, c.In["member"]).list,
		Created: now, ActiveTime: now, Serial: st.nextSerial(),
	}
	if s.ID == "" {
		s.ID = st.newID(c)
	}
	st.addSession(s)
	st.notifyCreated(c, s)
	return s.reply()
}

// newID makes a session id that is not in use: a GUID in capitals and braces.
func (st *state) newID(c *contract.Call) string {
	for {
		var b [16]byte
		_, _ = c.Dice().Read(b[:]) // it never fails
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		if id := guid(b); st.Sessions[id] == nil {
			return id
		}
	}
}

// guid formats a GUID.
func guid(b [16]byte) string {
	const digits = "0123456789ABCDEF"
	id := make([]byte, 0, 38)
	id = append(id, '{')
	for i, x := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			id = append(id, '-')
		}
		id = append(id, digits[x>>4], digits[x&15])
	}
	return string(append(id, '}'))
}
