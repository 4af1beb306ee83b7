package tencentcar

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A step is one thing that happens in a life: a call with its outcome, a
// trigger, or time passing; and how many concurrencies run afterwards.
type step struct {
	does    string // operation or trigger; "" for time alone
	user    string
	in      contract.Values // beside UserId
	after   time.Duration   // passes before
	want    string          // outcome, or "error" for a trigger that finds nothing
	running int             // -1: not looked at
}

func apply(user string, want string, running int) step {
	return step{does: "ApplyConcurrent", user: user, in: contract.Values{"ProjectId": "cap-abcdefgh"}, want: want, running: running}
}

func create(user string, want string, running int) step {
	return step{does: "CreateSession", user: user, in: contract.Values{"ClientSession": "eyJhYmMiOjEyM30="}, want: want, running: running}
}

func with(s step, pairs ...string) step {
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
	return step{does: "DestroySession", user: user, want: "success", running: running}
}

func happens(name, user, want string, running int) step {
	return step{does: name, user: user, want: want, running: running}
}

const (
	success        = "success"
	wantNoIdle     = "ResourceNotFound.NoIdle"
	wantStopping   = "UnsupportedOperation.Stopping"
	wantLock       = "FailedOperation.LockTimeout"
	wantNoSession  = "ResourceNotFound.SessionNotFound"
	wantLaunching  = "ResourceUnavailable.Initialization"
	wantRole       = "LimitExceeded.Role"
	wantDenied     = "OperationDenied"
	wantValue      = "InvalidParameterValue"
	wantPath       = "FailedOperation.PathNotFound"
	wantJSON       = "InvalidParameter.JsonParseError"
	attached, lost = "client.attached", "client.lost"
	cleaned        = "concurrency.cleaned"
)

