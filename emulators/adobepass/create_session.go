package adobepass

import "github.com/understudy-suite/understudy/internal/contract"

// The rows of path parameters that several operations have.
func serviceProviderRow(cite string) contract.Param {
	return contract.Param{Name: "serviceProvider", In: contract.Path, Need: contract.Required, Example: "REF30", Cite: cite, Doc: "The id of the service provider."}
}

func mvpdRow(cite string) contract.Param {
	return contract.Param{Name: "mvpd", In: contract.Path, Need: contract.Required, Example: "Cablevision", Cite: cite, Doc: "The id of the MVPD."}
}

func codeRow(cite, example string) contract.Param {
	return contract.Param{Name: "code", In: contract.Path, Need: contract.Required, Example: example, Cite: cite, Doc: "The authentication code."}
}

// sessionParams returns the rows of a session's parameters. They are documented
// as required, but a request without them gets status 200 and the list of what
// is missing.
func sessionParams(cite string) []contract.Param {
	return []contract.Param{
		{Name: "mvpd", In: contract.Form, Need: contract.Expected, Example: "Cablevision", Cite: cite, Doc: "The id of the MVPD that the user logs in with."},
		{Name: "domainName", In: contract.Form, Need: contract.Expected, Example: "adobe.com", Cite: cite, Doc: "The domain of the application that does the login. domain is accepted too, because answers use that name."},
		{Name: "redirectUrl", In: contract.Form, Need: contract.Expected, Example: "https://adobe.com", Cite: cite, Doc: "Where the user agent ends up when the login is over."},
	}
}

var createSession = &contract.Operation{
	Name:   "CreateSession",
	Doc:    "Begins an authentication and returns the next step: open the login in a user agent, supply what is missing, or go on to decisions.",
	Cite:   citeCreate,
	Method: "POST", Path: "/api/v2/{serviceProvider}/sessions",
	Params: append(append([]contract.Param{serviceProviderRow(citeCreate)}, sessionParams(citeCreate)...),
		deviceRow, deviceInfoRow, forwardedRow, subjectRow, rokuRow, serviceTokenRow, visitorRow),
	Outcomes: contract.Outcomes(
		loginNext, missingParameters, missingMVPD, missingDomain, missingRedirectURL, authenticated, temporaryNext, degradedNext, authenticatedSSO,
		badServiceProvider, badMVPD, badIntegration, badRedirect, badDomain, badDevice, badDeviceInfo,
	),
	Decide: forKnownProvider(decideCreate),
}

var createSessionRows = sessionRows(citeCreate, []string{"authenticate", "resume", "authorize"}, []string{none, "authenticated", temporary, degraded, "authenticatedSSO"})

// The outcomes of CreateSession.
var (
	loginNext = &contract.Outcome{
		Name: "authenticate", Status: 200, Cite: citeCreate, Returns: createSessionRows,
		Doc:   "The user has to log in: actionName authenticate, with the url for the user agent and the code for a second screen.",
		Keeps: true,
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			s := sessionOf(c)
			st.complete(s)
			st.beginSession(c, s)
			return s.reply("authenticate", interactive, none, s.authenticatePath())
		},
	}
	missingParameters = &contract.Outcome{
		Name: "missingParameters", Status: 200, Cite: citeCreate, Returns: createSessionRows,
		Doc:   "Parameters are missing: actionName resume, with the code by which a second screen supplies them. Forced for a complete request, it lists all three.",
		Keeps: true,
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			s := sessionOf(c)
			s.clearIfComplete(c)
			st.beginSession(c, s)
			return s.resumeReply(c, none)
		},
	}
	missingMVPD        = missingOneOutcome("mvpd", "mvpd", func(s *session) { s.MVPD = "" })
	missingDomain      = missingOneOutcome("domain", "domainName", func(s *session) { s.Domain = "" })
	missingRedirectURL = missingOneOutcome("redirectUrl", "redirectUrl", func(s *session) { s.RedirectURL = "" })
	authenticated      = authorizeOutcome("authorize.authenticated", "authenticated", citeCreate, createSessionRows, "The device has a valid profile with the MVPD.")
	temporaryNext      = authorizeOutcome("authorize.temporary", temporary, citeCreate, createSessionRows, "The MVPD is a TempPass, which needs no login.")
	degradedNext       = authorizeOutcome("authorize.degraded", degraded, citeCreate, createSessionRows, "A degradation rule AuthNAll lets every user in without a login.")
	authenticatedSSO   = authorizeOutcome("authorize.authenticatedSSO", "authenticatedSSO", citeCreate, createSessionRows, "Single sign-on leads to a valid profile of another application or device.")
)

// missingOneOutcome makes an outcome in which a session lacks only one
// parameter.
func missingOneOutcome(name, parameter string, take func(*session)) *contract.Outcome {
	return &contract.Outcome{
		Name: "missingParameters." + name, Status: 200, Cite: citeCreate, Returns: createSessionRows,
		Doc:   parameter + " alone is missing: actionName resume. For other requests only a scenario gives it.",
		Keeps: true,
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			s := sessionOf(c)
			st.complete(s)
			take(s)
			st.beginSession(c, s)
			return s.resumeReply(c, none)
		},
	}
}

// clearIfComplete clears all parameters of a complete session, for a scenario in
// which parameters are missing.
func (s *session) clearIfComplete(c *contract.Call) {
	if len(s.missing(c.Switches)) == 0 {
		s.MVPD, s.Domain, s.RedirectURL = "", "", ""
	}
}

