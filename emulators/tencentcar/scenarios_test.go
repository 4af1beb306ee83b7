package tencentcar_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

const (
	toCreate, toApply, toDestroy = "CreateSession", "ApplyConcurrent", "DestroySession"

	fine      = "success"
	noIdle    = "ResourceNotFound.NoIdle"
	rateLimit = "RequestLimitExceeded"
	soon      = "ResourceUnavailable.Initialization"
	lock      = "FailedOperation.LockTimeout"
	slowDown  = "FailedOperation.SlowDown"
	timedOut  = "FailedOperation.ProcessTimeout"
	clean     = "UnsupportedOperation.Stopping"
	expired   = "AuthFailure.SignatureExpire"
	nothing   = "the connection broke"
)

// A play is what happens in a world where the scenario is on.
type play func(t *testing.T, w *conformance.World)

// A call is one that a client makes, and what the client sees of it: the code
// of an error, success, or what the network made of it.
type call struct {
	operation, want string
	user            string        // "": the documented one
	role            string        // "": none
	after           time.Duration // passes before, by the sandbox's clock
	off             bool          // the scenario is switched off before
	temporary       bool          // it is signed with the fixture's temporary key
}

// calls plays calls one after the other.
func calls(all ...call) play {
	return func(t *testing.T, w *conformance.World) {
		t.Helper()
		for i, c := range all {
			if c.off {
				w.Sandbox.Player.OffAll()
			}
			if c.after > 0 {
				if err := w.Sandbox.Clock.Advance(c.after); err != nil {
					t.Fatal(err)
				}
			}
			if got := c.seen(t, w); got != c.want {
				t.Errorf("call %d, %s: got %q, want %q", i+1, c.operation, got, c.want)
			}
		}
	}
}

// seen makes the call and tells what the client sees. It does not wait: of a
// delay the journal tells.
func (c *call) seen(t *testing.T, w *conformance.World) string {
	t.Helper()
	op := tencentcar.API.Operation(c.operation)
	in := contract.Sample(op.Params)
	if c.user != "" {
		in["UserId"] = c.user
	}
	if c.role != "" {
		in["Role"], in["HostUserId"] = c.role, "cg_user"
	}
	impatient, leave := context.WithCancel(t.Context())
	leave()
	r := w.Request(t, op, in)
	if c.temporary {
		signed, err := tencentcar.API.Sign(contract.Draft{
			Operation: op, In: in, Host: tencentcar.API.Hosts[0], Now: w.Sandbox.Clock.Now(),
			Credentials: contract.Values{"secretId": "AKIDtemporaryEXAMPLE", "secretKey": "temporarySecretKeyEXAMPLE", "token": "sts-token-example"},
		})
		if err != nil {
			t.Fatal(err)
		}
		r = conformance.HTTP(signed)
	}
	got := send(w, r.WithContext(impatient))
	if wire := w.Last(t).Wire; wire != nil && wire.DelayMS > 0 {
		return w.Last(t).Outcome + " after " + (time.Duration(wire.DelayMS) * time.Millisecond).String()
	}
	switch {
	case got == nil:
		return nothing
	case !strings.HasPrefix(got.Header().Get("Content-Type"), "application/json"):
		return fmt.Sprint(got.Code, " ", got.Header().Get("Content-Type"))
	}
	var body struct {
		Response struct {
			Error     struct{ Code string }
			RequestID string `json:"RequestId"`
		}
	}
	if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil || body.Response.RequestID == "" {
		t.Fatalf("%v in %s", err, got.Body)
	}
	if body.Response.Error.Code != "" {
		return body.Response.Error.Code
	}
	return fine
}

// inTurn plays calls of one operation that end in one code after the other, and
// then in success.
func inTurn(operation string, codes ...string) play {
	var all []call
	for _, code := range append(codes, fine) {
		all = append(all, call{operation: operation, want: code})
	}
	return calls(append(all, call{operation: operation, want: fine})...)
}

// send returns no answer where the connection breaks.
func send(w *conformance.World, r *http.Request) (rec *httptest.ResponseRecorder) {
	defer func() {
		if err, ok := recover().(error); ok {
			if !errors.Is(err, http.ErrAbortHandler) {
				panic(err)
			}
			rec = nil
		}
	}()
	return w.Send(r)
}

