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
	Gate          gate                    `json:"gate"`
	Concurrencies map[string]*concurrency `json:"concurrencies"` // those in use, by id

	accounts map[string]int
	projects map[string]int
	pools    map[string]*pool        // by ProjectId
	users    map[string]*concurrency // by UserId of who has it
	guests   map[string]*concurrency // by UserId of who is in its room
	inside   map[string]int          // requests in progress, by UserId
	keys     map[string]derived      // the signing key last derived, by SecretId
}

// A gate holds the lists that checks ask.
type gate struct {
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

	strange bool // known to no fixture: let in where proof is not looked at
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

	at int // where it stands in its pool
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
func (n *concurrency) phase(now time.Time) phase {
	switch {
	case n == nil:
		return idle
	case n.Ends.IsZero() || now.Before(n.Ends):
		switch {
		case n.Session == nil:
			return reserved
		case n.Lost.IsZero():
			return running
		}
		return waiting
	case now.Before(n.Cleaned):
		return cleaning
	case now.Before(n.Ready):
		return preload
	}
	return idle
}

// held reports whether the concurrency is its user's.
func (n *concurrency) held(now time.Time) bool {
	p := n.phase(now)
	return p == reserved || p == running || p == waiting
}

// live reports whether a session is on it.
func (n *concurrency) live(now time.Time) bool {
	p := n.phase(now)
	return p == running || p == waiting
}

// lapsed reports whether it was reserved and never used in time.
func (n *concurrency) lapsed() bool { return n.Session == nil && !n.Destroyed }

// players counts the room's players, the host among them if it is one.
func (s *session) players(now time.Time) int {
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
func (w *state) Reindex() error {
	w.accounts, w.projects = map[string]int{}, map[string]int{}
	w.pools, w.users, w.guests = map[string]*pool{}, map[string]*concurrency{}, map[string]*concurrency{}
	w.inside, w.keys = map[string]int{}, map[string]derived{}
	for i := range w.Accounts {
		id := w.Accounts[i].SecretID
		if _, twice := w.accounts[id]; twice || id == "" {
			return fmt.Errorf("accounts: the secretId %q stands twice or is empty", id)
		}
		w.accounts[id] = i
	}
	for i := range w.Projects {
		id := w.Projects[i].ProjectID
		if _, twice := w.projects[id]; twice || id == "" {
			return fmt.Errorf("projects: the project_id %q stands twice or is empty", id)
		}
		w.projects[id] = i
	}
	return w.reindexConcurrencies()
}

func (w *state) reindexConcurrencies() error {
	if w.Concurrencies == nil {
		w.Concurrencies = map[string]*concurrency{}
	}
	taken := map[string][]int{}
	for _, id := range slices.Sorted(maps.Keys(w.Concurrencies)) {
		n := w.Concurrencies[id]
		if n == nil || n.ID != id || n.ID != concurrencyID(n.ProjectID, n.Index) || n.Index < 0 || n.Index >= maxAmount {
			return fmt.Errorf("concurrencies: %q does not say that it is itself", id)
		}
		if n.UserID != "" {
			if other := w.users[n.UserID]; other != nil {
				return fmt.Errorf("concurrencies: the user %q has both %s and %s", n.UserID, other.ID, id)
			}
			w.users[n.UserID] = n
		}
		if s := n.Session; s != nil {
			for _, members := range [...]map[string]*guest{s.Players, s.Viewers} {
				for user, g := range members {
					if g == nil || w.guests[user] != nil {
						return fmt.Errorf("concurrencies: the guest %q of %s is in two rooms or is null", user, id)
					}
					w.guests[user] = n
				}
			}
		}
		w.pool(n.ProjectID).insert(n)
		taken[n.ProjectID] = append(taken[n.ProjectID], n.Index)
	}
	for id, indices := range taken {
		w.pools[id].restore(indices)
	}
	return nil
}

// Identifiers lists the SecretIds: nothing else that a caller sends was handed out
// by the service.
func (w *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range w.Accounts {
			if !yield(w.Accounts[i].SecretID) {
				return
			}
		}
	}
}

// Credentials are the keys of the first account.
func (w *state) Credentials() contract.Values {
	a := w.first()
	return contract.Values{"secretId": a.SecretID, "secretKey": a.SecretKey}
}

func (w *state) first() *account {
	if len(w.Accounts) == 0 {
		return &account{}
	}
	return &w.Accounts[0]
}

// account finds an account, or returns nil. Accounts are never written, so they
// may be read once Look is over.
func (w *state) account(id string) *account {
	i, ok := w.accounts[id]
	if !ok {
		return nil
	}
	return &w.Accounts[i]
}

// project finds a project, or tells what an unknown one is taken to be.
func (w *state) project(id string) (project, bool) {
	if i, ok := w.projects[id]; ok {
		return w.Projects[i], true
	}
	return w.likeness(id), false
}

// likeness is what an unknown project is taken to be where a scenario has a
// call for it succeed.
func (w *state) likeness(id string) project {
	p := project{}
	if len(w.Projects) > 0 {
		p = w.Projects[0]
	}
	p.ProjectID = id
	return p
}

// projectOf is the project that a concurrency belongs to.
func (w *state) projectOf(n *concurrency) project {
	p, _ := w.project(n.ProjectID)
	return p
}

func (w *state) application(id string) (application, bool) {
	for _, a := range w.Applications {
		if a.ApplicationID == id {
			return a, true
		}
	}
	return application{}, false
}

func (w *state) pool(id string) *pool {
	p := w.pools[id]
	if p == nil {
		p = &pool{}
		w.pools[id] = p
	}
	return p
}

// vacancy says whether a project has an idle concurrency, and if not, whether
// one is about to become idle.
func (w *state) vacancy(p *project, now time.Time) phase {
	pool := w.pools[p.ProjectID]
	if pool == nil {
		if p.Amount > 0 {
			return idle
		}
		return running
	}
	if pool.busy.count(now) < p.Amount {
		return idle
	}
	if len(pool.busy) > 0 && pool.busy[0].phase(now) == preload {
		return preload
	}
	return running
}

// settle forgets what is idle again. Every Do begins with it.
func (w *state) settle(projectID string, now time.Time) *pool {
	p := w.pool(projectID)
	for len(p.busy) > 0 && p.busy[0].phase(now) == idle {
		w.forget(p, p.busy[0])
	}
	return p
}

func (w *state) forget(p *pool, n *concurrency) {
	p.remove(n)
	delete(w.Concurrencies, n.ID)
	if w.users[n.UserID] == n {
		delete(w.users, n.UserID)
	}
	w.dissolve(n)
}

// dissolve sends the guests of a room away.
func (w *state) dissolve(n *concurrency) {
	s := n.Session
	if s == nil {
		return
	}
	for _, members := range [...]map[string]*guest{s.Players, s.Viewers} {
		for user := range members {
			delete(w.guests, user)
		}
	}
	s.Players, s.Viewers = nil, nil
}

// reserve gives a user the idle concurrency with the lowest number. Where a
// scenario has it succeed and none is idle, the project gets one more.
func (w *state) reserve(user, projectID string, now time.Time) *concurrency {
	p := w.settle(projectID, now)
	index := p.lowest()
	n := &concurrency{ID: concurrencyID(projectID, index), ProjectID: projectID, Index: index, UserID: user, Applied: now}
	w.leave(user)
	w.users[user] = n
	w.Concurrencies[n.ID] = n
	p.insert(n)
	return n
}

// leave has a user let go of what is left of an earlier concurrency.
func (w *state) leave(user string) {
	if old := w.users[user]; old != nil {
		old.UserID = ""
		delete(w.users, user)
	}
}

// until sets when a concurrency is let go, and with that when it is cleaned
// and ready; the zero time keeps it until somebody lets it go.
func (w *state) until(c *contract.Call, n *concurrency, ends time.Time) {
	n.Ends, n.Cleaned, n.Ready = ends, never, never
	if !ends.IsZero() {
		n.Cleaned = ends.Add(c.Switches.Duration("cleaning"))
		n.Ready = n.Cleaned
		if p := w.projectOf(n); p.IsPreload {
			n.Ready = n.Cleaned.Add(c.Switches.Duration("preload"))
		}
	}
	w.pool(n.ProjectID).fix(n)
}

// destroy lets a concurrency go at once, and with it all that ran on it.
func (w *state) destroy(c *contract.Call, n *concurrency, now time.Time) {
	n.Destroyed = true
	w.dissolve(n)
	if n.Session != nil {
		n.Session.Publishing = false
	}
	w.until(c, n, now)
}

// room finds the room that a user is a guest of; nil where it is in none.
func (w *state) room(user string, now time.Time) *concurrency {
	n := w.guests[user]
	if n == nil || !n.live(now) {
		return nil
	}
	if g := n.Session.guest(user); g == nil || g.gone(now) {
		return nil
	}
	return n
}

// depart takes a guest out of the room it is in.
func (w *state) depart(user string) {
	if n := w.guests[user]; n != nil {
		delete(n.Session.Players, user)
		delete(n.Session.Viewers, user)
		delete(w.guests, user)
	}
}

func (s *session) guest(user string) *guest {
	if g := s.Players[user]; g != nil {
		return g
	}
	return s.Viewers[user]
}

// begin counts a request of a user as in progress, end as over.
func (w *state) begin(user string) {
	if user != "" {
		w.inside[user]++
	}
}

func (w *state) end(user string) {
	if w.inside[user]--; w.inside[user] <= 0 {
		delete(w.inside, user)
	}
}

// sent ends what begin began: the answer has left or could not.
func sent(c *contract.Call) {
	if w, ok := c.State.(*state); ok {
		w.end(c.In.Text("UserId"))
	}
}

func concurrencyID(projectID string, index int) string {
	return projectID + "/" + strconv.Itoa(index)
}

// instant is the sandbox's time as it is kept: without a monotonic reading and
// in one zone, so that a snapshot restored and taken again has the same bytes.
func instant(c *contract.Call) time.Time { return c.Now.Round(0).UTC() }
