package polyv

import "github.com/understudy-suite/understudy/internal/contract"

var listSessions = &contract.Operation{
	Name:   "ListSessions",
	Doc:    "Lists the sessions of a channel, as ListSessionData does, without customId and without a limit of days. Older SDKs call it.",
	Cite:   citeCLI,
	Method: "GET", Path: "/live/v3/channel/session/list",
	Params: []contract.Param{
		channelIDRow,
		{Name: "startDate", In: contract.Query, Cite: citeCLI, Doc: "Sessions from here on; from the first where it is not given, which is inferred."},
		{Name: "endDate", In: contract.Query, Cite: citeCLI, Doc: "Sessions up to here; to the last where it is not given, which is inferred. The documented sample spans a year."},
		pageRow("page"),
		{Name: "pageSize", In: contract.Query, Example: "10", Cite: citeCLI, Doc: "Rows of a page, 20 unless said otherwise; 1 to 1000, a limit of sister calls."},
	},
	Outcomes: contract.Outcomes(oldSessionsListed),
	Decide:   func(c *contract.Call) contract.Verdict { return decide(c, oldSessionsListed) },
}

var oldSessionsListed = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The channel's sessions, one page of them.", Cite: citeCLI,
	Returns: version3Rows(contract.Param{
		Name: "data", Type: contract.Object, Need: contract.Required, Cite: citeCLI, Doc: "One page of sessions.",
		Fields: pageRows(contract.Param{
			Name: "contents", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeCLI, Doc: "The sessions.",
			Fields: sessionRows,
		}),
	}),
	Do: func(c *contract.Call) any {
		number, size := requestedPage(c, "page", 20)
		p, rows := list(c, anyTime(c), number, size, func(row sessionRow, _ *session) sessionRow { return row })
		p.Contents = rows
		return success(c, p)
	},
}
