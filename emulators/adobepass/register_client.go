package adobepass

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The errors of client registration. Their bodies contain only the code.
var (
	invalidRequest      = dcrRefusal("invalid_request", "A parameter is missing, repeated or has a value that is not supported.", citeDCR)
	invalidRedirectURI  = dcrRefusal("invalid_redirect_uri", "The redirect URI is invalid, or not one that the application was registered with.", citeRegister)
	invalidStatement    = dcrRefusal("invalid_software_statement", "The software statement is no JWS, or its signature is not good.", citeRegister)
	unapprovedStatement = dcrRefusal("unapproved_software_statement", "The software statement is not approved.", citeRegister)
	invalidCredentials  = dcrRefusal("invalid_client", "The client is unknown or its secret is wrong; it has to register again. The status is 400 here, not the 401 of OAuth.", citeToken)
	unauthorizedClient  = dcrRefusal("unauthorized_client", "The client may not use this grant.", citeToken)
	unsupportedGrant    = dcrRefusal("unsupported_grant_type", "The grant is not client_credentials.", citeToken)
)

func dcrRefusal(code, doc, cite string) *contract.Outcome {
	return &contract.Outcome{Name: code, Fails: true, Status: 400, Doc: doc, Cite: cite}
}

const sampleStatement = "eyJhbGciOiJSUzI1NiJ9.eyJzb2Z0d2FyZV9pZCI6IjROUkIxLTBYWkFCWkk5RTYtNVNNM1IiLCJjbGllbnRfbmFtZSI6IkV4YW1wbGUgU3RhdGVtZW50LWJhc2VkIENsaWVudCIsImNsaWVudF91cmkiOiJodHRwczovL2NsaWVudC5leGFtcGxlLm5ldC8ifQ.GHfL4QNIrQwL18BSRdE595T9jbzqa06R9BT8w409x9oIcKaZo_mt15riEXHazdISUvDIZhtiyNrSHQ8K4TvqWxH6uJgcmoodZdPwmWRIEYbQDLqPNxREtYn05X3AR7ia4FRjQ2ojZjk5fJqJdQ-JcfxyhK-P8BAWBd6I2LLA77IG32xtbhxYfHX7VhuU5ProJO8uvu3Ayv4XRhLZJY4yKfmyjiiKiPNe-Ia4SMy_d_QSWxskU5XIQl5Sa2YRPMbDRXttm2TfnZM1xx70DoYi8g6czz-CPGRi4SW_S2RKHIJfIjoI3zTJ0Y2oe0_EJAiXbL6OyF9S5tKxDXV8JIndSA"

var registerClient = &contract.Operation{
	Name:   "RegisterClient",
	Doc:    "Registers an instance of an application by its software statement. Every call gives a new client, and profiles belong to clients.",
	Cite:   citeRegister,
	Method: "POST", Path: "/o/client/register",
	Params: []contract.Param{
		{Name: "software_statement", Need: contract.Required, Example: sampleStatement, Cite: citeRegister, Doc: "The statement of the registered application: a JWS from the TVE Dashboard."},
		{Name: "redirect_uri", Cite: citeRegister, Doc: "Where the application is led back to. Clients that were seen leave it out."},
		deviceInfoRow,
	},
	Outcomes: contract.Outcomes(registered, invalidRequest, invalidRedirectURI, invalidStatement, unapprovedStatement),
	Decide:   decideRegister,
}

// A registration is the reply of RegisterClient.
type registration struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
	Scopes       []string `json:"scopes"`
	IssuedAt     int64    `json:"client_id_issued_at"`
}

var registered = &contract.Outcome{
	Name: "success", Status: 201, Cite: citeRegister, Doc: "The client is registered.", Keeps: true,
	Returns: []contract.Param{
		{Name: "client_id", Need: contract.Required, Example: "s6BhdRkqt3", Cite: citeRegister, Doc: "The client's id."},
		{Name: "client_secret", Need: contract.Required, Example: "t7AkePiru4", Cite: citeRegister, Doc: "Its secret."},
		{Name: "redirect_uris", Type: contract.List, Of: contract.String, Need: contract.Required, Cite: citeRegister, Doc: "Where it may be led back to."},
		{Name: "grant_types", Type: contract.List, Of: contract.String, Need: contract.Required, Cite: citeRegister, Doc: "client_credentials."},
		{Name: "scopes", Type: contract.List, Of: contract.String, Need: contract.Required, Cite: citeRegister, Doc: "api:client:v2."},
		{Name: "client_id_issued_at", Type: contract.Integer, Need: contract.Required, Cite: citeRegister, Doc: "When, in seconds."},
	},
	Do: func(c *contract.Call) any {
		st := c.State.(*state)
		st.makeRoom(clientKind, c)
		one := &client{ID: c.Mint().ID(), Secret: c.Dice().ID(), Statement: c.In.Text("software_statement"), Issued: c.Now.Unix(), Serial: st.nextSerial()}
		uris := []string{}
		if s := st.statement(one.Statement); s != nil {
			one.Statement = s.Statement // the fixture's string, so that all clients share it
			one.StandsFor, s.StandsFor = s.StandsFor, ""
			uris = append(uris, s.RedirectURIs...)
		} else if len(st.Software) > 0 {
			one.Statement = st.Software[0].Statement
		}
		if u := c.In.Text("redirect_uri"); u != "" && len(uris) == 0 {
			uris = append(uris, u)
		}
		one.entry = st.queues[clientKind].push(one)
		st.Clients[one.ID] = one
		c.Issue(one.ID)
		return &registration{one.ID, one.Secret, uris, []string{"client_credentials"}, []string{scope}, one.Issued}
	},
}

