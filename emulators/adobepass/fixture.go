package adobepass

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// switches choose between readings on which pages contradict each other, and set
// values that are documented but that no client can change.
var switches = []contract.Param{
	{Name: "throttle", Type: contract.Boolean, Default: false, Cite: citeThrottling, Doc: "Whether a device may send one request a second after a burst of ten. Off, because tests share one address."},
	{Name: "burst_refills", Type: contract.Boolean, Default: true, Doc: "Whether the burst comes back. The page calls it a one-time allowance; its timeline fits both."},
	{Name: "code_ttl", Type: contract.Duration, Default: 30 * time.Minute, Cite: citeFAQ, Doc: "How long an authentication code counts."},
	{Name: "token_ttl", Type: contract.Duration, Default: 6 * time.Hour, Cite: citeToken, Doc: "How long an access token counts. The samples have six hours, older prose 24."},
	{Name: "authn_ttl", Type: contract.Duration, Default: 24 * time.Hour, Doc: "How long a profile counts, where its MVPD does not say otherwise. No default is published."},
	{Name: "authz_ttl", Type: contract.Duration, Default: time.Hour, Doc: "How long a decision counts, where its MVPD does not say otherwise. No default is published."},
	{Name: "media_ttl", Type: contract.Duration, Default: 7 * time.Minute, Cite: citeMediaTokens, Doc: "How long a media token counts."},
	{Name: "degraded_ttl", Type: contract.Duration, Default: time.Minute, Doc: "How long a degraded profile counts; the sample has a minute."},
	{Name: "temp_pass_ttl", Type: contract.Duration, Default: time.Minute, Cite: citeProfile, Doc: "How long a TempPass lasts from the first authorization, where its MVPD does not say otherwise; the samples have a minute."},
	{Name: "preauthorize_limit", Type: contract.Integer, Min: 1, Max: maxResources, Default: int64(5), Cite: citeFAQ, Doc: "How many resources Preauthorize takes, where the MVPD does not say otherwise."},
	{Name: "authorize_limit", Type: contract.Integer, Min: 1, Max: maxResources, Default: int64(1), Cite: citeFAQ, Doc: "How many resources Authorize takes, where the MVPD does not say otherwise. A degraded sample sends two: the limit does not hold then."},
	{Name: "missing_domain_name", OneOf: []string{"domain", "domainName"}, Default: "domain", Cite: citeCreate, Doc: "What missingParameters calls the domain. All samples print domain; a client of the live service reads domainName."},
	{Name: "existing_domain_name", OneOf: []string{"domainName", "domain"}, Default: "domainName", Cite: citeGetSession, Doc: "What existingParameters calls it. The page prints both; the sample that is a capture has domainName."},
	{Name: "new_code_voids_old", Type: contract.Boolean, Default: true, Cite: citeFAQ, Doc: "Whether a new code voids the creator's earlier unfinished one."},
	{Name: "strict_device_info", Type: contract.Boolean, Default: false, Cite: citeHeaders, Doc: "Whether X-Device-Info must be there and hold the keys that its page calls required. The value in all samples does not."},
	{Name: "strict_domains", Type: contract.Boolean, Default: false, Doc: "Whether domainName and the host of redirectUrl must be one of the service provider's domains, or below one."},
	{Name: "profile_error_item_level", Type: contract.Boolean, Default: false, Doc: "Whether a missing, expired or revoked profile is reported in each decision of a 200, instead of a 403. The pages list neither."},
	{Name: "unsupported_media_type", Type: contract.Integer, Min: 400, Max: 415, Default: int64(400), Cite: citeCreate, Doc: "The status for a wrong Content-Type. The page calls the type required, and lists 400, 401, 405 and 500; 415 is what such services commonly answer."},
	{Name: "any_statement", Type: contract.Boolean, Default: false, Doc: "Whether every well-formed software statement is taken, not only those of the fixture."},
	{Name: "service_token_verify", Type: contract.Boolean, Default: true, Cite: citeHeaders, Doc: "Whether AD-Service-Token must be signed with the fixture's key for its iss. One that is not gives no single sign-on, and no error."},
	{Name: "partner_sso", Type: contract.Boolean, Default: true, Cite: citePartner, Doc: "Whether single sign-on through a partner is on; off, sessions end in configuration_fallback."},
	{Name: "logout_redirect", Default: "https://adobe.com", Doc: "Where a logout leads that names no redirectUrl."},
}

