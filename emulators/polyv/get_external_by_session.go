package polyv

import "github.com/understudy-suite/understudy/internal/contract"

var getExternalBySession = &contract.Operation{
	Name:   "GetExternalBySession",
	Doc:    "Returns the external id that a session carries.",
	Cite:   citeCLI,
	Method: "GET", Path: "/live/v4/channel/session/external-by-session",
	Params: []contract.Param{
		channelIDRow,
		{Name: "sessionId", In: contract.Query, Need: contract.Required, Example: "g9lv2ghv2x", Cite: citeCLI, Doc: "The session."},
	},
	Outcomes: contract.Outcomes(externalReturned, sessionNotFound),
	Decide: func(c *contract.Call) contract.Verdict {
		w := c.State.(*state)
		v := decide(c, externalReturned)
		if v.Outcome != externalReturned {
			return v
		}
		if s := w.sessions[c.In.Text("sessionId")]; s == nil || s.channel != w.channel(c) {
			return sessionNotFound.Because(noSession, "channelId", quote(c.In.Text("channelId")), "sessionId", quote(c.In.Text("sessionId")))
		}
		return v
	},
}

var noSession = &contract.Cause{Code: "unknown_session", Text: "The channel {channelId} has no session {sessionId}."}

// An externalReply is what GetExternalBySession returns.
type externalReply struct {
	ChannelID         int64   `json:"channelId"`
	SessionID         string  `json:"sessionId"`
	ExternalSessionID *string `json:"externalSessionId,omitempty"`
}

var externalReturned = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The session and the id that it carries.", Cite: citeCLITypes,
	Returns: version4Rows(contract.Param{
		Name: "data", Type: contract.Object, Need: contract.Required, Cite: citeCLITypes, Doc: "The session.",
		Fields: []contract.Param{
			{Name: "channelId", Type: contract.Integer, Need: contract.Required, Example: "2272655", Cite: citeCLITypes, Doc: "The channel."},
			{Name: "sessionId", Need: contract.Required, Example: "g9lv2ghv2x", Cite: citeCLITypes, Doc: "The session."},
			{Name: "externalSessionId", Cite: citeCLITypes, Doc: "The external id; absent where the session carries none."},
		},
	}),
	Do: func(c *contract.Call) any {
		w, id := c.State.(*state), c.In.Text("sessionId")
		s := w.sessions[id]
		if s == nil {
			s = w.newSampleSession(c)
			s.CustomID = new(string)
			*s.CustomID = c.Dice().ID()[:32]
		}
		if id == "" {
			id = s.ID
		}
		return success(c, &externalReply{s.channel.number, id, s.CustomID})
	},
}
