package polyv

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A state is what the service remembers in one sandbox.
type state struct {
	Applications []application       `json:"applications"`
	Channels     map[string]*channel `json:"channels"` // by channelId

	applications map[string]int
	sessions     map[string]*session   // by sessionId
	over         map[string][]*session // those that have ended, by userId, in the order of compare
	blocked      map[string]time.Time  // until when, by address; no part of the truth: a restored world blocks nobody
}

// An application is a pair of keys of an account.
type application struct {
	AppID     string `json:"appId" yaml:"appId"`
	AppSecret string `json:"appSecret" yaml:"appSecret"`
	UserID    string `json:"userId" yaml:"userId"`

	// Alias is another id under which calls may name the account: that of
	// credentials which are known beside the fixture's.
	Alias string `json:"alias,omitempty" yaml:"-"`
}

// A channel is where broadcasts happen.
type channel struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	UserID   string     `json:"userId"`
	Rest     string     `json:"rest,omitempty"`     // its status when it is not live; "": by its sessions
	Callback string     `json:"callback,omitempty"` // its status callback; "": that of the switch
	External string     `json:"external,omitempty"` // what sessions are bound to that start from now on
	Sessions []*session `json:"sessions"`           // in the order in which they are kept, see sessions.go

	number int64                 // ID as answers have it
	bound  map[string][]*session // by customId, in the same order
	live   *session              // nil: it is not live
}

// A session is one broadcast.
type session struct {
	ID       string  `json:"id"`
	Start    int64   `json:"start"`         // milliseconds, always whole seconds
	End      int64   `json:"end,omitempty"` // 0: it is live
	CustomID *string `json:"customId,omitempty"`
	Views    views   `json:"views"`

	channel *channel
}

// views are how many watched, and how often.
type views struct {
	LiveUV     int64 `json:"liveUV"`
	LivePV     int64 `json:"livePV"`
	PlaybackPV int64 `json:"playbackPV"`
	PlaybackUV int64 `json:"playbackUV"`
}

// Reindex rebuilds the indices.
func (w *state) Reindex() error {
	w.applications, w.sessions, w.over = map[string]int{}, map[string]*session{}, map[string][]*session{}
	if w.blocked == nil {
		w.blocked = map[string]time.Time{}
	}
	for i := range w.Applications {
		id := w.Applications[i].AppID
		if _, twice := w.applications[id]; twice || id == "" {
			return fmt.Errorf("applications: the appId %q is empty or stands twice", id)
		}
		w.applications[id] = i
	}
	if w.Channels == nil {
		w.Channels = map[string]*channel{}
	}
	for id, ch := range w.Channels {
		if ch == nil || ch.ID != id {
			return fmt.Errorf("channels: what stands under %q is another channel or none", id)
		}
		if err := w.reindex(ch); err != nil {
			return fmt.Errorf("channels: %s: %w", id, err)
		}
	}
	for _, list := range w.over {
		slices.SortFunc(list, compare)
	}
	return nil
}

func (w *state) reindex(ch *channel) error {
	n, err := strconv.ParseInt(ch.ID, 10, 64)
	if err != nil || !digits(ch.ID) {
		return fmt.Errorf("the id is no number")
	}
	ch.number, ch.live, ch.bound = n, nil, map[string][]*session{}
	if len(ch.Sessions) > maxSessions {
		return fmt.Errorf("%d sessions are more than the %d that a channel keeps", len(ch.Sessions), maxSessions)
	}
	for i, s := range ch.Sessions {
		if s == nil || s.ID == "" {
			return fmt.Errorf("session %d has no id", i)
		}
		if _, twice := w.sessions[s.ID]; twice {
			return fmt.Errorf("the session %q stands twice", s.ID)
		}
		switch {
		case i > 0 && compare(ch.Sessions[i-1], s) >= 0:
			return fmt.Errorf("the session %q started before the one that stands before it", s.ID)
		case s.End != 0 && s.End < s.Start:
			return fmt.Errorf("the session %q ended before it started", s.ID)
		case s.End == 0 && ch.live != nil:
			return fmt.Errorf("the sessions %q and %q are both live", ch.live.ID, s.ID)
		case s.End == 0:
			ch.live = s
		default:
			w.over[ch.UserID] = append(w.over[ch.UserID], s)
		}
		s.channel = ch
		w.sessions[s.ID] = s
		ch.bind(s)
	}
	return nil
}

