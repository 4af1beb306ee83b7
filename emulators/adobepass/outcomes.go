package adobepass

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The pages that rows and outcomes were read from.
const (
	citeConfiguration = "AdobeDocs/pass.en rest-api-v2/apis/configuration-apis, retrieve configuration for specific service provider"
	citeCreate        = "AdobeDocs/pass.en rest-api-v2/apis/sessions-apis, create authentication session"
	citeResume        = "AdobeDocs/pass.en rest-api-v2/apis/sessions-apis, resume authentication session"
	citeGetSession    = "AdobeDocs/pass.en rest-api-v2/apis/sessions-apis, retrieve authentication session information using code"
	citeAuthenticate  = "AdobeDocs/pass.en rest-api-v2/apis/sessions-apis, perform authentication in user agent"
	citeProfiles      = "AdobeDocs/pass.en rest-api-v2/apis/profiles-apis, retrieve profiles"
	citeProfile       = "AdobeDocs/pass.en rest-api-v2/apis/profiles-apis, retrieve profile for specific mvpd"
	citeProfileByCode = "AdobeDocs/pass.en rest-api-v2/apis/profiles-apis, retrieve profile for specific code"
	citePreauthorize  = "AdobeDocs/pass.en rest-api-v2/apis/decisions-apis, retrieve preauthorization decisions using specific mvpd"
	citeAuthorize     = "AdobeDocs/pass.en rest-api-v2/apis/decisions-apis, retrieve authorization decisions using specific mvpd"
	citeLogout        = "AdobeDocs/pass.en rest-api-v2/apis/logout-apis, initiate logout for specific mvpd"
	citePartner       = "AdobeDocs/pass.en rest-api-v2/apis/partner-single-sign-on-apis, retrieve partner authentication request"
	citePartnerAnswer = "AdobeDocs/pass.en rest-api-v2/apis/partner-single-sign-on-apis, retrieve profile using partner authentication response"
	citeRegister      = "AdobeDocs/pass.en rest-api-dcr/apis, retrieve client credentials"
	citeToken         = "AdobeDocs/pass.en rest-api-dcr/apis, retrieve access token"
	citeDCR           = "AdobeDocs/pass.en rest-api-dcr/flows, dynamic client registration flow"
	citeCodes         = "AdobeDocs/pass.en features-standard/error-reporting/enhanced-error-codes"
	citeOldCodes      = "AdobeDocs/pass.en enhanced-error-codes, as of October 2023"
	citeThrottling    = "AdobeDocs/pass.en throttling-mechanism"
	citeHeaders       = "AdobeDocs/pass.en rest-api-v2/appendix/headers"
	citeFAQ           = "AdobeDocs/pass.en rest-api-v2/rest-api-v2-faqs"
	citeTempPass      = "AdobeDocs/pass.en features-premium/temporary-access/temp-pass-feature"
	citeDegradation   = "AdobeDocs/pass.en features-premium/degraded-access"
	citeMediaTokens   = "AdobeDocs/pass.en features-standard/entitlements/media-tokens"
	citeMetadata      = "AdobeDocs/pass.en features-standard/entitlements/user-metadata"
)

// The actions of enhanced error codes, and the codes that are used by name.
const (
	none             = "none"
	configuration    = "configuration"
	registrationFor  = "application-registration"
	authentication   = "authentication"
	retryAction      = "retry"
	denyingRule      = "authorization_denied_by_degradation_rule"
	deniedByMVPD     = "authorization_denied_by_mvpd"
	preDeniedByMVPD  = "preauthorization_denied_by_mvpd"
	trialOver        = "temporary_access_duration_limit_exceeded"
	resourcesOver    = "temporary_access_resources_limit_exceeded"
	trialBroken      = "invalid_configuration_temporary_access"
	identityInvalid  = "invalid_header_identity_for_temporary_access"
	profileIsMissing = "authenticated_profile_missing"
)

// An errorCode is one enhanced error code. Its cite is empty where the code is
// not in the V2 catalogue but fills a gap of the documentation.
type errorCode struct {
	code    string
	action  string
	status  int
	message string
	cite    string
}

