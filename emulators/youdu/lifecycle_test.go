package youdu_test

import (
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// newToken has the service issue a token, and checks what it announces.
func newToken(t *testing.T, w *conformance.World) string {
	t.Helper()
	_, reply := send(t, w, w.Request(t, youdu.API.Operation("GetToken"), nil))
	if reply["expireIn"] != 7200.0 {
		t.Fatalf("announced is %v", reply)
	}
	return reply["accessToken"].(string)
}

func getSession(t *testing.T, w *conformance.World, token, id string) string {
	t.Helper()
	in := contract.Values{"sessionId": id}
	if token != "" {
		in["accessToken"] = token
	}
	outcome, _ := send(t, w, w.Request(t, youdu.API.Operation("GetSession"), in))
	return outcome
}

const documentedSession = "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}"

func TestDue(t *testing.T) {
	t.Parallel()
	probe := func(name string) func(*testing.T, *conformance.World, map[string]string) string {
		return func(t *testing.T, w *conformance.World, ids map[string]string) string {
			t.Helper()
			return getSession(t, w, ids[name], documentedSession)
		}
	}
	for name, life := range map[string]conformance.Life{
		"one after the other": {
			Begin: func(t *testing.T, w *conformance.World) map[string]string {
				t.Helper()
				ids, began := map[string]string{"first": newToken(t, w)}, w.Sandbox.Clock.Now()
				w.Sandbox.Clock.Freeze(began.Add(time.Minute))
				ids["second"] = newToken(t, w)
				w.Sandbox.Clock.Freeze(began)
				return ids
			},
			Ends: []conformance.End{
				{What: "token", ID: "first", After: 2 * time.Hour, Probe: probe("first"), Before: "success", Then: "ACCESSTOKEN_EXPIRED"},
				{What: "token", ID: "second", After: 2*time.Hour + time.Minute, Probe: probe("second"), Before: "success", Then: "ACCESSTOKEN_EXPIRED"},
			},
		},
		"earlier than announced": {
			Setting: conformance.Setting{Set: map[string]string{"token_life": "1m"}},
			Begin: func(t *testing.T, w *conformance.World) map[string]string {
				t.Helper()
				return map[string]string{"token": newToken(t, w)}
			},
			Ends: []conformance.End{{What: "token", ID: "token", After: time.Minute, Probe: probe("token"), Before: "success", Then: "ACCESSTOKEN_EXPIRED"}},
		},
	} {
		t.Run(name, func(t *testing.T) { conformance.Lives(t, youdu.API, life) })
	}
}

// A trigger ends tokens ahead of the end that was announced, and the next one is
// announced as ever.
func TestExpiredTokenIsOver(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, youdu.API, conformance.Setting{})
	token := newToken(t, w)
	for _, want := range []bool{true, false} {
		if err := w.Trigger(t, "expire", contract.Values{"what": "token", "id": token}); (err == nil) != want {
			t.Errorf("got %v", err)
		}
	}
	if got := getSession(t, w, token, documentedSession); got != "ACCESSTOKEN_EXPIRED" || len(w.Due(t, 3*time.Hour)) != 0 {
		t.Errorf("got %s, due is %v", got, w.Due(t, 3*time.Hour))
	}
	if got := getSession(t, w, newToken(t, w), documentedSession); got != "success" {
		t.Errorf("the next token: got %s", got)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, youdu.API, conformance.Setting{})
	if got := w.Open(t); len(got) != 0 {
		t.Errorf("the fixture's sessions are open: %+v", got)
	}
	in := contract.Values{"title": "a", "creator": "test1", "member": []any{"test2", "test3"}}
	_, reply := send(t, w, w.Request(t, youdu.API.Operation("CreateSession"), in))
	id := reply["sessionId"].(string)
	if got, want := w.Open(t), []contract.Open{{What: "session", ID: id, Since: conformance.Noon}}; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := w.Trigger(t, "expire", contract.Values{"what": "session", "id": id}); err != nil {
		t.Fatal(err)
	}
	if got := getSession(t, w, "", id); len(w.Open(t)) != 0 || got == "success" {
		t.Errorf("after its end, %s is open as %+v: %s", id, w.Open(t), got)
	}
	if err := w.Trigger(t, "expire", contract.Values{"what": "session", "id": id}); err == nil {
		t.Error("a session ended twice")
	}
}
