package adobemedia

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// A player calls a world without a socket and stores the id of its last session.
type player struct {
	t     testing.TB
	world *conformance.World
	sid   string
	ts    int64
}

// send makes the call that a step names: start, downloaded, batch, or an event
// type. play@documented and the events after it go to the session that the pages
// print.
func (p *player) send(step string) *journal.Entry {
	p.t.Helper()
	p.ts += 1000
	event, documented := strings.CutSuffix(step, "@documented")
	if documented {
		p.sid = documentedID
	}
	switch step {
	case "start":
		e := p.world.Corridor(p.t, post(sessionsPath, startBody(), startSession, sendBatch))
		if sid, ok := strings.CutPrefix(e.Response.Header.Get("Location"), sessionsPath+"/"); ok {
			p.sid = sid
		}
		return e
	case "downloaded":
		return p.world.Corridor(p.t, post(downloadedPath, offlineSession(), sendDownloaded))
	case "batch":
		return p.world.Corridor(p.t, post(sessionsPath, offlineSession(), startSession, sendBatch))
	}
	body := fmt.Sprintf(`{"eventType":%q,"playerTime":{"playhead":%d,"ts":%d}}`, event, p.ts/1000, p.ts)
	if step == "adStart" {
		body = adStart
	}
	return p.world.Corridor(p.t, eventOf(p.sid, body))
}

// offlineSession returns a session that was played offline.
func offlineSession() []byte {
	first := strings.Replace(string(startBody()), `"params":{`, `"params":{"media.downloaded":true,`, 1)
	return []byte("[" + first + `,{"eventType":"play","playerTime":{"playhead":0,"ts":1529997928174}},{"eventType":"sessionComplete","playerTime":{"playhead":35,"ts":1529997960559}}]`)
}

// describe returns a short description of what the client sees.
func describe(e *journal.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", e.Status)
	if location := e.Response.Header.Get("Location"); e.Status == 201 {
		sid, whole := strings.CutPrefix(location, sessionsPath+"/")
		switch {
		case location == "":
			b.WriteString(" without Location")
		case whole && wellFormed(sid):
			b.WriteString(" session")
		default:
			b.WriteString(" at " + location)
		}
	}
	if e.Wire != nil && e.Wire.Fault != "" {
		return e.Wire.Fault
	}
	if e.Wire != nil && e.Wire.DelayMS > 0 {
		fmt.Fprintf(&b, " after %d ms", e.Wire.DelayMS)
	}
	if e.Response.Header.Get("Access-Control-Allow-Origin") == "" && (e.Wire == nil || !e.Wire.Answered) {
		b.WriteString(" not to be read by browsers")
	}
	return b.String()
}

