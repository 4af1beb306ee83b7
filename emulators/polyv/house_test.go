package polyv

import (
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// pageDay is when the page of the session list was written.
var pageDay = time.UnixMilli(1652411923329).UTC()

// A house is the least one: one world with a clock that stands.
type house struct {
	t        testing.TB
	world    *state
	switches contract.Values
	call     *contract.Call
}

// zeroes are dice that throw what they count.
type zeroes struct{ n uint64 }

func (z *zeroes) Uint64() uint64 { z.n++; return z.n * 0x9e3779b97f4a7c15 }
func (z *zeroes) Int63() int64   { return int64(z.Uint64() >> 1) }
func (z *zeroes) Seed(int64)     {}

func newHouse(t testing.TB) *house {
	t.Helper()
	text, err := os.ReadFile("../../fixtures/polyv/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, switches: contract.Values{}}
	for _, s := range API.Switches {
		h.switches[s.Name] = s.Default
	}
	made, err := API.State(contract.Seed{
		Now: pageDay, Switches: h.switches, Dice: contract.NewDice(&zeroes{}),
		Decode: func(into any) error { return yaml.Unmarshal(text, into) },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.world = made.(*state)
	return h
}

func (h *house) WithState(f func()) {
	was := h.call.State
	h.call.State = h.world
	f()
	h.call.State = was
}
func (h *house) CountInWindow(string, time.Duration) int { return 1 }
func (*house) Wall() time.Time                           { return time.Time{} }
func (h *house) Dice() *contract.Dice                    { return contract.NewDice(&zeroes{}) }
func (h *house) Mint() *contract.Dice                    { return contract.NewDice(&zeroes{}) }
func (h *house) Issue(string)                            {}
func (h *house) Forget(string)                           {}

// serve takes a request down the corridor.
func (h *house) serve(r *contract.Request, auth contract.Auth) (contract.Verdict, contract.Response) {
	h.t.Helper()
	c := &contract.Call{API: API, Runtime: h, Request: r, Now: pageDay, Auth: auth, Switches: h.switches}
	h.call = c
	c.Operation, c.Miss = API.Pick(r)
	var v contract.Verdict
	for i := range API.Checks {
		if v = API.Checks[i].Do(c); !v.Pending() {
			break
		}
	}
	c.State = h.world
	if v.Pending() {
		v = c.Operation.Decide(c)
	}
	var value any
	if v.Outcome.Do != nil {
		value = v.Outcome.Do(c)
	}
	c.State = nil
	if v.Outcome.Fails {
		value = API.Fail(c, v)
	}
	return v, API.Write(c, v, contract.Reply{Body: wire.Encode(value)})
}

func request(method, path, query string) *contract.Request {
	return &contract.Request{
		Method: method, Target: path + "?" + query, URL: &url.URL{Path: path, RawQuery: query}, Host: "api.polyv.net",
		Header: http.Header{}, Client: "127.0.0.1:50000", Arrived: pageDay,
	}
}