var _ contract.Deriver = (*state)(nil)

// A channelNow is what follows from a channel's sessions.
type channelNow struct {
	Status   string `json:"status"`
	Live     string `json:"live,omitempty"` // the session that is live
	Sessions int    `json:"sessions"`
	Listed   int    `json:"listed"` // those of the last sixty days
}

// Derive tells of each channel what it does, and what a list without dates
// shows of it.
func (w *state) Derive(now time.Time, _ contract.Values) any {
	all := make(map[string]channelNow, len(w.Channels))
	for id, ch := range w.Channels {
		told := channelNow{Status: ch.status(), Sessions: len(ch.Sessions)}
		told.Listed = len(ch.within(window{now.Add(-maxSpan).UnixMilli(), now.UnixMilli()}))
		if ch.live != nil {
			told.Live = ch.live.ID
		}
		all[id] = told
	}
	return struct {
		Channels map[string]channelNow `json:"channels"`
	}{all}
}

// Identifiers lists every appId: nothing else leads to a caller.
func (w *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range w.Applications {
			if !yield(w.Applications[i].AppID) {
				return
			}
		}
	}
}

// Credentials are those of the first application.
func (w *state) Credentials() contract.Values {
	a := w.first()
	if a.AppID == "" {
		return nil
	}
	return contract.Values{"appId": a.AppID, "appSecret": a.AppSecret, "userId": a.UserID}
}

func (w *state) first() application {
	if len(w.Applications) == 0 {
		return application{}
	}
	return w.Applications[0]
}

func (w *state) application(id string) (application, bool) {
	i, known := w.applications[id]
	if !known {
		return application{}, false
	}
	return w.Applications[i], true
}

// secretOf is what an account's callbacks are signed with: the secret of its
// first application.
func (w *state) secretOf(userID string) string {
	for i := range w.Applications {
		if w.Applications[i].UserID == userID {
			return w.Applications[i].AppSecret
		}
	}
	return ""
}

var (
	noChannel      = &contract.Cause{Code: "unknown_channel", Text: "There is no channel {channelId}. Add it to the fixture's channels, or use one of the account {userId}. With the switch unknown_channel: empty it is told as one without sessions."}
	foreignChannel = &contract.Cause{Code: "foreign_channel", Text: "The channel {channelId} is the account {owner}'s; the appId is of {userId}."}
)

// channel is the caller's channel that a call names; nil where there is none
// that it may see.
func (w *state) channel(c *contract.Call) *channel { return w.channelOf(c, c.In.Text("channelId")) }

func (w *state) channelOf(c *contract.Call, id string) *channel {
	if ch := w.Channels[id]; ch != nil && ch.UserID == callerOf(c).application.UserID {
		return ch
	}
	return nil
}

// unknown refuses a channel that is not there, or that is another account's.
func (w *state) unknown(c *contract.Call) contract.Verdict {
	return w.unknownID(c, c.In.Text("channelId"))
}

func (w *state) unknownID(c *contract.Call, id string) contract.Verdict {
	ch, user := w.Channels[id], callerOf(c).application.UserID
	switch {
	case ch == nil:
		return illegalChannelID.Because(noChannel, "channelId", quote(id), "userId", user)
	case ch.UserID != user:
		return illegalChannelID.Because(foreignChannel, "channelId", id, "owner", ch.UserID, "userId", user)
	}
	return contract.Verdict{}
}

// lenient reports whether an unknown channel is told as an empty one. What the
// service does here is not known; sister calls were seen to do either.
func (w *state) lenient(c *contract.Call) bool { return c.Switches.Text("unknown_channel") == "empty" }

// decide is for operations that ask for nothing but a channel of the caller's.
func decide(c *contract.Call, done *contract.Outcome) contract.Verdict {
	w := c.State.(*state)
	if v := w.unknown(c); !v.Pending() && !w.lenient(c) {
		return v
	}
	return done.Verdict()
}
