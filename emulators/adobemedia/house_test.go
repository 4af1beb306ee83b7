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

// p8 are the eight params that a session needs.
const p8 = `"analytics.trackingServer":"sample.sc.omtrdc.net","analytics.reportSuite":"sample.rsid","visitor.marketingCloudOrgId":"1234567890ABCDEF12345678@AdobeOrg",` +
	`"media.id":"an-id","media.length":60,"media.contentType":"VOD","media.playerName":"a-player","media.channel":"a-channel"`

// pt is a time of the player's.
const pt = `"playerTime":{"playhead":0,"ts":1509045324153}`

// starting is a sessionStart with further params, and whatever else.
func starting(params, more string) string {
	return `{"eventType":"sessionStart",` + pt + `,"params":{` + p8 + params + `}` + more + `}`
}

// happening is an event without anything but its time, and whatever else.
func happening(eventType, more string) string {
	return `{"eventType":"` + eventType + `",` + pt + more + `}`
}

// A stage sends requests through the real doors of a world.
type stage struct {
	*conformance.World
	t testing.TB
}

func onStage(t testing.TB, s conformance.Setting) *stage {
	t.Helper()
	return &stage{conformance.New(t, API, s), t}
}

func (s *stage) request(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got := s.Send(r)
	s.headed(got, path)
	return got
}

// headed holds the headers of an answer against what every answer has.
func (s *stage) headed(got *httptest.ResponseRecorder, path string) {
	s.t.Helper()
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
			s.t.Errorf("%s: %d with %s %q, want %q", path, got.Code, name, h, value)
		}
	}
	empty := got.Code < 300 && !strings.Contains(path, "/schemas/")
	if empty != (got.Body.Len() == 0) {
		s.t.Errorf("%s: %d with the body %q", path, got.Code, got.Body)
	}
	if got.Code >= 400 && !tells(got.Body.String()) {
		s.t.Errorf("%s: %d without a message: %s", path, got.Code, got.Body)
	}
}

var tells = regexp.MustCompile(`^\{"message":"[^"].*"\}$`).MatchString

// start opens a session and returns the path of its events.
func (s *stage) start(body string) string {
	s.t.Helper()
	got := s.request("POST", sessionsPath, body)
	location := got.Header().Get("Location")
	if got.Code != 201 || !wellLocated(location) {
		s.t.Fatalf("got %d at %q: %s", got.Code, location, got.Body)
	}
	return location + "/events"
}

var wellLocated = regexp.MustCompile(`^/api/v1/sessions/[0-9a-f]{64}$`).MatchString

// expect sends a request and compares the status.
func (s *stage) expect(what string, status int, method, path, body string) {
	s.t.Helper()
	if got := s.request(method, path, body); got.Code != status {
		s.t.Errorf("%s: got %d %s, want %d", what, got.Code, got.Body, status)
	}
}

// event reports an event and compares the status.
func (s *stage) event(events string, status int, body string) {
	s.t.Helper()
	s.expect(body, status, "POST", events, body)
}

// later lets the sandbox's time pass.
func (s *stage) later(d time.Duration) {
	s.t.Helper()
	if err := s.Sandbox.Clock.Advance(d); err != nil {
		s.t.Fatal(err)
	}
}

// look shows the state.
func (s *stage) look(f func(*state)) {
	s.t.Helper()
	s.Instance(s.t).WithState(func(present contract.State) { f(present.(*state)) })
}

// snapshot is the state as text.
func (s *stage) snapshot() string {
	s.t.Helper()
	text, err := s.Instance(s.t).Snapshot()
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func at(playhead float64, ts int64) string {
	return fmt.Sprintf(`"playerTime":{"playhead":%g,"ts":%d}`, playhead, ts)
}
