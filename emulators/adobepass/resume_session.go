package adobepass

import "github.com/understudy-suite/understudy/internal/contract"

var resumeSession = &contract.Operation{
	Name:   "ResumeSession",
	Doc:    "Supplies what a session still lacks, mostly from a second screen. The profile will belong to the creator, whichever client resumes.",
	Cite:   citeResume,
	Method: "POST", Path: "/api/v2/{serviceProvider}/sessions/{code}",
	Params: append(append([]contract.Param{serviceProviderRow(citeResume), codeRow(citeResume, "8BLW4RW")}, sessionParams(citeResume)...),
		forwardedRow, visitorRow),
	Outcomes: contract.Outcomes(
		resumed, retry, resumedAuthenticated, resumedTemporary, resumedDegraded,
		badServiceProvider, badCode, noSession, badMVPD, badIntegration, badRedirect, badDomain,
	),
	Decide: forKnownProvider(decideResume),
}

var resumeSessionRows = sessionRows(citeResume, []string{"authenticate", "retry", "authorize"}, []string{none, "authenticated", temporary, degraded})

// The outcomes of ResumeSession. The table calls code required, and the samples
// of authorize have none.
var (
	resumed = &contract.Outcome{
		Name: "authenticate", Status: 200, Cite: citeResume, Returns: resumeSessionRows,
		Doc:   "The session is complete and the user has to log in. (The page's sample answers with another code than its request names.)",
		Keeps: true,
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			s := st.resumeOrBegin(c)
			st.complete(s)
			return s.reply("authenticate", interactive, none, s.authenticatePath())
		},
	}
	retry = &contract.Outcome{
		Name: "retry", Status: 200, Cite: citeResume, Returns: resumeSessionRows,
		Doc:   "Parameters are still missing. What was supplied is kept; forced for a complete session, it requests all three again.",
		Keeps: true,
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			s := st.resumeOrBegin(c)
			s.clearIfComplete(c)
			r := s.reply("retry", direct, none, s.resumePath())
			r.MissingParameters = s.missing(c.Switches)
			return r
		},
	}
	resumedAuthenticated = authorizeOutcome("authorize.authenticated", "authenticated", citeResume, resumeSessionRows, "The session's device has a valid profile with the MVPD.")
	resumedTemporary     = authorizeOutcome("authorize.temporary", temporary, citeResume, resumeSessionRows, "The MVPD is a TempPass, which needs no login.")
	resumedDegraded      = authorizeOutcome("authorize.degraded", degraded, citeResume, resumeSessionRows, "A degradation rule AuthNAll lets every user in without a login.")
)

// resumeOrBegin merges the call's parameters into the session. It begins one
// where a scenario forces the outcome for an unknown code.
func (st *state) resumeOrBegin(c *contract.Call) *session {
	s := st.Sessions[c.In.Text("code")]
	if s == nil || s.ServiceProvider != c.In.Text("serviceProvider") {
		s = sessionOf(c)
		st.beginSession(c, s)
		return s
	}
	st.merge(c, s)
	s.entry.resize(s.texts()...)
	return s
}

// merge overwrites the session's parameters with those of the call.
func (st *state) merge(c *contract.Call, s *session) {
	for name, at := range map[string]*string{"mvpd": &s.MVPD, "domainName": &s.Domain, "redirectUrl": &s.RedirectURL} {
		if v := c.In.Text(name); v != "" {
			*at = v
		}
	}
}

var resumeShortcuts = shortcutOutcomes{resumedTemporary, resumedAuthenticated, nil, resumedDegraded}

func decideResume(c *contract.Call, st *state) contract.Verdict {
	s, v := st.checkCode(c)
	if !v.Pending() {
		return v
	}
	if v := st.checkDomain(c); !v.Pending() {
		return v
	}
	merged := *s
	st.merge(c, &merged)
	if merged.MVPD != "" {
		m, v := st.checkMVPD(c, merged.MVPD)
		if !v.Pending() {
			return v
		}
		h := holder{s.Client, s.Device, s.ServiceProvider, m.ID}
		if v := st.decideWithoutLogin(c, m, h, nil, &resumeShortcuts); !v.Pending() {
			return v
		}
	}
	if missing := merged.missing(c.Switches); len(missing) > 0 {
		return retry.Because(lacksSome, "missing", missing, "url", merged.resumePath())
	}
	return resumed.Verdict()
}
