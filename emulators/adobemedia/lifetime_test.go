package adobemedia

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/wire"
)

// Each switch works in each of its positions.
func TestSwitches(t *testing.T) {
	t.Parallel()
	set := func(pairs ...string) conformance.Setting {
		s := conformance.Setting{Set: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			s.Set[pairs[i]] = pairs[i+1]
		}
		return s
	}
	ping := eventBody("ping", "")
	t.Run("closed_policy: drop", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("closed_policy", "drop"))
		ended, idle := s.start(sessionStartBody("", "")), s.start(sessionStartBody("", ""))
		s.event(ended, 204, eventBody("sessionEnd", ""))
		s.event(ended, 204, ping)
		s.advance(11 * time.Minute)
		s.event(idle, 204, ping)
		s.withState(func(st *state) {
			for i, want := range []int{1, 1} {
				if one := st.Sessions[i]; one.Dropped != want || !one.Hits[len(one.Hits)-1].Dropped {
					t.Errorf("session %d: %d events were dropped, want %d", i, one.Dropped, want)
				}
			}
		})
		if n, ok := s.Last(t).Notes.Get("dropped, because the session was closed by"); !ok || n != byIdle {
			t.Errorf("the journal notes %v", n)
		}
		s.advance(24*time.Hour - 11*time.Minute)
		s.event(ended, 204, ping)
		s.advance(time.Millisecond)
		s.event(ended, 410, ping)
		s.event(idle, 410, ping)
	})
	t.Run("closed_policy: drop, and a session too old or closed by a scenario", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("closed_policy", "drop"))
		for what, want := range map[string]int{byAge: 410, byIdle: 204, byStall: 204} {
			events := s.start(sessionStartBody("", ""))
			if err := s.Trigger(t, "expire", contract.Values{"what": what, "id": strings.Split(events, "/")[4]}); err != nil {
				t.Fatal(err)
			}
			s.event(events, want, ping)
		}
		events := s.start(sessionStartBody("", ""))
		s.request("POST", events, ping, "Understudy-Outcome", "sessionClosed")
		s.event(events, 410, ping)
	})
	t.Run("unknown_keys: lenient", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("unknown_keys", "lenient"))
		events := s.start(strings.Replace(sessionStartBody(`,"media.nick":1`, `,"more":{}`), "1509045324153", "1509045324153.0", 1))
		s.event(events, 204, eventBody("error", `,"params":{"media.errorId":"x","media.errorSource":"player"},"sid":"x"`))
		s.event(events, 204, eventBody("adBreakStart", `,"params":{"media.ad.podIndex":1.00,"media.ad.podSecond":0}`))
		s.event(events, 204, eventBody("ping", `,"qoeData":{"bitrate":1}`))
		s.start(sessionStartBody(`,"visitor.customerIDs":{"a":{"id":"b","authState":1.0,"more":1}}`, ""))
		s.expect("a customer id's state", 400, "POST", sessionsPath, sessionStartBody(`,"visitor.customerIDs":{"a":{"authState":1.5}}`, ""))
		s.event(events, 400, eventBody("adBreakStart", `,"params":{"media.ad.podIndex":1.5,"media.ad.podSecond":0}`))
		s.event(events, 400, eventBody("adBreakStart", `,"params":{"media.ad.podIndex":1e2,"media.ad.podSecond":0}`))
		s.event(events, 400, eventBody("adBreakStart", `,"params":{"media.ad.podIndex":"1.0","media.ad.podSecond":0}`))
		s.event(events, 400, eventBody("ping", `,"customMetadata":{"my-key":"x"}`))
		s.event(events, 400, eventBody("ping", `,"qoeData":{"media.qoe.bitrate":"1"}`))
		if e := s.Last(t); e.Status != 400 || len(e.Violations) != 1 || e.Violations[0].Path != "qoeData.media.qoe.bitrate" {
			t.Errorf("got %+v", e.Violations)
		}
	})
	t.Run("strict_content_type", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("strict_content_type", "on"))
		for media, want := range map[string]int{"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json": 201, "Application/JSON; charset=utf-8": 201} {
			if got := s.request("POST", sessionsPath, sessionStartBody("", ""), "Content-Type", media); got.Code != want {
				t.Errorf("%q: got %d, want %d", media, got.Code, want)
			}
		}
		s.expect("a schema", 200, "GET", "/api/v1/schemas/play", "")
	})
	t.Run("error_requires_id", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("error_requires_id", "on"))
		events := s.start(sessionStartBody("", ""))
		s.event(events, 400, eventBody("error", ""))
		s.event(events, 400, eventBody("error", `,"qoeData":{}`))
		s.event(events, 400, eventBody("error", `,"qoeData":{"media.qoe.errorID":"x"}`))
		s.event(events, 400, eventBody("error", `,"qoeData":{"media.qoe.errorID":5,"media.qoe.errorSource":"player"}`))
		s.event(events, 204, eventBody("error", `,"qoeData":{"media.qoe.errorID":"x","media.qoe.errorSource":"player"}`))
		s.event(events, 204, eventBody("play", `,"qoeData":{}`))
	})
	t.Run("accept_batch_on_sessions", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("accept_batch_on_sessions", "off"))
		s.expect("the older form", 400, "POST", sessionsPath, string(offlineSession()))
		s.expect("the newer form", 201, "POST", downloadedPath, string(offlineSession()))
	})
	t.Run("timers", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("idle_timeout", "1m", "stall_timeout", "90s", "max_age", "5m", "tombstone_ttl", "6m"))
		idle := s.start(sessionStartBody("", ""))
		s.advance(59 * time.Second)
		s.event(idle, 204, ping)
		s.advance(time.Minute)
		s.event(idle, 410, ping)
		stalled := s.start(sessionStartBody("", ""))
		s.advance(50 * time.Second)
		s.event(stalled, 204, ping)
		s.advance(44 * time.Second)
		s.event(stalled, 204, ping)
		s.advance(time.Second)
		s.event(stalled, 410, ping)
		old := s.start(sessionStartBody("", ""))
		for i := range 6 {
			s.advance(50 * time.Second)
			s.event(old, 204, `{"eventType":"ping",`+playerTimeAt(float64(i+1), 1)+`}`)
		}
		s.advance(time.Millisecond)
		s.event(old, 410, ping)
		s.advance(time.Minute - time.Millisecond)
		s.event(old, 410, ping)
		s.advance(time.Millisecond)
		s.event(old, 404, ping)
	})
	t.Run("max_body", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("max_body", "1000"))
		s.expect("short", 201, "POST", sessionsPath, sessionStartBody("", ""))
		s.expect("long", 413, "POST", sessionsPath, sessionStartBody(strings.Repeat(" ", 1000), ""))
	})
	t.Run("server_header", func(t *testing.T) {
		t.Parallel()
		for _, want := range []string{"", "jag"} {
			w := conformance.New(t, API, set("server_header", want))
			got := w.Send(w.Request(t, sendEvent, contract.Sample(sendEvent.Params)))
			if h, there := got.Header()["Server"]; there != (want != "") || there && h[0] != want {
				t.Errorf("got %q, want %q", h, want)
			}
		}
	})
	t.Run("reorder: off", func(t *testing.T) {
		t.Parallel()
		s := newClient(t, set("reorder", "off"))
		events := s.start(sessionStartBody("", ""))
		for _, ts := range []int64{3, 1, 2} {
			s.event(events, 204, `{"eventType":"ping",`+playerTimeAt(0, ts)+`}`)
		}
		if d := s.derive()[0]; fmt.Sprint(d.Order, d.Waiting) != "[1 2 3 4] []" {
			t.Errorf("got %v, %v waiting", d.Order, d.Waiting)
		}
	})
}

