package polyv

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

var listSessionsByExternal = &contract.Operation{
	Name:   "ListSessionsByExternal",
	Doc:    "Lists the ids of a channel's sessions that carry an external id, the oldest first.",
	Cite:   citeByExternal,
	Method: "GET", Path: "/live/v3/channel/session/list-session-by-external",
	Params: []contract.Param{
		channelIDRow,
		{Name: "externalSessionId", In: contract.Query, Need: contract.Required, Example: "test", Cite: citeByExternal, Doc: "The customer's id."},
	},
	Outcomes: contract.Outcomes(externalListed),
	Decide:   func(c *contract.Call) contract.Verdict { return decide(c, externalListed) },
}

// An idList is what ListSessionsByExternal returns.
type idList struct {
	List []string `json:"list"`
}

var externalListed = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The sessions that carry the id; none where there are none.", Cite: citeByExternal,
	Returns: version3Rows(contract.Param{
		Name: "data", Type: contract.Object, Need: contract.Required, Cite: citeByExternal, Doc: "The sessions.",
		Fields: []contract.Param{{Name: "list", Type: contract.List, Of: contract.String, Need: contract.Required, Cite: citeByExternal, Doc: "Their ids."}},
	}),
	Do: func(c *contract.Call) any {
		w, ids := c.State.(*state), []string{}
		switch ch := w.channel(c); {
		case ch != nil:
			found := ch.bound[c.In.Text("externalSessionId")]
			ids = slices.Grow(ids, len(found))
			for _, s := range found {
				ids = append(ids, s.ID)
			}
		case !w.acceptsUnknownChannels(c):
			ids = append(ids, w.newSampleSession(c).ID)
		}
		return success(c, &idList{ids})
	},
}
