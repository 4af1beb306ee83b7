package polyv_test

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A client sends signed calls to a world.
type client struct {
	t *testing.T
	w *conformance.World
}

func newClient(t *testing.T, s conformance.Setting) *client {
	t.Helper()
	return &client{t, conformance.New(t, polyv.API, s)}
}

// call returns the status and the body.
func (c *client) call(operation string, in contract.Values) (int, string) {
	c.t.Helper()
	got := c.w.Send(c.w.Request(c.t, polyv.API.Operation(operation), in))
	return got.Code, got.Body.String()
}

// expect calls, and looks for what is said in the body.
func (c *client) expect(operation string, in contract.Values, says string) string {
	c.t.Helper()
	_, body := c.call(operation, in)
	if !strings.Contains(body, says) {
		c.t.Errorf("%s %v: got %s, want %s", operation, in, body, says)
	}
	return body
}

func (c *client) pull(name string, in contract.Values) {
	c.t.Helper()
	if err := c.w.Trigger(c.t, name, in); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) later(d time.Duration) {
	c.t.Helper()
	if err := c.w.Sandbox.Clock.Advance(d); err != nil {
		c.t.Fatal(err)
	}
}

// A row is a session as the list shows it.
type row struct {
	SessionID string
	ChannelID json.Number
	UserID    string
	StartTime int64
	EndTime   *int64
	CustomID  *string
}

