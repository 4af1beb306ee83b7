package adobemedia

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

func TestDue(t *testing.T) {
	t.Parallel()
	const ms, tombstone = time.Millisecond, 25 * time.Hour
	// begin opens a session, sends so many events of it, one in five minutes, and
	// then what else there is.
	begin := func(events int, playhead func(n int) float64, last ...string) func(*testing.T, *conformance.World) map[string]string {
		return func(t *testing.T, w *conformance.World) map[string]string {
			t.Helper()
			cl := &client{w, t}
			began := w.Sandbox.Clock.Now()
			at := cl.start(sessionStartBody("", ""))
			for n := range events {
				cl.advance(5 * time.Minute)
				cl.event(at, 204, `{"eventType":"ping",`+playerTimeAt(playhead(n), 1)+`}`)
			}
			for _, event := range last {
				cl.event(at, 204, eventBody(event, ""))
			}
			w.Sandbox.Clock.Freeze(began)
			return map[string]string{"sid": strings.Split(at, "/")[4]}
		}
	}
	moves := func(n int) float64 { return float64(n) }
	stands := func(int) float64 { return 0 }
	probe := func(t *testing.T, w *conformance.World, ids map[string]string) string {
		t.Helper()
		return strconv.Itoa((&client{w, t}).request("POST", sessionsPath+"/"+ids["sid"]+"/events", eventBody("play", "")).Code)
	}
	end := func(what string, after time.Duration, before, then string) conformance.End {
		return conformance.End{What: what, ID: "sid", After: after, Probe: probe, Before: before, Then: then}
	}
	forgotten := end(aTombstone, tombstone+ms, "410", "404")
	for name, life := range map[string]conformance.Life{
		"no event":             {Begin: begin(0, nil), Ends: []conformance.End{end(byIdle, 10*time.Minute, "204", "410"), forgotten}},
		"the playhead stands":  {Begin: begin(5, stands), Ends: []conformance.End{end(byStall, 30*time.Minute+stallGrace, "204", "410"), forgotten}},
		"a day":                {Begin: begin(24*12-1, moves), Ends: []conformance.End{end(byAge, 24*time.Hour+ms, "204", "410"), forgotten}},
		"an end by the player": {Begin: begin(1, moves, "sessionEnd"), Ends: []conformance.End{forgotten}},
		"shorter times": {
			Setting: conformance.Setting{Set: map[string]string{"idle_timeout": "30s", "max_age": "1h", "tombstone_ttl": "1m"}},
			Begin:   begin(0, nil),
			Ends:    []conformance.End{end(byIdle, 30*time.Second, "204", "410"), end(aTombstone, time.Hour+ms, "410", "404")},
		},
	} {
		t.Run(name, func(t *testing.T) { conformance.Lives(t, API, life) })
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	cl := newClient(t, conformance.Setting{})
	cl.request("POST", downloadedPath, "["+sessionStartBody("", "")+"]")
	if got := cl.Open(t); len(got) != 0 {
		t.Errorf("a downloaded session is open: %+v", got)
	}
	first := cl.start(sessionStartBody("", ""))
	cl.advance(time.Minute)
	second := cl.start(sessionStartBody("", ""))
	check := func(want ...contract.Open) {
		t.Helper()
		if got := cl.Open(t); !slices.Equal(got, want) {
			t.Errorf("open is\n%+v, want\n%+v", got, want)
		}
	}
	open := func(events string, since time.Duration) contract.Open {
		return contract.Open{
			What: byIdle, ID: strings.Split(events, "/")[4], By: "SendEvent",
			Since: conformance.Noon.Add(since), Ends: conformance.Noon.Add(since + 10*time.Minute),
		}
	}
	check(open(first, 0), open(second, time.Minute))
	cl.event(second, 204, eventBody("sessionEnd", ""))
	check(open(first, 0))
	cl.advance(9 * time.Minute)
	check()
}
