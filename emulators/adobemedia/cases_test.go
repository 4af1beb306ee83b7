package adobemedia

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// TestSessionCases are C1 to C8 of the conformance cases: opening a session.
func TestSessionCases(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	documented := `,"media.name":"ClickMe","media.sdkVersion":"va-api-0.0.0","analytics.visitorId":"","analytics.enableSSL":false`
	sdk := `,"media.resume":false,"media.downloaded":false,"media.streamType":"video","media.libraryVersion":"ios-media-5.0.1","visitor.marketingCloudUserId":"12345",` +
		`"visitor.aamLocationHint":9,"analytics.aid":"an-aid","media.showType":"fullEpisode","visitor.customerIDs":{"id1":{"id":"a","authState":0},"id2":{"id":"b","authState":1},"id3":{"id":"c","authState":2}}`
	qoe := `,"qoeData":{"media.qoe.bitrate":1000,"media.qoe.droppedFrames":0,"media.qoe.framesPerSecond":24,"media.qoe.timeToStart":250}`
	for name, body := range map[string]string{
		"C1":                    sessionStartBody(documented, `,"customMetadata":{"myCustomData":"some"}`),
		"C3":                    sessionStartBody("", ""),
		"C6 dots and underline": sessionStartBody("", `,"customMetadata":{"client.ns_1":"値 текст"}`),
		"C7":                    sessionStartBody(sdk, qoe),
		"empty objects":         sessionStartBody("", `,"customMetadata":{},"qoeData":{}`),
		"an empty string":       strings.Replace(sessionStartBody("", ""), `"a-channel"`, `""`, 1),
		"a reserved prefix":     sessionStartBody("", `,"customMetadata":{"a.media.x":"y","media.name":"z"}`),
		"a length of nothing":   strings.Replace(sessionStartBody("", ""), `"media.length":60`, `"media.length":-1`, 1),
		"escapes":               strings.Replace(sessionStartBody("", ""), `"an-id"`, `"\u0061\"\\\n"`, 1),
		"ts in seconds":         strings.Replace(sessionStartBody("", ""), "1509045324153", "1509045324", 1),
		"a large playhead":      strings.Replace(sessionStartBody("", ""), `"playhead":0`, `"playhead":86420.5`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			s := &client{s.World, t}
			s.start(body)
		})
	}
	if got := s.request("POST", sessionsPath, sessionStartBody("", ""), "Content-Type", "application/x-www-form-urlencoded"); got.Code != 201 {
		t.Errorf("C2: got %d", got.Code)
	}
	if got := s.request("POST", sessionsPath, sessionStartBody("", ""), "X-Adobe-AEP-Validation-Token", "an-integration"); got.Code != 201 {
		t.Errorf("with the header of a debugging session: got %d", got.Code)
	}
	s.expect("a trailing slash", 201, "POST", sessionsPath+"/", sessionStartBody("", ""))

	eight := regexp.MustCompile(`"[a-zA-Z.]+":("[^"]*"|\d+)`).FindAllString(requiredParams, -1)
	if len(eight) != 8 {
		t.Fatalf("there are %d params to leave out", len(eight))
	}
	for _, pair := range eight {
		body := strings.Replace(sessionStartBody("", ""), pair+",", "", 1)
		body = strings.Replace(body, ","+pair, "", 1)
		s.expect("C4 without "+pair, 400, "POST", sessionsPath, body)
	}
	refused := map[string]string{
		"C5 a truth value as text":     sessionStartBody(`,"analytics.enableSSL":"true"`, ""),
		"C5 a length as text":          strings.Replace(sessionStartBody("", ""), ":60", `:"60"`, 1),
		"C5 a fraction of a ts":        strings.Replace(sessionStartBody("", ""), "1509045324153", "1.5", 1),
		"a ts with a fraction of none": strings.Replace(sessionStartBody("", ""), "1509045324153", "1509045324153.0", 1),
		"a ts with an exponent":        strings.Replace(sessionStartBody("", ""), "1509045324153", "15e11", 1),
		"a ts beyond 64 bits":          strings.Replace(sessionStartBody("", ""), "1509045324153", "99999999999999999999", 1),
		"C5 null":                      strings.Replace(sessionStartBody("", ""), ":60", `:null`, 1),
		"params are null":              `{"eventType":"sessionStart",` + timeMember + `,"params":null}`,
		"C6 a hyphen":                  sessionStartBody("", `,"customMetadata":{"my-key":"x"}`),
		"C6 a space":                   sessionStartBody("", `,"customMetadata":{"my key":"x"}`),
		"C6 a name of nothing":         sessionStartBody("", `,"customMetadata":{"":"x"}`),
		"C6 a number":                  sessionStartBody("", `,"customMetadata":{"key":5}`),
		"C6 an object":                 sessionStartBody("", `,"customMetadata":{"key":{}}`),
		"C8":                           sessionStartBody(`,"media.downloaded":true`, ""),
		"an unknown param":             sessionStartBody(`,"media.nick":"x"`, ""),
		"a param of an ad":             sessionStartBody(`,"media.ad.id":"x"`, ""),
		"an unknown member":            sessionStartBody("", `,"more":1`),
		"an unknown playerTime":        strings.Replace(sessionStartBody("", ""), `"playhead":0`, `"playhead":0,"position":1`, 1),
		"quality among the params":     sessionStartBody(`,"media.qoe.bitrate":1`, ""),
		"an unknown quality":           sessionStartBody("", `,"qoeData":{"bitrate":1000}`),
		"a fraction of a quality":      sessionStartBody("", `,"qoeData":{"media.qoe.bitrate":1000.5}`),
		"a customer id as text":        sessionStartBody(`,"visitor.customerIDs":{"id1":"a"}`, ""),
		"a customer id's state":        sessionStartBody(`,"visitor.customerIDs":{"id1":{"id":"a","authState":"1"}}`, ""),
		"a customer id's member":       sessionStartBody(`,"visitor.customerIDs":{"id1":{"id":"a","more":1}}`, ""),
		"an event":                     eventBody("play", ""),
		"no eventType":                 `{` + timeMember + `,"params":{` + requiredParams + `}}`,
		"an eventType of no type":      `{"eventType":5,` + timeMember + `}`,
		"no playerTime":                `{"eventType":"sessionStart","params":{` + requiredParams + `}}`,
		"no params":                    `{"eventType":"sessionStart",` + timeMember + `}`,
		"no ts":                        strings.Replace(sessionStartBody("", ""), `,"ts":1509045324153`, "", 1),
	}
	before := s.snapshot()
	for name, body := range refused {
		s.expect(name, 400, "POST", sessionsPath, body)
	}
	if after := s.snapshot(); after != before {
		t.Error("refused sessions changed the state")
	}
}

