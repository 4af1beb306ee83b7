package flat_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/wire"
)

// An opener is how the sessions of an API are opened, and what is called among them.
type opener struct {
	api  string
	set  map[string]string                    // switches
	room func(state map[string]any, most int) // changes a state so that so many sessions have room

	steps   func(i int) []step                     // of opening the i-th session
	trigger func(i int) []string                   // or the triggers
	id      func(location string, b []byte) string // of a session, from the answer to the last step; nil: its number is enough
	calls   func(i int, id string) []step          // among the open sessions, on the i-th of them

	each int // bytes that an open session holds, at most: a third more than was measured
}

// A step is one call.
type step struct {
	operation string
	in        contract.Values
}

var openers = []opener{
	{
		api: "tencentcar", set: map[string]string{"rate_limits": "off"},
		room: func(state map[string]any, most int) {
			state["projects"].([]any)[0].(map[string]any)["amount"] = most
		},
		steps: func(i int) []step {
			return []step{
				{"ApplyConcurrent", contract.Values{"UserId": fmt.Sprint("user-", i), "UserIp": "125.127.178.228", "ProjectId": "cap-abcdefgh"}},
				{"CreateSession", contract.Values{"UserId": fmt.Sprint("user-", i), "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}},
			}
		},
		calls: func(i int, _ string) []step {
			user := fmt.Sprint("user-", i)
			return []step{
				{"CreateSession", contract.Values{"UserId": user, "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}},
				{"ApplyConcurrent", contract.Values{"UserId": user, "UserIp": "125.127.178.228", "ProjectId": "cap-abcdefgh"}},
				{"DescribeConcurrentCount", contract.Values{"ProjectId": "cap-abcdefgh"}},
			}
		},
		each: 1000,
	},
	{
		api:   "adobemedia",
		steps: func(int) []step { return []step{{"StartSession", contract.Values{}}} },
		id:    func(location string, _ []byte) string { return location[strings.LastIndexByte(location, '/')+1:] },
		calls: func(_ int, id string) []step {
			return []step{
				{"StartSession", contract.Values{}},
				{"SendEvent", contract.Values{"sid": id, "eventType": "ping", "playerTime": contract.Values{"playhead": 10.5, "ts": 1509045334153}, "params": contract.Values{}}},
			}
		},
		each: 900,
	},
	{
		api:   "adobepass",
		steps: func(i int) []step { return []step{{"CreateSession", device(i)}} },
		id: func(_ string, body []byte) string {
			var answer struct {
				Code string `json:"code"`
			}
			_ = json.Unmarshal(body, &answer) // without a code, the calls are refused
			return answer.Code
		},
		calls: func(i int, code string) []step {
			ofCode := contract.Values{"serviceProvider": "REF30", "code": code}
			return []step{
				{"CreateSession", device(0)}, // whose earlier code is void then
				{"GetSession", ofCode},
				{"GetProfileByCode", ofCode},
				{"GetProfiles", device(i)},
			}
		},
		each: 800,
	},
	{
		api:     "polyv",
		trigger: func(int) []string { return []string{"stream.started", "stream.ended"} },
		calls: func(int, string) []step {
			end := conformance.Noon.UnixMilli()
			return []step{
				{"ListSessionData", contract.Values{"channelId": "2272655", "page": "1", "pageSize": "10"}},
				{"ListSessions", contract.Values{"channelId": "2272655"}},
				{"ListAccountSessions", contract.Values{"startTime": end - 24*60*60*1000, "endTime": end}},
				{"ListLiveStatus", contract.Values{"channelIds": "2272655"}},
			}
		},
		each: 260,
	},
	{
		api: "youdu",
		steps: func(int) []step {
			return []step{{"CreateSession", contract.Values{"title": "测试创建会话", "creator": "test1", "type": "multi", "member": []any{"test1", "test2", "test3"}}}}
		},
		calls: func(int, string) []step {
			const id = "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}" // of the fixture
			return []step{
				{"CreateSession", contract.Values{"title": "测试创建会话", "creator": "test1", "type": "multi", "member": []any{"test1", "test2", "test3"}}},
				{"GetSession", contract.Values{"sessionId": id}},
				{"SendMessage", contract.Values{"sessionId": id, "sender": "test1", "msgType": "text", "text": contract.Values{"content": "hi"}}},
				{"GetToken", contract.Values{}},
			}
		},
		each: 550,
	},
}

// device is a call of a device of adobepass.
func device(i int) contract.Values {
	return contract.Values{
		"serviceProvider": "REF30", "mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com",
		"AP-Device-Identifier": fmt.Sprint("fingerprint ", 10_000_000+i), "X-Device-Info": "ewoJInByaW1hcnlIYXJkd2FyZVR5cGUiOiAiU2V0VG9wQm94Igp9",
	}
}

// A world is a world in which sessions are opened.
type world struct {
	*opener
	*conformance.World
	t    testing.TB
	open int
	last string // id of the session that was opened last
}

func newWorld(t testing.TB, o *opener, most int) *world {
	t.Helper()
	i := slices.IndexFunc(emulators.All, func(a *contract.API) bool { return a.Name == o.api })
	w := &world{opener: o, t: t, World: conformance.New(t, emulators.All[i], conformance.Setting{Set: o.set, Wall: func() time.Time { return conformance.Noon }})}
	if o.room != nil {
		instance := w.Instance(t)
		document, err := instance.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		var state map[string]any
		if err := json.Unmarshal(document, &state); err != nil {
			t.Fatal(err)
		}
		o.room(state, most)
		if document, err = wire.Saved(state); err != nil {
			t.Fatal(err)
		}
		if err := instance.Restore(document); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// openUpTo opens sessions until there are n.
func (w *world) openUpTo(n int) {
	w.t.Helper()
	for ; w.open < n; w.open++ {
		if w.trigger != nil {
			for _, name := range w.trigger(w.open) {
				if err := w.Trigger(w.t, name, contract.Values{"channelId": "2272655"}); err != nil {
					w.t.Fatal(err)
				}
			}
			continue
		}
		steps := w.steps(w.open)
		for k, s := range steps {
			r := w.request(s)
			if w.open < n-1 || k < len(steps)-1 {
				w.call(r)
				continue
			}
			answer := w.Send(conformance.HTTP(r))
			if answer.Code >= 400 {
				w.t.Fatalf("%s: got %d %s", s.operation, answer.Code, answer.Body)
			}
			if w.id != nil {
				w.last = w.id(answer.Header().Get("Location"), answer.Body.Bytes())
			}
		}
	}
}

// call takes a request through the corridor, and returns the outcome.
func (w *world) call(r *contract.Request) string {
	e := w.Corridor(w.t, r)
	if e.DecidedBy.Kind != journal.Emulator {
		w.t.Fatalf("%s ended in %s, decided by %v; the emulator was expected to decide", e.Operation, e.Outcome, e.DecidedBy)
	}
	return e.Outcome
}

// request makes a signed request as the gateway hands it over.
func (w *world) request(s step) *contract.Request {
	w.t.Helper()
	op, host := w.API.Operation(s.operation), "api.example"
	if names := w.API.HostNames(); len(names) > 0 {
		host = names[0]
	}
	r, err := w.API.Sign(contract.Draft{Operation: op, In: s.in, Host: host, Credentials: w.Credentials(w.t), Now: conformance.Noon})
	if err != nil {
		w.t.Fatal(err)
	}
	r.Target, r.Base, r.Client, r.Path = r.URL.RequestURI(), "http://"+host, "192.0.2.1:1234", map[string]string{}
	for _, other := range w.API.Operations {
		if other.Path == op.Path {
			r.At = append(r.At, other)
		}
	}
	for i := range op.Params {
		if p := &op.Params[i]; p.In == contract.Path {
			r.Path[p.Name] = s.in.Text(p.Name)
		}
	}
	return r
}

var open = flag.Int("open", 10_000, "how many sessions TestOpenSessions opens of each API")

// A call costs the same whether 100 sessions are open or very many, and a session holds
// no more memory than its row says.
func TestOpenSessions(t *testing.T) { // not parallel: it measures
	few, many := 100, *open
	if race {
		many = 1000
	}
	for i := range openers {
		o := &openers[i]
		t.Run(o.api, func(t *testing.T) {
			small, large := newWorld(t, o, 2*many), newWorld(t, o, 2*many)
			small.openUpTo(few)
			large.openUpTo(few)
			before := heap()
			large.openUpTo(many)
			large.Sandbox.Journal.Clear(true)
			each := (heap() - before) / (many - few)
			t.Logf("an open session of %s holds %d bytes", o.api, each)
			if each > o.each && !race {
				t.Errorf("an open session holds %d bytes; at most %d were expected", each, o.each)
			}
			among := small.calls(small.open-1, small.last)
			for k, s := range large.calls(large.open-1, large.last) {
				little, much := small.request(among[k]), large.request(s)
				outcome := small.call(little)
				if got := large.call(much); got != outcome {
					t.Errorf("%s ended in %s among %d sessions, and in %s among %d", s.operation, got, many, outcome, few)
				}
				compare(t, s.operation+", which ended in "+outcome, func() { small.call(little) }, func() { large.call(much) })
			}
		})
	}
}

// BenchmarkOpenSessions is the calls among so many open sessions.
func BenchmarkOpenSessions(b *testing.B) {
	for i := range openers {
		o := &openers[i]
		for _, open := range []int{1, 1000, 100_000} {
			b.Run(fmt.Sprintf("%s/open=%d", o.api, open), func(b *testing.B) {
				w := newWorld(b, o, 2*open)
				w.openUpTo(open)
				for _, s := range o.calls(w.open-1, w.last) {
					r := w.request(s)
					b.Run(s.operation, func(b *testing.B) {
						b.ReportAllocs()
						for b.Loop() {
							w.call(r)
						}
					})
				}
			})
		}
	}
}
