package tencentcar

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A state is what the service stores in one sandbox.
//
// Nothing ticks: a concurrency has the instants at which it is released, cleaned
// and idle again, and its phase follows from them. So Decide does not need to
// write; forgetIdle deletes the concurrencies that are idle again.
type state struct {
	Accounts      []account               `json:"accounts"`
	Projects      []project               `json:"projects"`
	Applications  []application           `json:"applications"`
	Standing      map[string]string       `json:"standing"` // ProjectId by UserId: reservations that never lapse
	Lists         accessLists             `json:"gate"`
	Concurrencies map[string]*concurrency `json:"concurrencies"` // those in use, by id

	accounts   map[string]int
	projects   map[string]int
	pools      map[string]*pool        // by ProjectId
	users      map[string]*concurrency // by UserId of its user
	guests     map[string]*concurrency // the concurrency whose room a guest is in, by the guest's UserId
	inProgress map[string]int          // number of requests in progress, by UserId
	bytes      int                     // of all concurrencies
}

// An accessLists holds the fixture's lists that checks use.
type accessLists struct {
	Regions   []string `json:"regions,omitempty"`
	Offline   []string `json:"offline,omitempty"`
	Blacklist []string `json:"blacklist,omitempty"`
	Whitelist []string `json:"whitelist,omitempty"`
}

// An account is a SecretId with its SecretKey, and what it may do.
type account struct {
	SecretID     string    `json:"secretId"`
	SecretKey    string    `json:"secretKey"`
	Token        string    `json:"token,omitempty"` // of a temporary key
	TokenExpires time.Time `json:"token_expires,omitzero"`
	Uin          string    `json:"uin,omitempty"` // keys of one sub-account share its rate limits
	Status       string    `json:"status,omitempty"`
	Deny         []string  `json:"deny,omitempty"` // actions that CAM denies; * for all

	unknown bool        // in no fixture; accepted if signatures are not verified
	derived *derivedKey // its latest signing key, under the lock only; nil: none
}

// A project is a project of the console, with the number of its concurrencies.
type project struct {
	ProjectID         string        `json:"project_id" yaml:"project_id"`
	Amount            int           `json:"amount" yaml:"amount"`
	ProjectType       string        `json:"project_type,omitempty" yaml:"project_type"`
	ProjectCategory   string        `json:"project_category,omitempty" yaml:"project_category"`
	Type              string        `json:"type,omitempty" yaml:"type"`
	IsPreload         bool          `json:"is_preload,omitempty" yaml:"is_preload"`
	ReconnectTimeout  time.Duration `json:"reconnect_timeout,omitempty" yaml:"reconnect_timeout"`
	ApplicationParams string        `json:"application_params,omitempty" yaml:"application_params"`
	ApplicationIDs    []string      `json:"application_ids,omitempty" yaml:"application_ids"`
}

func (p *project) shared() bool { return p.ProjectType == "SHARED" }

// An application is an application of the console. It runs on a concurrency.
type application struct {
	ApplicationID string   `json:"application_id" yaml:"application_id"`
	Versions      []string `json:"versions,omitempty" yaml:"versions"`
	PathMissing   bool     `json:"path_missing,omitempty" yaml:"path_missing"`
}

// A concurrency is one machine that serves one user. The state has a record of
// those that are not idle.
type concurrency struct {
	ID        string `json:"id"`
	ProjectID string `json:"project_id"`
	Index     int    `json:"index"`
	UserID    string `json:"user_id,omitempty"` // "": its user has another concurrency now

	ApplicationID        string    `json:"application_id,omitempty"`
	ApplicationVersionID string    `json:"application_version_id,omitempty"`
	Applied              time.Time `json:"applied"`
	Session              *session  `json:"session,omitempty"`
	Lost                 time.Time `json:"lost,omitzero"` // when the client was lost
	Destroyed            bool      `json:"destroyed,omitempty"`

	Ends    time.Time `json:"ends,omitzero"` // when it is released; zero: when a call or a trigger does so
	Cleaned time.Time `json:"cleaned,omitzero"`
	Ready   time.Time `json:"ready,omitzero"` // when it is idle again

	heapIndex int // in byReady of its pool
	size      int // bytes that the state counts for it
}

