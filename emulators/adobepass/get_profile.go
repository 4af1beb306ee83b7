package adobepass

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

var getProfile = &contract.Operation{
	Name:   "GetProfile",
	Doc:    "Returns the device's profile with one MVPD, also a degraded or a temporary one.",
	Cite:   citeProfile,
	Method: "GET", Path: "/api/v2/{serviceProvider}/profiles/{mvpd}",
	Params: slices.Concat([]contract.Param{serviceProviderRow(citeProfile), mvpdRow(citeProfile), deviceRow, deviceInfoRow, identityRow}, ssoRows),
	Outcomes: contract.Outcomes(
		profileFound(citeProfile), noProfiles(citeProfile), degradedProfile(citeProfile), temporaryProfile(citeProfile),
		badServiceProvider, badMVPD, badIntegration, badDevice, badDeviceInfo, badIdentity,
		temporaryOver, temporaryUsedUp, temporaryBroken,
	),
	Decide: forKnownProvider(func(c *contract.Call, st *state) contract.Verdict {
		m, v := st.checkMVPD(c, c.In.Text("mvpd"))
		if !v.Pending() {
			return v
		}
		return st.decideProfile(c, m, holderOf(c, m.ID), callerOf(c).identities)
	}),
}

// The outcomes of the operations that return one profile, in the order of their
// lists.
func profileFound(cite string) *contract.Outcome {
	return &contract.Outcome{
		Name: "success", Status: 200, Cite: cite, Returns: profileRows(cite),
		Doc: "There is a profile from a login: regular, appleSSO, platformSSO or serviceTokenSSO.",
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			h, known := requestedHolder(c, st)
			p, how := st.findProfile(h, known, c.Now.UnixMilli())
			if p == nil {
				p = st.grantRegularProfile(c, h)
				how = p.Type
			}
			return oneProfile(p.MVPD, p.view(how))
		},
	}
}

func degradedProfile(cite string) *contract.Outcome {
	return &contract.Outcome{
		Name: degraded, Status: 200, Cite: cite, Returns: profileRows(cite),
		Doc: "A degradation rule AuthNAll gives every user a profile.",
		Do: func(c *contract.Call) any {
			h, _ := requestedHolder(c, c.State.(*state))
			return oneProfile(h.mvpd, degradedView(c, h))
		},
	}
}

func temporaryProfile(cite string) *contract.Outcome {
	return &contract.Outcome{
		Name: temporary, Status: 200, Cite: cite, Returns: profileRows(cite),
		Doc: "The MVPD is a TempPass and its trial runs, or would with the first authorization.",
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			h, _ := requestedHolder(c, st)
			return oneProfile(h.mvpd, st.trialView(c, h))
		},
	}
}

// requestedHolder returns the holder of the requested profile: the caller, or
// the creator of the session whose code the call names.
func requestedHolder(c *contract.Call, st *state) (holder, []identity) {
	if s := st.Sessions[c.In.Text("code")]; s != nil {
		h := holder{s.Client, s.Device, s.ServiceProvider, s.MVPD}
		if h.mvpd == "" {
			h.mvpd = st.defaultMVPD(h.serviceProvider)
		}
		return h, nil
	}
	mvpd := c.In.Text("mvpd")
	if named := partnerMVPD(c, st); named != "" {
		mvpd = named
	}
	if mvpd == "" {
		mvpd = st.defaultMVPD(c.In.Text("serviceProvider"))
	}
	return holderOf(c, mvpd), callerOf(c).identities
}

var shownDegraded = &contract.Cause{Code: "authn_all_profile", Text: "The rule AuthNAll is applied to {serviceProvider} and {mvpd}, so every user has a profile."}

// decideProfile decides about one MVPD. A profile from a login comes before a
// degraded one.
func (st *state) decideProfile(c *contract.Call, m *mvpd, h holder, identities []identity) contract.Verdict {
	found, none, byRule, byTrial := c.Operation.Outcomes[0], c.Operation.Outcomes[1], c.Operation.Outcomes[2], c.Operation.Outcomes[3]
	if m.TempPass != "" {
		if e, cause := st.trialDenial(c, m, h, ""); e != nil {
			return trialRefusal(e).Because(cause, "mvpd", m.ID)
		}
		return byTrial.Verdict()
	}
	now := c.Now.UnixMilli()
	if p, _ := st.findProfile(h, identities, now); p != nil && st.mayShow(c, p) {
		return found.Verdict()
	}
	if st.degradation(h.serviceProvider, m.ID, now).is(authNAll) {
		return byRule.Because(shownDegraded, "serviceProvider", h.serviceProvider, "mvpd", m.ID)
	}
	return none.Because(noneVisible, "serviceProvider", h.serviceProvider, "client", h.client)
}

// degradedView returns the profile that AuthNAll gives to every user. Its userID
// has 56 hexadecimal digits, as in the sample.
func degradedView(c *contract.Call, h holder) *profileView {
	now, user := c.Now.UnixMilli(), sha256.Sum224([]byte(h.device+h.mvpd))
	return &profileView{
		NotBefore: now, NotAfter: now + c.Switches.Duration("degraded_ttl").Milliseconds(), Issuer: "Adobe", Type: degraded,
		More: members{{"userID", &attributeView{hex.EncodeToString(user[:]), "plain"}}},
	}
}
