package polyv

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// adopts are the identifiers that the console gives to customers.
var adopts = []contract.Adoptable{
	{What: "appId", Routes: true, Take: takeApp, Rows: appRows, Example: "g4rqgmmjuo", Doc: "Another application of the first one's account, with its appSecret."},
	{What: "channelId", Take: takeChannel, Rows: channelRows, Doc: "A channel of the caller's account as the first one, with its last five sessions that ended, under ids of their own."},
}

// likeSessions is how many sessions an adopted channel has of the one that it is like.
const likeSessions = 5

// adoptChannels has the channels adopted that a call names and that nobody has. A channel
// of another account stays a foreign one.
func adoptChannels(c *contract.Call) contract.Verdict {
	if c.Unknown != contract.Adopt || !c.In.Has("channelId") && !c.In.Has("channelIds") {
		return contract.Verdict{}
	}
	ids := c.In.Text("channelIds")
	if strings.Count(ids, ",") >= mostListed { // checkValues refuses so many
		return contract.Verdict{}
	}
	c.WithState(func() {
		st := c.State.(*state)
		for _, id := range append(strings.Split(ids, ","), c.In.Text("channelId")) {
			if _, err := strconv.ParseInt(id, 10, 64); err == nil && digits(id) && st.Channels[id] == nil {
				c.Adopt("channelId", id)
			}
		}
	})
	return contract.Verdict{}
}

func takeApp(c *contract.Call, id string) bool {
	st := c.State.(*state)
	first := st.first()
	if first.AppID == "" {
		return false
	}
	st.applications[id] = len(st.Applications)
	st.Applications = append(st.Applications, application{AppID: id, AppSecret: first.AppSecret, UserID: first.UserID})
	return true
}

func appRows(s contract.State, id string) contract.Values {
	a, known := s.(*state).application(id)
	if !known {
		return nil
	}
	return contract.Values{"applications": []any{contract.Values{"appId": a.AppID, "appSecret": a.AppSecret, "userId": a.UserID}}}
}

func takeChannel(c *contract.Call, id string) bool {
	st := c.State.(*state)
	like := st.Channels[st.First]
	if like == nil {
		return false
	}
	owner := cmp.Or(callerOf(c).application.UserID, like.UserID)
	ch := &channel{ID: id, Name: like.Name, UserID: owner, Rest: like.Rest, Callback: like.Callback, Sessions: []*session{}}
	for _, s := range slices.Backward(like.Sessions) {
		if s.End == 0 || len(ch.Sessions) == likeSessions {
			continue
		}
		again := &session{ID: st.newSessionID(s.Start, c.Dice()), Start: s.Start, End: s.End, Views: s.Views}
		st.sessions[again.ID] = again
		ch.Sessions = append(ch.Sessions, again)
	}
	for _, s := range ch.Sessions {
		delete(st.sessions, s.ID) // reindex enters them
	}
	slices.SortFunc(ch.Sessions, compareSessions)
	if err := st.reindex(ch); err != nil {
		return false
	}
	slices.SortFunc(st.over[ch.UserID], compareSessions)
	st.Channels[id] = ch
	return true
}

func channelRows(s contract.State, id string) contract.Values {
	ch := s.(*state).Channels[id]
	if ch == nil {
		return nil
	}
	var sessions []any
	for _, s := range ch.Sessions {
		row := contract.Values{
			"sessionId": s.ID, "startTime": s.Start, "endTime": s.End,
			"liveUV": s.Views.LiveUV, "livePV": s.Views.LivePV, "playbackPV": s.Views.PlaybackPV, "playbackUV": s.Views.PlaybackUV,
		}
		if s.CustomID != nil {
			row["customId"] = *s.CustomID
		}
		sessions = append(sessions, row)
	}
	return contract.Values{"channels": []any{contract.Values{
		"channelId": ch.ID, "userId": ch.UserID, "name": ch.Name, "status": ch.Rest, "callback_url": ch.Callback,
		"externalSessionId": ch.External, "sessions": sessions,
	}}}
}
