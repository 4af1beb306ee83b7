package adobemedia

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// requiredParams are the eight params that a session needs.
const requiredParams = `"analytics.trackingServer":"sample.sc.omtrdc.net","analytics.reportSuite":"sample.rsid","visitor.marketingCloudOrgId":"1234567890ABCDEF12345678@AdobeOrg",` +
	`"media.id":"an-id","media.length":60,"media.contentType":"VOD","media.playerName":"a-player","media.channel":"a-channel"`

// timeMember is the playerTime of an event.
const timeMember = `"playerTime":{"playhead":0,"ts":1509045324153}`

// sessionStartBody returns a sessionStart with further params and further
// members.
func sessionStartBody(params, more string) string {
	return `{"eventType":"sessionStart",` + timeMember + `,"params":{` + requiredParams + params + `}` + more + `}`
}

// eventBody returns an event with only its time and further members.
func eventBody(eventType, more string) string {
	return `{"eventType":"` + eventType + `",` + timeMember + more + `}`
}

// A client sends requests through the HTTP handler of a world.
type client struct {
	*conformance.World
	t testing.TB
}

func newClient(t testing.TB, s conformance.Setting) *client {
	t.Helper()
	return &client{conformance.New(t, API, s), t}
}

func (cl *client) request(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	cl.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got := cl.Send(r)
	cl.checkHeaders(got, path)
	return got
}

// checkHeaders compares the headers that every answer has.
func (cl *client) checkHeaders(got *httptest.ResponseRecorder, path string) {
	cl.t.Helper()
	want := map[string]string{
		"Server": "nginx/1.13.5", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "OPTIONS,POST,PUT",
		"Access-Control-Allow-Headers": "Content-Type", "Access-Control-Expose-Headers": "Location",
	}
	if strings.Contains(path, "/schemas/") {
		want = map[string]string{"Server": "nginx/1.13.5", "Access-Control-Allow-Origin": got.Header().Get("Access-Control-Allow-Origin")}
	}
	switch {
	case got.Code == 201:
		want["Content-Type"], want["Content-Length"] = "application/octet-stream", "0"
	case got.Code == 204:
		want["Content-Type"], want["Content-Length"] = "", ""
	case got.Body.Len() > 0:
		want["Content-Type"] = "application/json"
	}
	for name, value := range want {
		if h := got.Header().Get(name); h != value {
			cl.t.Errorf("%s: %d with %s %q, want %q", path, got.Code, name, h, value)
		}
	}
	empty := got.Code < 300 && !strings.Contains(path, "/schemas/")
	if empty != (got.Body.Len() == 0) {
		cl.t.Errorf("%s: %d with the body %q", path, got.Code, got.Body)
	}
	if got.Code >= 400 && !isErrorBody(got.Body.String()) {
		cl.t.Errorf("%s: %d without a message: %s", path, got.Code, got.Body)
	}
}

var isErrorBody = regexp.MustCompile(`^\{"message":"[^"].*"\}$`).MatchString

// start opens a session and returns the path of its events.
func (cl *client) start(body string) string {
	cl.t.Helper()
	got := cl.request("POST", sessionsPath, body)
	location := got.Header().Get("Location")
	if got.Code != 201 || !isLocation(location) {
		cl.t.Fatalf("got %d at %q: %s", got.Code, location, got.Body)
	}
	return location + "/events"
}

var isLocation = regexp.MustCompile(`^/api/v1/sessions/[0-9a-f]{64}$`).MatchString

// expect sends a request and compares the status.
func (cl *client) expect(what string, status int, method, path, body string) {
	cl.t.Helper()
	if got := cl.request(method, path, body); got.Code != status {
		cl.t.Errorf("%s: got %d %s, want %d", what, got.Code, got.Body, status)
	}
}

// event reports an event and compares the status.
func (cl *client) event(events string, status int, body string) {
	cl.t.Helper()
	cl.expect(body, status, "POST", events, body)
}

// advance advances the sandbox's clock.
func (cl *client) advance(d time.Duration) {
	cl.t.Helper()
	if err := cl.Sandbox.Clock.Advance(d); err != nil {
		cl.t.Fatal(err)
	}
}

// withState runs f under the lock of the API's state.
func (cl *client) withState(f func(*state)) {
	cl.t.Helper()
	cl.Instance(cl.t).WithState(func(present contract.State) { f(present.(*state)) })
}

// snapshot returns the state as text.
func (cl *client) snapshot() string {
	cl.t.Helper()
	text, err := cl.Instance(cl.t).Snapshot()
	if err != nil {
		cl.t.Fatal(err)
	}
	return string(text)
}

func playerTimeAt(playhead float64, ts int64) string {
	return fmt.Sprintf(`"playerTime":{"playhead":%g,"ts":%d}`, playhead, ts)
}