// Each shipped scenario does what its description says. The table lists the
// calls and what the client sees of each.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	const opened, none = "201 session", "201 without Location"
	const elsewhere = "201 at https://collection.example/api/v1/sessions/1337d8e40000000000000000000000000000000000000000000000000000ec5d"
	plays := map[string][]string{
		"session-start-unavailable":            {"start", "503", "start", "503", "start", opened, "play", "204"},
		"session-start-gateway-timeout":        {"start", "504", "start", "504", "start", "504", "start", opened},
		"session-start-refused":                {"start", "400", "start", "400", "downloaded", none},
		"session-start-server-error":           {"start", "500", "start", opened, "play", "204"},
		"session-start-slow":                   {"start", "201 session after 5500 ms", "start", opened, "play", "204"},
		"session-start-just-in-time":           {"start", "201 session after 4500 ms", "start", "201 session after 4500 ms", "play", "204"},
		"session-start-unanswered":             {"start", "empty", "start", opened, "play", "204"},
		"session-start-portal":                 {"start", "200", "start", opened},
		"location-missing":                     {"start", none, "start", none, "start", none, "start", opened},
		"location-invalid":                     {"start", "201 at invalid", "start", opened, "play", "204"},
		"location-absolute":                    {"start", elsewhere, "start", elsewhere},
		"session-closed-after-five-events":     {"start", opened, "play", "204", "ping", "204", "ping", "204", "ping", "204", "ping", "204", "ping", "410", "ping", "410", "start", opened, "ping", "204"},
		"session-expired":                      {"start", opened, "play", "404", "play", "404", "start", opened, "play", "204"},
		"session-lost-twice":                   {"start", opened, "play", "410", "start", opened, "play", "404", "start", opened, "play", "204"},
		"session-closed-at-ping":               {"start", opened, "ping", "204", "play", "204", "ping", "204", "ping", "410", "play", "410"},
		"session-closed-unreadable":            {"start", opened, "play", "410 not to be read by browsers"},
		"events-refused":                       {"start", opened, "play", "400", "ping", "400"},
		"ad-starts-refused":                    {"start", opened, "adStart", "400", "play", "204", "adStart", "400"},
		"events-slow":                          {"start", opened, "play", "204 after 6000 ms", "ping", "204 after 6000 ms"},
		"events-server-error":                  {"start", opened, "play", "500", "ping", "500", "ping", "500", "ping", "204"},
		"events-reset":                         {"start", opened, "play", "reset", "play", "reset", "play", "204"},
		"events-throttled":                     {"start", opened, "play", "429", "play", "429", "play", "204"},
		"session-end-slow":                     {"start", opened, "play", "204", "sessionEnd", "204 after 6000 ms", "play", "410"},
		"downloaded-unavailable":               {"downloaded", "503", "downloaded", "503", "downloaded", none, "batch", "503", "batch", "503", "batch", none, "start", opened},
		"events-just-in-time":                  {"start", opened, "play", "204 after 4500 ms", "ping", "204 after 4500 ms"},
		"events-flapping":                      {"start", opened, "play", "204", "ping", "500", "ping", "204", "ping", "500"},
		"session-start-flapping":               {"start", "500", "start", opened, "start", "500", "start", opened, "play", "204"},
		"session-start-answer-lost":            {"start", "reset", "start", opened, "play", "204"},
		"session-never-opened":                 {"start", opened, "play", "404", "start", opened, "play", "204"},
		"session-times-out-between-two-events": {"play@documented", "204", "ping", "410", "start", opened, "ping", "204"},
		"session-forgotten-between-two-events": {"play@documented", "204", "ping", "204", "ping", "404", "start", opened, "ping", "204"},
		"session-reopened-over-a-bad-network":  {"play@documented", "204 after 3000 ms", "ping", "410", "start", "503", "start", "503", "start", opened, "ping", "204"},
		"slow-start":                           {"start", "503", "play@documented", "503", "downloaded", "503", "wait 2m", "", "start", opened, "play", "204", "downloaded", none},
		"brown-out":                            {"start", "brown-out"},
		"downloaded-refused":                   {"downloaded", "400", "batch", "400", "start", opened},
	}
	left := map[string]int{"session-start-answer-lost": 2, "session-never-opened": 1, "session-start-unanswered": 1}
	demands := conformance.Demands{
		Failures: []string{startSession.Name, sendEvent.Name},
		Patience: map[string][]time.Duration{startSession.Name: {5 * time.Second}, sendEvent.Name: {5 * time.Second}},
	}
	conformance.Shipped(t, API, plays, demands, func(t *testing.T, w *conformance.World, calls []string) {
		p := &player{t: t, world: w}
		untouched := func(when string) {
			t.Helper()
			for _, c := range [][2]string{{"start", opened}, {"ping", "204"}, {"downloaded", none}, {"sessionEnd", "204"}} {
				if got := describe(p.send(c[0])); got != c[1] {
					t.Errorf("%s, %s: got %s, want %s", when, c[0], got, c[1])
				}
			}
		}
		untouched("before")
		name, before := path.Base(t.Name()), p.sessions()
		w.Activate(t, name)
		for i := 0; i < len(calls); i += 2 {
			p.playStep(i/2+1, calls[i], calls[i+1])
		}
		if n, counts := left[name]; counts && p.sessions()-before != n {
			t.Errorf("%d sessions were opened, want %d", p.sessions()-before, n)
		}
		w.Sandbox.Player.OffAll()
		untouched("after")
	})
}

// playStep makes a call and compares what the client sees. A wait advances the
// clock instead.
func (p *player) playStep(n int, step, want string) {
	p.t.Helper()
	if span, waits := strings.CutPrefix(step, "wait "); waits {
		d, err := time.ParseDuration(span)
		if err == nil {
			err = p.world.Sandbox.Clock.Advance(d)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		return
	}
	if want == "brown-out" {
		conformance.BrownOut(p.t, func() *journal.Entry { return p.send(step) })
		return
	}
	if got := describe(p.send(step)); got != want {
		p.t.Errorf("call %d, %s: got %s, want %s", n, step, got, want)
	}
}

// sessions counts the stored sessions.
func (p *player) sessions() (n int) {
	p.world.Instance(p.t).WithState(func(s contract.State) { n = len(s.(*state).Sessions) })
	return n
}

// Every failure that a scenario can force has the API's one error form.
func TestEveryFailureHasAMessage(t *testing.T) {
	t.Parallel()
	for _, op := range operations {
		for _, o := range API.Ends(op) {
			if !o.Fails {
				continue
			}
			w := conformance.New(t, API, conformance.Setting{})
			w.Play(t, op, o)
			got := w.Send(w.Request(t, op, contract.Sample(op.Params)))
			if body := got.Body.String(); got.Code != o.Status || !strings.HasPrefix(body, `{"message":"`) || !strings.HasSuffix(body, `."}`) {
				t.Errorf("%s/%s: got %d %s", op.Name, o.Name, got.Code, body)
			}
		}
	}
}
