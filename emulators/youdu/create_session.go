package youdu

import (
	"strings"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The documented limits. Lengths count characters: pages of the same service
// say that a Chinese character counts like a letter.
const (
	maxTitle   = 64
	maxAccount = 64
	leastMulti = 3
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
	Returns: sessionRows, Do: doCreate,
}

func decideCreate(c *contract.Call) contract.Verdict {
	w, title, creator := c.State.(*state), c.In.Text("title"), c.In.Text("creator")
	if v := w.unfitTitle(c); !v.Pending() {
		return v
	}
	switch {
	case strings.TrimSpace(title) == "":
		return w.tell(lacking, "Name", "title")
	case creator == "":
		return w.tell(lacking, "Name", "creator")
	case utf8.RuneCountInString(creator) > maxAccount:
		return w.tell(creatorTooLong, "got", utf8.RuneCountInString(creator), "most", maxAccount)
	}
	if kind := c.In.Text("type"); kind != "" && kind != multi {
		return w.tell(wrongType, "got", shown(kind))
	}
	members := gather(creator, c.In["member"]).list
	if len(members) < leastMulti {
		return w.tell(tooFew, "got", len(members), "members", several(members), "least", leastMulti)
	}
	if v := w.unfitMembers(c, len(members)); !v.Pending() {
		return v
	}
	if v := w.strangers("creator", members[:1]); !v.Pending() {
		return v
	}
	if v := w.strangers("member", members[1:]); !v.Pending() {
		return v
	}
	return created.Verdict()
}

// unfitTitle judges the length of a title: it is refused, not cut. (Messages
// whose titles are cut say so on their page.)
func (w *state) unfitTitle(c *contract.Call) contract.Verdict {
	title := c.In.Text("title")
	if len(title) > maxTitle && utf8.RuneCountInString(title) > maxTitle {
		return w.tell(titleTooLong, "got", utf8.RuneCountInString(title), "most", maxTitle)
	}
	return contract.Verdict{}
}

// unfitMembers judges the number of members.
func (w *state) unfitMembers(c *contract.Call, n int) contract.Verdict {
	if most := c.Switches.Int("max_members"); most > 0 && int64(n) > most {
		return w.tell(tooMany, "got", n, "most", most)
	}
	return contract.Verdict{}
}

// strangers finds the first account that is none.
func (w *state) strangers(where string, accounts []string) contract.Verdict {
	for _, name := range accounts {
		if !w.known(name) {
			return w.tell(noAccount, "Name", where, "got", shown(name))
		}
	}
	return contract.Verdict{}
}

// several tells a list of accounts, cut short.
func several(accounts []string) string {
	const most = 10
	if len(accounts) > most {
		return strings.Join(accounts[:most], ", ") + ", …"
	}
	return strings.Join(accounts, ", ")
}

// doCreate makes the session. Where a scenario has it succeed, what the call
// lacks is invented.
func doCreate(c *contract.Call) any {
	w, now := c.State.(*state), c.Now.Unix()
	title, creator := c.In.Text("title"), c.In.Text("creator")
	if title == "" {
		title = c.Dice().Fake().Noun()
	}
	if creator == "" {
		creator = strings.ToLower(c.Dice().Fake().FirstName())
	}
	s := &session{
		ID: w.newID(c), Title: title, Owner: creator, Version: 1, Members: gather(creator, c.In["member"]).list,
		Created: now, ActiveTime: now, Serial: w.next(),
	}
	w.keep(s)
	w.tellCreated(c, s)
	return s.reply()
}

// newID throws a GUID that no session has: in capitals and braces.
func (w *state) newID(c *contract.Call) string {
	for {
		var b [16]byte
		_, _ = c.Dice().Read(b[:]) // it never fails
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		if id := guid(b); w.Sessions[id] == nil {
			return id
		}
	}
}

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
