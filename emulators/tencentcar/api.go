package tencentcar

import (
	"net/http"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

const (
	service = "car"
	version = "2022-01-10"
)

// API is the table of Tencent CAR.
var API = &contract.API{
	Name:  "tencentcar",
	Title: "Tencent Cloud Application Rendering 2022-01-10",
	Docs:  "https://cloud.tencent.com/document/product/1547/72826",
	Port:  6414,

	Hosts:       hosts,
	Claims:      claims,
	Identifiers: identifiers,

	Pick:   pick,
	Checks: checks,
	Fill:   fill,
	Fail:   fail,
	Write:  write,
	Sign:   sign,

	Operations: operations,
	Protocol:   commonParameters,
	Common:     common,
	Failure:    failureRows,

	State:    newState,
	Fixture:  fixtureRows,
	Switches: switches,
	Credentials: []contract.Credential{
		{Name: "secretId", Env: "TENCENTCLOUD_SECRET_ID", Identifier: true},
		{Name: "secretKey", Env: "TENCENTCLOUD_SECRET_KEY"},
	},
	Adopts:      adopts,
	Mint:        mint,
	Environment: []contract.Variable{{Name: "TENCENTCAR_ENDPOINT", Value: contract.HostPort}},
	Secrets:     []string{"Authorization", "X-TC-Token", "Signature", "Token"},
	Triggers:    triggers,
	Lifecycle:   &lifecycle,
	Mistakes:    mistakes,
}

var operations = []*contract.Operation{
	applyConcurrent,
	createSession,
	destroySession,
	describeConcurrentCount,
	startPublishStream,
	startPublishStreamWithURL,
	stopPublishStream,
}

// checks is the order in which the service checks. Three parts have evidence:
// for a GET without any parameter the service reports Timestamp first (a public
// curl trace); for the documented stale URL, whose SecretId is fictitious, it
// reports the expiry and not the key; and it reports a wrong token before an
// invalid parameter (the SDK's own tests). The rest is inferred.
var checks = []contract.Check{
	{Name: "read", Do: readRequest},
	{Name: "method", Do: checkMethod, Ends: contract.Outcomes(unsupportedProtocol)},
	{Name: "size", Do: checkSize, Ends: contract.Outcomes(requestSizeLimitExceeded, signatureFailure)},
	{Name: "form", Do: checkForm, Ends: contract.Outcomes(invalidRequest, invalidParameter)},
	{Name: "common-parameters", Do: checkCommonParameters, Ends: contract.Outcomes(missingParameter, invalidParameter)},
	{Name: "authorization", Do: checkAuthorization, Ends: contract.Outcomes(invalidAuthorization)},
	{Name: "timestamp", Do: checkTimestamp, Ends: contract.Outcomes(signatureExpire)},
	{Name: "secret-id", Do: checkSecretID, Ends: contract.Outcomes(secretIDNotFound, invalidSecretID)},
	{Name: "signature", Do: checkSignature, Ends: contract.Outcomes(signatureFailure)},
	{Name: "token", Do: checkToken, Ends: contract.Outcomes(tokenFailure, mfaFailure)},
	{Name: "version", Do: checkVersion, Ends: contract.Outcomes(noSuchVersion)},
	{Name: "action", Do: checkAction, Ends: contract.Outcomes(invalidAction, actionOffline)},
	{Name: "region", Do: checkRegion, Ends: contract.Outcomes(invalidParameterValue, unsupportedRegion)},
	{Name: "permission", Do: checkPermission, Ends: contract.Outcomes(authUnauthorizedOperation)},
	{Name: "source-address", Do: checkSourceAddress, Ends: contract.Outcomes(ipInBlacklist, ipNotInWhitelist)},
	{Name: "rate-limit", Do: contract.RateLimit(requestLimitExceeded, rateLimit), Ends: contract.Outcomes(requestLimitExceeded)},
	{Name: "json", Do: checkJSON, Ends: contract.Outcomes(jsonParseError)},
	{Name: "parameters", Do: contract.ValidateParams(judgeParameters), Ends: contract.Outcomes(invalidParameter, unknownParameter, missingParameter, invalidParameterValue)},
	{Name: "adopt", Do: adoptNamed},
}

// hosts are the nearest-access hosts of both sites and the regional ones. The
// region in a host names the edge that is reached, not where resources are.
var hosts = []contract.Host{
	{Name: "car.tencentcloudapi.com", Cite: citeStructure, Doc: "the nearest access"},
	{Name: "car.intl.tencentcloudapi.com", Cite: citeStructure, Doc: "the nearest access of the international site"},
	{Name: "car.*.tencentcloudapi.com", Cite: citeStructure, Doc: "access in a region", Known: []string{
		"car.ap-guangzhou.tencentcloudapi.com", "car.ap-shanghai.tencentcloudapi.com",
		"car.ap-nanjing.tencentcloudapi.com", "car.ap-beijing.tencentcloudapi.com",
		"car.ap-chengdu.tencentcloudapi.com", "car.ap-chongqing.tencentcloudapi.com",
		"car.ap-hongkong.tencentcloudapi.com", "car.ap-singapore.tencentcloudapi.com",
		"car.ap-jakarta.tencentcloudapi.com", "car.ap-bangkok.tencentcloudapi.com",
		"car.ap-seoul.tencentcloudapi.com", "car.ap-tokyo.tencentcloudapi.com",
		"car.na-ashburn.tencentcloudapi.com", "car.na-siliconvalley.tencentcloudapi.com",
		"car.sa-saopaulo.tencentcloudapi.com", "car.eu-frankfurt.tencentcloudapi.com",
		"car.ap-shanghai-fsi.tencentcloudapi.com", "car.ap-shenzhen-fsi.tencentcloudapi.com",
	}},
}

// claims reports whether a request is clearly for a Tencent API, on any path.
func claims(r *contract.Request) bool {
	return r.Header.Get("X-Tc-Action") != "" ||
		strings.HasPrefix(r.Header.Get("Authorization"), algorithm) ||
		queryOrFormValue(r, "Action") != ""
}

// identifiers returns the SecretId of a request, if it has one.
func identifiers(r *contract.Request) []string {
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	id, _, _ := strings.Cut(credential, "/")
	if !found {
		id = queryOrFormValue(r, "SecretId")
	}
	if id == "" {
		return nil
	}
	return []string{id}
}

// pick finds the operation by its name alone: the service has one path, and
// the SDKs send the path of their configured endpoint.
func pick(r *contract.Request) (*contract.Operation, contract.Miss) {
	if op := operation(actionOf(r)); op != nil {
		return op, ""
	}
	return nil, contract.NoSuchAction
}

// actionOf reads the action from the place that the request's signature family
// uses, and otherwise from the other place.
func actionOf(r *contract.Request) string {
	named := header(r.Header, "X-Tc-Action")
	if named != "" && r.Header["Authorization"] != nil {
		return named
	}
	if action := queryOrFormValue(r, "Action"); action != "" {
		return action
	}
	return named
}

func operation(name string) *contract.Operation {
	for _, op := range operations {
		if op.Name == name {
			return op
		}
	}
	return nil
}

// A failureReply is what every error returns.
type failureReply struct {
	Error struct {
		Code    string
		Message string
	}
	RequestID string `json:"RequestId"`
}

func (f *failureReply) AppendJSON(b []byte) []byte {
	b = wire.AppendString(append(b, `{"Error":{"Code":`...), f.Error.Code)
	b = wire.AppendString(append(b, `,"Message":`...), f.Error.Message)
	b = wire.AppendString(append(b, `},"RequestId":`...), f.RequestID)
	return append(b, '}')
}

var failureRows = []contract.Param{
	{
		Name: "Error", Type: contract.Object, Need: contract.Required, Cite: citeResponses,
		Doc: "Why the call failed. It is there exactly when the call failed.",
		Fields: []contract.Param{
			{Name: "Code", Need: contract.Required, Doc: "The error code.", Cite: citeResponses},
			{Name: "Message", Need: contract.Required, Doc: "What happened; the text may change, the code does not.", Cite: citeResponses},
		},
	},
	requestIDRow,
}

var requestIDRow = contract.Param{
	Name: "RequestId", Need: contract.Required, Example: "fcf4146f-64d3-496c-88dc-d12f832de313", Cite: citeResponses,
	Doc: "The unique id of the request, generated by the server and returned for every request.",
}

// fail makes the reply of an error, in the caller's language.
func fail(c *contract.Call, v contract.Verdict) any {
	f := &failureReply{RequestID: requestID(c)}
	f.Error.Code, f.Error.Message = v.Outcome.Name, message(c, v)
	return f
}

// message is the outcome's text in the caller's language. Real answers in
// Chinese are known for few codes; the others are English in both languages.
func message(c *contract.Call, v contract.Verdict) string {
	if text, ok := chinese[v.Outcome.Name]; ok && v.OwnMessage == "" && strings.EqualFold(callerOf(c).language, "zh-CN") {
		return v.Fill(c, text)
	}
	return v.Message(c)
}

// write makes the response of any outcome: HTTP 200, the envelope, and a content
// type without parameters. It returns the trace id because the Node SDK reads it
// from the answer.
func write(c *contract.Call, _ contract.Verdict, reply contract.Reply) contract.Response {
	h := headers
	if trace := header(c.Request.Header, "X-Tc-Traceid"); trace != "" {
		h = h.Clone()
		h["X-Tc-Traceid"] = []string{trace}
	}
	body := reply.Body
	if body == nil {
		body = []byte("{}")
	}
	b := make([]byte, 0, len(`{"Response":}`)+len(body))
	b = append(b, `{"Response":`...)
	b = append(b, body...)
	return contract.Response{Status: http.StatusOK, Header: h, Body: append(b, '}')}
}

// headers are those of nearly every answer.
var headers = http.Header{"Content-Type": {"application/json"}}
