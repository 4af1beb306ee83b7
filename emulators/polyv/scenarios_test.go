package polyv_test

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// A turn is one call of a client while a scenario plays, and what it sees.
type turn struct {
	operation string
	in        contract.Values // nil: what the page shows
	status    int
	says      string // what stands in the body
	delay     int64  // milliseconds
	fault     string

	pull string        // a trigger, with what is in in, and no call
	wait time.Duration // passes, and no call
	here bool          // it belongs to the scenario, and is not asked before and after
}

// Each shipped scenario shows a client what its description says, call after
// call; before it is switched on all of these calls succeed.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	const list, old, bind, stats, external, channels = "ListSessionData", "ListSessions", "BindExternalSession", "GetSessionStats", "GetExternalBySession", "ListChannels"
	at := func(page string) contract.Values {
		return contract.Values{"channelId": "2272655", "page": page, "pageSize": "2"}
	}
	ok := func(operation string) turn {
		return turn{operation: operation, status: 200, says: `"status":"success"`}
	}
	says := func(operation string, status int, message string) turn {
		return turn{operation: operation, status: status, says: `"message":"` + message + `","data":""}`}
	}
	const over = `"startTime":1652062574000,"endTime":1652062643000,"customId":null`
	const live, ended = `"endTime":null`, `"endTime":1700000000000`
	of := func(channel, page string) contract.Values {
		return contract.Values{"channelId": channel, "page": page, "pageSize": "2"}
	}
	then := func(page string) contract.Values { // when the page of the session list was written
		return contract.Values{"channelId": "2272655", "page": page, "pageSize": "2", "startDate": "2022-03-20", "endDate": "2022-05-15"}
	}
	inTurn := func(status []int, messages ...string) (all []turn) {
		for i, m := range messages {
			all = append(all, says(list, status[i], m))
		}
		return append(all, ok(list), ok(list))
	}
	repeated := func(status, n int) []int { return slices.Repeat([]int{status}, n) }
	binding := contract.Values{"channelId": "2633655", "externalSessionId": "ours-1"}
	plays := map[string][]turn{
		"binding-just-in-time": {{operation: bind, status: 200, says: `"data":true`, delay: 29_000}, ok(list)},
		"invalid-signature": {
			says(list, 400, "invalid signature."), says(bind, 403, "invalid signature."), says(list, 400, "invalid signature."),
			{operation: external, status: 403, says: `"error":{"code":10001,"desc":"invalid signature."},"success":false}`},
		},
		"invalid-signature-twice": {says(list, 400, "invalid signature."), says(old, 403, "invalid signature."), ok(list), ok(old)},
		"stale-timestamp":         {says(list, 400, "invalid timestamp."), says(stats, 400, "invalid timestamp."), says(list, 400, "invalid timestamp.")},
		"application-not-found": {
			says(list, 400, "application not found."), says(channels, 400, "application not found."),
			{operation: external, status: 400, says: `"error":{"code":20001,"desc":"application not found."}`},
		},
		"qps-exceeded": {
			says(list, 400, "qps exceeds number of calls"), says(list, 400, "qps exceeds number of calls"),
			says(bind, 400, "qps exceeds number of calls"), ok(list), ok(bind),
		},
		"ip-blocked":                    {{operation: list, status: 403, says: "Forbidden"}, {operation: bind, status: 403, says: "Forbidden"}},
		"illegal-channel":               {says(list, 400, "illegal channel id"), says(old, 400, "illegal channel id"), ok(channels), says(list, 400, "illegal channel id")},
		"channel-deleted-between-pages": {{operation: list, in: at("1"), status: 200, says: `"pageNumber":1`}, {operation: list, in: at("2"), status: 400, says: `"illegal channel id"`}, {operation: list, in: at("1"), status: 400, says: `"illegal channel id"`}},
		"empty-page": {
			{operation: list, in: contract.Values{"channelId": "2272655"}, status: 200, says: `"data":{"pageSize":20,"pageNumber":1,"totalItems":0,"contents":[],"limit":0,"nextPageNumber":1,"startRow":1,"firstPage":true,"lastPage":false,"prePageNumber":1,"endRow":0,"totalPages":0,"offset":0}`},
			{operation: list, in: at("1"), status: 200, says: `"data":{"pageSize":2,"pageNumber":1,"totalItems":0,"contents":[],"limit":0,"nextPageNumber":1,"startRow":1,"firstPage":true,"lastPage":false,"prePageNumber":1,"endRow":0,"totalPages":0,"offset":0}`},
			{operation: list, in: at("3"), status: 200, says: `"startRow":5,"firstPage":false,"lastPage":false,"prePageNumber":2,"endRow":0,"totalPages":0,"offset":4}`},
			{operation: old, status: 200, says: `"totalItems":16`},
		},
		"server-error": {
			{operation: list, status: 500, says: `{"code":500,"status":"fail","message":"undefined error","data":""}`},
			{operation: list, status: 500, says: `"status":"fail"`},
			ok(old),
		},
		"server-error-twice":   {says(list, 500, "undefined error"), ok(bind), says(list, 500, "undefined error"), ok(list)},
		"access-forbidden":     {{operation: list, status: 500, says: `{"code":500,"status":"fail","message":"access forbidden","data":""}`}, says(bind, 500, "access forbidden")},
		"always-one-more-page": {{operation: list, in: at("1"), status: 200, says: `"lastPage":false`}, {operation: list, in: at("77"), status: 200, says: `"limit":1,"nextPageNumber":1000000`}, {operation: list, in: at("1000000"), status: 200, says: `"limit":1,"nextPageNumber":1000001`}, {operation: list, in: at("1000001"), status: 200, says: `"limit":1,"nextPageNumber":1000000`}, {operation: list, in: at("999999"), status: 200, says: over}},
		"live-ends-between-pages": {
			{operation: list, in: of("2272656", "1"), status: 200, says: live},
			{operation: list, in: of("2272656", "2"), status: 200, says: `"pageNumber":2`},
			{operation: list, in: of("2272656", "1"), status: 200, says: ended},
		},
		"live-starts-between-pages": {
			{operation: list, in: at("1"), status: 200, says: `"pageNumber":1`},
			{operation: list, in: at("2"), status: 200, says: "the last of the page before"},
			{operation: list, in: at("1"), status: 200, says: live},
		},
		"session-deleted-between-pages": {
			{operation: list, in: then("1"), status: 200, says: `"sessionId":"g9b3pwv2b7"`},
			{operation: list, in: then("2"), status: 200, says: `"contents":[{"sessionId":"g87lv4kjh2"`},
			{operation: list, in: then("1"), status: 200, says: `"sessionId":"g8ms75epoj"`},
		},
		"live-ends-over-a-bad-network": {
			{operation: list, in: of("2272656", "1"), status: 200, says: live, delay: 3_000},
			{operation: list, in: of("2272656", "1"), status: 200, fault: "reset"},
			{operation: list, in: of("2272656", "1"), status: 200, fault: "reset"},
			{operation: list, in: of("2272656", "1"), status: 200, says: ended},
		},
		"binding-answer-lost": {
			{operation: bind, in: binding, status: 200, fault: "reset", here: true},
			{pull: "stream.started", in: contract.Values{"channelId": "2633655"}},
			{operation: list, in: of("2633655", "1"), status: 200, says: `"customId":"ours-1"`},
			ok(old),
		},
		"binding-without-effect": {
			{operation: bind, in: binding, status: 200, says: `"data":true`, here: true},
			{pull: "stream.started", in: contract.Values{"channelId": "2633655"}},
			{operation: list, in: of("2633655", "1"), status: 200, says: `"endTime":null,"customId":null`},
			ok(old),
		},
		"flapping": {says(list, 500, "undefined error"), ok(list), says(list, 500, "undefined error"), ok(old), ok(list)},
		"slow-start": {
			{operation: list, status: 503, says: "<h1>503 Service"},
			{operation: bind, status: 503, says: "<h1>503 Service"},
			{wait: time.Minute},
			{operation: list, status: 503, says: "<h1>503 Service"},
			{wait: time.Minute},
			ok(list), ok(bind),
		},
		"brown-out":              {{operation: list, says: "brown-out", here: true}, {operation: old, says: "brown-out", here: true}},
		"slow-list-command-line": {{operation: list, status: 200, says: `"success"`, delay: 29_000}, ok(old)},
		"every-parameter-error-in-turn": inTurn(repeated(400, 12),
			"param should not be empty: channelId", "param length is incorrect: channelId", "param type error", "param is not digit: channelId",
			"param is not number: channelId", "param is not color", "param is not boolean (Y / N)",
			"param exceeds maximum value of integer: channelId", "param validate error", "number range error",
			"invalid date time format", "json format error"),
		"every-channel-error-in-turn": inTurn(append([]int{400}, repeated(500, 7)...),
			"illegal channel id", "channel in live", "channel in no live", "channel forbid login", "channel already login",
			"illegal stream status", "please user pure video scene channel login", "undefined error"),
		"every-account-error-in-turn": append([]turn{
			says(list, 400, "appId is required."), says(list, 400, "application not found."), says(list, 400, "invalid timestamp."),
			says(list, 400, "invalid signature."), says(list, 400, "qps exceeds number of calls"),
			{operation: list, status: 403, says: "Forbidden"},
		}, inTurn(repeated(500, 7), "access forbidden", "need to login", "redirect", "illegal operation", "illegal domain",
			"conflict with user login", "channel id or password error")...),
		"slow-list":         {{operation: list, status: 200, says: `"success"`, delay: 19_000}, {operation: list, status: 200, says: `"success"`, delay: 19_000}, ok(old)},
		"slow-list-timeout": {{operation: list, status: 200, says: `"success"`, delay: 21_000}, {operation: list, status: 200, says: `"success"`, delay: 21_000}, ok(old)},
		"slow-once-timeout": {{operation: list, status: 200, says: `"success"`, delay: 31_000}, ok(list), ok(bind)},
		"binding-timeout":   {{operation: bind, status: 200, says: `"data":true`, delay: 31_000}, ok(bind)},
		"bad-gateway":       {{operation: list, status: 502, says: "<h1>502 Bad Gateway</h1>"}, ok(list), ok(bind)},
		"connection-reset":  {{operation: list, status: 200, fault: "reset"}, ok(list)},
		"truncated-list":    {{operation: list, status: 200, fault: "truncate"}, ok(list)},
		"span-refused":      {says(list, 400, "startDate can not great endDater"), says(list, 400, "startDate can not great endDater"), ok(old)},
		"date-format-refused": {
			says(list, 400, "invalid date time format"), says(list, 400, "invalid date time format"), ok(old),
		},
		"stats-not-ready": {
			says(stats, 400, "channel session stats can not be found"), says(stats, 400, "channel session stats can not be found"), ok(stats),
		},
		"custom-id-missing": {
			ok(bind),
			{operation: list, status: 200, says: over},
			{operation: list, in: at("1"), status: 200, says: `"limit":1,"nextPageNumber":1,"startRow":1,"firstPage":true,"lastPage":true,"prePageNumber":1,"endRow":1,"totalPages":1,"offset":0`},
			{operation: external, status: 200, says: `"data":{"channelId":2272655,"sessionId":"g9lv2ghv2x"},"success":true`},
		},
	}
	demands := conformance.Demands{
		Failures: []string{list},
		Patience: map[string][]time.Duration{list: {20 * time.Second, 30 * time.Second}, bind: {30 * time.Second}},
	}
	conformance.Shipped(t, polyv.API, plays, demands, func(t *testing.T, w *conformance.World, turns []turn) {
		untouched := func(when string) {
			t.Helper()
			for _, each := range append(turns, ok(list)) {
				if each.operation == "" || each.here {
					continue
				}
				if e := w.Corridor(t, newRequest(t, w, each.operation, each.said())); e.Status != 200 || e.Wire != nil {
					t.Errorf("%s: %s ends in %s with %d", when, each.operation, e.Outcome, e.Status)
				}
			}
		}
		untouched("before")
		w.Activate(t, path.Base(t.Name()))
		last := ""
		for i, want := range turns {
			last = want.play(t, w, i+1, last)
		}
		w.Sandbox.Player.Off("polyv/" + path.Base(t.Name()))
		untouched("after")
	})
}

