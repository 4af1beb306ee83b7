package polyv

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A state is what the service stores in one sandbox.
type state struct {
	Applications []application       `json:"applications"`
	Channels     map[string]*channel `json:"channels"`        // by channelId
	First        string              `json:"first,omitempty"` // the channelId that stands first in the fixture

	applications map[string]int
	sessions     map[string]*session   // by sessionId
	over         map[string][]*session // those that have ended, by userId, in the order of compareSessions
	longest      int64                 // no session that has ended lasted for more milliseconds
	latest       int64                 // none ended later
	boundBytes   int                   // of the external ids of sessions
	blocked      map[string]time.Time  // end of the block, by address; not part of a snapshot: a restored state blocks no address
}

// An application is a pair of keys of an account.
type application struct {
	AppID     string `json:"appId" yaml:"appId"`
	AppSecret string `json:"appSecret" yaml:"appSecret"`
	UserID    string `json:"userId" yaml:"userId"`

	// Alias is another id of the account, that of credentials which are not in the
	// fixture.
	Alias string `json:"alias,omitempty" yaml:"-"`
}

// A channel is a live channel.
type channel struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	UserID   string     `json:"userId"`
	Rest     string     `json:"rest,omitempty"`     // its status when it is not live; "": by its sessions
	Callback string     `json:"callback,omitempty"` // its status callback; "": that of the switch
	External string     `json:"external,omitempty"` // the id to which sessions are bound that start from now on
	Sessions []*session `json:"sessions"`           // in the order of compareSessions

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
	Called   bool    `json:"called,omitempty"` // StartLive began it, and neither a fixture nor a stream
	Views    views   `json:"views"`

	channel *channel
}

// views are viewers and views.
type views struct {
	LiveUV     int64 `json:"liveUV"`
	LivePV     int64 `json:"livePV"`
	PlaybackPV int64 `json:"playbackPV"`
	PlaybackUV int64 `json:"playbackUV"`
}

// Reindex rebuilds the indices.
func (st *state) Reindex() error {
	st.applications, st.sessions, st.over = map[string]int{}, map[string]*session{}, map[string][]*session{}
	st.boundBytes, st.longest, st.latest = 0, 0, 0
	if st.blocked == nil {
		st.blocked = map[string]time.Time{}
	}
	for i := range st.Applications {
		id := st.Applications[i].AppID
		if _, twice := st.applications[id]; twice || id == "" {
			return fmt.Errorf("applications: the appId %q is empty or stands twice", id)
		}
		st.applications[id] = i
	}
	if st.Channels == nil {
		st.Channels = map[string]*channel{}
	}
	for id, ch := range st.Channels {
		if ch == nil || ch.ID != id {
			return fmt.Errorf("channels: what stands under %q is another channel or none", id)
		}
		if err := st.reindex(ch); err != nil {
			return fmt.Errorf("channels: %s: %w", id, err)
		}
	}
	for _, list := range st.over {
		slices.SortFunc(list, compareSessions)
	}
	return nil
}

func (st *state) reindex(ch *channel) error {
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
		if _, twice := st.sessions[s.ID]; twice {
			return fmt.Errorf("the session %q stands twice", s.ID)
		}
		switch {
		case i > 0 && compareSessions(ch.Sessions[i-1], s) >= 0:
			return fmt.Errorf("the session %q started before the one that stands before it", s.ID)
		case s.End != 0 && s.End < s.Start:
			return fmt.Errorf("the session %q ended before it started", s.ID)
		case s.End == 0 && ch.live != nil:
			return fmt.Errorf("the sessions %q and %q are both live", ch.live.ID, s.ID)
		case s.End == 0:
			ch.live = s
		default:
			st.over[ch.UserID] = append(st.over[ch.UserID], s)
			st.noteEnd(s)
		}
		s.channel = ch
		st.sessions[s.ID] = s
		st.bind(ch, s)
	}
	return nil
}

// About how many bytes a session and a blocked address take, their share of lists and
// maps included.
const (
	sessionCost = 200
	blockCost   = 128
)

// Weight returns about how many bytes sessions and blocked addresses take.
func (st *state) Weight() int64 {
	return int64(sessionCost*len(st.sessions) + st.boundBytes + blockCost*len(st.blocked))
}