// A session is a user on a concurrency.
type session struct {
	Created       time.Time         `json:"created"`
	RequestID     string            `json:"request_id"` // of the latest CreateSession
	UserIP        string            `json:"user_ip,omitempty"`
	RunMode       string            `json:"run_mode,omitempty"`
	Launch        string            `json:"launch,omitempty"` // the parameters with which the application was started
	Room          bool              `json:"room,omitempty"`   // multi-person interaction
	Role          string            `json:"role,omitempty"`
	Players       map[string]*guest `json:"players,omitempty"` // by UserId, without the host
	Viewers       map[string]*guest `json:"viewers,omitempty"`
	Publishing    bool              `json:"publishing,omitempty"`
	Published     time.Time         `json:"published,omitzero"` // when the push was started
	PublishURL    string            `json:"publish_url,omitempty"`
	PublishArgs   string            `json:"publish_args,omitempty"`
	ClientsBefore int               `json:"clients_before,omitempty"` // number of clients that a repeated CreateSession dropped
}

// A guest is a user in the room of another user.
type guest struct {
	Joined    time.Time `json:"joined"`
	RequestID string    `json:"request_id"`
	Ends      time.Time `json:"ends,omitzero"` // when it loses its place because its client was lost
}

// gone reports whether the guest has lost its place.
func (g *guest) gone(now time.Time) bool { return !g.Ends.IsZero() && !now.Before(g.Ends) }

// A phase is a phase in the life of a concurrency.
type phase int

const (
	idle phase = iota
	reserved
	running
	waiting  // for the client to reconnect
	cleaning // being cleaned after a user
	preload  // being launched before the next user comes
)

// never is the zero time, for what does not end by itself.
var never time.Time

// phase derives the phase from the instants.
func (co *concurrency) phase(now time.Time) phase {
	switch {
	case co == nil:
		return idle
	case co.Ends.IsZero() || now.Before(co.Ends):
		switch {
		case co.Session == nil:
			return reserved
		case co.Lost.IsZero():
			return running
		}
		return waiting
	case now.Before(co.Cleaned):
		return cleaning
	case now.Before(co.Ready):
		return preload
	}
	return idle
}

// held reports whether the concurrency belongs to its user.
func (co *concurrency) held(now time.Time) bool {
	p := co.phase(now)
	return p == reserved || p == running || p == waiting
}

// live reports whether it has a session.
func (co *concurrency) live(now time.Time) bool {
	p := co.phase(now)
	return p == running || p == waiting
}

// lapsed reports whether it was reserved and not used in time.
func (co *concurrency) lapsed() bool { return co.Session == nil && !co.Destroyed }

// countPlayers counts the room's players, including the host if it is one.
func (s *session) countPlayers(now time.Time) int {
	n := 0
	if s.Role != viewer {
		n++
	}
	for _, g := range s.Players {
		if !g.gone(now) {
			n++
		}
	}
	return n
}

// Reindex rebuilds the unexported fields.
func (st *state) Reindex() error {
	st.accounts, st.projects = map[string]int{}, map[string]int{}
	st.pools, st.users, st.guests = map[string]*pool{}, map[string]*concurrency{}, map[string]*concurrency{}
	st.inProgress, st.bytes = map[string]int{}, 0
	for i := range st.Accounts {
		id := st.Accounts[i].SecretID
		if _, twice := st.accounts[id]; twice || id == "" {
			return fmt.Errorf("accounts: the secretId %q appears twice or is empty", id)
		}
		st.accounts[id] = i
	}
	for i := range st.Projects {
		id := st.Projects[i].ProjectID
		if _, twice := st.projects[id]; twice || id == "" {
			return fmt.Errorf("projects: the project_id %q appears twice or is empty", id)
		}
		st.projects[id] = i
	}
	return st.reindexConcurrencies()
}

func (st *state) reindexConcurrencies() error {
	if st.Concurrencies == nil {
		st.Concurrencies = map[string]*concurrency{}
	}
	for _, id := range slices.Sorted(maps.Keys(st.Concurrencies)) {
		co := st.Concurrencies[id]
		if co == nil || co.ID != id || co.ID != concurrencyID(co.ProjectID, co.Index) || co.Index < 0 || co.Index >= maxAmount {
			return fmt.Errorf("concurrencies: %q does not fit its id, project_id and index", id)
		}
		if co.UserID != "" {
			if other := st.users[co.UserID]; other != nil {
				return fmt.Errorf("concurrencies: the user %q has both %s and %s", co.UserID, other.ID, id)
			}
			st.users[co.UserID] = co
		}
		if s := co.Session; s != nil {
			for _, members := range [...]map[string]*guest{s.Players, s.Viewers} {
				for user, g := range members {
					if g == nil || st.guests[user] != nil {
						return fmt.Errorf("concurrencies: the guest %q of %s is in two rooms or is null", user, id)
					}
					st.guests[user] = co
				}
			}
		}
		p := st.pool(co.ProjectID)
		p.take(co.Index)
		p.insert(co)
		st.weigh(co)
	}
	return nil
}