// play takes the turn, and returns the last session that a list returned. before is
// that of the turn before.
func (t turn) play(test *testing.T, w *conformance.World, n int, before string) (last string) {
	test.Helper()
	switch {
	case t.pull != "":
		if err := w.Trigger(test, t.pull, t.in); err != nil {
			test.Fatal(err)
		}
		return ""
	case t.wait > 0:
		if err := w.Sandbox.Clock.Advance(t.wait); err != nil {
			test.Fatal(err)
		}
		return ""
	case t.says == "brown-out":
		conformance.BrownOut(test, func() *journal.Entry { return w.Corridor(test, newRequest(test, w, t.operation, t.said())) })
		return ""
	}
	e := w.Corridor(test, newRequest(test, w, t.operation, t.said()))
	says := t.says
	if says == "the last of the page before" {
		says = `"contents":[{"sessionId":"` + before + `"`
	}
	var delay int64
	var fault string
	if e.Wire != nil {
		delay, fault = e.Wire.DelayMS, e.Wire.Fault
	}
	if e.Status != t.status || !strings.Contains(string(e.Response.Body), says) || delay != t.delay || fault != t.fault {
		test.Errorf("call %d, %s: got %d after %d ms, fault %q: %s\nwant %d after %d ms, fault %q: %s",
			n, t.operation, e.Status, delay, fault, e.Response.Body, t.status, t.delay, t.fault, says)
	}
	if at := strings.LastIndex(string(e.Response.Body), `"sessionId":"`); at >= 0 {
		last, _, _ = strings.Cut(string(e.Response.Body)[at+len(`"sessionId":"`):], `"`)
	}
	return last
}

func (t turn) said() contract.Values {
	if t.in != nil {
		return t.in
	}
	return contract.Sample(polyv.API.Operation(t.operation).Params)
}