var _ contract.Deriver = (*state)(nil)

// A channelNow is what is derived from a channel's sessions.
type channelNow struct {
	Status   string `json:"status"`
	Live     string `json:"live,omitempty"` // the session that is live
	Sessions int    `json:"sessions"`
	Listed   int    `json:"listed"` // those of the last sixty days
}

// Derive returns each channel's status, and how many sessions a list without dates
// shows.
func (st *state) Derive(now time.Time, _ contract.Values) any {
	all := make(map[string]channelNow, len(st.Channels))
	for id, ch := range st.Channels {
		current := channelNow{Status: ch.status(), Sessions: len(ch.Sessions)}
		current.Listed = len(ch.within(window{now.Add(-maxSpan).UnixMilli(), now.UnixMilli()}))
		if ch.live != nil {
			current.Live = ch.live.ID
		}
		all[id] = current
	}
	return struct {
		Channels map[string]channelNow `json:"channels"`
	}{all}
}

// Identifiers lists every appId.
func (st *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range st.Applications {
			if !yield(st.Applications[i].AppID) {
				return
			}
		}
	}
}

// Credentials returns those of the first application.
func (st *state) Credentials() contract.Values {
	a := st.first()
	if a.AppID == "" {
		return nil
	}
	return contract.Values{"appId": a.AppID, "appSecret": a.AppSecret, "userId": a.UserID}
}

// Secrets yields the secrets of the applications.
func (st *state) Secrets() iter.Seq[*string] {
	return func(yield func(*string) bool) {
		for i := range st.Applications {
			if !yield(&st.Applications[i].AppSecret) {
				return
			}
		}
	}
}

func (st *state) first() application {
	if len(st.Applications) == 0 {
		return application{}
	}
	return st.Applications[0]
}

func (st *state) application(id string) (application, bool) {
	i, known := st.applications[id]
	if !known {
		return application{}, false
	}
	return st.Applications[i], true
}

// secretOf returns the secret that signs an account's callbacks: that of its first
// application.
func (st *state) secretOf(userID string) string {
	for i := range st.Applications {
		if st.Applications[i].UserID == userID {
			return st.Applications[i].AppSecret
		}
	}
	return ""
}

var (
	noChannel      = &contract.Cause{Code: "unknown_channel", Text: "There is no channel {channelId}. Add it to the fixture's channels, or use one of the account {userId}. With the switch unknown_channel: empty it is told as one without sessions."}
	foreignChannel = &contract.Cause{Code: "foreign_channel", Text: "The channel {channelId} is the account {owner}'s; the appId is of {userId}."}
)

// channel returns the channel that a call names, or nil where the caller has none.
func (st *state) channel(c *contract.Call) *channel { return st.channelOf(c, c.In.Text("channelId")) }

func (st *state) channelOf(c *contract.Call, id string) *channel {
	if ch := st.Channels[id]; ch != nil && ch.UserID == callerOf(c).application.UserID {
		return ch
	}
	return nil
}

// unknownChannel refuses a channel that does not exist or is another account's.
func (st *state) unknownChannel(c *contract.Call) contract.Verdict {
	return st.unknownChannelID(c, c.In.Text("channelId"))
}

func (st *state) unknownChannelID(c *contract.Call, id string) contract.Verdict {
	ch, user := st.Channels[id], callerOf(c).application.UserID
	switch {
	case ch == nil:
		return illegalChannelID.Because(noChannel, "channelId", quote(id), "userId", user)
	case ch.UserID != user:
		return illegalChannelID.Because(foreignChannel, "channelId", id, "owner", ch.UserID, "userId", user)
	}
	return contract.Verdict{}
}

// acceptsUnknownChannels reports whether an unknown channel counts as an empty one.
// What the service does is not known; similar calls do either.
func (st *state) acceptsUnknownChannels(c *contract.Call) bool {
	return c.Switches.Text("unknown_channel") == "empty"
}

// decide is for operations that require only a channel of the caller's.
func decide(c *contract.Call, done *contract.Outcome) contract.Verdict {
	st := c.State.(*state)
	if v := st.unknownChannel(c); !v.Pending() && !st.acceptsUnknownChannels(c) {
		return v
	}
	return done.Verdict()
}
