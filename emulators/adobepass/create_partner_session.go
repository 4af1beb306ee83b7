package adobepass

import (
	"encoding/base64"

	"github.com/understudy-suite/understudy/internal/contract"
)

const partnerApple = "Apple"

func partnerParam(cite string) contract.Param {
	return contract.Param{Name: "partner", In: contract.Path, Need: contract.Required, Example: partnerApple, Cite: cite, Doc: "The partner whose framework takes part; Apple is the only one that is documented."}
}

var createPartnerSession = &contract.Operation{
	Name:   "CreatePartnerSession",
	Doc:    "Begins an authentication through a partner's framework and returns the SAML request for it, or falls back to the basic flow. The MVPD is that of AP-Partner-Framework-Status.",
	Cite:   citePartner,
	Method: "POST", Path: "/api/v2/{serviceProvider}/sessions/sso/{partner}",
	Params: append(append([]contract.Param{serviceProviderRow(citePartner), partnerParam(citePartner)}, sessionParams(citePartner)[1:]...),
		deviceRow, deviceInfoRow, partnerStatusRow, forwardedRow, visitorRow),
	Outcomes: contract.Outcomes(
		partnerProfile, pfsFallback, configurationFallback, missingFallback, partnerAuthenticated, partnerSSO, partnerDegraded,
		badServiceProvider, badPartner, badIntegration, badRedirect, badDomain, badDevice, badDeviceInfo,
	),
	Decide: forKnownProvider(decidePartner),
}

var partnerSessionRows = append(sessionRows(citePartner, []string{"partner_profile", "authenticate", "resume", "authorize"},
	[]string{none, "authenticated", degraded, "authenticatedSSO", "pfs_fallback", "configuration_fallback", "missing_parameters_fallback"}),
	contract.Param{
		Name: "authenticationRequest", Type: contract.Object, Cite: citePartner, Doc: "The request to the partner's framework.",
		Fields: []contract.Param{
			{Name: "type", Need: contract.Required, OneOf: []string{"saml"}, Cite: citePartner, Doc: "saml."},
			{Name: "request", Need: contract.Required, Cite: citePartner, Doc: "The SAML request, in base64."},
			{Name: "attributesNames", Type: contract.List, Of: contract.String, Need: contract.Required, Cite: citePartner, Doc: "The attributes that the partner shall return."},
		},
	})

// An authnRequest is the request to the partner's framework.
type authnRequest struct {
	Type       string   `json:"type"`
	Request    string   `json:"request"`
	Attributes []string `json:"attributesNames"`
}

// The outcomes of CreatePartnerSession.
var (
	partnerProfile = &contract.Outcome{
		Name: "partner_profile", Status: 200, Cite: citePartner, Returns: partnerSessionRows,
		Doc: "The partner's framework takes the request; its answer goes to url. No code is issued.",
		Do: func(c *contract.Call) any {
			st, sp := c.State.(*state), c.In.Text("serviceProvider")
			m := partnerMVPD(c, st)
			if m == "" {
				m = st.defaultMVPD(sp)
			}
			id := c.Dice().ID()
			return &sessionReply{
				ActionName: "partner_profile", ActionType: direct, ReasonType: none,
				URL: apiPath + sp + "/profiles/sso/" + c.In.Text("partner"), SessionID: id, MVPD: m, ServiceProvider: sp,
				AuthenticationRequest: &authnRequest{"saml", samlRequest(c, id), []string{"uid", "NameID", "uniqueId"}},
			}
		},
	}
	pfsFallback           = fallbackOutcome("pfs_fallback", "pfs_fallback", "AP-Partner-Framework-Status is missing, invalid, expired, or the user has not granted access.")
	configurationFallback = fallbackOutcome("configuration_fallback", "configuration_fallback", "Single sign-on through the partner is off for the MVPD.")
	missingFallback       = fallbackOutcome("missing_parameters_fallback", "missing_parameters_fallback", "domainName or redirectUrl is missing; the session has to be resumed. Forced for a complete request, it lists both.")
	partnerAuthenticated  = authorizeOutcome("authorize.authenticated", "authenticated", citePartner, partnerSessionRows, "The device has a valid profile with the MVPD.")
	partnerSSO            = authorizeOutcome("authorize.authenticatedSSO", "authenticatedSSO", citePartner, partnerSessionRows, "Single sign-on leads to a valid profile.")
	partnerDegraded       = authorizeOutcome("authorize.degraded", degraded, citePartner, partnerSessionRows, "A degradation rule AuthNAll lets every user in without a login.")
)

