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

// told is what a house would send to the client's side. Nothing is sent.
type told struct {
	callbacks []contract.Callback
	when      func() // runs when the house tells
}

func (n *told) notify(callbacks []contract.Callback) {
	n.when()
	n.callbacks = append(n.callbacks, callbacks...)
}

func (n *told) bodies() string {
	var all []string
	for _, b := range n.callbacks {
		all = append(all, b.Method+" "+b.URL+" "+string(b.Body))
	}
	return strings.Join(all, "\n")
}

// notifying is a house whose locker tells a URL of its parcels.
func notifying(t *testing.T, url string) (*home, *told) {
	t.Helper()
	n := &told{when: func() {}}
	h := newHome(t, func(c *sandbox.Config) {
		f, err := fixture.Parse("toy/default.yaml", []byte(tokens+"notify: "+url+"\n"), c.APIs)
		if err != nil {
			t.Fatal(err)
		}
		c.Fixtures["toy"], c.Notify = f, n.notify
	})
	return h, n
}

func (h *home) door() http.Handler {
	return gateway.New(gateway.Config{
		APIs: []*contract.API{h.api}, Registry: h.Registry, Body: 1 << 10, MaxStall: time.Second, Log: slog.New(slog.DiscardHandler),
	}).Own(h.api)
}

func drop(t *testing.T, door http.Handler, answered *httptest.ResponseRecorder, outcome string) {
	t.Helper()
	r := httptest.NewRequest("POST", "/parcels", strings.NewReader(`{"content":"books"}`))
	r.Header.Set("Toy-Token", "t-1")
	if outcome != "" {
		r.Header.Set(gateway.OutcomeHeader, outcome)
	}
	door.ServeHTTP(answered, r)
}

const nowhere = "http://127.0.0.1:9/parcels"

func TestCallbacksFollowTheAnswer(t *testing.T) {
	h, n := notifying(t, nowhere)
	answer := httptest.NewRecorder()
	var before string
	n.when = func() {
		before = answer.Body.String()
		if _, err := h.room(t, sandbox.Default).Snapshot(); err != nil { // would wait for ever while the call holds the room
			t.Error(err)
		}
	}
	drop(t, h.door(), answer, "")
	if answer.Code != http.StatusOK || before == "" || before != answer.Body.String() {
		t.Errorf("when the callback was sent the client had %q of %d %q", before, answer.Code, answer.Body)
	}
	id := strings.TrimSuffix(strings.TrimPrefix(before, `{"parcel":"`), `"}`)
	want := "POST " + nowhere + ` {"event":"dropped","parcel":"` + id + `"}`
	if got := n.bodies(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	if err := h.room(t, sandbox.Default).Trigger(h.api.Trigger("parcel.lost"), contract.Values{"parcel": id}); err != nil {
		t.Fatal(err)
	}
	want += "\nPOST " + nowhere + ` {"event":"lost","parcel":"` + id + `"}`
	if got := n.bodies(); got != want {
		t.Errorf("after the trigger: got %s, want %s", got, want)
	}
}

// What did not happen is told to nobody.
func TestNoCallbackOfWhatDidNotHappen(t *testing.T) {
	h, n := notifying(t, nowhere)
	drop(t, h.door(), httptest.NewRecorder(), "busy")
	if err := h.room(t, sandbox.Default).Trigger(h.api.Trigger("parcel.lost"), contract.Values{"parcel": "none"}); err == nil {
		t.Error("a parcel got lost that was never there")
	}
	if got := n.bodies(); got != "" {
		t.Errorf("got %s", got)
	}
	h, n = notifying(t, `""`)
	drop(t, h.door(), httptest.NewRecorder(), "")
	if got := n.bodies(); got != "" {
		t.Errorf("the fixture names no URL: got %s", got)
	}
}

func TestAForgottenWordLeadsNowhere(t *testing.T) {
	h := newHome(t, nil)
	kept, revoked := h.register(t, "alice"), h.register(t, "alice")
	room := h.room(t, "alice")
	if got := h.byWord(revoked); got != "alice" {
		t.Fatalf("before: got %q", got)
	}
	if err := room.Trigger(h.api.Trigger("token.revoked"), contract.Values{"token": revoked}); err != nil {
		t.Fatal(err)
	}
	if got := h.byWord(revoked) + h.byWord(kept); got != "alice" {
		t.Errorf("got %q, want it for the kept one alone", got)
	}
	room.WithState(func(s contract.State) {
		if slices.Contains(slices.Collect(s.Identifiers()), revoked) {
			t.Error("the state still has the word")
		}
	})
	// A token of another sandbox is not this one's to take back.
	others := h.register(t, "bob")
	if err := room.Trigger(h.api.Trigger("token.revoked"), contract.Values{"token": others}); err == nil || h.byWord(others) != "bob" {
		t.Errorf("got %v, and the word leads to %q", err, h.byWord(others))
	}
}

// What is derived from a state is no part of its snapshot.
func TestDerived(t *testing.T) {
	h := newHome(t, nil)
	room := h.room(t, sandbox.Default)
	if err := room.Restore([]byte(`{"parcels":{"p-1":"books","p-2":"hats"}}`)); err != nil {
		t.Fatal(err)
	}
	before, err := room.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	room.WithState(func(s contract.State) {
		d, ok := s.(contract.Deriver)
		if !ok {
			t.Fatal("the locker derives nothing")
		}
		if got := string(wire.Encode(d.Derive(noon, room.Switches()))); got != `{"parcels":2}` {
			t.Errorf("got %s", got)
		}
	})
	if after, err := room.Snapshot(); err != nil || string(after) != string(before) {
		t.Errorf("got %s, %v, want %s", after, err, before)
	}
}
