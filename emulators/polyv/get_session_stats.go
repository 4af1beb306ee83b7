package polyv

import (
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var getSessionStats = &contract.Operation{
	Name:   "GetSessionStats",
	Doc:    "Returns how many watched the sessions of a channel: those that are named, or else those that started within a window of at most 30 days.",
	Cite:   citeStats,
	Method: "GET", Path: "/live/v3/channel/statistics/get-session-stats",
	Params: []contract.Param{
		channelIDRow,
		{Name: "sessionIds", In: contract.Query, Example: "g9lv2ghv2x,g9b3pwv2b7", Cite: citeStats, Doc: "The sessions, separated by commas. Where they are given the window is not looked at."},
		{Name: "startTime", In: contract.Query, Cite: citeStats, Doc: "Sessions from here on, in milliseconds."},
		{Name: "endTime", In: contract.Query, Cite: citeStats, Doc: "Sessions up to here, in milliseconds; at most 30 days later."},
	},
	Outcomes: contract.Outcomes(statsReturned, sessionStatsMissing),
	Decide:   func(c *contract.Call) contract.Verdict { return decide(c, statsReturned) },
}

var noSelection = &contract.Cause{Code: "no_sessions_named", Text: "Neither {param} is given nor both startTime and endTime; one of these has to be."}

// isSelected requires session ids or a window.
func isSelected(c *contract.Call, name string) contract.Verdict {
	if c.In.Has(name) || c.In.Has("startTime") && c.In.Has("endTime") {
		return contract.Verdict{}
	}
	return paramShouldNotBeEmpty.Because(noSelection, "param", name)
}

// A statsRow is the statistics of one session.
type statsRow struct {
	ChannelID int64  `json:"channelId"`
	SessionID string `json:"sessionId"`
	Name      string `json:"name"`
	StartTime int64  `json:"startTime"`
	Duration  int64  `json:"duration"`
	views
}

type statsList struct {
	List []statsRow `json:"list"`
}

var statsReturned = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The figures, the oldest session first. Sessions that the channel does not have are left out.", Cite: citeOldStats,
	Returns: version3Rows(contract.Param{
		Name: "data", Type: contract.Object, Need: contract.Required, Cite: citeOldStats, Doc: "The figures.",
		Fields: []contract.Param{{
			Name: "list", Type: contract.List, Of: contract.Object, Need: contract.Required, Cite: citeOldStats, Doc: "One row for each session.",
			Fields: []contract.Param{
				{Name: "channelId", Type: contract.Integer, Need: contract.Required, Example: "1947328", Cite: citeOldStats, Doc: "The channel."},
				{Name: "sessionId", Need: contract.Required, Example: "fvipafupmh", Cite: citeOldStats, Doc: "The session."},
				{Name: "name", Need: contract.Required, Example: "test", Cite: citeOldStats, Doc: "Its name, taken to be the channel's."},
				{Name: "startTime", Type: contract.Integer, Need: contract.Required, Example: "1612319385000", Cite: citeOldStats, Doc: "When it started, in milliseconds."},
				{Name: "duration", Type: contract.Integer, Need: contract.Required, Example: "595", Cite: citeOldStats, Doc: "How long it was live, in seconds; of one that is live, until now."},
				{Name: "liveUV", Type: contract.Integer, Need: contract.Required, Example: "1", Cite: citeOldStats, Doc: "Viewers of the broadcast."},
				{Name: "livePV", Type: contract.Integer, Need: contract.Required, Example: "6", Cite: citeOldStats, Doc: "Views of the broadcast."},
				{Name: "playbackPV", Type: contract.Integer, Need: contract.Required, Example: "6", Cite: citeOldStats, Doc: "Views of the recording."},
				{Name: "playbackUV", Type: contract.Integer, Need: contract.Required, Example: "2", Cite: citeOldStats, Doc: "Viewers of the recording."},
			},
		}},
	}),
	Do: func(c *contract.Call) any {
		w, rows := c.State.(*state), []statsRow{}
		for _, s := range w.sessionsOfStats(c) {
			end := s.End
			if end == 0 {
				end = max(c.Now.UnixMilli(), s.Start)
			}
			rows = append(rows, statsRow{s.channel.number, s.ID, s.channel.Name, s.Start, (end - s.Start) / 1000, s.Views})
		}
		return success(c, &statsList{rows})
	},
}

// sessionsOfStats returns the sessions whose statistics are requested, each once.
func (st *state) sessionsOfStats(c *contract.Call) []*session {
	ch := st.channel(c)
	switch {
	case ch == nil && st.acceptsUnknownChannels(c):
		return nil
	case ch == nil:
		return []*session{st.newSampleSession(c)}
	case !c.In.Has("sessionIds"):
		return ch.within(stampsWindow(c, maxMonth))
	}
	var found []*session
	for id := range strings.SplitSeq(c.In.Text("sessionIds"), ",") {
		if s := st.sessions[strings.TrimSpace(id)]; s != nil && s.channel == ch {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, compareSessions)
	return slices.Compact(found)
}
