package adobemedia_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/emulators/adobemedia"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

// startServer starts the server on free ports.
func startServer(t *testing.T, activate ...string) *server.Server {
	t.Helper()
	s, err := server.Start(server.Config{
		APIs: emulators.All, Only: []string{"adobemedia"}, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files,
		Bind: "127.0.0.1", ControlBind: "127.0.0.1", DoorPorts: []int{0}, APIPorts: "0",
		Seed: 1, Clock: "2023-11-14T22:13:20Z", Signatures: "sandbox", Activate: activate,
		Journal: 1000, MaxSandboxes: 10, MaxStall: time.Second, Body: 10 << 20, MaxConnections: 100, MaxInflight: 64 << 20,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Wall: time.Now, Env: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

// An action is a row of a documented timeline: when, where the playhead is, and
// what the player reports.
type action struct {
	second   int64
	playhead float64
	event    string
	params   map[string]any
}

// A player reports over net/http. It relies only on the documentation: a session
// comes with 201 and a Location of known form, and after 404 and 410 it opens a
// new session and repeats the event.
type player struct {
	t           *testing.T
	server      *server.Server
	base        string
	now         int64    // seconds of the timeline
	events      string   // path of the session's events
	opened      []string // every session
	startAction action   // the action of its sessionStart
}

const timelineStart = 1_700_000_000_000

func (p *player) post(path string, body any) (status int, location string) {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.Post(p.base+path, "application/json", bytes.NewReader(text))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	answer, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode < 400 && len(answer) > 0 {
		p.t.Errorf("%s: got %d with the body %q, %v", path, r.StatusCode, answer, err)
	}
	return r.StatusCode, r.Header.Get("Location")
}

func (a action) body() map[string]any {
	b := map[string]any{"eventType": a.event, "playerTime": map[string]any{"playhead": a.playhead, "ts": timelineStart + a.second*1000}}
	if a.params != nil {
		b["params"] = a.params
	}
	return b
}

// open opens a session, in as many as three attempts.
func (p *player) open(a action) error {
	p.startAction = a
	for range 3 {
		status, location := p.post("/api/v1/sessions", a.body())
		sid, ok := strings.CutPrefix(location, "/api/v1/sessions/")
		if status == http.StatusCreated && ok {
			p.events = "/api/v1/sessions/" + sid + "/events"
			p.opened = append(p.opened, sid)
			return nil
		}
	}
	return errors.New("no session after three attempts")
}

// report sends an event. Where the session is gone, it opens another one at the
// same position and sends the event there.
func (p *player) report(a action) error {
	for range 3 {
		switch status, _ := p.post(p.events, a.body()); status {
		case http.StatusNoContent:
			return nil
		case http.StatusNotFound, http.StatusGone:
			again := p.startAction
			again.second, again.playhead = a.second, a.playhead
			again.params = map[string]any{"media.resume": true}
			for key, x := range p.startAction.params {
				again.params[key] = x
			}
			if err := p.open(again); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s was answered %d", a.event, status)
		}
	}
	return errors.New(a.event + " was never taken")
}

// play plays a timeline and advances the sandbox's clock with it.
func (p *player) play(timeline []action) {
	p.t.Helper()
	for _, a := range timeline {
		if a.second > p.now {
			if err := p.server.Registry.Find(sandbox.Default).Clock.Advance(time.Duration(a.second-p.now) * time.Second); err != nil {
				p.t.Fatal(err)
			}
			p.now = a.second
		}
		do := p.report
		if a.event == "sessionStart" {
			do = p.open
		}
		if err := do(a); err != nil {
			p.t.Fatalf("second %d: %v", a.second, err)
		}
	}
}

// derived returns what the service derives from the player's last session.
func (p *player) derived() map[string]any {
	p.t.Helper()
	sandboxOf := p.server.Registry.Find(sandbox.Default)
	instance, err := sandboxOf.Instance(adobemedia.API)
	if err != nil {
		p.t.Fatal(err)
	}
	var text []byte
	instance.WithState(func(s contract.State) {
		text, err = json.Marshal(s.(contract.Deriver).Derive(sandboxOf.Clock.Now(), instance.Switches()))
	})
	var all struct {
		Sessions map[string]map[string]any `json:"sessions"`
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return all.Sessions[p.opened[len(p.opened)-1]]
}

func newPlayer(t *testing.T, activate ...string) *player {
	s := startServer(t, activate...)
	return &player{t: t, server: s, base: s.URL("adobemedia")}
}

// session are the params of the sessionStart of all timelines.
var session = map[string]any{
	"media.playerName": "sample-html5-api-player", "analytics.trackingServer": "[YOUR_TS]", "analytics.reportSuite": "[YOUR_RSID]",
	"analytics.visitorId": "[YOUR_VISITOR_ID]", "media.contentType": "VOD", "media.length": 60.3333333333333, "media.id": "VA API Sample Player",
	"visitor.marketingCloudOrgId": "[YOUR_MCID]", "media.name": "ClickMe", "media.channel": "sample-channel", "media.sdkVersion": "va-api-0.0.0",
	"analytics.enableSSL": false,
}

func pod(name string, index, second int) map[string]any {
	return map[string]any{"media.ad.podFriendlyName": name, "media.ad.podIndex": index, "media.ad.podSecond": second}
}

func ad(pod, name, id string, length, position int) map[string]any {
	return map[string]any{
		"media.ad.podFriendlyName": pod, "media.ad.name": name, "media.ad.id": id, "media.ad.length": length, "media.ad.podPosition": position,
		"media.ad.playerName": "Sample Player", "media.ad.advertiser": "Ad Guys", "media.ad.campaignId": "1", "media.ad.creativeId": "42",
		"media.ad.siteId": "XYZ", "media.ad.creativeURL": "http://xyz_creative.com", "media.ad.placementId": "sample_placement",
	}
}

func chapter(index, offset, length int, name string) map[string]any {
	return map[string]any{"media.chapter.index": index, "media.chapter.offset": offset, "media.chapter.length": length, "media.chapter.friendlyName": name}
}

// The documented timelines, action by action. Timeline 3 calls the end of a
// chapter chapterEnd, which no list of events has; 2 sends qoeData with a key
// that no table has, and it is left out.
var (
	preRoll = []action{
		{0, 0, "sessionStart", session},
		{0, 0, "adBreakStart", pod("ad_pod1", 0, 0)},
		{0, 0, "adStart", ad("ad_pod1", "Ad 1", "001", 15, 1)},
		{10, 0, "ping", nil},
		{15, 0, "adComplete", nil},
		{15, 0, "adStart", ad("ad_pod1", "Ad 2", "002", 7, 1)},
		{20, 0, "ping", nil},
		{22, 0, "adComplete", nil},
		{22, 0, "adBreakComplete", nil},
		{22, 0, "play", nil},
	}
	buffering = []action{
		{30, 8, "ping", nil},
		{33, 11, "bufferStart", nil},
		{36, 11, "play", nil},
		{40, 15, "ping", nil},
	}
	midRoll = []action{
		{46, 21, "adBreakStart", pod("ad_pod2", 1, 21)},
		{46, 21, "adStart", ad("ad_pod2", "Ad 3", "003", 8, 2)},
		{50, 21, "ping", nil},
		{54, 21, "adComplete", nil},
		{54, 21, "adBreakComplete", nil},
	}
	pausing = []action{
		{60, 27, "ping", nil},
		{64, 31, "pauseStart", nil},
		{70, 31, "ping", nil},
		{74, 31, "play", nil},
		{80, 37, "ping", nil},
	}
	complete  = []action{{88, 45, "sessionComplete", nil}}
	timeline1 = join(preRoll, buffering, midRoll, pausing, complete)
	timeline2 = join([]action{
		{0, 0, "sessionStart", session},
		{0, 0, "adBreakStart", pod("ad_pod1", 0, 0)},
		{0, 0, "adStart", ad("ad_pod1", "Ad 1", "002", 7, 1)},
		{10, 0, "ping", nil},
		{12, 0, "adComplete", nil},
		{12, 0, "adBreakComplete", nil},
		{12, 0, "play", nil},
		{20, 8, "ping", nil},
		{30, 18, "ping", nil},
		{32, 20, "error", nil},
		{37, 18, "play", nil},
		{40, 28, "ping", nil},
		{45, 33, "adBreakStart", pod("ad_pod2", 1, 33)},
		{45, 33, "adStart", ad("ad_pod1", "Ad 1", "002", 8, 1)},
		{48, 33, "sessionEnd", nil},
	})
	timeline3 = join(preRoll, []action{{23, 0, "chapterStart", chapter(1, 0, 20, "Chapter Uno")}}, buffering,
		[]action{{45, 20, "chapterComplete", nil}}, midRoll, []action{{55, 22, "chapterStart", chapter(2, 22, 22, "Chapter Dos")}},
		pausing, []action{{87, 0, "chapterComplete", nil}}, complete)
)

func join(parts ...[]action) []action {
	var all []action
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// A player plays the three documented timelines against a started server. The
// derived values of each session are those of the documentation.
func TestDocumentedTimelines(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		timeline []action
		want     map[string]any
	}{
		"1, to the end of the content": {timeline1, map[string]any{
			"state": "playing", "complete": true, "content_start": float64(timelineStart + 22_000), "buffer_ms": 3000., "pause_ms": 10_000.,
			"time_spent_ms": 75_000., "ad": false, "ad_break": false, "chapter": false, "progress": "[10 25 50]", "estimated_streams": 1., "stalls": 0.,
		}},
		"2, the viewer leaves": {timeline2, map[string]any{
			"state": "ended", "closed_by": "sessionEnd", "complete": false, "content_start": float64(timelineStart + 12_000), "ad": true, "ad_break": true,
			"time_spent_ms": 48_000., "seconds_since_last_call": 0.,
		}},
		"3, chapters": {timeline3, map[string]any{
			"state": "playing", "complete": true, "buffer_ms": 3000., "pause_ms": 10_000., "time_spent_ms": 75_000., "chapter": false,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlayer(t)
			p.play(v.timeline)
			if len(p.opened) != 1 {
				t.Errorf("the player opened %d sessions", len(p.opened))
			}
			if err := p.server.Registry.Find(sandbox.Default).Clock.Advance(5 * time.Second); err != nil { // closes the window
				t.Fatal(err)
			}
			got := p.derived()
			for key, want := range v.want {
				if _, text := want.(string); text && fmt.Sprint(got[key]) != want || !text && got[key] != want {
					t.Errorf("%s: got %v, want %v", key, got[key], want)
				}
			}
		})
	}
}

// A player whose session is gone opens another and repeats the event, whether
// the service forgot the session, closed it, or the viewer was away too long.
func TestPlayersRecover(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		scenario string
		timeline []action
		opened   int
	}{
		"the session is unknown":      {"adobemedia/session-expired", timeline1, 2},
		"the session closes":          {"adobemedia/session-closed-after-five-events", timeline3, 2},
		"it is lost twice":            {"adobemedia/session-lost-twice", timeline2, 3},
		"the viewer was away":         {"", join(preRoll, []action{{22 + 660, 0, "play", nil}, {22 + 670, 10, "ping", nil}, {22 + 672, 12, "sessionEnd", nil}}), 2},
		"a proxy is in the way":       {"adobemedia/session-start-unavailable", timeline2, 1},
		"Location is lost on the way": {"adobemedia/location-invalid", timeline2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var activate []string
			if v.scenario != "" {
				activate = []string{v.scenario}
			}
			p := newPlayer(t, activate...)
			p.play(v.timeline)
			if len(p.opened) != v.opened {
				t.Errorf("the player opened %d sessions, want %d", len(p.opened), v.opened)
			}
		})
	}
	t.Run("nothing helps", func(t *testing.T) {
		t.Parallel()
		p := newPlayer(t, "adobemedia/location-missing")
		if err := p.open(preRoll[0]); err == nil {
			t.Error("a session without Location counts as opened")
		}
	})
}
