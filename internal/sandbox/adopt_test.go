package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// adopting is a registry whose sandboxes adopt.
func adopting(t *testing.T) *testRegistry {
	t.Helper()
	return newTestRegistry(t, func(c *sandbox.Config) { c.Unknown = map[string]contract.OnUnknown{"toy": contract.Adopt} })
}

// drop has a client with a token drop a parcel in a sandbox, and returns the journal's entry.
func (h *testRegistry) drop(t *testing.T, name, token string) *journal.Entry {
	t.Helper()
	op := h.api.Operation("DropParcel")
	x := &engine.Exchange{Instance: h.instance(t, name), Sandbox: h.get(t, name), Request: &contract.Request{
		Method: op.Method, URL: &url.URL{Path: op.Path}, At: []*contract.Operation{op},
		Header: http.Header{"Toy-Token": {token}}, Body: []byte(`{"content":"books"}`),
	}}
	if err := engine.Serve(x); err != nil {
		t.Fatal(err)
	}
	x.Close(0, journal.Sent)
	return x.Entry
}

func (h *testRegistry) adopted(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, one := range h.instance(t, name).Adopted() {
		all = append(all, one.ID)
	}
	return all
}

// An identifier that a sandbox adopted leads to it, unless another has it otherwise, or
// adopted it too.
func TestAdoptedIdentifiersRoute(t *testing.T) {
	h := adopting(t)
	h.drop(t, sandbox.Default, "early") // before there is a directory
	h.get(t, "alice")
	h.drop(t, "alice", "mine")
	h.drop(t, "alice", "both")
	h.drop(t, sandbox.Default, "both")
	issued := h.register(t, "alice")
	h.drop(t, sandbox.Default, issued) // by a header: default adopts what alice handed out
	for identifier, want := range map[string]string{"early": sandbox.Default, "mine": "alice", "both": "", issued: "alice", "t-1": "", "nobody's": ""} {
		if got := h.byIdentifier(identifier); got != want {
			t.Errorf("%s leads to %q, want %q", identifier, got, want)
		}
	}
	if err := h.get(t, "alice").Reset(); err != nil {
		t.Fatal(err)
	}
	if got := h.byIdentifier("both"); got != sandbox.Default {
		t.Errorf("after alice was reset, both leads to %q", got)
	}
}

// A sandbox that is made with an account gets its calls, though another adopted the same
// account before.
func TestAdoptedYields(t *testing.T) {
	h := adopting(t)
	h.drop(t, sandbox.Default, "shop")
	f, err := fixture.Parse("toy/shop.yaml", []byte("fixture: shop\napi: toy\ntokens: [shop]\n"), []*contract.API{h.api})
	if err != nil {
		t.Fatal(err)
	}
	origin := h.Origin()
	origin.Request, origin.Fixtures["toy"] = "{}", f
	if _, _, err := h.Make("shop", origin); err != nil {
		t.Fatal(err)
	}
	if got := h.byIdentifier("shop"); got != "shop" {
		t.Errorf("shop leads to %q", got)
	}
}

