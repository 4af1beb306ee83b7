package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// tokenBytes is what the toy API counts for a token.
const tokenBytes = 150

func withRoom(bytes int64) func(*sandbox.Config) {
	return func(c *sandbox.Config) { c.MaxState, c.Max = bytes, 100 }
}

// ask makes a call in a sandbox and returns its outcome. forced is the outcome that the
// request itself calls for.
func (h *testRegistry) ask(name, operation, forced string) (string, error) {
	s, err := h.Get(name)
	if err != nil {
		return "", err
	}
	i, err := s.Instance(h.api)
	if err != nil {
		return "", err
	}
	op := h.api.Operation(operation)
	x := &engine.Exchange{Instance: i, Sandbox: s, RequestedOutcome: forced, Request: &contract.Request{
		Method: op.Method, URL: &url.URL{Path: op.Path}, At: []*contract.Operation{op}, Path: map[string]string{"parcel": "p-9"}, Header: http.Header{"Toy-Token": {"t-1"}},
	}}
	if err := engine.Serve(x); err != nil {
		return "", err
	}
	x.Close(0, journal.Sent)
	return x.Entry.Outcome, nil
}

// fill registers tokens in a sandbox until there is no room.
func (h *testRegistry) fill(t *testing.T, name string) (tokens int, full *sandbox.NoRoomError) {
	t.Helper()
	for ; tokens < 10_000; tokens++ {
		if _, err := h.ask(name, "Register", ""); errors.As(err, &full) {
			return tokens, full
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("there was room without end")
	return 0, nil
}

// What the sandboxes hold together is bounded: calls that add something are refused
// before anything is changed, and all others are served.
func TestStatesShareMemory(t *testing.T) {
	const most = 20_000
	h := newTestRegistry(t, withRoom(most))
	h.register(t, "bob")
	began := h.StateLoad().Held
	tokens, full := h.fill(t, "alice")
	if full.Held < most-tokenBytes || full.Most != most {
		t.Errorf("got %+v after %d tokens", full, tokens)
	}
	for _, want := range []string{"alice (", "bob (", "default (", fmt.Sprint(full.Held), "20000", "understudy sandbox drop NAME", "DELETE /v1/sandboxes/NAME", "reset", "--max-state"} {
		if !strings.Contains(full.Error(), want) {
			t.Errorf("%q is not in %s", want, full)
		}
	}
	if at := strings.Index(full.Error(), "alice"); at > strings.Index(full.Error(), "bob") {
		t.Errorf("the sandbox that holds most is not the first: %s", full)
	}
	before, _ := h.instance(t, "alice").Snapshot()
	for _, c := range []struct {
		operation, forced string
		outcome           string // "": there is no room
	}{
		{operation: "Register"},
		{operation: "GetParcel", forced: "success"},
		{operation: "GetParcel", outcome: "noParcel"},
		{operation: "GetParcel", forced: "broken", outcome: "broken"},
		{operation: "Page", outcome: "success"},
	} {
		got, err := h.ask("alice", c.operation, c.forced)
		if got != c.outcome || errors.As(err, &full) != (c.outcome == "") {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
	if after, _ := h.instance(t, "alice").Snapshot(); string(after) != string(before) {
		t.Errorf("a refused call has changed the state:\n%s\n%s", before, after)
	}
	if got := h.StateLoad(); got.Refused != 3 {
		t.Errorf("%d refusals are counted, want 3", got.Refused)
	}

	if err := h.get(t, "alice").Reset(); err != nil {
		t.Fatal(err)
	}
	h.register(t, "alice")
	if again, _ := h.fill(t, "alice"); again != tokens-1 {
		t.Errorf("after a reset there was room for %d tokens, want %d", again, tokens-1)
	}
	if _, err := h.Drop(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := h.StateLoad().Held; got != began {
		t.Errorf("without alice %d bytes are held, want %d", got, began)
	}
	h.register(t, "bob")
}

// A sandbox is made only where its fixture fits. One that lives is reset also where
// nothing fits.
func TestFixturesTakeRoom(t *testing.T) {
	h := newTestRegistry(t, withRoom(2_000))
	h.register(t, "alice")
	if err := h.get(t, "alice").Reset(); err != nil {
		t.Fatal(err)
	}
	_, _ = h.fill(t, sandbox.Default)
	var full *sandbox.NoRoomError
	if _, err := h.ask("carol", "Page", ""); !errors.As(err, &full) {
		t.Errorf("got %v", err)
	}
	if err := h.instance(t, "alice").Restore([]byte(`{"tokens":[],"parcels":{},"made":"2026-03-01T12:00:00Z"}`)); err != nil {
		t.Error(err)
	}
	for range 20 { // what alice gave back is taken
		_, _ = h.ask(sandbox.Default, "Register", "")
	}
	if err := h.get(t, "alice").Reset(); err != nil {
		t.Errorf("a reset was refused: %v", err)
	}
	config := h.Config()
	config.MaxState = 10
	if _, err := sandbox.New(config); !errors.As(err, &full) {
		t.Errorf("a start without room for the fixtures: got %v", err)
	}
}

// A dropped sandbox gives everything back, also where calls of it are under way.
func TestDroppedSandboxHoldsNothing(t *testing.T) {
	h := newTestRegistry(t, withRoom(1<<20))
	began := h.StateLoad().Held
	h.register(t, "alice")
	late := h.get(t, "alice")
	i := h.instance(t, "alice")
	empty := h.get(t, "bob")
	for _, s := range []*sandbox.Sandbox{late, empty} {
		use := s.Use()
		if use == nil {
			t.Fatal("it was dropped already")
		}
		defer use.Done()
		cut, cancel := context.WithCancel(t.Context())
		cancel()
		if left, err := h.Drop(cut, s.Name); left != 1 || err != nil {
			t.Fatal(left, err)
		}
	}
	if err := i.Restore([]byte(`{"tokens":["late"],"parcels":{},"made":"2026-03-01T12:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	i.WithState(func(contract.State) {})
	if _, err := empty.Instance(h.api); err != nil {
		t.Fatal(err)
	}
	if got := h.StateLoad().Held; got != began {
		t.Errorf("%d bytes are held, want %d", got, began)
	}
}

// A state that is put back counts in full, whatever it is made of, and is refused as a
// whole. Of two that come at once, one finds no room.
func TestRestoredStatesTakeRoom(t *testing.T) {
	const most = 100_000
	h := newTestRegistry(t, withRoom(most))
	document, err := json.Marshal(map[string]any{"tokens": []string{}, "made": "2026-03-01T12:00:00Z", "parcels": map[string]string{"p-1": strings.Repeat("x", most*6/10)}})
	if err != nil {
		t.Fatal(err)
	}
	h.instance(t, "alice")
	h.instance(t, "bob")
	before, _ := h.instance(t, "alice").Snapshot()
	var wg sync.WaitGroup
	var refused atomic.Int32
	for _, name := range []string{"alice", "bob"} {
		s := h.get(t, name)
		wg.Go(func() {
			_, err := s.Restore(&sandbox.World{State: map[string]json.RawMessage{"toy": document}}, nil)
			if full := (*sandbox.NoRoomError)(nil); errors.As(err, &full) {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if held := h.StateLoad().Held; refused.Load() != 1 || held > most || held < most*6/10 {
		t.Errorf("%d of 2 were refused, and %d bytes are held", refused.Load(), held)
	}
	for _, name := range []string{"alice", "bob"} {
		if err := h.get(t, name).Reset(); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := h.instance(t, "alice").Snapshot(); string(after) != string(before) {
		t.Errorf("got %s, want %s", after, before)
	}
}

// A trigger that adds something needs room too.
func TestTriggersTakeRoom(t *testing.T) {
	h := newTestRegistry(t, withRoom(5_000))
	i := h.instance(t, sandbox.Default)
	if err := i.Restore([]byte(`{"tokens":[],"parcels":{"p-1":"books","p-2":"hats"},"made":"2026-03-01T12:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	_, _ = h.fill(t, sandbox.Default)
	lost := h.api.Trigger("parcel.lost")
	lost.Keeps = true
	if err := i.Trigger(lost, contract.Values{"parcel": "p-1"}); !errors.As(err, new(*sandbox.NoRoomError)) {
		t.Errorf("got %v", err)
	}
	lost.Keeps = false
	if err := i.Trigger(lost, contract.Values{"parcel": "p-1"}); err != nil {
		t.Error(err)
	}
}

// Clients that call at once pass the limit by what each adds at most, and what is
// counted for them stays right.
func TestParallelCallsShareMemory(t *testing.T) {
	const most, clients = 60_000, 32
	h := newTestRegistry(t, withRoom(most))
	began := h.StateLoad().Held
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			name := fmt.Sprint("s", n%8)
			for range 50 {
				if _, err := h.ask(name, "Register", ""); err != nil && !errors.As(err, new(*sandbox.NoRoomError)) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := h.StateLoad(); got.Held < most-tokenBytes || got.Held > most+clients*tokenBytes || got.Refused == 0 {
		t.Errorf("got %+v", got)
	}
	for n := range 8 {
		if _, err := h.Drop(t.Context(), fmt.Sprint("s", n)); err != nil {
			t.Error(err)
		}
	}
	if got := h.StateLoad().Held; got != began {
		t.Errorf("%d bytes are held, want %d", got, began)
	}
}
