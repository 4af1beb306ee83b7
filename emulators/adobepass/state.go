package adobepass

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// maxRecords limits the records of each kind that clients can create in one
// sandbox: clients, sessions, profiles, trials, logouts. When it is reached, the
// oldest invalid record is evicted first, then the oldest valid one. The same
// happens when the records of a kind store more than maxBytes.
const (
	maxRecords = 1 << 17
	maxBytes   = 1 << 28
)

// A state is what the service stores in one sandbox.
//
// Nothing ticks: records store when they begin and end to be valid, in
// milliseconds. Validity is evaluated when a call reads them.
type state struct {
	SigningKey   string        `json:"signing_key"` // PEM
	ServiceKeys  []serviceKey  `json:"service_token_keys"`
	Software     []software    `json:"software"`
	Tokens       []fixedToken  `json:"tokens"`
	Providers    []provider    `json:"service_providers"`
	MVPDs        []mvpd        `json:"mvpds"`
	Users        []user        `json:"users"`
	Denials      []denial      `json:"denials"`
	Degradations []degradation `json:"degradations"`

	Clients  map[string]*client        `json:"clients"`  // by id
	Sessions map[string]*session       `json:"sessions"` // by code
	Profiles map[string]*profile       `json:"profiles"` // by id
	Trials   map[string]*trial         `json:"trials"`   // by id
	Logouts  map[string]*pendingLogout `json:"logouts"`  // by id
	Serial   uint64                    `json:"serial"`   // of the newest record

	key                 *rsa.PrivateKey
	serviceKeys         map[string]*rsa.PublicKey
	softwareByStatement map[string]int
	providersByID       map[string]int
	mvpdsByID           map[string]int
	mvpdsByMappingID    map[string]int // mapping id: the partner framework's id of the MVPD
	verified            map[[sha256.Size]byte]verifiedToken
	unfinished          map[creator]*session // at most one for each creator
	profilesByHolder    map[holder]*profile  // the newest of each holder
	profilesBySSO       map[sso][]*profile   // those that single sign-on can find
	trialsByDevice      map[trialKey]*trial
	trialsByIdentity    map[trialKey]*trial
	buckets             map[string]*bucket // of the rate limit, by address
	queues              map[string]*queue  // by kind
	recordBytes         int                // of all records
	testLimit           int                // set by tests, replaces maxRecords
}

// A serviceKey verifies the AD-Service-Tokens of an issuer.
type serviceKey struct {
	Issuer string `json:"iss" yaml:"iss"`
	PEM    string `json:"public_key" yaml:"public_key"`
}

// A software is an application that is registered in the TVE Dashboard. Clients
// register with its statement.
type software struct {
	Statement    string   `json:"statement" yaml:"statement"`
	Providers    []string `json:"service_providers,omitempty" yaml:"service_providers"` // none: any
	RedirectURIs []string `json:"redirect_uris,omitempty" yaml:"redirect_uris"`
	Schemes      []string `json:"schemes,omitempty" yaml:"schemes"` // of further redirect URIs that its clients may register with
	Revoked      bool     `json:"revoked,omitempty" yaml:"revoked"`

	// StandsFor is the client for which the next one stands that registers.
	StandsFor string `json:"stands_for,omitempty" yaml:"-"`
}

// A fixedToken is an access token that is known by its text, accepted without DCR:
// one of the fixture, which never ends, or one that was given before.
type fixedToken struct {
	Token   string `json:"token" yaml:"token"`
	Client  string `json:"client_id" yaml:"client_id"`
	Issued  int64  `json:"issued,omitempty" yaml:"-"`  // seconds
	Expires int64  `json:"expires,omitempty" yaml:"-"` // seconds; 0: never
}

// addToken adds a token that no other is.
func (st *state) addToken(t fixedToken) error {
	for _, known := range st.Tokens {
		if known.Token == t.Token {
			return errors.New("the token is there already; give another one")
		}
	}
	st.Tokens = append(st.Tokens, t)
	st.resetVerified()
	return nil
}

