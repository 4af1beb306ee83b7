package tencentcar

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A step is a call or a trigger in the life of a concurrency, with its outcome and
// the number of concurrencies that run afterwards.
type step struct {
	action  string // name of the operation or trigger
	user    string
	in      contract.Values // beside UserId
	after   time.Duration   // by which the clock is advanced before
	want    string          // outcome of the call; of a trigger: "", or "error" if it fails
	running int             // -1: not checked
}

func apply(user string, want string, running int) step {
	return step{action: "ApplyConcurrent", user: user, in: contract.Values{"ProjectId": "cap-abcdefgh"}, want: want, running: running}
}

func create(user string, want string, running int) step {
	return step{action: "CreateSession", user: user, in: contract.Values{"ClientSession": "eyJhYmMiOjEyM30="}, want: want, running: running}
}

func withParams(s step, pairs ...string) step {
	in := contract.Values{}
	for name, value := range s.in {
		in[name] = value
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		in[pairs[i]] = pairs[i+1]
	}
	s.in = in
	return s
}

func after(d time.Duration, s step) step { s.after = d; return s }

func destroy(user string, running int) step {
	return step{action: "DestroySession", user: user, want: "success", running: running}
}

func userStep(name, user, want string, running int) step {
	return step{action: name, user: user, want: want, running: running}
}

const (
	success                    = "success"
	wantNoIdle                 = "ResourceNotFound.NoIdle"
	wantStopping               = "UnsupportedOperation.Stopping"
	wantLock                   = "FailedOperation.LockTimeout"
	wantNoSession              = "ResourceNotFound.SessionNotFound"
	wantLaunching              = "ResourceUnavailable.Initialization"
	wantRole                   = "LimitExceeded.Role"
	wantDenied                 = "OperationDenied"
	wantValue                  = "InvalidParameterValue"
	wantPath                   = "FailedOperation.PathNotFound"
	wantJSON                   = "InvalidParameter.JsonParseError"
	clientAttached, clientLost = "client.attached", "client.lost"
	concurrencyCleaned         = "concurrency.cleaned"
)