// resumeReply returns the reply that requests the missing parameters.
func (s *session) resumeReply(c *contract.Call, reason string) *sessionReply {
	r := s.reply("resume", direct, reason, s.resumePath())
	r.MissingParameters = s.missing(c.Switches)
	return r
}

// authorizeOutcome makes an outcome after which the client goes on to decisions.
// Where a scenario forces it, it creates the profile that decisions need.
func authorizeOutcome(name, reason, cite string, rows []contract.Param, doc string) *contract.Outcome {
	return &contract.Outcome{
		Name: name, Status: 200, Cite: cite, Returns: rows, Doc: doc + " actionName is authorize, and no code is issued.",
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			h, id := holderOf(c, c.In.Text("mvpd")), ""
			if s := st.Sessions[c.In.Text("code")]; s != nil {
				h, id = holder{s.Client, s.Device, s.ServiceProvider, s.MVPD}, s.ID
				if m := c.In.Text("mvpd"); m != "" {
					h.mvpd = m
				}
				st.merge(c, s)
				s.entry.resize(s.texts()...)
			}
			if m := partnerMVPD(c, st); m != "" {
				h.mvpd = m
			}
			if h.mvpd == "" {
				h.mvpd = st.defaultMVPD(h.serviceProvider)
			}
			if id == "" {
				id = c.Dice().ID()
			}
			if reason == "authenticated" || reason == "authenticatedSSO" {
				if p, _ := st.findProfile(h, callerOf(c).identities, c.Now.UnixMilli()); p == nil {
					st.grantRegularProfile(c, h)
				}
			}
			return authorizeReply(h.serviceProvider, h.mvpd, reason, id)
		},
	}
}

// sessionOf returns a new session with the parameters of a request.
func sessionOf(c *contract.Call) *session {
	return &session{ID: c.Dice().ID(), ServiceProvider: c.In.Text("serviceProvider"), MVPD: c.In.Text("mvpd"), Domain: c.In.Text("domainName"), RedirectURL: c.In.Text("redirectUrl")}
}

// complete sets the missing parameters of a session, for a scenario in which it
// is complete.
func (st *state) complete(s *session) {
	if s.MVPD == "" {
		s.MVPD = st.defaultMVPD(s.ServiceProvider)
	}
	if s.Domain == "" {
		s.Domain = "adobe.com"
	}
	if s.RedirectURL == "" {
		s.RedirectURL = "https://adobe.com"
	}
}

var (
	isTempPass = &contract.Cause{Code: "temp_pass", Text: "The MVPD {mvpd} is a TempPass: no login is needed, and decisions say whether the trial still runs."}
	hasProfile = &contract.Cause{Code: "profile_found", Text: "The device has a profile with {mvpd} until {until}. Log out to log in anew."}
	foundBySSO = &contract.Cause{Code: "profile_shared", Text: "The request proves an identity ({kind}) with which another application or device logged in with {mvpd}."}
	isDegraded = &contract.Cause{Code: "authn_all", Text: "The degradation rule AuthNAll is applied to {serviceProvider} and {mvpd}."}
	lacksSome  = &contract.Cause{Code: "parameters_missing", Text: "Missing: {missing}. Resume the session with them at {url}."}
)

func decideCreate(c *contract.Call, st *state) contract.Verdict {
	if v := st.checkDomain(c); !v.Pending() {
		return v
	}
	id := c.In.Text("mvpd")
	if id != "" {
		m, v := st.checkMVPD(c, id)
		if !v.Pending() {
			return v
		}
		if v := st.decideWithoutLogin(c, m, holderOf(c, id), callerOf(c).identities, &createShortcuts); !v.Pending() {
			return v
		}
	}
	if s := (session{MVPD: id, Domain: c.In.Text("domainName"), RedirectURL: c.In.Text("redirectUrl")}); id == "" || s.Domain == "" || s.RedirectURL == "" {
		return missingParameters.Because(lacksSome, "missing", s.missing(c.Switches), "url", "the url of the answer")
	}
	return loginNext.Verdict()
}

// shortcutOutcomes are the outcomes with which an operation says that no login
// is needed.
type shortcutOutcomes struct{ temporary, authenticated, sso, degraded *contract.Outcome }

var createShortcuts = shortcutOutcomes{temporaryNext, authenticated, authenticatedSSO, degradedNext}

// decideWithoutLogin decides where no login is needed: TempPass, a profile,
// single sign-on, degradation, in this order. It needs only the MVPD.
func (st *state) decideWithoutLogin(c *contract.Call, m *mvpd, h holder, identities []identity, outcomes *shortcutOutcomes) contract.Verdict {
	now := c.Now.UnixMilli()
	if m.TempPass != "" && outcomes.temporary != nil {
		return outcomes.temporary.Because(isTempPass, "mvpd", m.ID)
	}
	p, how := st.findProfile(h, identities, now)
	switch {
	case p != nil && (p == st.profilesByHolder[h] || outcomes.sso == nil):
		return outcomes.authenticated.Because(hasProfile, "mvpd", m.ID, "until", timeOfMillis(p.NotAfter))
	case p != nil:
		return outcomes.sso.Because(foundBySSO, "kind", how, "mvpd", m.ID)
	case st.degradation(h.serviceProvider, m.ID, now).is(authNAll):
		return outcomes.degraded.Because(isDegraded, "serviceProvider", h.serviceProvider, "mvpd", m.ID)
	}
	return contract.Verdict{}
}
