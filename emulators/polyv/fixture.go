package polyv

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// switches choose where pages disagree or say nothing. The default is the
// documented or likeliest reading.
var switches = []contract.Param{
	{Name: "signature_code", OneOf: []string{"page", "400", "401", "403"}, Default: "page", Cite: citeSessions, Doc: "The code of a wrong signature. page: what the operation's page prints, which is 400 for the session list, and 403 where it prints none, as the live service was seen to answer. 400, 401, 403: that code everywhere; an older page says 401."},
	{Name: "http_status", OneOf: []string{"code", "ok"}, Default: "code", Cite: citeBDD, Doc: "code: the HTTP status is the code of the body, as the live service was seen to do. ok: it is always 200, as a remark in an SDK's tests has it."},
	{Name: "empty_values", OneOf: []string{"tolerant", "documented"}, Default: "tolerant", Cite: citeSign, Doc: "documented: parameters without a value are not signed. tolerant: signatures with them are taken too, which three known clients make."},
	{Name: "sign_case", OneOf: []string{"upper", "any"}, Default: "upper", Cite: citeSessions, Doc: "Whether a signature in lower case is taken. Upper case is documented."},
	{Name: "timestamp_window", Type: contract.Duration, Default: 3 * time.Minute, Cite: citeSessions, Doc: "How far a timestamp may be away. Three minutes are documented, the direction is not; it is either."},
	{Name: "unknown_channel", OneOf: []string{"refuse", "empty"}, Default: "refuse", Doc: "Whether a channel that is not the account's is refused, or answered as one without sessions. Sister calls were seen to do either."},
	{Name: "span_message", Default: "param validate error", Doc: "What is said of dates that do not go together. The page shows no text; a sister's is: startDate can not great endDater."},
	{Name: "digit_message", OneOf: []string{"name", "value"}, Default: "name", Doc: "What is named behind `param is not digit:`, the parameter or what it held. Pages show either."},
	{Name: "qps", Type: contract.Integer, Min: 0, Max: 1_000_000, Default: int64(0), Cite: citeErrors, Doc: "How many calls of one kind an account may make in a second; 0 for any number. That there is a limit is documented, how high it is is not."},
	{Name: "address_limit", Type: contract.Boolean, Default: false, Cite: citeLimits, Doc: "Whether an address that makes more than 1,500 calls in ten seconds is blocked for five minutes, by the wall clock."},
	{Name: "live_sessions", Type: contract.Boolean, Default: true, Doc: "Whether StartLive makes a session."},
	{Name: "callback_url", Default: "", Cite: citeCallback, Doc: "Where status callbacks go, of channels that have no address of their own; empty for nowhere. Only hosts that the operator allows are called."},
}

