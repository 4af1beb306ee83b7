package youdu

import (
	"github.com/understudy-suite/understudy/internal/contract"
)

// A sessionReply is a session as create, get and update return it.
type sessionReply struct {
	SessionID  string   `json:"sessionId"`
	Title      string   `json:"title"`
	Owner      string   `json:"owner"`
	Version    int64    `json:"version"`
	Type       string   `json:"type"`
	Member     []string `json:"member"`
	LastMsgID  int64    `json:"lastMsgId"`
	ActiveTime int64    `json:"activeTime"`
}

// reply is what a call returns of the session. It shares the list of members,
// which is never written.
func (s *session) reply() *sessionReply {
	return &sessionReply{s.ID, s.Title, s.Owner, s.Version, multi, s.Members, s.LastMsgID, s.ActiveTime}
}

// sessionRows are what the three calls return. The tables of create and update
// name the owner creator; the JSON samples, and every library, name it owner.
var sessionRows = []contract.Param{
	{Name: "sessionId", Need: contract.Required, Example: exampleSession, Cite: citeSession, Doc: "The session's id: a GUID in capitals and braces."},
	{Name: "title", Need: contract.Required, Cite: citeSession, Doc: "The title."},
	{Name: "owner", Need: contract.Required, Cite: citeSession, Doc: "The account that owns the session: its creator, or who followed as the owner."},
	{Name: "version", Type: contract.Integer, Need: contract.Required, Cite: citeSession, Doc: "The session's version, 64 bits: 1 at first, one more with every call that changes something. Start and step are inferred."},
	{Name: "type", Need: contract.Required, OneOf: []string{multi}, Cite: citeSession, Doc: "The type."},
	{Name: "member", Type: contract.List, Of: contract.String, Need: contract.Required, Cite: citeSession, Doc: "The accounts of the members, the owner among them."},
	{Name: "lastMsgId", Type: contract.Integer, Need: contract.Required, Cite: citeCSharp, Doc: "The id of the latest message, 0 before the first. No page has it; a library refuses an answer without it."},
	{Name: "activeTime", Type: contract.Integer, Need: contract.Required, Cite: citeCSharp, Doc: "When something happened last. No page has it, and the unit, UNIX seconds, is inferred; a library refuses an answer without it."},
}

// exampleSession is the id of a session of the default fixture. Samples of the
// client libraries use it.
const exampleSession = "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}"

var sessionIDRow = contract.Param{
	Name: "sessionId", Need: contract.Required, Example: exampleSession, Cite: citeSession, Doc: "The session's id.",
}

// inventSession makes a session for a call that a scenario lets succeed though
// its session does not exist.
func (st *state) inventSession(c *contract.Call, id, owner string) *session {
	if id == "" {
		id = st.newID(c)
	}
	if owner == "" {
		owner = "test1"
	}
	now := c.Now.Unix()
	return &session{
		ID: id, Title: c.Dice().Fake().Noun(), Owner: owner, Version: 1, Members: rosterOf(owner, "test2", "test3").list,
		Created: now, ActiveTime: now,
	}
}