// fixtureRows describe a fixture file.
var fixtureRows = []contract.Param{
	{Name: "signing_key", Doc: "The RSA key that access tokens are signed with, as PEM. Without one no token can be made, and only those under tokens are taken."},
	{Name: "service_token_keys", Type: contract.List, Of: contract.Object, Doc: "Who may sign AD-Service-Tokens.", Fields: []contract.Param{
		{Name: "iss", Need: contract.Required, Doc: "The issuer."},
		{Name: "public_key", Need: contract.Required, Doc: "Its RSA public key, as PEM."},
	}},
	{Name: "software", Type: contract.List, Of: contract.Object, Doc: "The applications of the TVE Dashboard. The first one's statement is the sandbox's credential.", Fields: []contract.Param{
		{Name: "statement", Need: contract.Required, Doc: "The software statement."},
		{Name: "service_providers", Type: contract.List, Of: contract.String, Doc: "The service providers that it is linked to; without the list any."},
		{Name: "redirect_uris", Type: contract.List, Of: contract.String, Doc: "Where its clients may be led back to. RegisterClient returns them."},
		{Name: "schemes", Type: contract.List, Of: contract.String, Doc: "The schemes of other redirect URIs that a client may register with. Without this and redirect_uris any is good."},
		{Name: "revoked", Type: contract.Boolean, Doc: "Whether it is revoked, and with it every client and token."},
	}},
	{Name: "clients", Type: contract.List, Of: contract.Object, Doc: "Clients that are registered from the beginning.", Fields: []contract.Param{
		{Name: "client_id", Need: contract.Required, Doc: "The id."},
		{Name: "client_secret", Doc: "The secret."},
		{Name: "software", Type: contract.Integer, Doc: "Which of the list software it is an instance of, counted from 0."},
	}},
	{Name: "tokens", Type: contract.List, Of: contract.Object, Doc: "Access tokens that are taken as they are, whatever their signature and expiry: those of documented samples.", Fields: []contract.Param{
		{Name: "token", Need: contract.Required, Doc: "The token."},
		{Name: "client_id", Need: contract.Required, Doc: "Whose it is."},
	}},
	{Name: "service_providers", Type: contract.List, Of: contract.Object, Doc: "The service providers.", Fields: []contract.Param{
		{Name: "id", Need: contract.Required, Example: "REF30", Doc: "The id."},
		{Name: "name", Doc: "The name; the id unless said otherwise."},
		{Name: "domains", Type: contract.List, Of: contract.String, Doc: "The domains."},
		{Name: "mvpds", Type: contract.List, Of: contract.String, Doc: "The MVPDs that it has an active integration with."},
	}},
	{Name: "mvpds", Type: contract.List, Of: contract.Object, Doc: "The MVPDs.", Fields: []contract.Param{
		{Name: "id", Need: contract.Required, Example: "Cablevision", Doc: "The id."},
		{Name: "display_name", Doc: "The name; the id unless said otherwise."},
		{Name: "logo_url", Doc: "The logo."},
		{Name: "no_logout", Type: contract.Boolean, Doc: "Whether it has no logout of its own, so that a logout is complete at once."},
		{Name: "platform_mapping_id", Doc: "What a partner's framework calls it."},
		{Name: "boarding_status", Doc: "The boarding status in the configuration, such as NOT_SUPPORTED."},
		{Name: "no_partner_sso", Type: contract.Boolean, Doc: "Whether single sign-on through a partner is off."},
		{Name: "auth_per_aggregator", Type: contract.Boolean, Doc: "In the configuration only where the fixture sets it."},
		{Name: "auth_per_browser_session", Type: contract.Boolean, Doc: "In the configuration only where the fixture sets it."},
		{Name: "passive_authn_enabled", Type: contract.Boolean, Doc: "In the configuration only where the fixture sets it."},
		{Name: "temp_pass", OneOf: []string{basic, promotional, misconfigured}, Cite: citeTempPass, Doc: "Whether it is a TempPass, and of which kind."},
		{Name: "temp_ttl", Type: contract.Duration, Doc: "How long a trial lasts; the switch temp_pass_ttl unless said otherwise."},
		{Name: "temp_resources", Type: contract.Integer, Min: 0, Max: maxUsed, Doc: "How many resources a promotional trial gives."},
		{Name: "temp_key", Doc: "The key in AP-TempPass-Identity that a promotional trial is known by."},
		{Name: "authn_ttl", Type: contract.Duration, Doc: "How long a profile counts; the switch unless said otherwise."},
		{Name: "authz_ttl", Type: contract.Duration, Doc: "How long a decision counts; the switch unless said otherwise."},
		{Name: "preauthorize_limit", Type: contract.Integer, Min: 0, Max: maxResources, Doc: "How many resources Preauthorize takes; the switch unless said otherwise."},
		{Name: "authorize_limit", Type: contract.Integer, Min: 0, Max: maxResources, Doc: "How many resources Authorize takes; the switch unless said otherwise."},
	}},
	{Name: "users", Type: contract.List, Of: contract.Object, Doc: "Who has an account with the MVPDs. The first one logs in where none is named.", Fields: []contract.Param{
		{Name: "username", Need: contract.Required, Doc: "The account."},
		{Name: "name", Doc: "How the login page calls it."},
		{Name: "attributes", Type: contract.List, Of: contract.Object, Cite: citeMetadata, Doc: "The user metadata of the profile.", Fields: []contract.Param{
			{Name: "name", Need: contract.Required, Doc: "Its key, such as userID."},
			{Name: "value", Doc: "A text."},
			{Name: "json", Doc: "Instead of value: any JSON, for lists and objects."},
			{Name: "state", OneOf: []string{"plain", "enc"}, Doc: "plain unless said otherwise."},
		}},
		{Name: "denied", OneOf: deniable, Doc: "The code that every decision for the user ends in."},
	}},
	{Name: "denials", Type: contract.List, Of: contract.Object, Doc: "What MVPDs do not let their users see.", Fields: []contract.Param{
		{Name: "resource", Need: contract.Required, Doc: "The resource."},
		{Name: "mvpd", Doc: "The MVPD; without it any."},
		{Name: "code", OneOf: deniable, Doc: "The code; that of a denial by the MVPD unless said otherwise."},
		{Name: "details", Doc: "The MVPD's own text."},
	}},
	{Name: "degradations", Type: contract.List, Of: contract.Object, Cite: citeDegradation, Doc: "Degradation rules that are applied from the beginning. The first that fits counts.", Fields: []contract.Param{
		{Name: "rule", Need: contract.Required, OneOf: []string{authNAll, authZAll, authZNone}, Doc: "The rule."},
		{Name: "service_provider", Doc: "The service provider; without it any."},
		{Name: "mvpd", Doc: "The MVPD; without it any."},
		{Name: "message", Doc: "The rule's own text, which decisions have as details."},
		{Name: "lasts", Type: contract.Duration, Doc: "How long it is applied; without it until a trigger takes it back."},
	}},
	{Name: "sessions", Type: contract.List, Of: contract.Object, Doc: "Sessions that were created before the sandbox began.", Fields: []contract.Param{
		{Name: "code", Need: contract.Required, Doc: "The authentication code."},
		{Name: "service_provider", Need: contract.Required, Doc: "The service provider."},
		{Name: "mvpd", Doc: "The MVPD; without it, it is missing."},
		{Name: "domain_name", Doc: "The domain; without it, it is missing."},
		{Name: "redirect_url", Doc: "Where the user agent ends up; without it, it is missing."},
		{Name: "client_id", Doc: "The client that created it."},
		{Name: "device", Doc: "The device that created it, as AP-Device-Identifier has it."},
		{Name: "device_info", Doc: "What the device is, as X-Device-Info has it."},
		{Name: "user_agent", Doc: "The User-Agent that created it."},
	}},
	{Name: "profiles", Type: contract.List, Of: contract.Object, Doc: "Profiles that are there from the beginning.", Fields: []contract.Param{
		{Name: "service_provider", Need: contract.Required, Doc: "The service provider."},
		{Name: "mvpd", Need: contract.Required, Doc: "The MVPD."},
		{Name: "client_id", Need: contract.Required, Doc: "Whose application."},
		{Name: "device", Need: contract.Required, Doc: "Whose device, as AP-Device-Identifier has it."},
		{Name: "type", OneOf: []string{regular, appleSSO}, Doc: "regular unless said otherwise."},
		{Name: "username", Doc: "Whose account; the first user unless said otherwise."},
		{Name: "lasts", Type: contract.Duration, Doc: "How long it counts; the switch authn_ttl unless said otherwise."},
		{Name: "platform_subject", Doc: "The identity of the platform by which single sign-on finds it."},
		{Name: "service_subject", Doc: "The identity of an external service by which single sign-on finds it: iss, a bar, sub."},
	}},
}

