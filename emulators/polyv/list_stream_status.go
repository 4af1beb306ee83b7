package polyv

import "github.com/understudy-suite/understudy/internal/contract"

var listStreamStatus = &contract.Operation{
	Name:   "ListStreamStatus",
	Doc:    "Returns whether channels are live. The older call, which the page advises against.",
	Cite:   citeStatus,
	Method: "POST", Path: "/live/v2/channels/live-status",
	Params: []contract.Param{
		{Name: "channelIds", In: contract.Form, Need: contract.Required, Example: "2624138,2614940", Cite: citeStatus, Doc: "The channels, separated by commas; at most 20."},
	},
	Outcomes: contract.Outcomes(streamStatusReturned),
	Decide:   func(c *contract.Call) contract.Verdict { return decideStatus(c, streamStatusReturned) },
}

// An oldStatusRow is the status in version 2.
type oldStatusRow struct {
	ChannelID     string `json:"channelId"`
	Status        string `json:"status"`
	SeminarStatus string `json:"seminarStatus"`
}

var streamStatusReturned = &contract.Outcome{
	Name: "success", Status: 200, Doc: "Which channels are live.", Cite: citeStatus,
	Returns: version3Rows(contract.Param{
		Name: "data", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeStatus, Doc: "One row for each channel.",
		Fields: []contract.Param{
			{Name: "channelId", Need: contract.Required, Example: "2149710", Cite: citeStatus, Doc: "The channel, as text."},
			{Name: "status", Need: contract.Required, OneOf: []string{"live", "end"}, Cite: citeStatus, Doc: "Whether it is live."},
			{Name: "seminarStatus", Need: contract.Required, OneOf: []string{"seminar_live", "seminar_end"}, Cite: citeStatus, Doc: "Whether a seminar is on. The emulator's channels hold none."},
		},
	}),
	Do: func(c *contract.Call) any {
		rows := []oldStatusRow{}
		for _, ch := range channelsOf(c, 20) {
			status := "end"
			if ch.live != nil {
				status = "live"
			}
			rows = append(rows, oldStatusRow{ch.ID, status, "seminar_end"})
		}
		return success(c, rows)
	},
}
