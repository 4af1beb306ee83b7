package polyv

import (
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The pages that rows and outcomes were read from.
const (
	citeSessions   = "polyv.gitbook.io live/api/channel/session/session_list"
	citeRelevance  = "polyv.gitbook.io live/api/channel/session/relevance-session-by-external"
	citeByExternal = "polyv.gitbook.io live/api/channel/session/get_session-by-external"
	citeStats      = "polyv.gitbook.io live/api/channel/viewdata/get_session_stats"
	citeOldStats   = "dev.polyv.net get-session-stats"
	citeAccount    = "polyv.gitbook.io live/api/v-4/channel/viewdata/get_live_session"
	citeLiveStatus = "polyv.gitbook.io live/api/v-4/channel/get_all_live_status_list"
	citeStatus     = "polyv.gitbook.io live/api/channel/state/get_live_status_list"
	citeSign       = "polyv.gitbook.io live/api/buildSign"
	citeErrors     = "polyv.gitbook.io live/api/errorinfo"
	citeAuth       = "dev.polyv.net sample-channel-list"
	citeLimits     = "polyv-java-sdk docs/live/limit.md"
	citeCallback   = "polyv-java-sdk DOC/live/callback.md"
	citeEnd        = "polyv.gitbook.io live/api/channel/state/set_status_end"
	citeCLI        = "polyv-live-cli docs/api-reference/api-inventory.json"
	citeCLITypes   = "polyv-live-cli packages/sdk types"
	citeCLITests   = "polyv-live-cli packages/cli tests/integration"
	citeBDD        = "terryso/polyv-live-openapi-tests"
)

// The errors that checks declare.
var (
	notFound = failureOutcome(404, "not found",
		"The service has no such path. What it says there is not known.", "")
	methodNotAllowed = failureOutcome(405, "method not allowed",
		"The path is called with another method. What the service says there is not known.", "")
	requestEntityTooLarge = failureOutcome(413, "request entity too large",
		"The body is larger than the emulator takes. No limit is documented.", "")
	ipBlocked = failureOutcome(403, "ip blocked",
		"More than 1,500 calls in ten seconds came from one address, which is blocked for five minutes. How that looks is not known; no envelope is sent.", citeLimits)
	appIDIsRequired = failureOutcome(400, "appId is required.",
		"The parameter appId is absent or empty.", citeAuth)
	applicationNotFound = failureOutcome(400, "application not found.",
		"No application has this appId.", citeAuth)
	invalidTimestamp = failureOutcome(400, "invalid timestamp.",
		"The parameter timestamp is no time in milliseconds, or more than three minutes away. For an absent one the text is inferred.", citeAuth)
	invalidSignature = failureOutcome(403, "invalid signature.",
		"The parameter sign does not fit the request. An operation whose page prints a code answers with it; the others with 403, as the live service was seen to do: the switch signature_code.", citeBDD)
	qpsExceeds = failureOutcome(400, "qps exceeds number of calls",
		"The call is made too often. How often it may be is not documented: the switch qps.", citeErrors)
	paramShouldNotBeEmpty = failureOutcome(400, "param should not be empty: {param}",
		"A required parameter is absent or empty.", citeErrors)
	paramLengthIsIncorrect = failureOutcome(400, "param length is incorrect: {param}",
		"A value is too long, or a list has too many members.", citeErrors)
	paramTypeError = failureOutcome(400, "param type error",
		"The channel in a path of version 2 is no number.", citeBDD)
	paramIsNotDigit = failureOutcome(400, "param is not digit: {param}",
		"A value is no whole number, or a negative one.", citeErrors)
	paramExceedsMaximum = failureOutcome(400, "param exceeds maximum value of integer: {param}",
		"A number is larger than 2147483647.", citeErrors)
	numberRangeError = failureOutcome(400, "number range error",
		"A number is out of its range: page below 1, pageSize below 1 or above 1000.", citeErrors)
	invalidDateTimeFormat = failureOutcome(400, "invalid date time format",
		"A date is neither yyyy-MM-dd HH:mm:ss nor yyyy-MM-dd, or no day of the calendar.", citeErrors)
	jsonFormatError = failureOutcome(400, "json format error",
		"The body is no JSON, or a field of it is missing or mistyped.", citeErrors)
	paramValidateError = failureOutcome(400, "param validate error",
		"The dates do not go together: the end before the start, or more days between them than allowed. The text for these cases is inferred; the switch span_message has another one.", citeErrors)
	illegalChannelID = failureOutcome(400, "illegal channel id",
		"There is no such channel, or it is another account's. Seen from the service on a sister of these calls.", citeCLITests)
)

// The errors of single operations.
var (
	sessionStatsMissing = failureOutcome(400, "channel session stats can not be found",
		"There are no figures of a session. Seen from the service; which call gives it, and its code, are not known. Only a scenario leads here.", "polyv-live-cli docs/ecommerce-scenarios")
	sessionNotFound = failureOutcome(400, "session not found",
		"The channel has no such session. What the service says there is not known.", "")
	accessForbidden = failureOutcome(500, "access forbidden",
		"The account may not do this. The page has it for its example of code 500.", citeErrors)
)

// undefinedError is the service's own failure.
var undefinedError = failureOutcome(500, "undefined error",
	"An unknown error of the service. Only a scenario leads here.", citeErrors)

// common are the other documented messages. Any call may end in them, but no check
// of the emulator does. Which have code 500 follows from the page's classes: 40X
// where a field is wrong, 500 where the business refuses. Its list breaks off after "param is not date normal".
var common = []*contract.Outcome{
	undefinedError,
	accessForbidden,
	failureOutcome(500, "need to login", "Nobody is logged in.", citeErrors),
	failureOutcome(500, "redirect", "The client has to go elsewhere.", citeErrors),
	failureOutcome(500, "illegal operation", "The operation is illegal.", citeErrors),
	failureOutcome(500, "channel id or password error", "The login failed.", citeErrors),
	failureOutcome(500, "conflict with user login", "Somebody else logged in.", citeErrors),
	failureOutcome(500, "illegal stream status", "The stream is in the wrong state.", citeErrors),
	failureOutcome(500, "illegal domain", "The domain is illegal.", citeErrors),
	failureOutcome(500, "channel forbid login", "The channel is closed to logins.", citeErrors),
	failureOutcome(500, "channel already login", "Somebody is logged in to the channel.", citeErrors),
	failureOutcome(500, "channel in live", "The channel is live; try later.", citeErrors),
	failureOutcome(500, "channel in no live", "The channel is not live; try later.", citeErrors),
	failureOutcome(500, "please user pure video scene channel login", "A channel of the pure video scene is needed. The text is as documented.", citeErrors),
	failureOutcome(400, "param is not number: {param}", "A value is no number.", citeErrors),
	failureOutcome(400, "param is not color", "A value is no colour.", citeErrors),
	failureOutcome(400, "param is not boolean (Y / N)", "A value is neither Y nor N.", citeErrors),
}

// fails returns an error. Its name is the message in lowerCamel, without parameter
// and full stop.
func failureOutcome(status int, message, doc, cite string) *contract.Outcome {
	return &contract.Outcome{Name: outcomeName(message), Fails: true, Status: status, Message: message, Doc: doc, Cite: cite}
}

// camel returns the name of a message: invalidSignature of "invalid signature.".
func outcomeName(message string) string {
	for _, end := range []string{":", "("} {
		message, _, _ = strings.Cut(message, end)
	}
	var b strings.Builder
	for i, word := range strings.Fields(strings.TrimSuffix(message, ".")) {
		if i > 0 {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		b.WriteString(word)
	}
	return b.String()
}

// fill returns the text for a place in a message for which there is no fact, since
// a scenario forced the outcome.
func fill(c *contract.Call, place string) string {
	if place != "param" {
		return ""
	}
	if c.Operation != nil {
		for i := range c.Operation.Params {
			if c.Operation.Params[i].Need == contract.Required {
				return c.Operation.Params[i].Name
			}
		}
	}
	return "appId"
}
