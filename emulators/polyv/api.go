package polyv

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// API is the table of Polyv Live.
var API = &contract.API{
	Name:  "polyv",
	Title: "Polyv Live API v3",
	Docs:  "https://polyv.gitbook.io/document/docs/live/api/channel/session/session_list",
	Port:  6413,

	Hosts:       contract.HostNames(citeSessions, "api.polyv.net"),
	Identifiers: identifiers,

	Pick:   contract.ByMethod,
	Checks: checks,
	Fill:   fill,
	Fail:   fail,
	Write:  write,
	Sign:   sign,

	Operations: operations,
	Protocol:   protocol,
	Common:     common,
	Failure:    failureRows,

	State:    newState,
	Fixture:  fixtureRows,
	Switches: switches,
	Credentials: []contract.Credential{
		{Name: "appId", Env: "POLYV_APP_ID", Identifier: true},
		{Name: "appSecret", Env: "POLYV_APP_SECRET"},
		{Name: "userId", Env: "POLYV_USER_ID", Identifier: true},
	},
	Adopts:      adopts,
	Mint:        mint,
	Environment: []contract.Variable{{Name: "POLYV_BASE_URL", Value: contract.BaseURL}},
	Secrets:     []string{"sign"},
	Triggers:    triggers,
	Lifecycle:   &lifecycle,
	Mistakes:    mistakes,
}

var operations = []*contract.Operation{
	listSessionData,
	listSessions,
	bindExternalSession,
	listSessionsByExternal,
	getExternalBySession,
	getSessionStats,
	listAccountSessions,
	listChannels,
	listLiveStatus,
	listStreamStatus,
	startLive,
	endLive,
}

// checks is the order in which all older pages list their errors: appId,
// application, timestamp, signature, parameters. That the service checks in
// this order is inferred.
var checks = []contract.Check{
	{Name: "read", Do: parseRequest},
	{Name: "source-address", Do: checkAddress, Ends: contract.Outcomes(ipBlocked)},
	{Name: "path", Do: checkPath, Ends: contract.Outcomes(notFound, methodNotAllowed)},
	{Name: "size", Do: checkSize, Ends: contract.Outcomes(requestEntityTooLarge)},
	{Name: "app-id", Do: checkAppID, Ends: contract.Outcomes(appIDIsRequired)},
	{Name: "application", Do: checkApplication, Ends: contract.Outcomes(applicationNotFound)},
	{Name: "timestamp", Do: checkTimestamp, Ends: contract.Outcomes(invalidTimestamp)},
	{Name: "signature", Do: checkSignature, Ends: contract.Outcomes(invalidSignature)},
	{Name: "rate-limit", Do: contract.RateLimit(qpsExceeds, callLimit), Ends: contract.Outcomes(qpsExceeds)},
	{Name: "parameters", Do: contract.ValidateParams(judgeParameters), Ends: contract.Outcomes(paramShouldNotBeEmpty, paramLengthIsIncorrect)},
	{Name: "adopt", Do: adoptChannels},
	{Name: "values", Do: checkValues, Ends: contract.Outcomes(
		jsonFormatError, paramTypeError, paramIsNotDigit, paramExceedsMaximum, numberRangeError, invalidDateTimeFormat, paramValidateError,
		paramShouldNotBeEmpty, paramLengthIsIncorrect, illegalChannelID,
	)},
}

// identifiers returns the appId.
func identifiers(r *contract.Request) []string {
	for _, text := range [...]string{r.URL.RawQuery, formOf(r)} {
		for more := true; more; {
			var piece string
			piece, text, more = strings.Cut(text, "&")
			if p := decode(piece); p.name == "appId" && p.value != "" {
				return []string{p.value}
			}
		}
	}
	return nil
}

// v4 reports whether a call is answered in the envelope of version 4.
func isVersion4(c *contract.Call) bool {
	switch {
	case c.Operation != nil:
		return strings.HasPrefix(c.Operation.Path, "/live/v4/")
	case c.Request != nil && c.Request.URL != nil:
		return strings.HasPrefix(c.Request.URL.Path, "/live/v4/")
	}
	return false
}

// write writes an answer. What an outcome returns is the whole body, so that a
// scenario can replace every field.
func write(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	status := http.StatusOK
	switch {
	case v.Outcome == ipBlocked: // by a proxy in front of the service, which has no envelope
		return contract.Response{Status: ipBlocked.Status, Header: plainHeaders, Body: []byte("Forbidden")}
	case v.Outcome.Fails && c.Switches.Text("http_status") != "ok":
		status = code(c, v.Outcome)
	}
	return contract.Response{Status: status, Header: headers, Body: reply.Body}
}

// Answers share their headers. No page shows the exact content type.
var (
	headers      = http.Header{"Content-Type": {"application/json;charset=UTF-8"}}
	plainHeaders = http.Header{"Content-Type": {"text/plain;charset=UTF-8"}}
)

// code returns the code of a failure. Pages disagree about a wrong signature, and
// the service was seen to disagree with some: a switch may decide there.
func code(c *contract.Call, o *contract.Outcome) int {
	if o == invalidSignature {
		if n, err := strconv.Atoi(c.Switches.Text("signature_code")); err == nil {
			return n
		}
	}
	return c.Operation.Status(o)
}

// callLimit returns how often an account may call one operation in a second. The
// limit is documented, its number is not.
func callLimit(c *contract.Call) contract.Limit {
	calls := int(c.Switches.Int("qps"))
	if calls == 0 {
		return contract.Limit{}
	}
	return contract.Limit{Key: c.Operation.Name + " by " + callerOf(c).application.UserID, Calls: calls, Window: time.Second}
}
