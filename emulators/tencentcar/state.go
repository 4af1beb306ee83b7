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

// A state is what the service remembers in one sandbox.
//
// Nothing ticks: a concurrency keeps the instants at which it will be let go,
// cleaned and ready again, and its phase is read off them. So Decide sees the
// truth without writing, and settle forgets what is idle again.
type state struct {
	Accounts      []account               `json:"accounts"`
	Projects      []project               `json:"projects"`
	Applications  []application           `json:"applications"`
	Standing      map[string]string       `json:"standing"` // ProjectId by UserId: reservations that never lapse
	Lists         accessLists             `json:"gate"`
	Concurrencies map[string]*concurrency `json:"concurrencies"` // those in use, by id

	accounts    map[string]int
	projects    map[string]int
	pools       map[string]*pool        // by ProjectId
	users       map[string]*concurrency // by UserId of who has it
	guests      map[string]*concurrency // by UserId of who is in its room
	inProgress  map[string]int          // requests in progress, by UserId
	derivedKeys map[string]derived      // the signing key last derived, by SecretId
}

// A gate holds the lists that checks ask.
type accessLists struct {
	Regions   []string `json:"regions,omitempty"`
	Offline   []string `json:"offline,omitempty"`
	Blacklist []string `json:"blacklist,omitempty"`
	Whitelist []string `json:"whitelist,omitempty"`
}

// An account is a pair of keys and what it may do.
type account struct {
	SecretID     string    `json:"secretId"`
	SecretKey    string    `json:"secretKey"`
	Token        string    `json:"token,omitempty"` // of a temporary key
	TokenExpires time.Time `json:"token_expires,omitzero"`
	Uin          string    `json:"uin,omitempty"` // keys of one sub-account share its rate limits
	Status       string    `json:"status,omitempty"`
	Deny         []string  `json:"deny,omitempty"` // actions that CAM denies; * for all

	unknown bool // known to no fixture: let in where proof is not looked at
}

// A project is what the console configures, and how many concurrencies are
// bound to it.
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

// An application is what runs on a concurrency.
type application struct {
	ApplicationID string   `json:"application_id" yaml:"application_id"`
	Versions      []string `json:"versions,omitempty" yaml:"versions"`
	PathMissing   bool     `json:"path_missing,omitempty" yaml:"path_missing"`
}

// A concurrency is one machine that serves one user. The world has a record of
// those that are not idle.
type concurrency struct {
	ID        string `json:"id"`
	ProjectID string `json:"project_id"`
	Index     int    `json:"index"`
	UserID    string `json:"user_id,omitempty"` // "": who had it has moved on

	ApplicationID        string    `json:"application_id,omitempty"`
	ApplicationVersionID string    `json:"application_version_id,omitempty"`
	Applied              time.Time `json:"applied"`
	Session              *session  `json:"session,omitempty"`
	Lost                 time.Time `json:"lost,omitzero"` // when the client went
	Destroyed            bool      `json:"destroyed,omitempty"`

	Ends    time.Time `json:"ends,omitzero"` // when it is let go; zero: when somebody does
	Cleaned time.Time `json:"cleaned,omitzero"`
	Ready   time.Time `json:"ready,omitzero"` // when it is idle again

	heapIndex int // where it stands in its pool
}

// A session is a user on a concurrency.
type session struct {
	Created       time.Time         `json:"created"`
	RequestID     string            `json:"request_id"` // of the latest CreateSession
	UserIP        string            `json:"user_ip,omitempty"`
	RunMode       string            `json:"run_mode,omitempty"`
	Launch        string            `json:"launch,omitempty"` // with what the application was started
	Room          bool              `json:"room,omitempty"`   // multi-person interaction
	Role          string            `json:"role,omitempty"`
	Players       map[string]*guest `json:"players,omitempty"` // by UserId, the host not among them
	Viewers       map[string]*guest `json:"viewers,omitempty"`
	Publishing    bool              `json:"publishing,omitempty"`
	PublishURL    string            `json:"publish_url,omitempty"`
	PublishArgs   string            `json:"publish_args,omitempty"`
	ClientsBefore int               `json:"clients_before,omitempty"` // dropped by a repeated CreateSession
}

