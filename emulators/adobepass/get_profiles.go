package adobepass

import (
	"iter"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// ssoRows are the headers by which single sign-on finds profiles of other
// devices.
var ssoRows = []contract.Param{forwardedRow, subjectRow, rokuRow, serviceTokenRow, partnerStatusRow, visitorRow}

var getProfiles = &contract.Operation{
	Name:   "GetProfiles",
	Doc:    "Returns every valid profile of the device under this client and service provider. Degraded and temporary profiles are not among them.",
	Cite:   citeProfiles,
	Method: "GET", Path: "/api/v2/{serviceProvider}/profiles",
	Params: slices.Concat([]contract.Param{serviceProviderRow(citeProfiles), deviceRow, deviceInfoRow}, ssoRows),
	Outcomes: contract.Outcomes(
		&contract.Outcome{
			Name: "success", Status: 200, Cite: citeProfiles, Doc: "There are profiles.", Returns: profileRows(citeProfiles),
			Do: func(c *contract.Call) any {
				st := c.State.(*state)
				all := st.visibleProfiles(c)
				if len(all) == 0 {
					p := st.grantRegularProfile(c, holderOf(c, ""))
					all = members{{p.MVPD, p.view(p.Type)}}
				}
				return &profilesReply{all}
			},
		},
		noProfiles(citeProfiles), badServiceProvider, badDevice, badDeviceInfo,
	),
	Decide: forKnownProvider(func(c *contract.Call, st *state) contract.Verdict {
		if !st.showsProfiles(c) {
			return c.Operation.Outcomes[1].Because(noneVisible, "serviceProvider", c.In.Text("serviceProvider"), "client", callerOf(c).client)
		}
		return c.Operation.Outcomes[0].Verdict()
	}),
}

// noProfiles makes the outcome of all profile operations without a profile.
func noProfiles(cite string) *contract.Outcome {
	return &contract.Outcome{
		Name: "noProfile", Status: 200, Cite: cite, Returns: profileRows(cite),
		Doc: "There is no valid profile: profiles is {}. Clients that poll for a login get this until the user has logged in.",
		Do:  func(*contract.Call) any { return &profilesReply{} },
	}
}

var noneVisible = &contract.Cause{Code: "no_profile", Text: "The device has no valid profile under client {client} and {serviceProvider}. Profiles are bound to all three; a new client or device identifier sees none of the old."}

// showsProfiles reports whether there is a profile that the caller may see.
func (st *state) showsProfiles(c *contract.Call) bool {
	for range st.eachVisible(c) {
		return true
	}
	return false
}

// visibleProfiles lists the profiles that the caller may see, by MVPD.
func (st *state) visibleProfiles(c *contract.Call) members {
	var all members
	for p, shownAs := range st.eachVisible(c) {
		all = append(all, member{p.MVPD, p.view(shownAs)})
	}
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return all
}

// eachVisible yields each profile that the caller may see, and as what. Those of Apple's
// single sign-on need a good partner framework status.
func (st *state) eachVisible(c *contract.Call) iter.Seq2[*profile, string] {
	return func(yield func(*profile, string) bool) {
		sp, now := st.provider(c.In.Text("serviceProvider")), c.Now.UnixMilli()
		if sp == nil {
			return
		}
		h, identities := holderOf(c, ""), callerOf(c).identities
		for _, h.mvpd = range sp.MVPDs {
			if p, shownAs := st.findProfile(h, identities, now); p != nil && st.mayShow(c, p) && !yield(p, shownAs) {
				return
			}
		}
	}
}

// mayShow reports whether the caller may see a profile.
func (st *state) mayShow(c *contract.Call, p *profile) bool {
	if p.Type != appleSSO {
		return true
	}
	m, v := st.checkFrameworkStatus(c, frameworkStatusOf(c))
	return v.Pending() && m.ID == p.MVPD
}