func (c *client) rows(operation string, in contract.Values) (rows []row, total int64) {
	c.t.Helper()
	_, body := c.call(operation, in)
	var reply struct {
		Code int
		Data struct {
			TotalItems int64
			Contents   []row
		}
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil || reply.Code != 200 {
		c.t.Fatalf("%s: got %s, %v", operation, body, err)
	}
	return reply.Data.Contents, reply.Data.TotalItems
}

func channel(id string, more ...string) contract.Values {
	in := contract.Values{"channelId": id}
	for i := 0; i+1 < len(more); i += 2 {
		in[more[i]] = more[i+1]
	}
	return in
}

// The external id of a customer comes back with the sessions that start after
// it was bound, and leads to them: the loop is closed.
func TestExternalIDs(t *testing.T) {
	t.Parallel()
	c := newClient(t, conformance.Setting{})
	empty := channel("2272657")
	c.expect("ListSessionsByExternal", channel("2272657", "externalSessionId", "lesson-1"), `"data":{"list":[]}`)
	c.expect("StartLive", channel("2272657", "userId", "1b448be323"), `"data":"success"`)
	c.expect("BindExternalSession", channel("2272657", "externalSessionId", "lesson-1"), `"data":true`)
	rows, _ := c.rows("ListSessionData", empty)
	if len(rows) != 1 || rows[0].CustomID != nil || rows[0].EndTime != nil {
		t.Fatalf("what was live before has %+v", rows)
	}
	before := rows[0].SessionID
	c.expect("GetExternalBySession", channel("2272657", "sessionId", before), `"data":{"channelId":2272657,"sessionId":"`+before+`"},"success":true`)
	c.later(time.Minute)
	c.expect("EndLive", channel("2272657", "userId", "1b448be323"), `"data":"success"`)
	for range 2 {
		c.later(time.Minute)
		c.pull("stream.started", channel("2272657"))
		c.later(time.Minute)
		c.pull("stream.ended", channel("2272657"))
	}
	rows, total := c.rows("ListSessionData", empty)
	if total != 3 || len(rows) != 3 {
		t.Fatalf("got %d of %d sessions", len(rows), total)
	}
	for i, r := range rows[:2] {
		if r.CustomID == nil || *r.CustomID != "lesson-1" || r.EndTime == nil || *r.EndTime-r.StartTime != 60_000 {
			t.Errorf("session %d is %+v", i, r)
		}
	}
	c.expect("ListSessionsByExternal", channel("2272657", "externalSessionId", "lesson-1"),
		fmt.Sprintf(`"data":{"list":[%q,%q]}`, rows[1].SessionID, rows[0].SessionID))
	c.expect("GetExternalBySession", channel("2272657", "sessionId", rows[0].SessionID),
		`"data":{"channelId":2272657,"sessionId":"`+rows[0].SessionID+`","externalSessionId":"lesson-1"},"success":true}`)
	c.expect("GetExternalBySession", channel("2272655", "sessionId", rows[0].SessionID), `"error":{"code":10001,"desc":"session not found"}`)
	c.pull("expire", contract.Values{"what": "binding", "id": "2272657"})
	c.pull("stream.started", channel("2272657"))
	if rows, _ = c.rows("ListSessionData", empty); rows[0].CustomID != nil {
		t.Errorf("after the binding expired: %+v", rows[0])
	}
	c.pull("expire", contract.Values{"what": "session", "id": rows[1].SessionID})
	c.expect("ListSessionsByExternal", channel("2272657", "externalSessionId", "lesson-1"), fmt.Sprintf(`"data":{"list":[%q]}`, rows[2].SessionID))
	c.pull("expire", contract.Values{"what": "application", "id": "g4rqgmmjuo"})
	if status, body := c.call("ListChannels", nil); status != 200 {
		t.Errorf("the second application: got %d %s", status, body) // the first is now the other one
	}
	for _, in := range []contract.Values{{"what": "session", "id": "x"}, {"what": "binding", "id": "x"}, {"what": "application", "id": "g4rqgmmjuo"}} {
		if c.w.Trigger(t, "expire", in) == nil {
			t.Errorf("expire %v: nothing stood in the way", in)
		}
	}
}

// A stream makes a session, and two status callbacks: GETs whose sign is made
// of secret and timestamp, the first with an empty endTime (C32).
func TestStatusCallback(t *testing.T) {
	t.Parallel()
	c := newClient(t, conformance.Setting{Set: map[string]string{"callback_url": "http://127.0.0.1:9/hook?from=polyv#top"}})
	c.pull("stream.started", channel("2272657"))
	rows, _ := c.rows("ListSessionData", channel("2272657"))
	c.later(90 * time.Second)
	c.pull("stream.ended", channel("2272657"))
	// Calls of the API fire none.
	c.expect("StartLive", channel("2272657", "userId", "1b448be323"), `"data":"success"`)
	c.expect("EndLive", channel("2272657", "userId", "1b448be323"), `"data":"success"`)
	got := c.w.Callbacks()
	if len(got) != 2 {
		t.Fatalf("got %d callbacks: %+v", len(got), got)
	}
	start := conformance.Noon.UnixMilli()
	for i, want := range []string{
		fmt.Sprintf("channelId=2272657&status=live&timestamp=%d&sign=SIGN&sessionId=%s&startTime=%d&endTime=", start, rows[0].SessionID, start),
		fmt.Sprintf("channelId=2272657&status=end&timestamp=%d&sign=SIGN&sessionId=%s&startTime=%d&endTime=%d", start+90_000, rows[0].SessionID, start, start+90_000),
	} {
		u, err := url.Parse(got[i].URL)
		if err != nil || got[i].Method != http.MethodGet || got[i].Body != nil {
			t.Fatalf("got %+v, %v", got[i], err)
		}
		sign := fmt.Sprintf("%x", md5.Sum([]byte(docSecret+u.Query().Get("timestamp"))))
		want = "http://127.0.0.1:9/hook?from=polyv&" + strings.Replace(want, "SIGN", sign, 1) + "#top"
		if got[i].URL != want {
			t.Errorf("got %s\nwant %s", got[i].URL, want)
		}
	}
	for _, wrong := range []struct{ trigger, channel string }{
		{"stream.ended", "2272657"}, {"stream.started", "2272656"}, {"stream.started", "1"}, {"stream.ended", "1"},
	} {
		if err := c.w.Trigger(t, wrong.trigger, channel(wrong.channel)); err == nil {
			t.Errorf("%s of %s: nothing stood in the way", wrong.trigger, wrong.channel)
		}
	}
	if len(c.w.Callbacks()) != 2 {
		t.Errorf("what did not happen was notified")
	}
	c = newClient(t, conformance.Setting{})
	c.pull("stream.started", channel("2272657"))
	if got := c.w.Callbacks(); len(got) != 0 {
		t.Errorf("without an address: %+v", got)
	}
}

// The default world is what its description says: twelve sessions of the last
// fifty days beside the document's four, 45 with one live, none, and a foreign
// channel.
func TestDefaultWorld(t *testing.T) {
	t.Parallel()
	c := newClient(t, conformance.Setting{})
	from := conformance.Noon.Add(-50 * 24 * time.Hour).UnixMilli()
	for id, want := range map[string]int{"2272655": 12, "2272656": 45, "2272657": 0} {
		rows, total := c.rows("ListSessionData", channel(id, "pageSize", "1000"))
		if len(rows) != want || total != int64(want) {
			t.Errorf("%s: got %d of %d sessions, want %d", id, len(rows), total, want)
		}
		live := 0
		for i, r := range rows {
			if r.EndTime == nil {
				live++
				continue
			}
			if string(r.ChannelID) != id || r.UserID != "1b448be323" || r.StartTime < from || r.StartTime%1000 != 0 ||
				*r.EndTime <= r.StartTime || *r.EndTime > conformance.Noon.UnixMilli() || len(r.SessionID) != 10 || i > 0 && r.StartTime > rows[i-1].StartTime {
				t.Errorf("%s: session %d is %+v", id, i, r)
			}
		}
		if want := map[string]int{"2272656": 1}[id]; live != want || live == 1 && rows[0].EndTime != nil {
			t.Errorf("%s: %d are live", id, live)
		}
	}
	if _, total := c.rows("ListSessions", channel("2272655")); total != 16 {
		t.Errorf("the older list has %d sessions, and 16 were expected", total)
	}
	c.expect("ListSessionData", channel("2272657"), `{"code":200,"status":"success","message":"","data":{"pageSize":20,"pageNumber":1,"totalItems":0,"contents":[],"limit":0,"nextPageNumber":1,"startRow":1,"firstPage":true,"lastPage":false,"prePageNumber":1,"endRow":0,"totalPages":0,"offset":0}}`)
	c.expect("ListSessionData", channel("2272658"), `{"code":400,"status":"error","message":"illegal channel id","data":""}`)
	c.expect("ListSessionData", channel("2272655", "startDate", "2022-03-20", "endDate", "2022-05-13"), `"totalItems":4,`)
	c.expect("ListChannels", nil, `"data":{"channels":["1947328","2272655","2272656","2272657","2614940","2624138","2633655"]}`)
	c.expect("ListChannels", contract.Values{"keyword": "empt"}, `{"channels":["2272657"]}`)
	c.expect("ListChannels", contract.Values{"categoryId": "1"}, `{"channels":[]}`)
	c.expect("ListLiveStatus", contract.Values{"channelIds": "2624138,2272656,2272655,2614940,2272656"},
		`"data":[{"channelId":2272655,"liveStatus":"end"},{"channelId":2272656,"liveStatus":"live"},{"channelId":2614940,"liveStatus":"playback"},{"channelId":2624138,"liveStatus":"unStart"}],"success":true}`)
	c.expect("ListStreamStatus", contract.Values{"channelIds": "2272656,2272655"},
		`"data":[{"channelId":"2272655","status":"end","seminarStatus":"seminar_end"},{"channelId":"2272656","status":"live","seminarStatus":"seminar_end"}]}`)

	pinned := newClient(t, conformance.Setting{Clock: pageDay})
	if _, body := pinned.call("ListSessionData", channel("2272655", "page", "1", "pageSize", "10")); body != seedAnswer {
		t.Errorf("on the page's day: got %s", body)
	}
	if _, total := pinned.rows("ListSessionData", channel("2272656")); total != 45 {
		t.Errorf("on the page's day the busy channel has %d sessions", total)
	}
}

// Windows are Beijing's, whatever zone the machine has; one bound draws the
// other; the end may lie in the future.
func TestWindows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ start, end, shows string }{
		{"", "", "ABCD"},
		{"2022-04-01", "", "ABC"},
		{"2022-03-24 20:18:53", "", "ABCD"}, // the very second in which D started
		{"2022-03-24 20:18:54", "", "ABC"},
		{"", "2022-04-29 16:03:21", "BCD"}, // in which B started
		{"", "2022-04-29 16:03:20", "CD"},
		{"2022-02-28 06:13:20", "", "CDE"}, // sixty days from there on
		{"2022-05-01", "2022-06-30 00:00:00", "A"},
		{"2022-06-01", "", "-"},
		{"2022-05-09 10:16:14", "2022-05-09 10:16:14", "A"},
	} {
		c := newClient(t, conformance.Setting{Fixture: "documented", Clock: pageDay})
		_, body := c.call("ListSessionData", channel("2272655", "startDate", tt.start, "endDate", tt.end))
		if got := ids(t, []byte(body)); got != tt.shows {
			t.Errorf("from %q to %q: got %s, want %s", tt.start, tt.end, got, tt.shows)
		}
	}
	c := newClient(t, conformance.Setting{Fixture: "documented", Clock: pageDay})
	_, body := c.call("ListSessions", channel("2272655"))
	if got := ids(t, []byte(body)); got != "ABCDE" || strings.Contains(body, "customId") {
		t.Errorf("the older list: got %s", body)
	}
	_, body = c.call("ListSessions", channel("2272655", "startDate", "2022-01-01", "endDate", "2022-12-31"))
	if got := ids(t, []byte(body)); got != "ABCDE" {
		t.Errorf("a year in the older list: got %s", got)
	}
	// A session leaves the list when it is older than sixty days.
	c.later(11 * 24 * time.Hour)
	_, body = c.call("ListSessionData", channel("2272655"))
	if got := ids(t, []byte(body)); got != "ABC" {
		t.Errorf("eleven days later: got %s", got)
	}
}

