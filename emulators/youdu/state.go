package youdu

import (
	"cmp"
	"crypto/cipher"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// How much of what clients pile up is kept. The oldest gives way; of tokens,
// the one that ends first, so that those that count no more go before others.
const (
	maxSessions     = 1 << 17  // sessions
	maxSessionBytes = 64 << 20 // of their titles and members
	maxTokens       = 4096     // of one application
	maxFiles        = 1024     // files
	maxFileBytes    = 64 << 20 // of their contents
)

// A state is what the service remembers in one sandbox.
type state struct {
	Apps     []app               `json:"apps"`
	Accounts []account           `json:"accounts"`
	Codes    map[string]string   `json:"codes,omitempty"` // outcomes by situation, where the fixture says another
	Sessions map[string]*session `json:"sessions"`        // by sessionId
	Tokens   map[string]*token   `json:"tokens"`          // by accessToken; those that ended stay until they give way
	Media    map[string]*file    `json:"media"`           // by mediaId
	Serial   int64               `json:"serial"`          // of the latest that was made
	Package  int64               `json:"package"`         // of the latest callback
	Direct   int64               `json:"direct"`          // msgId of the latest one-to-one message

	apps     map[appKey]*app
	buins    map[int64]bool
	accounts map[string]*account
	sessions queue[*session]
	media    queue[*file]
	tokens   map[appKey]*tokenHeap
}

// An appKey is what an envelope names.
type appKey struct {
	buin  int64
	appID string
}

// An app is an application that may call the API. Apps are never written once
// Reindex is over, so they may be read when Look is.
type app struct {
	Buin          int64  `json:"buin"`
	AppID         string `json:"appId"`
	AESKey        string `json:"aesKey"`
	Disabled      bool   `json:"disabled,omitempty"`
	NoSession     bool   `json:"no_session,omitempty"` // session calls are refused
	CallbackURL   string `json:"callback_url,omitempty"`
	CallbackToken string `json:"callback_token,omitempty"`

	block cipher.Block
	iv    []byte
}

func (a *app) key() appKey { return appKey{a.Buin, a.AppID} }

// An account is a person of the enterprise.
type account struct {
	Account  string `json:"account" yaml:"account"`
	Name     string `json:"name,omitempty" yaml:"name"`
	Disabled bool   `json:"disabled,omitempty" yaml:"disabled"`
}

// A session is what clients call a discussion group.
type session struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Owner      string   `json:"owner"`
	Version    int64    `json:"version"`
	Members    []string `json:"members"` // never written: a change brings a list of its own
	LastMsgID  int64    `json:"last_msg_id"`
	Created    int64    `json:"created"`     // UNIX seconds
	ActiveTime int64    `json:"active_time"` // UNIX seconds
	Serial     int64    `json:"serial"`
}

func (s *session) serial() int64 { return s.Serial }

// size is about how many bytes the session is to be counted with.
func (s *session) size() int {
	n := len(s.Title) + len(s.Owner)
	for _, m := range s.Members {
		n += 16 + len(m)
	}
	return n
}

// A token is an accessToken that was issued, or that the fixture lists.
type token struct {
	Token  string    `json:"token"`
	Buin   int64     `json:"buin"`
	AppID  string    `json:"appId"`
	Issued time.Time `json:"issued"`
	Ends   time.Time `json:"ends,omitzero"`   // zero: never
	Plain  bool      `json:"plain,omitempty"` // asked for without encryption, so what is asked with it is answered so
	Serial int64     `json:"serial"`

	heapIndex int // where it stands among those of its application
}

func (t *token) key() appKey { return appKey{t.Buin, t.AppID} }

func (t *token) ended(now time.Time) bool { return !t.Ends.IsZero() && !now.Before(t.Ends) }

// A file is what was uploaded.
type file struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Name    string `json:"name"`
	Content []byte `json:"content"` // never written
	Serial  int64  `json:"serial"`
}

func (f *file) serial() int64 { return f.Serial }

func (f *file) size() int { return len(f.Content) + len(f.Name) }

// Reindex rebuilds the indices.
func (st *state) Reindex() error {
	st.apps, st.buins, st.accounts = map[appKey]*app{}, map[int64]bool{}, map[string]*account{}
	for i := range st.Apps {
		a := &st.Apps[i]
		if a.AppID == "" || st.apps[a.key()] != nil {
			return fmt.Errorf("apps: the appId %q stands twice or is empty", a.AppID)
		}
		var err error
		if a.block, a.iv, err = newCipher(a.AESKey); err != nil {
			return fmt.Errorf("apps: %s: %w", a.AppID, err)
		}
		if err := checkCallbackURL(a.CallbackURL); err != nil {
			return fmt.Errorf("apps: %s: %w", a.AppID, err)
		}
		st.apps[a.key()], st.buins[a.Buin] = a, true
	}
	for i := range st.Accounts {
		a := &st.Accounts[i]
		if a.Account == "" || st.accounts[a.Account] != nil {
			return fmt.Errorf("accounts: the account %q stands twice or is empty", a.Account)
		}
		st.accounts[a.Account] = a
	}
	if err := st.checkCodes(); err != nil {
		return err
	}
	if err := st.reindexTokens(); err != nil {
		return err
	}
	return st.reindexSessions()
}

