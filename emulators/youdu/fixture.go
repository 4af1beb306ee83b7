package youdu

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// tokenLife is the documented lifetime of an accessToken in seconds. The answer
// announces it even if the switch token_life makes tokens expire earlier: client
// libraries fetch a new token before the announced end, and would never send an
// expired one.
const tokenLife = 7200

// auditApp is the built-in application that gets the events of sessions.
const auditApp = "sysMsgMonitor"

// orgApp is the built-in application for which the page lists the session calls.
const orgApp = "sysOrgAssistant"

// switches choose behaviour that no page describes.
var switches = []contract.Param{
	{Name: "plain", Type: contract.Boolean, Default: false, Doc: "Whether answers are not encrypted: the field encrypt is the JSON itself. Requests may then be the call's JSON alone, without an envelope, or an envelope whose encrypt is that JSON; encrypted ones are read too. For front-end developers; the service knows no such thing."},
	{Name: "token_life", Type: contract.Duration, Default: tokenLife * time.Second, Cite: citeGlobal, Doc: "How long an accessToken is valid. The answer announces 7200 seconds all the same."},
	{Name: "strict_time", Type: contract.Integer, Min: 0, Max: 1 << 30, Default: int64(0), Doc: "By how many seconds the encrypted time of GetToken may differ from the server's; 0: any text is accepted, also one that is no time, as a library of Youdu's own sent it for years."},
	{Name: "session_apps", OneOf: []string{"any", "organisation"}, Default: "any", Cite: citeFirst, Doc: "Which applications may make session calls. The page lists them under sysOrgAssistant (organisation), while a sample of Youdu's own Java library makes them with a custom application (any)."},
	{Name: "max_members", Type: contract.Integer, Min: 0, Max: 1 << 20, Default: int64(0), Cite: citeSize, Doc: "How many members a session may have; 0: any number. Administrators set the size of discussion groups, and no page has the default."},
	{Name: "owner_only_delete", Type: contract.Boolean, Default: false, Doc: "Whether only the owner may remove others from a session."},
	{Name: "session_callbacks", Type: contract.Boolean, Default: true, Doc: "Whether sessions that are made or changed through the API are reported to the audit application. The page mentions only what clients do."},
	{Name: "image_callback", OneOf: []string{"complex", "image"}, Default: "complex", Cite: citeEvents, Doc: "As which kind of message an image is reported to the audit application: the page's table and its sample differ."},
	{Name: "callback_url", Default: "", Doc: "The address that gets the events of sessions and messages, instead of the audit application's own address."},
}

// fixtureRows are the lists of a fixture file.
var fixtureRows = []contract.Param{
	{
		Name: "apps", Type: contract.List, Of: contract.Object, Doc: "The applications that may call the API. The first one's are the sandbox's credentials.",
		Fields: []contract.Param{
			{Name: "buin", Type: contract.Integer, Need: contract.Required, Cite: citeGlobal, Doc: "The enterprise number."},
			{Name: "appId", Need: contract.Required, Cite: citeGlobal, Doc: "The application's id: yd and 32 hexadecimal digits, or a built-in one such as sysOrgAssistant."},
			{Name: "aesKey", Need: contract.Required, Cite: citeGlobal, Doc: "The EncodingAESKey: base64 of 32 bytes, 44 characters."},
			{Name: "disabled", Type: contract.Boolean, Doc: "Whether it is switched off, so that its calls end in INVALID_APPID."},
			{Name: "session", Type: contract.Boolean, Cite: citeFirst, Doc: "Whether it may make session calls; true unless said otherwise."},
			{Name: "callback_url", Cite: citeApps, Doc: "Where the service calls it. Events of sessions go to the application sysMsgMonitor alone. Without an address none are sent. Each is sent once, whatever is answered; the service sends it again for up to 24 hours until it is acknowledged."},
			{Name: "callback_token", Cite: citeApps, Doc: "The token that callbacks are signed with."},
		},
	},
	{
		Name: "accounts", Type: contract.List, Of: contract.Object, Doc: "The people of the enterprise.",
		Fields: []contract.Param{
			{Name: "account", Need: contract.Required, Max: maxAccount, Doc: "The account, case-sensitive."},
			{Name: "name", Doc: "The name."},
			{Name: "disabled", Type: contract.Boolean, Doc: "Whether it may not take part in sessions."},
		},
	},
	{
		Name: "sessions", Type: contract.List, Of: contract.Object, Doc: "Sessions that are there from the beginning.",
		Fields: []contract.Param{
			{Name: "sessionId", Need: contract.Required, Doc: "The id: a GUID in capitals and braces."},
			{Name: "title", Need: contract.Required, Max: maxTitle, Doc: "The title."},
			{Name: "owner", Need: contract.Required, Doc: "The account that owns it; it is a member too."},
			{Name: "member", Type: contract.List, Of: contract.String, Need: contract.Required, Doc: "The members."},
		},
	},
	{
		Name: "tokens", Type: contract.List, Of: contract.Object, Doc: "Access tokens that are known from the beginning.",
		Fields: []contract.Param{
			{Name: "token", Need: contract.Required, Doc: "The accessToken."},
			{Name: "appId", Need: contract.Required, Doc: "The application that it belongs to."},
			{Name: "buin", Type: contract.Integer, Doc: "The enterprise of the application; that of the first application with this appId unless said otherwise."},
			{Name: "lives", Type: contract.Duration, Doc: "How long it is valid, from the sandbox's beginning on. Without it: for ever."},
		},
	},
	{
		Name: "media", Type: contract.List, Of: contract.Object, Doc: "Files that are there from the beginning. The mediaId follows from the content.",
		Fields: []contract.Param{
			{Name: "type", OneOf: fileTypes, Doc: "The type; file unless said otherwise."},
			{Name: "name", Need: contract.Required, Doc: "The file's name."},
			{Name: "content", Need: contract.Required, Doc: "What it holds, as text."},
		},
	},
	{
		Name: "codes", Type: contract.List, Of: contract.Object, Doc: "The error with which a situation is answered, if it is another than the emulator's guess.",
		Fields: []contract.Param{
			{Name: "situation", Need: contract.Required, OneOf: situationNames(), Doc: "What is wrong."},
			{Name: "outcome", Need: contract.Required, Example: "INVALID_REQUEST_5", Cite: citeCodes, Doc: "The documented error, by its outcome's name."},
		},
	},
}

