package polyv_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

const docSecret = "fsq2k5weced1h8vui657xtdva66whf0g"

// signed adds appId, timestamp and the sign to a query, which it takes as the
// client means it: decoded pairs. It knows nothing of the emulator.
func signed(pairs ...[2]string) string {
	pairs = append(pairs, [2]string{"appId", "frlr1zazn3"}, [2]string{"timestamp", strconv.FormatInt(pageDay.UnixMilli(), 10)})
	sorted := slices.Clone(pairs)
	slices.SortStableFunc(sorted, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	text, query := docSecret, ""
	for i, p := range sorted {
		if p[1] != "" && (i == 0 || sorted[i-1][0] != p[0]) {
			text += p[0] + p[1]
		}
	}
	for _, p := range pairs {
		query += url.QueryEscape(p[0]) + "=" + url.QueryEscape(p[1]) + "&"
	}
	return query + "sign=" + md5Sign(strings.TrimPrefix(text, docSecret))
}

// md5Sign is the sign of names and values that are already one text.
func md5Sign(text string) string {
	sum := md5.Sum([]byte(docSecret + text + docSecret))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func many(n int, more ...[2]string) [][2]string {
	for i := range n {
		more = append(more, [2]string{fmt.Sprintf("p%05d", i), "v"})
	}
	return more
}

func onPageDay(t *testing.T) *conformance.World {
	t.Helper()
	return conformance.New(t, polyv.API, conformance.Setting{Fixture: "documented", Clock: pageDay})
}

// Bad input earns the documented error, in the documented order, and nothing
// panics.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const lists = "/live/v3/channel/session/data/list"
	the := [2]string{"channelId", "2272655"}
	list := func(pairs ...[2]string) string { return signed(append([][2]string{the}, pairs...)...) }
	for name, v := range map[string]struct {
		query  string
		status int
		says   string
	}{
		"the first of a repeated parameter counts": {list([2]string{"pageSize", "2"}, [2]string{"pageSize", "ten"}), 200, `"pageSize":2,`},
		"also where it is empty":                   {list([2]string{"pageSize", ""}, [2]string{"pageSize", "ten"}), 200, `"pageSize":20,`},
		"a repeated channel":                       {signed([2]string{"channelId", ""}, the), 400, "param should not be empty: channelId"},
		"pageSize 0":                               {list([2]string{"pageSize", "0"}), 400, "number range error"},
		"pageSize -1":                              {list([2]string{"pageSize", "-1"}), 400, "param is not digit: pageSize"},
		"pageSize +1":                              {list([2]string{"pageSize", "+1"}), 400, "param is not digit: pageSize"},
		"pageSize 1000":                            {list([2]string{"pageSize", "1000"}), 200, `"pageSize":1000,`},
		"pageSize 1001":                            {list([2]string{"pageSize", "1001"}), 400, "number range error"},
		"pageSize beyond 64 bits":                  {list([2]string{"pageSize", "99999999999999999999"}), 400, "number range error"},
		"pageSize 1.5":                             {list([2]string{"pageSize", "1.5"}), 400, "param is not digit: pageSize"},
		"pageSize in Arabic digits":                {list([2]string{"pageSize", "١"}), 400, "param is not digit: pageSize"},
		"page -1":                                  {list([2]string{"page", "-1"}), 400, "param is not digit: page"},
		"page 2147483647":                          {list([2]string{"page", "2147483647"}), 200, `"pageNumber":2147483647,"totalItems":4,"contents":[]`},
		"page 2147483648":                          {list([2]string{"page", "2147483648"}), 400, "param exceeds maximum value of integer: page"},
		"page beyond 64 bits":                      {list([2]string{"page", "99999999999999999999"}), 400, "param exceeds maximum value of integer: page"},
		"no number before out of range":            {list([2]string{"page", "0"}, [2]string{"pageSize", "ten"}), 400, "param is not digit: pageSize"},
		"the channel before the page":              {signed([2]string{"channelId", "99"}, [2]string{"page", "x"}), 400, "illegal channel id"},
		"another's channel before the dates":       {signed([2]string{"channelId", "99"}, [2]string{"startDate", "x"}), 400, "illegal channel id"},
		"the page before the dates":                {list([2]string{"startDate", "x"}, [2]string{"page", "x"}), 400, "param is not digit: page"},
		"channelId beyond 64 bits":                 {signed([2]string{"channelId", "99999999999999999999"}), 400, "illegal channel id"},
		"channelId with a zero before":             {signed([2]string{"channelId", "02272655"}), 400, "illegal channel id"},
		"30 February":                              {list([2]string{"startDate", "2022-02-30"}), 400, "invalid date time format"},
		"a date with T":                            {list([2]string{"endDate", "2022-04-29T23:59:59"}), 400, "invalid date time format"},
		"a date with milliseconds":                 {list([2]string{"endDate", "2022-04-29 23:59:59.000"}), 400, "invalid date time format"},
		"a date without leading zeros":             {list([2]string{"endDate", "2022-4-29"}), 400, "invalid date time format"},
		"24 o'clock":                               {list([2]string{"endDate", "2022-04-29 24:00:00"}), 400, "invalid date time format"},
		"a time alone":                             {list([2]string{"endDate", "10:00:00"}), 400, "invalid date time format"},
		"start after end":                          {list([2]string{"startDate", "2022-04-02"}, [2]string{"endDate", "2022-04-01"}), 400, "param validate error"},
		"start at end":                             {list([2]string{"startDate", "2022-04-01"}, [2]string{"endDate", "2022-04-01"}), 200, `"totalItems":0`},
		"61 days":                                  {list([2]string{"startDate", "2022-03-01"}, [2]string{"endDate", "2022-05-01"}), 400, "param validate error"},
		"60 days and a second":                     {list([2]string{"startDate", "2022-03-01"}, [2]string{"endDate", "2022-04-30 00:00:01"}), 400, "param validate error"},
		"nine thousand years":                      {list([2]string{"startDate", "0001-01-01"}, [2]string{"endDate", "9999-12-31"}), 400, "param validate error"},
		"1,000 parameters":                         {signed(many(1000, the)...), 200, `"totalItems":4`},
		"an encoding that is broken":               {list() + "&keyword=100%", 400, "invalid signature."},
		"a broken pair is signed as it stands":     {strings.Replace(list([2]string{"x", "100%"}), "100%25", "100%", 1), 200, `"totalItems":4`},
		"bytes that are no UTF-8":                  {list([2]string{"x", "\xff\xfe"}), 200, `"totalItems":4`},
		"a name alone":                             {strings.Replace(list([2]string{"x", ""}), "x=&", "x&", 1), 200, `"totalItems":4`},
		"separators alone":                         {"&&" + list() + "&&", 200, `"totalItems":4`},
		"nothing at all":                           {"", 400, "appId is required."},
		"an unknown method of signing":             {list([2]string{"signatureMethod", "SHA1"}), 400, "invalid signature."},
		"MD5 by name":                              {list([2]string{"signatureMethod", "MD5"}), 200, `"totalItems":4`},
		"no sign":                                  {strings.Split(list(), "sign=")[0], 400, "invalid signature."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onPageDay(t)
			before, err := w.Instance(t).Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			got := get(w, lists, v.query)
			if got.Code != v.status || !strings.Contains(got.Body.String(), v.says) {
				t.Errorf("got %d %.300s, want %d %s", got.Code, got.Body, v.status, v.says)
			}
			if v.status != 200 {
				e := w.Last(t).Explanation
				if e == nil || e.Cause == "" || e.Text == "" || strings.Contains(e.Text, "{param}") {
					t.Errorf("explained as %+v", e)
				}
				if want := fmt.Sprintf(`"code":%d,"status":"error"`, v.status); !strings.Contains(got.Body.String(), want) || !strings.HasSuffix(got.Body.String(), `"data":""}`) {
					t.Errorf("got %s, want %s and empty data", got.Body, want)
				}
			}
			if after, _ := w.Instance(t).Snapshot(); string(after) != string(before) {
				t.Error("the state is another one")
			}
		})
	}
}

