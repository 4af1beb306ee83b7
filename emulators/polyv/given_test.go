package polyv_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
)

// TestGivenDocument walks the page of the session list (session_list), from which
// this API was begun. Its statements hold with every switch at its default.
func TestGivenDocument(t *testing.T) {
	the := [2]string{"channelId", "2272655"}
	live := [2]string{"channelId", "2272656"}
	// ask sends a signed request on the day of the page, and compares the status and
	// what the answer holds.
	ask := func(status int, says string, pairs ...[2]string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if got := get(onPageDay(t), listPath, signed(pairs...)); got.Code != status || !strings.Contains(got.Body.String(), says) {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, status, says)
			}
		}
	}
	// raw sends a query as it is.
	raw := func(status int, says, query string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if got := get(onPageDay(t), listPath, query); got.Code != status || !strings.Contains(got.Body.String(), says) {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, status, says)
			}
		}
	}
	without := func(name string) string {
		return regexp.MustCompile(`(^|&)`+name+`=[^&]*`).ReplaceAllString(signed(the), "")
	}
	// types compares the JSON types of members, of the first page or of its rows.
	types := func(rows bool, want string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			var reply struct{ Data map[string]any }
			if err := json.Unmarshal(get(onPageDay(t), listPath, signed(the)).Body.Bytes(), &reply); err != nil {
				t.Fatal(err)
			}
			in := reply.Data
			if rows {
				in = in["contents"].([]any)[0].(map[string]any)
			}
			for member := range strings.FieldsSeq(want) {
				name, kind, _ := strings.Cut(member, ":")
				if got := strings.ReplaceAll(fmt.Sprintf("%T", in[name]), " ", ""); got != kind {
					t.Errorf("%s is a %s, want %s", name, got, kind)
				}
			}
		}
	}
	stamped := func(age time.Duration) string {
		stamp := strconv.FormatInt(pageDay.Add(-age).UnixMilli(), 10)
		return "channelId=2272655&appId=frlr1zazn3&timestamp=" + stamp + "&sign=" + md5Sign("appIdfrlr1zazn3channelId2272655timestamp"+stamp)
	}

	conformance.Document(t, []conformance.Statement{
		{Says: "/live/v3/channel/session/data/list, GET", Holds: func(t *testing.T) {
			op := polyv.API.Operation("ListSessionData")
			if op.Method != "GET" || op.Path != listPath || polyv.API.HostNames()[0] != "api.polyv.net" {
				t.Errorf("got %s %s at %v", op.Method, op.Path, polyv.API.Hosts)
			}
		}},
		{Says: "接口支持https协议, HTTP too", Chosen: "the port speaks HTTP alone; no page says that an answer depends on the scheme", Holds: ask(200, `"totalItems":4`, the)},
		{Says: "接口调用有频率限制", Chosen: "no limit by default, since no page has a number; the switch qps sets one", Holds: func(t *testing.T) {
			w := onPageDay(t)
			for range 50 {
				if got := get(w, listPath, signed(the)); got.Code != 200 {
					t.Fatalf("got %d %s", got.Code, got.Body)
				}
			}
		}},
		{Says: "时间跨度不能超过60天", Chosen: "the page does not say what is answered then: 400 param validate error, from the list of global errors", Holds: func(t *testing.T) {
			ask(200, `"totalItems":3`, the, [2]string{"startDate", "2022-03-01"}, [2]string{"endDate", "2022-04-30"})(t)
			ask(400, `{"code":400,"status":"error","message":"param validate error","data":""}`, the, [2]string{"startDate", "2022-03-01"}, [2]string{"endDate", "2022-05-01"})(t)
		}},
		{Says: "不传默认查询最近60天", Holds: func(t *testing.T) { // the fifth session is older
			ask(200, `"totalItems":4`, the)(t)
			ask(200, `"sessionId":"g7ghyk1kiv"`, the, [2]string{"startDate", "2022-02-01"}, [2]string{"endDate", "2022-03-15"})(t)
		}},
		{Says: "直播中的场次也会返回, endTime为null", Holds: ask(200, `"startTime":1652411000000,"endTime":null`, live)},

		{Says: "appId true String", Holds: raw(400, `"message":"appId is required.","data":""`, without("appId"))},
		{Says: "timestamp true Long, 13位毫秒级", Holds: func(t *testing.T) {
			raw(400, "invalid timestamp.", without("timestamp"))(t)
			raw(400, "invalid timestamp.", strings.Replace(signed(the), "1652411923329", "1652411923", 1))(t)
		}},
		{Says: "3分钟内有效", Chosen: "in both directions, and 180 seconds are still right", Holds: func(t *testing.T) {
			for age, status := range map[time.Duration]int{0: 200, 3 * time.Minute: 200, -3 * time.Minute: 200, 3*time.Minute + time.Millisecond: 400, -3*time.Minute - time.Millisecond: 400} {
				raw(status, "", stamped(age))(t)
			}
		}},
		{Says: "sign true String, 32位大写的MD5值", Holds: func(t *testing.T) {
			raw(200, `"status":"success"`, signed(the))(t)
			raw(400, "invalid signature.", without("sign"))(t)
			before, sign, _ := strings.Cut(signed(the), "sign=")
			raw(400, "invalid signature.", before+"sign="+strings.ToLower(sign))(t)
		}},
		{Says: "channelId true String", Chosen: "digits, since all samples are numbers", Holds: func(t *testing.T) {
			ask(400, "param should not be empty: channelId")(t)
			ask(400, "param is not digit: channelId", [2]string{"channelId", "abc"})(t)
		}},
		{Says: "startDate false, yyyy-MM-dd HH:mm:ss", Holds: func(t *testing.T) {
			ask(200, `"totalItems":1`, the, [2]string{"startDate", "2022-05-09 10:16:14"})(t)
			ask(200, `"totalItems":0`, the, [2]string{"startDate", "2022-05-09 10:16:15"})(t)
			ask(400, "invalid date time format", the, [2]string{"startDate", "2022-05-09T10:16:14"})(t)
		}},
		{Says: "如果时间为00:00:00也支持格式:yyyy-MM-dd", Holds: func(t *testing.T) { // so the end 2022-04-29 leaves the afternoon of that day out
			ask(200, `"totalItems":1`, the, [2]string{"startDate", "2022-04-01"}, [2]string{"endDate", "2022-04-29"})(t)
		}},
		{Says: "endDate false, yyyy-MM-dd HH:mm:ss", Holds: ask(200, `"totalItems":2`, the, [2]string{"startDate", "2022-04-01"}, [2]string{"endDate", "2022-04-29 23:59:59"})},
		{Says: "page false 页数,默认为1", Holds: ask(200, `"pageNumber":1,`, the)},
		{Says: "pageSize false 默认20", Holds: ask(200, `"pageSize":20,`, the)},
		{
			Says: "示例 sign=70DF5378E04B103CCCEA048260C75EDD", Chosen: "it is refused: the secret of the sample is not published, and with the published one the sign is another",
			Holds: raw(400, "invalid signature.", "appId=frlr1zazn3&sign=70DF5378E04B103CCCEA048260C75EDD&pageSize=10&page=1&channelId=2272655&timestamp=1652411923329"),
		},

		{Says: "code Integer, 200为成功返回,非200为失败", Holds: ask(200, `{"code":200,"status":"success","message":"",`, the)},
		{Says: "message: 当code为400或者500的时候,辅助描述错误原因", Holds: ask(400, `"code":400,"status":"error","message":"param should not be empty: channelId"`)},
		{Says: "data Object: 请求失败时为空", Chosen: "the empty string, as in the page's own sample of an error", Holds: ask(400, `,"data":""}`)},
		{Says: "pageSize pageNumber totalItems startRow totalPages endRow offset Integer", Holds: types(false, "pageSize:float64 pageNumber:float64 totalItems:float64 startRow:float64 totalPages:float64 endRow:float64 offset:float64 prePageNumber:float64 nextPageNumber:float64")},
		{Says: "contents Array; firstPage, lastPage Boolean", Holds: types(false, "contents:[]interface{} firstPage:bool lastPage:bool")},
		{Says: "limit: 每页数量大小", Chosen: "the number of rows on the page: the sample has limit 4 beside pageSize 10", Holds: ask(200, `"limit":4,"nextPageNumber":1,`, the, [2]string{"pageSize", "10"})},
		{Says: "startRow, endRow, offset, prePageNumber, nextPageNumber of page 2", Holds: ask(200, `"limit":2,"nextPageNumber":2,"startRow":3,"firstPage":false,"lastPage":true,"prePageNumber":1,"endRow":4,"totalPages":2,"offset":2}`, the, [2]string{"page", "2"}, [2]string{"pageSize", "2"})},
		{Says: "Contents: channelId String", Chosen: "a number, as in the page's own sample", Holds: types(true, "channelId:float64")},
		{Says: "Contents: sessionId, userId String; startTime, endTime Long", Holds: types(true, "sessionId:string userId:string startTime:float64 endTime:float64")},
		{Says: "成功示例: customId null", Chosen: "sent, although no table has it, since the sample does", Holds: ask(200, `"customId":null`, the)},
		{Says: "Java: page and pageSize are texts of digits", Holds: ask(200, `"pageSize":10,"pageNumber":1,`, the, [2]string{"startDate", "2022-04-01"}, [2]string{"endDate", "2022-05-13"}, [2]string{"page", "1"}, [2]string{"pageSize", "10"})},
		{Says: "成功示例", Holds: func(t *testing.T) {
			for _, fixture := range []string{"default", "documented"} {
				w := conformance.New(t, polyv.API, conformance.Setting{Fixture: fixture, Clock: pageDay})
				if got := get(w, listPath, signed(the, [2]string{"page", "1"}, [2]string{"pageSize", "10"})).Body.String(); got != seedAnswer {
					t.Errorf("%s: got %s", fixture, got)
				}
			}
		}},
		{Says: `异常示例 "code": 400, "message": "invalid signature."`, Chosen: "400, and HTTP 400, as the page has it; on other calls the service was seen to answer 403: the switch signature_code", Holds: func(t *testing.T) {
			w := onPageDay(t)
			got := get(w, listPath, strings.Replace(signed(the), "sign=", "sign=0", 1))
			if got.Code != 400 || got.Body.String() != `{"code":400,"status":"error","message":"invalid signature.","data":""}` {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
			if other := get(w, "/live/v3/user/channels", "appId=frlr1zazn3&timestamp=1652411923329&sign=0"); other.Code != 403 || !strings.Contains(other.Body.String(), `"code":403`) {
				t.Errorf("ListChannels: got %d %s", other.Code, other.Body)
			}
		}},
	})
}