// fixtureLists are the lists of a fixture.
type fixtureLists struct {
	Apps []struct {
		Buin          int64  `yaml:"buin"`
		AppID         string `yaml:"appId"`
		AESKey        string `yaml:"aesKey"`
		Disabled      bool   `yaml:"disabled"`
		Session       *bool  `yaml:"session"`
		CallbackURL   string `yaml:"callback_url"`
		CallbackToken string `yaml:"callback_token"`
	} `yaml:"apps"`
	Accounts []account `yaml:"accounts"`
	Sessions []struct {
		ID     string   `yaml:"sessionId"`
		Title  string   `yaml:"title"`
		Owner  string   `yaml:"owner"`
		Member []string `yaml:"member"`
	} `yaml:"sessions"`
	Tokens []struct {
		Token string        `yaml:"token"`
		AppID string        `yaml:"appId"`
		Buin  int64         `yaml:"buin"`
		Lives time.Duration `yaml:"lives"`
	} `yaml:"tokens"`
	Media []struct {
		Type    string `yaml:"type"`
		Name    string `yaml:"name"`
		Content string `yaml:"content"`
	} `yaml:"media"`
	Codes []struct {
		Situation string `yaml:"situation"`
		Outcome   string `yaml:"outcome"`
	} `yaml:"codes"`
}

// newState makes the state that the fixture describes.
func newState(seed contract.Seed) (contract.State, error) {
	var l fixtureLists
	if seed.Decode != nil {
		if err := seed.Decode(&l); err != nil {
			return nil, err
		}
	}
	if err := l.checkDuplicates(); err != nil {
		return nil, err
	}
	if err := checkCallbackURL(seed.Switches.Text("callback_url")); err != nil {
		return nil, err
	}
	now := seed.Now.Round(0).UTC()
	st := &state{Accounts: l.Accounts, Sessions: map[string]*session{}, Tokens: tokens{}, Media: map[string]*file{}}
	for _, a := range l.Apps {
		st.Apps = append(st.Apps, app{
			Buin: a.Buin, AppID: a.AppID, AESKey: a.AESKey, Disabled: a.Disabled,
			NoSession: a.Session != nil && !*a.Session, CallbackURL: a.CallbackURL, CallbackToken: a.CallbackToken,
		})
	}
	for _, credentials := range seed.Credentials {
		if err := st.addCredentials(credentials, now); err != nil {
			return nil, err
		}
	}
	for _, s := range l.Sessions {
		st.Sessions[s.ID] = &session{
			ID: s.ID, Title: s.Title, Owner: s.Owner, Version: 1, Members: rosterOf(append([]string{s.Owner}, s.Member...)...).list,
			Created: now.Unix(), ActiveTime: now.Unix(), Fixed: true, Serial: st.nextSerial(),
		}
	}
	for _, m := range l.Media {
		f := &file{ID: mediaID([]byte(m.Content)), Type: m.Type, Name: m.Name, Content: []byte(m.Content), Serial: st.nextSerial()}
		st.Media[f.ID] = f
	}
	for _, t := range l.Tokens {
		added := &token{Token: t.Token, Buin: st.buinOf(t.AppID, t.Buin), AppID: t.AppID, Issued: now, Serial: st.nextSerial()}
		if t.Lives > 0 {
			added.Ends = now.Add(t.Lives)
		}
		st.Tokens[t.Token] = added
	}
	for _, c := range l.Codes {
		if st.Codes == nil {
			st.Codes = map[string]string{}
		}
		st.Codes[c.Situation] = c.Outcome
	}
	return st, st.Reindex()
}