// The shipped fixtures do what they say.
func TestShippedFixtures(t *testing.T) {
	t.Parallel()
	events := sessionsPath + "/" + documentedID + "/events"
	s := newClient(t, conformance.Setting{Fixture: "drop"})
	s.event(events, 204, eventBody("sessionEnd", ""))
	s.event(events, 204, eventBody("ping", ""))
	s = newClient(t, conformance.Setting{Fixture: "strict"})
	s.event(events, 415, eventBody("ping", ""))
	if got := s.request("POST", events, eventBody("error", ""), "Content-Type", "application/json"); got.Code != 400 {
		t.Errorf("a bare error: got %d", got.Code)
	}
	s = newClient(t, conformance.Setting{Fixture: "quick"})
	s.event(events, 204, eventBody("ping", ""))
	s.advance(15 * time.Second)
	s.event(events, 410, eventBody("ping", ""))
}

// derive returns what follows from the sessions, in the order of opening.
func (cl *client) derive() []*derived {
	cl.t.Helper()
	var all []*derived
	cl.withState(func(st *state) {
		for _, one := range st.Sessions {
			all = append(all, one.derive(cl.Sandbox.Clock.Now().UnixMilli(), limitsOf(cl.Instance(cl.t).Switches()), cl.Instance(cl.t).Switches().Bool("reorder")))
		}
	})
	return all
}