// catalogue is the page's table in its order, followed by the codes that fill
// its gaps.
var catalogue = []errorCode{
	{"invalid_parameter_service_provider", none, 400, "The service provider parameter value is missing or invalid.", citeCodes},
	{"invalid_parameter_mvpd", none, 400, "The mvpd parameter value is missing or invalid.", citeCodes},
	{"invalid_parameter_code", none, 400, "The code parameter value is missing or invalid.", citeCodes},
	{"invalid_parameter_resources", none, 400, "The resources parameter value is missing or invalid.", citeCodes},
	{"invalid_parameter_redirect_url", none, 400, "The redirect URL parameter value is missing or invalid.", citeCodes},
	{"invalid_parameter_partner", none, 400, "The partner parameter value is missing or invalid.", citeCodes},
	{"invalid_parameter_saml_response", none, 400, "The SAML response parameter value is missing or invalid.", citeCodes},
	{"invalid_header_device_info", none, 400, "The device information header value is missing or invalid.", citeCodes},
	{"invalid_header_device_identifier", none, 400, "The device identifier header value is missing or invalid.", citeCodes},
	{identityInvalid, none, 400, "The identity for temporary access header value is missing or invalid.", citeCodes},
	{"invalid_header_pfs_permission_access_not_present", none, 400, "The permission access status value from the partner framework status header is not present.", citeCodes},
	{"invalid_header_pfs_permission_access_not_determined", none, 400, "The permission access status value from the partner framework status header is undetermined.", citeCodes},
	{"invalid_header_pfs_permission_access_not_granted", none, 400, "The permission access status value from the partner framework status header is not granted.", citeCodes},
	{"invalid_header_pfs_provider_id_not_determined", none, 400, "The provider id value from the partner framework status header is not associated with a known mvpd.", citeCodes},
	{"invalid_header_pfs_provider_id_mismatch", none, 400, "The provider id value from the partner framework status header does not match the mvpd sent as parameter.", citeCodes},
	{"invalid_header_pfs_provider_info_expired", none, 400, "The provider information from the partner framework status header has expired.", citeCodes},
	{"invalid_integration", none, 400, "The integration between the specified service provider and mvpd does not exist or is disabled.", citeCodes},
	{"invalid_authentication_session", none, 400, "The authentication session associated with this request is missing or invalid.", citeCodes},
	{preDeniedByMVPD, none, 403, "The MVPD has returned a “Deny” decision when requesting pre-authorization for the specified resource.", citeCodes},
	{deniedByMVPD, none, 403, `The MVPD has returned a "Deny" decision when requesting authorization for the specified resource.`, citeCodes},
	{"authorization_denied_by_parental_controls", none, 403, `The MVPD has returned a "Deny" decision due parental controls settings for the specified resource.`, citeCodes},
	{denyingRule, none, 403, "The integration between the specified service provider and mvpd has a degradation rule applied that denies authorization for the requested resources.", citeCodes},
	{"internal_server_error", none, 500, "The request failed due to an internal server error.", citeCodes},
	{"too_many_resources", configuration, 403, "The authorization or preauthorization request failed because too many resources were queried. Please contact support team to properly configure the authorization and preauthorization limitations.", citeCodes},
	{"invalid_configuration_user_metadata_certificate", configuration, 500, "The user metadata certificate configuration is missing or invalid.", citeCodes},
	{trialBroken, configuration, 500, "The temporary access configuration is invalid.", citeCodes},
	{"invalid_configuration_platform", configuration, 500, "The platform configuration is missing or invalid for integration.", citeCodes},
	{"invalid_configuration_platform_id", configuration, 500, "The platform id configuration is missing or invalid.", citeCodes},
	{"invalid_configuration_platform_trait", configuration, 500, "The platform trait configuration is missing or invalid.", citeCodes},
	{"invalid_configuration_platform_category_trait", configuration, 500, "The platform category trait configuration is missing or invalid.", citeCodes},
	{"invalid_configuration_platform_services", configuration, 500, "The platform services configuration is missing or invalid for integration.", citeCodes},
	{"invalid_configuration_mvpd_platform", configuration, 500, "The mvpd platform configuration is missing or invalid for mvpd and platform.", citeCodes},
	{"invalid_configuration_mvpd_platform_boarding_status", configuration, 500, "The mvpd platform boarding status configuration is missing or invalid for mvpd and platform.", citeCodes},
	{"invalid_configuration_mvpd_platform_profile_exchange", configuration, 500, "The mvpd platform profile exchange configuration is missing or invalid for mvpd and platform.", citeCodes},
	{"invalid_access_token_service_provider", registrationFor, 401, "The access token is invalid due to invalid service provider.", citeCodes},
	{"invalid_access_token_client_application", registrationFor, 401, "The access token is invalid due to invalid client application.", citeCodes},
	{profileIsMissing, authentication, 403, "The authenticated profile associated with this request is missing.", citeCodes},
	{"authenticated_profile_expired", authentication, 403, "The authenticated profile associated with this request has expired.", citeCodes},
	{"authenticated_profile_invalidated", authentication, 403, "The authenticated profile associated with this request has been invalidated.", citeCodes},
	{trialOver, authentication, 403, "The temporary access duration limit has been exceeded.", citeCodes},
	{resourcesOver, authentication, 403, "The temporary access resources limit has been exceeded.", citeCodes},
	{"authorization_denied_by_hba_policies", authentication, 403, `The MVPD has returned a "Deny" decision due home-based authentication policies. The current authentication was obtain through a Home-based authentication flow and but the device is no longer in-home when requesting authorization for the specified resource. The user must re-authenticate with a supported MVPD in order to continue.`, citeCodes},
	{"authorization_denied_by_session_invalidated", authentication, 403, "The authentication session was invalidated by the identity provider. The user must re-authenticate with a supported MVPD in order to continue.", citeCodes},
	{"identity_not_recognized_by_mvpd", authentication, 403, "The authorization request failed due to the fact that user identity was not recognized by the MVPD.", citeCodes},
	{"network_received_error", retryAction, 403, "There was a read error while retrieving the response from the associated partner service. Retrying the request might solve the issue.", citeCodes},
	{"network_connection_timeout", retryAction, 403, "There was a connection timeout with the associated partner service. Retrying the request might solve the issue.", citeCodes},
	{"maximum_execution_time_exceeded", retryAction, 403, "The request did not complete in the maximum allowed time. Retrying the request might solve the issue.", citeCodes},

	{"invalid_http_method", none, 405, "The HTTP method is not supported.", ""},
	{"bad_request", none, 400, "The request is invalid.", ""},
	{"invalid_domain", none, 400, "The domain is invalid.", ""},
	{"not_found", none, 404, "The requested resource does not exist.", ""},
	{"unsupported_media_type", none, 400, "The content type of the request is not supported.", ""},
	{"too_many_requests", "retry-after", 429, "Too many requests.", ""},
}

