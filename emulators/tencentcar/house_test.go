package tencentcar

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
)

const (
	docID     = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	docKey    = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
	starID    = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******"
	starKey   = "Gu5t9xGARNpq86cd98joQYCN3*******"
	carHost   = "car.tencentcloudapi.com"
	jsonMedia = "application/json"
)

// b1 is the body that the Go and Node SDKs send.
const b1 = `{"UserId":"cg_user","UserIp":"125.127.178.228","ClientSession":"eyJhYmMiOjEyM30="}`

var fixed = time.Unix(1700000000, 0).UTC()

// town is the least house: one sandbox with a clock that stands.
type town struct {
	t     testing.TB
	world *state
	sw    contract.Values
	auth  contract.Auth
	now   time.Time // by the sandbox's clock
	wall  time.Time
	hits  map[string]int
	open  []func() // what has to be done when answers have left
	hold  bool     // answers do not leave until release
	dice  *contract.Dice
	last  *contract.Call
}

func newTown(t testing.TB, fixture string) *town {
	t.Helper()
	text, err := os.ReadFile("../../fixtures/tencentcar/" + fixture + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	if err := yaml.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	sw := contract.Values{}
	for i := range API.Switches {
		s := &API.Switches[i]
		sw[s.Name] = s.Default
		if x, ok := said[s.Name]; ok {
			if y, ok := s.Type.Convert(x); ok {
				sw[s.Name] = y
			}
		}
	}
	made, err := API.State(contract.Seed{Now: fixed, Switches: sw, Decode: func(into any) error { return yaml.Unmarshal(text, into) }})
	if err != nil {
		t.Fatal(err)
	}
	return &town{
		t: t, world: made.(*state), sw: sw, auth: contract.Verify, now: fixed, wall: fixed,
		hits: map[string]int{}, dice: room().Dice(nil, 1),
	}
}

// room is where dice come from.
var room = sync.OnceValue(func() *sandbox.Instance {
	house, err := sandbox.New(sandbox.Config{
		APIs: []*contract.API{API}, Fixtures: map[string]*fixture.Fixture{API.Name: fixture.Empty(API)},
		Seed: 1, Wall: func() time.Time { return fixed }, Max: 1,
	})
	if err != nil {
		panic(err)
	}
	r, err := house.Find(sandbox.Default).Instance(API)
	if err != nil {
		panic(err)
	}
	return r
})

type booth struct {
	call *contract.Call
	town *town
}

func (b booth) WithState(f func()) {
	was := b.call.State
	b.call.State = b.town.world
	f()
	b.call.State = was
}

func (b booth) CountInWindow(key string, _ time.Duration) int {
	b.town.hits[key]++
	return b.town.hits[key]
}
func (b booth) Wall() time.Time      { return b.call.Now }
func (b booth) Dice() *contract.Dice { return b.town.dice }
func (b booth) Mint() *contract.Dice { return b.town.dice }
func (b booth) Issue(string)         {}
func (b booth) Forget(string)        {}

// serve takes a request down the corridor.
func (w *town) serve(r *contract.Request) (contract.Verdict, contract.Response) {
	w.t.Helper()
	if r.Arrived.IsZero() {
		r.Arrived = w.wall
	}
	c := &contract.Call{API: API, Request: r, Now: w.now, Auth: w.auth, Switches: w.sw}
	c.Runtime = booth{c, w}
	c.Operation, c.Miss = API.Pick(r)
	w.last = c
	var v contract.Verdict
	for i := range API.Checks {
		if v = API.Checks[i].Do(c); !v.Pending() {
			w.declared(API.Checks[i].Ends, v, API.Checks[i].Name)
			break
		}
	}
	if v.Pending() {
		if c.Operation == nil {
			w.t.Fatal("the Door let a request in that names no operation")
		}
		c.State = w.world
		v = c.Operation.Decide(c)
		w.declared(API.Ends(c.Operation), v, c.Operation.Name)
	}
	return v, w.perform(c, v)
}

func (w *town) declared(ends []*contract.Outcome, v contract.Verdict, where string) {
	w.t.Helper()
	for _, o := range ends {
		if o == v.Outcome {
			return
		}
	}
	w.t.Errorf("%s ends in the undeclared %s", where, v.Outcome.Name)
}

func (w *town) perform(c *contract.Call, v contract.Verdict) contract.Response {
	w.t.Helper()
	var value any
	c.State = w.world
	if v.Outcome.Do != nil {
		value = v.Outcome.Do(c)
	}
	c.State = nil
	if v.Outcome.Fails {
		value = API.Fail(c, v)
	}
	if end := v.Outcome.Sent; end != nil {
		leave := func() { c.State = w.world; end(c) }
		if w.hold {
			w.open = append(w.open, leave)
		} else {
			leave()
		}
	}
	answer := API.Write(c, v, contract.Reply{Body: wire.Encode(value)})
	if answer.Status != 200 || answer.Header.Get("Content-Type") != jsonMedia {
		w.t.Errorf("got status %d, Content-Type %q, want 200, application/json", answer.Status, answer.Header.Get("Content-Type"))
	}
	if !json.Valid(answer.Body) || strings.ContainsAny(string(answer.Body[len(answer.Body)-1:]), "\n") {
		t := string(answer.Body)
		w.t.Errorf("the body is no JSON, or a line feed follows it: %q", t)
	}
	return answer
}

func (w *town) release() {
	for _, f := range w.open {
		f()
	}
	w.open = nil
}

// ask has the Go SDK's request served and returns the outcome's name.
func (w *town) ask(operation string, in contract.Values) string {
	w.t.Helper()
	v, _ := w.serve(w.signed(operation, in))
	return v.Outcome.Name
}

func (w *town) signed(operation string, in contract.Values) *contract.Request {
	w.t.Helper()
	r, err := API.Sign(contract.Draft{
		Operation: API.Operation(operation), In: in, Host: carHost, Now: w.wall,
		Credentials: contract.Values{"secretId": docID, "secretKey": docKey},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *town) trigger(name string, in contract.Values) error {
	c := &contract.Call{API: API, In: in, Now: w.now, Switches: w.sw, State: w.world}
	c.Runtime = booth{c, w}
	return API.Trigger(name).Do(c)
}

func (w *town) later(d time.Duration) { w.now = w.now.Add(d) }

// request makes a request as it comes off the wire. Headers alternate with
// their values.
func request(method, target, host, body string, headers ...string) *contract.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		u = &url.URL{Path: "/"}
	}
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &contract.Request{Method: method, Target: target, URL: u, Host: host, Header: h, Body: []byte(body), Client: "127.0.0.1:50000"}
}

func scope(id, rest, signed, signature string) string {
	return algorithm + " Credential=" + id + "/" + rest + ending + ", SignedHeaders=" + signed + ", Signature=" + signature
}
