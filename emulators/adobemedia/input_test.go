package adobemedia

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// Bad input gets an error of this API, nothing is stored, and nothing panics.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	events := s.start(sessionStartBody("", ""))
	before := s.snapshot()
	deep := strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	var many strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&many, `,"nick%d":1`, i)
	}
	for name, body := range map[string]string{
		"empty":                      "",
		"spaces":                     " \n",
		"null":                       "null",
		"a number":                   "1",
		"a text":                     `"sessionStart"`,
		"truncated":                  sessionStartBody("", "")[:100],
		"something behind":           sessionStartBody("", "") + "x",
		"two objects":                sessionStartBody("", "") + sessionStartBody("", ""),
		"10,000 levels":              deep,
		"10,000 levels of an array":  strings.Repeat("[", 10_000),
		"10,000 levels of params":    `{"eventType":"ping",` + timeMember + `,"params":` + deep + `}`,
		"10,000 levels of metadata":  eventBody("ping", `,"customMetadata":{"a":`+deep+`}`),
		"a member twice":             eventBody("ping", `,"eventType":"ping"`),
		"a param twice":              eventBody("stateStart", `,"params":{"media.state.name":"a","media.state.name":"a"}`),
		"metadata twice":             eventBody("ping", `,"customMetadata":{"a":"1","a":"2"}`),
		"NaN":                        strings.Replace(eventBody("ping", ""), `"playhead":0`, `"playhead":NaN`, 1),
		"Infinity":                   strings.Replace(eventBody("ping", ""), `"playhead":0`, `"playhead":Infinity`, 1),
		"NaN as null":                strings.Replace(eventBody("ping", ""), `"playhead":0`, `"playhead":null`, 1),
		"a playhead beyond a double": strings.Replace(eventBody("ping", ""), `"playhead":0`, `"playhead":1e999`, 1),
		"no UTF-8":                   eventBody("ping", ",\"customMetadata\":{\"a\":\"\xff\"}"),
		"half a surrogate":           eventBody("ping", `,"customMetadata":{"a":"\ud800"}`),
		"no JSON's own comment":      "/* */" + eventBody("ping", ""),
		"a byte order mark":          "\ufeff" + eventBody("ping", ""),
		"a form":                     "eventType=ping",
		"60,000 unknown members":     eventBody("ping", many.String()),
		"a long unknown member":      eventBody("ping", `,"`+strings.Repeat("x", 1<<19)+`":1`),
		"a long eventType":           eventBody(strings.Repeat("x", 1<<19), ""),
	} {
		for _, path := range []string{sessionsPath, events, downloadedPath} {
			got := s.request("POST", path, body)
			if got.Code != 400 || got.Body.Len() > 4096 {
				t.Errorf("%s to %s: got %d with %d bytes: %.200s", name, path, got.Code, got.Body.Len(), got.Body)
			}
			e := s.Last(t)
			if e.Explanation == nil || e.Explanation.Text == "" || strings.Contains(e.Explanation.Text, "{found}") || len(e.Violations) > maxViolations {
				t.Errorf("%s to %s: explained as %+v with %d violations", name, path, e.Explanation, len(e.Violations))
			}
		}
	}
	long := eventBody("ping", `,"customMetadata":{"a":"`+strings.Repeat("x", 1<<20)+`"}`)
	for _, path := range []string{sessionsPath, events, downloadedPath} {
		s.expect("more than a mebibyte", 413, "POST", path, long)
		s.expect("more than the server accepts", 413, "POST", path, strings.Repeat(long, 11))
	}
	for _, sid := range []string{"..", "%2e%2e", "a%2fb", "%2e%2e%2f%2e%2e", "%00", "%ff", "'", "%20", strings.Repeat("x", 8000), strings.Repeat("0", 63), strings.Repeat("0", 65)} {
		s.expect("the id "+sid, 404, "POST", sessionsPath+"/"+sid+"/events", eventBody("ping", ""))
	}
	for _, name := range []string{"..", "%2e%2e", "a%2fb", strings.Repeat("x", 8000), "-"} {
		s.expect("the schema "+name, 404, "GET", "/api/v1/schemas/"+name, "")
	}
	if after := s.snapshot(); after != before {
		t.Error("bad input changed the state")
	}
	s.event(events, 204, eventBody("ping", ""))
}

