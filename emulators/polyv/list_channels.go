package polyv

import (
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var listChannels = &contract.Operation{
	Name:   "ListChannels",
	Doc:    "Lists the channels of the account, in the order of their numbers.",
	Cite:   citeCLI,
	Method: "GET", Path: "/live/v3/user/channels",
	Params: []contract.Param{
		{Name: "categoryId", In: contract.Query, Cite: citeCLI, Doc: "Channels of this category only. The emulator's have none, so that any category is empty."},
		{Name: "keyword", In: contract.Query, Cite: citeCLI, Doc: "Channels whose name holds this."},
		{Name: "labelId", In: contract.Query, Cite: citeCLI, Doc: "Channels with this label only. The emulator's have none."},
	},
	Outcomes: contract.Outcomes(channelsListed),
	Decide:   func(*contract.Call) contract.Verdict { return channelsListed.Verdict() },
}

type channelList struct {
	Channels []string `json:"channels"`
}

var channelsListed = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The channels.", Cite: citeCLI,
	Returns: version3Rows(contract.Param{
		Name: "data", Type: contract.Object, Need: contract.Required, Cite: citeCLI, Doc: "The channels.",
		Fields: []contract.Param{{Name: "channels", Type: contract.List, Of: contract.String, Need: contract.Required, Cite: citeCLI, Doc: "Their numbers, as text."}},
	}),
	Do: func(c *contract.Call) any {
		var numbers []int64
		if !c.In.Has("categoryId") && !c.In.Has("labelId") {
			for _, ch := range c.State.(*state).Channels {
				if ch.UserID == callerOf(c).application.UserID && strings.Contains(ch.Name, c.In.Text("keyword")) {
					numbers = append(numbers, ch.number)
				}
			}
		}
		slices.Sort(numbers)
		ids := make([]string, len(numbers))
		for i, n := range numbers {
			ids[i] = strconv.FormatInt(n, 10)
		}
		return success(c, &channelList{ids})
	},
}