// What stands on the way before the parameters: path, method, body, form.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	const bind = "/live/v3/channel/session/relevance"
	post := func(path, query, kind, body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, path+"?"+query, strings.NewReader(body))
		r.Host = "api.polyv.net"
		r.Header.Set("Content-Type", kind)
		return r
	}
	const form, jsonKind = "application/x-www-form-urlencoded;charset=utf-8", "application/json"
	the, id := [2]string{"channelId", "2272655"}, [2]string{"externalSessionId", "lesson-1"}
	for name, v := range map[string]struct {
		r      *http.Request
		status int
		says   string
	}{
		"a form":                           {post(bind, "", form, signed(the, id)), 200, `"data":true`},
		"the query, and null for a body":   {post(bind, signed(the, id), jsonKind, "null"), 200, `"data":true`},
		"half in the query":                {post(bind, "externalSessionId=lesson-1", form, signed(the, id)), 200, `"data":true`},
		"the query counts before the form": {post(bind, "externalSessionId=", form, signed(the, id)), 403, "invalid signature."},
		"JSON where a form belongs":        {post(bind, signed(), jsonKind, `{"channelId":"2272655","externalSessionId":"lesson-1"}`), 400, "param should not be empty: channelId"},
		"10,000 parameters in a form":      {post(bind, "", form, signed(many(9995, the, id)...)), 200, `"data":true`},
		"more than 10,000":                 {post(bind, "", form, signed(many(10_001, the, id)...)), 400, `"message"`},
		"a form of 11 MB":                  {post(bind, "", form, strings.Repeat("a", 11<<20)), 413, "request entity too large"},
		"an id of 33 characters":           {post(bind, "", form, signed(the, [2]string{"externalSessionId", strings.Repeat("x", 33)})), 400, "param length is incorrect: externalSessionId"},
		"an id of 32 Chinese characters":   {post(bind, "", form, signed(the, [2]string{"externalSessionId", strings.Repeat("课", 32)})), 200, `"data":true`},
		"21 channels":                      {post("/live/v2/channels/live-status", "", form, signed([2]string{"channelIds", strings.Repeat("2272655,", 20) + "2272655"})), 400, "param length is incorrect: channelIds"},
		"a channel that is no number":      {post("/live/v2/channels/live-status", "", form, signed([2]string{"channelIds", "2272655,x"})), 400, "param is not digit: channelIds"},
		"JSON for the account's sessions":  {post("/live/v4/statistics/session-stats/list", signed(), jsonKind, `{"startTime":1652062574000,"endTime":"1652062643000","pageSize":null}`), 200, `"totalItems":1,`},
		"broken JSON there":                {post("/live/v4/statistics/session-stats/list", signed(), jsonKind, `{"startTime":`), 400, `"desc":"json format error"`},
		"a list there":                     {post("/live/v4/statistics/session-stats/list", signed(), jsonKind, `{"startTime":[1]}`), 400, `"desc":"json format error"`},
		"signed by appId and timestamp":    {post("/live/v4/statistics/session-stats/list", signed()+"&pageSize=2", jsonKind, ``), 200, `"pageSize":2`},
		"the wrong method":                 {post(listPath, signed(the), form, ""), 405, `{"code":405,"status":"error","message":"method not allowed","data":""}`},
		"an unknown path":                  {post("/live/v3/nothing", "", form, ""), 404, `{"code":404,"status":"error","message":"not found","data":""}`},
		"an unknown path of version 4":     {post("/live/v4/nothing", "", form, ""), 404, `"error":{"code":10001,"desc":"not found"},"success":false}`},
		"another case":                     {post("/LIVE/v3/channel/session/relevance", "", form, ""), 404, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onPageDay(t)
			if got := w.Send(v.r); got.Code != v.status || !strings.Contains(got.Body.String(), v.says) {
				t.Errorf("got %d %.300s, want %d %s", got.Code, got.Body, v.status, v.says)
			}
		})
	}
	for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodPut} {
		r := httptest.NewRequest(method, listPath+"?"+signed(the), nil)
		if got := onPageDay(t).Send(r); got.Code != 405 {
			t.Errorf("%s: got %d", method, got.Code)
		}
	}
}