// Events are sorted within a window of five seconds or ten events. Events of an
// open window wait.
func TestReordering(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		come  []int64 // ts of events in the order of arrival; -n: n milliseconds pass
		order string
		wait  string
	}{
		"nothing":                       {nil, "[1]", "[]"},
		"a window is open":              {[]int64{2, 1}, "[1]", "[2 3]"},
		"five seconds pass":             {[]int64{2, 1, -5000}, "[1 3 2]", "[]"},
		"less passes":                   {[]int64{2, 1, -4999}, "[1]", "[2 3]"},
		"the next comes in its window":  {[]int64{2, -4999, 1, -1}, "[1 3 2]", "[]"},
		"the next comes after":          {[]int64{2, -5000, 1, -5000}, "[1 2 3]", "[]"},
		"ten wait":                      {[]int64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, "[1]", "[2 3 4 5 6 7 8 9 10 11]"},
		"the eleventh closes":           {[]int64{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, "[1 12 11 10 9 8 7 6 5 4 3 2]", "[]"},
		"the twelfth opens":             {[]int64{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, "[1 12 11 10 9 8 7 6 5 4 3 2]", "[13]"},
		"one ts keeps the order":        {[]int64{1, 1, 0, 1, -5000}, "[1 4 2 3 5]", "[]"},
		"a session is not put in order": {[]int64{-1509045324153, -5000}, "[1]", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newClient(t, conformance.Setting{})
			events := s.start(sessionStartBody("", ""))
			for _, x := range v.come {
				if x < 0 {
					s.advance(time.Duration(-x) * time.Millisecond)
					continue
				}
				s.event(events, 204, `{"eventType":"ping",`+playerTimeAt(0, x)+`}`)
			}
			d := s.derive()[0]
			if waiting := fmt.Sprint(d.Waiting); fmt.Sprint(d.Order) != v.order || waiting != v.wait {
				t.Errorf("got %v and %s waiting, want %s and %s", d.Order, waiting, v.order, v.wait)
			}
		})
	}
}

// The derived values of a session follow from its events.
func TestDerived(t *testing.T) {
	t.Parallel()
	type say struct {
		second   int64
		playhead float64
		event    string
		params   string
	}
	state := func(name string) string { return `{"media.state.name":"` + name + `"}` }
	var eleven []say
	for i := range 11 {
		eleven = append(eleven, say{int64(i), 0, "stateStart", state(fmt.Sprint("state", i))})
	}
	for name, v := range map[string]struct {
		say  []say
		want func(*derived) any
		is   any
	}{
		"starting":                    {nil, func(d *derived) any { return d.State }, "starting"},
		"buffering":                   {[]say{{1, 0, "bufferStart", ""}}, func(d *derived) any { return d.State }, "buffering"},
		"an ad plays":                 {[]say{{1, 0, "adBreakStart", `{"media.ad.podIndex":0,"media.ad.podSecond":0}`}, {1, 0, "adStart", ads}}, func(d *derived) any { return fmt.Sprintln(d.State, d.Ad, d.AdBreak) }, "playing true true\n"},
		"an ad outside of a break":    {[]say{{1, 0, "adStart", ads}}, func(d *derived) any { return fmt.Sprintln(d.State, d.Ad) }, "starting false\n"},
		"a play within an ad":         {[]say{{1, 0, "adBreakStart", `{"media.ad.podIndex":0,"media.ad.podSecond":0}`}, {1, 0, "adStart", ads}, {2, 0, "play", ""}, {3, 0, "adSkip", ""}, {4, 0, "play", ""}}, func(d *derived) any { return *d.ContentStart }, int64(4000)},
		"progress":                    {[]say{{1, 31, "play", ""}, {2, 57, "ping", ""}}, func(d *derived) any { return fmt.Sprint(d.Progress) }, "[10 25 50 75 95]"},
		"a stall":                     {[]say{{1, 5, "play", ""}, {2, 5, "ping", ""}, {3, 5, "ping", ""}, {4, 5, "ping", ""}, {5, 5, "ping", ""}, {6, 6, "ping", ""}}, func(d *derived) any { return d.Stalls }, 1},
		"no stall while it pauses":    {[]say{{1, 5, "pauseStart", ""}, {2, 5, "ping", ""}, {3, 5, "ping", ""}, {4, 5, "ping", ""}, {5, 5, "ping", ""}}, func(d *derived) any { return d.Stalls }, 0},
		"half an hour and more":       {[]say{{1, 0, "play", ""}, {1801, 5, "ping", ""}}, func(d *derived) any { return d.Streams }, int64(2)},
		"states":                      {[]say{{1, 0, "stateStart", state("Mute")}, {3, 0, "stateStart", state("mute")}, {6, 0, "statesUpdate", `{"statesEnd":[` + state("mute") + `],"statesStart":[` + state("mute") + `]}`}, {8, 0, "stateEnd", state("mute")}}, func(d *derived) any { return *d.PlayerStates["mute"] }, playerState{Count: 2, Time: 7000, since: 6000}},
		"ten states and no more":      {eleven, func(d *derived) any { return len(d.PlayerStates) }, 10},
		"an end closes a state":       {[]say{{1, 0, "stateStart", state("mute")}, {9, 0, "sessionEnd", ""}}, func(d *derived) any { return d.PlayerStates["mute"].Time }, int64(8000)},
		"content starts at 0":         {[]say{{0, 0, "play", ""}, {5, 5, "play", ""}}, func(d *derived) any { return *d.ContentStart }, int64(0)},
		"time runs from 0 on":         {[]say{{0, 0, "play", ""}, {10, 10, "pauseStart", ""}}, func(d *derived) any { return d.TimeSpent }, int64(10_000)},
		"time does not run backwards": {[]say{{10, 0, "play", ""}, {10, 0, "pauseStart", ""}, {9, 0, "play", ""}}, func(d *derived) any { return fmt.Sprint(d.TimeSpent, d.PauseTime) }, "1000 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newClient(t, conformance.Setting{})
			events := s.start(strings.Replace(sessionStartBody("", ""), "1509045324153", "0", 1))
			for _, x := range v.say {
				params := ""
				if x.params != "" {
					params = `,"params":` + x.params
				}
				s.event(events, 204, `{"eventType":"`+x.event+`",`+playerTimeAt(x.playhead, x.second*1000)+params+`}`)
			}
			s.advance(5 * time.Second)
			if got := v.want(s.derive()[0]); got != v.is {
				t.Errorf("got %v, want %v", got, v.is)
			}
		})
	}
}

