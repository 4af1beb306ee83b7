package polyv

import "github.com/understudy-suite/understudy/internal/contract"

var endLive = &contract.Operation{
	Name:   "EndLive",
	Doc:    "Takes a channel off the air. It fires no status callback.",
	Cite:   citeEnd,
	Method: "POST", Path: "/live/v2/channels/{channelId}/end",
	Params:   liveParams,
	Outcomes: contract.Outcomes(wentOff, accessForbidden),
	Statuses: map[*contract.Outcome]int{invalidSignature: 400},
	Decide:   func(c *contract.Call) contract.Verdict { return decideLive(c, wentOff) },
}

var wentOff = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The channel is off the air.", Cite: citeCLI,
	Returns: version3Rows(doneRow),
	Do: func(c *contract.Call) any {
		w := c.State.(*state)
		if ch := w.channel(c); ch != nil && ch.live != nil {
			c.Note("session", w.stop(ch, c.Now, c.Dice()).ID)
		}
		return success(c, "success")
	},
}
