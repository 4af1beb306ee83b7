package polyv

import "github.com/understudy-suite/understudy/internal/contract"

var startLive = &contract.Operation{
	Name:   "StartLive",
	Doc:    "Puts a channel on air. It fires no status callback. Whether it makes a session is not known: the switch live_sessions.",
	Cite:   citeCLI,
	Method: "POST", Path: "/live/v2/channels/{channelId}/live",
	Params:   liveParams,
	Outcomes: contract.Outcomes(wentLive, accessForbidden),
	Decide:   func(c *contract.Call) contract.Verdict { return decideLive(c, wentLive) },
}

var liveParams = []contract.Param{
	{Name: "channelId", In: contract.Path, Need: contract.Required, Example: "2272655", Cite: citeCLI, Doc: "The channel."},
	{Name: "userId", In: contract.Form, Need: contract.Required, Example: "1b448be323", Cite: citeCLI, Doc: "The account."},
}

var otherAccount = &contract.Cause{Code: "other_account", Text: "The userId is {got}; the appId is of {userId}."}

func decideLive(c *contract.Call, done *contract.Outcome) contract.Verdict {
	got, a := c.In.Text("userId"), callerOf(c).application
	if got != a.UserID && got != a.Alias && c.Auth == contract.Verify {
		return accessForbidden.Because(otherAccount, "got", quote(got), "userId", a.UserID)
	}
	return decide(c, done)
}

var doneRow = contract.Param{Name: "data", Need: contract.Required, Example: "success", Cite: citeCLI, Doc: "success."}

var wentLive = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The channel is on air; one that was already, stays so.", Cite: citeCLI,
	Returns: version3Rows(doneRow),
	Keeps:   true,
	Do: func(c *contract.Call) any {
		w := c.State.(*state)
		if ch := w.channel(c); ch != nil && ch.live == nil && c.Switches.Bool("live_sessions") {
			s := w.start(ch, c.Now, c.Dice())
			s.Called = true
			c.Note("session", s.ID)
		}
		return success(c, "success")
	},
}