// A customMetadata of a million bytes is accepted, and the next event is as fast
// as any.
func TestLargeMetadata(t *testing.T) { // not parallel: allocations are counted
	var many strings.Builder
	for i := 0; many.Len() < 1_000_000; i++ {
		fmt.Fprintf(&many, `,"name.%d":"some text of a client's own"`, i)
	}
	s := newClient(t, conformance.Setting{})
	events := s.start(sessionStartBody("", `,"customMetadata":{`+many.String()[1:]+`}`))
	w := s.World
	sid := strings.Split(events, "/")[4]
	plain := testing.AllocsPerRun(100, func() { w.Corridor(t, eventOf(sid, ping)) })
	s.event(events, 204, eventBody("adStart", `,"params":{"media.ad.id":"1","media.ad.length":1,"media.ad.podPosition":1,"media.ad.playerName":"p"},"customMetadata":{`+many.String()[1:]+`}`))
	// Under the race detector pools drop objects at random. The large event has thousands of names.
	if got := testing.AllocsPerRun(100, func() { w.Corridor(t, eventOf(sid, ping)) }); got > 2*plain {
		t.Errorf("an event takes %v allocations after a large one, and %v before", got, plain)
	}
}

// The bytes of all stored events are limited.
func TestKeptBytesAreBounded(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	fat := eventBody("ping", `,"customMetadata":{"a":"`+strings.Repeat("x", 1_000_000)+`"}`)
	quiet := s.start(sessionStartBody("", ""))
	events := s.start(sessionStartBody("", ""))
	for range 110 {
		r := eventOf(strings.Split(events, "/")[4], fat)
		if e := s.Corridor(t, r); e.Outcome != "accepted" {
			t.Fatal(e.Outcome)
		}
	}
	s.withState(func(st *state) {
		sum := 0
		for _, one := range st.Sessions {
			sum += len(one.Start.Raw)
			for _, h := range one.Hits {
				sum += len(h.Raw) + hitCost
			}
		}
		if sum != st.bytes || sum > maxBytes || sum < maxBytes/2 {
			t.Errorf("%d bytes are kept and %d counted, of at most %d", sum, st.bytes, maxBytes)
		}
	})
	s.event(quiet, 204, eventBody("ping", ""))
}

// A session keeps its last 256 events.
func TestKeptEventsAreBounded(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	events := s.start(sessionStartBody("", ""))
	for i := range 300 {
		s.event(events, 204, `{"eventType":"ping",`+playerTimeAt(float64(i), int64(i))+`}`)
	}
	s.withState(func(st *state) {
		one := st.Sessions[0]
		if len(one.Hits) != 256 || one.Received != 301 || !strings.Contains(string(one.Hits[255].Raw), `"ts":299}`) || one.Start.Raw == nil {
			t.Errorf("got %d events of %d, the last %s", len(one.Hits), one.Received, one.Hits[255].Raw)
		}
	})
}

