package adobepass

import (
	"html/template"
	"net/url"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The operations behind the user agent's endpoints: the emulated MVPD's login page
// and the end of an interactive logout.
var (
	showLogin = &contract.Operation{
		Name: "ShowLogin", Helper: true,
		Doc:    "Shows the login page of the emulated MVPD: fixture users, and the buttons allow, deny and provider error.",
		Method: "GET", Path: loginPath,
		Params:   []contract.Param{{Name: "reg_code", In: contract.Query, Need: contract.Expected, Example: "8KHP9RW", Doc: "The authentication code."}},
		Outcomes: contract.Outcomes(loginShown, noSession),
		Decide: func(c *contract.Call) contract.Verdict {
			if _, v := c.State.(*state).checkLoginCode(c); !v.Pending() {
				return v
			}
			return loginShown.Verdict()
		},
		Write: writeLogin,
	}
	submitLogin = &contract.Operation{
		Name: "SubmitLogin", Helper: true,
		Doc:    "Takes the login page's form. Its names are promises: username, and action with the values allow, deny and error.",
		Method: "POST", Path: loginPath,
		Params: []contract.Param{
			{Name: "reg_code", In: contract.Form, Need: contract.Expected, Example: "8KHP9RW", Doc: "The authentication code."},
			{Name: "username", In: contract.Form, Doc: "Who logs in: a user of the fixture. Without it the first one."},
			{Name: "action", In: contract.Form, Need: contract.Expected, OneOf: []string{"allow", "deny", "error"}, Example: "allow", Doc: "allow makes the profile, deny shows the page again, error goes back without a profile."},
		},
		Outcomes: contract.Outcomes(loggedIn, loginDenied, loginFailed, noSession, badRequest),
		Decide:   decideSubmit,
		Write:    writeLogin,
	}
	finishLogout = &contract.Operation{
		Name: "FinishLogout", Helper: true,
		Doc:    "Ends an interactive logout in the browser: sends it on to the redirectUrl that Logout was called with, and to no other.",
		Method: "GET", Path: logoutPath,
		Params:   []contract.Param{{Name: "pt_device_id", In: contract.Query, Need: contract.Expected, Doc: "The logout's own id, as the answer of Logout carries it."}},
		Outcomes: contract.Outcomes(loggedOut, badRequest),
		Decide: func(c *contract.Call) contract.Verdict {
			id := c.In.Text("pt_device_id")
			if c.State.(*state).Logouts[id] == nil {
				return badRequest.Because(unknownLogout, "id", id)
			}
			return loggedOut.Verdict()
		},
		Write: writeRedirect,
	}
	preflight = &contract.Operation{
		Name: "Preflight", Helper: true,
		Doc:    "Answers OPTIONS on any path: what a browser may send.",
		Method: "OPTIONS", Path: "/api/v2",
		Outcomes: contract.Outcomes(preflighted),
		Decide:   func(*contract.Call) contract.Verdict { return preflighted.Verdict() },
		Write: func(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
			if v.Outcome != preflighted {
				return write(c, v, reply)
			}
			return contract.Response{Status: 200, Header: headersFor(c, corsHeaders)}
		},
	}
)

var preflighted = &contract.Outcome{Name: "success", Status: 200, Doc: "The CORS headers list what may be sent.", Cite: citeThrottling}

var (
	loginShown = &contract.Outcome{Name: "success", Status: 200, Doc: "The page is shown.", Do: func(c *contract.Call) any {
		return c.State.(*state).loginPage(c, "")
	}, Returns: loginPageRows}
	loggedIn = &contract.Outcome{Name: "allow", Status: 302, Doc: "The profile is made for the device and client that created the session, and the browser goes to its redirectUrl.", Keeps: true, Do: func(c *contract.Call) any {
		st := c.State.(*state)
		s := st.ensureLoginSession(c)
		st.logIn(c, s, st.user(c.In.Text("username")))
		return location{redirectTarget(s)}
	}, Returns: locationRows}
	loginDenied = &contract.Outcome{Name: "deny", Status: 200, Doc: "The MVPD does not let the user in: the page is shown again.", Do: func(c *contract.Call) any {
		return c.State.(*state).loginPage(c, "The provider did not accept the login of "+truncate(c.In.Text("username"), 64)+". Try again.")
	}, Returns: loginPageRows}
	loginFailed = &contract.Outcome{Name: "error", Status: 302, Doc: "The MVPD fails: the browser goes to redirectUrl, and there is no profile.", Do: func(c *contract.Call) any {
		return location{redirectTarget(c.State.(*state).ensureLoginSession(c))}
	}, Returns: locationRows}
	loggedOut = &contract.Outcome{Name: "success", Status: 302, Doc: "The logout is over, and the browser goes to its redirectUrl.", Do: func(c *contract.Call) any {
		st := c.State.(*state)
		t := st.Logouts[c.In.Text("pt_device_id")]
		if t == nil {
			return location{c.Switches.Text("logout_redirect")}
		}
		st.queues[logoutKind].retire(&t.entry) // the browser may open it again until it is evicted
		return location{t.RedirectURL}
	}, Returns: locationRows}
)

var locationRows = []contract.Param{{Name: "Location", In: contract.Header, Need: contract.Required, Doc: "Where the browser goes."}}

// loginData is the content of the login page.
type loginData struct {
	Code            string   `json:"reg_code"`
	MVPD            string   `json:"mvpd"`
	Name            string   `json:"name"`
	ServiceProvider string   `json:"service_provider"`
	Users           []person `json:"users"`
	Message         string   `json:"said,omitempty"`
}

// A person is a user on the login page.
type person struct {
	Username string `json:"username"`
	Name     string `json:"name"`
}

var loginPageRows = []contract.Param{
	{Name: "reg_code", Doc: "The authentication code."},
	{Name: "mvpd", Doc: "The MVPD's id."},
	{Name: "name", Doc: "The MVPD's name."},
	{Name: "service_provider", Doc: "The service provider's id."},
	{Name: "users", Type: contract.List, Of: contract.Object, Doc: "Who may log in."},
	{Name: "said", Doc: "What the page says about the last attempt."},
}

var (
	unknownLogout = &contract.Cause{Code: "unknown_logout", Text: "No logout is under way that has the id {id}. The browser is sent only to the redirectUrl of a call of Logout."}
	unknownAction = &contract.Cause{Code: "unknown_action", Text: "The form's action is {action}; allow, deny or error was expected."}
	unknownUser   = &contract.Cause{Code: "unknown_user", Text: "The user {username} is not in the fixture."}
)

// checkLoginCode returns the session of a login page. The code is in the page's
// address and in its form, so that no cookie is needed.
func (st *state) checkLoginCode(c *contract.Call) (*session, contract.Verdict) {
	code := c.In.Text("reg_code")
	s := st.Sessions[code]
	switch {
	case s == nil:
		return nil, noSession.Because(unknownCode, "code", code)
	case s.Superseded:
		return nil, noSession.Because(supersededCode, "code", code)
	case !s.valid(c.Now.UnixMilli()):
		return nil, noSession.Because(expiredCode, "code", code, "expired", timeOfMillis(s.ends()))
	case len(s.missing(c.Switches)) > 0:
		return nil, noSession.Because(lacksSome, "missing", s.missing(c.Switches), "url", s.resumePath())
	}
	return s, contract.Verdict{}
}

// decideSubmit decides SubmitLogin.
func decideSubmit(c *contract.Call) contract.Verdict {
	st := c.State.(*state)
	if _, v := st.checkLoginCode(c); !v.Pending() {
		return v
	}
	switch action, name := c.In.Text("action"), c.In.Text("username"); {
	case action == "error":
		return loginFailed.Verdict()
	case action == "deny":
		return loginDenied.Verdict()
	case action != "allow":
		return badRequest.Because(unknownAction, "action", quotedOrMissing(action))
	case name != "" && st.user(name) == nil:
		return loginDenied.Because(unknownUser, "username", name)
	}
	return loggedIn.Verdict()
}

// ensureLoginSession returns the session of a login. It creates one where a
// scenario forces the outcome for an unknown code.
func (st *state) ensureLoginSession(c *contract.Call) *session {
	s := st.Sessions[c.In.Text("reg_code")]
	if s == nil {
		s = sessionOf(c)
		st.complete(s)
		st.beginSession(c, s)
	}
	st.complete(s)
	return s
}

// logIn makes the profile of a session's creator.
func (st *state) logIn(c *contract.Call, s *session, u *user) *profile {
	s.Done = true
	if st.unfinished[s.creator()] == s {
		delete(st.unfinished, s.creator())
	}
	return st.grantProfile(c, &profile{
		Client: s.Client, Device: s.Device, ServiceProvider: s.ServiceProvider, MVPD: s.MVPD, Type: regular, Identities: s.Identities,
	}, u)
}

// redirectTarget returns where the user agent goes at the end of a session.
func redirectTarget(s *session) string {
	u, err := url.Parse(s.RedirectURL)
	if err != nil {
		return s.RedirectURL // unreachable: CreateSession refuses such a URL
	}
	return u.String()
}

// loginPage returns the content of the login page, with a message about the last
// attempt.
func (st *state) loginPage(c *contract.Call, message string) any {
	d := &loginData{Code: c.In.Text("reg_code"), Message: message, Users: []person{}}
	if s := st.Sessions[d.Code]; s != nil {
		d.MVPD, d.ServiceProvider = s.MVPD, s.ServiceProvider
	}
	d.Name = d.MVPD
	if m := st.mvpd(d.MVPD); m != nil && m.DisplayName != "" {
		d.Name = m.DisplayName
	}
	for i := range st.Users {
		u := &st.Users[i]
		name := u.Name
		if name == "" {
			name = u.Username
		}
		d.Users = append(d.Users, person{u.Username, name})
	}
	callerOf(c).loginPage = d
	return d
}

// writeLogin renders the login page, or redirects the browser.
func writeLogin(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	if d := callerOf(c).loginPage; d != nil && v.Outcome.Status == 200 {
		return renderPage(200, headersFor(c, loginHeaders), loginTemplate(), d)
	}
	return writeRedirect(c, v, reply)
}

var loginHeaders = withHeaders(htmlHeaders, "Cache-Control", "no-store")

// The page works without script and posts to its own address. A frame may show
// it.
var loginTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("login").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Name}}: log in</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem; color: #222; }
select, button { font: inherit; padding: .5rem .8rem; margin: .3rem .3rem .3rem 0; }
.said { color: #a00; }
small { color: #666; }
</style>
</head>
<body>
<h1>{{.Name}}</h1>
<p>{{.ServiceProvider}} asks you to log in with your television provider {{.MVPD}}.</p>
{{with .Message}}<p class="said" role="alert">{{.}}</p>
{{end}}<form method="post">
<input type="hidden" name="reg_code" value="{{.Code}}">
<p><label>Account <select name="username">
{{range .Users}}<option value="{{.Username}}">{{.Name}}</option>
{{end}}</select></label></p>
<p>
<button type="submit" name="action" value="allow">Allow</button>
<button type="submit" name="action" value="deny">Deny</button>
<button type="submit" name="action" value="error">Provider error</button>
</p>
</form>
<p><small>This is the login page of an emulated provider. Code {{.Code}}.</small></p>
</body>
</html>
`))
})