// deniable are the codes with which a decision may deny a resource.
var deniable = []string{
	deniedByMVPD, preDeniedByMVPD, "authorization_denied_by_parental_controls", "authorization_denied_by_hba_policies",
	"authorization_denied_by_session_invalidated", "identity_not_recognized_by_mvpd", "network_received_error", "network_connection_timeout",
	"maximum_execution_time_exceeded",
}

// A fixtureFile is the content of a fixture file.
type fixtureFile struct {
	SigningKey  string       `yaml:"signing_key"`
	ServiceKeys []serviceKey `yaml:"service_token_keys"`
	Software    []software   `yaml:"software"`
	Clients     []struct {
		ID       string `yaml:"client_id"`
		Secret   string `yaml:"client_secret"`
		Software int    `yaml:"software"`
	} `yaml:"clients"`
	Tokens    []fixedToken `yaml:"tokens"`
	Providers []provider   `yaml:"service_providers"`
	MVPDs     []mvpd       `yaml:"mvpds"`
	Users     []struct {
		Username   string `yaml:"username"`
		Name       string `yaml:"name"`
		Denied     string `yaml:"denied"`
		Attributes []struct {
			Name  string `yaml:"name"`
			Value string `yaml:"value"`
			JSON  string `yaml:"json"`
			State string `yaml:"state"`
		} `yaml:"attributes"`
	} `yaml:"users"`
	Denials      []denial `yaml:"denials"`
	Degradations []struct {
		degradation `yaml:",inline"`
		Lasts       time.Duration `yaml:"lasts"`
	} `yaml:"degradations"`
	Sessions []struct {
		Code        string `yaml:"code"`
		Provider    string `yaml:"service_provider"`
		MVPD        string `yaml:"mvpd"`
		Domain      string `yaml:"domain_name"`
		RedirectURL string `yaml:"redirect_url"`
		Client      string `yaml:"client_id"`
		Device      string `yaml:"device"`
		DeviceInfo  string `yaml:"device_info"`
		UserAgent   string `yaml:"user_agent"`
	} `yaml:"sessions"`
	Profiles []struct {
		Provider        string        `yaml:"service_provider"`
		MVPD            string        `yaml:"mvpd"`
		Client          string        `yaml:"client_id"`
		Device          string        `yaml:"device"`
		Type            string        `yaml:"type"`
		Username        string        `yaml:"username"`
		Lasts           time.Duration `yaml:"lasts"`
		PlatformSubject string        `yaml:"platform_subject"`
		ServiceSubject  string        `yaml:"service_subject"`
	} `yaml:"profiles"`
}

