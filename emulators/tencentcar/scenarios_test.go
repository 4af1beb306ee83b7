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
	createSession, applyConcurrent, destroySession = "CreateSession", "ApplyConcurrent", "DestroySession"

	success          = "success"
	noIdle           = "ResourceNotFound.NoIdle"
	rateLimited      = "RequestLimitExceeded"
	initialization   = "ResourceUnavailable.Initialization"
	lockTimeout      = "FailedOperation.LockTimeout"
	slowDown         = "FailedOperation.SlowDown"
	processTimeout   = "FailedOperation.ProcessTimeout"
	stopping         = "UnsupportedOperation.Stopping"
	signatureExpired = "AuthFailure.SignatureExpire"
	connectionLost   = "the connection broke"
)

// A script makes calls in a world whose scenario is on, and compares the results.
type script func(t *testing.T, w *conformance.World)

// A call is one that a client makes, with the result that the client sees: the
// code of an error, success, or what became of the connection.
type call struct {
	operation, want string
	user            string        // "": the documented one
	role            string        // "": none
	after           time.Duration // by which the sandbox's clock is advanced before
	off             bool          // all scenarios are switched off before
	temporary       bool          // it is signed with the fixture's temporary key
}

// calls makes calls one after the other.
func calls(all ...call) script {
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
			if got := c.result(t, w); got != c.want {
				t.Errorf("call %d, %s: got %q, want %q", i+1, c.operation, got, c.want)
			}
		}
	}
}