// fixtureRows are the lists of a fixture file.
var fixtureRows = []contract.Param{
	{
		Name: "applications", Type: contract.List, Of: contract.Object, Doc: "The keys that callers sign with. Several may be of one account.",
		Fields: []contract.Param{
			{Name: "appId", Need: contract.Required, Example: "frlr1zazn3", Cite: citeSessions, Doc: "The appId."},
			{Name: "appSecret", Need: contract.Required, Cite: citeSign, Doc: "The appSecret."},
			{Name: "userId", Need: contract.Required, Example: "1b448be323", Cite: citeSessions, Doc: "The account."},
		},
	},
	{
		Name: "channels", Type: contract.List, Of: contract.Object, Doc: "The channels.",
		Fields: []contract.Param{
			{Name: "channelId", Need: contract.Required, Example: "2272655", Cite: citeSessions, Doc: "The number of the channel."},
			{Name: "userId", Need: contract.Required, Example: "1b448be323", Cite: citeSessions, Doc: "The account that it belongs to. One of an account without application is a foreign one to everybody."},
			{Name: "name", Doc: "Its name."},
			{Name: "status", OneOf: []string{"unStart", "end", "waiting", "playback", "banpush"}, Cite: citeLiveStatus, Doc: "What it does while it is not live: end where there was a session and unStart where there was none, unless said otherwise."},
			{Name: "callback_url", Max: 255, Cite: citeCallback, Doc: "Where its status callbacks go; where the switch callback_url says unless said otherwise."},
			{Name: "externalSessionId", Max: 32, Cite: citeRelevance, Doc: "The external id that sessions carry which start from now on."},
			{
				Name: "sessions", Type: contract.List, Of: contract.Object, Doc: "Its sessions.",
				Fields: []contract.Param{
					{Name: "sessionId", Need: contract.Required, Example: "g9lv2ghv2x", Cite: citeSessions, Doc: "The id."},
					{Name: "startTime", Type: contract.Integer, Need: contract.Required, Cite: citeSessions, Doc: "When it started, in milliseconds."},
					{Name: "endTime", Type: contract.Integer, Cite: citeSessions, Doc: "When it ended; without it the session is live."},
					{Name: "customId", Cite: citeSessions, Doc: "The external id that it carries."},
					{Name: "liveUV", Type: contract.Integer, Cite: citeOldStats, Doc: "Viewers of the broadcast."},
					{Name: "livePV", Type: contract.Integer, Cite: citeOldStats, Doc: "Views of the broadcast."},
					{Name: "playbackPV", Type: contract.Integer, Cite: citeOldStats, Doc: "Views of the recording."},
					{Name: "playbackUV", Type: contract.Integer, Cite: citeOldStats, Doc: "Viewers of the recording."},
				},
			},
			{
				Name: "generate", Type: contract.Object, Doc: "Further sessions, made up from the sandbox's seed when the sandbox is made.",
				Fields: []contract.Param{
					{Name: "count", Type: contract.Integer, Need: contract.Required, Min: 1, Max: maxSessions, Doc: "How many."},
					{Name: "days", Type: contract.Integer, Need: contract.Required, Min: 1, Max: 3650, Doc: "Over how many days before that moment."},
					{Name: "live", Type: contract.Boolean, Doc: "Whether the last of them is live."},
					{Name: "not_before", Doc: "None at all where the sandbox's clock then stands before this day: yyyy-MM-dd."},
				},
			},
		},
	},
}

// A file has the lists of a fixture.
type file struct {
	Applications []application `yaml:"applications"`
	Channels     []struct {
		ID       string          `yaml:"channelId"`
		UserID   string          `yaml:"userId"`
		Name     string          `yaml:"name"`
		Status   string          `yaml:"status"`
		Callback string          `yaml:"callback_url"`
		External string          `yaml:"externalSessionId"`
		Sessions []sessionRecord `yaml:"sessions"`
		Generate *generated      `yaml:"generate"`
	} `yaml:"channels"`
}

// A sessionRecord is a session that the file lists.
type sessionRecord struct {
	ID         string  `yaml:"sessionId"`
	Start      int64   `yaml:"startTime"`
	End        int64   `yaml:"endTime"`
	CustomID   *string `yaml:"customId"`
	LiveUV     int64   `yaml:"liveUV"`
	LivePV     int64   `yaml:"livePV"`
	PlaybackPV int64   `yaml:"playbackPV"`
	PlaybackUV int64   `yaml:"playbackUV"`
}

// A generated is a list of sessions that the file describes by its size.
type generated struct {
	Count     int64  `yaml:"count"`
	Days      int64  `yaml:"days"`
	Live      bool   `yaml:"live"`
	NotBefore string `yaml:"not_before"`
}