// running is how many concurrencies are not idle.
func running(t *testing.T, w *conformance.World) int {
	t.Helper()
	op := tencentcar.API.Operation("DescribeConcurrentCount")
	var body struct{ Response struct{ Running int } }
	if err := json.Unmarshal(w.Send(w.Request(t, op, nil)).Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return body.Response.Running
}

// plays has what every shipped scenario plays, before, while and after it
// decides.
var plays = map[string]play{
	"no-idle": calls(
		call{operation: toCreate, want: noIdle}, call{operation: toApply, want: noIdle}, call{operation: toCreate, want: noIdle},
		call{operation: toDestroy, want: fine}, call{operation: toApply, want: fine, off: true},
	),
	"no-idle-then-free": calls(
		call{operation: toApply, want: noIdle}, call{operation: toApply, want: noIdle}, call{operation: toApply, want: fine},
		call{operation: toCreate, want: noIdle}, call{operation: toCreate, want: fine},
	),
	"flapping-capacity": calls(
		call{operation: toApply, want: noIdle}, call{operation: toApply, want: fine}, call{operation: toApply, want: noIdle},
		call{operation: toCreate, want: noIdle}, call{operation: toCreate, want: fine}, call{operation: toApply, want: fine},
	),
	"lock-timeout": calls(call{operation: toCreate, want: lock}, call{operation: toCreate, want: fine}),
	"slow-down": calls(
		call{operation: toCreate, want: slowDown}, call{operation: toCreate, want: slowDown}, call{operation: toCreate, want: slowDown},
		call{operation: toCreate, want: fine},
	),
	"initialization": calls(
		call{operation: toApply, want: soon}, call{operation: toApply, want: soon}, call{operation: toApply, want: fine},
		call{operation: toCreate, want: soon}, call{operation: toCreate, want: soon}, call{operation: toCreate, want: fine},
	),
	"slow-start": calls(
		call{operation: toApply, want: soon}, call{operation: toCreate, want: soon},
		call{operation: toApply, want: soon, after: 5*time.Minute - time.Second},
		call{operation: toApply, want: fine, after: time.Second}, call{operation: toCreate, want: fine},
	),
	"role-limit": calls(
		call{operation: toCreate, role: "Player", want: "LimitExceeded.Role"}, call{operation: toCreate, role: "Viewer", want: fine},
		call{operation: toCreate, want: fine},
	),
	"only-guests-denied": calls(
		call{operation: toApply, user: "guest-1", want: "FailedOperation"}, call{operation: toCreate, user: "guest-1", want: "OperationDenied"},
		call{operation: toCreate, want: fine}, call{operation: toApply, user: "a-guest-", want: fine},
	),
	"signature-expired": calls(call{operation: toCreate, want: expired}, call{operation: toDestroy, want: expired}, call{operation: toDestroy, want: fine, off: true}),
	"rate-limited": calls(
		call{operation: toCreate, want: rateLimit}, call{operation: toCreate, want: rateLimit}, call{operation: toApply, want: rateLimit},
		call{operation: toApply, want: rateLimit}, call{operation: toApply, want: rateLimit}, call{operation: toCreate, want: fine},
	),
	"slow-create-session":         calls(call{operation: toApply, want: fine}, call{operation: toCreate, want: "success after 6s"}, call{operation: toCreate, want: fine, off: true}),
	"create-session-just-in-time": calls(call{operation: toCreate, want: "success after 4.9s"}, call{operation: toDestroy, want: fine}),
	"apply-too-slow": calls(
		call{operation: toApply, user: "u-1", want: "success after 21s"},
		call{operation: toCreate, user: "u-1", want: fine, after: 21 * time.Second}, // it was reserved all the same
	),
	"bad-gateway": calls(
		call{operation: toApply, want: "502 text/html"}, call{operation: toCreate, want: "502 text/html"}, call{operation: toCreate, want: "502 text/html"},
		call{operation: toCreate, want: fine},
	),
	"answer-lost": func(t *testing.T, w *conformance.World) {
		calls(call{operation: toCreate, want: nothing})(t, w)
		if n := running(t, w); n != 1 {
			t.Errorf("%d run; the session was to be created", n)
		}
		calls(call{operation: toCreate, want: fine})(t, w)
		if dropped, _ := w.Last(t).Notes.Get("dropped client"); dropped == nil {
			t.Error("the second call did not find the session of the first")
		}
		if st := w.Sandbox.Player.Active()[0].Rules[0]; st.Fired != st.Expect {
			t.Errorf("fired %d, expected %d", st.Fired, st.Expect)
		}
	},
	"request-lost": func(t *testing.T, w *conformance.World) {
		calls(call{operation: toCreate, want: nothing})(t, w)
		if n := running(t, w); n != 0 {
			t.Errorf("%d run; nothing was to happen", n)
		}
		calls(call{operation: toCreate, want: fine})(t, w)
		if dropped, _ := w.Last(t).Notes.Get("dropped client"); dropped != nil {
			t.Error("the second call found a session of the first")
		}
	},
	"client-never-connects": func(t *testing.T, w *conformance.World) {
		calls(call{operation: toApply, user: "u-1", want: fine}, call{operation: toCreate, user: "u-1", want: fine})(t, w)
		if happened, _ := w.Last(t).Notes.Get("trigger client.lost"); happened != "happened" {
			t.Errorf("the trigger %v", happened)
		}
		if n := running(t, w); n != 1 {
			t.Errorf("%d run within the window, want 1", n)
		}
		calls(call{operation: toCreate, user: "u-1", want: clean, after: 91 * time.Second}, call{operation: toCreate, user: "u-1", want: lock, after: 2 * time.Second})(t, w)
		if n := running(t, w); n != 0 {
			t.Errorf("%d run after the window, want none", n)
		}
	},
	"reservation-lapses-in-between": calls(
		call{operation: toApply, user: "u-2", want: fine}, call{operation: toCreate, user: "u-2", want: fine},
		call{operation: toApply, user: "u-1", want: fine}, call{operation: toCreate, user: "u-1", want: lock},
		call{operation: toApply, user: "u-1", want: clean}, call{operation: toApply, user: "u-1", want: fine, after: 2 * time.Second},
		call{operation: toCreate, user: "u-1", want: fine},
	),
	"destroy-without-effect": func(t *testing.T, w *conformance.World) {
		calls(call{operation: toCreate, want: fine}, call{operation: toDestroy, want: fine})(t, w)
		if n := running(t, w); n != 1 {
			t.Errorf("%d run; the session was to run on", n)
		}
		calls(call{operation: toDestroy, want: fine}, call{operation: toCreate, want: clean})(t, w)
	},
	"path-not-found": calls(
		call{operation: toCreate, want: "FailedOperation.PathNotFound"}, call{operation: toApply, want: fine},
		call{operation: toCreate, want: "FailedOperation.PathNotFound"},
	),
	"process-timeout-twice": calls(
		call{operation: toApply, want: timedOut}, call{operation: toApply, want: timedOut}, call{operation: toApply, want: fine},
		call{operation: toCreate, want: timedOut}, call{operation: toCreate, want: timedOut}, call{operation: toCreate, want: fine},
	),
	"internal-error-twice": inTurn(toCreate, "InternalError", "InternalError"),
	"host-has-left": calls(
		call{operation: toCreate, role: "Player", want: "ResourceNotFound.SessionNotFound"},
		call{operation: toCreate, role: "Viewer", want: "ResourceNotFound.SessionNotFound"}, call{operation: toCreate, want: fine},
	),
	"still-being-terminated": calls(
		call{operation: toApply, want: clean}, call{operation: toApply, want: clean}, call{operation: toApply, want: fine},
		call{operation: toCreate, want: clean}, call{operation: toCreate, want: clean}, call{operation: toCreate, want: fine},
	),
	"client-session-refused": inTurn(toCreate, "InvalidParameter.JsonParseError", "InvalidParameterValue"),
	"every-session-error-in-turn": inTurn(toCreate,
		"FailedOperation", lock, "FailedOperation.PathNotFound", timedOut, slowDown, "InternalError",
		"InvalidParameter.JsonParseError", "InvalidParameterValue", "LimitExceeded.Role", "OperationDenied", noIdle,
		"ResourceNotFound.SessionNotFound", soon, clean),
	"every-credential-error-in-turn": inTurn(toCreate,
		"AuthFailure.InvalidAuthorization", "AuthFailure.InvalidSecretId", "AuthFailure.MFAFailure", "AuthFailure.SecretIdNotFound",
		expired, "AuthFailure.SignatureFailure", "AuthFailure.TokenFailure", "AuthFailure.UnauthorizedOperation",
		"UnauthorizedOperation", "IpInBlacklist", "IpNotInWhitelist"),
	"every-quota-error-in-turn": inTurn(toCreate,
		rateLimit, "RequestLimitExceeded.IPLimitExceeded", "RequestLimitExceeded.UinLimitExceeded",
		"RequestLimitExceeded.GlobalRegionUinLimitExceeded", "LimitExceeded", "ResourceInsufficient",
		"RequestSizeLimitExceeded", "ResponseSizeLimitExceeded"),
	"every-gateway-error-in-turn": inTurn(toCreate,
		"UnsupportedProtocol", "InvalidRequest", "InvalidParameter", "MissingParameter", "UnknownParameter", "NoSuchProduct",
		"NoSuchVersion", "InvalidAction", "ActionOffline", "UnsupportedRegion", "UnsupportedOperation", "DryRunOperation",
		"ResourceInUse", "ResourceNotFound", "ResourceUnavailable", "ServiceUnavailable"),
	"apply-just-in-time": calls(
		call{operation: toApply, user: "u-1", want: "success after 19.5s"},
		call{operation: toCreate, user: "u-1", want: fine, after: 19500 * time.Millisecond},
	),
	"answers-within-sdk-timeout": calls(call{operation: toCreate, want: "success after 58s"}, call{operation: toCreate, want: fine}),
	"answers-past-sdk-timeout":   calls(call{operation: toCreate, want: "success after 1m1s"}, call{operation: toCreate, want: fine}),
	"reconnect-window-closes": calls(
		call{operation: toCreate, want: fine}, call{operation: toCreate, want: clean}, call{operation: toCreate, want: fine, after: 10 * time.Second},
	),
	"temporary-key-expires-in-between": calls(
		call{operation: toApply, temporary: true, user: "u-1", want: fine},
		call{operation: toApply, temporary: true, user: "u-2", want: "AuthFailure.TokenFailure"}, call{operation: toApply, user: "u-2", want: fine},
	),
	"lost-client-comes-back-over-a-bad-network": func(t *testing.T, w *conformance.World) {
		calls(call{operation: toCreate, want: "success after 3s"})(t, w)
		if happened, _ := w.Last(t).Notes.Get("trigger client.lost"); happened != "happened" {
			t.Errorf("the trigger %v", happened)
		}
		calls(
			call{operation: toCreate, want: nothing, after: 30 * time.Second}, call{operation: toCreate, want: nothing, after: 30 * time.Second},
			call{operation: toCreate, want: fine, after: 29 * time.Second},
		)(t, w)
		if dropped, _ := w.Last(t).Notes.Get("dropped client"); dropped == nil {
			t.Error("the third attempt did not find the session")
		}
	},
	"brown-out": func(t *testing.T, w *conformance.World) {
		conformance.BrownOut(t, func() *journal.Entry {
			c := call{operation: toCreate}
			if got := c.seen(t, w); !strings.HasPrefix(got, "InternalError after ") && !strings.HasPrefix(got, "success after ") {
				t.Errorf("got %s", got)
			}
			e := w.Last(t)
			return &e
		})
	},
}

// untouched is a user's whole way, without a scenario. In the end all is as it was.
func untouched(user string) play {
	return calls(
		call{operation: toApply, user: user, want: fine}, call{operation: toCreate, user: user, want: fine},
		call{operation: toDestroy, user: user, want: fine}, call{operation: toDestroy, user: user, want: fine, after: 10 * time.Second},
	)
}

// Each shipped scenario plays what its description says, before it is switched
// on and after it is switched off users go their way; a file without a row is
// told.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	demands := conformance.Demands{
		Failures: []string{toCreate},
		Patience: map[string][]time.Duration{toCreate: {5 * time.Second, time.Minute}, toApply: {20 * time.Second}},
	}
	conformance.Shipped(t, tencentcar.API, plays, demands, func(t *testing.T, w *conformance.World, p play) {
		untouched("before")(t, w)
		w.Activate(t, path.Base(t.Name()))
		p(t, w)
		w.Sandbox.Player.OffAll()
		untouched("after")(t, w)
	})
}
