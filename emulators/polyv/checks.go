package polyv

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

var (
	noPath      = &contract.Cause{Code: "unknown_path", Text: "{method} {path} is no path of the calls that are emulated. Upper and lower case count."}
	wrongMethod = &contract.Cause{Code: "wrong_method", Text: "{path} was called with {method}; {expected} was expected."}
	tooLarge    = &contract.Cause{Code: "too_large", Text: "The body is larger than {most} bytes, which is what the emulator takes."}
	noAppID     = &contract.Cause{Code: "app_id_missing", Text: "The parameter appId is absent or empty. It stands in the query, or in the form of a POST."}
	unknownApp  = &contract.Cause{Code: "unknown_app_id", Text: "The appId {appId} is in no application of this sandbox. Add it to the fixture's applications, or use {first}. An appId of another sandbox is unknown here."}
	noTimestamp = &contract.Cause{Code: "timestamp_malformed", Text: "The parameter timestamp is {got}; 13 digits, the milliseconds since 1970, were expected."}
	inSeconds   = &contract.Cause{Code: "timestamp_in_seconds", Text: "The parameter timestamp is {got}, which looks like seconds; 13 digits, the milliseconds since 1970, were expected."}
	skewed      = &contract.Cause{Code: "clock_skew", Text: "The request was stamped {timestamp}, which is {skew} seconds away from the server's {server}; {allowed} are allowed. A request that is sent again needs a new stamp and sign. Stamps are held against the wall clock, or against the sandbox's with --signature-clock sandbox."}
)

func checkPath(c *contract.Call) contract.Verdict {
	r := c.Request
	switch c.Miss {
	case contract.WrongMethod:
		return methodNotAllowed.Because(wrongMethod, "path", r.URL.Path, "method", r.Method, "expected", r.At[0].Method)
	case "":
		return contract.Verdict{}
	}
	return notFound.Because(noPath, "path", r.URL.Path, "method", r.Method)
}

func checkSize(c *contract.Call) contract.Verdict {
	if c.Request.TooLarge {
		return requestEntityTooLarge.Because(tooLarge, "most", len(c.Request.Body))
	}
	return contract.Verdict{}
}

func checkAppID(c *contract.Call) contract.Verdict {
	if c.Auth != contract.Off && callerOf(c).appID == "" {
		return orCompressed(c, appIDIsRequired.Because(noAppID))
	}
	return contract.Verdict{}
}

// checkApplication finds the application. Without authentication, an unknown caller
// counts as the first one.
func checkApplication(c *contract.Call) contract.Verdict {
	ca := callerOf(c)
	c.WithState(func() { ca.findApplication(c) })
	if ca.known {
		c.Key = ca.application.AppSecret
		return contract.Verdict{}
	}
	if c.Auth == contract.Verify {
		return applicationNotFound.Because(unknownApp, "appId", shorten(ca.appID), "first", ca.first.AppID)
	}
	ca.application, ca.unknown = ca.first, true
	return contract.Verdict{}
}

func (ca *caller) findApplication(c *contract.Call) {
	st := c.State.(*state)
	if ca.application, ca.known = st.application(ca.appID); !ca.known && c.Adopt("appId", ca.appID) {
		ca.application, ca.known = st.application(ca.appID)
	}
	ca.first = st.first()
}

// checkTimestamp accepts a timestamp within three minutes. Only the length is
// documented, so the client's clock may be ahead or behind.
func checkTimestamp(c *contract.Call) contract.Verdict {
	if c.Auth == contract.Off {
		return contract.Verdict{}
	}
	ca := callerOf(c)
	if !digits(ca.timestamp) || len(ca.timestamp) != 13 {
		if digits(ca.timestamp) && len(ca.timestamp) == 10 {
			return invalidTimestamp.Because(inSeconds, "got", ca.timestamp)
		}
		return invalidTimestamp.Because(noTimestamp, "got", quote(ca.timestamp))
	}
	stamp, _ := strconv.ParseInt(ca.timestamp, 10, 64) // 13 digits always fit
	server, allowed := c.ServerTime().UnixMilli(), c.Switches.Duration("timestamp_window")
	if skew := stamp - server; c.Auth == contract.Verify && max(skew, -skew) > allowed.Milliseconds() {
		return invalidTimestamp.Because(skewed, "timestamp", stamp, "server", server,
			"skew", strconv.FormatFloat(float64(skew)/1000, 'f', 3, 64), "allowed", allowed.Seconds())
	}
	return contract.Verdict{}
}