func TestLife(t *testing.T) {
	t.Parallel()
	const second = time.Second
	for name, life := range map[string]struct {
		set    map[string]string
		change func(*state)
		steps  []step
	}{
		"a reservation lapses and is cleaned": {steps: []step{
			apply("u1", success, 1),
			after(59*second, create("u1", success, 1)),
		}},
		"a reservation used too late": {steps: []step{
			apply("u1", success, 1),
			after(60*second, create("u1", wantLock, 1)),
			apply("u1", wantStopping, 1),
			apply("u2", wantNoIdle, 1),
			after(2*second, apply("u2", success, 1)),
		}},
		"a second ApplyConcurrent restarts the reservation": {steps: []step{
			apply("u1", success, 1),
			after(50*second, apply("u1", success, 1)),
			after(50*second, create("u1", success, 1)),
		}},
		"a session without a reservation": {steps: []step{create("u1", wantLock, 0)}},
		"a session may be created again": {steps: []step{
			apply("u1", success, 1), create("u1", success, 1), create("u1", success, 1), apply("u1", success, 1), create("u1", success, 1),
		}},
		"a connected session is never ended by the service": {steps: []step{
			apply("u1", success, 1), create("u1", success, 1), after(1000*time.Hour, create("u1", success, 1)),
		}},
		"a client that is lost": {steps: []step{
			apply("u1", success, 1), create("u1", success, 1),
			userStep(clientLost, "u1", "", 1),
			after(89*second, userStep(clientAttached, "u1", "", 1)),
			after(1000*second, userStep(clientLost, "u1", "", 1)),
			after(90*second, create("u1", wantStopping, 1)),
			userStep(clientAttached, "u1", "error", 1),
			after(2*second, create("u1", wantLock, 0)),
			userStep(clientLost, "u1", "error", 0),
		}},
		"a client that comes back by ApplyConcurrent and CreateSession": {steps: []step{
			apply("u1", success, 1), create("u1", success, 1), userStep(clientLost, "u1", "", 1),
			after(89*second, apply("u1", success, 1)),
			after(30*second, create("u1", success, 1)),
			after(1000*second, create("u1", success, 1)),
		}},
		"the project's own reconnect window": {
			change: func(st *state) { st.Projects[0].ReconnectTimeout = 20 * second },
			steps: []step{
				apply("u1", success, 1), create("u1", success, 1), userStep(clientLost, "u1", "", 1),
				after(20*second, create("u1", wantStopping, 1)),
			},
		},
		"the switch clients is told": {
			set: map[string]string{"clients": "told"},
			steps: []step{
				apply("u1", success, 1), create("u1", success, 1), after(90*second, create("u1", wantStopping, 1)),
				after(2*second, apply("u1", success, 1)), create("u1", success, 1), userStep(clientAttached, "u1", "", 1),
				after(1000*second, create("u1", success, 1)),
			},
		},
		"an application that runs without a client": {
			set: map[string]string{"clients": "told"},
			steps: []step{
				apply("u1", success, 1),
				{action: "CreateSession", user: "u1", in: contract.Values{"RunMode": runWithoutClient}, want: success, running: 1},
				userStep(clientLost, "u1", "", 1),
				after(1000*time.Hour, userStep(clientAttached, "u1", "", 1)),
				destroy("u1", 1), after(2*second, apply("u2", success, 1)),
			},
		},
		"a session is destroyed": {steps: []step{
			apply("u1", success, 1), create("u1", success, 1), destroy("u1", 1), destroy("u1", 1),
			create("u1", wantStopping, 1), apply("u1", wantStopping, 1), apply("u2", wantNoIdle, 1),
			userStep(concurrencyCleaned, "u1", "", 0), userStep(concurrencyCleaned, "u1", "error", 0),
			create("u1", wantLock, 0), apply("u2", success, 1),
		}},
		"DestroySession without a session": {steps: []step{destroy("u1", 0)}},
		"pre-launch": {
			change: func(st *state) { st.Projects[0].IsPreload = true },
			steps: []step{
				apply("u1", success, 1), create("u1", success, 1), destroy("u1", 1),
				apply("u2", wantNoIdle, 1),
				after(2*second, apply("u2", wantLaunching, 1)),
				apply("u1", wantLaunching, 1),
				after(2*second, apply("u2", success, 1)),
				create("u2", success, 1), destroy("u2", 1), userStep(concurrencyCleaned, "u2", "", 1), apply("u1", wantLaunching, 1),
				userStep(concurrencyCleaned, "u2", "", 0), apply("u1", success, 1),
			},
		},
		"a user moves to another project": {
			change: func(st *state) {
				st.Projects = append(st.Projects, project{ProjectID: "cap-other", Amount: 1})
				_ = st.Reindex()
			},
			steps: []step{
				apply("u1", success, 1),
				withParams(apply("u1", success, 2), "ProjectId", "cap-other"),
				apply("u2", wantNoIdle, 2),
				after(2*second, apply("u2", success, 2)),
				create("u1", success, 2),
			},
		},
		"a project without concurrencies": {
			change: func(st *state) { st.Projects[0].Amount = 0 },
			steps:  []step{apply("u1", wantNoIdle, 0)},
		},
		"standing reservations": {
			change: func(st *state) { st.Standing["u1"] = "cap-abcdefgh" },
			steps: []step{
				create("u1", success, 1), destroy("u1", 1), create("u1", wantStopping, 1),
				after(2*second, create("u1", success, 1)),
				destroy("u1", 1), after(2*second, apply("u2", success, 1)), create("u1", wantNoIdle, 1),
			},
		},
		"no program to start": {
			change: func(st *state) { st.Applications[0].PathMissing = true },
			steps:  []step{apply("u1", success, 1), create("u1", wantPath, 1)},
		},
		"applications": {
			change: func(st *state) {
				st.Projects[0].ProjectType = "SHARED"
				st.Projects[0].ApplicationIDs = append(st.Projects[0].ApplicationIDs, "app-other")
				st.Applications = append(st.Applications, application{ApplicationID: "app-other", Versions: []string{"ver-other"}})
			},
			steps: []step{
				withParams(apply("u1", wantValue, 0), "ApplicationId", "app-unknown"),
				withParams(apply("u1", wantValue, 0), "ApplicationId", "app-other", "ApplicationVersionId", "ver-1a2b3c4d"),
				withParams(apply("u1", success, 1), "ApplicationId", "app-other", "ApplicationVersionId", "ver-other"),
			},
		},
		"an EXCLUSIVE project ignores ApplicationId": {steps: []step{
			withParams(apply("u1", wantValue, 0), "ApplicationVersionId", "ver-unknown"),
			withParams(apply("u1", success, 1), "ApplicationId", "app-unknown", "ApplicationVersionId", "ver-1a2b3c4d"),
		}},
		"a room": {steps: []step{
			withParams(create("g1", wantNoSession, 0), "HostUserId", "u1", "Role", player),
			apply("u1", success, 1),
			withParams(create("g1", wantNoSession, 1), "HostUserId", "u1", "Role", player),
			withParams(create("u1", success, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g1", success, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g2", success, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g3", success, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g4", success, 1), "HostUserId", "u1"),
			withParams(create("g5", success, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g6", success, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g7", wantRole, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g6", success, 1), "HostUserId", "u1", "Role", player),
			withParams(create("g7", success, 1), "HostUserId", "u1", "Role", viewer),
			userStep("StartPublishStream", "g1", wantDenied, 1),
			userStep(clientLost, "g1", "", 1),
			after(90*second, withParams(create("g8", success, 1), "HostUserId", "u1", "Role", player)),
			destroy("g2", 1),
			withParams(create("g1", success, 1), "HostUserId", "u1", "Role", player),
			destroy("u1", 1),
			userStep("StartPublishStream", "g1", wantNoSession, 1),
			withParams(create("g1", wantNoSession, 1), "HostUserId", "u1", "Role", viewer),
		}},
		"no room": {steps: []step{
			withParams(create("u1", wantValue, 0), "Role", player),
			apply("u1", success, 1), create("u1", success, 1),
			withParams(create("g1", wantDenied, 1), "HostUserId", "u1"),
		}},
		"publishing": {steps: []step{
			userStep("StartPublishStream", "u1", wantNoSession, 0),
			apply("u1", success, 1),
			userStep("StopPublishStream", "u1", wantNoSession, 1),
			create("u1", success, 1),
			userStep("StopPublishStream", "u1", success, 1),
			userStep("StartPublishStream", "u1", success, 1),
			userStep("StartPublishStream", "u1", success, 1),
			{action: "StartPublishStreamWithURL", user: "u1", in: contract.Values{"PublishStreamURL": "rtmp://a/b"}, want: success, running: 1},
			{action: "StartPublishStreamWithURL", user: "u1", in: contract.Values{"PublishStreamURL": "rtmp:///b"}, want: "InvalidParameter", running: 1},
			destroy("u1", 1),
			userStep("StopPublishStream", "u1", wantNoSession, 1),
		}},
		"no push domain": {
			set:   map[string]string{"push_domain": "false"},
			steps: []step{apply("u1", success, 1), create("u1", success, 1), userStep("StartPublishStream", "u1", wantDenied, 1)},
		},
		"expiry by trigger": {steps: []step{
			{action: "expire", in: contract.Values{"what": "reservation", "id": "u1"}, want: "error", running: 0},
			apply("u1", success, 1),
			{action: "expire", in: contract.Values{"what": "reservation", "id": "u1"}, running: 1},
			create("u1", wantLock, 1),
			after(2*second, apply("u1", success, 1)), create("u1", success, 1), userStep(clientLost, "u1", "", 1),
			{action: "expire", in: contract.Values{"what": "reconnect", "id": "u1"}, running: 1},
			create("u1", wantStopping, 1),
			{action: "expire", in: contract.Values{"what": "token", "id": docID}, want: "error", running: 1},
			{action: "expire", in: contract.Values{"what": "token", "id": "AKIDtemporaryEXAMPLE"}, running: 1},
		}},
		"client sessions": {steps: []step{
			apply("u1", success, 1),
			withParams(create("u1", wantValue, 1), "ClientSession", ""),
			withParams(create("u1", success, 1), "ClientSession", "", "RunMode", runWithoutClient),
			withParams(create("u1", wantJSON, 1), "ClientSession", "%%%"),
			withParams(create("u1", wantJSON, 1), "ClientSession", base64.StdEncoding.EncodeToString([]byte(`[1]`))),
			withParams(create("u1", wantJSON, 1), "ClientSession", base64.StdEncoding.EncodeToString([]byte(`{`))),
			withParams(create("u1", success, 1), "ClientSession", base64.RawStdEncoding.EncodeToString([]byte(` {"a":1}`))),
			withParams(create("u1", success, 1), "Role", ""),
			withParams(create("u1", wantValue, 1), "UserIp", "300.1.1.1"),
			withParams(create("u1", success, 1), "UserIp", "2001:db8::1"),
			create("u\x07", wantValue, 1),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := map[string]string{"rate_limits": "false"}
			maps.Copy(set, life.set)
			w := newWorld(t, conformance.Setting{Fixture: "one", Set: set})
			if life.change != nil {
				w.withState(life.change)
			}
			for i, s := range life.steps {
				w.advance(s.after)
				if got, why := w.run(s); got != s.want {
					t.Fatalf("step %d, %s %s: got %q, want %q: %s", i+1, s.action, s.user, got, s.want, why)
				}
				if got := w.running(); s.running >= 0 && got != s.running {
					t.Fatalf("step %d, %s %s: %d run, want %d", i+1, s.action, s.user, got, s.running)
				}
				w.checkRestore(i + 1)
			}
		})
	}
}

// run runs a step. It returns the outcome of the call, or "error" for a trigger that
// fails, and the reason.
func (w *world) run(s step) (got, why string) {
	w.t.Helper()
	in := maps.Clone(s.in)
	if in == nil {
		in = contract.Values{}
	}
	if s.user != "" {
		in["UserId"] = s.user
	}
	if API.Trigger(s.action) != nil {
		if err := w.Trigger(w.t, s.action, in); err != nil {
			return "error", err.Error()
		}
		return "", ""
	}
	if _, given := in["UserIp"]; !given && (s.action == "ApplyConcurrent" || s.action == "CreateSession") {
		in["UserIp"] = "125.127.178.228"
	}
	e := w.call(s.action, in)
	if e.Explanation != nil {
		why = e.Explanation.Text
	}
	return e.Outcome, why
}

// running counts as DescribeConcurrentCount does, without changing the state.
func (w *world) running() int {
	w.t.Helper()
	n, now := 0, w.Sandbox.Clock.Now()
	w.withState(func(st *state) {
		for _, p := range st.pools {
			n += p.busy.countInUse(now)
		}
	})
	return n
}

// checkRestore takes a snapshot and restores it, so that every step also tests
// Reindex. A restored state has the same JSON and gives the same number next.
func (w *world) checkRestore(step int) {
	w.t.Helper()
	lowest := map[string]int{}
	w.withState(func(st *state) {
		for id, p := range st.pools {
			lowest[id] = p.clone().takeLowest()
		}
	})
	before := w.snapshot()
	if err := w.Instance(w.t).Restore([]byte(before)); err != nil {
		w.t.Fatalf("step %d: %v", step, err)
	}
	if after := w.snapshot(); before != after {
		w.t.Fatalf("step %d: restored %s, was %s", step, after, before)
	}
	w.withState(func(st *state) {
		for id, want := range lowest {
			if got := st.pool(id).clone().takeLowest(); got != want {
				w.t.Fatalf("step %d: the lowest number of %s is %d, and %d after a restore", step, id, want, got)
			}
		}
	})
}

func (p *pool) clone() *pool { return &pool{taken: slices.Clone(p.taken), lowest: p.lowest} }

// While a request of a user is in progress, a second CreateSession of the same
// user gets SlowDown. It is in progress until its answer is sent.
func TestSlowDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, conformance.Setting{})
	in := contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
	first := w.signed("CreateSession", in)
	writes := 0
	w.Handler.ServeHTTP(&writer{header: http.Header{}, onFirstWrite: func() {
		writes++
		if got := w.Last(t).Outcome; got != success {
			t.Errorf("call 1: got %s, want success", got)
		}
		if got := w.call("CreateSession", in).Outcome; got != "FailedOperation.SlowDown" {
			t.Errorf("call 2: got %s, want FailedOperation.SlowDown", got)
		}
		other := contract.Values{"UserId": "other", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
		if got := w.call("CreateSession", other).Outcome; got != wantLock {
			t.Errorf("another user: got %s, want %s", got, wantLock)
		}
	}}, httpRequest(first))
	if writes != 1 {
		t.Errorf("%d answers were written, want 1", writes)
	}
	if got := w.call("CreateSession", in).Outcome; got != success {
		t.Errorf("afterwards: got %s, want success", got)
	}
	w.withState(func(st *state) {
		if len(st.inProgress) != 0 {
			t.Errorf("still in progress: %v", st.inProgress)
		}
	})
}

// A writer is a client that does something before it takes the first byte.
type writer struct {
	header       http.Header
	onFirstWrite func()
	written      bool
}

func (w *writer) Header() http.Header { return w.header }
func (w *writer) WriteHeader(int)     {}
func (w *writer) Write(p []byte) (int, error) {
	if !w.written {
		w.written = true
		w.onFirstWrite()
	}
	return len(p), nil
}

// Calls are counted by action, edge and sub-account, and refused calls are not
// counted.
func TestRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, conformance.Setting{Wall: func() time.Time { return conformance.Noon }})
	in := contract.Values{"UserId": "u"}
	for i := range 100 {
		if got := w.call("DestroySession", in).Outcome; got != success {
			t.Fatalf("call %d: got %s", i+1, got)
		}
	}
	e, answer := w.serve(w.signed("DestroySession", in))
	const want = "Your current request times equals to `101` in a second, which exceeds the frequency limit `100` for a second. Please reduce the frequency of calls."
	if got := problemOf(t, answer).Message; e.Outcome != requestLimitExceeded.Name || got != want {
		t.Errorf("got %s %q, want %q", e.Outcome, got, want)
	}
	const tokyo = "car.ap-tokyo.tencentcloudapi.com"
	for range 100 {
		edge := w.signed("DestroySession", in)
		edge.Host = tokyo
		if e, _ := w.serve(edge); e.Outcome != signatureFailure.Name {
			t.Fatalf("another host under the same signature: got %s", e.Outcome)
		}
	}
	if e, _ := w.serve(w.signedFor(carHost, starID, starKey, "DestroySession", in)); e.Outcome != requestLimitExceeded.Name {
		t.Errorf("another key of the sub-account: got %s", e.Outcome)
	}
	for i := range 100 {
		if e, _ := w.serve(w.signedFor(tokyo, starID, starKey, "DestroySession", in)); e.Outcome != success {
			t.Fatalf("another edge, call %d: got %s", i+1, e.Outcome)
		}
	}
}

