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

// The limits of what is kept. The oldest entry is dropped first; of tokens, the
// one that expires first, so that expired tokens are dropped before valid ones.
const (
	maxSessions     = 1 << 17  // sessions
	maxSessionBytes = 64 << 20 // of their titles and members
	maxTokens       = 4096     // of one application
	maxFiles        = 1024     // files
	maxFileBytes    = 64 << 20 // of their contents
	maxSerial       = 1 << 62  // and of each number of a restored state, so that those after it do not overflow
)

// A state is what the service remembers in one sandbox.
type state struct {
	Apps     []app               `json:"apps"`
	Accounts []account           `json:"accounts"`
	Codes    map[string]string   `json:"codes,omitempty"` // outcomes by situation, if the fixture sets another
	Sessions map[string]*session `json:"sessions"`        // by sessionId
	Tokens   tokens              `json:"tokens"`          // by accessToken; expired ones stay until they are dropped
	Media    map[string]*file    `json:"media"`           // by mediaId
	Serial   int64               `json:"serial"`          // serial number of the latest entry
	Package  int64               `json:"package"`         // packageId of the latest callback
	Direct   int64               `json:"direct"`          // msgId of the latest one-to-one message

	apps     map[appKey]*app
	buins    map[int64]bool
	accounts map[string]*account
	sessions queue[*session]
	media    queue[*file]
	tokens   map[appKey]*tokenHeap
	own      appKey // of the credentials beside the fixture's, which stand for its first application; for givens alone, so it is not saved
}

// An appKey identifies an application, as an envelope does.
type appKey struct {
	buin  int64
	appID string
}

// An app is an application that may call the API. After Reindex apps are never
// written, so they may be read outside WithState.
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
	Members    []string `json:"members"` // never written: a change sets a new list
	LastMsgID  int64    `json:"last_msg_id"`
	Created    int64    `json:"created"`         // UNIX seconds
	ActiveTime int64    `json:"active_time"`     // UNIX seconds
	Fixed      bool     `json:"fixed,omitempty"` // from the fixture: no call created it
	Serial     int64    `json:"serial"`
}

func (s *session) serial() int64 { return s.Serial }

// size is the approximate size of the session in bytes.
func (s *session) size() int {
	n := len(s.Title) + len(s.Owner)
	for _, m := range s.Members {
		n += 16 + len(m)
	}
	return n
}

// About how many bytes an entry takes beside what its size counts: itself, its id, and
// its share of maps, queues and the directory.
const (
	sessionCost = 280
	tokenCost   = 256
	fileCost    = 256
)

// Weight returns about how many bytes sessions, tokens and files take.
func (st *state) Weight() int64 {
	return int64(st.sessions.bytes + sessionCost*len(st.Sessions) + tokenCost*len(st.Tokens) + st.media.bytes + fileCost*len(st.Media))
}