// Figures are returned for the sessions that are named, each once, or of a window.
func TestSessionStats(t *testing.T) {
	t.Parallel()
	c := newClient(t, conformance.Setting{Fixture: "documented", Clock: pageDay})
	c.expect("GetSessionStats", channel("2272655", "sessionIds", "nobody"), `"data":{"list":[]}`)
	c.expect("GetSessionStats", channel("2272655", "startTime", "1652062574000", "endTime", "1652062574000"), `"list":[{"channelId":2272655,"sessionId":"g9lv2ghv2x","name":"documented","startTime":1652062574000,"duration":69,`)
	body := c.expect("GetSessionStats", channel("2272655", "sessionIds", "g9lv2ghv2x,g9b3pwv2b7,g9lv2ghv2x,g9qb4rjw8w", "startTime", "1", "endTime", "2"), `"sessionId":"g9b3pwv2b7"`)
	if n := strings.Count(body, "sessionId"); n != 2 || strings.Index(body, "g9b3pwv2b7") > strings.Index(body, "g9lv2ghv2x") {
		t.Errorf("got %s", body)
	}
	c.expect("GetSessionStats", channel("2272656", "sessionIds", "g9qb4rjw8w"), `"duration":923,`) // live until now
	// Thirty days may be asked for, and no more.
	body = c.expect("GetSessionStats", channel("2272655", "startTime", "1649470643000", "endTime", "1652062643000"), `"list":[{"channelId":2272655,"sessionId":"g9b3pwv2b7"`)
	if n := strings.Count(body, "sessionId"); n != 2 {
		t.Errorf("thirty days: got %s", body)
	}
	for _, times := range [][]string{{"startTime", "1649470643000", "endTime", "1652062643001"}, {"startTime", "1652062643000", "endTime", "1652062642999"}} {
		c.expect("GetSessionStats", channel("2272655", times...), `{"code":400,"status":"error","message":"param validate error","data":""}`)
	}
	c.expect("GetSessionStats", channel("2272655", "startTime", "1652062643000"), `"message":"param should not be empty: sessionIds"`)
}