// newState creates the state of a fixture.
func newState(seed contract.Seed) (contract.State, error) {
	var f fixtureFile
	if seed.Decode != nil {
		if err := seed.Decode(&f); err != nil {
			return nil, err
		}
	}
	st := &state{
		SigningKey: f.SigningKey, ServiceKeys: f.ServiceKeys, Software: f.Software, Tokens: f.Tokens,
		Providers: f.Providers, MVPDs: f.MVPDs, Denials: f.Denials,
		Clients: map[string]*client{}, Sessions: map[string]*session{}, Profiles: map[string]*profile{},
		Trials: map[string]*trial{}, Logouts: map[string]*pendingLogout{},
	}
	for _, d := range f.Degradations {
		if d.Lasts > 0 {
			d.Until = seed.Now.Add(d.Lasts).UnixMilli()
		}
		st.Degradations = append(st.Degradations, d.degradation)
	}
	for _, credentials := range seed.Credentials {
		st.addCredentials(credentials)
	}
	for _, add := range []func(*fixtureFile, contract.Seed) error{st.addUsers, st.addClients, st.addSessions, st.addProfiles} {
		if err := add(&f, seed); err != nil {
			return nil, err
		}
	}
	if err := st.Reindex(); err != nil {
		return nil, err
	}
	return st, st.checkReferences()
}

