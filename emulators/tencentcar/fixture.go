package tencentcar

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// maxAmount limits the numbers of concurrencies, so that a faulty snapshot cannot
// exhaust the memory.
const maxAmount = 1 << 20

// The statuses of an account in a fixture. An active one, or one without a status,
// may call; each other status has an outcome (checkStatus, checkToken).
const (
	activeStatus   = "active"
	disabledStatus = "disabled"
	deletedStatus  = "deleted"
	noKeyStatus    = "no_api_key"
	mfaStatus      = "mfa"
)

// switches are settings of the service that no client can change, and values that
// are not documented.
var switches = []contract.Param{
	{
		Name: "verifier", OneOf: []string{"lenient", "strict"}, Default: "lenient",
		Doc: "lenient takes the signatures that each SDK makes for a local endpoint: the Node SDK signs the host without its port, and it and the Java SDK name a service of their own in the scope. strict takes the documented form alone, with car as the service.",
	},
	{Name: "skip_signature", Type: contract.Boolean, Default: false, Cite: citeCommon, Doc: "Whether Authorization: SKIP, which SDKs send when they are configured not to sign, is accepted. No action of CAR is known to accept it."},
	{Name: "rate_limits", Type: contract.Boolean, Default: true, Cite: citeRates, Doc: "Whether calls beyond an action's documented number per second are refused."},
	{Name: "empty_region", OneOf: []string{"accept", "refuse"}, Default: "accept", Doc: "What happens with a region that is sent and empty. A sibling service refused an empty X-TC-Region. CAR does not use a region, and the Go SDK always sends an empty one with signature v1."},
	{Name: "server_session", OneOf: []string{"generated", "documented"}, Default: "generated", Cite: citeCreate, Doc: "generated: an object as the web SDK reads it, made from the request. documented: always eyJ4dHoiOjc4OX0=, as the page prints it."},
	{Name: "clients", OneOf: []string{"assumed", "told"}, Default: "assumed", Doc: "assumed: the client counts as connected from CreateSession on, until the trigger client.lost. told: the reconnect window runs from CreateSession until the trigger client.attached."},
	{Name: "reservation", Type: contract.Duration, Default: time.Minute, Doc: "How long a reservation lasts between ApplyConcurrent and CreateSession. It is published nowhere."},
	{Name: "reconnect", Type: contract.Duration, Default: 90 * time.Second, Cite: citeFAQ, Doc: "How long a concurrency is held for a client that was lost, where its project does not say otherwise."},
	{Name: "cleaning", Type: contract.Duration, Default: 2 * time.Second, Doc: "How long a concurrency is recovered after a user left. That it takes time is documented, how much is not."},
	{Name: "preload", Type: contract.Duration, Default: 2 * time.Second, Doc: "How long the pre-launch takes after the cleaning, in projects that have it."},
	{Name: "players", Type: contract.Integer, Min: 1, Max: 1000, Default: int64(7), Cite: citeRooms, Doc: "How many players a room takes, the host among them. The figure is that of the sister product Cloud Gaming; viewers are unlimited."},
	{Name: "push_domain", Type: contract.Boolean, Default: true, Doc: "Whether a live-streaming push domain is bound. Without one StartPublishStream ends in OperationDenied."},
	{Name: "user_id_max", Type: contract.Integer, Min: 1, Max: 1 << 20, Default: int64(128), Doc: "The longest UserId, in characters. No limit is published."},
	{Name: "client_session_max", Type: contract.Integer, Min: 1, Max: 10 << 20, Default: int64(1 << 20), Doc: "The longest ClientSession, in bytes. No limit is published."},
}