const ads = `{"media.ad.id":"1","media.ad.length":1,"media.ad.podPosition":1,"media.ad.playerName":"p"}`

// Events that are no longer stored are counted, and are in no order.
func TestDerivedWithoutEvents(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	events := s.start(sessionStartBody("", ""))
	waiting := sessionsPath + "/" + documentedID + "/events"
	s.event(events, 204, eventBody("play", ""))
	s.withState(func(st *state) { st.dropEvents(st.Sessions[0]) })
	s.event(events, 204, eventBody("ping", ""))
	for range maxHits + 1 {
		s.event(waiting, 204, eventBody("ping", ""))
	}
	s.advance(5 * time.Second)
	all := s.derive()
	if d := all[0]; d.NotKept != 2 || fmt.Sprint(d.Order) != "[3]" {
		t.Errorf("of three events, one stored: %d not stored, order %v", d.NotKept, d.Order)
	}
	if d := all[1]; d.NotKept != 1 || len(d.Order) != maxHits {
		t.Errorf("of a session of the fixture: %d not stored, %d in order", d.NotKept, len(d.Order))
	}
}

// The derived values of a closed session include what closed it and the time
// since its last event.
func TestDerivedOfClosedSessions(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{})
	idle, complete := s.start(sessionStartBody("", "")), s.start(sessionStartBody("", ""))
	s.event(idle, 204, eventBody("play", ""))
	s.event(complete, 204, eventBody("sessionComplete", ""))
	s.expect("downloaded", 201, "POST", downloadedPath, string(offlineSession()))
	s.advance(20 * time.Minute)
	for i, want := range []struct {
		by      string
		seconds int64
	}{{byIdle, 600}, {byIdle, 0}, {byDownload, 0}} {
		if d := s.derive()[i]; d.State != "ended" || d.ClosedBy != want.by || d.SecondsSinceCall == nil || *d.SecondsSinceCall != want.seconds {
			t.Errorf("session %d: got %+v, want %+v", i, d, want)
		}
	}
	s.withState(func(st *state) {
		text, err := json.Marshal(st.Derive(s.Sandbox.Clock.Now(), s.Instance(t).Switches()))
		if err != nil || !strings.Contains(string(text), `"closed_by":"idle"`) || strings.Contains(s.snapshotOf(st), "closed_by") {
			t.Errorf("got %s, %v", text, err)
		}
	})
}