// errorCodes maps names to enhanced error codes.
var errorCodes = func() map[string]*errorCode {
	all := map[string]*errorCode{}
	for i := range catalogue {
		all[catalogue[i].code] = &catalogue[i]
	}
	return all
}()

// refusal makes the outcome of a request that is refused with a code: its body
// is the error object.
func refusal(code, doc string) *contract.Outcome {
	e := errorCodes[code]
	return &contract.Outcome{Name: code, Fails: true, Status: e.status, Message: e.message, Doc: doc, Cite: e.cite}
}

// Refusals of checks that run first. Any operation can end in them.
var (
	tooManyRequests = refusal("too_many_requests", "The device sent more than one request a second and has used its burst of ten. The edge answers, with a page of HTML and without Retry-After.")
	notFound        = refusal("not_found", "There is no operation at this path.")
	wrongMethod     = refusal("invalid_http_method", "The path takes another method.")
	invalidClient   = refusal("invalid_access_token_client_application", "The access token is missing, malformed, expired, of another key, or of a client or software statement that is no longer valid. A new token solves it.")
	invalidProvider = refusal("invalid_access_token_service_provider", "The access token is good, and its software statement is not linked to the service provider.")
	unsupportedType = refusal("unsupported_media_type", "The body's Content-Type is not the documented one.")
	badRequest      = refusal("bad_request", "The body cannot be parsed, or is too large.")
)

// Refusals of the operations' own parameters.
var (
	badServiceProvider = refusal("invalid_parameter_service_provider", "The service provider is not known.")
	badMVPD            = refusal("invalid_parameter_mvpd", "The MVPD is not known.")
	badCode            = refusal("invalid_parameter_code", "The code is not well-formed: six or seven capital letters and digits.")
	badResources       = refusal("invalid_parameter_resources", "The body holds no list of resources.")
	badRedirect        = refusal("invalid_parameter_redirect_url", "The redirect URL is no absolute URI, or of a scheme that no user agent should be sent to.")
	badDomain          = refusal("invalid_domain", "The domain is longer than any can be, or, under the switch strict_domains, none of the service provider's.")
	badPartner         = refusal("invalid_parameter_partner", "The partner is not known; Apple is the only one.")
	badSAML            = refusal("invalid_parameter_saml_response", "SAMLResponse is missing or no base64.")
	badDevice          = refusal("invalid_header_device_identifier", "AP-Device-Identifier is missing or not of the form: fingerprint BASE64.")
	badDeviceInfo      = refusal("invalid_header_device_info", "X-Device-Info is no base64, or under the switch strict_device_info not the documented JSON.")
	badIdentity        = refusal(identityInvalid, "AP-TempPass-Identity is missing, no base64 of JSON, or lacks the key that the promotional TempPass asks for.")
	badIntegration     = refusal("invalid_integration", "The MVPD is known, and not integrated with the service provider.")
	noSession          = refusal("invalid_authentication_session", "The code is unknown, expired, replaced by a newer one, or of another service provider.")
	tooManyResources   = refusal("too_many_resources", "More resources were requested than the integration allows: by default five to preauthorize and one to authorize.")
	noProfile          = refusal(profileIsMissing, "The device has no profile with the MVPD under this client and service provider.")
	profileExpired     = refusal("authenticated_profile_expired", "The profile has expired.")
	profileInvalidated = refusal("authenticated_profile_invalidated", "The profile was revoked.")
	temporaryOver      = refusal(trialOver, "The temporary access is over.")
	temporaryUsedUp    = refusal(resourcesOver, "The temporary access has given as many resources as it may.")
	temporaryBroken    = refusal(trialBroken, "The TempPass MVPD is configured wrongly.")
)

