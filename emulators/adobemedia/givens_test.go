package adobemedia

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

const beforeID = "5ba0c3d4e5f60718293a4b5c6d7e8f905ba0c3d4e5f60718293a4b5c6d7e8f90"

// What happened before goes on as it would have: each limit closes the session when
// the rest of its time has passed.
func TestGivenSessionGoesOn(t *testing.T) {
	for given, limit := range map[string]time.Duration{
		"age: 9m50s, state: paused":                  10 * time.Second,
		"age: 9m50s, quiet: 20s":                     9*time.Minute + 40*time.Second,
		"age: 29m50s, quiet: 5s, state: paused":      15 * time.Second,
		"age: 23h59m55s, quiet: 1s":                  5*time.Second + time.Millisecond,
		"age: 5m, quiet: 0s, state: starting":        10 * time.Minute,
		"age: 9m59s, quiet: 9m59s, state: buffering": time.Second,
	} {
		t.Run(given, func(t *testing.T) {
			w := conformance.New(t, API, conformance.Setting{})
			ping := func(after time.Duration) string {
				t.Helper()
				w.Sandbox.Clock.Reset()
				w.Given(t, "[{session: {id: "+beforeID+", "+given+"}}]")
				if err := w.Sandbox.Clock.Advance(after); err != nil {
					t.Fatal(err)
				}
				return w.Outcome(t, "SendEvent", contract.Values{"sid": beforeID, "eventType": "ping"}, nil)
			}
			if got := ping(limit - time.Millisecond); got != "accepted" {
				t.Errorf("just before its limit a ping ended in %s", got)
			}
			if got := ping(limit); got == "accepted" {
				t.Error("at its limit a ping was accepted")
			}
		})
	}
}

func TestGivenSessionState(t *testing.T) {
	w := conformance.New(t, API, conformance.Setting{})
	w.Given(t, "[{session: {id: "+beforeID+", age: 8m, quiet: 1m, state: paused}}, {session: {age: 1h}}]")
	w.Instance(t).WithState(func(s contract.State) {
		st := s.(*state)
		d := st.session(beforeID).derive(w.Sandbox.Clock.Now().UnixMilli(), limitsOf(w.Instance(t).Switches()), true)
		if d.State != "paused" || d.PauseTime != 7*60_000 || st.session(beforeID).Received != 44 {
			t.Errorf("got %+v of %d events", d, st.session(beforeID).Received)
		}
		if by, _ := st.Sessions[1].closedBy(w.Sandbox.Clock.Now().UnixMilli(), limitsOf(w.Instance(t).Switches())); by != byIdle {
			t.Errorf("the session without an event for an hour is closed by %q", by)
		}
	})
}

func TestGivenRefused(t *testing.T) {
	for given, want := range map[string]string{
		"session: {age: 1m, quiet: 2m}":                 "quiet is 2m0s and age is 1m0s",
		"session: {id: abc}":                            "64 hexadecimal digits in lower case were expected",
		"session: {age: 30h}":                           "a session of that age is forgotten: the switch tombstone_ttl is 25h0m0s",
		"session: {age: 40m, quiet: 1m, state: paused}": "SendEvent at 2023-11-14T22:03:30Z would have ended in",
		"session: {stat: paused}":                       `has no key "stat"; did you mean "state"?`,
		"session: {state: pausd}":                       `did you mean "paused"?`,
		"session: {age: -5s}":                           "a duration such as 90s or 1h30m was expected",
		"sesion: {}":                                    `did you mean "session"?`,
		"session: ":                                     "session is null",
		"session: {id: " + beforeID + "}}, {session: {id: " + beforeID + "}": "is there already",
	} {
		w := conformance.New(t, API, conformance.Setting{})
		before := snapshotText(t, w)
		if err := w.TryGiven(t, "[{"+given+"}]"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", given, err, want)
		}
		if after := snapshotText(t, w); after != before {
			t.Errorf("%s: it was refused and changed the state to %s", given, after)
		}
	}
}

func snapshotText(t *testing.T, w *conformance.World) string {
	t.Helper()
	text, err := w.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
