package polyv_test

import (
	"path"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A turn is one call of a client while a scenario plays, and what it sees.
type turn struct {
	operation string
	in        contract.Values // nil: what the page shows
	status    int
	says      string // what stands in the body
	delay     int64  // milliseconds
	fault     string
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
	const live, over = `"startTime":1652062574000,"endTime":null,"customId":null`, `"startTime":1652062574000,"endTime":1652062643000,"customId":null`
	plays := map[string][]turn{
		"invalid-signature": {
			says(list, 403, "invalid signature."), says(bind, 403, "invalid signature."), says(list, 403, "invalid signature."),
			{operation: external, status: 403, says: `"error":{"code":10001,"desc":"invalid signature."},"success":false}`},
		},
		"invalid-signature-twice": {says(list, 403, "invalid signature."), says(old, 403, "invalid signature."), ok(list), ok(old)},
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
		"channel-deleted-between-pages": {{list, at("1"), 200, `"pageNumber":1`, 0, ""}, {list, at("2"), 400, `"illegal channel id"`, 0, ""}, {list, at("1"), 400, `"illegal channel id"`, 0, ""}},
		"empty-page": {
			{list, contract.Values{"channelId": "2272655"}, 200, `"data":{"pageSize":20,"pageNumber":1,"totalItems":0,"contents":[],"limit":0,"nextPageNumber":1,"startRow":1,"firstPage":true,"lastPage":false,"prePageNumber":1,"endRow":0,"totalPages":0,"offset":0}`, 0, ""},
			{list, at("1"), 200, `"totalItems":0,"contents":[]`, 0, ""},
			{old, nil, 200, `"totalItems":16`, 0, ""},
		},
		"server-error": {
			{operation: list, status: 500, says: `{"code":500,"status":"fail","message":"undefined error","data":""}`},
			{operation: list, status: 500, says: `"status":"fail"`},
			ok(old),
		},
		"server-error-twice":   {says(list, 500, "undefined error"), ok(bind), says(list, 500, "undefined error"), ok(list)},
		"access-forbidden":     {{operation: list, status: 500, says: `{"code":500,"status":"fail","message":"access forbidden","data":""}`}, says(bind, 500, "access forbidden")},
		"always-one-more-page": {{list, at("1"), 200, `"lastPage":false`, 0, ""}, {list, at("77"), 200, `"limit":1,"nextPageNumber":1000000`, 0, ""}, {list, at("999999"), 200, over, 0, ""}},
		"live-ends-between-pages": {
			{list, at("1"), 200, live, 0, ""},
			{list, at("2"), 200, `"lastPage":true`, 0, ""},
			{list, at("1"), 200, over, 0, ""},
			{list, at("1"), 200, over, 0, ""},
		},
		"slow-list":         {{list, nil, 200, `"success"`, 19_000, ""}, {list, nil, 200, `"success"`, 19_000, ""}, ok(old)},
		"slow-list-timeout": {{list, nil, 200, `"success"`, 21_000, ""}, {list, nil, 200, `"success"`, 21_000, ""}, ok(old)},
		"slow-once-timeout": {{list, nil, 200, `"success"`, 31_000, ""}, ok(list), ok(bind)},
		"binding-timeout":   {{bind, nil, 200, `"data":true`, 31_000, ""}, ok(bind)},
		"bad-gateway":       {{list, nil, 502, "<h1>502 Bad Gateway</h1>", 0, ""}, ok(list), ok(bind)},
		"connection-reset":  {{list, nil, 200, "", 0, "reset"}, ok(list)},
		"truncated-list":    {{list, nil, 200, "", 0, "truncate"}, ok(list)},
		"span-refused":      {says(list, 400, "startDate can not great endDater"), says(list, 400, "startDate can not great endDater"), ok(old)},
		"date-format-refused": {
			says(list, 400, "invalid date time format"), says(list, 400, "invalid date time format"), ok(old),
		},
		"stats-not-ready": {
			says(stats, 400, "channel session stats can not be found"), says(stats, 400, "channel session stats can not be found"), ok(stats),
		},
		"custom-id-missing": {
			ok(bind),
			{list, nil, 200, over, 0, ""},
			{operation: external, status: 200, says: `"data":{"channelId":2272655,"sessionId":"g9lv2ghv2x"},"success":true`},
		},
	}
	conformance.Shipped(t, polyv.API, plays, conformance.Demands{}, func(t *testing.T, w *conformance.World, turns []turn) {
		for _, each := range turns {
			if e := w.Corridor(t, asked(t, w, each.operation, each.said())); e.Status != 200 || e.Wire != nil {
				t.Fatalf("before: %s ends in %s with %d", each.operation, e.Outcome, e.Status)
			}
		}
		w.Activate(t, path.Base(t.Name()))
		for i, want := range turns {
			e := w.Corridor(t, asked(t, w, want.operation, want.said()))
			var delay int64
			var fault string
			if e.Wire != nil {
				delay, fault = e.Wire.DelayMS, e.Wire.Fault
			}
			if e.Status != want.status || !strings.Contains(string(e.Response.Body), want.says) || delay != want.delay || fault != want.fault {
				t.Errorf("call %d, %s: got %d after %d ms, fault %q: %s\nwant %d after %d ms, fault %q: %s",
					i+1, want.operation, e.Status, delay, fault, e.Response.Body, want.status, want.delay, want.fault, want.says)
			}
		}
		w.Sandbox.Player.Off("polyv/" + path.Base(t.Name()))
		for _, each := range turns {
			if e := w.Corridor(t, asked(t, w, each.operation, each.said())); e.Status != 200 || e.Wire != nil {
				t.Errorf("after: %s ends in %s with %d", each.operation, e.Outcome, e.Status)
			}
		}
	})
}

func (t turn) said() contract.Values {
	if t.in != nil {
		return t.in
	}
	return contract.Sample(polyv.API.Operation(t.operation).Params)
}