// A guest is somebody in another's room.
type guest struct {
	Joined    time.Time `json:"joined"`
	RequestID string    `json:"request_id"`
	Ends      time.Time `json:"ends,omitzero"` // when its place is given up after its client was lost
}

func (g *guest) gone(now time.Time) bool { return !g.Ends.IsZero() && !now.Before(g.Ends) }

// A phase is where a concurrency stands in its life.
type phase int

const (
	idle phase = iota
	reserved
	running
	waiting  // for the client to reconnect
	cleaning // being recovered
	preload  // being launched ahead of the next user
)

// never is when what somebody has to end, ends by itself.
var never time.Time

// phase reads the phase off the instants.
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

// held reports whether the concurrency is its user's.
func (co *concurrency) held(now time.Time) bool {
	p := co.phase(now)
	return p == reserved || p == running || p == waiting
}

// live reports whether a session is on it.
func (co *concurrency) live(now time.Time) bool {
	p := co.phase(now)
	return p == running || p == waiting
}

// lapsed reports whether it was reserved and never used in time.
func (co *concurrency) lapsed() bool { return co.Session == nil && !co.Destroyed }

// players counts the room's players, the host among them if it is one.
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

// Reindex rebuilds the indices.
func (st *state) Reindex() error {
	st.accounts, st.projects = map[string]int{}, map[string]int{}
	st.pools, st.users, st.guests = map[string]*pool{}, map[string]*concurrency{}, map[string]*concurrency{}
	st.inProgress, st.derivedKeys = map[string]int{}, map[string]derived{}
	for i := range st.Accounts {
		id := st.Accounts[i].SecretID
		if _, twice := st.accounts[id]; twice || id == "" {
			return fmt.Errorf("accounts: the secretId %q stands twice or is empty", id)
		}
		st.accounts[id] = i
	}
	for i := range st.Projects {
		id := st.Projects[i].ProjectID
		if _, twice := st.projects[id]; twice || id == "" {
			return fmt.Errorf("projects: the project_id %q stands twice or is empty", id)
		}
		st.projects[id] = i
	}
	return st.reindexConcurrencies()
}