func TestLife(t *testing.T) {
	t.Parallel()
	s := time.Second
	for name, life := range map[string]struct {
		set   contract.Values
		world func(*state)
		steps []step
	}{
		"a reservation lapses and is cleaned": {steps: []step{
			apply("u1", success, 1),
			after(59*s, create("u1", success, 1)),
		}},
		"a reservation used too late": {steps: []step{
			apply("u1", success, 1),
			after(60*s, create("u1", wantLock, 1)),
			apply("u1", wantStopping, 1),
			apply("u2", wantNoIdle, 1),
			after(2*s, apply("u2", success, 1)),
		}},
		"a reservation applied for again runs anew": {steps: []step{
			apply("u1", success, 1),
			after(50*s, apply("u1", success, 1)),
			after(50*s, create("u1", success, 1)),
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
			happens(lost, "u1", "", 1),
			after(89*s, happens(attached, "u1", "", 1)),
			after(1000*s, happens(lost, "u1", "", 1)),
			after(90*s, create("u1", wantStopping, 1)),
			happens(attached, "u1", "error", 1),
			after(2*s, create("u1", wantLock, 0)),
			happens(lost, "u1", "error", 0),
		}},
		"a client that comes back by ApplyConcurrent and CreateSession": {steps: []step{
			apply("u1", success, 1), create("u1", success, 1), happens(lost, "u1", "", 1),
			after(89*s, apply("u1", success, 1)),
			after(30*s, create("u1", success, 1)),
			after(1000*s, create("u1", success, 1)),
		}},
		"the project's own reconnect window": {
			world: func(w *state) { w.Projects[0].ReconnectTimeout = 20 * s },
			steps: []step{
				apply("u1", success, 1), create("u1", success, 1), happens(lost, "u1", "", 1),
				after(20*s, create("u1", wantStopping, 1)),
			},
		},
		"clients have to be told": {
			set: contract.Values{"clients": "told"},
			steps: []step{
				apply("u1", success, 1), create("u1", success, 1), after(90*s, create("u1", wantStopping, 1)),
				after(2*s, apply("u1", success, 1)), create("u1", success, 1), happens(attached, "u1", "", 1),
				after(1000*s, create("u1", success, 1)),
			},
		},
		"an application that runs without a client": {
			set: contract.Values{"clients": "told"},
			steps: []step{
				apply("u1", success, 1),
				{does: "CreateSession", user: "u1", in: contract.Values{"RunMode": runWithoutClient}, want: success, running: 1},
				happens(lost, "u1", "", 1),
				after(1000*time.Hour, happens(attached, "u1", "", 1)),
				destroy("u1", 1), after(2*s, apply("u2", success, 1)),
			},
		},
		"a session is destroyed": {steps: []step{
			apply("u1", success, 1), create("u1", success, 1), destroy("u1", 1), destroy("u1", 1),
			create("u1", wantStopping, 1), apply("u1", wantStopping, 1), apply("u2", wantNoIdle, 1),
			happens(cleaned, "u1", "", 0), happens(cleaned, "u1", "error", 0),
			create("u1", wantLock, 0), apply("u2", success, 1),
		}},
		"nobody is destroyed": {steps: []step{destroy("u1", 0)}},
		"pre-launch": {
			world: func(w *state) { w.Projects[0].IsPreload = true },
			steps: []step{
				apply("u1", success, 1), create("u1", success, 1), destroy("u1", 1),
				apply("u2", wantNoIdle, 1),
				after(2*s, apply("u2", wantLaunching, 1)),
				apply("u1", wantLaunching, 1),
				after(2*s, apply("u2", success, 1)),
				create("u2", success, 1), destroy("u2", 1), happens(cleaned, "u2", "", 1), apply("u1", wantLaunching, 1),
				happens(cleaned, "u2", "", 0), apply("u1", success, 1),
			},
		},
		"a user moves to another project": {
			world: func(w *state) {
				w.Projects = append(w.Projects, project{ProjectID: "cap-other", Amount: 1})
				_ = w.Reindex()
			},
			steps: []step{
				apply("u1", success, 1),
				with(apply("u1", success, 2), "ProjectId", "cap-other"),
				apply("u2", wantNoIdle, 2),
				after(2*s, apply("u2", success, 2)),
				create("u1", success, 2),
			},
		},
		"a project without concurrencies": {
			world: func(w *state) { w.Projects[0].Amount = 0 },
			steps: []step{apply("u1", wantNoIdle, 0)},
		},
		"standing reservations": {
			world: func(w *state) { w.Standing["u1"] = "cap-abcdefgh" },
			steps: []step{
				create("u1", success, 1), destroy("u1", 1), create("u1", wantStopping, 1),
				after(2*s, create("u1", success, 1)),
				destroy("u1", 1), after(2*s, apply("u2", success, 1)), create("u1", wantNoIdle, 1),
			},
		},
		"no program to start": {
			world: func(w *state) { w.Applications[0].PathMissing = true },
			steps: []step{apply("u1", success, 1), create("u1", wantPath, 1)},
		},
		"applications": {
			world: func(w *state) {
				w.Projects[0].ProjectType = "SHARED"
				w.Projects[0].ApplicationIDs = append(w.Projects[0].ApplicationIDs, "app-other")
				w.Applications = append(w.Applications, application{ApplicationID: "app-other", Versions: []string{"ver-other"}})
			},
			steps: []step{
				with(apply("u1", wantValue, 0), "ApplicationId", "app-unknown"),
				with(apply("u1", wantValue, 0), "ApplicationId", "app-other", "ApplicationVersionId", "ver-1a2b3c4d"),
				with(apply("u1", success, 1), "ApplicationId", "app-other", "ApplicationVersionId", "ver-other"),
			},
		},
		"an EXCLUSIVE project ignores ApplicationId": {steps: []step{
			with(apply("u1", wantValue, 0), "ApplicationVersionId", "ver-unknown"),
			with(apply("u1", success, 1), "ApplicationId", "app-unknown", "ApplicationVersionId", "ver-1a2b3c4d"),
		}},
		"a room": {steps: []step{
			with(create("g1", wantNoSession, 0), "HostUserId", "u1", "Role", player),
			apply("u1", success, 1),
			with(create("g1", wantNoSession, 1), "HostUserId", "u1", "Role", player),
			with(create("u1", success, 1), "HostUserId", "u1", "Role", player),
			with(create("g1", success, 1), "HostUserId", "u1", "Role", player),
			with(create("g2", success, 1), "HostUserId", "u1", "Role", player),
			with(create("g3", success, 1), "HostUserId", "u1", "Role", player),
			with(create("g4", success, 1), "HostUserId", "u1"),
			with(create("g5", success, 1), "HostUserId", "u1", "Role", player),
			with(create("g6", success, 1), "HostUserId", "u1", "Role", player),
			with(create("g7", wantRole, 1), "HostUserId", "u1", "Role", player),
			with(create("g6", success, 1), "HostUserId", "u1", "Role", player),
			with(create("g7", success, 1), "HostUserId", "u1", "Role", viewer),
			happens("StartPublishStream", "g1", wantDenied, 1),
			happens(lost, "g1", "", 1),
			after(90*s, with(create("g8", success, 1), "HostUserId", "u1", "Role", player)),
			destroy("g2", 1),
			with(create("g1", success, 1), "HostUserId", "u1", "Role", player),
			destroy("u1", 1),
			happens("StartPublishStream", "g1", wantNoSession, 1),
			with(create("g1", wantNoSession, 1), "HostUserId", "u1", "Role", viewer),
		}},
		"no room": {steps: []step{
			with(create("u1", wantValue, 0), "Role", player),
			apply("u1", success, 1), create("u1", success, 1),
			with(create("g1", wantDenied, 1), "HostUserId", "u1"),
		}},
		"publishing": {steps: []step{
			happens("StartPublishStream", "u1", wantNoSession, 0),
			apply("u1", success, 1),
			happens("StopPublishStream", "u1", wantNoSession, 1),
			create("u1", success, 1),
			happens("StopPublishStream", "u1", success, 1),
			happens("StartPublishStream", "u1", success, 1),
			happens("StartPublishStream", "u1", success, 1),
			{does: "StartPublishStreamWithURL", user: "u1", in: contract.Values{"PublishStreamURL": "rtmp://a/b"}, want: success, running: 1},
			{does: "StartPublishStreamWithURL", user: "u1", in: contract.Values{"PublishStreamURL": "rtmp:///b"}, want: "InvalidParameter", running: 1},
			destroy("u1", 1),
			happens("StopPublishStream", "u1", wantNoSession, 1),
		}},
		"no push domain": {
			set:   contract.Values{"push_domain": false},
			steps: []step{apply("u1", success, 1), create("u1", success, 1), happens("StartPublishStream", "u1", wantDenied, 1)},
		},
		"expiry by trigger": {steps: []step{
			{does: "expire", in: contract.Values{"what": "reservation", "id": "u1"}, want: "error", running: 0},
			apply("u1", success, 1),
			{does: "expire", in: contract.Values{"what": "reservation", "id": "u1"}, running: 1},
			create("u1", wantLock, 1),
			after(2*s, apply("u1", success, 1)), create("u1", success, 1), happens(lost, "u1", "", 1),
			{does: "expire", in: contract.Values{"what": "reconnect", "id": "u1"}, running: 1},
			create("u1", wantStopping, 1),
			{does: "expire", in: contract.Values{"what": "token", "id": docID}, want: "error", running: 1},
			{does: "expire", in: contract.Values{"what": "token", "id": "AKIDtemporaryEXAMPLE"}, running: 1},
		}},
		"client sessions": {steps: []step{
			apply("u1", success, 1),
			with(create("u1", wantValue, 1), "ClientSession", ""),
			with(create("u1", success, 1), "ClientSession", "", "RunMode", runWithoutClient),
			with(create("u1", wantJSON, 1), "ClientSession", "%%%"),
			with(create("u1", wantJSON, 1), "ClientSession", base64.StdEncoding.EncodeToString([]byte(`[1]`))),
			with(create("u1", wantJSON, 1), "ClientSession", base64.StdEncoding.EncodeToString([]byte(`{`))),
			with(create("u1", success, 1), "ClientSession", base64.RawStdEncoding.EncodeToString([]byte(` {"a":1}`))),
			with(create("u1", success, 1), "Role", ""),
			with(create("u1", wantValue, 1), "UserIp", "300.1.1.1"),
			with(create("u1", success, 1), "UserIp", "2001:db8::1"),
			create("u\x07", wantValue, 1),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, "one")
			w.sw["rate_limits"] = false
			for name, value := range life.set {
				w.sw[name] = value
			}
			if life.world != nil {
				life.world(w.world)
			}
			for i, s := range life.steps {
				w.later(s.after)
				if got := w.do(s); got != s.want {
					t.Fatalf("step %d, %s %s: got %q, want %q: %+v", i+1, s.does, s.user, got, s.want, w.why())
				}
				if got := w.running(); s.running >= 0 && got != s.running {
					t.Fatalf("step %d, %s %s: %d run, want %d", i+1, s.does, s.user, got, s.running)
				}
				w.survive(i + 1)
			}
		})
	}
}