// A token is an accessToken that was issued, or that the fixture lists.
type token struct {
	Token  string    `json:"token"`
	Buin   int64     `json:"buin"`
	AppID  string    `json:"appId"`
	Issued time.Time `json:"issued"`
	Ends   time.Time `json:"ends,omitzero"`   // zero: never
	Plain  bool      `json:"plain,omitempty"` // it was requested without encryption, so calls with it get plain answers
	Serial int64     `json:"serial"`

	heapIndex int // index in the heap of its application
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
	if err := cmp.Or(checkNumber("serial", st.Serial), checkNumber("package", st.Package), checkNumber("direct", st.Direct)); err != nil {
		return err
	}
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

// checkNumber refuses a number with which no counting went on.
func checkNumber(path string, n int64) error {
	if n < 0 || n > maxSerial {
		return fmt.Errorf("%s: %d was found; a whole number from 0 to %d was expected", path, n, int64(maxSerial))
	}
	return nil
}

// checkCodes checks the names of situations and errors.
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

// reindexTokens checks the tokens and rebuilds their heaps.
func (st *state) reindexTokens() error {
	if st.Tokens == nil {
		st.Tokens = tokens{}
	}
	st.tokens = map[appKey]*tokenHeap{}
	for _, text := range slices.Sorted(maps.Keys(st.Tokens)) {
		t := st.Tokens[text]
		if t == nil || t.Token != text || text == "" {
			return fmt.Errorf("tokens: the entry %q is no token of that name", text)
		}
		if st.apps[t.key()] == nil {
			return fmt.Errorf("tokens: %q is of the application %q of buin %d, which is not among the apps", text, t.AppID, t.Buin)
		}
		if err := checkNumber("tokens: serial", t.Serial); err != nil {
			return err
		}
		st.tokensOf(t.key()).insert(t)
		st.Serial = max(st.Serial, t.Serial)
	}
	return nil
}

// reindexSessions checks sessions and files and rebuilds their queues.
func (st *state) reindexSessions() error {
	if st.Sessions == nil {
		st.Sessions = map[string]*session{}
	}
	if st.Media == nil {
		st.Media = map[string]*file{}
	}
	for id, s := range st.Sessions {
		if s == nil || s.ID != id || len(s.Members) == 0 || !slices.Contains(s.Members, s.Owner) {
			return fmt.Errorf("sessions: the entry %q is no session of that id, or its owner is no member", id)
		}
		if err := checkNumber("sessions."+id+".serial", s.Serial); err != nil {
			return err
		}
		st.Serial = max(st.Serial, s.Serial)
	}
	for id, f := range st.Media {
		if f == nil || f.ID != id || f.ID != mediaID(f.Content) {
			return fmt.Errorf("media: the entry %q is no file of that id", id)
		}
		if err := checkNumber("media."+id+".serial", f.Serial); err != nil {
			return err
		}
		st.Serial = max(st.Serial, f.Serial)
	}
	st.sessions, st.media = queueOf(maps.Values(st.Sessions)), queueOf(maps.Values(st.Media))
	return nil
}

// Identifiers lists the applications and the tokens. Expired tokens are included:
// the sandbox that issued a token reports that it has expired.
func (st *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range st.Apps {
			if !yield(appIdentifier(st.Apps[i].Buin, st.Apps[i].AppID)) {
				return
			}
		}
		for text := range st.Tokens {
			if !yield(text) {
				return
			}
		}
	}
}

func appIdentifier(buin int64, appID string) string { return strconv.FormatInt(buin, 10) + "/" + appID }

// Credentials are those of the first application, with a token that never
// expires if the fixture lists one.
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

// Secrets yields the keys of the applications, and their tokens.
func (st *state) Secrets() iter.Seq[*string] {
	return func(yield func(*string) bool) {
		for i := range st.Apps {
			if !yield(&st.Apps[i].AESKey) || !yield(&st.Apps[i].CallbackToken) {
				return
			}
		}
		for _, t := range st.Tokens {
			if !yield(&t.Token) {
				return
			}
		}
	}
}

// firstApp is the default application; nil: there is none.
func (st *state) firstApp() *app {
	if len(st.Apps) == 0 {
		return nil
	}
	return &st.Apps[0]
}

// ownApp is the application whose credentials the sandbox tells: its own, or else the
// first one.
func (st *state) ownApp() *app {
	if a := st.apps[st.own]; a != nil {
		return a
	}
	return st.firstApp()
}

// nextSerial is the serial number of a new entry.
func (st *state) nextSerial() int64 { st.Serial++; return st.Serial }

// hasAccount reports whether the account exists and is not disabled.
func (st *state) hasAccount(name string) bool {
	a := st.accounts[name]
	return a != nil && !a.Disabled
}

// addSession adds a session. If there are too many, the oldest are dropped, and
// never the new one.
func (st *state) addSession(s *session) {
	st.Sessions[s.ID] = s
	st.sessions.push(s)
	for st.sessions.len() > 1 && (st.sessions.len() > maxSessions || st.sessions.bytes > maxSessionBytes) {
		delete(st.Sessions, st.sessions.pop().ID)
	}
}

// changeSession runs do, which changes s, and corrects the size of the queue.
func (st *state) changeSession(s *session, do func()) {
	st.sessions.bytes -= s.size()
	do()
	st.sessions.bytes += s.size()
}

// removeSession removes a session.
func (st *state) removeSession(s *session) {
	st.sessions.remove(s)
	delete(st.Sessions, s.ID)
}

// addFile adds a file. It replaces one with the same content.
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

// nowUTC is the sandbox's time without a monotonic reading and in UTC, so that a
// snapshot of a restored snapshot has the same bytes.
func nowUTC(c *contract.Call) time.Time { return c.Now.Round(0).UTC() }

// bySerial orders entries by their serial numbers.
func bySerial[T interface{ serial() int64 }](a, b T) int { return cmp.Compare(a.serial(), b.serial()) }
