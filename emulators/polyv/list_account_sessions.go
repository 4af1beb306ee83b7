package polyv

import "github.com/understudy-suite/understudy/internal/contract"

var listAccountSessions = &contract.Operation{
	Name:   "ListAccountSessions",
	Doc:    "Lists the sessions of all channels of the account that started and ended within a window of at most 24 hours: the last hour where none is given. The sign is made of appId and timestamp alone, says the page; one that is made of the whole query is taken too.",
	Cite:   citeAccount,
	Method: "POST", Path: "/live/v4/statistics/session-stats/list",
	Params: []contract.Param{
		{Name: "startTime", Cite: citeAccount, Doc: "Sessions from here on, in milliseconds. Where the parameters stand is not said: query, form and JSON are taken."},
		{Name: "endTime", Cite: citeAccount, Doc: "Sessions up to here, in milliseconds; at most 24 hours later."},
		{Name: "pageNumber", Example: "1", Cite: citeAccount, Doc: "The page, 1 unless said otherwise."},
		{Name: "pageSize", Example: "10", Cite: citeAccount, Doc: "Rows of a page, 10 unless said otherwise."},
	},
	Outcomes: contract.Outcomes(accountListed),
	Decide:   func(*contract.Call) contract.Verdict { return accountListed.Verdict() },
}

// An accountRow is a session of the account.
type accountRow struct {
	ChannelID int64  `json:"channelId"`
	SessionID string `json:"sessionId"`
	Name      string `json:"name"`
	StartTime int64  `json:"startTime"`
	EndTime   int64  `json:"endTime"`
	UserID    string `json:"userId"`
}

var accountListed = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The sessions of the window, one page of them, the newest first. Those that are live are left out.", Cite: citeAccount,
	Returns: version4Rows(contract.Param{
		Name: "data", Type: contract.Object, Need: contract.Required, Cite: citeAccount, Doc: "One page of sessions.",
		Fields: []contract.Param{
			{Name: "pageNumber", Type: contract.Integer, Need: contract.Required, Cite: citeAccount, Doc: "The page that this is."},
			{Name: "pageSize", Type: contract.Integer, Need: contract.Required, Cite: citeAccount, Doc: "Rows of a page."},
			{Name: "totalPages", Type: contract.Integer, Need: contract.Required, Cite: citeAccount, Doc: "Number of pages."},
			{Name: "totalItems", Type: contract.Integer, Need: contract.Required, Cite: citeAccount, Doc: "Rows of all pages."},
			{Name: "contents", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeAccount, Doc: "The sessions.", Fields: []contract.Param{
				{Name: "channelId", Type: contract.Integer, Need: contract.Required, Cite: citeAccount, Doc: "The channel."},
				{Name: "sessionId", Need: contract.Required, Cite: citeAccount, Doc: "The session."},
				{Name: "name", Need: contract.Required, Cite: citeAccount, Doc: "Its name, taken to be the channel's."},
				{Name: "startTime", Type: contract.Integer, Need: contract.Required, Cite: citeAccount, Doc: "When it started, in milliseconds."},
				{Name: "endTime", Type: contract.Integer, Need: contract.Required, Cite: citeAccount, Doc: "When it ended, in milliseconds."},
				{Name: "userId", Need: contract.Required, Cite: citeAccount, Doc: "The account."},
			}},
		},
	}),
	Do: func(c *contract.Call) any {
		number, size := requestedPage(c, "pageNumber", 10)
		before, late := c.State.(*state).endedWithin(callerOf(c).application.UserID, stampsWindow(c, hourOrDay(c)))
		total, rows := int64(len(before)+len(late)), []accountRow{}
		for n := (number - 1) * size; n < min(number*size, total); n++ {
			s := newest(before, late, int(n))
			rows = append(rows, accountRow{s.channel.number, s.ID, s.channel.Name, s.Start, s.End, s.channel.UserID})
		}
		p := newPage(number, size, total)
		return success(c, &page4{p.PageNumber, p.PageSize, p.TotalPages, p.TotalItems, rows})
	},
}

// newest returns the n-th session of two lists from the end of the later one, counted
// from 0.
func newest(before, late []*session, n int) *session {
	if n < len(late) {
		return late[len(late)-1-n]
	}
	return before[len(before)-1-(n-len(late))]
}
