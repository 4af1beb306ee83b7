package adobepass

import "github.com/understudy-suite/understudy/internal/contract"

var getProfileByCode = &contract.Operation{
	Name:   "GetProfileByCode",
	Doc:    "Returns the profile that a session's login has led to. Devices poll it, every three to five seconds, from when they showed the code.",
	Cite:   citeProfileByCode,
	Method: "GET", Path: "/api/v2/{serviceProvider}/profiles/code/{code}",
	Params: []contract.Param{
		serviceProviderRow(citeProfileByCode), codeRow(citeProfileByCode, "XTC98W"),
		identityRow, forwardedRow, visitorRow,
	},
	Outcomes: contract.Outcomes(
		profileFound(citeProfileByCode), noProfiles(citeProfileByCode), degradedProfile(citeProfileByCode), temporaryProfile(citeProfileByCode),
		badServiceProvider, badCode, noSession, badMVPD, badIntegration, badIdentity,
		temporaryOver, temporaryUsedUp, temporaryBroken,
	),
	Decide: forKnownProvider(func(c *contract.Call, st *state) contract.Verdict {
		s, v := st.checkCode(c)
		if !v.Pending() {
			return v
		}
		if s.MVPD == "" {
			return c.Operation.Outcomes[1].Because(noMVPDYet, "code", s.Code)
		}
		m, v := st.checkMVPD(c, s.MVPD)
		if !v.Pending() {
			return v
		}
		return st.decideProfile(c, m, holder{s.Client, s.Device, s.ServiceProvider, m.ID}, nil)
	}),
}

var noMVPDYet = &contract.Cause{Code: "mvpd_not_chosen", Text: "No MVPD has been chosen for the code {code} yet."}