// The sessions of all channels are those that began and ended in the window.
func TestAccountSessions(t *testing.T) {
	t.Parallel()
	c := newClient(t, conformance.Setting{Fixture: "documented", Clock: pageDay})
	c.expect("ListAccountSessions", nil, `"data":{"pageNumber":1,"pageSize":10,"totalPages":0,"totalItems":0,"contents":[]},"success":true}`)
	c.pull("stream.started", channel("2272657"))
	c.later(time.Minute)
	c.pull("stream.ended", channel("2272657"))
	c.pull("stream.started", channel("2272655"))
	c.later(time.Minute)
	c.pull("stream.ended", channel("2272655"))
	c.later(time.Minute)
	body := c.expect("ListAccountSessions", contract.Values{"pageSize": "1"}, `"totalPages":2,"totalItems":2,"contents":[{"channelId":2272655,`)
	if strings.Contains(body, "g9qb4rjw8w") {
		t.Errorf("the live one is among them: %s", body)
	}
	c.expect("ListAccountSessions", contract.Values{"pageSize": "1", "pageNumber": "2"}, `"contents":[{"channelId":2272657,`)
	c.expect("ListAccountSessions", contract.Values{"startTime": "1652062574000", "endTime": "1652062643000"}, `"contents":[{"channelId":2272655,"sessionId":"g9lv2ghv2x","name":"documented","startTime":1652062574000,"endTime":1652062643000,"userId":"1b448be323"}]`)
	c.expect("ListAccountSessions", contract.Values{"startTime": "1652062574000", "endTime": "1652062642000"}, `"contents":[]`)
	c.expect("ListAccountSessions", contract.Values{"startTime": "1652062574000", "endTime": "1652148974000"}, `"totalItems":1,`) // 24 hours
	c.expect("ListAccountSessions", contract.Values{"startTime": "1652062574000", "endTime": "1652148974001"}, `"error":{"code":10001,"desc":"param validate error"}`)
	c.expect("ListAccountSessions", contract.Values{"endTime": "1652062643000"}, `"totalItems":1,`)
}

