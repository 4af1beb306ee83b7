package adobepass

import (
	"container/list"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/understudy-suite/understudy/internal/contract"
)

// most bounds each kind of what clients can pile up in one sandbox: clients,
// sessions, profiles, trials, logouts. Beyond it the oldest that no longer
// counts gives way, then the oldest.
const most = 1 << 17

// A world is what the service remembers in one sandbox.
//
// Nothing ticks: records keep the instants between which they count, in
// milliseconds, and are judged when they are looked at.
type world struct {
	SigningKey   string        `json:"signing_key"` // PEM
	ServiceKeys  []serviceKey  `json:"service_token_keys"`
	Software     []software    `json:"software"`
	Tokens       []fixedToken  `json:"tokens"`
	Providers    []provider    `json:"service_providers"`
	MVPDs        []mvpd        `json:"mvpds"`
	Users        []user        `json:"users"`
	Denials      []denial      `json:"denials"`
	Degradations []degradation `json:"degradations"`

	Clients  map[string]*client  `json:"clients"`  // by id
	Sessions map[string]*session `json:"sessions"` // by code
	Profiles map[string]*profile `json:"profiles"` // by id
	Trials   map[string]*trial   `json:"trials"`   // by id
	Logouts  map[string]*ticket  `json:"logouts"`  // by id
	Serial   uint64              `json:"serial"`   // of what was remembered last

	key         *rsa.PrivateKey
	serviceKeys map[string]*rsa.PublicKey
	statements  map[string]int
	providers   map[string]int
	mvpds       map[string]int
	platform    map[string]int // MVPDs by the partner's mapping id
	verified    map[[sha256.Size]byte]verified
	open        map[creator]*session // the unfinished session of each creator
	profiles    map[holder]*profile  // the latest
	shared      map[sso][]*profile   // those that single sign-on finds
	byDevice    map[trialKey]*trial  //
	byIdentity  map[trialKey]*trial  //
	buckets     map[string]*bucket   // throttle, by address
	order       map[string]*queue    // of each kind of record
	small       int                  // in tests: in the place of most
}

// A queue keeps the records of one kind in the order in which they came, and
// those that no longer count apart.
type queue struct{ counts, spent list.List }

// A place is where a record stands in its queue.
type place struct {
	element *list.Element
	in      *list.List
}

func (q *queue) push(record any) place {
	return place{q.counts.PushBack(record), &q.counts}
}

// spend tells that a record no longer counts.
func (q *queue) spend(p *place) {
	if p.in == &q.counts {
		record := p.in.Remove(p.element)
		*p = place{q.spent.PushBack(record), &q.spent}
	}
}

func (q *queue) len() int { return q.counts.Len() + q.spent.Len() }

// first is the record that gives way first; nil where there is none.
func (q *queue) first() any {
	for _, l := range [...]*list.List{&q.spent, &q.counts} {
		if e := l.Front(); e != nil {
			return e.Value
		}
	}
	return nil
}

func (p place) remove() {
	if p.in != nil {
		p.in.Remove(p.element)
	}
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

	at place
}

// A ticket is a logout that is to be ended in the browser.
type ticket struct {
	ID          string `json:"id"`
	RedirectURL string `json:"redirect_url"`
	Serial      uint64 `json:"serial"`

	at place
}

func (w *world) next() uint64 { w.Serial++; return w.Serial }

// provider finds a service provider, or returns nil.
func (w *world) provider(id string) *provider {
	i, ok := w.providers[id]
	if !ok {
		return nil
	}
	return &w.Providers[i]
}

// mvpd finds an MVPD, or returns nil.
func (w *world) mvpd(id string) *mvpd {
	i, ok := w.mvpds[id]
	if !ok {
		return nil
	}
	return &w.MVPDs[i]
}

// mapped finds an MVPD by the partner's id for it, or returns nil.
func (w *world) mapped(id string) *mvpd {
	i, ok := w.platform[id]
	if !ok {
		return nil
	}
	return &w.MVPDs[i]
}

func (p *provider) integrates(id string) bool { return p != nil && slices.Contains(p.MVPDs, id) }

// statement finds the application of a software statement, or returns nil.
func (w *world) statement(text string) *software {
	i, ok := w.statements[text]
	if !ok {
		return nil
	}
	return &w.Software[i]
}

// softwareOf is the application whose instance a client is.
func (w *world) softwareOf(id string) *software {
	one := w.Clients[id]
	if one == nil {
		return nil
	}
	return w.statement(one.Statement)
}

func (w *world) user(name string) *user {
	for i := range w.Users {
		if w.Users[i].Username == name || name == "" {
			return &w.Users[i]
		}
	}
	return nil
}

func (w *world) public() *rsa.PublicKey {
	if w.key == nil {
		return nil
	}
	return &w.key.PublicKey
}

func (w *world) serviceKey(iss string) *rsa.PublicKey { return w.serviceKeys[iss] }

// Words lists the words by which a caller of this world is found.
func (w *world) Words() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range w.Software {
			if !yield(w.Software[i].Statement) {
				return
			}
		}
		for i := range w.Tokens {
			if !yield(w.Tokens[i].Token) {
				return
			}
		}
		for _, words := range [...]iter.Seq[string]{maps.Keys(w.Clients), maps.Keys(w.Sessions), maps.Keys(w.Logouts)} {
			for word := range words {
				if !yield(word) {
					return
				}
			}
		}
	}
}

// Credentials are the first software statement, and an access token that is
// accepted as it is.
func (w *world) Credentials() contract.Values {
	v := contract.Values{}
	if len(w.Software) > 0 {
		v["softwareStatement"] = w.Software[0].Statement
	}
	if len(w.Tokens) > 0 {
		v["accessToken"] = w.Tokens[0].Token
	}
	return v
}