// fixtureRows are the keys of a fixture file.
var fixtureRows = []contract.Param{
	{
		Name: "accounts", Type: contract.List, Of: contract.Object, Doc: "The keys that callers may sign with.",
		Fields: []contract.Param{
			{Name: "secretId", Need: contract.Required, Doc: "The SecretId."},
			{Name: "secretKey", Need: contract.Required, Doc: "The SecretKey."},
			{Name: "token", Doc: "The session token, which makes the key a temporary one. Calls must carry it in X-TC-Token or Token."},
			{Name: "token_lives", Type: contract.Duration, Doc: "How long the token is valid after the sandbox is created. Without it: for ever."},
			{Name: "uin", Doc: "The sub-account. Keys of one share their rate limits."},
			{Name: "status", OneOf: []string{activeStatus, disabledStatus, deletedStatus, noKeyStatus, mfaStatus}, Doc: "active unless said otherwise. disabled and deleted end in AuthFailure.SecretIdNotFound, no_api_key in AuthFailure.InvalidSecretId, mfa in AuthFailure.MFAFailure."},
			{Name: "deny", Type: contract.List, Of: contract.String, Doc: "The actions that CAM denies to this key; * for all."},
		},
	},
	{
		Name: "projects", Type: contract.List, Of: contract.Object, Doc: "The projects of the console.",
		Fields: []contract.Param{
			{Name: "project_id", Need: contract.Required, Example: "cap-abcdefgh", Cite: citeIntl, Doc: "The ProjectId."},
			{Name: "amount", Type: contract.Integer, Need: contract.Required, Min: 0, Max: 100000, Doc: "How many concurrencies are bound to it."},
			{Name: "project_type", OneOf: []string{"EXCLUSIVE", "SHARED"}, Cite: citeIntl, Doc: "EXCLUSIVE unless said otherwise; SHARED takes an ApplicationId."},
			{Name: "project_category", OneOf: []string{"DESKTOP", "MOBILE"}, Cite: citeIntl, Doc: "DESKTOP unless said otherwise."},
			{Name: "type", OneOf: []string{"S1", "M1", "L1", "L2", "XL2", "MM1_HD", "MM1_FHD"}, Cite: citeIntl, Doc: "The size of its concurrencies; M1 unless said otherwise."},
			{Name: "is_preload", Type: contract.Boolean, Cite: citeIntl, Doc: "Whether the application is launched ahead of the user."},
			{Name: "reconnect_timeout", Type: contract.Duration, Cite: citeIntl, Doc: "How long a lost client may take to come back; the switch reconnect unless said otherwise."},
			{Name: "application_params", Cite: citeIntl, Doc: "The launch arguments of the console. ApplicationParameters follow them."},
			{Name: "application_ids", Type: contract.List, Of: contract.String, Doc: "What runs there: the first one, or in a SHARED project the one that ApplyConcurrent names."},
		},
	},
	{
		Name: "applications", Type: contract.List, Of: contract.Object, Doc: "The applications of the console.",
		Fields: []contract.Param{
			{Name: "application_id", Need: contract.Required, Example: "app-a1b2c3d4", Cite: citeIntl, Doc: "The ApplicationId."},
			{Name: "versions", Type: contract.List, Of: contract.String, Doc: "The ids of its versions, ver-…."},
			{Name: "path_missing", Type: contract.Boolean, Doc: "Whether it has no program to start, so that CreateSession ends in FailedOperation.PathNotFound."},
		},
	},
	{
		Name: "reservations", Type: contract.List, Of: contract.Object, Doc: "Users who need no ApplyConcurrent: a concurrency is taken for them when they create a session.",
		Fields: []contract.Param{
			{Name: "user_id", Need: contract.Required, Example: "cg_user", Doc: "The UserId."},
			{Name: "project_id", Need: contract.Required, Example: "cap-abcdefgh", Doc: "The project that the concurrency is taken from."},
		},
	},
	{
		Name: "sessions", Type: contract.List, Of: contract.Object, Doc: "Sessions that run from the beginning.",
		Fields: []contract.Param{
			{Name: "user_id", Need: contract.Required, Doc: "The UserId."},
			{Name: "project_id", Need: contract.Required, Doc: "The project."},
			{Name: "run_mode", OneOf: []string{"", runWithoutClient}, Doc: "The RunMode."},
		},
	},
	{Name: "regions", Type: contract.List, Of: contract.String, Doc: "The regions that are served. Without the list every region is accepted, because CAR uses none."},
	{Name: "offline_actions", Type: contract.List, Of: contract.String, Doc: "Actions that were withdrawn and end in ActionOffline."},
	{Name: "ip_blacklist", Type: contract.List, Of: contract.String, Doc: "Addresses and networks (10.0.0.0/8) whose calls end in IpInBlacklist."},
	{Name: "ip_whitelist", Type: contract.List, Of: contract.String, Doc: "Addresses and networks whose calls are accepted. Every other call ends in IpNotInWhitelist."},
}