// digits reports whether s is a whole number without a sign.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// quote returns a value as a cause shows it.
func quote(s string) string {
	if s == "" {
		return "empty or absent"
	}
	return strconv.Quote(shorten(s))
}

// shorten returns a client's value as the journal shows it, cut where it is long.
func shorten(s string) string {
	return strings.ToValidUTF8(contract.Shorten(s, 60), "�")
}

// orCompressed explains a refusal by the compression of the body, where the call has
// parameters in a body.
func orCompressed(c *contract.Call, v contract.Verdict) contract.Verdict {
	if isForm(c.Request) || takesBody(c.Operation) {
		return wire.OrCompressed(c, v)
	}
	return v
}

var (
	absent  = &contract.Cause{Code: "parameter_missing", Text: "{operation} requires {param}, and it is absent or empty."}
	unread  = &contract.Cause{Code: "body_not_read", Text: "{operation} requires {param} in the query or in a form. The body is of type {type}, which this call does not read."}
	tooLong = &contract.Cause{Code: "parameter_too_long", Text: "{param} has more than {most} characters."}
)

// judgeParameters refuses the first required parameter that is absent or empty,
// then one that is too long.
func judgeParameters(c *contract.Call, found []contract.Violation) contract.Verdict {
	for i := range found {
		switch f := &found[i]; f.Rule {
		case contract.Missing, contract.Empty:
			if r := c.Request; r.Method == http.MethodPost && len(r.Body) > len("null") && !isForm(r) && !takesBody(c.Operation) {
				return paramShouldNotBeEmpty.Because(unread, "operation", c.Operation.Name, "param", f.Path, "type", quote(r.Header.Get("Content-Type")))
			}
			return orCompressed(c, paramShouldNotBeEmpty.Because(absent, "operation", c.Operation.Name, "param", f.Path))
		case contract.TooLong:
			return paramLengthIsIncorrect.Because(tooLong, "param", f.Path, "most", f.Param.Max)
		case contract.Mistyped: // the value in the JSON body is neither text nor number
			return jsonFormatError.Because(notJSON, "fault", f.Path+" is neither text nor number")
		}
	}
	return contract.Verdict{}
}

var notJSON = &contract.Cause{Code: "body_not_json", Text: "The body is no JSON object as the page describes it: {fault}."}

// checkValues checks the values by the operation's rules. An unknown channel is
// reported before a fault of another parameter. Without such a fault the operation
// reports it, so that a scenario can decide otherwise.
func checkValues(c *contract.Call) contract.Verdict {
	if err := callerOf(c).jsonErr; err != nil {
		return orCompressed(c, jsonFormatError.Because(notJSON, "fault", err.Error()))
	}
	if c.Auth == contract.Off && isForm(c.Request) && wire.Coding(c.Request) != "" { // otherwise its signature fails
		return orCompressed(c, jsonFormatError.Verdict())
	}
	for _, check := range valueRules[c.Operation] {
		v := check.do(c, check.name)
		if v.Pending() {
			continue
		}
		if check.name != "channelId" && c.In.Has("channelId") {
			if unknown := checkChannel(c); !unknown.Pending() {
				return unknown
			}
		}
		return v
	}
	return contract.Verdict{}
}

// checkChannel refuses an unknown channel.
func checkChannel(c *contract.Call) (v contract.Verdict) {
	c.WithState(func() {
		if st := c.State.(*state); !st.acceptsUnknownChannels(c) {
			v = st.unknownChannel(c)
		}
	})
	return v
}

// A valueRule is one rule for the value of a parameter.
type valueRule struct {
	name string
	do   func(c *contract.Call, name string) contract.Verdict
}

// paging returns the rules for a page and its size. Their order is inferred: first
// what is no number, then what is out of range.
func paging(page string) []valueRule {
	return []valueRule{{page, isDigit}, {"pageSize", isDigit}, {page, isPage}, {"pageSize", isPageSize}}
}