// Reindex rebuilds the indices.
func (w *world) Reindex() error {
	if err := w.reindexKeys(); err != nil {
		return err
	}
	var faults []error
	unique := func(what, id string, index map[string]int, i int) {
		if _, twice := index[id]; twice || id == "" {
			faults = append(faults, fmt.Errorf("%s: %.60q stands twice or is empty", what, id))
		}
		index[id] = i
	}
	w.statements, w.providers, w.mvpds, w.platform = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i := range w.Software {
		unique("software", w.Software[i].Statement, w.statements, i)
	}
	for i := range w.Providers {
		unique("service_providers", w.Providers[i].ID, w.providers, i)
	}
	for i := range w.MVPDs {
		m := &w.MVPDs[i]
		unique("mvpds", m.ID, w.mvpds, i)
		if m.PlatformMappingID != "" {
			unique("mvpds, platform_mapping_id", m.PlatformMappingID, w.platform, i)
		}
	}
	faults = append(faults, w.reindexRecords())
	w.forgetVerified()
	return errors.Join(faults...)
}

func (w *world) reindexKeys() (err error) {
	w.key, w.serviceKeys, w.buckets = nil, map[string]*rsa.PublicKey{}, map[string]*bucket{}
	if w.SigningKey != "" {
		if w.key, err = jwt.ParseRSAPrivateKeyFromPEM([]byte(w.SigningKey)); err != nil {
			return fmt.Errorf("signing_key: %w", err)
		}
	}
	for _, k := range w.ServiceKeys {
		if w.serviceKeys[k.Issuer], err = jwt.ParseRSAPublicKeyFromPEM([]byte(k.PEM)); err != nil {
			return fmt.Errorf("service_token_keys: the key of %s: %w", k.Issuer, err)
		}
	}
	return nil
}

// forgetVerified leaves the fixture's own tokens as the only verified ones.
func (w *world) forgetVerified() {
	w.verified = map[[sha256.Size]byte]verified{}
	for _, t := range w.Tokens {
		w.verified[sha256.Sum256([]byte(t.Token))] = verified{client: t.Client, scoped: true}
	}
}

// reindexRecords puts what was remembered back into its queues, in the order
// in which it came.
func (w *world) reindexRecords() error {
	w.order = map[string]*queue{}
	for _, kind := range [...]string{clients, sessions, profilesKind, trials, logouts} {
		w.order[kind] = &queue{}
	}
	w.open, w.profiles, w.shared = map[creator]*session{}, map[holder]*profile{}, map[sso][]*profile{}
	w.byDevice, w.byIdentity = map[trialKey]*trial{}, map[trialKey]*trial{}
	return errors.Join(
		restore(w, clients, &w.Clients, func(one *client) (string, uint64) { return one.ID, one.Serial }, func(one *client) {
			if !one.Fixed {
				one.at = w.order[clients].push(one)
			}
		}),
		restore(w, sessions, &w.Sessions, func(s *session) (string, uint64) { return s.Code, s.Serial }, w.enterSession),
		restore(w, profilesKind, &w.Profiles, func(p *profile) (string, uint64) { return p.ID, p.Serial }, w.enterProfile),
		restore(w, trials, &w.Trials, func(t *trial) (string, uint64) { return t.ID, t.Serial }, w.enterTrial),
		restore(w, logouts, &w.Logouts, func(t *ticket) (string, uint64) { return t.ID, t.Serial }, func(t *ticket) {
			t.at = w.order[logouts].push(t)
		}),
	)
}

// The kinds of what is remembered.
const (
	clients      = "clients"
	sessions     = "sessions"
	profilesKind = "profiles"
	trials       = "trials"
	logouts      = "logouts"
)

// restore enters the records of one kind in their order. It refuses one that
// does not say that it is itself, or that was remembered after the last.
func restore[T any](w *world, kind string, all *map[string]*T, name func(*T) (string, uint64), enter func(*T)) error {
	if *all == nil {
		*all = map[string]*T{}
	}
	serials := map[uint64]bool{}
	records := make([]*T, 0, len(*all))
	for _, key := range slices.Sorted(maps.Keys(*all)) {
		record := (*all)[key]
		if record == nil {
			return fmt.Errorf("%s: %q is null", kind, key)
		}
		id, serial := name(record)
		if id != key || serial > w.Serial || serials[serial] {
			return fmt.Errorf("%s: %q does not say that it is itself, or its serial %d is taken or beyond %d", kind, key, serial, w.Serial)
		}
		serials[serial] = true
		records = append(records, record)
	}
	slices.SortFunc(records, func(a, b *T) int {
		_, x := name(a)
		_, y := name(b)
		if x < y {
			return -1
		}
		return 1
	})
	for _, record := range records {
		enter(record)
	}
	return nil
}

// makeRoom has the record that gives way first go, where there are too many of
// a kind.
func (w *world) makeRoom(kind string, c *contract.Call) {
	q := w.order[kind]
	for q.len() >= w.bound() {
		switch r := q.first().(type) {
		case *client:
			delete(w.Clients, r.ID)
			r.at.remove()
			c.Forget(r.ID)
		case *session:
			w.drop(c, r)
		case *profile:
			w.remove(r)
		case *trial:
			w.removeTrial(r)
		case *ticket:
			w.punch(c, r)
		}
	}
}

// bound is most, as long as a test does not make the world smaller.
func (w *world) bound() int {
	if w.small > 0 {
		return w.small
	}
	return most
}

// digest is a short name for a long or secret text: 40 hexadecimal digits, as
// the user ids of TempPass have them.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:20])
}