// A fixtureFile is a parsed fixture file.
type fixtureFile struct {
	Accounts []struct {
		SecretID   string        `yaml:"secretId"`
		SecretKey  string        `yaml:"secretKey"`
		Token      string        `yaml:"token"`
		TokenLives time.Duration `yaml:"token_lives"`
		Uin        string        `yaml:"uin"`
		Status     string        `yaml:"status"`
		Deny       []string      `yaml:"deny"`
	} `yaml:"accounts"`
	Projects     []project     `yaml:"projects"`
	Applications []application `yaml:"applications"`
	Reservations []struct {
		UserID    string `yaml:"user_id"`
		ProjectID string `yaml:"project_id"`
	} `yaml:"reservations"`
	Sessions []struct {
		UserID    string `yaml:"user_id"`
		ProjectID string `yaml:"project_id"`
		RunMode   string `yaml:"run_mode"`
	} `yaml:"sessions"`
	Regions   []string `yaml:"regions"`
	Offline   []string `yaml:"offline_actions"`
	Blacklist []string `yaml:"ip_blacklist"`
	Whitelist []string `yaml:"ip_whitelist"`
}

// newState makes the state that a fixture describes.
func newState(seed contract.Seed) (contract.State, error) {
	var f fixtureFile
	if seed.Decode != nil {
		if err := seed.Decode(&f); err != nil {
			return nil, err
		}
	}
	st := &state{
		Projects: f.Projects, Applications: f.Applications, Standing: map[string]string{},
		Lists: accessLists{Regions: f.Regions, Offline: f.Offline, Blacklist: f.Blacklist, Whitelist: f.Whitelist},
	}
	now := seed.Now.Round(0).UTC()
	for _, a := range f.Accounts {
		added := account{SecretID: a.SecretID, SecretKey: a.SecretKey, Token: a.Token, Uin: a.Uin, Status: a.Status, Deny: a.Deny}
		if a.TokenLives > 0 {
			added.TokenExpires = now.Add(a.TokenLives)
		}
		st.Accounts = append(st.Accounts, added)
	}
	for _, credentials := range seed.Credentials {
		st.addCredentials(credentials)
	}
	for _, r := range f.Reservations {
		st.Standing[r.UserID] = r.ProjectID
	}
	if err := st.Reindex(); err != nil {
		return nil, err
	}
	for _, s := range f.Sessions {
		co := st.reserve(s.UserID, s.ProjectID, now)
		co.Session = &session{Created: now, RunMode: s.RunMode}
	}
	return st, st.validate()
}

// addCredentials adds an account with the given keys, which is otherwise a copy of
// the first one. If the SecretId is known already, only its key changes.
func (st *state) addCredentials(credentials contract.Values) {
	id := credentials.Text("secretId")
	if id == "" {
		return
	}
	for i := range st.Accounts {
		if st.Accounts[i].SecretID == id {
			st.Accounts[i].SecretKey = credentials.Text("secretKey")
			return
		}
	}
	a := *st.firstAccount()
	a.SecretID, a.SecretKey = id, credentials.Text("secretKey")
	a.Token, a.TokenExpires = credentials.Text("token"), time.Time{}
	st.Accounts = append(st.Accounts, a)
}

// Enroll adds an account, unless its SecretId is known.
func (st *state) Enroll(credentials contract.Values, _ time.Time) error {
	if st.account(credentials.Text("secretId")) == nil {
		st.addCredentials(credentials)
	}
	return nil
}

// mint makes a key as long as those of the service.
func mint(d *contract.Dice) contract.Values {
	return contract.Values{"secretId": "AKID" + d.Fake().Password(true, true, true, false, false, 32), "secretKey": d.Fake().Password(true, true, true, false, false, 32)}
}

// validate reports lists that contradict each other.
func (st *state) validate() error {
	for user, id := range st.Standing {
		if _, known := st.projects[id]; !known {
			return fmt.Errorf("reservations: the project %q of user %q is not among the projects", id, user)
		}
	}
	for _, co := range st.Concurrencies {
		if _, known := st.projects[co.ProjectID]; !known {
			return fmt.Errorf("sessions: the project %q of user %q is not among the projects", co.ProjectID, co.UserID)
		}
	}
	for i := range st.Projects {
		for _, id := range st.Projects[i].ApplicationIDs {
			if _, known := st.application(id); !known {
				return fmt.Errorf("projects: the application %q of %s is not among the applications", id, st.Projects[i].ProjectID)
			}
		}
	}
	for _, list := range [...][]string{st.Lists.Blacklist, st.Lists.Whitelist} {
		for _, entry := range list {
			if _, err := netip.ParsePrefix(entry); err == nil {
				continue
			}
			if _, err := netip.ParseAddr(entry); err != nil {
				return fmt.Errorf("ip_blacklist, ip_whitelist: %q is neither an address nor a network such as 10.0.0.0/8", entry)
			}
		}
	}
	return nil
}