// Identifiers lists the SecretIds: nothing else that a caller sends was issued by
// the service.
func (st *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range st.Accounts {
			if !yield(st.Accounts[i].SecretID) {
				return
			}
		}
	}
}

// Credentials are the keys of the first account.
func (st *state) Credentials() contract.Values {
	a := st.firstAccount()
	return contract.Values{"secretId": a.SecretID, "secretKey": a.SecretKey}
}

// Secrets yields the keys and tokens of the accounts.
func (st *state) Secrets() iter.Seq[*string] {
	return func(yield func(*string) bool) {
		for i := range st.Accounts {
			if !yield(&st.Accounts[i].SecretKey) || !yield(&st.Accounts[i].Token) {
				return
			}
		}
	}
}

// firstAccount returns the first account, or an empty one.
func (st *state) firstAccount() *account {
	if len(st.Accounts) == 0 {
		return &account{}
	}
	return &st.Accounts[0]
}

// account finds an account, or returns nil. Nothing writes an account that calls
// may know, but for its derived key, so checks may read one after WithState has
// returned.
func (st *state) account(id string) *account {
	i, ok := st.accounts[id]
	if !ok {
		return nil
	}
	return &st.Accounts[i]
}

// project finds a project. For an unknown id it returns the default project and
// false.
func (st *state) project(id string) (*project, bool) {
	if i, ok := st.projects[id]; ok {
		return &st.Projects[i], true
	}
	return st.defaultProject(id), false
}

// defaultProject is used for an unknown project when a scenario makes a call for
// it succeed.
func (st *state) defaultProject(id string) *project {
	p := project{}
	if len(st.Projects) > 0 {
		p = st.Projects[0]
	}
	p.ProjectID = id
	return &p
}

// projectOf is the project of a concurrency.
func (st *state) projectOf(co *concurrency) *project {
	p, _ := st.project(co.ProjectID)
	return p
}

// application finds an application.
func (st *state) application(id string) (application, bool) {
	for _, a := range st.Applications {
		if a.ApplicationID == id {
			return a, true
		}
	}
	return application{}, false
}

// pool returns the pool of a project, and makes it if there is none.
func (st *state) pool(id string) *pool {
	p := st.pools[id]
	if p == nil {
		p = &pool{}
		st.pools[id] = p
	}
	return p
}

// vacancy returns idle if a project has an idle concurrency, preload if one is
// about to become idle, and running otherwise.
func (st *state) vacancy(p *project, now time.Time) phase {
	pool := st.pools[p.ProjectID]
	if pool == nil {
		if p.Amount > 0 {
			return idle
		}
		return running
	}
	if pool.busy.countInUse(now) < p.Amount {
		return idle
	}
	if len(pool.busy) > 0 && pool.busy[0].phase(now) == preload {
		return preload
	}
	return running
}

// forgetIdle deletes a project's concurrencies that are idle again. Every Do
// begins with it.
func (st *state) forgetIdle(projectID string, now time.Time) *pool {
	p := st.pool(projectID)
	for len(p.busy) > 0 && p.busy[0].phase(now) == idle {
		st.remove(p, p.busy[0])
	}
	return p
}

// remove deletes a concurrency, which is idle then.
func (st *state) remove(p *pool, co *concurrency) {
	p.remove(co)
	st.bytes -= co.size
	delete(st.Concurrencies, co.ID)
	if st.users[co.UserID] == co {
		delete(st.users, co.UserID)
	}
	st.dissolveRoom(co)
}

// dissolveRoom removes all guests of a room.
func (st *state) dissolveRoom(co *concurrency) {
	s := co.Session
	if s == nil {
		return
	}
	for _, members := range [...]map[string]*guest{s.Players, s.Viewers} {
		for user := range members {
			delete(st.guests, user)
		}
	}
	s.Players, s.Viewers = nil, nil
}