// A provider is a service provider: a channel or a site.
type provider struct {
	ID      string   `json:"id" yaml:"id"`
	Name    string   `json:"name,omitempty" yaml:"name"`
	Domains []string `json:"domains,omitempty" yaml:"domains"`
	MVPDs   []string `json:"mvpds,omitempty" yaml:"mvpds"` // active integrations
	Adopted bool     `json:"adopted,omitempty" yaml:"-"`   // at first sight
}

// An mvpd is an identity provider.
type mvpd struct {
	ID                    string        `json:"id" yaml:"id"`
	DisplayName           string        `json:"display_name,omitempty" yaml:"display_name"`
	LogoURL               string        `json:"logo_url,omitempty" yaml:"logo_url"`
	NoLogout              bool          `json:"no_logout,omitempty" yaml:"no_logout"`
	PlatformMappingID     string        `json:"platform_mapping_id,omitempty" yaml:"platform_mapping_id"`
	BoardingStatus        string        `json:"boarding_status,omitempty" yaml:"boarding_status"`
	NoPartnerSSO          bool          `json:"no_partner_sso,omitempty" yaml:"no_partner_sso"`
	AuthPerAggregator     *bool         `json:"auth_per_aggregator,omitempty" yaml:"auth_per_aggregator"`
	AuthPerBrowserSession *bool         `json:"auth_per_browser_session,omitempty" yaml:"auth_per_browser_session"`
	PassiveAuthnEnabled   *bool         `json:"passive_authn_enabled,omitempty" yaml:"passive_authn_enabled"`
	TempPass              string        `json:"temp_pass,omitempty" yaml:"temp_pass"` // basic, promotional or misconfigured
	TempTTL               time.Duration `json:"temp_ttl,omitempty" yaml:"temp_ttl"`
	TempResources         int           `json:"temp_resources,omitempty" yaml:"temp_resources"`
	TempKey               string        `json:"temp_key,omitempty" yaml:"temp_key"`
	AuthnTTL              time.Duration `json:"authn_ttl,omitempty" yaml:"authn_ttl"`
	AuthzTTL              time.Duration `json:"authz_ttl,omitempty" yaml:"authz_ttl"`
	PreauthorizeLimit     int           `json:"preauthorize_limit,omitempty" yaml:"preauthorize_limit"`
	AuthorizeLimit        int           `json:"authorize_limit,omitempty" yaml:"authorize_limit"`
}

// The kinds of TempPass.
const (
	basic         = "basic"
	promotional   = "promotional"
	misconfigured = "misconfigured"
)

// A user has an account with the MVPDs.
type user struct {
	Username   string      `json:"username" yaml:"username"`
	Name       string      `json:"name,omitempty" yaml:"name"`
	Attributes []attribute `json:"attributes,omitempty" yaml:"attributes"`
	Denied     string      `json:"denied,omitempty" yaml:"denied"` // the code of every decision, "" for none
}

// A denial is a resource that an MVPD denies to its users.
type denial struct {
	MVPD     string `json:"mvpd,omitempty" yaml:"mvpd"` // "": any
	Resource string `json:"resource" yaml:"resource"`
	Code     string `json:"code,omitempty" yaml:"code"`
	Details  string `json:"details,omitempty" yaml:"details"`
}

// A client is a registered instance of an application.
type client struct {
	ID        string `json:"id"`
	Secret    string `json:"secret"`
	Statement string `json:"statement"`
	Issued    int64  `json:"issued"`               // seconds
	Stale     int64  `json:"stale,omitempty"`      // tokens issued up to this second were expired by a trigger
	Until     int64  `json:"until,omitempty"`      // the second at which the newest of its tokens ends; 0: it has none that ends
	Fixed     bool   `json:"fixed,omitempty"`      // from the fixture, never evicted
	StandsFor string `json:"stands_for,omitempty"` // the client whose profiles, sessions and trials are this one's too
	Serial    uint64 `json:"serial"`

	entry queueEntry
}