// checkDuplicates finds entries that are listed twice and would replace each
// other. Reindex checks applications and accounts, which are lists in the state.
func (l *fixtureLists) checkDuplicates() error {
	seen := map[string]bool{}
	add := func(list, name string) error {
		key := list + " " + name
		if seen[key] {
			return fmt.Errorf("%s: %q stands twice", list, name)
		}
		seen[key] = true
		return nil
	}
	for _, s := range l.Sessions {
		if err := add("sessions", s.ID); err != nil {
			return err
		}
	}
	for _, t := range l.Tokens {
		if err := add("tokens", t.Token); err != nil {
			return err
		}
	}
	for _, c := range l.Codes {
		if err := add("codes", c.Situation); err != nil {
			return err
		}
	}
	return nil
}

// buinOf is the given enterprise, or that of the application if the given one is 0.
func (st *state) buinOf(appID string, given int64) int64 {
	for i := range st.Apps {
		if given == 0 && st.Apps[i].AppID == appID {
			return st.Apps[i].Buin
		}
	}
	return given
}

// Enroll adds an application with a token of its own, unless it is known.
func (st *state) Enroll(credentials contract.Values, now time.Time) error {
	known := slices.ContainsFunc(st.Apps, func(a app) bool {
		buin := credentials.Text("buin")
		return a.AppID == credentials.Text("appId") && (buin == "" || buin == strconv.FormatInt(a.Buin, 10))
	})
	if known {
		return nil
	}
	return st.addCredentials(credentials, now.Round(0).UTC())
}

// addCredentials adds an application, or replaces the key of a known one.
func (st *state) addCredentials(credentials contract.Values, now time.Time) error {
	appID := credentials.Text("appId")
	if appID == "" {
		return nil
	}
	added := app{}
	if first := st.firstApp(); first != nil {
		added = *first
	}
	buin := credentials.Int("buin")
	if !credentials.Has("buin") {
		buin = added.Buin
	}
	if text := credentials.Text("buin"); text != "" {
		var err error
		if buin, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("credentials: the buin %q is no whole number", text)
		}
	}
	st.own = appKey{buin, appID}
	found := false
	for i := range st.Apps {
		if a := &st.Apps[i]; a.Buin == buin && a.AppID == appID {
			a.AESKey, found = credentials.Text("aesKey"), true
		}
	}
	if !found {
		added.Buin, added.AppID, added.AESKey = buin, appID, credentials.Text("aesKey")
		st.Apps = append(st.Apps, added)
	}
	if accessToken := credentials.Text("accessToken"); accessToken != "" {
		st.Tokens[accessToken] = &token{Token: accessToken, Buin: buin, AppID: appID, Issued: now, Serial: st.nextSerial()}
	}
	return nil
}

// mint makes an application of the first one's enterprise, and a token that lasts.
func mint(d *contract.Dice) contract.Values {
	var id, key, token [32]byte
	for _, p := range [][]byte{id[:16], key[:], token[:16]} {
		_, _ = d.Read(p)
	}
	return contract.Values{
		"appId":       fmt.Sprintf("yd%X", id[:16]),
		"aesKey":      base64.StdEncoding.EncodeToString(key[:]),
		"accessToken": hex.EncodeToString(token[:16]),
	}
}

// checkCallbackURL checks an address for callbacks.
func checkCallbackURL(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("callback_url: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Contains(address, "#") {
		return fmt.Errorf("callback_url is %q; an absolute address such as http://127.0.0.1:8080/receive was expected", address)
	}
	return nil
}