// What is adopted is told with its call, and is part of a world.
func TestAdoptedIsToldAndKept(t *testing.T) {
	h := adopting(t)
	s := h.get(t, sandbox.Default)
	before := h.StateLoad().Held
	e := h.drop(t, sandbox.Default, "shop")
	if want := []contract.Adopted{{What: "token", ID: "shop"}}; !slices.Equal(e.Adopted, want) {
		t.Errorf("the entry has %v", e.Adopted)
	}
	one := h.instance(t, sandbox.Default).Adopted()
	if len(one) != 1 || one[0] != (sandbox.Adopted{What: "token", ID: "shop", Time: noon, Call: "default-1"}) {
		t.Errorf("got %+v", one)
	}
	if more := h.StateLoad().Held - before; more < 1024 {
		t.Errorf("the budget counts %d bytes more", more)
	}
	if again := h.drop(t, sandbox.Default, "shop"); again.Adopted != nil || again.Outcome != "busy" && again.Outcome != "success" {
		t.Errorf("the second call: %s, %v", again.Outcome, again.Adopted)
	}
	world, _, err := s.World(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(sandbox.State); err != nil || h.adopted(t, sandbox.Default) != nil {
		t.Errorf("after a reset: %v, %v", h.adopted(t, sandbox.Default), err)
	}
	if _, err := s.Restore(world, nil); err != nil || !slices.Equal(h.instance(t, sandbox.Default).Adopted(), one) {
		t.Errorf("restored: %v, %v", h.adopted(t, sandbox.Default), err)
	}
	for name, list := range map[string][]sandbox.Adopted{
		"adopts no \"tokn\"": {{What: "tokn", ID: "x"}}, "cannot have been adopted: it is empty": {{What: "token"}}, "\"x\" of toy is not in the state": {{What: "token", ID: "x"}}, "is listed twice": {{What: "token", ID: "shop"}, {What: "token", ID: "shop"}},
		"at most 1000": make([]sandbox.Adopted, 1001),
	} {
		world.Adopted["toy"] = list
		if _, err := s.Restore(world, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
	world.Adopted = map[string][]sandbox.Adopted{"toi": nil}
	if _, err := s.Restore(world, nil); err == nil {
		t.Error("an unknown API was taken")
	}
}

// A client that makes its ids up never has more than so many adopted, whatever it sends: the
// others are refused as unknown, and cost nothing.
func TestAdoptsNoMoreThanSoMany(t *testing.T) {
	const most, distinct = 1000, 100_000
	h := adopting(t)
	for n := range most {
		if e := h.drop(t, sandbox.Default, fmt.Sprint("own-", n)); e.Outcome == "unknownToken" {
			t.Fatalf("%d is refused: %s", n, e.Explanation.Text)
		}
	}
	held, heap := h.StateLoad().Held, heapNow()
	i, refusal := h.instance(t, sandbox.Default), ""
	for n := most; n < distinct; n++ {
		id := fmt.Sprint("own-", n)
		if n%100 == 0 { // by a whole call, which takes longer
			if e := h.drop(t, sandbox.Default, id); e.Outcome != "unknownToken" || e.Adopted != nil || !strings.Contains(e.Explanation.Text, "The token was not adopted: 1000 were adopted already") {
				t.Fatalf("%s ends in %s, %v: %s", id, e.Outcome, e.Adopted, e.Explanation.Text)
			}
			continue
		}
		i.WithState(func(st contract.State) {
			_, refusal = i.Adopt(&contract.Call{API: h.api, State: st, Now: noon}, "token", id)
		})
		if !strings.HasPrefix(refusal, "1000 were adopted already") {
			t.Fatalf("%s: the refusal is %q", id, refusal)
		}
	}
	if more := heapNow() - heap; more > 1<<20 {
		t.Errorf("%d refused ids keep %d bytes", distinct-most, more)
	}
	if now := h.StateLoad().Held; now != held {
		t.Errorf("the budget counts %d bytes, and %d before", now, held)
	}
	if got := h.adopted(t, sandbox.Default); len(got) != most {
		t.Errorf("%d were adopted", len(got))
	}
	if e := h.drop(t, "other", "own-1000"); !slices.Equal(e.Adopted, []contract.Adopted{{What: "token", ID: "own-1000"}}) {
		t.Errorf("another sandbox adopts %v", e.Adopted)
	}
	for identifier, want := range map[string]string{"own-999": sandbox.Default, "own-1000": "other", "own-99900": "", "own-99999": ""} {
		if got := h.byIdentifier(identifier); got != want {
			t.Errorf("%s leads to %q, want %q", identifier, got, want)
		}
	}
}

// heapNow is how many bytes the heap holds that are in use.
func heapNow() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Each sandbox has the mode with which it was made.
func TestUnknownBySandbox(t *testing.T) {
	h := newTestRegistry(t, nil)
	origin := h.Origin()
	origin.Request, origin.Unknown["toy"] = "{}", contract.Adopt
	if _, _, err := h.Make("taker", origin); err != nil {
		t.Fatal(err)
	}
	if e := h.drop(t, sandbox.Default, "shop"); e.Outcome != "unknownToken" {
		t.Errorf("default: %s", e.Outcome)
	}
	if e := h.drop(t, "taker", "shop"); e.Outcome != "success" {
		t.Errorf("taker: %s", e.Outcome)
	}
	if err := h.get(t, "taker").Reset(); err != nil {
		t.Fatal(err)
	}
	if e := h.drop(t, "taker", "shop"); e.Outcome != "success" {
		t.Errorf("after a reset: %s", e.Outcome)
	}
}

// What was adopted and left the state is no part of a world, so that every world can be loaded.
func TestGoneIsNotKept(t *testing.T) {
	h := adopting(t)
	h.drop(t, sandbox.Default, "shop")
	h.drop(t, sandbox.Default, "gone")
	i := h.instance(t, sandbox.Default)
	if err := i.Trigger(i.API.Trigger("token.revoked"), contract.Values{"token": "gone"}); err != nil {
		t.Fatal(err)
	}
	world, _, err := h.get(t, sandbox.Default).World(nil)
	if err != nil || len(world.Adopted["toy"]) != 1 || world.Adopted["toy"][0].ID != "shop" {
		t.Fatalf("got %v, %v", world.Adopted, err)
	}
	if _, err := h.get(t, sandbox.Default).Restore(world, nil); err != nil {
		t.Error(err)
	}
}

// A call that finds no room is counted once, though it brought an id that is not adopted.
func TestNoRoomIsCountedOnce(t *testing.T) {
	h := newTestRegistry(t, func(c *sandbox.Config) {
		c.Unknown, c.MaxState = map[string]contract.OnUnknown{"toy": contract.Adopt}, 2_000
	})
	_, _ = h.fill(t, sandbox.Default)
	before := h.StateLoad().Refused
	if e := h.drop(t, sandbox.Default, "shop"); e.Adopted != nil || !strings.Contains(e.Explanation.Text, "as much as --max-state allows") {
		t.Errorf("got %s, %v: %s", e.Outcome, e.Adopted, e.Explanation.Text)
	}
	if got := h.StateLoad().Refused - before; got != 0 {
		t.Errorf("an answer of the API's own is counted as %d refusals", got)
	}
}