// A snapshot that contradicts itself is refused.
func TestReindexRefuses(t *testing.T) {
	t.Parallel()
	sid := strings.Repeat("a", 64)
	session := func(sid string) string {
		return `{"sid":"` + sid + `","created":1,"last":1,"moved":1,"playhead":0,"received":1,"start":{"number":1,"at":1}}`
	}
	for want, document := range map[string][3]string{ // accounts, waiting, sessions
		"accounts: ":                  {`{"reportSuite":"r","orgId":"o"},{"reportSuite":"r","orgId":"o"}`, "", ""},
		"accounts: \"\" of":           {`{"reportSuite":"","orgId":"o"}`, "", ""},
		"sessions: element 0 is null": {"", "", "null"},
		"sessions: the sid \"x\"":     {"", "", session("x")},
		"sessions: the sid \"a":       {"", "", session(sid) + "," + session(sid)},
		"waiting: the sid \"x\"":      {"", `"x"`, ""},
		"waiting: the sid \"a":        {"", `"` + sid + `"`, session(sid)},
	} {
		s := newClient(t, conformance.Setting{})
		text := fmt.Sprintf(`{"accounts":[%s],"waiting":[%s],"sessions":[%s],"number":9}`, document[0], document[1], document[2])
		if err := s.Instance(t).Restore([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// A restored state counts as many bytes as the original.
func TestRestoreCountsBytes(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	events := s.start(sessionStartBody("", ""))
	s.event(events, 204, ping)
	if err := s.Instance(t).Restore([]byte(s.snapshot())); err != nil {
		t.Fatal(err)
	}
	s.withState(func(st *state) {
		if want := len(st.Sessions[0].Start.Raw) + len(st.Sessions[0].Hits[0].Raw) + hitCost; st.bytes != want {
			t.Errorf("got %d, want %d", st.bytes, want)
		}
	})
	s.event(events, 204, ping)
}

// A state that is restored before the first call contains ids that the dice
// generate again. A new session gets none of them.
func TestNewSessionsTakeNoKnownID(t *testing.T) {
	t.Parallel()
	there := newClient(t, conformance.Setting{})
	known := there.start(sessionStartBody("", ""))
	here := newClient(t, conformance.Setting{})
	if err := here.Instance(t).Restore([]byte(there.snapshot())); err != nil {
		t.Fatal(err)
	}
	if opened := here.start(sessionStartBody("", "")); opened == known {
		t.Errorf("%s was opened twice", opened)
	}
	if err := here.Instance(t).Restore([]byte(here.snapshot())); err != nil {
		t.Error(err)
	}
}

// A caller is identified by the session, or by a sessionStart without parsing
// it.
func TestCallers(t *testing.T) {
	t.Parallel()
	both := "1234567890ABCDEF12345678@AdobeOrg sample.rsid"
	for name, v := range map[string]struct {
		body string
		want string
	}{
		"a sessionStart":    {sessionStartBody("", ""), both},
		"with spaces":       {strings.ReplaceAll(sessionStartBody("", ""), `":`, "\" :\n "), both},
		"a batch":           {"[" + sessionStartBody("", "") + "]", both},
		"escapes":           {strings.Replace(sessionStartBody("", ""), "sample.rsid", `s\u0061mple.rsid`, 1), both},
		"no organisation":   {strings.Replace(sessionStartBody("", ""), orgKey, "x", 1), ""},
		"a number":          {strings.Replace(sessionStartBody("", ""), `"sample.rsid"`, `5`, 1), ""},
		"cut in the middle": {`{"params":{"visitor.marketingCloudOrgId":"o","analytics.reportSuite":"r`, ""},
		"nothing":           {"", ""},
	} {
		got := strings.Join(identifiers(post(sessionsPath, []byte(v.body), startSession, sendBatch)), "|")
		if got != v.want {
			t.Errorf("%s: got %q, want %q", name, got, v.want)
		}
	}
	if got := identifiers(eventOf("abc", sessionStartBody("", ""))); len(got) != 1 || got[0] != "abc" {
		t.Errorf("an event: got %q", got)
	}
	for host, want := range map[string]bool{"ns.hb-api.omtrdc.net": true, "ns.hb.omtrdc.net": false, "a.ns.hb-api.omtrdc.net": false, "example.com": false} {
		if got := API.HasHost(host); got != want {
			t.Errorf("%s is a host of the service: got %v", host, got)
		}
	}
	for path, want := range map[string]bool{"/": false, "/va" + sessionsPath: true} {
		if got := claims(post(path, nil)); got != want {
			t.Errorf("claims of %s: got %v", path, got)
		}
	}
}

// FuzzBody sends any body to every path: the statuses are documented ones,
// nothing panics, and a refusal changes nothing.
func FuzzBody(f *testing.F) {
	for i, body := range []string{
		sessionStartBody("", ""), eventBody("ping", ""), adStart, ping, string(offlineSession()), "[" + sessionStartBody("", "") + "]", "", "[]", "null",
		eventBody("statesUpdate", `,"params":{"statesStart":[{"media.state.name":"mute"}]}`),
		sessionStartBody(`,"visitor.customerIDs":{"a":{"id":"b","authState":1}}`, `,"customMetadata":{"a-b":"c"},"qoeData":{"media.qoe.bitrate":1.0}`),
		"{\"eventType\":\"ping\xff", strings.Repeat("[", 200),
	} {
		f.Add([]byte(body), byte(i), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, body []byte, where byte, lenient bool) {
		set := map[string]string{"unknown_keys": "strict"}
		if lenient {
			set["unknown_keys"] = "lenient"
		}
		s := newClient(t, conformance.Setting{Set: set})
		path := []string{sessionsPath, sessionsPath + "/" + documentedID + "/events", downloadedPath}[where%3]
		before := s.snapshot()
		got := s.request("POST", path, string(body))
		switch got.Code {
		case 201, 204:
			if !json.Valid(body) {
				t.Errorf("%q was accepted", body)
			}
		case 400, 413:
			if after := s.snapshot(); after != before {
				t.Errorf("%q was refused and changed the state", body)
			}
		default:
			t.Errorf("%q: got %d", body, got.Code)
		}
		var w state
		if err := json.Unmarshal([]byte(s.snapshot()), &w); err != nil || w.Reindex() != nil {
			t.Errorf("the state cannot be restored: %v", err)
		}
		s.withState(func(st *state) { st.Derive(conformance.Noon, s.Instance(t).Switches()) })
	})
}

// FuzzRestore restores any text: it is refused, or the state can be used,
// derived and restored again.
func FuzzRestore(f *testing.F) {
	sid := strings.Repeat("a", 64)
	for _, document := range []string{
		`{}`, `{"accounts":[{"reportSuite":"r","orgId":"o"}],"waiting":["` + sid + `"],"sessions":null,"number":3}`,
		`{"sessions":[{"sid":"` + sid + `","created":1700000000000,"last":1700000000000,"moved":1700000000000,"received":2,"start":{"raw":` + sessionStartBody("", "") + `},"hits":[{"number":2,"at":1,"raw":` + ping + `}]}]}`,
		`{"sessions":[{"sid":"` + sid + `","created":-9223372036854775808,"last":9223372036854775807,"ended":1,"ended_by":"x","start":{"raw":[]},"hits":[{"raw":null},{"raw":{"playerTime":{"ts":-1}}}]}]}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		s := newClient(t, conformance.Setting{})
		if s.Instance(t).Restore(document) != nil {
			return
		}
		s.request("POST", sessionsPath, sessionStartBody("", ""))
		s.request("POST", sessionsPath+"/"+strings.Repeat("a", 64)+"/events", eventBody("ping", ""))
		s.withState(func(st *state) { st.Derive(conformance.Noon, s.Instance(t).Switches()) })
		if err := s.Instance(t).Restore([]byte(s.snapshot())); err != nil {
			t.Errorf("a snapshot of a restored state cannot be restored: %v", err)
		}
	})
}

// FuzzTarget sends an event to any path that names no sandbox.
func FuzzTarget(f *testing.F) {
	for _, target := range []string{eventsPath, "/va/api/v1/sessions", "/api/v1/sessions/%2e%2e/events", "/api/v1/sessions//events", "/api/v1/schemas/%", "*", "/api/v1/../sessions"} {
		f.Add(target, "POST")
		f.Add(target, "GET")
	}
	f.Fuzz(func(t *testing.T, target, method string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || strings.HasPrefix(target, "/@") || method == "" || strings.ContainsAny(method, " \r\n\t\x00") || strings.ContainsAny(target, " \r\n") {
			return
		}
		s := newClient(t, conformance.Setting{})
		r := httptest.NewRequest("POST", "/", strings.NewReader(eventBody("ping", "")))
		r.Method, r.URL, r.RequestURI = method, u, target
		got := s.Send(r)
		switch got.Code {
		case 200, 204, 400, 404, 405, 410:
		default:
			t.Errorf("%s %s: got %d %s", method, target, got.Code, got.Body)
		}
	})
}

// The sample of every operation succeeds. Without any parameter it succeeds too,
// where the player's library can supply all of them.
func TestSamplesSucceed(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		operation string
		in        contract.Values
		want      int
	}{
		{"StartSession", nil, 201},
		{"StartSession", contract.Sample(startSession.Params), 201},
		{"SendEvent", contract.Values{"sid": documentedID, "eventType": "ping"}, 204},
		{"SendEvent", contract.Values{"sid": documentedID, "eventType": "ping", "playerTime": contract.Values{"playhead": 5}}, 204},
		{"SendEvent", contract.Sample(sendEvent.Params), 204},
		{"SendEvent", contract.Values{"eventType": "ping"}, 404},
		{"SendDownloaded", nil, 201},
		{"SendDownloaded", contract.Sample(sendDownloaded.Params), 201},
		{"SendBatch", nil, 201},
		{"SendBatch", contract.Sample(sendBatch.Params), 201},
		{"GetSchema", contract.Sample(getSchema.Params), 200},
		{"GetSchema", contract.Values{"eventType": "a/b c%"}, 404},
	} {
		s := newClient(t, conformance.Setting{})
		got := s.Send(s.Request(t, API.Operation(v.operation), v.in))
		if e := s.Last(t); got.Code != v.want || e.Operation != v.operation {
			t.Errorf("%s %v: got %d by %s: %s", v.operation, v.in, got.Code, e.Operation, got.Body)
		}
	}
}

// A text is found in a body without parsing the body, however it is written.
func TestFindText(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":"plain"}`: "plain", `{ "a" : "plain" , "b":1}`: "plain", `{"a":""}`: "", `{"a":"\"quoted\" \u00e9"}`: `"quoted" é`, `{"a":"名"}`: "名",
		`{"a":1}`: "", `{"a":"open`: "", "{\"a\":\"line\nbreak\"}": "", `{"b":"a"}`: "", `{"a"`: "", ``: "",
	} {
		if got := findText([]byte(body), "a"); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}
