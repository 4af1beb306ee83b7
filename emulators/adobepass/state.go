package adobepass

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// most bounds each kind of what clients can pile up in one sandbox: clients,
// sessions, profiles, trials, logouts. Beyond it the oldest that no longer
// counts gives way, then the oldest. So it does where they are fewer and keep
// more than mostBytes of what clients sent.
const (
	maxRecords = 1 << 17
	maxBytes   = 1 << 28
)

// A state is what the service remembers in one sandbox.
//
// Nothing ticks: records keep the instants between which they count, in
// milliseconds, and are judged when they are looked at.
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
	Serial   uint64                    `json:"serial"`   // of what was remembered last

	key                 *rsa.PrivateKey
	serviceKeys         map[string]*rsa.PublicKey
	softwareByStatement map[string]int
	providersByID       map[string]int
	mvpdsByID           map[string]int
	mvpdsByMappingID    map[string]int // MVPDs by the partner's mapping id
	verified            map[[sha256.Size]byte]verifiedToken
	unfinished          map[creator]*session // the unfinished session of each creator
	profilesByHolder    map[holder]*profile  // the latest
	profilesBySSO       map[sso][]*profile   // those that single sign-on finds
	trialsByDevice      map[trialKey]*trial  //
	trialsByIdentity    map[trialKey]*trial  //
	buckets             map[string]*bucket   // throttle, by address
	queues              map[string]*queue    // of each kind of record
	testLimit           int                  // in tests: in the place of most
}

// A serviceKey verifies the AD-Service-Tokens of an issuer.
type serviceKey struct {
	Issuer string `json:"iss" yaml:"iss"`
	PEM    string `json:"public_key" yaml:"public_key"`
}

// A software is an application that was registered in the TVE Dashboard; its
// statement is what clients register with.
type software struct {
	Statement    string   `json:"statement" yaml:"statement"`
	Providers    []string `json:"service_providers,omitempty" yaml:"service_providers"` // none: any
	RedirectURIs []string `json:"redirect_uris,omitempty" yaml:"redirect_uris"`
	Schemes      []string `json:"schemes,omitempty" yaml:"schemes"` // of other redirect URIs that its clients may name
	Revoked      bool     `json:"revoked,omitempty" yaml:"revoked"`
}

// A fixedToken is an access token that the fixture has accepted without DCR.
type fixedToken struct {
	Token  string `json:"token" yaml:"token"`
	Client string `json:"client_id" yaml:"client_id"`
}

// A provider is a service provider: the channel or site.
type provider struct {
	ID      string   `json:"id" yaml:"id"`
	Name    string   `json:"name,omitempty" yaml:"name"`
	Domains []string `json:"domains,omitempty" yaml:"domains"`
	MVPDs   []string `json:"mvpds,omitempty" yaml:"mvpds"` // active integrations
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

// A user is somebody who has an account with the MVPDs.
type user struct {
	Username   string      `json:"username" yaml:"username"`
	Name       string      `json:"name,omitempty" yaml:"name"`
	Attributes []attribute `json:"attributes,omitempty" yaml:"attributes"`
	Denied     string      `json:"denied,omitempty" yaml:"denied"` // the code with which every decision ends
}

// A denial is what an MVPD does not let its users see.
type denial struct {
	MVPD     string `json:"mvpd,omitempty" yaml:"mvpd"` // "": any
	Resource string `json:"resource" yaml:"resource"`
	Code     string `json:"code,omitempty" yaml:"code"`
	Details  string `json:"details,omitempty" yaml:"details"`
}

// A client is an instance of an application that registered itself.
type client struct {
	ID        string `json:"id"`
	Secret    string `json:"secret"`
	Statement string `json:"statement"`
	Issued    int64  `json:"issued"`          // seconds
	Stale     int64  `json:"stale,omitempty"` // tokens issued up to this second were expired
	Fixed     bool   `json:"fixed,omitempty"` // the fixture's, which never gives way
	Serial    uint64 `json:"serial"`

	entry queueEntry
}

// A ticket is a logout that is to be ended in the browser.
type pendingLogout struct {
	ID          string `json:"id"`
	RedirectURL string `json:"redirect_url"`
	Serial      uint64 `json:"serial"`

	entry queueEntry
}

func (st *state) nextSerial() uint64 { st.Serial++; return st.Serial }

// provider finds a service provider, or returns nil.
func (st *state) provider(id string) *provider {
	i, ok := st.providersByID[id]
	if !ok {
		return nil
	}
	return &st.Providers[i]
}

// mvpd finds an MVPD, or returns nil.
func (st *state) mvpd(id string) *mvpd {
	i, ok := st.mvpdsByID[id]
	if !ok {
		return nil
	}
	return &st.MVPDs[i]
}

// mapped finds an MVPD by the partner's id for it, or returns nil.
func (st *state) mvpdByMappingID(id string) *mvpd {
	i, ok := st.mvpdsByMappingID[id]
	if !ok {
		return nil
	}
	return &st.MVPDs[i]
}

func (p *provider) integrates(id string) bool { return p != nil && slices.Contains(p.MVPDs, id) }

// statement finds the application of a software statement, or returns nil.
func (st *state) statement(text string) *software {
	i, ok := st.softwareByStatement[text]
	if !ok {
		return nil
	}
	return &st.Software[i]
}

// softwareOf is the application whose instance a client is.
func (st *state) softwareOf(id string) *software {
	cl := st.Clients[id]
	if cl == nil {
		return nil
	}
	return st.statement(cl.Statement)
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

// Identifiers lists the words by which a caller of this world is found.
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

// Credentials are the first software statement, and an access token that is
// accepted as it is.
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

// digest is a short name for a long or secret text: 40 hexadecimal digits, as
// the user ids of TempPass have them.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:20])
}

// timeOfMillis converts Unix milliseconds to a time in UTC.
func timeOfMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
