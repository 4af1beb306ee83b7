package adobepass

import (
	"net/url"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The pages behind the documented endpoints. Adobe has its own here.
const (
	loginPath  = "/adobe-services/authenticate/saml"
	logoutPath = "/adobe-services/logout"
)

var authenticate = &contract.Operation{
	Name:   "Authenticate",
	Doc:    "Leads a user agent to the login page of the MVPD. It is opened by a browser and takes no access token; its errors are pages.",
	Cite:   citeAuthenticate,
	Method: "GET", Path: "/api/v2/authenticate/{serviceProvider}/{code}",
	Params: []contract.Param{serviceProviderRow(citeAuthenticate), codeRow(citeAuthenticate, "8KHP9RW")},
	Outcomes: contract.Outcomes(
		&contract.Outcome{
			Name: "success", Status: 302, Cite: citeAuthenticate, Doc: "The user agent is sent on to the login page. Its address has the documented names in its query, and reg_code, as clients of V1 send it.",
			Returns: []contract.Param{{Name: "Location", In: contract.Header, Need: contract.Required, Cite: citeAuthenticate, Doc: "The login page: of the scheme, host, port and prefix by which the request came."}},
			Do: func(c *contract.Call) any {
				st := c.State.(*state)
				s := st.Sessions[c.In.Text("code")]
				if s == nil {
					s = st.resumeOrBegin(c)
				}
				if len(s.missing(c.Switches)) > 0 {
					st.complete(s)
				}
				return location{c.Request.Base + loginPath + "?noflash=true&mso_id=" + url.QueryEscape(s.MVPD) +
					"&requestor_id=" + url.QueryEscape(s.ServiceProvider) + "&no_iframe=false&domain_name=" + url.QueryEscape(s.Domain) +
					"&redirect_url=" + url.QueryEscape(s.RedirectURL) + "&reg_code=" + s.Code}
			},
		},
		badServiceProvider, badCode, noSession,
	),
	Decide: forKnownProvider(func(c *contract.Call, st *state) contract.Verdict {
		s, v := st.checkCode(c)
		if !v.Pending() {
			return v
		}
		if missing := s.missing(c.Switches); len(missing) > 0 {
			return noSession.Because(lacksSome, "missing", missing, "url", s.resumePath())
		}
		return c.Operation.Outcomes[0].Verdict()
	}),
	Write: writeRedirect,
}

// A location is the target of a redirect.
type location struct {
	Location string
}

// writeRedirect redirects the user agent, or renders the error as a page.
func writeRedirect(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	if v.Outcome.Status != 302 {
		return writeErrorPage(c, v, reply)
	}
	h := headersFor(c, redirectHeaders).Clone()
	h["Location"] = reply.Header["Location"]
	return contract.Response{Status: 302, Header: h}
}