// TestEventCases are C9 to C16: events of a session.
func TestEventCases(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	events := s.start(sessionStartBody("", ""))
	ad := `,"params":{"media.ad.podFriendlyName":"ad_pod1","media.ad.name":"Ad 1","media.ad.id":"001","media.ad.length":15,"media.ad.podPosition":1,"media.ad.playerName":"Sample Player",` +
		`"media.ad.advertiser":"Ad Guys","media.ad.campaignId":"1","media.ad.creativeId":"42","media.ad.siteId":"XYZ","media.ad.creativeURL":"http://xyz_creative.com","media.ad.placementId":"sample_placement"},` +
		`"customMetadata":{"myCustomData1":"CustomData1","myCustomData2":"CustomData2"}`
	breakStart := `,"params":{"media.ad.podFriendlyName":"ad_pod1","media.ad.podIndex":0,"media.ad.podSecond":0}`
	chapter := `,"params":{"media.chapter.index":1,"media.chapter.offset":0,"media.chapter.length":20,"media.chapter.friendlyName":"Chapter Uno"}`
	for _, body := range []string{
		// C9
		eventBody("play", ""), eventBody("ping", ""), eventBody("bufferStart", ""), eventBody("play", ""), eventBody("pauseStart", ""), eventBody("play", ""),
		eventBody("bitrateChange", `,"qoeData":{"media.qoe.bitrate":3200}`), eventBody("sessionComplete", ""),
		// C10, also with C14's one ts for all
		eventBody("adBreakStart", breakStart), eventBody("adStart", ad), eventBody("ping", ""), eventBody("adComplete", ""), eventBody("adStart", ad), eventBody("adSkip", ""),
		eventBody("adBreakComplete", ""), eventBody("play", ""),
		eventBody("adBreakStart", `,"params":{"media.ad.podIndex":-1,"media.ad.podSecond":20.5},"customMetadata":{"a":"b"}`),
		eventBody("adBreakStart", `,"params":{"media.ad.podIndex":1,"media.ad.podSecond":0,"media.ad.podPosition":1}`), // as CBS sends it
		// C11
		eventBody("chapterStart", chapter), eventBody("chapterComplete", ""), eventBody("chapterSkip", ""),
		// C12
		eventBody("stateStart", `,"params":{"media.state.name":"mute"}`), eventBody("stateEnd", `,"params":{"media.state.name":"mute"}`),
		eventBody("statesUpdate", `,"params":{"statesStart":[{"media.state.name":"mute"},{"media.state.name":"fullScreen"}],"statesEnd":[{"media.state.name":"pictureInPicture"}]}`),
		eventBody("statesUpdate", `,"params":{}`), eventBody("statesUpdate", `,"params":{"statesEnd":[]}`),
		// C13
		eventBody("error", `,"qoeData":{"media.qoe.errorID":"1000.2000.3000","media.qoe.errorSource":"player"}`), eventBody("error", ""), eventBody("ping", ""),
		// as clients send them
		eventBody("ping", `,"params":{},"qoeData":{},"customMetadata":{}`),
		eventBody("ping", `,"qoeData":{"media.qoe.bitrate":3200,"media.qoe.errorID":"x"}`),
		strings.Replace(eventBody("play", ""), "1509045324153", "1", 1), // older than the session, as after a replay
	} {
		s.event(events, 204, body)
	}
	for name, body := range map[string]string{
		"C15 a break without its index":  eventBody("adBreakStart", `,"params":{"media.ad.podSecond":0}`),
		"C15 an ad without its player":   eventBody("adStart", strings.Replace(ad, `"media.ad.playerName":"Sample Player",`, "", 1)),
		"C15 a chapter without a length": eventBody("chapterStart", strings.Replace(chapter, `,"media.chapter.length":20`, "", 1)),
		"C15 a state without a name":     eventBody("stateStart", `,"params":{}`),
		"C15 the end of such":            eventBody("stateEnd", ""),
		"C15 an unknown type":            eventBody("seekStart", ""),
		"the slip of timeline 3":         eventBody("chapterEnd", ""),
		"the slip of timeline 2":         eventBody("play", `,"qoeData":{"bitrate":10000}`),
		"quality among the params":       eventBody("play", `,"params":{"media.qoe.bitrate":10000}`),
		"errors among the params":        eventBody("error", `,"params":{"media.errorId":"x"}`),
		"a sessionStart":                 sessionStartBody("", ""),
		"an index with a fraction":       eventBody("adBreakStart", `,"params":{"media.ad.podIndex":0.5,"media.ad.podSecond":0}`),
		"a known key of another type":    eventBody("ping", `,"params":{"media.ad.podIndex":"1"}`),
		"an unknown key":                 eventBody("ping", `,"params":{"nick":1}`),
		"states that are no list":        eventBody("statesUpdate", `,"params":{"statesStart":{"media.state.name":"mute"}}`),
		"a state that is no object":      eventBody("statesUpdate", `,"params":{"statesStart":["mute"]}`),
		"a state of another name":        eventBody("statesUpdate", `,"params":{"statesStart":[{"name":"mute"}]}`),
		"a member called sid":            eventBody("ping", `,"sid":"x"`),
		"states without params":          eventBody("statesUpdate", ""),
		"an array":                       "[" + eventBody("ping", "") + "]",
	} {
		s.expect(name, 400, "POST", events, body)
	}
	never := sessionsPath + "/" + strings.Repeat("0", 64) + "/events"
	s.expect("C16", 404, "POST", never, eventBody("ping", ""))
	s.expect("400 before 404", 400, "POST", never, eventBody("ping", `,"more":1`))
	s.expect("a trailing slash", 204, "POST", events+"/", eventBody("ping", ""))
	sid := strings.Split(events, "/")[4]
	s.expect("an id in upper case", 404, "POST", strings.Replace(events, sid, strings.ToUpper(sid), 1), eventBody("ping", ""))
}

