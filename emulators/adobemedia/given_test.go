package adobemedia

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// sampleRequest is the sample of the sessions request without its dots, which are
// no JSON.
const sampleRequest = `{
    "playerTime": {"playhead": 0, "ts": 1509045324153},
    "eventType": "sessionStart",
    "params": {
        "media.playerName": "sample-html5-api-player",
        "analytics.trackingServer": "<your-aa-tracking-server>",
        "analytics.reportSuite": "<your-aa-rsid>",
        "analytics.visitorId": "<your-userId>",
        "media.contentType": "VOD",
        "media.length": 60.39333333333333,
        "media.id": "MA API Sample Player",
        "visitor.marketingCloudOrgId": "<your-org-id>",
        "media.name": "ClickMe",
        "media.channel": "sample-channel",
        "media.sdkVersion": "va-api-0.0.0",
        "analytics.enableSSL": false
    },
    "customMetadata": {"myCustomData": "<your metadata>", "myCustomData2": "<your metadata>"},
    "qoeData": {"param1": "<your param-value>", "param2": "<your param-value>"}
}`

// TestGivenDocument walks the page of the sessions request (mc-api-sessions-req, the
// version of 2019), from which this API was begun. Its statements hold with every
// switch at its default.
func TestGivenDocument(t *testing.T) {
	// start sends the sample with one text replaced.
	start := func(t *testing.T, status int, from, to string) *httptest.ResponseRecorder {
		t.Helper()
		body := strings.Replace(sampleRequest, from, to, 1)
		if from != "" && body == sampleRequest {
			t.Fatalf("the sample has no %s", from)
		}
		got := newClient(t, conformance.Setting{}).request("POST", "/api/v1/sessions", body, "Content-Type", "application/json")
		if got.Code != status {
			t.Errorf("%s: got %d %s, want %d", to, got.Code, got.Body, status)
		}
		return got
	}
	changed := func(status int, from string, to ...string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			for _, other := range to {
				start(t, status, from, other)
			}
		}
	}
	header := func(name, want string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if got := start(t, 201, "", "").Header().Get(name); got != want {
				t.Errorf("got %s: %q, want %q", name, got, want)
			}
		}
	}
	conformance.Document(t, []conformance.Statement{
		{Says: "POST https://{uri}/api/v1/sessions", Holds: func(t *testing.T) {
			start(t, 201, "", "")
			newClient(t, conformance.Setting{}).expect("GET", 405, "GET", "/api/v1/sessions", "")
		}},
		{Says: "URI参数 无", Holds: func(t *testing.T) {
			newClient(t, conformance.Setting{}).expect("a query", 201, "POST", "/api/v1/sessions?a=b", sampleRequest)
		}},
		{Says: "请求主体必须是JSON", Holds: changed(400, sampleRequest, "playhead=0", "", "[", "null")},
		{
			Says:   "必须具有与此示例请求主体相同的结构",
			Chosen: "the sample is taken as it stands: its placeholders param1 and param2 too, which the published schema (mc-api-validate-reqs) does not know; other unknown keys are refused as by the schema",
			Holds: func(t *testing.T) {
				start(t, 201, "", "")
				start(t, 400, `"param1"`, `"bitrate"`)
				start(t, 400, `"media.name"`, `"media.nome"`)
			},
		},
		{Says: `示例 "myCustomData2": …, ...`, Chosen: "the dots are no JSON, and a body with them is refused", Holds: changed(400, `"myCustomData2": "<your metadata>"`, `"myCustomData2": "<your metadata>", ...`)},
		{Says: "playerTime (必需)", Holds: changed(400, `"playerTime": {"playhead": 0, "ts": 1509045324153},`, "", `"playerTime": null,`)},
		{Says: "playhead 以秒为单位, 可以是一个浮点数", Holds: func(t *testing.T) {
			changed(201, `"playhead": 0`, `"playhead": 12`, `"playhead": 12.75`)(t)
			changed(400, `"playhead": 0,`, "", `"playhead": "0",`)(t)
		}},
		{Says: "ts 时间戳，必须以毫秒为单位", Chosen: "an integer; seconds cannot be told from milliseconds, and are taken", Holds: func(t *testing.T) {
			changed(201, "1509045324153", "1509045324")(t)
			changed(400, `"ts": 1509045324153`, `"ts": "1509045324153"`, `"ts": 1509045324.5`)(t)
		}},
		{Says: "eventType (必需) 有效值: sessionStart", Holds: changed(400, `"eventType": "sessionStart",`, "", `"eventType": "play",`, `"eventType": "SessionStart",`)},
		{Says: "params (必需)", Holds: changed(400, `"params"`, `"parameters"`)},
		{
			Says: "params 示例: media.length a number, enableSSL a boolean", Chosen: "eight params are required, as newer pages have it; this page says nothing of single ones",
			Holds: func(t *testing.T) {
				changed(400, "60.39333333333333", `"60.39"`)(t)
				changed(400, `"analytics.enableSSL": false`, `"analytics.enableSSL": "false"`)(t)
				for _, name := range []string{"media.playerName", "analytics.trackingServer", "analytics.reportSuite", "media.contentType", "media.id", "visitor.marketingCloudOrgId", "media.channel"} {
					at := strings.Index(sampleRequest, `"`+name+`"`)
					start(t, 400, sampleRequest[at:at+strings.Index(sampleRequest[at:], "\n")], "")
				}
				changed(201, `"analytics.visitorId": "<your-userId>",`, "")(t)
				changed(201, `"media.name": "ClickMe",`, "")(t)
				changed(201, `"media.sdkVersion": "va-api-0.0.0",`, "")(t)
			},
		},
		{Says: "customMetadata（可选）", Holds: changed(201, `"customMetadata": {"myCustomData": "<your metadata>", "myCustomData2": "<your metadata>"},`, "", `"customMetadata": {},`)},
		{Says: "qoeData（可选）", Holds: changed(201, `,
    "qoeData": {"param1": "<your param-value>", "param2": "<your param-value>"}`, "", `, "qoeData": {}`)},

		{Says: "HTTP/1.1 201 Created, Content-Length: 0", Holds: func(t *testing.T) {
			if got := start(t, 201, "", ""); got.Body.Len() != 0 || got.Header().Get("Content-Length") != "0" {
				t.Errorf("got %v %s", got.Header(), got.Body)
			}
		}},
		{Says: "Server: nginx/1.13.5", Holds: header("Server", "nginx/1.13.5")},
		{Says: "Date: Wed, 06 Dec 2017 19:14:51 GMT", Holds: func(t *testing.T) {
			server := httptest.NewServer(newClient(t, conformance.Setting{}).Handler)
			defer server.Close()
			got, err := http.Post(server.URL+"/api/v1/sessions", "application/json", strings.NewReader(sampleRequest))
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			if _, err := http.ParseTime(got.Header.Get("Date")); err != nil || got.StatusCode != 201 || got.ContentLength != 0 {
				t.Errorf("got %d %v: %v", got.StatusCode, got.Header, err)
			}
		}},
		{Says: "Content-Type: application/octet-stream", Holds: header("Content-Type", "application/octet-stream")},
		{Says: "Access-Control-Allow-Origin: *", Holds: header("Access-Control-Allow-Origin", "*")},
		{Says: "Access-Control-Allow-Methods: OPTIONS,POST,PUT", Chosen: "sent as it stands; no page says what PUT does, and it is answered 405", Holds: func(t *testing.T) {
			header("Access-Control-Allow-Methods", "OPTIONS,POST,PUT")(t)
			newClient(t, conformance.Setting{}).expect("PUT", 405, "PUT", "/api/v1/sessions", sampleRequest)
		}},
		{Says: "Access-Control-Allow-Headers: Content-Type", Holds: header("Access-Control-Allow-Headers", "Content-Type")},
		{Says: "Access-Control-Expose-Headers: Location", Holds: header("Access-Control-Expose-Headers", "Location")},
		{Says: "Age: 0, Via: 1.1 wsg.sanjose08", Chosen: "not sent: they are of a proxy on the way of whoever wrote the page, and newer pages do not print them", Holds: func(t *testing.T) {
			header("Age", "")(t)
			header("Via", "")(t)
		}},
		{Says: "Location: /api/v1/sessions/bfcca2ca…4df58", Holds: func(t *testing.T) {
			if got := start(t, 201, "", "").Header().Get("Location"); !isLocation(got) {
				t.Errorf("got %s", got)
			}
		}},
		{Says: "sessions/ 之后的部分是会话ID", Holds: func(t *testing.T) {
			cl := newClient(t, conformance.Setting{})
			first, second := cl.start(sampleRequest), cl.start(sampleRequest)
			if first == second {
				t.Errorf("two sessions have the id %s", first)
			}
			cl.event(first, 204, eventBody("play", ""))
			cl.event("/api/v1/sessions/"+strings.Repeat("0", 64)+"/events", 404, eventBody("play", ""))
		}},
		{Says: "201 会话已创建, 400 错误请求, 500 服务器错误", Chosen: "nothing but a scenario leads to 500", Holds: func(t *testing.T) {
			for _, o := range API.Ends(startSession) {
				if slices.Contains([]int{201, 400, 500}, o.Status) && o.Cite == "" {
					t.Errorf("%s (%d) has no page", o.Name, o.Status)
				}
			}
			cl := newClient(t, conformance.Setting{})
			cl.Play(t, startSession, serverError)
			cl.expect("serverError", 500, "POST", "/api/v1/sessions", sampleRequest)
		}},
	})
}