// result makes the call and returns what the client sees. It does not wait: the
// journal has the delay.
func (c *call) result(t *testing.T, w *conformance.World) string {
	t.Helper()
	op := tencentcar.API.Operation(c.operation)
	in := contract.Sample(op.Params)
	if c.user != "" {
		in["UserId"] = c.user
	}
	if c.role != "" {
		in["Role"], in["HostUserId"] = c.role, "cg_user"
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	r := w.Request(t, op, in)
	if c.temporary {
		signed, err := tencentcar.API.Sign(contract.Draft{
			Operation: op, In: in, Host: tencentcar.API.HostNames()[0], Now: w.Sandbox.Clock.Now(),
			Credentials: contract.Values{"secretId": "AKIDtemporaryEXAMPLE", "secretKey": "temporarySecretKeyEXAMPLE", "token": "sts-token-example"},
		})
		if err != nil {
			t.Fatal(err)
		}
		r = conformance.HTTP(signed)
	}
	got := send(w, r.WithContext(left))
	if wire := w.Last(t).Wire; wire != nil && wire.DelayMS > 0 {
		return w.Last(t).Outcome + " after " + (time.Duration(wire.DelayMS) * time.Millisecond).String()
	}
	switch {
	case got == nil:
		return connectionLost
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
	return success
}

// inTurn makes calls of one operation that end in one code after the other, and
// then in success.
func inTurn(operation string, codes ...string) script {
	var all []call
	for _, code := range append(codes, success) {
		all = append(all, call{operation: operation, want: code})
	}
	return calls(append(all, call{operation: operation, want: success})...)
}

// send sends a request. It returns nil if the connection breaks.
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

// scripts has a script for every shipped scenario, which covers the calls that the
// scenario decides and those before and after them.
var scripts = map[string]script{
	"no-idle": calls(
		call{operation: createSession, want: noIdle}, call{operation: applyConcurrent, want: noIdle}, call{operation: createSession, want: noIdle},
		call{operation: destroySession, want: success}, call{operation: applyConcurrent, want: success, off: true},
	),
	"no-idle-then-free": calls(
		call{operation: applyConcurrent, want: noIdle}, call{operation: applyConcurrent, want: noIdle}, call{operation: applyConcurrent, want: success},
		call{operation: createSession, want: noIdle}, call{operation: createSession, want: success},
	),
	"flapping-capacity": calls(
		call{operation: applyConcurrent, want: noIdle}, call{operation: applyConcurrent, want: success}, call{operation: applyConcurrent, want: noIdle},
		call{operation: createSession, want: noIdle}, call{operation: createSession, want: success}, call{operation: applyConcurrent, want: success},
	),
	"lock-timeout": calls(call{operation: createSession, want: lockTimeout}, call{operation: createSession, want: success}),
	"slow-down": calls(
		call{operation: createSession, want: slowDown}, call{operation: createSession, want: slowDown}, call{operation: createSession, want: slowDown},
		call{operation: createSession, want: success},
	),
	"initialization": calls(
		call{operation: applyConcurrent, want: initialization}, call{operation: applyConcurrent, want: initialization}, call{operation: applyConcurrent, want: success},
		call{operation: createSession, want: initialization}, call{operation: createSession, want: initialization}, call{operation: createSession, want: success},
	),
	"slow-start": calls(
		call{operation: applyConcurrent, want: initialization}, call{operation: createSession, want: initialization},
		call{operation: applyConcurrent, want: initialization, after: 5*time.Minute - time.Second},
		call{operation: applyConcurrent, want: success, after: time.Second}, call{operation: createSession, want: success},
	),
	"role-limit": calls(
		call{operation: createSession, role: "Player", want: "LimitExceeded.Role"}, call{operation: createSession, role: "Viewer", want: success},
		call{operation: createSession, want: success},
	),
	"only-guests-denied": calls(
		call{operation: applyConcurrent, user: "guest-1", want: "FailedOperation"}, call{operation: createSession, user: "guest-1", want: "OperationDenied"},
		call{operation: createSession, want: success}, call{operation: applyConcurrent, user: "a-guest-", want: success},
	),
	"signature-expired": calls(call{operation: createSession, want: signatureExpired}, call{operation: destroySession, want: signatureExpired}, call{operation: destroySession, want: success, off: true}),
	"rate-limited": calls(
		call{operation: createSession, want: rateLimited}, call{operation: createSession, want: rateLimited}, call{operation: applyConcurrent, want: rateLimited},
		call{operation: applyConcurrent, want: rateLimited}, call{operation: applyConcurrent, want: rateLimited}, call{operation: createSession, want: success},
	),
	"slow-create-session":         calls(call{operation: applyConcurrent, want: success}, call{operation: createSession, want: "success after 6s"}, call{operation: createSession, want: success, off: true}),
	"create-session-just-in-time": calls(call{operation: createSession, want: "success after 4.9s"}, call{operation: destroySession, want: success}),
	"apply-too-slow": calls(
		call{operation: applyConcurrent, user: "u-1", want: "success after 21s"},
		call{operation: createSession, user: "u-1", want: success, after: 21 * time.Second}, // the concurrency was reserved
	),
	"bad-gateway": calls(
		call{operation: applyConcurrent, want: "502 text/html"}, call{operation: createSession, want: "502 text/html"}, call{operation: createSession, want: "502 text/html"},
		call{operation: createSession, want: success},
	),
	"answer-lost": func(t *testing.T, w *conformance.World) {
		calls(call{operation: createSession, want: connectionLost})(t, w)
		if n := running(t, w); n != 1 {
			t.Errorf("%d run, want 1: the answer was lost, the session was not", n)
		}
		calls(call{operation: createSession, want: success})(t, w)
		if dropped, _ := w.Last(t).Notes.Get("dropped client"); dropped == nil {
			t.Error("the second call dropped no client: the first one left no session")
		}
		if st := w.Sandbox.Player.Active()[0].Rules[0]; st.Fired != st.Expect {
			t.Errorf("fired %d, expected %d", st.Fired, st.Expect)
		}
	},
	"request-lost": func(t *testing.T, w *conformance.World) {
		calls(call{operation: createSession, want: connectionLost})(t, w)
		if n := running(t, w); n != 0 {
			t.Errorf("%d run, want none: the request was lost", n)
		}
		calls(call{operation: createSession, want: success})(t, w)
		if dropped, _ := w.Last(t).Notes.Get("dropped client"); dropped != nil {
			t.Error("the second call dropped a client: the first one left a session")
		}
	},
	"client-never-connects": func(t *testing.T, w *conformance.World) {
		calls(call{operation: applyConcurrent, user: "u-1", want: success}, call{operation: createSession, user: "u-1", want: success})(t, w)
		if happened, _ := w.Last(t).Notes.Get("trigger client.lost"); happened != "happened" {
			t.Errorf("trigger client.lost: %v", happened)
		}
		if n := running(t, w); n != 1 {
			t.Errorf("%d run within the window, want 1", n)
		}
		calls(call{operation: createSession, user: "u-1", want: stopping, after: 91 * time.Second}, call{operation: createSession, user: "u-1", want: lockTimeout, after: 2 * time.Second})(t, w)
		if n := running(t, w); n != 0 {
			t.Errorf("%d run after the window, want none", n)
		}
	},
	"reservation-lapses-in-between": calls(
		call{operation: applyConcurrent, user: "u-2", want: success}, call{operation: createSession, user: "u-2", want: success},
		call{operation: applyConcurrent, user: "u-1", want: success}, call{operation: createSession, user: "u-1", want: lockTimeout},
		call{operation: applyConcurrent, user: "u-1", want: stopping}, call{operation: applyConcurrent, user: "u-1", want: success, after: 2 * time.Second},
		call{operation: createSession, user: "u-1", want: success},
	),
	"destroy-without-effect": func(t *testing.T, w *conformance.World) {
		calls(call{operation: createSession, want: success}, call{operation: destroySession, want: success})(t, w)
		if n := running(t, w); n != 1 {
			t.Errorf("%d run, want 1: DestroySession has no effect", n)
		}
		calls(call{operation: destroySession, want: success}, call{operation: createSession, want: stopping})(t, w)
	},
	"path-not-found": calls(
		call{operation: createSession, want: "FailedOperation.PathNotFound"}, call{operation: applyConcurrent, want: success},
		call{operation: createSession, want: "FailedOperation.PathNotFound"},
	),
	"process-timeout-twice": calls(
		call{operation: applyConcurrent, want: processTimeout}, call{operation: applyConcurrent, want: processTimeout}, call{operation: applyConcurrent, want: success},
		call{operation: createSession, want: processTimeout}, call{operation: createSession, want: processTimeout}, call{operation: createSession, want: success},
	),
	"internal-error-twice": inTurn(createSession, "InternalError", "InternalError"),
	"host-has-left": calls(
		call{operation: createSession, role: "Player", want: "ResourceNotFound.SessionNotFound"},
		call{operation: createSession, role: "Viewer", want: "ResourceNotFound.SessionNotFound"}, call{operation: createSession, want: success},
	),
	"still-being-terminated": calls(
		call{operation: applyConcurrent, want: stopping}, call{operation: applyConcurrent, want: stopping}, call{operation: applyConcurrent, want: success},
		call{operation: createSession, want: stopping}, call{operation: createSession, want: stopping}, call{operation: createSession, want: success},
	),
	"client-session-refused": inTurn(createSession, "InvalidParameter.JsonParseError", "InvalidParameterValue"),
	"every-session-error-in-turn": inTurn(createSession,
		"FailedOperation", lockTimeout, "FailedOperation.PathNotFound", processTimeout, slowDown, "InternalError",
		"InvalidParameter.JsonParseError", "InvalidParameterValue", "LimitExceeded.Role", "OperationDenied", noIdle,
		"ResourceNotFound.SessionNotFound", initialization, stopping),
	"every-credential-error-in-turn": inTurn(createSession,
		"AuthFailure.InvalidAuthorization", "AuthFailure.InvalidSecretId", "AuthFailure.MFAFailure", "AuthFailure.SecretIdNotFound",
		signatureExpired, "AuthFailure.SignatureFailure", "AuthFailure.TokenFailure", "AuthFailure.UnauthorizedOperation",
		"UnauthorizedOperation", "IpInBlacklist", "IpNotInWhitelist"),
	"every-quota-error-in-turn": inTurn(createSession,
		rateLimited, "RequestLimitExceeded.IPLimitExceeded", "RequestLimitExceeded.UinLimitExceeded",
		"RequestLimitExceeded.GlobalRegionUinLimitExceeded", "LimitExceeded", "ResourceInsufficient",
		"RequestSizeLimitExceeded", "ResponseSizeLimitExceeded"),
	"every-gateway-error-in-turn": inTurn(createSession,
		"UnsupportedProtocol", "InvalidRequest", "InvalidParameter", "MissingParameter", "UnknownParameter", "NoSuchProduct",
		"NoSuchVersion", "InvalidAction", "ActionOffline", "UnsupportedRegion", "UnsupportedOperation", "DryRunOperation",
		"ResourceInUse", "ResourceNotFound", "ResourceUnavailable", "ServiceUnavailable"),
	"apply-just-in-time": calls(
		call{operation: applyConcurrent, user: "u-1", want: "success after 19.5s"},
		call{operation: createSession, user: "u-1", want: success, after: 19500 * time.Millisecond},
	),
	"answers-within-sdk-timeout": calls(call{operation: createSession, want: "success after 58s"}, call{operation: createSession, want: success}),
	"answers-past-sdk-timeout":   calls(call{operation: createSession, want: "success after 1m1s"}, call{operation: createSession, want: success}),
	"reconnect-window-closes": calls(
		call{operation: createSession, want: success}, call{operation: createSession, want: stopping}, call{operation: createSession, want: success, after: 10 * time.Second},
	),
	"temporary-key-expires-in-between": calls(
		call{operation: applyConcurrent, temporary: true, user: "u-1", want: success},
		call{operation: applyConcurrent, temporary: true, user: "u-2", want: "AuthFailure.TokenFailure"}, call{operation: applyConcurrent, user: "u-2", want: success},
	),
	"lost-client-comes-back-over-a-bad-network": func(t *testing.T, w *conformance.World) {
		calls(call{operation: createSession, want: "success after 3s"})(t, w)
		if happened, _ := w.Last(t).Notes.Get("trigger client.lost"); happened != "happened" {
			t.Errorf("trigger client.lost: %v", happened)
		}
		calls(
			call{operation: createSession, want: connectionLost, after: 30 * time.Second}, call{operation: createSession, want: connectionLost, after: 30 * time.Second},
			call{operation: createSession, want: success, after: 29 * time.Second},
		)(t, w)
		if dropped, _ := w.Last(t).Notes.Get("dropped client"); dropped == nil {
			t.Error("the third attempt dropped no client: the first one left no session")
		}
	},
	"brown-out": func(t *testing.T, w *conformance.World) {
		conformance.BrownOut(t, func() *journal.Entry {
			c := call{operation: createSession}
			if got := c.result(t, w); !strings.HasPrefix(got, "InternalError after ") && !strings.HasPrefix(got, "success after ") {
				t.Errorf("got %s", got)
			}
			e := w.Last(t)
			return &e
		})
	},
}

// userSession is all calls of one user, without a scenario. It leaves nothing.
func userSession(user string) script {
	return calls(
		call{operation: applyConcurrent, user: user, want: success}, call{operation: createSession, user: user, want: success},
		call{operation: destroySession, user: user, want: success}, call{operation: destroySession, user: user, want: success, after: 10 * time.Second},
	)
}

// Each shipped scenario does what its description says. Before it is switched on
// and after it is switched off, users get sessions. A scenario without a script
// fails the test.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	demands := conformance.Demands{
		Failures: []string{createSession},
		Patience: map[string][]time.Duration{createSession: {5 * time.Second, time.Minute}, applyConcurrent: {20 * time.Second}},
	}
	conformance.Shipped(t, tencentcar.API, scripts, demands, func(t *testing.T, w *conformance.World, p script) {
		userSession("before")(t, w)
		w.Activate(t, path.Base(t.Name()))
		p(t, w)
		w.Sandbox.Player.OffAll()
		userSession("after")(t, w)
	})
}