// Faults of the partner framework status, in the order of the checks.
var (
	pfsNotPresent    = refusal("invalid_header_pfs_permission_access_not_present", "AP-Partner-Framework-Status is missing, unreadable or lacks accessStatus.")
	pfsNotDetermined = refusal("invalid_header_pfs_permission_access_not_determined", "accessStatus is notDetermined.")
	pfsNotGranted    = refusal("invalid_header_pfs_permission_access_not_granted", "accessStatus is denied or restricted.")
	pfsNoProvider    = refusal("invalid_header_pfs_provider_id_not_determined", "The provider id is empty or belongs to no MVPD.")
	pfsMismatch      = refusal("invalid_header_pfs_provider_id_mismatch", "The provider id belongs to another MVPD.")
	pfsExpired       = refusal("invalid_header_pfs_provider_info_expired", "expirationDate has passed.")
)

// common are the outcomes of any operation for reasons of the service's own.
// Only a scenario gives the codes of a misconfigured platform.
var common = func() []*contract.Outcome {
	all := []*contract.Outcome{refusal("internal_server_error", "The service failed.")}
	for i := range catalogue {
		if e := &catalogue[i]; e.action == configuration && e.status == 500 && e.code != trialBroken {
			all = append(all, refusal(e.code, "The service is configured wrongly. Only a scenario gives it."))
		}
	}
	return all
}()

// An apiError is the body of an enhanced error code.
type apiError struct {
	Action  string `json:"action"`
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Details string `json:"details,omitempty"`
	HelpURL string `json:"helpUrl"`
	Trace   string `json:"trace"`
}

// helpURL is the URL of all documented samples, with their misspelling.
const helpURL = "https://experienceleague.adobe.com/docs/pass/authentication/auth-features/error-reportn/enhanced-error-codes.html"

// body returns the body of a code.
func (e *errorCode) body(c *contract.Call, message string) *apiError {
	code, status := e.code, e.status
	if code == unsupportedType.Name {
		code, status = badRequest.Name, int(c.Switches.Int("unsupported_media_type")) // the pages document no code of its own
	}
	return &apiError{Action: e.action, Status: status, Code: code, Message: message, HelpURL: helpURL, Trace: c.Dice().ID()}
}

// errorRows are the rows of an enhanced error code.
var errorRows = []contract.Param{
	{Name: "action", OneOf: []string{none, configuration, registrationFor, authentication, "authorization", retryAction, "retry-after"}, Cite: citeCodes, Doc: "What solves the error."},
	{Name: "status", Type: contract.Integer, Cite: citeCodes, Doc: "The error's status; inside a decision it differs from the answer's."},
	{Name: "code", Cite: citeCodes, Doc: "The error code."},
	{Name: "message", Cite: citeCodes, Doc: "What happened. It may change, the code does not."},
	{Name: "details", Cite: citeCodes, Doc: "A text of the MVPD or of a degradation rule."},
	{Name: "helpUrl", Cite: citeCodes, Doc: "Where the codes are documented."},
	{Name: "trace", Cite: citeCodes, Doc: "The unique id of this answer."},
}

// failureRows are the rows of an enhanced error code, and the error of client
// registration, which is only a code.
var failureRows = append(slices.Clone(errorRows),
	contract.Param{Name: "error", Cite: citeRegister, Doc: "The error code of RegisterClient and CreateToken, which have no other member."})

// A dcrError is the body of an error of client registration.
type dcrError struct {
	Error string `json:"error"`
}

// fail returns the body of an error: a DCR error, or decisions where a switch
// moves the error into them, else an enhanced error code.
func fail(c *contract.Call, v contract.Verdict) any {
	e := errorCodes[v.Outcome.Name]
	switch {
	case e == nil:
		return dcrError{v.Outcome.Name}
	case itemLevel(c, v):
		return denyAll(c, e, "")
	}
	return e.body(c, v.Message(c))
}