// Where the documented message says little, the cause says more.
func TestCauses(t *testing.T) {
	t.Parallel()
	the, id := [2]string{"channelId", "2272655"}, [2]string{"externalSessionId", "x"}
	list := func(query string) *http.Request { return httptest.NewRequest(http.MethodGet, listPath+"?"+query, nil) }
	post := httptest.NewRequest(http.MethodPost, "/live/v3/channel/session/relevance?"+signed(), strings.NewReader(`{"channelId":"2272655"}`))
	post.Header.Set("Content-Type", "application/json")
	late := strings.Replace(signed(the), "1652411923329", "1652411743328", 1)
	for cause, r := range map[string]*http.Request{
		"app_id_missing":           list("sign=x"),
		"unknown_app_id":           list("appId=nobody"),
		"timestamp_malformed":      list("appId=frlr1zazn3&timestamp=now"),
		"timestamp_in_seconds":     list("appId=frlr1zazn3&timestamp=1652411923"),
		"clock_skew":               list(late),
		"sign_missing":             list("appId=frlr1zazn3&timestamp=1652411923329"),
		"signature_method_unknown": list(signed(the, [2]string{"signatureMethod", "SHA-1"})),
		"parameter_missing":        list(signed()),
		"parameter_no_number":      list(signed([2]string{"channelId", "x"})),
		"unknown_channel":          list(signed([2]string{"channelId", "99"})),
		"parameter_beyond_integer": list(signed(the, [2]string{"page", "2147483648"})),
		"parameter_out_of_range":   list(signed(the, [2]string{"page", "0"})),
		"date_malformed":           list(signed(the, [2]string{"startDate", "today"})),
		"span_too_long":            list(signed(the, [2]string{"startDate", "2022-01-01"}, [2]string{"endDate", "2022-05-01"})),
		"span_backward":            list(signed(the, [2]string{"startDate", "2022-05-01"}, [2]string{"endDate", "2022-04-01"})),
		"wrong_method":             httptest.NewRequest(http.MethodPut, listPath, nil),
		"unknown_path":             httptest.NewRequest(http.MethodGet, "/live/v9", nil),
		"body_not_read":            post,
		"no_sessions_named":        httptest.NewRequest(http.MethodGet, "/live/v3/channel/statistics/get-session-stats?"+signed(the), nil),
		"unknown_session":          httptest.NewRequest(http.MethodGet, "/live/v4/channel/session/external-by-session?"+signed(the, [2]string{"sessionId", "x"}), nil),
		"parameter_too_long":       httptest.NewRequest(http.MethodPost, "/live/v3/channel/session/relevance?"+signed(the, [2]string{id[0], strings.Repeat("x", 33)}), nil),
		"list_too_long":            httptest.NewRequest(http.MethodGet, "/live/v4/channel/live-status/list?"+signed([2]string{"channelIds", strings.Repeat("1,", 200) + "1"}), nil),
	} {
		w := onPageDay(t)
		w.Send(r)
		if e := w.Last(t).Explanation; e == nil || e.Cause != cause || e.Text == "" || strings.Contains(e.Text, docSecret) {
			t.Errorf("%s: got %+v", cause, e)
		}
	}
}