// addCredentials adds a caller to those of the fixture: a software statement
// with the rights of the first one, and a token of the first token's client. The first
// client that registers with the statement stands for that client too, so that it has
// the profiles of the fixture and what is given. Those that register later are new ones.
func (st *state) addCredentials(credentials contract.Values) {
	if text := credentials.Text("softwareStatement"); text != "" {
		one := software{Statement: text}
		if len(st.Software) > 0 {
			one = st.Software[0]
			one.Statement = text
		}
		if len(st.Tokens) > 0 {
			one.StandsFor = st.Tokens[0].Client
		}
		if !st.hasStatement(text) {
			st.Software = append(st.Software, one)
		}
	}
	if token := credentials.Text("accessToken"); token != "" && len(st.Tokens) > 0 {
		st.Tokens = append(st.Tokens, fixedToken{Token: token, Client: st.Tokens[0].Client})
	}
}

// Enroll adds a caller, unless its software statement is known. A token that is known
// is not added again.
func (st *state) Enroll(credentials contract.Values, _ time.Time) error {
	if statement := credentials.Text("softwareStatement"); statement != "" && st.hasStatement(statement) {
		return nil
	}
	if token := credentials.Text("accessToken"); slices.ContainsFunc(st.Tokens, func(known fixedToken) bool { return known.Token == token }) {
		credentials = contract.Values{"softwareStatement": credentials["softwareStatement"]}
	}
	st.addCredentials(credentials)
	return nil
}

// firstProvider is the service provider that clients ask for where they know none.
func firstProvider(_ string, s contract.State) string {
	if st := s.(*state); len(st.Providers) > 0 {
		return st.Providers[0].ID
	}
	return ""
}

// mint makes a software statement, which is compared and never verified, and an
// access token.
func mint(d *contract.Dice) contract.Values {
	encode := base64.RawURLEncoding.EncodeToString
	claims := wire.Encode(map[string]string{"software_id": d.ID(), "client_name": "understudy"})
	signature := make([]byte, 256)
	_, _ = d.Read(signature)
	return contract.Values{
		"softwareStatement": encode([]byte(`{"alg":"RS256"}`)) + "." + encode(claims) + "." + encode(signature),
		"accessToken":       d.ID(),
	}
}

func (st *state) hasStatement(statement string) bool {
	for i := range st.Software {
		if st.Software[i].Statement == statement {
			return true
		}
	}
	return false
}

func (st *state) addUsers(f *fixtureFile, _ contract.Seed) error {
	for _, u := range f.Users {
		added := user{Username: u.Username, Name: u.Name, Denied: u.Denied}
		for _, a := range u.Attributes {
			value := wire.Encode(a.Value)
			if a.JSON != "" {
				if value = []byte(a.JSON); !json.Valid(value) {
					return fmt.Errorf("users: the json of %s's attribute %s is none", u.Username, a.Name)
				}
			}
			added.Attributes = append(added.Attributes, attribute{a.Name, value, a.State})
		}
		st.Users = append(st.Users, added)
	}
	return nil
}