// TestLifetimeCases are C17 to C21: the end of a session.
func TestLifetimeCases(t *testing.T) {
	t.Parallel()
	ping := eventBody("ping", "")
	t.Run("C17", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, conformance.Setting{})
		events := s.start(sessionStartBody("", ""))
		s.event(events, 204, eventBody("sessionEnd", ""))
		s.event(events, 410, ping)
		s.event(events, 204, eventBody("sessionEnd", ""))
		s.event(events, 410, eventBody("sessionComplete", ""))
		s.event(events, 400, `{"eventType":"ping"}`) // 400 before 410
		if e := s.Last(t); e.Outcome != "badRequest" {
			t.Errorf("got %s", e.Outcome)
		}
	})
	t.Run("sessionComplete closes nothing", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, conformance.Setting{})
		events := s.start(sessionStartBody("", ""))
		s.event(events, 204, eventBody("sessionComplete", ""))
		s.event(events, 204, ping)
	})
	t.Run("C18", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, conformance.Setting{})
		events := s.start(sessionStartBody("", ""))
		s.advance(10*time.Minute - time.Millisecond)
		s.event(events, 204, ping)
		s.advance(9 * time.Minute)
		s.event(events, 400, eventBody("ping", `,"more":1`)) // restarts no timer
		s.advance(time.Minute)
		s.event(events, 410, ping)
		s.event(events, 410, eventBody("sessionEnd", ""))
		if e := s.Last(t); e.Explanation == nil || e.Explanation.Cause != "session_idle" || !strings.Contains(e.Explanation.Text, "10m0s") {
			t.Errorf("explained as %+v", e.Explanation)
		}
	})
	t.Run("C19", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, conformance.Setting{})
		events := s.start(sessionStartBody("", ""))
		s.event(events, 204, eventBody("pauseStart", ""))
		for range 30 * 6 {
			s.advance(10 * time.Second)
			s.event(events, 204, ping)
		}
		s.advance(10 * time.Second)
		s.event(events, 410, ping)
		if e := s.Last(t); e.Explanation.Cause != "session_stalled" {
			t.Errorf("explained as %+v", e.Explanation)
		}
	})
	t.Run("C19 the SDK ends it at that moment", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, conformance.Setting{})
		events := s.start(sessionStartBody("", ""))
		for range 3 {
			s.advance(9 * time.Minute)
			s.event(events, 204, ping)
		}
		s.advance(3 * time.Minute)
		s.event(events, 204, eventBody("sessionEnd", ""))
	})
	t.Run("a playhead that moves", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, conformance.Setting{})
		events := s.start(sessionStartBody("", ""))
		for i := range 10 {
			s.advance(9 * time.Minute)
			s.event(events, 204, `{"eventType":"ping",`+playerTimeAt(float64(i), 1)+`}`)
		}
	})
	t.Run("C20 and C21", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, conformance.Setting{})
		old, ended := s.start(sessionStartBody("", "")), s.start(sessionStartBody("", ""))
		for i := range 24 * 12 {
			s.advance(5 * time.Minute)
			moving := `{"eventType":"ping",` + playerTimeAt(float64(i+1), 1) + `}`
			s.event(old, 204, moving)
			if i < 24*12-1 {
				s.event(ended, 204, moving)
			}
		}
		s.event(ended, 204, eventBody("sessionEnd", ""))
		s.start(strings.Replace(sessionStartBody(`,"media.resume":true`, ""), `"playhead":0`, `"playhead":86400`, 1))
		s.advance(time.Second)
		s.event(old, 410, ping)
		if e := s.Last(t); e.Explanation.Cause != "session_too_old" {
			t.Errorf("explained as %+v", e.Explanation)
		}
		s.advance(time.Hour - time.Second)
		s.event(old, 410, ping)
		s.advance(time.Millisecond)
		s.event(old, 404, ping)
		s.event(ended, 404, eventBody("sessionEnd", ""))
	})
}

