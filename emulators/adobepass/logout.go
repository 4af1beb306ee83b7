package adobepass

import (
	"net/url"

	"github.com/understudy-suite/understudy/internal/contract"
)

var logout = &contract.Operation{
	Name:   "Logout",
	Doc:    "Deletes the device's profile with the MVPD, and those that single sign-on shares with it, and returns whether the user agent has to open a page.",
	Cite:   citeLogout,
	Method: "GET", Path: "/api/v2/{serviceProvider}/logout/{mvpd}",
	Params: []contract.Param{
		serviceProviderRow(citeLogout), mvpdRow(citeLogout),
		{Name: "redirectUrl", In: contract.Query, Example: "http://adobe.com", Cite: citeLogout, Doc: "Where the user agent ends up. The page calls it required, the OpenAPI document optional: without it the switch logout_redirect decides."},
		deviceRow, deviceInfoRow, forwardedRow, subjectRow, rokuRow, serviceTokenRow, partnerStatusRow, visitorRow,
	},
	Outcomes: contract.Outcomes(
		logoutOutcome("logout", interactive, "The user agent has to open url, so that the MVPD forgets the user too."),
		logoutOutcome("complete", none, "Everything is done: the MVPD has no logout of its own, or the access was degraded or temporary."),
		logoutOutcome("partner_logout", "partner_interactive", "The profile came from the partner, and the user logs out in the device's settings."),
		logoutOutcome("invalid", none, "There was no valid profile."),
		badServiceProvider, badMVPD, badIntegration, badRedirect, badDevice, badDeviceInfo,
	),
	Decide: forKnownProvider(decideLogout),
}

// A logoutReply is the reply of Logout.
type logoutReply struct {
	Logouts members `json:"logouts"`
}

type logoutView struct {
	ActionName string `json:"actionName"`
	ActionType string `json:"actionType"`
	MVPD       string `json:"mvpd"`
	URL        string `json:"url,omitempty"`
}

// logoutOutcome makes an outcome that deletes the profile.
func logoutOutcome(name, kind, doc string) *contract.Outcome {
	return &contract.Outcome{
		Name: name, Status: 200, Cite: citeLogout, Doc: doc,
		Returns: []contract.Param{{Name: "logouts", Type: contract.Object, Need: contract.Required, Cite: citeLogout, Doc: "By MVPD what is to be done: actionName, actionType, mvpd, and url where a user agent is needed."}},
		Do: func(c *contract.Call) any {
			st, id := c.State.(*state), c.In.Text("mvpd")
			st.removeLogin(holderOf(c, id), callerOf(c).identities)
			v := logoutView{ActionName: name, ActionType: kind, MVPD: id}
			if kind == interactive {
				v.URL = st.logoutURL(c, id)
			}
			return &logoutReply{members{{id, v}}}
		},
	}
}

var (
	nothingToLogOut  = &contract.Cause{Code: "nothing_to_log_out", Text: "There is no valid profile with {mvpd}."}
	noLogoutEndpoint = &contract.Cause{Code: "no_logout_endpoint", Text: "The MVPD {mvpd} has no logout of its own: the fixture sets no_logout."}
	notLoggedIn      = &contract.Cause{Code: "nobody_logged_in", Text: "Access to {mvpd} is {kind}: it did not come from a login."}
)

func decideLogout(c *contract.Call, st *state) contract.Verdict {
	m, v := st.checkMVPD(c, c.In.Text("mvpd"))
	if !v.Pending() {
		return v
	}
	ends := c.Operation.Outcomes
	interactively, complete, partner, invalid := ends[0], ends[1], ends[2], ends[3]
	h, now := holderOf(c, m.ID), c.Now.UnixMilli()
	p, how := st.findProfile(h, callerOf(c).identities, now)
	switch {
	case m.TempPass != "":
		return complete.Because(notLoggedIn, "mvpd", m.ID, "kind", temporary)
	case p == nil && st.degradation(h.serviceProvider, m.ID, now).is(authNAll):
		return complete.Because(notLoggedIn, "mvpd", m.ID, "kind", degraded)
	case p == nil:
		return invalid.Because(nothingToLogOut, "mvpd", m.ID)
	case how == appleSSO:
		return partner.Verdict()
	case m.NoLogout:
		return complete.Because(noLogoutEndpoint, "mvpd", m.ID)
	}
	return interactively.Verdict()
}

// removeLogin deletes the holder's profile, and those that share an identity
// with it or with the call.
func (st *state) removeLogin(h holder, identities []identity) {
	shared := identities
	if p := st.profilesByHolder[h]; p != nil {
		shared = append(shared[:len(shared):len(shared)], p.Identities...)
		st.removeProfile(p)
	}
	for _, i := range shared {
		for all := st.profilesBySSO[sso{i, h.mvpd}]; len(all) > 0; all = st.profilesBySSO[sso{i, h.mvpd}] {
			st.removeProfile(all[len(all)-1])
		}
	}
}

// logoutURL returns where the user agent finishes the logout: a page of this
// server, under the address of the request. Its last parameter identifies the
// logout.
func (st *state) logoutURL(c *contract.Call, mvpd string) string {
	to := c.In.Text("redirectUrl")
	if to == "" {
		to = c.Switches.Text("logout_redirect")
	}
	st.makeRoom(logoutKind, c)
	t := &pendingLogout{ID: digest(c.Mint().ID()), RedirectURL: to, Serial: st.nextSerial()}
	t.entry = st.queues[logoutKind].push(t, t.RedirectURL)
	st.Logouts[t.ID] = t
	c.Issue(t.ID)
	return c.Request.Base + logoutPath + "?noflash=true&mso_id=" + url.QueryEscape(mvpd) +
		"&requestor_id=" + url.QueryEscape(c.In.Text("serviceProvider")) +
		"&redirect_url=" + url.QueryEscape(to) + "&pt_device_id=" + t.ID
}

// removeLogout deletes a pending logout.
func (st *state) removeLogout(c *contract.Call, t *pendingLogout) {
	t.entry.remove()
	delete(st.Logouts, t.ID)
	c.Forget(t.ID)
}