// reserve gives a user the idle concurrency with the lowest number. If none is
// idle, because a scenario makes the call succeed, the project gets one more.
func (st *state) reserve(user, projectID string, now time.Time) *concurrency {
	p := st.forgetIdle(projectID, now)
	index := p.takeLowest()
	co := &concurrency{ID: concurrencyID(projectID, index), ProjectID: projectID, Index: index, UserID: user, Applied: now}
	st.detachUser(user)
	st.users[user] = co
	st.Concurrencies[co.ID] = co
	p.insert(co)
	st.weigh(co)
	return co
}

// About how many bytes a concurrency, a session and a guest take beside the texts of
// calls, their share of maps and of the heap included.
const (
	concurrencyCost = 640
	sessionCost     = 384
	guestCost       = 400
)

// weigh counts the bytes of a concurrency anew.
func (st *state) weigh(co *concurrency) {
	size := concurrencyCost + len(co.UserID) + len(co.ApplicationID) + len(co.ApplicationVersionID)
	if s := co.Session; s != nil {
		size += sessionCost + len(s.UserIP) + len(s.Launch) + len(s.PublishURL) + len(s.PublishArgs)
	}
	st.bytes += size - co.size
	co.size = size
}

// Weight returns about how many bytes concurrencies, their sessions and guests take.
func (st *state) Weight() int64 { return int64(st.bytes + guestCost*len(st.guests)) }

// detachUser separates a user from an earlier concurrency that is still being
// cleaned.
func (st *state) detachUser(user string) {
	if old := st.users[user]; old != nil {
		old.UserID = ""
		delete(st.users, user)
	}
}

// setEnd sets when a concurrency is released, and with that when it is cleaned and
// ready. The zero time keeps it until a call or a trigger releases it.
func (st *state) setEnd(c *contract.Call, co *concurrency, ends time.Time) {
	before := co.Ready
	co.Ends, co.Cleaned, co.Ready = ends, never, never
	if !ends.IsZero() {
		co.Cleaned = ends.Add(c.Switches.Duration("cleaning"))
		co.Ready = co.Cleaned
		if p := st.projectOf(co); p.IsPreload {
			co.Ready = co.Cleaned.Add(c.Switches.Duration("preload"))
		}
	}
	if !co.Ready.Equal(before) {
		st.pool(co.ProjectID).fix(co)
	}
}

// destroy releases a concurrency at once and ends its session.
func (st *state) destroy(c *contract.Call, co *concurrency, now time.Time) {
	co.Destroyed = true
	st.dissolveRoom(co)
	if co.Session != nil {
		co.Session.Publishing = false
	}
	st.setEnd(c, co, now)
}

// roomOf finds the concurrency in whose room a user is a guest; nil if there is
// none.
func (st *state) roomOf(user string, now time.Time) *concurrency {
	co := st.guests[user]
	if co == nil || !co.live(now) {
		return nil
	}
	if g := co.Session.guest(user); g == nil || g.gone(now) {
		return nil
	}
	return co
}

// leaveRoom removes a guest from its room.
func (st *state) leaveRoom(user string) {
	if co := st.guests[user]; co != nil {
		delete(co.Session.Players, user)
		delete(co.Session.Viewers, user)
		delete(st.guests, user)
	}
}

// guest finds a guest of the room; nil if there is none.
func (s *session) guest(user string) *guest {
	if g := s.Players[user]; g != nil {
		return g
	}
	return s.Viewers[user]
}

// beginRequest counts a request of a user as in progress until endRequest.
func (st *state) beginRequest(user string) {
	if user != "" {
		st.inProgress[user]++
	}
}

// endRequest counts a request of a user as over.
func (st *state) endRequest(user string) {
	if st.inProgress[user]--; st.inProgress[user] <= 0 {
		delete(st.inProgress, user)
	}
}

// requestSent ends the request of a call: its answer was sent or could not be.
func requestSent(c *contract.Call) {
	if st, ok := c.State.(*state); ok {
		st.endRequest(c.In.Text("UserId"))
	}
}

func concurrencyID(projectID string, index int) string {
	return projectID + "/" + strconv.Itoa(index)
}

// sandboxTime is the sandbox's time as the state stores it: without a monotonic
// reading and in UTC, so that a snapshot has the same bytes after a restore.
func sandboxTime(c *contract.Call) time.Time { return c.Now.Round(0).UTC() }