// TestDownloadedCases are C22 and C23.
func TestDownloadedCases(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	batch := func(params, more string) string {
		return "[" + sessionStartBody(params, "") + `,{"eventType":"play",` + playerTimeAt(0, 1529997928174) + `},{"eventType":"ping",` + playerTimeAt(10, 1529997937503) + `}` + more + "]"
	}
	flag := `,"media.downloaded":true`
	complete := `,{"eventType":"sessionComplete",` + playerTimeAt(35, 1529997960559) + `}`
	for _, path := range []string{downloadedPath, sessionsPath} {
		for name, body := range map[string]string{
			"C22":                   batch(flag, complete),
			"without its end":       batch(flag, ""),
			"spaces before":         " \n\t" + batch(flag, complete),
			"the start alone":       "[" + sessionStartBody(flag, "") + "]",
			"events after the end":  batch(flag, `,{"eventType":"sessionEnd",`+playerTimeAt(35, 2)+`}`+complete),
			"any order of the time": batch(flag, `,{"eventType":"ping",`+playerTimeAt(35, 2)+`}`),
		} {
			got := s.request("POST", path, body)
			if got.Code != 201 || got.Header()["Location"] != nil {
				t.Errorf("%s to %s: got %d at %q: %s", name, path, got.Code, got.Header().Get("Location"), got.Body)
			}
		}
	}
	s.expect("no flag", 201, "POST", downloadedPath, batch("", complete))
	s.expect("a false flag", 201, "POST", downloadedPath, batch(`,"media.downloaded":false`, complete))
	var kept int
	s.withState(func(st *state) { kept = len(st.Sessions) })
	if kept != 14 {
		t.Errorf("%d sessions are kept, want 14", kept)
	}

	before := s.snapshot()
	for name, body := range map[string]string{
		"a bad element":         batch(flag, `,{"eventType":"ping"}`),
		"a second start":        batch(flag, `,`+sessionStartBody(flag, "")),
		"no start":              `[` + eventBody("play", "") + `]`,
		"empty":                 `[]`,
		"an element of no kind": batch(flag, `,5`),
		"an unknown type":       batch(flag, `,`+eventBody("seek", "")),
		"an end too many":       batch(flag, complete) + "]",
	} {
		s.expect("C23 "+name, 400, "POST", sessionsPath, body)
		s.expect("C23 "+name, 400, "POST", downloadedPath, body)
	}
	s.expect("C23 no flag", 400, "POST", sessionsPath, batch("", complete))
	s.expect("C23 a false flag", 400, "POST", sessionsPath, batch(`,"media.downloaded":false`, complete))
	s.expect("an object", 400, "POST", downloadedPath, sessionStartBody(flag, ""))
	s.expect("an empty body", 400, "POST", downloadedPath, "")
	if after := s.snapshot(); after != before {
		t.Error("a refused batch changed the state")
	}
}