// do makes one step happen.
func (w *town) do(s step) string {
	w.t.Helper()
	in := contract.Values{}
	for name, value := range s.in {
		in[name] = value
	}
	if s.user != "" {
		in["UserId"] = s.user
	}
	if API.Trigger(s.does) != nil {
		if err := w.trigger(s.does, in); err != nil {
			return "error"
		}
		return ""
	}
	if _, given := in["UserIp"]; !given && (s.does == "ApplyConcurrent" || s.does == "CreateSession") {
		in["UserIp"] = "125.127.178.228"
	}
	return w.ask(s.does, in)
}

func (w *town) why() any {
	if w.last == nil {
		return nil
	}
	return w.last.Violations
}

// running counts as DescribeConcurrentCount does, without its settling.
func (w *town) running() int {
	n := 0
	for _, p := range w.world.pools {
		n += p.busy.count(w.now)
	}
	return n
}

// survive writes the world down, reads it again, and goes on with what was
// read, so that every step also tests Reindex.
func (w *town) survive(step int) {
	w.t.Helper()
	before, err := json.Marshal(w.world)
	if err != nil {
		w.t.Fatal(err)
	}
	var again state
	if err := json.Unmarshal(before, &again); err != nil {
		w.t.Fatal(err)
	}
	if err := again.Reindex(); err != nil {
		w.t.Fatalf("step %d: %v", step, err)
	}
	after, _ := json.Marshal(&again)
	if string(before) != string(after) {
		w.t.Fatalf("step %d: restored %s, was %s", step, after, before)
	}
	for id, p := range w.world.pools {
		if a, b := p.clone().lowest(), again.pool(id).clone().lowest(); a != b {
			w.t.Fatalf("step %d: the lowest number of %s is %d, and %d after a restore", step, id, a, b)
		}
	}
	w.world = &again
}

