package adobepass

import (
	"net/url"

	"github.com/understudy-suite/understudy/internal/contract"
)

var logout = &contract.Operation{
	Name:   "Logout",
	Doc:    "Deletes the device's profile with the MVPD, and those that single sign-on shares with it, and says whether the user agent has to be sent anywhere.",
	Cite:   citeLogout,
	Method: "GET", Path: "/api/v2/{serviceProvider}/logout/{mvpd}",
	Params: []contract.Param{
		serviceProviderRow(citeLogout), mvpdRow(citeLogout),
		{Name: "redirectUrl", In: contract.Query, Example: "http://adobe.com", Cite: citeLogout, Doc: "Where the user agent ends up. The page calls it required, the OpenAPI document optional: without it the switch logout_redirect says where."},
		deviceRow, deviceInfoRow, forwardedRow, subjectRow, rokuRow, serviceTokenRow, partnerRow, visitorRow,
	},
	Outcomes: contract.Outcomes(
		logsOut("logout", interactive, "The user agent has to open url, so that the MVPD forgets the user too."),
		logsOut("complete", none, "Everything is done: the MVPD has no logout of its own, or the access was degraded or temporary."),
		logsOut("partner_logout", "partner_interactive", "The profile came from the partner, and the user logs out in the device's settings."),
		logsOut("invalid", none, "There was no valid profile."),
		badServiceProvider, badMVPD, badIntegration, badRedirect, badDevice, badDeviceInfo,
	),
	Decide: inWorld(decideLogout),
}

// A logoutReply is what Logout returns.
type logoutReply struct {
	Logouts members `json:"logouts"`
}

type logoutView struct {
	ActionName string `json:"actionName"`
	ActionType string `json:"actionType"`
	MVPD       string `json:"mvpd"`
	URL        string `json:"url,omitempty"`
}

func logsOut(name, kind, doc string) *contract.Outcome {
	return &contract.Outcome{
		Name: name, Status: 200, Cite: citeLogout, Doc: doc,
		Returns: []contract.Param{{Name: "logouts", Type: contract.Object, Need: contract.Required, Cite: citeLogout, Doc: "By MVPD what is to be done: actionName, actionType, mvpd, and url where a user agent is needed."}},
		Do: func(c *contract.Call) any {
			st, id := c.State.(*state), c.In.Text("mvpd")
			st.forgetLogin(holderOf(c, id), callerOf(c).known)
			v := logoutView{ActionName: name, ActionType: kind, MVPD: id}
			if kind == interactive {
				v.URL = st.logoutURL(c, id)
			}
			return &logoutReply{members{{id, v}}}
		},
	}
}

var (
	nothingThere  = &contract.Cause{Code: "nothing_to_log_out", Text: "There is no valid profile with {mvpd}."}
	noLogout      = &contract.Cause{Code: "no_logout_endpoint", Text: "The MVPD {mvpd} has no logout of its own: the fixture says no_logout."}
	nobodysLogout = &contract.Cause{Code: "nobody_logged_in", Text: "Access to {mvpd} is {kind}: no login stands behind it."}
)

func decideLogout(c *contract.Call, st *state) contract.Verdict {
	m, v := st.checkMVPD(c, c.In.Text("mvpd"))
	if !v.Pending() {
		return v
	}
	ends := c.Operation.Outcomes
	interactively, complete, partner, invalid := ends[0], ends[1], ends[2], ends[3]
	h, now := holderOf(c, m.ID), c.Now.UnixMilli()
	p, how := st.find(h, callerOf(c).known, now)
	switch {
	case m.TempPass != "":
		return complete.Because(nobodysLogout, "mvpd", m.ID, "kind", temporary)
	case p == nil && st.degradation(h.serviceProvider, m.ID, now).is(authNAll):
		return complete.Because(nobodysLogout, "mvpd", m.ID, "kind", degraded)
	case p == nil:
		return invalid.Because(nothingThere, "mvpd", m.ID)
	case how == appleSSO:
		return partner.Verdict()
	case m.NoLogout:
		return complete.Because(noLogout, "mvpd", m.ID)
	}
	return interactively.Verdict()
}

// forgetLogin deletes the holder's profile, and those that share an identity
// with it or with the call.
func (st *state) forgetLogin(h holder, known []identity) {
	shared := known
	if p := st.profiles[h]; p != nil {
		shared = append(shared[:len(shared):len(shared)], p.Identities...)
		st.remove(p)
	}
	for _, i := range shared {
		for all := st.shared[sso{i, h.mvpd}]; len(all) > 0; all = st.shared[sso{i, h.mvpd}] {
			st.remove(all[len(all)-1])
		}
	}
}

// logoutURL is where the user agent ends the logout: here, by the address by
// which the request came. Its last parameter is how the page knows which
// logout it ends.
func (st *state) logoutURL(c *contract.Call, mvpd string) string {
	to := c.In.Text("redirectUrl")
	if to == "" {
		to = c.Switches.Text("logout_redirect")
	}
	st.makeRoom(logouts, c)
	t := &ticket{ID: digest(c.Mint().ID()), RedirectURL: to, Serial: st.next()}
	t.at = st.order[logouts].push(t, t.RedirectURL)
	st.Logouts[t.ID] = t
	c.Issue(t.ID)
	return c.Request.Base + logoutPath + "?noflash=true&mso_id=" + url.QueryEscape(mvpd) +
		"&requestor_id=" + url.QueryEscape(c.In.Text("serviceProvider")) +
		"&redirect_url=" + url.QueryEscape(to) + "&pt_device_id=" + t.ID
}

// punch forgets a logout that is to be ended in the browser.
func (st *state) punch(c *contract.Call, t *ticket) {
	t.at.remove()
	delete(st.Logouts, t.ID)
	c.Forget(t.ID)
}