// TestOtherCases are C24 and C25, and requests without an operation.
func TestOtherCases(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	for _, path := range []string{sessionsPath, sessionsPath + "/", sessionsPath + "/x/events", downloadedPath} {
		got := s.request("OPTIONS", path, "", "Origin", "https://player.example", "Access-Control-Request-Headers", "content-type", "Access-Control-Request-Method", "POST")
		if got.Code != 200 || s.Last(t).Outcome != "preflight" {
			t.Errorf("C24 %s: got %d", path, got.Code)
		}
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
			if got := s.request(method, path, "{}"); got.Code != 405 || got.Header().Get("Allow") != "OPTIONS, POST" {
				t.Errorf("%s %s: got %d, Allow %q", method, path, got.Code, got.Header().Get("Allow"))
			}
		}
	}
	for _, method := range []string{"POST", "OPTIONS"} {
		if got := s.request(method, "/api/v1/schemas/play", ""); got.Code != 405 || got.Header().Get("Allow") != "GET" {
			t.Errorf("%s a schema: got %d, Allow %q", method, got.Code, got.Header().Get("Allow"))
		}
	}
	for _, path := range []string{"/", "/api/v1", "/api/v1/sessions/x", "/api/v1/x/events", "/v1/sessions", "/va/api/v1/sessions", "/api/v2/sessions"} {
		s.expect("a stray path", 404, "POST", path, sessionStartBody("", ""))
	}
	got := s.request("GET", "/api/v1/schemas/sessionStart", "")
	var schema struct {
		Schema      string                     `json:"$schema"`
		ID          string                     `json:"id"`
		Definitions map[string]json.RawMessage `json:"definitions"`
	}
	if err := json.Unmarshal(got.Body.Bytes(), &schema); err != nil || got.Code != 200 || got.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("C25: got %d, %v", got.Code, err)
	}
	if !strings.Contains(schema.Schema, "draft-04") || schema.ID != "http://example.com/api/v1/schemas/sessionStart" || schema.Definitions[sessionStart] == nil {
		t.Errorf("C25: got %+v", schema)
	}
}

// TestLocations is C28: the ways in which clients take the id out of Location
// all give the same id.
func TestLocations(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{Set: map[string]string{"path_prefix": "/va"}})
	for _, path := range []string{sessionsPath, "/va" + sessionsPath} {
		got := s.request("POST", path, sessionStartBody("", ""))
		location := got.Header().Get("Location")
		anchored := regexp.MustCompile(`^/api/(.*)/sessions/(.*)`).FindStringSubmatch(location)
		if anchored == nil {
			t.Fatalf("%s: got %q", path, location)
		}
		_, behind, _ := strings.Cut(location, "/sessions/")
		for client, id := range map[string]string{
			"anchored": anchored[2], "fifth": strings.Split(location, "/")[4], "behind": behind, "last": location[strings.LastIndex(location, "/")+1:],
		} {
			if !wellFormed(id) {
				t.Errorf("%s, %s: got %q", path, client, id)
			}
		}
		s.event(strings.TrimSuffix(path, "/api/v1/sessions")+location+"/events", 204, eventBody("play", ""))
	}
	s.expect("another prefix", 404, "POST", "/tv"+sessionsPath, sessionStartBody("", ""))
	if regexp.MustCompile(`^/api/(.*)/sessions/(.*)`).MatchString("/api/v1/1337d8e4") {
		t.Error("a path without sessions yields an id")
	}
}