func (p *pool) clone() *pool { return &pool{free: slices.Clone(p.free), next: p.next} }

// Two calls of one user at a time: one is told to slow down.
func TestSlowDown(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	w.hold = true
	in := contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
	for i, want := range []string{success, "FailedOperation.SlowDown"} {
		if got := w.ask("CreateSession", in); got != want {
			t.Errorf("call %d: got %s, want %s", i+1, got, want)
		}
	}
	in["UserId"] = "other"
	if got := w.ask("CreateSession", in); got != wantLock {
		t.Errorf("another user: got %s, want %s", got, wantLock)
	}
	in["UserId"] = "cg_user"
	w.release()
	if got := w.ask("CreateSession", in); got != success {
		t.Errorf("afterwards: got %s, want success", got)
	}
	w.release()
	if len(w.world.inside) != 0 {
		t.Errorf("still in progress: %v", w.world.inside)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	for i := range 100 {
		if got := w.ask("DestroySession", contract.Values{"UserId": "u"}); got != success {
			t.Fatalf("call %d: got %s", i+1, got)
		}
	}
	v, answer := w.serve(w.signed("DestroySession", contract.Values{"UserId": "u"}))
	const want = "Your current request times equals to `101` in a second, which exceeds the frequency limit `100` for a second. Please reduce the frequency of calls."
	if got := told(t, answer).Message; v.Outcome != requestLimitExceeded || got != want {
		t.Errorf("got %s %q, want %q", v.Outcome.Name, got, want)
	}
	edge := w.signed("DestroySession", contract.Values{"UserId": "u"})
	edge.Host = "car.ap-tokyo.tencentcloudapi.com"
	if v, _ := w.serve(edge); v.Outcome != signatureFailure {
		t.Errorf("another host under the same signature: got %s", v.Outcome.Name)
	}
	for key := range w.hits {
		if key != "DestroySession at the nearest edge by 100000000001" {
			t.Errorf("counted under %q", key)
		}
	}
}

type problem struct{ Code, Message string }

func told(t *testing.T, answer contract.Response) problem {
	t.Helper()
	var body struct{ Response struct{ Error problem } }
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		t.Fatal(err)
	}
	return body.Response.Error
}