func (cl *client) snapshotOf(st *state) string {
	text, err := wire.Saved(st)
	if err != nil {
		cl.t.Fatal(err)
	}
	return string(text)
}

// A forced outcome changes the state so that later answers agree with it.
func TestForcedOutcomesLast(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		outcome string
		status  int
		then    int
	}{{"sessionNotFound", 404, 404}, {"sessionClosed", 410, 410}, {"serverError", 500, 204}, {"badRequest", 400, 204}, {"accepted", 204, 204}} {
		for _, fresh := range []bool{true, false} {
			s := newClient(t, conformance.Setting{})
			events := sessionsPath + "/" + documentedID + "/events"
			if !fresh {
				events = s.start(sessionStartBody("", ""))
			}
			if got := s.request("POST", events, eventBody("ping", ""), "Understudy-Outcome", v.outcome); got.Code != v.status {
				t.Errorf("%s: got %d", v.outcome, got.Code)
			}
			s.event(events, v.then, eventBody("ping", ""))
		}
	}
	s := newClient(t, conformance.Setting{})
	unknown := sessionsPath + "/" + strings.Repeat("1", 64) + "/events"
	s.request("POST", unknown, eventBody("ping", ""), "Understudy-Outcome", "accepted")
	s.event(unknown, 204, eventBody("ping", ""))
	forgotten := s.start(sessionStartBody("", ""))
	s.request("POST", forgotten, eventBody("ping", ""), "Understudy-Outcome", "sessionNotFound")
	s.request("POST", forgotten, eventBody("ping", ""), "Understudy-Outcome", "accepted")
	s.event(forgotten, 204, eventBody("ping", ""))
	s.advance(26 * time.Hour)
	s.request("POST", forgotten, eventBody("ping", ""), "Understudy-Outcome", "accepted")
	s.event(forgotten, 204, eventBody("ping", ""))
	if err := s.Instance(t).Restore([]byte(s.snapshot())); err != nil {
		t.Errorf("forgotten sessions are found again: %v", err)
	}
	malformed := sessionsPath + "/x/events"
	s.request("POST", malformed, eventBody("ping", ""), "Understudy-Outcome", "accepted")
	s.event(malformed, 404, eventBody("ping", ""))
}

// The trigger ends a session's time. Each kind has its own consequence.
func TestExpire(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]int{byIdle: 410, byStall: 410, byAge: 410, "tombstone": 404} {
		for _, sid := range []string{documentedID, ""} {
			s := newClient(t, conformance.Setting{})
			events := sessionsPath + "/" + sid + "/events"
			if sid == "" {
				events = s.start(sessionStartBody("", ""))
				sid = strings.Split(events, "/")[4]
			}
			if err := s.Trigger(t, "expire", contract.Values{"what": what, "id": sid}); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			s.event(events, want, eventBody("ping", ""))
			if err := s.Trigger(t, "expire", contract.Values{"what": byIdle, "id": sid}); err == nil {
				t.Errorf("%s: an ended session ended again", what)
			}
		}
	}
}

// A session is found by its id, and a new one by organisation and report suite,
// in any sandbox. A forgotten session is not found.
func TestSandboxesAreFound(t *testing.T) {
	t.Parallel()
	s := newClient(t, conformance.Setting{Clock: conformance.Noon})
	there := s.request("POST", sessionsPath, sessionStartBody("", ""), "Understudy-Sandbox", "other").Header().Get("Location") + "/events"
	here := s.start(sessionStartBody("", ""))
	s.event(there, 204, eventBody("ping", ""))
	s.event(here, 204, eventBody("ping", ""))
	other := s.Registry.Find("other")
	if calls, _ := other.Journal.List(journal.Filter{Limit: 10}); len(calls) != 2 || calls[0].FoundBy != "word" {
		t.Errorf("the other sandbox had the calls %+v", calls)
	}
	if s.request("POST", there, eventBody("ping", ""), "Understudy-Sandbox", "default").Code != 404 {
		t.Error("a session of another sandbox is known")
	}
	other.Clock.Freeze(conformance.Noon.Add(26 * time.Hour))
	s.event(there, 404, eventBody("ping", ""))
	s.request("POST", sessionsPath, sessionStartBody("", ""), "Understudy-Sandbox", "other") // deletes forgotten sessions
	s.event(there, 404, eventBody("ping", ""))
	if e := s.Last(t); e.FoundBy != "default" {
		t.Errorf("a forgotten session is found by %s", e.FoundBy)
	}
}
