package polyv

import (
	"strconv"

	"github.com/understudy-suite/understudy/internal/contract"
)

var listSessionData = &contract.Operation{
	Name:   "ListSessionData",
	Doc:    "Lists the sessions of a channel, the newest first, that started within a window of at most 60 days: the last 60 where no date is given. Dates are Beijing's. A session that is live is among them.",
	Cite:   citeSessions,
	Method: "GET", Path: "/live/v3/channel/session/data/list",
	Params: []contract.Param{
		channelIDRow,
		{Name: "startDate", In: contract.Query, Cite: citeSessions, Doc: "Sessions from here on: yyyy-MM-dd HH:mm:ss, or yyyy-MM-dd for midnight."},
		{Name: "endDate", In: contract.Query, Cite: citeSessions, Doc: "Sessions up to here: yyyy-MM-dd HH:mm:ss, or yyyy-MM-dd for midnight, so that the sessions of that day are not among them. At most 60 days after startDate."},
		pageRow("page"),
		{Name: "pageSize", In: contract.Query, Example: "10", Cite: citeSessions, Doc: "Rows of a page, 20 unless said otherwise; 1 to 1000, a limit of sister calls."},
	},
	Outcomes: contract.Outcomes(sessionsListed),
	Statuses: map[*contract.Outcome]int{invalidSignature: 400},
	Decide:   func(c *contract.Call) contract.Verdict { return decide(c, sessionsListed) },
}

var channelIDRow = contract.Param{Name: "channelId", In: contract.Query, Need: contract.Required, Example: "2272655", Cite: citeSessions, Doc: "The channel. Digits."}

func pageRow(name string) contract.Param {
	return contract.Param{Name: name, In: contract.Query, Example: "1", Cite: citeSessions, Doc: "The page, 1 unless said otherwise."}
}

var sessionsListed = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The sessions of the window, one page of them. A page past the end is empty.", Cite: citeSessions,
	Returns: version3Rows(contract.Param{
		Name: "data", Type: contract.Object, Need: contract.Required, Cite: citeSessions, Doc: "One page of sessions.",
		Fields: pageRows(contract.Param{
			Name: "contents", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeSessions, Doc: "The sessions.",
			Fields: append(sessionRows[:len(sessionRows):len(sessionRows)],
				contract.Param{Name: "customId", Need: contract.Required, Nullable: true, Cite: citeSessions, Doc: "In the sample and in no table: null, or the external id that the channel was bound to when the session started. The latter is inferred."}),
		}),
	}),
	Do: func(c *contract.Call) any {
		number, size := requestedPage(c, "page", 20)
		p, rows := list(c, within60Days(c), number, size, func(row sessionRow, s *session) sessionDataRow {
			return sessionDataRow{row, s.CustomID}
		})
		p.Contents = sessionDataRows(rows)
		return success(c, p)
	},
}

// sessionRows are the fields of a session in a list.
var sessionRows = []contract.Param{
	{Name: "sessionId", Need: contract.Required, Example: "g9lv2ghv2x", Cite: citeSessions, Doc: "The session: in base 36, the microsecond at which the stream was connected."},
	{Name: "channelId", Type: contract.Integer, Need: contract.Required, Example: "2272655", Cite: citeSessions, Doc: "The channel. The table says String, the sample shows a number."},
	{Name: "userId", Need: contract.Required, Example: "1b448be323", Cite: citeSessions, Doc: "The account that the channel belongs to."},
	{Name: "startTime", Type: contract.Integer, Need: contract.Required, Example: "1652062574000", Cite: citeSessions, Doc: "When it started, in milliseconds."},
	{Name: "endTime", Type: contract.Integer, Need: contract.Required, Nullable: true, Example: "1652062643000", Cite: citeSessions, Doc: "When it ended, in milliseconds; null while it is live."},
}

// A sessionRow is a session in a list.
type sessionRow struct {
	SessionID string `json:"sessionId"`
	ChannelID int64  `json:"channelId"`
	UserID    string `json:"userId"`
	StartTime int64  `json:"startTime"`
	EndTime   *int64 `json:"endTime"`
}

// A sessionDataRow has the external id too.
type sessionDataRow struct {
	sessionRow
	CustomID *string `json:"customId"`
}

type sessionDataRows []sessionDataRow

// list returns one page of the sessions in a window, the newest first, and its
// rows. Sessions are sorted, so its cost is that of the rows shown.
func list[R any](c *contract.Call, span window, number, size int64, row func(sessionRow, *session) R) (*page, []R) {
	found := selectedSessions(c, span)
	p := newPage(number, size, int64(len(found)))
	rows := make([]R, p.Limit)
	ends := make([]int64, p.Limit) // the rows are encoded after the lock is released
	for i := range rows {
		s := found[len(found)-1-int(p.Offset)-i]
		r := sessionRow{SessionID: s.ID, ChannelID: s.channel.number, UserID: s.channel.UserID, StartTime: s.Start}
		if s.End != 0 {
			ends[i] = s.End
			r.EndTime = &ends[i]
		}
		rows[i] = row(r, s)
	}
	return p, rows
}

// selectedSessions returns the sessions of the call's channel. Where a scenario
// forces the success for an unknown channel, it returns one sample session, which
// is not stored.
func selectedSessions(c *contract.Call, span window) []*session {
	st := c.State.(*state)
	if ch := st.channel(c); ch != nil {
		return ch.within(span)
	}
	if st.acceptsUnknownChannels(c) {
		return nil
	}
	return []*session{st.newSampleSession(c)}
}

// newSampleSession returns a plausible session of the call's channel, or of one
// with a plausible number. It ended an hour ago.
func (st *state) newSampleSession(c *contract.Call) *session {
	ch := &channel{ID: c.In.Text("channelId"), Name: "channel", UserID: callerOf(c).application.UserID}
	n, fits := parseNumber(ch.ID, 0)
	if !fits || n == 0 {
		n = 2_000_000 + randomBelow(c.Dice(), 1_000_000)
		ch.ID = strconv.FormatInt(n, 10)
	}
	ch.number = n
	if ch.UserID == "" {
		ch.UserID = strconv.FormatInt(0x1000000000+randomBelow(c.Dice(), 0xf000000000), 16)
	}
	end := (c.Now.UnixMilli()/1000 - 3600) * 1000
	start := end - 1000*(600+randomBelow(c.Dice(), 5400))
	return &session{ID: st.newSessionID(start, c.Dice()), Start: start, End: end, Views: randomViews(c.Dice()), channel: ch}
}