// Ten thousand sessions are told apart without a walk over all of them, and
// the lowest number that is free is given first.
func TestManyConcurrencies(t *testing.T) { // not parallel: it counts allocations
	w := newTown(t, "one")
	w.sw["rate_limits"] = false
	w.world.Projects[0].Amount = 10000
	for i := range 10000 {
		n := w.world.reserve(fmt.Sprint("u", i), "cap-abcdefgh", w.now)
		n.Session = &session{}
	}
	if got := w.do(apply("one-more", wantNoIdle, -1)); got != wantNoIdle {
		t.Fatalf("got %s", got)
	}
	for _, user := range []string{"u4711", "u12", "u9999"} {
		w.do(destroy(user, -1))
	}
	w.later(2 * time.Second)
	for i, want := range []int{12, 4711, 9999} {
		user := fmt.Sprint("new", i)
		w.do(apply(user, success, -1))
		if got := w.world.users[user].Index; got != want {
			t.Errorf("got concurrency %d, want %d", got, want)
		}
	}
	if got := testing.AllocsPerRun(100, func() { w.world.vacancy(&w.world.Projects[0], w.now) }); got != 0 {
		t.Errorf("looking for a vacancy allocates %v times", got)
	}
}

// A ServerSession is what the web SDK reads: the fields that it needs are
// there, and it tells of the call that made it.
func TestServerSession(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	for _, user := range []string{"cg_user", `<"用户"> \`} {
		w.world.Standing[user] = "cap-abcdefgh"
		_, answer := w.serve(w.signed("CreateSession", contract.Values{"UserId": user, "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}))
		var body struct {
			Response struct {
				ServerSession string
				RequestID     string `json:"RequestId"`
			}
		}
		if err := json.Unmarshal(answer.Body, &body); err != nil {
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
	w.sw["server_session"] = "documented"
	_, answer := w.serve(w.signed("CreateSession", contract.Values{"UserId": "cg_user", "UserIp": "1.2.3.4", "ClientSession": "eyJhYmMiOjEyM30="}))
	var body struct {
		Response struct{ ServerSession string }
	}
	_ = json.Unmarshal(answer.Body, &body)
	if body.Response.ServerSession != "eyJ4dHoiOjc4OX0=" {
		t.Errorf("got %s", answer.Body)
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
		if got := launch(&v.p, v.given); got != v.want {
			t.Errorf("%+v with %s: got %q, want %q", v.p, v.given, got, v.want)
		}
	}
}

// A world that contradicts itself is refused.
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
		var w state
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			t.Fatal(err)
		}
		if err := w.Reindex(); err == nil {
			t.Errorf("%s was not refused", name)
		}
	}
}