// Going live by a call makes a session, unless the switch says otherwise; it is
// the account's to do.
func TestLiveCalls(t *testing.T) {
	t.Parallel()
	c := newClient(t, conformance.Setting{Set: map[string]string{"live_sessions": "off"}})
	c.expect("StartLive", channel("2272657", "userId", "1b448be323"), `"data":"success"`)
	c.expect("EndLive", channel("2272657", "userId", "1b448be323"), `"data":"success"`)
	if _, total := c.rows("ListSessionData", channel("2272657")); total != 0 {
		t.Errorf("got %d sessions", total)
	}
	if status, body := c.call("StartLive", channel("2272657", "userId", "somebody")); status != 500 || !strings.Contains(body, `"status":"fail","message":"access forbidden"`) {
		t.Errorf("another account: got %d %s", status, body)
	}
	c.expect("StartLive", channel("abc", "userId", "1b448be323"), `"message":"param type error"`)
	c.expect("StartLive", channel("99", "userId", "1b448be323"), `"message":"illegal channel id"`)
	c = newClient(t, conformance.Setting{})
	for range 2 { // the second changes nothing
		c.expect("StartLive", channel("2272657", "userId", "1b448be323"), `"data":"success"`)
	}
	if _, total := c.rows("ListSessionData", channel("2272657")); total != 1 {
		t.Errorf("got %d sessions", total)
	}
}

// Calls beyond a limit are refused, and pass again in the next window.
func TestLimits(t *testing.T) {
	t.Parallel()
	wall := conformance.Noon
	c := newClient(t, conformance.Setting{Set: map[string]string{"qps": "2"}, Wall: func() time.Time { return wall }})
	for i, want := range []int{200, 200, 400} {
		if status, body := c.call("ListSessionData", channel("2272655")); status != want {
			t.Errorf("call %d: got %d %s", i+1, status, body)
		}
	}
	c.expect("ListSessions", channel("2272655"), `"code":200`) // each operation by itself
	wall = wall.Add(time.Second)
	c.expect("ListSessionData", channel("2272655"), `"code":200`)

	c = newClient(t, conformance.Setting{Set: map[string]string{"address_limit": "on"}, Wall: func() time.Time { return wall }})
	request := newRequest(t, c.w, "ListChannels", nil)
	for range 1500 {
		if e := c.w.Corridor(t, request); e.Status != 200 {
			t.Fatalf("got %d", e.Status)
		}
	}
	if e := c.w.Corridor(t, request); e.Status != 403 || string(e.Response.Body) != "Forbidden" || e.Outcome != "ipBlocked" {
		t.Errorf("call 1501: got %d %s, %s", e.Status, e.Response.Body, e.Outcome)
	}
	// The address is blocked for five minutes, whatever it calls and whatever the
	// sandbox's clock says; calls meanwhile do not prolong that. Others are not.
	began, nowhere, other := wall, *request, *request
	nowhere.URL, nowhere.At, other.Client = &url.URL{Path: "/nowhere"}, nil, "192.0.2.1:50000"
	c.later(time.Hour)
	for _, after := range []time.Duration{time.Second, 10 * time.Second, 5*time.Minute - time.Millisecond} {
		wall = began.Add(after)
		for _, r := range []*contract.Request{request, &nowhere} {
			if e := c.w.Corridor(t, r); e.Outcome != "ipBlocked" || e.Explanation == nil || e.Explanation.Cause != "address_blocked" {
				t.Errorf("%s later, %s: got %s, %+v", after, r.URL.Path, e.Outcome, e.Explanation)
			}
		}
		if e := c.w.Corridor(t, &other); e.Outcome == "ipBlocked" {
			t.Errorf("%s later, another address: got %s", after, e.Outcome)
		}
	}
	wall = began.Add(5 * time.Minute)
	if e := c.w.Corridor(t, request); e.Outcome == "ipBlocked" {
		t.Errorf("five minutes later: got %s", e.Outcome)
	}
}

// A world that is restored blocks nobody.
func TestBlockedAddresses(t *testing.T) {
	t.Parallel()
	wall := conformance.Noon
	c := newClient(t, conformance.Setting{Set: map[string]string{"address_limit": "on"}, Wall: func() time.Time { return wall }})
	request := newRequest(t, c.w, "ListChannels", nil)
	outcome := "success"
	for range 1501 {
		outcome = c.w.Corridor(t, request).Outcome
	}
	if outcome != "ipBlocked" {
		t.Fatalf("got %s", outcome)
	}
	snapshot, err := c.w.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.w.Instance(t).Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	wall = wall.Add(10 * time.Second)
	if outcome = c.w.Corridor(t, request).Outcome; outcome != "success" {
		t.Errorf("in a restored world: got %s", outcome)
	}
}