// fallbackOutcome makes an outcome in which the basic flow takes over. A sample
// shows actionName authenticate where the header names no MVPD. Without an MVPD
// there is no login page, so the session has to be resumed first.
func fallbackOutcome(name, reason, doc string) *contract.Outcome {
	return &contract.Outcome{
		Name: name, Status: 200, Cite: citePartner, Returns: partnerSessionRows, Doc: doc,
		Keeps: true,
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			s := sessionOf(c)
			s.MVPD = partnerMVPD(c, st)
			if reason == "missing_parameters_fallback" && s.Domain != "" && s.RedirectURL != "" {
				s.Domain, s.RedirectURL = "", ""
			}
			st.beginSession(c, s)
			if len(s.missing(c.Switches)) > 0 {
				return s.resumeReply(c, reason)
			}
			return s.reply("authenticate", interactive, reason, s.authenticatePath())
		},
	}
}

// partnerMVPD returns the MVPD that the partner framework status names, or "".
// Other faults of the header do not matter here.
func partnerMVPD(c *contract.Call, st *state) string {
	if findParam(c.Operation, partnerHeader) == nil || findParam(c.Operation, "partner") == nil {
		return ""
	}
	if s := frameworkStatusOf(c); s != nil {
		if m := st.mvpdByMappingID(s.Provider.ID); m != nil {
			return m.ID
		}
	}
	return ""
}

// samlRequest returns a SAML AuthnRequest in base64, with the parts that clients
// look at.
func samlRequest(c *contract.Call, id string) string {
	return base64.StdEncoding.EncodeToString([]byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_` + id + `" Version="2.0" IssueInstant="` + c.Now.UTC().Format("2006-01-02T15:04:05Z") + `">` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://saml.sp.auth.adobe.com</saml:Issuer></samlp:AuthnRequest>`))
}

var partnerShortcuts = shortcutOutcomes{nil, partnerAuthenticated, partnerSSO, partnerDegraded}

var partnerOff = &contract.Cause{Code: "partner_sso_off", Text: "The fixture sets no_partner_sso for {mvpd}, or the switch partner_sso is off."}

func decidePartner(c *contract.Call, st *state) contract.Verdict {
	if v := st.checkDomain(c); !v.Pending() {
		return v
	}
	m, fault := st.checkFrameworkStatus(c, frameworkStatusOf(c))
	if id := partnerMVPD(c, st); id != "" {
		known, v := st.checkMVPD(c, id)
		if !v.Pending() {
			return v
		}
		if v := st.decideWithoutLogin(c, known, holderOf(c, id), callerOf(c).identities, &partnerShortcuts); !v.Pending() {
			return v
		}
	}
	switch {
	case c.In.Text("domainName") == "" || c.In.Text("redirectUrl") == "":
		return missingFallback.Because(lacksSome, "missing", "domainName or redirectUrl", "url", "the url of the answer")
	case !fault.Pending():
		return pfsFallback.Because(fault.Cause, flattenFacts(fault.Facts)...)
	case m.NoPartnerSSO || !c.Switches.Bool("partner_sso"):
		return configurationFallback.Because(partnerOff, "mvpd", m.ID)
	}
	return partnerProfile.Verdict()
}

// flattenFacts returns facts as Because takes them: names and values alternate.
func flattenFacts(facts contract.Facts) []any {
	var all []any
	for _, f := range facts {
		all = append(all, f.Name, f.Value)
	}
	return all
}
