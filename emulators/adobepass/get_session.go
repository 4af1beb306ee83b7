package adobepass

import (
	"strconv"

	"github.com/understudy-suite/understudy/internal/contract"
)

var getSession = &contract.Operation{
	Name:   "GetSession",
	Doc:    "Returns the known and the missing parameters of a session. A second screen calls it before it opens the login for a code that the user typed.",
	Cite:   citeGetSession,
	Method: "GET", Path: "/api/v2/{serviceProvider}/sessions/{code}",
	Params: []contract.Param{serviceProviderRow(citeGetSession), codeRow(citeGetSession, "8BLW4RW"), forwardedRow, visitorRow},
	Outcomes: contract.Outcomes(&contract.Outcome{
		Name: "success", Status: 200, Cite: citeGetSession, Doc: "The session is returned.",
		Returns: []contract.Param{
			{Name: "existingParameters", Type: contract.Object, Need: contract.Required, Cite: citeGetSession, Doc: "What is known: mvpd, domainName, redirectUrl (decoded) and always serviceProvider."},
			{Name: "missingParameters", Type: contract.List, Of: contract.String, Cite: citeGetSession, Doc: "What is missing; absent where nothing is."},
			{Name: "device", Type: contract.Object, Need: contract.Required, Cite: citeGetSession, Doc: "The streaming device that created the session. Unknown members are null, 0 or empty."},
			{Name: "notBefore", Need: contract.Required, Cite: citeGetSession, Doc: "From when the code counts: milliseconds, as a string."},
			{Name: "notAfter", Need: contract.Required, Cite: citeGetSession, Doc: "Until when the code counts: milliseconds, as a string."},
		},
		Do: func(c *contract.Call) any {
			st := c.State.(*state)
			s := st.Sessions[c.In.Text("code")]
			if s == nil {
				s = st.resumeOrBegin(c)
				st.complete(s)
			}
			return s.status(c.Switches)
		},
	}, badServiceProvider, badCode, noSession),
	Decide: forKnownProvider(func(c *contract.Call, st *state) contract.Verdict {
		if _, v := st.checkCode(c); !v.Pending() {
			return v
		}
		return c.Operation.Outcomes[0].Verdict()
	}),
}

// A sessionStatus is the reply of GetSession.
type sessionStatus struct {
	Missing   []string           `json:"missingParameters,omitempty"`
	Existing  existingParameters `json:"existingParameters"`
	Device    *device            `json:"device"`
	NotBefore string             `json:"notBefore"`
	NotAfter  string             `json:"notAfter"`
}

type existingParameters struct {
	MVPD            string `json:"mvpd,omitempty"`
	Domain          string `json:"domain,omitempty"`
	RedirectURL     string `json:"redirectUrl,omitempty"`
	DomainName      string `json:"domainName,omitempty"`
	ServiceProvider string `json:"serviceProvider"`
}

func (s *session) status(sw contract.Values) *sessionStatus {
	e := existingParameters{MVPD: s.MVPD, RedirectURL: s.RedirectURL, ServiceProvider: s.ServiceProvider}
	if sw.Text("existing_domain_name") == "domain" {
		e.Domain = s.Domain
	} else {
		e.DomainName = s.Domain
	}
	return &sessionStatus{
		Existing: e, Missing: s.missing(sw), Device: s.device(),
		NotBefore: strconv.FormatInt(s.NotBefore, 10), NotAfter: strconv.FormatInt(s.NotAfter, 10),
	}
}
