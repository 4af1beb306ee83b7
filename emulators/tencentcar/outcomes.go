package tencentcar

import (
	"strconv"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The sources of rows and outcomes.
const (
	citeCreate    = "cloud.tencent.com 1547/72826"
	citeStructure = "cloud.tencent.com 1547/72814"
	citeNoClient  = "cloud.tencent.com 1547/102849"
	citeRates     = "cloud.tencent.com 1278/109059"
	citeRooms     = "cloud.tencent.com 1162/90014"
	citeCommon    = "tencentyun/intlcloud-documents API 3.0, common params"
	citeTC3       = "tencentyun/intlcloud-documents API 3.0, signature v3"
	citeResponses = "tencentyun/intlcloud-documents API 3.0, responses"
	citeErrors    = "tencentcloud.com 1158/49970"
	citeFAQ       = "tencentcloud.com 1158/49633"
	citeSDK       = "TencentCloud/tencentcloud-sdk-go car/v20220110"
	citeIntl      = "TencentCloud/tencentcloud-sdk-go-intl-en car/v20220110"
)

// The errors that checks give. A message is that of a real answer of Tencent's
// gateway if Cite names a public issue, which quotes it. Other messages are ours, and
// Cite names the page that lists the code. Messages in Chinese are in the map
// chinese. A check that refuses with another text sets Verdict.OwnMessage.
var (
	unsupportedProtocol = failureOutcome("UnsupportedProtocol",
		"The request protocol is not supported. Only GET and POST requests are supported.",
		"The verb is neither GET nor POST.", citeErrors)
	requestSizeLimitExceeded = failureOutcome("RequestSizeLimitExceeded",
		"The request size exceeds the limit.",
		"The request is larger than its kind may be: POST 10 MB, GET 32 KB.", citeErrors)
	invalidRequest = failureOutcome("InvalidRequest",
		"The format of the request body is not supported by this action.",
		"The body is multipart/form-data or application/octet-stream, which no action of CAR declares.", citeErrors)
	invalidParameter = failureOutcome("InvalidParameter",
		"The value type of parameter `{Name}` is not valid, input type should be `{type}`",
		"A parameter is of another type than documented, or the request cannot be taken apart into parameters.", citeErrors)
	missingParameter = failureOutcome("MissingParameter",
		"The request is missing a required parameter `{Name}`.",
		"A required parameter is absent.", citeErrors)
	unknownParameter = failureOutcome("UnknownParameter",
		"The parameter `{Name}` is not recognized.",
		"A parameter was sent that the action does not declare.", "tencentcloud-sdk-go#183")
	invalidParameterValue = failureOutcome("InvalidParameterValue",
		"Invalid parameter value.",
		"A value is not acceptable: an unknown ProjectId, no IP address, an unlisted RunMode or Role.", citeCreate)
	invalidAuthorization = failureOutcome("AuthFailure.InvalidAuthorization",
		"The request `Authorization` header does not conform to tencentcloud standards: {part} not valid.",
		"The Authorization header is malformed, or its scope does not fit the request.", "tencentcloud-sdk-go#89")
	signatureExpire = failureOutcome("AuthFailure.SignatureExpire",
		"Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between `Timestamp` and the server time {serverUnix}.",
		"The timestamp is more than five minutes away from the server's time.", "ddns-go#999")
	secretIDNotFound = failureOutcome("AuthFailure.SecretIdNotFound",
		"The SecretId is not found, please ensure that your SecretId is correct.",
		"The key is unknown, deleted or disabled.", citeErrors)
	invalidSecretID = failureOutcome("AuthFailure.InvalidSecretId",
		"The SecretId is invalid: it is not of the TencentCloud API key type.",
		"The key is no API key.", citeErrors)
	signatureFailure = failureOutcome("AuthFailure.SignatureFailure",
		"The provided credentials could not be validated. Please check your signature is correct.",
		"The signature does not fit the request.", citeTC3)
	tokenFailure = failureOutcome("AuthFailure.TokenFailure",
		"The token is invalid or has expired.",
		"The token of a temporary key is absent, wrong or expired.", citeErrors)
	mfaFailure = failureOutcome("AuthFailure.MFAFailure",
		"Multi-factor authentication failed.",
		"The key asks for multi-factor authentication, and it failed.", citeErrors)
	noSuchVersion = failureOutcome("NoSuchVersion",
		"The specified api version=`{Version}` does not exist in service=`{service}`.",
		"The service has no such version.", "tencentcloud-sdk-dotnet#45")
	invalidAction = failureOutcome("InvalidAction",
		"The request action=`{Action}` is invalid or not found in service=`{service}` and version=`{Version}`.",
		"The service has no such action.", "CloudBase-AI-Toolkit#301")
	actionOffline = failureOutcome("ActionOffline",
		"The action `{Action}` has been taken offline.",
		"The action was withdrawn.", citeErrors)
	unsupportedRegion = failureOutcome("UnsupportedRegion",
		"The action not support this region.",
		"The region is not served. CAR takes any, unless the fixture lists regions.", "tencentcloud-sdk-php#46")
	authUnauthorizedOperation = failureOutcome("AuthFailure.UnauthorizedOperation",
		"You are not authorized to perform this operation. Check your CAM policies, and ensure that you are using the correct access keys. [[request id:{requestId}]you are not authorized to perform operation ({service}:{Action})\nresource ({resource}) has no permission\n]",
		"A CAM policy denies the action.", "tencentcloud-sdk-java#78")
	ipInBlacklist = failureOutcome("IpInBlacklist",
		"Your IP address is in the blacklist.",
		"The caller's address is on the blacklist.", citeErrors)
	ipNotInWhitelist = failureOutcome("IpNotInWhitelist",
		"Your IP address is not in the whitelist.",
		"There is a whitelist and the caller's address is not on it.", citeErrors)
	requestLimitExceeded = failureOutcome("RequestLimitExceeded",
		overLimit, "More calls within one second than the action takes.", citeRates)
	jsonParseError = failureOutcome("InvalidParameter.JsonParseError",
		"JSON parsing error.",
		"The body, or the ClientSession in it, cannot be parsed as JSON.", citeCreate)
)

const overLimit = "Your current request times equals to `{n}` in a second, which exceeds the frequency limit `{limit}` for a second. Please reduce the frequency of calls."

// The errors that several operations list. No known source quotes their messages
// on the wire, so each message is the description on the page that lists the code;
// a sample of another product shows the same.
var (
	failedOperation = failureOutcome("FailedOperation", "Operation failed.",
		"A failure without a code of its own. Only a scenario leads here.", citeCreate)
	processTimeout = failureOutcome("FailedOperation.ProcessTimeout", "Processing timed out.",
		"The backend took longer than the action may: 20 seconds for ApplyConcurrent, 5 for CreateSession. Only a scenario leads here.", citeCreate)
	internalError = failureOutcome("InternalError", "Internal error.",
		"A fault of the server. Only a scenario leads here.", citeCreate)
	operationDenied = failureOutcome("OperationDenied", "Operation denied.",
		"The operation is not allowed: publishing without a bound push domain, a guest who acts as the host.", citeCreate)
	noIdle = failureOutcome("ResourceNotFound.NoIdle", "No available concurrency quota.",
		"Every concurrency of the project is taken or being cleaned, or the project has none. There is no queue at the server: ask again.", citeCreate)
	sessionNotFound = failureOutcome("ResourceNotFound.SessionNotFound", "Unable to find the session.",
		"The user, or the host whose room is to be entered, has no session.", citeCreate)
	initialization = failureOutcome("ResourceUnavailable.Initialization", "It is being initialized.",
		"No concurrency is idle, but one is being pre-launched and will be soon.", citeCreate)
	stopping = failureOutcome("UnsupportedOperation.Stopping", "The session is being terminated.",
		"The user's concurrency is being cleaned. A moment later the call succeeds.", citeCreate)
	lockTimeout = failureOutcome("FailedOperation.LockTimeout", "Concurrency quota not requested or request timed out.",
		"The user has no reservation, or it lapsed: call ApplyConcurrent first.", citeCreate)
	pathNotFound = failureOutcome("FailedOperation.PathNotFound", "Failed to find the path.",
		"The application has no program to start.", citeCreate)
	slowDown = failureOutcome("FailedOperation.SlowDown", "The request of the current UserId is being processed. Try again later.",
		"Another request of the same UserId is still in progress.", citeCreate)
	limitExceededRole = failureOutcome("LimitExceeded.Role", "[Multi-person Interaction] The number of persons corresponding to a role exceeds the limit.",
		"The room has as many players as it may have.", citeCreate)
	accessFailed = failureOutcome("ResourceUnavailable.AccessFailed", "Failed to access the concurrency instance.",
		"The machine of the session does not answer. Only a scenario leads here.", citeSDK)
)

// common are the other errors of the page that lists the codes of all services
// (citeErrors). Any call may have them; only a scenario leads there.
var common = []*contract.Outcome{
	internalError,
	failedOperation,
	failureOutcome("DryRunOperation", "The request would have succeeded, but the DryRun parameter was used.", "A DryRun succeeded.", citeErrors),
	failureOutcome("LimitExceeded", "The quota limit is exceeded.", "A quota is used up.", citeErrors),
	failureOutcome("NoSuchProduct", "The product does not exist.", "The service does not exist.", citeErrors),
	failureOutcome("RequestLimitExceeded.IPLimitExceeded", overLimit, "The limit of calls from one address is exceeded. SDKs do not retry this code.", citeErrors),
	failureOutcome("RequestLimitExceeded.UinLimitExceeded", overLimit, "The limit of calls by one main account is exceeded.", citeErrors),
	failureOutcome("RequestLimitExceeded.GlobalRegionUinLimitExceeded", overLimit, "The limit of calls by one main account in one region is exceeded.", citeErrors),
	failureOutcome("ResourceInUse", "The resource is in use.", "The resource is in use.", citeErrors),
	failureOutcome("ResourceInsufficient", "The resource is insufficient.", "There is not enough of the resource.", citeErrors),
	failureOutcome("ResourceNotFound", "The resource is not found.", "The resource does not exist.", citeErrors),
	failureOutcome("ResourceUnavailable", "The resource is unavailable.", "The resource cannot be used now.", citeErrors),
	failureOutcome("ResponseSizeLimitExceeded", "The response size exceeds the limit.", "The answer would be too large.", citeErrors),
	failureOutcome("ServiceUnavailable", "The service is temporarily unavailable.", "The service is down for a while.", citeErrors),
	failureOutcome("UnauthorizedOperation", "Unauthorized operation.", "The operation is not permitted.", citeErrors),
	failureOutcome("UnsupportedOperation", "Unsupported operation.", "The operation is not supported.", citeErrors),
}

// chinese holds the messages whose Chinese form is known from real answers. All
// other messages are English in both languages; MissingParameter was English even
// for clients that sent zh-CN.
var chinese = map[string]string{
	"AuthFailure.SecretIdNotFound":      "SecretId不存在，请输入正确的密钥。",
	"AuthFailure.SignatureFailure":      "请求签名验证失败，请检查您的签名计算是否正确。",
	"AuthFailure.UnauthorizedOperation": "操作未授权，请检查CAM策略。[[request id:{requestId}]you are not authorized to perform operation ({service}:{Action})\nresource ({resource}) has no permission\n]",
	"InternalError":                     "内部服务错误，请稍后重试。",
	"RequestLimitExceeded":              "您当前每秒请求 `{n}` 次，超过了每秒频率上限 `{limit}`，请稍后重试。",
	"UnknownParameter":                  "未知参数错误，用户多传未定义的参数会导致错误",
}

// failureOutcome makes the outcome of an error: HTTP 200, the code in the envelope.
func failureOutcome(code, message, doc, cite string) *contract.Outcome {
	return &contract.Outcome{Name: code, Fails: true, Status: 200, Message: message, Doc: doc, Cite: cite}
}

// fill returns the value of a placeholder in a message if the verdict has none,
// because a scenario or the request itself called for the outcome.
func fill(c *contract.Call, place string) string {
	switch place {
	case "service":
		return service
	case "Action":
		return actionName(c)
	case "Version":
		if v := callerOf(c).version; v != "" {
			return v
		}
		return version
	case "Name":
		return firstRequired(c.Operation)
	case "type":
		return "string"
	case "part":
		return "`Credential`"
	case "resource":
		return "*"
	case "requestId":
		return requestID(c)
	case "limit":
		return strconv.Itoa(rateOf(c.Operation))
	case "n":
		return strconv.Itoa(rateOf(c.Operation) + 1)
	case "serverUnix":
		return strconv.FormatInt(c.ServerTime().Unix(), 10)
	}
	return ""
}

// actionName is the operation's name, or the action that the caller named.
func actionName(c *contract.Call) string {
	if c.Operation != nil {
		return c.Operation.Name
	}
	return callerOf(c).action
}

// rateOf is the number of calls per second in a message.
func rateOf(op *contract.Operation) int {
	if op == nil || op.Rate == 0 {
		return 100
	}
	return op.Rate
}

// firstRequired is the name of the operation's first required parameter.
func firstRequired(op *contract.Operation) string {
	if op != nil {
		for i := range op.Params {
			if op.Params[i].Need == contract.Required {
				return op.Params[i].Name
			}
		}
	}
	return "Action"
}