func (st *state) reindexConcurrencies() error {
	if st.Concurrencies == nil {
		st.Concurrencies = map[string]*concurrency{}
	}
	taken := map[string][]int{}
	for _, id := range slices.Sorted(maps.Keys(st.Concurrencies)) {
		co := st.Concurrencies[id]
		if co == nil || co.ID != id || co.ID != concurrencyID(co.ProjectID, co.Index) || co.Index < 0 || co.Index >= maxAmount {
			return fmt.Errorf("concurrencies: %q does not say that it is itself", id)
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
		st.pool(co.ProjectID).insert(co)
		taken[co.ProjectID] = append(taken[co.ProjectID], co.Index)
	}
	for id, indices := range taken {
		st.pools[id].rebuild(indices)
	}
	return nil
}

// Identifiers lists the SecretIds: nothing else that a caller sends was handed out
// by the service.
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

func (st *state) firstAccount() *account {
	if len(st.Accounts) == 0 {
		return &account{}
	}
	return &st.Accounts[0]
}

// account finds an account, or returns nil. Accounts are never written, so they
// may be read once Look is over.
func (st *state) account(id string) *account {
	i, ok := st.accounts[id]
	if !ok {
		return nil
	}
	return &st.Accounts[i]
}

// project finds a project, or tells what an unknown one is taken to be.
func (st *state) project(id string) (project, bool) {
	if i, ok := st.projects[id]; ok {
		return st.Projects[i], true
	}
	return st.defaultProject(id), false
}

// likeness is what an unknown project is taken to be where a scenario has a
// call for it succeed.
func (st *state) defaultProject(id string) project {
	p := project{}
	if len(st.Projects) > 0 {
		p = st.Projects[0]
	}
	p.ProjectID = id
	return p
}

// projectOf is the project that a concurrency belongs to.
func (st *state) projectOf(co *concurrency) project {
	p, _ := st.project(co.ProjectID)
	return p
}

func (st *state) application(id string) (application, bool) {
	for _, a := range st.Applications {
		if a.ApplicationID == id {
			return a, true
		}
	}
	return application{}, false
}

func (st *state) pool(id string) *pool {
	p := st.pools[id]
	if p == nil {
		p = &pool{}
		st.pools[id] = p
	}
	return p
}

// vacancy says whether a project has an idle concurrency, and if not, whether
// one is about to become idle.
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

// settle forgets what is idle again. Every Do begins with it.
func (st *state) forgetIdle(projectID string, now time.Time) *pool {
	p := st.pool(projectID)
	for len(p.busy) > 0 && p.busy[0].phase(now) == idle {
		st.remove(p, p.busy[0])
	}
	return p
}

func (st *state) remove(p *pool, co *concurrency) {
	p.remove(co)
	delete(st.Concurrencies, co.ID)
	if st.users[co.UserID] == co {
		delete(st.users, co.UserID)
	}
	st.dissolveRoom(co)
}

// dissolve sends the guests of a room away.
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

// reserve gives a user the idle concurrency with the lowest number. Where a
// scenario has it succeed and none is idle, the project gets one more.
func (st *state) reserve(user, projectID string, now time.Time) *concurrency {
	p := st.forgetIdle(projectID, now)
	index := p.takeLowest()
	co := &concurrency{ID: concurrencyID(projectID, index), ProjectID: projectID, Index: index, UserID: user, Applied: now}
	st.detachUser(user)
	st.users[user] = co
	st.Concurrencies[co.ID] = co
	p.insert(co)
	return co
}

// leave has a user let go of what is left of an earlier concurrency.
func (st *state) detachUser(user string) {
	if old := st.users[user]; old != nil {
		old.UserID = ""
		delete(st.users, user)
	}
}

// until sets when a concurrency is let go, and with that when it is cleaned
// and ready; the zero time keeps it until somebody lets it go.
func (st *state) setEnd(c *contract.Call, co *concurrency, ends time.Time) {
	co.Ends, co.Cleaned, co.Ready = ends, never, never
	if !ends.IsZero() {
		co.Cleaned = ends.Add(c.Switches.Duration("cleaning"))
		co.Ready = co.Cleaned
		if p := st.projectOf(co); p.IsPreload {
			co.Ready = co.Cleaned.Add(c.Switches.Duration("preload"))
		}
	}
	st.pool(co.ProjectID).fix(co)
}

// destroy lets a concurrency go at once, and with it all that ran on it.
func (st *state) destroy(c *contract.Call, co *concurrency, now time.Time) {
	co.Destroyed = true
	st.dissolveRoom(co)
	if co.Session != nil {
		co.Session.Publishing = false
	}
	st.setEnd(c, co, now)
}

// room finds the room that a user is a guest of; nil where it is in none.
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

// depart takes a guest out of the room it is in.
func (st *state) leaveRoom(user string) {
	if co := st.guests[user]; co != nil {
		delete(co.Session.Players, user)
		delete(co.Session.Viewers, user)
		delete(st.guests, user)
	}
}

func (s *session) guest(user string) *guest {
	if g := s.Players[user]; g != nil {
		return g
	}
	return s.Viewers[user]
}

// begin counts a request of a user as in progress, end as over.
func (st *state) beginRequest(user string) {
	if user != "" {
		st.inProgress[user]++
	}
}

func (st *state) endRequest(user string) {
	if st.inProgress[user]--; st.inProgress[user] <= 0 {
		delete(st.inProgress, user)
	}
}

// sent ends what begin began: the answer has left or could not.
func requestSent(c *contract.Call) {
	if st, ok := c.State.(*state); ok {
		st.endRequest(c.In.Text("UserId"))
	}
}

func concurrencyID(projectID string, index int) string {
	return projectID + "/" + strconv.Itoa(index)
}

// instant is the sandbox's time as it is kept: without a monotonic reading and
// in one zone, so that a snapshot restored and taken again has the same bytes.
func sandboxTime(c *contract.Call) time.Time { return c.Now.Round(0).UTC() }