// newState makes the state that a fixture describes.
func newState(seed contract.Seed) (contract.State, error) {
	var f file
	if seed.Decode != nil {
		if err := seed.Decode(&f); err != nil {
			return nil, err
		}
	}
	st := &state{Applications: f.Applications, Channels: map[string]*channel{}}
	for _, credentials := range seed.Credentials {
		st.addCredentials(credentials)
	}
	for i := range f.Channels {
		row := &f.Channels[i]
		if st.Channels[row.ID] != nil {
			return nil, fmt.Errorf("channels: the channel %q stands twice", row.ID)
		}
		ch := &channel{ID: row.ID, Name: row.Name, UserID: row.UserID, Rest: row.Status, Callback: row.Callback, External: row.External, Sessions: []*session{}}
		for _, t := range row.Sessions {
			ch.Sessions = append(ch.Sessions, &session{
				ID: t.ID, Start: t.Start, End: t.End, CustomID: t.CustomID,
				Views: views{t.LiveUV, t.LivePV, t.PlaybackPV, t.PlaybackUV},
			})
		}
		slices.SortFunc(ch.Sessions, compareSessions)
		st.Channels[ch.ID] = ch
	}
	if len(f.Channels) > 0 {
		st.First = f.Channels[0].ID
	}
	if err := st.Reindex(); err != nil {
		return nil, err
	}
	for i := range f.Channels {
		row := &f.Channels[i]
		if err := st.generate(st.Channels[row.ID], row.Generate, seed); err != nil {
			return nil, fmt.Errorf("channels: %s: generate: %w", row.ID, err)
		}
		if err := checkCallbackURL(row.Callback); err != nil {
			return nil, fmt.Errorf("channels: %s: callback_url: %w", row.ID, err)
		}
	}
	if err := st.Reindex(); err != nil {
		return nil, err
	}
	if err := checkCallbackURL(seed.Switches.Text("callback_url")); err != nil {
		return nil, fmt.Errorf("callback_url: %w", err)
	}
	return st, nil
}

// checkCallbackURL returns what is wrong with a callback's address.
func checkCallbackURL(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no address that begins with http:// or https://", address)
	}
	return nil
}

// generate spreads sessions evenly over the days before the sandbox was made,
// each at a random time of its part. The indices are rebuilt at the end.
func (st *state) generate(ch *channel, g *generated, seed contract.Seed) error {
	if g == nil {
		return nil
	}
	if g.NotBefore != "" {
		from, ok := parseDate(g.NotBefore)
		if !ok {
			return fmt.Errorf("not_before is %q; yyyy-MM-dd was expected", g.NotBefore)
		}
		if seed.Now.Before(from) {
			return nil
		}
	}
	if g.Live && ch.live != nil {
		return fmt.Errorf("the session %q is live already", ch.live.ID)
	}
	now := seed.Now.Unix()
	part := g.Days * 86400 / g.Count
	if part < 8 {
		return fmt.Errorf("%d sessions are too many for %d days", g.Count, g.Days)
	}
	for i := range g.Count {
		start := now - (g.Count-i)*part + randomBelow(seed.Dice, part/2)
		longest := min(part/3, 2*60*60)
		length := longest/8 + randomBelow(seed.Dice, longest*7/8)
		s := &session{Start: start * 1000, End: (start + length) * 1000, Views: randomViews(seed.Dice)}
		if g.Live && i == g.Count-1 {
			s.Start, s.End, s.Views = (now-randomBelow(seed.Dice, min(part/2, 45*60)))*1000, 0, views{}
		}
		s.ID = st.newSessionID(s.Start, seed.Dice)
		st.sessions[s.ID] = s
		ch.Sessions = append(ch.Sessions, s)
	}
	slices.SortFunc(ch.Sessions, compareSessions)
	ch.Sessions = ch.Sessions[max(0, len(ch.Sessions)-maxSessions):]
	return nil
}

// mint makes an application as long-named as those of the documentation. Its account
// is the first one.
func mint(d *contract.Dice) contract.Values {
	return contract.Values{"appId": d.Fake().Password(true, false, true, false, false, 10), "appSecret": d.Fake().Password(true, false, true, false, false, 32)}
}

// Enroll gives the first account another pair of keys, unless the appId is known.
func (st *state) Enroll(credentials contract.Values, _ time.Time) error {
	if _, known := st.application(credentials.Text("appId")); !known {
		st.addCredentials(credentials)
	}
	return nil
}

// addCredentials gives the first account another pair of keys.
func (st *state) addCredentials(credentials contract.Values) {
	id := credentials.Text("appId")
	if id == "" {
		return
	}
	a := application{AppID: id, AppSecret: credentials.Text("appSecret"), UserID: st.first().UserID, Alias: credentials.Text("userId")}
	switch a.UserID {
	case "":
		a.UserID, a.Alias = a.Alias, ""
	case a.Alias:
		a.Alias = ""
	}
	at := slices.IndexFunc(st.Applications, func(known application) bool { return known.AppID == id })
	if at >= 0 {
		st.Applications[at].AppSecret, st.Applications[at].Alias = a.AppSecret, a.Alias
		return
	}
	st.Applications = append(st.Applications, a)
}
