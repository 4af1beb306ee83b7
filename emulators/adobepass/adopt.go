package adobepass

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// adopts are the identifiers that Adobe gives to programmers.
var adopts = []contract.Adoptable{
	{
		What: "software_statement", Routes: true, Take: takeStatement, Rows: statementRows, Shown: digest, Longest: 8 << 10,
		Doc: "The application of any well-formed statement, for every service provider and redirect URI. Told by the first 40 hexadecimal digits of its SHA-256.",
	},
	{What: "client_id", Routes: true, Take: takeClient, Rows: clientRows, Doc: "A client that was registered elsewhere, of the first application, with the client_secret that came with it."},
	{What: "serviceProvider", Take: takeProvider, Rows: providerRows, Doc: "As the first service provider, with its domains and MVPDs."},
	{What: "mvpd", Take: takeMVPD, Rows: mvpdRows, Doc: "As the first MVPD, with an integration with every service provider."},
}

// adoptNamed has the identifiers adopted that a request names beside its service provider.
func adoptNamed(c *contract.Call) contract.Verdict {
	if c.Unknown != contract.Adopt || c.Operation.Helper {
		return contract.Verdict{}
	}
	c.WithState(func() {
		st := c.State.(*state)
		statement := c.In.Text("software_statement")
		if c.Operation == registerClient && st.statement(statement) == nil && wellFormedStatement(statement) && !(c.Auth == contract.Verify && st.resembles(statement)) {
			c.Adopt("software_statement", statement)
		}
		if id := c.In.Text("client_id"); c.Operation == createToken && st.Clients[id] == nil {
			c.Adopt("client_id", id)
		}
		if id := c.In.Text("mvpd"); st.mvpd(id) == nil {
			c.Adopt("mvpd", id)
		}
	})
	return contract.Verdict{}
}

func takeStatement(c *contract.Call, text string) bool {
	st := c.State.(*state)
	st.softwareByStatement[text] = len(st.Software)
	st.Software = append(st.Software, software{Statement: text})
	return true
}

func statementRows(s contract.State, shown string) contract.Values {
	st := s.(*state)
	i := slices.IndexFunc(st.Software, func(s software) bool { return digest(s.Statement) == shown })
	if i < 0 {
		return nil
	}
	one := &st.Software[i]
	return contract.Values{"software": []any{contract.Values{
		"statement": one.Statement, "service_providers": listOf(one.Providers), "redirect_uris": listOf(one.RedirectURIs),
		"schemes": listOf(one.Schemes), "revoked": one.Revoked,
	}}}
}

func takeClient(c *contract.Call, id string) bool {
	c.State.(*state).registerUnknownClient(c, id)
	return true
}

func clientRows(s contract.State, id string) contract.Values {
	one := s.(*state).Clients[id]
	if one == nil {
		return nil
	}
	return contract.Values{"clients": []any{contract.Values{"client_id": one.ID, "client_secret": one.Secret}}}
}

func takeProvider(c *contract.Call, id string) bool {
	st := c.State.(*state)
	if len(st.Providers) == 0 {
		return false
	}
	like := &st.Providers[0]
	st.providersByID[id] = len(st.Providers)
	st.Providers = append(st.Providers, provider{ID: id, Domains: slices.Clone(like.Domains), MVPDs: slices.Clone(like.MVPDs), Adopted: true})
	return true
}

func providerRows(s contract.State, id string) contract.Values {
	p := s.(*state).provider(id)
	if p == nil {
		return nil
	}
	return contract.Values{"service_providers": []any{p.row()}}
}

// row is the service provider as a fixture file has it.
func (p *provider) row() contract.Values {
	return contract.Values{"id": p.ID, "name": p.Name, "domains": listOf(p.Domains), "mvpds": listOf(p.MVPDs)}
}

func takeMVPD(c *contract.Call, id string) bool {
	st := c.State.(*state)
	if len(st.MVPDs) == 0 {
		return false
	}
	m := st.MVPDs[0]
	m.ID, m.DisplayName, m.PlatformMappingID = id, "", ""
	st.mvpdsByID[id] = len(st.MVPDs)
	st.MVPDs = append(st.MVPDs, m)
	for i := range st.Providers {
		p := &st.Providers[i]
		p.MVPDs = append(slices.Clip(p.MVPDs), id)
	}
	return true
}

// mvpdRows has the MVPD, and the fixture's service providers with their integration.
// Adopted ones have a row of their own.
func mvpdRows(s contract.State, id string) contract.Values {
	st := s.(*state)
	m := st.mvpd(id)
	if m == nil {
		return nil
	}
	var providers []any
	for i := range st.Providers {
		if p := &st.Providers[i]; !p.Adopted && p.integrates(id) {
			providers = append(providers, p.row())
		}
	}
	row := contract.Values{
		"id": m.ID, "display_name": m.DisplayName, "logo_url": m.LogoURL, "no_logout": m.NoLogout, "boarding_status": m.BoardingStatus,
		"no_partner_sso": m.NoPartnerSSO, "temp_pass": m.TempPass, "temp_ttl": m.TempTTL, "temp_resources": m.TempResources, "temp_key": m.TempKey,
		"authn_ttl": m.AuthnTTL, "authz_ttl": m.AuthzTTL, "preauthorize_limit": m.PreauthorizeLimit, "authorize_limit": m.AuthorizeLimit,
	}
	for name, set := range map[string]*bool{
		"auth_per_aggregator": m.AuthPerAggregator, "auth_per_browser_session": m.AuthPerBrowserSession, "passive_authn_enabled": m.PassiveAuthnEnabled,
	} {
		if set != nil {
			row[name] = *set
		}
	}
	return contract.Values{"mvpds": []any{row}, "service_providers": providers}
}

// listOf is a list as a fixture's row has it.
func listOf(texts []string) []any {
	all := make([]any, len(texts))
	for i, s := range texts {
		all[i] = s
	}
	return all
}
