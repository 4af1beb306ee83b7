package youdu

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The kinds of message that a session accepts. The page's first sentence also
// names links and articles, and does not describe them.
var messageTypes = []string{"text", "image", "file", "voice", "video"}

var sendMessage = &contract.Operation{
	Name:   "SendMessage",
	Doc:    "Sends a message to a session, or to one person. One of sessionId and receiver is given; if both are, sessionId is used. An object with the name that msgType gives holds the content.",
	Cite:   citeSend,
	Method: "POST", Path: "/cgi/session/send", Aliases: alias("/cgi/session/send"),
	Params: []contract.Param{
		tokenRow,
		{Name: "sessionId", Example: exampleSession, Cite: citeSend, Doc: "The session that the message goes to."},
		{Name: "receiver", Cite: citeSend, Doc: "The account that a one-to-one message goes to."},
		{Name: "sender", Need: contract.Required, Example: "test1", Cite: citeSend, Doc: "The account that sends."},
		{Name: "msgType", Need: contract.Required, OneOf: messageTypes, Example: "text", Cite: citeSend, Doc: "The kind of message."},
		{Name: "text", Type: contract.Object, Example: `{"content":"hi"}`, Cite: citeSend, Doc: "A text.", Fields: []contract.Param{
			{Name: "content", Example: "hi", Cite: citeSend, Doc: "The text."},
		}},
		{Name: "image", Type: contract.Object, Cite: citeSend, Doc: "An image.", Fields: fileFields},
		{Name: "file", Type: contract.Object, Cite: citeSend, Doc: "A file.", Fields: fileFields},
		{Name: "voice", Type: contract.Object, Cite: citeSend, Doc: "A voice message.", Fields: fileFields},
		{Name: "video", Type: contract.Object, Cite: citeSend, Doc: "A video.", Fields: fileFields},
	},
	Outcomes: contract.Outcomes(sent, invalidRequest, illegalAccess, noRight, invalidReceiver, fileNotExist, userNotExist),
	Decide:   decideSend,
}

// fileFields are the members of a message with a file. (UploadMedia returns
// media_id as mediaId.)
var fileFields = []contract.Param{
	{Name: "media_id", Cite: citeSend, Doc: "What UploadMedia returned as mediaId."},
	{Name: "name", Cite: citeSend, Doc: "The file's name, in the page's sample of a file."},
	{Name: "size", Type: contract.Integer, Cite: citeSend, Doc: "The file's size, in the page's sample of a file."},
}

var sent = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The message is sent. There is nothing to return.", Cite: citeSend,
	Do: doSend,
}

func decideSend(c *contract.Call) contract.Verdict {
	st, kind, by := c.State.(*state), c.In.Text("msgType"), c.In.Text("sender")
	switch {
	case by == "":
		return st.refuse(missingValue, "Name", "sender")
	case kind == "":
		return st.refuse(missingValue, "Name", "msgType")
	case !slices.Contains(messageTypes, kind):
		return st.refuse(unknownMessageType, "got", describe(kind))
	case !c.In.Has("sessionId") && !c.In.Has("receiver"):
		return st.refuse(missingValue, "Name", "sessionId or receiver")
	}
	object, member := c.In.Object(kind), "media_id"
	if kind == "text" {
		member = "content"
	}
	if object.Text(member) == "" {
		return st.refuse(missingValue, "Name", kind+"."+member)
	}
	if v := st.checkAccounts("sender", []string{by}); !v.Pending() {
		return v
	}
	if v := st.decideReceiver(c, by); !v.Pending() {
		return v
	}
	if id := object.Text("media_id"); kind != "text" && st.Media[id] == nil {
		return st.refuse(unknownMedia, "got", describe(id))
	}
	return sent.Verdict()
}

// decideReceiver checks the session or the account that the message goes to.
func (st *state) decideReceiver(c *contract.Call, by string) contract.Verdict {
	if !c.In.Has("sessionId") {
		if to := c.In.Text("receiver"); !st.hasAccount(to) {
			return st.refuse(unknownReceiver, "got", describe(to))
		}
		return contract.Verdict{}
	}
	s, v := st.findSession(c)
	if !v.Pending() {
		return v
	}
	if !slices.Contains(s.Members, by) {
		return st.refuse(notMember, "Name", "sender", "got", by, "members", describeAccounts(s.Members))
	}
	return contract.Verdict{}
}

// doSend counts the message. The message ids of a session begin with the second
// of its creation in UNIX time and increase by one, as published samples show.
func doSend(c *contract.Call) any {
	st, now := c.State.(*state), c.Now.Unix()
	if s := st.Sessions[c.In.Text("sessionId")]; s != nil {
		s.LastMsgID = max(s.LastMsgID+1, s.Created)
		s.ActiveTime = now
		st.notifyMessage(c, s, s.LastMsgID)
		return nil
	}
	if c.In.Has("receiver") {
		st.Direct = max(st.Direct+1, now)
		st.notifyMessage(c, nil, st.Direct)
	}
	return nil
}