// valueRules are the rules of each operation, in the order in which they apply.
var valueRules = map[*contract.Operation][]valueRule{
	listSessionData:        append(append([]valueRule{{"channelId", isDigit}}, paging("page")...), valueRule{"startDate", isDate}, valueRule{"endDate", isDate}, valueRule{"endDate", isSpan}),
	listSessions:           append(append([]valueRule{{"channelId", isDigit}}, paging("page")...), valueRule{"startDate", isDate}, valueRule{"endDate", isDate}, valueRule{"endDate", isOrdered}),
	bindExternalSession:    {{"channelId", isDigit}},
	listSessionsByExternal: {{"channelId", isDigit}},
	getExternalBySession:   {{"channelId", isDigit}},
	getSessionStats:        {{"channelId", isDigit}, {"sessionIds", isSelected}, {"startTime", isDigit}, {"endTime", isDigit}, {"endTime", isMonth}},
	listAccountSessions:    append([]valueRule{{"startTime", isDigit}, {"endTime", isDigit}, {"endTime", isDay}}, paging("pageNumber")...),
	listLiveStatus:         {{"channelIds", isList(mostListed)}},
	listStreamStatus:       {{"channelIds", isList(20)}},
	startLive:              {{"channelId", isPathNumber}},
	endLive:                {{"channelId", isPathNumber}},
}

var (
	noDigit   = &contract.Cause{Code: "parameter_no_number", Text: "{param} is {got}; a whole number without a sign was expected."}
	noInteger = &contract.Cause{Code: "parameter_beyond_integer", Text: "{param} is {got}; 2147483647 is the greatest number."}
	outside   = &contract.Cause{Code: "parameter_out_of_range", Text: "{param} is {got}; {expected} was expected."}
	longList  = &contract.Cause{Code: "list_too_long", Text: "{param} names {got} channels; at most {most} may be asked for."}
)

func isDigit(c *contract.Call, name string) contract.Verdict {
	s := c.In.Text(name)
	if s == "" || digits(s) {
		return contract.Verdict{}
	}
	shown := name
	if c.Switches.Text("digit_message") == "value" {
		shown = strings.ToValidUTF8(s, "�")
	}
	v := paramIsNotDigit.Because(noDigit, "param", name, "got", quote(s))
	if shown != name {
		v.OwnMessage = "param is not digit: " + shown
	}
	return v
}

// maxInt is the greatest number that the service reads.
const maxInt = 1<<31 - 1

func isPage(c *contract.Call, name string) contract.Verdict {
	n, fits := parseNumber(c.In.Text(name), 1)
	switch {
	case !fits || n > maxInt:
		return paramExceedsMaximum.Because(noInteger, "param", name, "got", quote(c.In.Text(name)))
	case n < 1:
		return numberRangeError.Because(outside, "param", name, "got", n, "expected", "1 or more")
	}
	return contract.Verdict{}
}

// maxPageSize is documented for similar calls, and for the session list inferred.
const maxPageSize = 1000

func isPageSize(c *contract.Call, name string) contract.Verdict {
	if n, fits := parseNumber(c.In.Text(name), 1); !fits || n < 1 || n > maxPageSize {
		return numberRangeError.Because(outside, "param", name, "got", quote(c.In.Text(name)), "expected", "1 to 1000")
	}
	return contract.Verdict{}
}

// parseNumber parses digits. It returns otherwise for any other text.
func parseNumber(s string, otherwise int64) (n int64, fits bool) {
	if !digits(s) {
		return otherwise, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// isPathNumber is isDigit for version 2, which has the channel in its path and
// another message.
func isPathNumber(c *contract.Call, name string) contract.Verdict {
	if s := c.In.Text(name); !digits(s) {
		return paramTypeError.Because(noDigit, "param", name, "got", quote(s))
	}
	return contract.Verdict{}
}

// mostListed is how many channels a list may name, of the operation that takes most.
const mostListed = 200

// isList returns a rule for a list of at most so many channels.
func isList(most int) func(*contract.Call, string) contract.Verdict {
	return func(c *contract.Call, name string) contract.Verdict {
		s := c.In.Text(name)
		if n := strings.Count(s, ",") + 1; n > most {
			return paramLengthIsIncorrect.Because(longList, "param", name, "got", n, "most", most)
		}
		for more := s != ""; more; {
			var id string
			if id, s, more = strings.Cut(s, ","); !digits(id) {
				return paramIsNotDigit.Because(noDigit, "param", name, "got", quote(id))
			}
		}
		return contract.Verdict{}
	}
}

// beijing is the time zone of all the service's times.
var beijing = time.FixedZone("UTC+8", 8*60*60)
