package sandbox_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sentCallbacks collects the callbacks that a registry would send.
type sentCallbacks struct {
	callbacks []contract.Callback
	when      func() // runs at each notification
}

func (n *sentCallbacks) notify(callbacks []contract.Callback) {
	n.when()
	n.callbacks = append(n.callbacks, callbacks...)
}

func (n *sentCallbacks) bodies() string {
	var all []string
	for _, b := range n.callbacks {
		all = append(all, b.Method+" "+b.URL+" "+string(b.Body))
	}
	return strings.Join(all, "\n")
}

// notifying returns a registry whose API notifies a URL of its parcels.
func notifying(t *testing.T, url string) (*testRegistry, *sentCallbacks) {
	t.Helper()
	n := &sentCallbacks{when: func() {}}
	h := newTestRegistry(t, func(c *sandbox.Config) {
		f, err := fixture.Parse("toy/default.yaml", []byte(tokens+"notify: "+url+"\n"), c.APIs)
		if err != nil {
			t.Fatal(err)
		}
		c.Fixtures["toy"], c.Notify = f, n.notify
	})
	return h, n
}

func (h *testRegistry) handler() http.Handler {
	return gateway.New(gateway.Config{
		APIs: []*contract.API{h.api}, Registry: h.Registry, Body: 1 << 10, MaxStall: time.Second, Log: slog.New(slog.DiscardHandler),
	}).Own(h.api)
}

func drop(t *testing.T, handler http.Handler, answered *httptest.ResponseRecorder, outcome string) {
	t.Helper()
	r := httptest.NewRequest("POST", "/parcels", strings.NewReader(`{"content":"books"}`))
	r.Header.Set("Toy-Token", "t-1")
	if outcome != "" {
		r.Header.Set(gateway.OutcomeHeader, outcome)
	}
	handler.ServeHTTP(answered, r)
}

const nowhere = "http://127.0.0.1:9/parcels"

func TestCallbacksFollowTheAnswer(t *testing.T) {
	h, n := notifying(t, nowhere)
	answer := httptest.NewRecorder()
	var before string
	n.when = func() {
		before = answer.Body.String()
		if _, err := h.instance(t, sandbox.Default).Snapshot(); err != nil { // would wait for ever while the call locks the instance
			t.Error(err)
		}
	}
	drop(t, h.handler(), answer, "")
	if answer.Code != http.StatusOK || before == "" || before != answer.Body.String() {
		t.Errorf("when the callback was sent the client had %q of %d %q", before, answer.Code, answer.Body)
	}
	id := strings.TrimSuffix(strings.TrimPrefix(before, `{"parcel":"`), `"}`)
	want := "POST " + nowhere + ` {"event":"dropped","parcel":"` + id + `"}`
	if got := n.bodies(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	if err := h.instance(t, sandbox.Default).Trigger(h.api.Trigger("parcel.lost"), contract.Values{"parcel": id}); err != nil {
		t.Fatal(err)
	}
	want += "\nPOST " + nowhere + ` {"event":"lost","parcel":"` + id + `"}`
	if got := n.bodies(); got != want {
		t.Errorf("after the trigger: got %s, want %s", got, want)
	}
}

// What did not happen is reported to no one.
func TestNoCallbackOfWhatDidNotHappen(t *testing.T) {
	h, n := notifying(t, nowhere)
	drop(t, h.handler(), httptest.NewRecorder(), "busy")
	if err := h.instance(t, sandbox.Default).Trigger(h.api.Trigger("parcel.lost"), contract.Values{"parcel": "none"}); err == nil {
		t.Error("a parcel got lost that was never there")
	}
	if got := n.bodies(); got != "" {
		t.Errorf("got %s", got)
	}
	h, n = notifying(t, `""`)
	drop(t, h.handler(), httptest.NewRecorder(), "")
	if got := n.bodies(); got != "" {
		t.Errorf("the fixture names no URL: got %s", got)
	}
}

func TestForgottenIdentifier(t *testing.T) {
	h := newTestRegistry(t, nil)
	kept, revoked := h.register(t, "alice"), h.register(t, "alice")
	instance := h.instance(t, "alice")
	if got := h.byIdentifier(revoked); got != "alice" {
		t.Fatalf("before: got %q", got)
	}
	if err := instance.Trigger(h.api.Trigger("token.revoked"), contract.Values{"token": revoked}); err != nil {
		t.Fatal(err)
	}
	if got := h.byIdentifier(revoked) + h.byIdentifier(kept); got != "alice" {
		t.Errorf("got %q, want it for the kept one alone", got)
	}
	instance.WithState(func(s contract.State) {
		if slices.Contains(slices.Collect(s.Identifiers()), revoked) {
			t.Error("the state still has the identifier")
		}
	})
	// A token of another sandbox is not this one's to take back.
	others := h.register(t, "bob")
	if err := instance.Trigger(h.api.Trigger("token.revoked"), contract.Values{"token": others}); err == nil || h.byIdentifier(others) != "bob" {
		t.Errorf("got %v, and the identifier leads to %q", err, h.byIdentifier(others))
	}
}

// What is derived from a state is no part of its snapshot.
func TestDerived(t *testing.T) {
	h := newTestRegistry(t, nil)
	instance := h.instance(t, sandbox.Default)
	if err := instance.Restore([]byte(`{"tokens":[],"parcels":{"p-1":"books","p-2":"hats"},"made":"2026-03-01T12:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	before, err := instance.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	instance.WithState(func(s contract.State) {
		d, ok := s.(contract.Deriver)
		if !ok {
			t.Fatal("the locker derives nothing")
		}
		if got := string(wire.Encode(d.Derive(noon, instance.Switches()))); got != `{"parcels":2}` {
			t.Errorf("got %s", got)
		}
	})
	if after, err := instance.Snapshot(); err != nil || string(after) != string(before) {
		t.Errorf("got %s, %v, want %s", after, err, before)
	}
}
