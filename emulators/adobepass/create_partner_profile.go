package adobepass

import "github.com/understudy-suite/understudy/internal/contract"

var createPartnerProfile = &contract.Operation{
	Name:   "CreatePartnerProfile",
	Doc:    "Makes a profile from the answer of the partner's framework. (The text says that a failed validation leads to the basic flow, the list of errors says 400: it is 400 here.)",
	Cite:   citePartnerAnswer,
	Method: "POST", Path: "/api/v2/{serviceProvider}/profiles/sso/{partner}",
	Params: []contract.Param{
		serviceProviderRow(citePartnerAnswer), partnerParam(citePartnerAnswer),
		{Name: "SAMLResponse", In: contract.Form, Need: contract.Required, Example: "PHNhbWxwOlJlc3BvbnNlLz4=", Cite: citePartnerAnswer, Doc: "The SAML response of the MVPD: base64, percent-encoded."},
		deviceRow, deviceInfoRow, partnerStatusRow, forwardedRow, visitorRow,
	},
	Outcomes: contract.Outcomes(
		partnerProfileMade, degradedProfile(citePartnerAnswer),
		badServiceProvider, badPartner, badSAML, badIntegration, badDevice, badDeviceInfo,
		pfsNotPresent, pfsNotDetermined, pfsNotGranted, pfsNoProvider, pfsMismatch, pfsExpired,
	),
	Decide: forKnownProvider(func(c *contract.Call, st *state) contract.Verdict {
		if id := partnerMVPD(c, st); id != "" && st.degradation(c.In.Text("serviceProvider"), id, c.Now.UnixMilli()).is(authNAll) {
			return c.Operation.Outcomes[1].Because(shownDegraded, "serviceProvider", c.In.Text("serviceProvider"), "mvpd", id)
		}
		m, v := st.checkFrameworkStatus(c, frameworkStatusOf(c))
		if !v.Pending() {
			return v
		}
		if _, v := st.checkMVPD(c, m.ID); !v.Pending() {
			return v
		}
		return partnerProfileMade.Verdict()
	}),
}

var partnerProfileMade = &contract.Outcome{
	Name: "success", Status: 201, Cite: citePartnerAnswer, Returns: profileRows(citePartnerAnswer), Keeps: true,
	Doc: "The profile is made; its type is appleSSO and its issuer Apple. It ends no later than the partner's own information. (The OpenAPI document says 200.)",
	Do: func(c *contract.Call) any {
		st := c.State.(*state)
		h := holderOf(c, partnerMVPD(c, st))
		if h.mvpd == "" {
			h.mvpd = st.defaultMVPD(h.serviceProvider)
		}
		now := c.Now.UnixMilli()
		ends := now + st.authnTTL(c, h.mvpd).Milliseconds()
		if s := frameworkStatusOf(c); s != nil {
			if ms, ok := s.expiration(); ok && ms > now {
				ends = min(ends, ms)
			}
		}
		p := st.grantProfile(c, &profile{Client: h.client, Device: h.device, ServiceProvider: h.serviceProvider, MVPD: h.mvpd, Type: appleSSO, life: life{NotAfter: ends}}, st.user(""))
		return oneProfile(h.mvpd, p.view(appleSSO))
	},
}
