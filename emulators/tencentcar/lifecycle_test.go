package tencentcar

import (
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// runAll makes the calls and pulls the triggers of a life, and fails if one ends
// otherwise than as it says.
func (w *world) runAll(steps ...step) {
	w.t.Helper()
	for _, s := range steps {
		if got, why := w.run(s); got != s.want {
			w.t.Fatalf("%s of %s: got %s, want %s: %s", s.action, s.user, got, s.want, why)
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	const second = time.Second
	begin := func(change func(*state), steps ...step) func(*testing.T, *conformance.World) map[string]string {
		return func(t *testing.T, w *conformance.World) map[string]string {
			t.Helper()
			(&world{w, t}).withState(func(st *state) {
				st.Projects[0].Amount = 1
				if change != nil {
					change(st)
				}
			})
			(&world{w, t}).runAll(steps...)
			return nil
		}
	}
	probe := func(s step) func(*testing.T, *conformance.World, map[string]string) string {
		return func(t *testing.T, w *conformance.World, _ map[string]string) string {
			t.Helper()
			got, _ := (&world{w, t}).run(s)
			return got
		}
	}
	room := func(user, role string) step {
		return withParams(create(user, success, -1), "HostUserId", "u1", "Role", role)
	}
	push := step{action: "StartPublishStream", user: "u1", want: success}
	for name, life := range map[string]conformance.Life{
		"a reservation lapses, and its concurrency is cleaned and launched": {
			Begin: begin(func(st *state) { st.Projects[0].IsPreload = true }, apply("u1", success, 1)),
			Ends: []conformance.End{
				{What: aReservation, ID: "u1", After: 60 * second, Probe: probe(create("u1", "", 0)), Before: success, Then: wantLock},
				{What: aCleaning, ID: "cap-abcdefgh/0", After: 62 * second, Probe: probe(apply("u2", "", 0)), Before: wantNoIdle, Then: wantLaunching},
				{What: aPreload, ID: "cap-abcdefgh/0", After: 64 * second, Probe: probe(apply("u2", "", 0)), Before: wantLaunching, Then: success},
			},
		},
		"a lost client does not come back": {
			Begin: begin(nil, apply("u1", success, 1), create("u1", success, 1), push, userStep(clientLost, "u1", "", 1)),
			Ends: []conformance.End{
				{What: aReconnect, ID: "u1", After: 90 * second, Probe: probe(push), Before: success, Then: wantNoSession},
				{What: aCleaning, ID: "cap-abcdefgh/0", After: 92 * second, Probe: probe(apply("u1", "", 0)), Before: wantStopping, Then: success},
			},
		},
		"a session that was destroyed is cleaned": {
			Begin: begin(nil, apply("u1", success, 1), create("u1", success, 1), destroy("u1", 1)),
			Ends: []conformance.End{
				{What: aCleaning, ID: "cap-abcdefgh/0", After: 2 * second, Probe: probe(apply("u1", "", 0)), Before: wantStopping, Then: success},
			},
		},
		"a guest is lost, and the host stays": {
			Setting: conformance.Setting{Set: map[string]string{"players": "2"}},
			Begin: begin(nil, apply("u1", success, 1), withParams(create("u1", success, 1), "HostUserId", "u1", "Role", player), room("u2", player), room("u3", viewer),
				userStep(clientLost, "u2", "", 1)),
			Ends: []conformance.End{
				{What: aReconnect, ID: "u2", After: 90 * second, Probe: probe(room("u4", player)), Before: wantRole, Then: success},
			},
		},
		"a guest's place ends with the room": {
			Begin: begin(func(st *state) { st.Projects[0].ReconnectTimeout = 20 * second }, apply("u1", success, 1),
				withParams(create("u1", success, 1), "HostUserId", "u1", "Role", player), room("u2", player),
				userStep(clientLost, "u1", "", 1), userStep(clientLost, "u2", "", 1)),
			Ends: []conformance.End{
				{What: aReconnect, ID: "u1", After: 20 * second, Probe: probe(room("u2", player)), Before: success, Then: wantNoSession},
				{What: aCleaning, ID: "cap-abcdefgh/0", After: 22 * second, Probe: probe(apply("u1", "", 0)), Before: wantStopping, Then: success},
			},
		},
		"the token of a temporary key": {
			Begin: begin(func(st *state) {
				st.Accounts[0].Token, st.Accounts[0].TokenExpires = "t", conformance.Noon.Add(time.Hour)
			}),
			Ends: []conformance.End{{
				What: aToken, ID: docID, After: time.Hour, Before: success, Then: "AuthFailure.TokenFailure",
				Probe: func(t *testing.T, w *conformance.World, _ map[string]string) string {
					t.Helper()
					cw := &world{w, t}
					r := cw.signed("DescribeConcurrentCount", contract.Values{})
					r.Header.Set("X-TC-Token", "t")
					e, _ := cw.serve(r)
					return e.Outcome
				},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) { conformance.Lives(t, API, life) })
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, conformance.Setting{})
	w.withState(func(st *state) { st.Projects[0].Amount = 10 })
	w.runAll(apply("u1", success, 1), withParams(create("u1", success, 1), "HostUserId", "u1", "Role", player))
	w.advance(time.Second)
	w.runAll(withParams(create("u2", success, 1), "HostUserId", "u1", "Role", viewer), step{action: "StartPublishStream", user: "u1", want: success})
	w.advance(time.Second)
	w.runAll(apply("u3", success, 1), userStep(clientLost, "u1", "", 1))
	at := func(s time.Duration) time.Time { return conformance.Noon.Add(s * time.Second) }
	check := func(want ...contract.Open) {
		t.Helper()
		if got := w.Open(t); !slices.Equal(got, want) {
			t.Errorf("open is\n%+v, want\n%+v", got, want)
		}
	}
	session := contract.Open{What: aSession, ID: "u1", Since: at(0), Ends: at(92), By: "DestroySession", State: "waiting"}
	stream := contract.Open{What: aStream, ID: "u1", Since: at(1), Ends: at(92), By: "StopPublishStream", State: "publishing"}
	guest := contract.Open{What: aSession, ID: "u2", Since: at(1), By: "DestroySession", State: "guest"}
	reserved := contract.Open{What: aReservation, ID: "u3", Since: at(2), Ends: at(62), By: "DestroySession", State: "reserved"}
	check(session, guest, stream, reserved)
	w.runAll(destroy("u2", 1), step{action: "StopPublishStream", user: "u1", want: success}, userStep(clientAttached, "u1", "", 1))
	session.Ends, session.State = never, "running"
	check(session, reserved)
	w.advance(time.Minute)
	check(session)
	w.runAll(destroy("u1", 1))
	check()
}

// The trigger ends each thing that has a life, as a call, a client or time does.
func TestExpire(t *testing.T) {
	t.Parallel()
	pushed := func(user string) []step {
		return []step{apply(user, success, 1), create(user, success, 1), {action: "StartPublishStream", user: user, want: success}}
	}
	expires := func(what, id string) step {
		return step{action: "expire", in: contract.Values{"what": what, "id": id}}
	}
	for name, life := range map[string][]step{
		"a session":    append(pushed("u1"), expires(aSession, "u1"), create("u1", wantStopping, 1), expires(aCleaning, "cap-abcdefgh/0"), create("u1", wantLock, 0)),
		"a push":       append(pushed("u1"), expires(aStream, "u1"), step{action: "StopPublishStream", user: "u1", want: success}),
		"a guest":      {apply("u1", success, 1), withParams(create("u1", success, 1), "HostUserId", "u1", "Role", player), withParams(create("u2", success, 1), "HostUserId", "u1", "Role", player), expires(aSession, "u2"), step{action: "StopPublishStream", user: "u2", want: wantNoSession}},
		"a lost guest": {apply("u1", success, 1), withParams(create("u1", success, 1), "HostUserId", "u1", "Role", player), withParams(create("u2", success, 1), "HostUserId", "u1", "Role", player), userStep(clientLost, "u2", "", 1), expires(aReconnect, "u2"), step{action: "StopPublishStream", user: "u2", want: wantNoSession}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, conformance.Setting{})
			w.runAll(life...)
		})
	}
	w := newWorld(t, conformance.Setting{})
	before := w.snapshot()
	for _, what := range []string{aReservation, aReconnect, aSession, aStream, aCleaning, aPreload, aToken} {
		if err := w.Trigger(t, "expire", contract.Values{"what": what, "id": docID}); err == nil {
			t.Errorf("a %s that there is not ended", what)
		}
	}
	if w.snapshot() != before {
		t.Error("a trigger that refused changed the state")
	}
}