var (
	repeatedName      = &contract.Cause{Code: "repeated_parameter", Text: "{Name} appears more than once."}
	noStatement       = &contract.Cause{Code: "statement_malformed", Text: "The software statement is no JWS of three parts whose second is a JSON object."}
	tamperedStatement = &contract.Cause{Code: "statement_tampered", Text: "The software statement shares its signature or its claims with one of the fixture, and is not that one."}
	unknownStatement  = &contract.Cause{Code: "statement_unknown", Text: "The software statement is not in the fixture. The switch any_statement takes every well-formed one."}
	revokedSoftware   = &contract.Cause{Code: "statement_revoked", Text: "The software statement was revoked."}
	unregisteredURI   = &contract.Cause{Code: "redirect_uri", Text: "redirect_uri is {uri}; the application was registered with {uris}."}
)

func decideRegister(c *contract.Call) contract.Verdict {
	st, text := c.State.(*state), c.In.Text("software_statement")
	s := st.statement(text)
	switch {
	case s != nil && s.Revoked && c.Auth == contract.Verify:
		return unapprovedStatement.Because(revokedSoftware)
	case s != nil:
		return st.checkURI(c, s)
	case c.Auth == contract.Off:
	case !wellFormedStatement(text):
		return invalidStatement.Because(noStatement)
	case c.Auth == contract.Presence || c.Switches.Bool("any_statement"):
	case st.resembles(text):
		return invalidStatement.Because(tamperedStatement)
	default:
		return unapprovedStatement.Because(unknownStatement)
	}
	return st.checkURI(c, nil)
}

// checkURI compares redirect_uri with those of the application: it needs one of
// its schemes, or the scheme and host of one of its URIs. The documented sample
// requests another URI than its answer contains.
func (st *state) checkURI(c *contract.Call, s *software) contract.Verdict {
	given := c.In.Text("redirect_uri")
	if given == "" {
		return registered.Verdict()
	}
	if why := urlFault(given); why != "" {
		return invalidRedirectURI.Because(unregisteredURI, "uri", given, "uris", "an absolute URI: it "+why)
	}
	if s == nil || len(s.RedirectURIs)+len(s.Schemes) == 0 || s.allowsRedirect(given) {
		return registered.Verdict()
	}
	return invalidRedirectURI.Because(unregisteredURI, "uri", given, "uris", strings.Join(append(slices.Clone(s.RedirectURIs), s.Schemes...), ", "))
}

// allowsRedirect reports whether a client may register with a redirect URI.
func (s *software) allowsRedirect(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(s.Schemes, func(scheme string) bool { return strings.EqualFold(scheme, u.Scheme) }) ||
		slices.ContainsFunc(s.RedirectURIs, func(known string) bool {
			k, err := url.Parse(known)
			return err == nil && k.Scheme == u.Scheme && k.Host == u.Host
		})
}

// wellFormedStatement reports whether a text has the form of a JWS. The
// signature is not verified, because the key of the dashboard is not published.
func wellFormedStatement(text string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	for i, p := range parts {
		plain, ok := decodeBase64(p)
		if !ok || len(plain) == 0 {
			return false
		}
		if _, err := wire.Object(plain); i < 2 && err != nil && !json.Valid(plain) {
			return false
		}
	}
	return true
}

// resembles reports whether a statement was made from one of the fixture.
func (st *state) resembles(text string) bool {
	signed, signature := splitSignature(text)
	return slices.ContainsFunc(st.Software, func(s software) bool {
		a, b := splitSignature(s.Statement)
		return a == signed || b == signature
	})
}

// splitSignature splits a JWS into its signed part and its signature.
func splitSignature(jws string) (signed, signature string) {
	at := strings.LastIndexByte(jws, '.')
	if at < 0 {
		return jws, ""
	}
	return jws[:at], jws[at+1:]
}
