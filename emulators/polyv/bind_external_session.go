package polyv

import "github.com/understudy-suite/understudy/internal/contract"

var bindExternalSession = &contract.Operation{
	Name:   "BindExternalSession",
	Doc:    "Binds a channel to an id of the customer's own. Sessions that start from now on carry it, until the channel is bound to another.",
	Cite:   citeRelevance,
	Method: "POST", Path: "/live/v3/channel/session/relevance",
	Params: []contract.Param{
		inForm(channelIDRow),
		{Name: "externalSessionId", In: contract.Form, Need: contract.Required, Max: 32, Example: "w11V61QWoK3332313778613940858739", Cite: citeRelevance, Doc: "The customer's id, of 32 characters. Pages show shorter ones too."},
	},
	Outcomes: contract.Outcomes(bound),
	Decide:   func(c *contract.Call) contract.Verdict { return decide(c, bound) },
}

// inForm is the row of a parameter that may be in the form or in the query.
func inForm(p contract.Param) contract.Param {
	p.In = contract.Form
	return p
}

var bound = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The channel is bound.", Cite: citeRelevance,
	Returns: version3Rows(contract.Param{Name: "data", Type: contract.Boolean, Need: contract.Required, Example: "true", Cite: citeRelevance, Doc: "true. A page of 2021 says \"success\"."}),
	Do: func(c *contract.Call) any {
		if ch := c.State.(*state).channel(c); ch != nil {
			ch.External = c.In.Text("externalSessionId")
		}
		return success(c, true)
	},
}