// A pendingLogout is a logout that the browser still has to finish.
type pendingLogout struct {
	ID          string `json:"id"`
	RedirectURL string `json:"redirect_url"`
	Serial      uint64 `json:"serial"`

	entry queueEntry
}

func (st *state) nextSerial() uint64 { st.Serial++; return st.Serial }

// provider returns a service provider, or nil.
func (st *state) provider(id string) *provider {
	i, ok := st.providersByID[id]
	if !ok {
		return nil
	}
	return &st.Providers[i]
}

// mvpd returns an MVPD, or nil.
func (st *state) mvpd(id string) *mvpd {
	i, ok := st.mvpdsByID[id]
	if !ok {
		return nil
	}
	return &st.MVPDs[i]
}

// mvpdByMappingID returns the MVPD that a partner's framework knows by id, or
// nil.
func (st *state) mvpdByMappingID(id string) *mvpd {
	i, ok := st.mvpdsByMappingID[id]
	if !ok {
		return nil
	}
	return &st.MVPDs[i]
}

func (p *provider) integrates(id string) bool { return p != nil && slices.Contains(p.MVPDs, id) }

// statement returns the application of a software statement, or nil.
func (st *state) statement(text string) *software {
	i, ok := st.softwareByStatement[text]
	if !ok {
		return nil
	}
	return &st.Software[i]
}

// identify sets the application of the client that an access token names, and the
// client that is its holder.
func (st *state) identify(c *contract.Call, id string) {
	ca, cl := callerOf(c), st.Clients[id]
	ca.client = id
	if cl == nil {
		return
	}
	ca.software = st.statement(cl.Statement)
	if cl.StandsFor != "" {
		c.Note("client", id+", which stands for "+cl.StandsFor)
		ca.client = cl.StandsFor
	}
}

func (st *state) user(name string) *user {
	for i := range st.Users {
		if st.Users[i].Username == name || name == "" {
			return &st.Users[i]
		}
	}
	return nil
}

func (st *state) publicKey() *rsa.PublicKey {
	if st.key == nil {
		return nil
	}
	return &st.key.PublicKey
}

func (st *state) serviceKey(iss string) *rsa.PublicKey { return st.serviceKeys[iss] }

// Identifiers lists the identifiers by which the directory finds this sandbox.
func (st *state) Identifiers() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range st.Software {
			if !yield(st.Software[i].Statement) {
				return
			}
		}
		for i := range st.Tokens {
			if !yield(st.Tokens[i].Token) {
				return
			}
		}
		for _, ids := range [...]iter.Seq[string]{maps.Keys(st.Clients), maps.Keys(st.Sessions), maps.Keys(st.Logouts)} {
			for id := range ids {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// Credentials returns the first software statement and the first fixed access
// token.
func (st *state) Credentials() contract.Values {
	v := contract.Values{}
	if len(st.Software) > 0 {
		v["softwareStatement"] = st.Software[0].Statement
	}
	if len(st.Tokens) > 0 {
		v["accessToken"] = st.Tokens[0].Token
	}
	return v
}

// Secrets yields the software statements, fixed access tokens, client secrets and
// the signing key.
func (st *state) Secrets() iter.Seq[*string] {
	return func(yield func(*string) bool) {
		if !yield(&st.SigningKey) {
			return
		}
		for i := range st.Software {
			if !yield(&st.Software[i].Statement) {
				return
			}
		}
		for i := range st.Tokens {
			if !yield(&st.Tokens[i].Token) {
				return
			}
		}
		for _, cl := range st.Clients {
			if cl != nil && (!yield(&cl.Secret) || !yield(&cl.Statement)) { // nil: in a damaged snapshot
				return
			}
		}
	}
}

// digest shortens a long or secret text to 40 hexadecimal digits, the form of
// the user ids of TempPass.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:20])
}

// timeOfMillis converts Unix milliseconds to a time in UTC.
func timeOfMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