func (st *state) addClients(f *fixtureFile, seed contract.Seed) error {
	for _, k := range f.Clients {
		if k.Software < 0 || k.Software >= len(st.Software) {
			return fmt.Errorf("clients: %s is an instance of software %d, and there are %d", k.ID, k.Software, len(st.Software))
		}
		st.Clients[k.ID] = &client{ID: k.ID, Secret: k.Secret, Statement: st.Software[k.Software].Statement, Issued: seed.Now.Unix(), Fixed: true, Serial: st.nextSerial()}
	}
	return nil
}

func (st *state) addSessions(f *fixtureFile, seed contract.Seed) error {
	now := seed.Now.UnixMilli()
	for _, s := range f.Sessions {
		if st.Sessions[s.Code] != nil || !wellFormedCode(s.Code) {
			return fmt.Errorf("sessions: the code %q appears twice or is not of six or seven capital letters and digits", s.Code)
		}
		device, ok := deviceID(s.Device)
		if s.Device != "" && !ok {
			return fmt.Errorf("sessions: the device of %s is no AP-Device-Identifier", s.Code)
		}
		st.Sessions[s.Code] = &session{
			Code: s.Code, ID: seed.Dice.ID(), ServiceProvider: s.Provider, MVPD: s.MVPD, Domain: s.Domain, RedirectURL: s.RedirectURL,
			Client: s.Client, Device: device, DeviceInfo: s.DeviceInfo, UserAgent: s.UserAgent, Address: "192.0.2.1", Port: "3061",
			life: life{NotBefore: now, NotAfter: now + seed.Switches.Duration("code_ttl").Milliseconds()}, Fixed: true, Serial: st.nextSerial(),
		}
	}
	return nil
}

func (st *state) addProfiles(f *fixtureFile, seed contract.Seed) error {
	now := seed.Now.UnixMilli()
	for _, p := range f.Profiles {
		device, ok := deviceID(p.Device)
		u := st.user(p.Username)
		if !ok || (u == nil && p.Username != "") {
			return fmt.Errorf("profiles: that with %s has no AP-Device-Identifier, or the user %q is not among the users", p.MVPD, p.Username)
		}
		lasts := p.Lasts
		if lasts == 0 {
			lasts = seed.Switches.Duration("authn_ttl")
		}
		added := &profile{
			ID: seed.Dice.ID(), Client: p.Client, Device: device, ServiceProvider: p.Provider, MVPD: p.MVPD, Type: p.Type,
			life: life{NotBefore: now, NotAfter: now + lasts.Milliseconds()}, Fixed: true, Serial: st.nextSerial(),
		}
		if added.Type == "" {
			added.Type = regular
		}
		if u != nil {
			added.User, added.Attributes = u.Username, u.Attributes
		}
		if p.PlatformSubject != "" {
			added.Identities = append(added.Identities, identity{platformSSO, identityValue(p.PlatformSubject)})
		}
		if p.ServiceSubject != "" {
			added.Identities = append(added.Identities, identity{serviceTokenSSO, identityValue(p.ServiceSubject)})
		}
		st.Profiles[added.ID] = added
	}
	return nil
}

// checkReferences refuses entries that refer to missing entries of other lists.
func (st *state) checkReferences() error {
	for i := range st.Providers {
		for _, id := range st.Providers[i].MVPDs {
			if st.mvpd(id) == nil {
				return fmt.Errorf("service_providers: the MVPD %q of %s is not among the mvpds", id, st.Providers[i].ID)
			}
		}
	}
	for _, t := range st.Tokens {
		if st.Clients[t.Client] == nil {
			return fmt.Errorf("tokens: the client %q is not among the clients", t.Client)
		}
	}
	for i := range st.Software {
		for _, sp := range st.Software[i].Providers {
			if st.provider(sp) == nil {
				return fmt.Errorf("software: the service provider %q of statement %d is not among the service_providers", sp, i)
			}
		}
	}
	return nil
}
