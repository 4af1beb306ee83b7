package polyv

import (
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var listLiveStatus = &contract.Operation{
	Name:   "ListLiveStatus",
	Doc:    "Tells what channels do, in the order of their numbers.",
	Cite:   citeLiveStatus,
	Method: "GET", Path: "/live/v4/channel/live-status/list",
	Params: []contract.Param{
		{Name: "channelIds", In: contract.Query, Need: contract.Required, Example: "2624138,2614940", Cite: citeLiveStatus, Doc: "The channels, separated by commas; at most 200."},
	},
	Outcomes: contract.Outcomes(liveStatusTold),
	Decide:   func(c *contract.Call) contract.Verdict { return decideStatus(c, liveStatusTold) },
}

// A statusRow is a channel and what it does.
type statusRow struct {
	ChannelID  int64  `json:"channelId"`
	LiveStatus string `json:"liveStatus"`
}

var liveStatusTold = &contract.Outcome{
	Name: "success", Status: 200, Doc: "What each channel does.", Cite: citeLiveStatus,
	Returns: rows4(contract.Param{
		Name: "data", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeLiveStatus, Doc: "One row for each channel.",
		Fields: []contract.Param{
			{Name: "channelId", Type: contract.Integer, Need: contract.Required, Example: "2614940", Cite: citeLiveStatus, Doc: "The channel."},
			{Name: "liveStatus", Need: contract.Required, OneOf: statuses, Cite: citeLiveStatus, Doc: "What it does."},
		},
	}),
	Do: func(c *contract.Call) any {
		rows := []statusRow{}
		for _, ch := range channelsOf(c, 200) {
			rows = append(rows, statusRow{ch.number, ch.status()})
		}
		return succeed(c, rows)
	},
}

// statuses are what a channel may do.
var statuses = []string{"unStart", "live", "end", "waiting", "playback", "banpush"}

// decideStatus refuses the first channel that is not the account's.
func decideStatus(c *contract.Call, told *contract.Outcome) contract.Verdict {
	w := c.State.(*state)
	if w.lenient(c) {
		return told.Verdict()
	}
	for id := range strings.SplitSeq(c.In.Text("channelIds"), ",") {
		if v := w.unknownID(c, id); !v.Pending() {
			return v
		}
	}
	return told.Verdict()
}

// channelsOf are the channels that a call names, each once, in the order of
// their numbers, as the page's sample has them. One that is unknown is left out
// by the lenient switch; where a scenario has the call succeed for it, it is
// told as one that never was live.
func channelsOf(c *contract.Call, most int) []*channel {
	w := c.State.(*state)
	var found []*channel
	for id := range strings.SplitSeq(c.In.Text("channelIds"), ",") {
		n, fits := number(id, -1)
		switch ch := w.channelOf(c, id); {
		case len(found) == most:
		case ch != nil:
			found = append(found, ch)
		case fits && n >= 0 && !w.lenient(c):
			found = append(found, &channel{ID: id, number: n})
		}
	}
	slices.SortFunc(found, func(a, b *channel) int { return int(min(1, max(-1, a.number-b.number))) })
	return slices.CompactFunc(found, func(a, b *channel) bool { return a.number == b.number })
}
