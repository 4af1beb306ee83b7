package adobepass

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

const (
	apiPath = "/api/v2/"
	dcrPath = "/o/client/"
)

// API is the table of Adobe Pass Authentication.
var API = &contract.API{
	Name:  "adobepass",
	Title: "Adobe Pass Authentication REST API V2",
	Docs:  "https://experienceleague.adobe.com/en/docs/pass/authentication/integration-guide-programmers/rest-apis/rest-api-v2/apis/rest-api-v2-apis-overview",
	Port:  6412,

	Hosts: hosts,
	Claims: func(r *contract.Request) bool {
		return strings.HasPrefix(r.URL.Path, apiPath) || strings.HasPrefix(r.URL.Path, dcrPath)
	},
	Identifiers: identifiers,

	Pick:   pick,
	Checks: checks,
	Fill:   func(*contract.Call, string) string { return "" },
	Fail:   fail,
	Write:  write,
	Sign:   sign,

	Operations: operations,
	Common:     common,
	Failure:    failureRows,

	State:    newState,
	Fixture:  fixtureRows,
	Switches: switches,
	Credentials: []contract.Credential{
		{Name: "softwareStatement", Env: "ADOBE_PASS_SOFTWARE_STATEMENT"},
		{Name: "accessToken"}, // made by DCR; the fixture's is what call signs with
	},
	Secrets: []string{
		"Authorization", "AD-Service-Token", "Adobe-Subject-Token", "X-Roku-Reserved-Roku-Connect-Token",
		"software_statement", "client_secret", "access_token", "SAMLResponse",
	},
	Triggers: triggers,
}

var operations = []*contract.Operation{
	getConfiguration,
	createSession, resumeSession, getSession, authenticate,
	getProfiles, getProfile, getProfileByCode,
	preauthorize, authorize,
	logout,
	createPartnerSession, createPartnerProfile,
	registerClient, createToken,
	showLogin, submitLogin, finishLogout, preflight,
}

// hosts are the service hosts of release and prequal, production and staging.
var hosts = []string{
	"sp.auth.adobe.com", "api.auth.adobe.com",
	"sp.auth-staging.adobe.com", "api.auth-staging.adobe.com",
	"sp-prequal.auth.adobe.com", "sp-prequal.auth-staging.adobe.com",
}

// checks is the order in which requests are checked. It is inferred: the pages
// name the errors and not which comes first.
var checks = []contract.Check{
	{Name: "read", Do: parseRequest},
	{Name: "rate-limit", Do: checkRateLimit, Ends: contract.Outcomes(tooManyRequests)},
	{Name: "path", Do: checkPath, Ends: contract.Outcomes(notFound, wrongMethod)},
	{Name: "access-token", Do: checkAccessToken, Ends: contract.Outcomes(invalidClient)},
	{Name: "service-provider", Do: checkProvider}, // its endings are those of the operations that have one
	{Name: "client-service-provider", Do: checkLinkedProvider, Ends: contract.Outcomes(invalidProvider)},
	{Name: "body", Do: checkBody, Ends: contract.Outcomes(unsupportedType, badRequest)},
	{Name: "device", Do: checkDevice},
	{Name: "parameters", Do: contract.ValidateParams(refuseParams)},
	{Name: "values", Do: checkValues},
	{Name: "single-sign-on", Do: readIdentities},
}

// pick finds the operation of a path by the method. A browser may ask any path
// for what it may send there.
func pick(r *contract.Request) (*contract.Operation, contract.Miss) {
	switch {
	case r.Method == http.MethodOptions:
		return preflight, ""
	case len(r.At) > 0 && r.At[0] == preflight: // which stands at a path where nothing is
		return nil, contract.NoSuchPath
	}
	return contract.ByMethod(r)
}

// identifiers knows a caller by what it carries: bearer, client, code, software
// statement, or the ticket of a logout. Nothing is verified here.
func identifiers(r *contract.Request) []string {
	ids := make([]string, 0, 4)
	add := func(id string) {
		if id != "" {
			ids = append(ids, id)
		}
	}
	if token := bearerToken(r); token != "" {
		add(unverifiedSubject(token))
		add(token)
	}
	add(r.Path["code"])
	if r.URL.RawQuery != "" {
		q, _ := url.ParseQuery(r.URL.RawQuery)
		add(q.Get("reg_code"))
		add(q.Get("pt_device_id"))
		add(q.Get("client_id"))
	}
	if len(r.Body) > 0 && !r.TooLarge && (strings.HasPrefix(r.URL.Path, dcrPath) || strings.HasPrefix(r.URL.Path, loginPath)) {
		add(findValue(r.Body, "client_id"))
		add(findValue(r.Body, "reg_code"))
		add(findValue(r.Body, "software_statement"))
	}
	return ids
}

// spoken looks for the value of a name in a form or in JSON without taking the
// body apart.
func findValue(body []byte, name string) string {
	_, rest, found := strings.Cut(string(body), name)
	if !found {
		return ""
	}
	rest = strings.TrimLeft(rest, "\"= \t\r\n:")
	end := strings.IndexAny(rest, "\"& \t\r\n")
	if end < 0 {
		end = len(rest)
	}
	return rest[:end]
}
