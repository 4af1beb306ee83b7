package polyv

import (
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var listLiveStatus = &contract.Operation{
	Name:   "ListLiveStatus",
	Doc:    "Returns what channels do, in the order of their numbers.",
	Cite:   citeLiveStatus,
	Method: "GET", Path: "/live/v4/channel/live-status/list",
	Params: []contract.Param{
		{Name: "channelIds", In: contract.Query, Need: contract.Required, Example: "2624138,2614940", Cite: citeLiveStatus, Doc: "The channels, separated by commas; at most 200."},
	},
	Outcomes: contract.Outcomes(liveStatusReturned),
	Decide:   func(c *contract.Call) contract.Verdict { return decideStatus(c, liveStatusReturned) },
}

// A statusRow is a channel and its status.
type statusRow struct {
	ChannelID  int64  `json:"channelId"`
	LiveStatus string `json:"liveStatus"`
}

type statusRows []statusRow

var liveStatusReturned = &contract.Outcome{
	Name: "success", Status: 200, Doc: "What each channel does.", Cite: citeLiveStatus,
	Returns: version4Rows(contract.Param{
		Name: "data", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeLiveStatus, Doc: "One row for each channel.",
		Fields: []contract.Param{
			{Name: "channelId", Type: contract.Integer, Need: contract.Required, Example: "2614940", Cite: citeLiveStatus, Doc: "The channel."},
			{Name: "liveStatus", Need: contract.Required, OneOf: statuses, Cite: citeLiveStatus, Doc: "What it does."},
		},
	}),
	Do: func(c *contract.Call) any {
		channels := channelsOf(c, 200)
		rows := make(statusRows, len(channels))
		for i, ch := range channels {
			rows[i] = statusRow{ch.number, ch.status()}
		}
		return success(c, rows)
	},
}

// statuses are the documented statuses of a channel.
var statuses = []string{"unStart", "live", "end", "waiting", "playback", "banpush"}

// decideStatus refuses the first channel that is not the account's.
func decideStatus(c *contract.Call, success *contract.Outcome) contract.Verdict {
	st := c.State.(*state)
	if st.acceptsUnknownChannels(c) {
		return success.Verdict()
	}
	for ids, more := c.In.Text("channelIds"), true; more; {
		var id string
		id, ids, more = strings.Cut(ids, ",")
		if v := st.unknownChannelID(c, id); !v.Pending() {
			return v
		}
	}
	return success.Verdict()
}

// channelsOf returns the channels that a call names, each once, by number, as in
// the page's sample. With the lenient switch it leaves out unknown ones; where a
// scenario forces the success, an unknown channel was never live.
func channelsOf(c *contract.Call, most int) []*channel {
	st := c.State.(*state)
	var found []*channel
	for ids, more := c.In.Text("channelIds"), true; more; {
		var id string
		id, ids, more = strings.Cut(ids, ",")
		n, fits := parseNumber(id, -1)
		switch ch := st.channelOf(c, id); {
		case len(found) == most:
		case ch != nil:
			found = append(found, ch)
		case fits && n >= 0 && !st.acceptsUnknownChannels(c):
			found = append(found, &channel{ID: id, number: n})
		}
	}
	slices.SortFunc(found, func(a, b *channel) int { return int(min(1, max(-1, a.number-b.number))) })
	return slices.CompactFunc(found, func(a, b *channel) bool { return a.number == b.number })
}