func TestRateKey(t *testing.T) {
	t.Parallel()
	got := rateLimit(&contract.Call{
		Operation: destroySession, Switches: contract.Values{"rate_limits": true}, Request: &contract.Request{Host: carHost},
		Caller: &caller{account: &account{SecretID: docID, Uin: "100000000001"}},
	})
	if want := (contract.Limit{Key: "DestroySession at the nearest edge by 100000000001", Calls: 100, Window: time.Second}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

type problem struct{ Code, Message string }

func problemOf(t *testing.T, answer []byte) problem {
	t.Helper()
	var body struct{ Response struct{ Error problem } }
	if err := json.Unmarshal(answer, &body); err != nil {
		t.Fatal(err)
	}
	return body.Response.Error
}

// Looking for a vacancy among ten thousand sessions allocates nothing, and the
// lowest free number is given first.
func TestManyConcurrencies(t *testing.T) { // not parallel: it counts allocations
	w := newWorld(t, conformance.Setting{Fixture: "one", Set: map[string]string{"rate_limits": "false"}})
	w.withState(func(st *state) {
		st.Projects[0].Amount = 10000
		for i := range 10000 {
			co := st.reserve(fmt.Sprint("u", i), "cap-abcdefgh", conformance.Noon)
			co.Session = &session{}
		}
	})
	if got, _ := w.run(apply("one-more", wantNoIdle, -1)); got != wantNoIdle {
		t.Fatalf("got %s", got)
	}
	for _, user := range []string{"u4711", "u12", "u9999"} {
		w.run(destroy(user, -1))
	}
	w.advance(2 * time.Second)
	for i, want := range []int{12, 4711, 9999} {
		user := fmt.Sprint("new", i)
		w.run(apply(user, success, -1))
		w.withState(func(st *state) {
			if got := st.users[user].Index; got != want {
				t.Errorf("got concurrency %d, want %d", got, want)
			}
		})
	}
	w.withState(func(st *state) {
		now := w.Sandbox.Clock.Now()
		if got := testing.AllocsPerRun(100, func() { st.vacancy(&st.Projects[0], now) }); got != 0 {
			t.Errorf("looking for a vacancy allocates %v times", got)
		}
	})
}

// The ServerSession has the fields that the web SDK needs, and the values of the
// call that made it.
func TestServerSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, conformance.Setting{})
	for _, user := range []string{"cg_user", `<"用户"> \`} {
		w.withState(func(st *state) { st.Standing[user] = "cap-abcdefgh" })
		_, answer := w.serve(w.signed("CreateSession", contract.Values{"UserId": user, "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}))
		var body struct {
			Response struct {
				ServerSession string
				RequestID     string `json:"RequestId"`
			}
		}
		if err := json.Unmarshal(answer, &body); err != nil {
			t.Fatal(err)
		}
		text, err := base64.StdEncoding.DecodeString(body.Response.ServerSession)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Code         *int                         `json:"code"`
			Type         string                       `json:"type"`
			SDP          string                       `json:"sdp"`
			RequestID    string                       `json:"request_id"`
			UserID       string                       `json:"user_id"`
			UserIP       string                       `json:"user_ip"`
			ScreenConfig struct{ Orientation string } `json:"screen_config"`
			GameConfig   struct {
				SDKConf *struct{} `json:"sdk_conf"`
			} `json:"game_config"`
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if got.Code == nil || *got.Code != 0 || got.Type != "answer" || got.SDP == "" || got.RequestID != body.Response.RequestID ||
			got.UserID != user || got.UserIP != "125.127.178.228" || got.ScreenConfig.Orientation != "landscape" || got.GameConfig.SDKConf == nil {
			t.Errorf("got %s", text)
		}
	}
	w = newWorld(t, conformance.Setting{Set: map[string]string{"server_session": "documented"}})
	_, answer := w.serve(w.signed("CreateSession", contract.Values{"UserId": "cg_user", "UserIp": "1.2.3.4", "ClientSession": "eyJhYmMiOjEyM30="}))
	var body struct {
		Response struct{ ServerSession string }
	}
	_ = json.Unmarshal(answer, &body)
	if body.Response.ServerSession != "eyJ4dHoiOjc4OX0=" {
		t.Errorf("got %s", answer)
	}
}

func TestLaunch(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		p           project
		given, want string
	}{
		{project{ApplicationParams: "bar=0"}, "foo=1", "bar=0 foo=1"},
		{project{}, "foo=1", "foo=1"},
		{project{ApplicationParams: "bar=0", IsPreload: true}, "foo=1", "bar=0"},
		{project{ApplicationParams: "bar=0", IsPreload: true, ProjectType: "SHARED"}, "foo=1", "bar=0 foo=1"},
	} {
		if got := launchParameters(&v.p, v.given); got != v.want {
			t.Errorf("%+v with %s: got %q, want %q", v.p, v.given, got, v.want)
		}
	}
}

// A state that contradicts itself is refused.
func TestReindexRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"two accounts of one key":  `{"accounts":[{"secretId":"a"},{"secretId":"a"}]}`,
		"an account without a key": `{"accounts":[{}]}`,
		"two projects of one id":   `{"projects":[{"project_id":"p"},{"project_id":"p"}]}`,
		"a null concurrency":       `{"concurrencies":{"p/0":null}}`,
		"another id":               `{"concurrencies":{"p/0":{"id":"p/1","project_id":"p","index":0}}}`,
		"another number":           `{"concurrencies":{"p/0":{"id":"p/0","project_id":"p","index":1}}}`,
		"a number out of bounds":   `{"concurrencies":{"p/1048576":{"id":"p/1048576","project_id":"p","index":1048576}}}`,
		"a user who has two":       `{"concurrencies":{"p/0":{"id":"p/0","project_id":"p","user_id":"u"},"p/1":{"id":"p/1","project_id":"p","index":1,"user_id":"u"}}}`,
		"a null guest":             `{"concurrencies":{"p/0":{"id":"p/0","project_id":"p","session":{"players":{"g":null}}}}}`,
	} {
		var st state
		if err := json.Unmarshal([]byte(text), &st); err != nil {
			t.Fatal(err)
		}
		if err := st.Reindex(); err == nil {
			t.Errorf("%s was not refused", name)
		}
	}
}