func (st *state) checkCodes() error {
	for _, name := range slices.Sorted(maps.Keys(st.Codes)) {
		if !slices.Contains(situationNames(), name) {
			return fmt.Errorf("codes: there is no situation %q", name)
		}
		if documented[st.Codes[name]] == nil {
			return fmt.Errorf("codes: %s: there is no documented error %q", name, st.Codes[name])
		}
	}
	return nil
}

func (st *state) reindexTokens() error {
	if st.Tokens == nil {
		st.Tokens = map[string]*token{}
	}
	st.tokens = map[appKey]*tokenHeap{}
	for _, word := range slices.Sorted(maps.Keys(st.Tokens)) {
		t := st.Tokens[word]
		if t == nil || t.Token != word || word == "" {
			return fmt.Errorf("tokens: %q does not say that it is itself", word)
		}
		if st.apps[t.key()] == nil {
			return fmt.Errorf("tokens: %q is of the application %q of buin %d, which is not among the apps", word, t.AppID, t.Buin)
		}
		st.tokensOf(t.key()).insert(t)
		st.Serial = max(st.Serial, t.Serial)
	}
	return nil
}

func (st *state) reindexSessions() error {
	if st.Sessions == nil {
		st.Sessions = map[string]*session{}
	}
	if st.Media == nil {
		st.Media = map[string]*file{}
	}
	for id, s := range st.Sessions {
		if s == nil || s.ID != id || len(s.Members) == 0 || !slices.Contains(s.Members, s.Owner) {
			return fmt.Errorf("sessions: %q does not say that it is itself, or its owner is no member", id)
		}
		st.Serial = max(st.Serial, s.Serial)
	}
	for id, f := range st.Media {
		if f == nil || f.ID != id || f.ID != mediaID(f.Content) {
			return fmt.Errorf("media: %q does not say that it is itself", id)
		}
		st.Serial = max(st.Serial, f.Serial)
	}
	st.sessions, st.media = queueOf(maps.Values(st.Sessions)), queueOf(maps.Values(st.Media))
	return nil
}

// Identifiers lists the tokens, those that ended included: whoever sends one should
// be told so by the sandbox that issued it. Beside them, the applications.
func (st *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range st.Apps {
			if !yield(appIdentifier(st.Apps[i].Buin, st.Apps[i].AppID)) {
				return
			}
		}
		for word := range st.Tokens {
			if !yield(word) {
				return
			}
		}
	}
}

func appIdentifier(buin int64, appID string) string { return strconv.FormatInt(buin, 10) + "/" + appID }

// Credentials are the first application's, with a token of its that lasts, if
// the fixture lists one.
func (st *state) Credentials() contract.Values {
	a := st.firstApp()
	if a == nil {
		return nil
	}
	v := contract.Values{"buin": strconv.FormatInt(a.Buin, 10), "appId": a.AppID, "aesKey": a.AESKey}
	if t := st.tokensOf(a.key()).oldestLasting(); t != nil {
		v["accessToken"] = t.Token
	}
	return v
}

// first is the application that counts where none is named; nil: there is none.
func (st *state) firstApp() *app {
	if len(st.Apps) == 0 {
		return nil
	}
	return &st.Apps[0]
}

// next numbers what is made.
func (st *state) nextSerial() int64 { st.Serial++; return st.Serial }

// known reports whether there is such an account, and it may take part.
func (st *state) hasAccount(name string) bool {
	a := st.accounts[name]
	return a != nil && !a.Disabled
}

// keep puts a session in its place. The oldest give way where there are too
// many, and the one that is kept never does.
func (st *state) addSession(s *session) {
	st.Sessions[s.ID] = s
	st.sessions.push(s)
	for st.sessions.len() > 1 && (st.sessions.len() > maxSessions || st.sessions.bytes > maxSessionBytes) {
		delete(st.Sessions, st.sessions.pop().ID)
	}
}

// change changes a session that is kept.
func (st *state) changeSession(s *session, do func()) {
	st.sessions.bytes -= s.size()
	do()
	st.sessions.bytes += s.size()
}

// drop forgets a session.
func (st *state) removeSession(s *session) {
	st.sessions.remove(s)
	delete(st.Sessions, s.ID)
}

// store keeps a file. One with the same contents gives way to it.
func (st *state) addFile(f *file) {
	if old := st.Media[f.ID]; old != nil {
		st.media.remove(old)
	}
	st.Media[f.ID] = f
	st.media.push(f)
	for st.media.len() > 1 && (st.media.len() > maxFiles || st.media.bytes > maxFileBytes) {
		delete(st.Media, st.media.pop().ID)
	}
}

// instant is the sandbox's time as it is kept: without a monotonic reading and
// in one zone, so that a snapshot restored and taken again has the same bytes.
func nowUTC(c *contract.Call) time.Time { return c.Now.Round(0).UTC() }

// bySerial orders what was made by when it was made.
func bySerial[T interface{ serial() int64 }](a, b T) int { return cmp.Compare(a.serial(), b.serial()) }