// The journal shortens what a caller says at length, beside the request
// itself, of which it keeps so much and no more.
func TestLongWindedCallers(t *testing.T) {
	t.Parallel()
	the, id := [2]string{"channelId", "2272655"}, [2]string{"externalSessionId", "x"}
	long := strings.Repeat("x", 1<<20)
	for name, form := range map[string]string{
		"an appId":     "appId=" + long,
		"a name":       signed(the, id, [2]string{long, "1"}),
		"a channel":    signed([2]string{"channelId", strings.Repeat("9", 1<<20)}, id),
		"a timestamp":  "appId=frlr1zazn3&timestamp=" + long,
		"a method":     signed(the, id, [2]string{"signatureMethod", long}),
		"another sign": signed(the, id) + long,
	} {
		r := httptest.NewRequest(http.MethodPost, "/live/v3/channel/session/relevance", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := onPageDay(t)
		w.Send(r)
		e := w.Last(t)
		text, err := json.Marshal(struct{ Notes, Explanation any }{e.Notes, e.Explanation})
		if err != nil {
			t.Fatal(err)
		}
		const most = 5 * 64 << 10 // an explained sign shows two texts of 64 KiB
		if len(text) > most {
			t.Errorf("%s: the journal has %d bytes", name, len(text))
		}
	}
}

const anySign = "0123456789ABCDEF0123456789ABCDEF"

// A timestamp may be three minutes away, before and behind.
func TestTimestampWindow(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]int{
		-3*time.Minute - time.Millisecond: 400, -3 * time.Minute: 200, 3 * time.Minute: 200, 3*time.Minute + time.Millisecond: 400,
	} {
		w := conformance.New(t, polyv.API, conformance.Setting{Fixture: "documented", Clock: pageDay.Add(-skew)})
		if got := get(w, listPath, signed([2]string{"channelId", "2272655"})); got.Code != want {
			t.Errorf("%s away: got %d %s, want %d", skew, got.Code, got.Body, want)
		}
	}
}

// How much of the proof is looked at.
func TestAuth(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		query                  string
		verify, presence, open int
	}{
		{signed([2]string{"channelId", "2272655"}), 200, 200, 200},
		{"channelId=2272655", 400, 400, 200},
		{"channelId=2272655&appId=nobody", 400, 400, 200},
		{"channelId=2272655&appId=nobody&timestamp=1", 400, 400, 200},
		{"channelId=2272655&appId=nobody&timestamp=1000000000000", 400, 400, 200},
		{"channelId=2272655&appId=nobody&timestamp=1000000000000&sign=x", 400, 400, 200},
		{"channelId=2272655&appId=nobody&timestamp=1000000000000&sign=" + anySign, 400, 200, 200},
		{"channelId=2272655&appId=frlr1zazn3&timestamp=1000000000000&sign=" + anySign, 400, 200, 200},
		{"channelId=2272655&appId=nobody&timestamp=1000000000000&signatureMethod=SHA256&sign=" + anySign, 400, 400, 200},
		{"channelId=2272655&appId=nobody&timestamp=1000000000000&signatureMethod=SHA256&sign=" + anySign + anySign, 400, 200, 200},
		{"channelId=1&appId=nobody&timestamp=1000000000000&sign=" + anySign, 400, 400, 400},
	} {
		for auth, want := range map[contract.Auth]int{contract.Verify: v.verify, contract.Presence: v.presence, contract.Off: v.open} {
			w := conformance.New(t, polyv.API, conformance.Setting{Fixture: "documented", Clock: pageDay, Auth: auth})
			if got := get(w, listPath, v.query); got.Code != want {
				t.Errorf("%s, %s: got %d %s, want %d", auth, v.query, got.Code, got.Body, want)
			}
		}
	}
}
