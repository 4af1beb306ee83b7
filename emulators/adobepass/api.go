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
	CORS:   true,
	Fill:   func(*contract.Call, string) string { return "" },
	Fail:   fail,
	Write:  write,
	Sign:   sign,

	Operations: operations,
	Protocol:   []string{"domain"},
	Common:     common,
	Failure:    failureRows,

	State:    newState,
	Fixture:  fixtureRows,
	Switches: switches,
	Credentials: []contract.Credential{
		{Name: "softwareStatement", Env: "ADOBE_PASS_SOFTWARE_STATEMENT"},
		{Name: "accessToken"}, // clients get one by DCR; the command call signs with the fixture's
	},
	Adopts: adopts,
	Mint:   mint,
	Environment: []contract.Variable{
		{Name: "ADOBE_PASS_BASE_URL", Value: contract.BaseURL},
		{Name: "ADOBE_PASS_SERVICE_PROVIDER", Value: firstProvider},
	},
	Secrets: []string{
		"Authorization", "AD-Service-Token", "Adobe-Subject-Token", "X-Roku-Reserved-Roku-Connect-Token",
		"software_statement", "client_secret", "access_token", "SAMLResponse",
	},
	Mistakes: mistakes,
	Triggers: triggers,

	Lifecycle: &lifecycle,
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
var hosts = contract.HostNames("AdobeDocs/adobe-pass static/restApiV2.json",
	"sp.auth.adobe.com", "api.auth.adobe.com",
	"sp.auth-staging.adobe.com", "api.auth-staging.adobe.com",
	"sp-prequal.auth.adobe.com", "sp-prequal.auth-staging.adobe.com",
)

// checks lists the checks in the order in which they run. The order is inferred:
// the pages name the errors and do not say which one comes first.
var checks = []contract.Check{
	{Name: "read", Do: parseRequest},
	{Name: "rate-limit", Do: checkRateLimit, Ends: contract.Outcomes(tooManyRequests)},
	{Name: "path", Do: checkPath, Ends: contract.Outcomes(notFound, wrongMethod)},
	{Name: "access-token", Do: checkAccessToken, Ends: contract.Outcomes(invalidClient)},
	{Name: "service-provider", Do: checkProvider}, // its outcomes belong to the operations that have this parameter
	{Name: "client-service-provider", Do: checkLinkedProvider, Ends: contract.Outcomes(invalidProvider)},
	{Name: "body", Do: checkBody, Ends: contract.Outcomes(unsupportedType, badRequest)},
	{Name: "device", Do: checkDevice},
	{Name: "parameters", Do: contract.ValidateParams(refuseParams)},
	{Name: "values", Do: checkValues},
	{Name: "adopt", Do: adoptNamed},
	{Name: "single-sign-on", Do: readIdentities},
}

// pick returns the operation of a path by the method. OPTIONS is answered on any
// path, because browsers send it before a request.
func pick(r *contract.Request) (*contract.Operation, contract.Miss) {
	switch {
	case r.Method == http.MethodOptions:
		return preflight, ""
	case len(r.At) > 0 && r.At[0] == preflight: // its own path has no other operation
		return nil, contract.NoSuchPath
	}
	return contract.ByMethod(r)
}

// identifiers returns what identifies a caller: access token, client, code,
// software statement, or the id of a logout. It verifies nothing.
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

// findValue returns the value of a name in a form or in JSON, without parsing
// the body.
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
