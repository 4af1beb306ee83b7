package adobemedia

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// sends sends a body to a path.
func sends(path, body string) func(testing.TB, *conformance.World) {
	return func(t testing.TB, w *conformance.World) { (&client{w, t}).request("POST", path, body) }
}

// begins opens a session with this body.
func begins(body string) func(testing.TB, *conformance.World) { return sends(sessionsPath, body) }

// inSession opens a session and sends an event to it, after others. The path of its
// events may be changed.
func inSession(change func(string) string, bodies ...string) func(testing.TB, *conformance.World) {
	return func(t testing.TB, w *conformance.World) {
		cl := &client{w, t}
		events := cl.start(sessionStartBody("", ""))
		for i, body := range bodies {
			if change != nil && i == len(bodies)-1 {
				events = change(events)
			}
			cl.request("POST", events, body)
		}
	}
}

// Each mistake is recognised where it is made, and not where it is not.
func TestMistakes(t *testing.T) {
	t.Parallel()
	good := sessionStartBody("", "")
	instead := func(old, with string) func(testing.TB, *conformance.World) {
		return begins(strings.Replace(good, old, with, 1))
	}
	play := eventBody("play", "")
	toID := func(change func(string) string) func(string) string {
		return func(events string) string {
			id := strings.TrimSuffix(strings.TrimPrefix(events, sessionsPath+"/"), "/events")
			return sessionsPath + "/" + change(id) + "/events"
		}
	}
	tests := []conformance.MistakeTest{
		{Code: "key_case", Made: instead(`"media.id"`, `"media.ID"`), Near: begins(sessionStartBody(`,"media.nothing":"x"`, "")), Told: "schema"},
		{Code: "media_prefix_missing", Made: begins(sessionStartBody(`,"genre":"x"`, "")), Near: begins(sessionStartBody(`,"nothing":"x"`, "")), Told: "schema"},
		{Code: "params_nested", Made: begins(sessionStartBody(`,"media":{"genre":"x"}`, "")), Near: begins(sessionStartBody(`,"media":"x"`, "")), Told: "schema"},
		{Code: "param_outside_params", Made: begins(sessionStartBody("", `,"media.genre":"x"`)), Near: begins(sessionStartBody("", `,"media.nothing":"x"`)), Told: "schema"},
		{Code: "number_as_text", Made: instead(`"media.length":60`, `"media.length":"60"`), Near: instead(`"media.length":60`, `"media.length":"sixty"`), Told: "schema"},
		{Code: "number_as_text", Made: inSession(nil, strings.Replace(play, "1509045324153", `"1509045324153"`, 1))},
		{Code: "text_as_number", Made: instead(`"an-id"`, `7`), Near: instead(`"an-id"`, `[7]`), Told: "schema"},
		{Code: "ts_as_date", Made: instead("1509045324153", `"2017-10-26T19:15:24Z"`), Near: instead("1509045324153", `"in October"`), Told: "schema"},
		{Code: "fraction_for_whole", Made: instead("1509045324153", "1509045324.153"), Near: instead("1509045324153", "true"), Told: "schema"},
		{Code: "required_missing", Made: instead(`"media.id":"an-id",`, ""), Near: begins(sessionStartBody(`,"media.nothing":"x"`, "")), Told: "schema"},
		{Code: "required_missing", Made: inSession(nil, eventBody("adStart", `,"params":{"media.ad.id":"x"}`))},
		{Code: "required_missing", Made: sends(downloadedPath, "["+strings.Replace(good, `"media.channel":"a-channel"`, `"media.downloaded":true`, 1)+"]")},

		{Code: "event_type_case", Made: inSession(nil, eventBody("Play", "")), Near: inSession(nil, eventBody("playing", "")), Told: "no_event_type"},
		{Code: "event_type_case", Made: inSession(nil, eventBody("ad_start", ""))},
		{Code: "event_type_named_otherwise", Made: instead(`"eventType"`, `"event"`), Near: instead(`"eventType"`, `"kind"`), Told: "no_event_type"},
		{Code: "form_for_json", Made: begins("eventType=sessionStart"), Near: begins("hello=world"), Told: "not_json"},
		{Code: "json_encoded_twice", Made: begins(`"{\"eventType\":\"sessionStart\"}"`), Near: begins(`"sessionStart"`), Told: "not_json"},
		{Code: "batch_for_event", Made: inSession(nil, "["+play+"]"), Near: inSession(nil, "["+play), Told: "not_json"},
		{Code: "event_for_batch", Made: sends(downloadedPath, good), Near: sends(downloadedPath, "{}"), Told: "batch"},

		{Code: "session_placeholder", Made: inSession(toID(func(string) string { return "undefined" }), play), Near: inSession(toID(func(string) string { return "session1" }), play), Told: "unknown_session"},
		{Code: "session_id_case", Made: inSession(toID(strings.ToUpper), play), Near: inSession(toID(func(id string) string { return strings.ToUpper(id[1:]) }), play), Told: "unknown_session"},
		{Code: "session_id_cut", Made: inSession(toID(func(id string) string { return id[:63] }), play), Near: inSession(toID(func(id string) string { return id[1:] }), play), Told: "unknown_session"},
		{Code: "event_after_end", Made: inSession(nil, eventBody("sessionEnd", ""), play), Near: func(t testing.TB, w *conformance.World) {
			cl := &client{w, t}
			events := cl.start(good)
			cl.advance(time.Duration(limitsOf(w.Instance(t).Switches()).idle) * time.Millisecond)
			cl.request("POST", events, play)
		}, Told: "session_idle"},
		{
			Code: "location_doubled", Made: inSession(func(events string) string { return sessionsPath + events }, play),
			Near: inSession(func(events string) string { return "/collect" + events }, play), Told: "other_prefix",
		},
		{Code: "path_case", Made: sends("/API/v1/Sessions", good), Near: sends("/API/v1/Session", good), Told: "no_such_path"},
	}
	conformance.Mistakes(t, API, tests)
}
