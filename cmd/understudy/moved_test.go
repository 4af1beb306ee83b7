package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/server"
)

// state is a sandbox as GET of its state answers, or what PUT of it answered.
func state(t *testing.T, s *server.Server, box, method string, body []byte) json.RawMessage {
	t.Helper()
	c, err := client.New(s.ControlURL, box, "")
	if err != nil {
		t.Fatal(err)
	}
	var got json.RawMessage
	if err := c.Do(t.Context(), method, c.InSandbox("state"), "application/json", body, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// flow plays the flow of every API with the credentials of a sandbox alone, and returns
// how many calls that took.
func flow(t *testing.T, s *server.Server, box *madeSandbox) (calls int) {
	t.Helper()
	for _, name := range apiNames() {
		u := newUnchanged(t, s.URL(name), name, box)
		flows[name](u)
		calls += u.calls
	}
	return calls
}

// first plays the first calls with the credentials of one sandbox, which have to arrive in
// another, or in the same.
func first(t *testing.T, s *server.Server, box *madeSandbox, arrives string) {
	t.Helper()
	for _, one := range firstCalls {
		u := newUnchanged(t, s.URL(one.api), one.api, box)
		u.box = arrives
		u.sample(one.operation, one.known)
	}
}

// A world that was saved in one sandbox and loaded into another leads nobody astray: the
// credentials of both go on to lead to them, from beginning to end.
func TestLoadedWorldLeadsNobodyAstray(t *testing.T) {
	t.Parallel()
	s := start(t)
	one, two := makeBox(t, s, map[string]any{"name": "one", "seed": 7}), makeBox(t, s, map[string]any{"name": "two", "seed": 7})
	ones, twos := flow(t, s, one), 0
	file := filepath.Join(t.TempDir(), "one.json")
	at(t, s, "snapshot", "save", file, "--sandbox", "one").want(t, exitDone)
	loaded := at(t, s, "snapshot", "load", file, "--sandbox", "two")
	loaded.want(t, exitDone)
	for _, want := range []string{"identifiers of what was loaded", "Understudy-Sandbox: two", "/@two", "understudy env --sandbox two"} {
		if !strings.Contains(loaded.out+loaded.err, want) {
			t.Errorf("got %s%s, want %s", loaded.out, loaded.err, want)
		}
	}
	if strings.Contains(loaded.out+loaded.err, "dice") {
		t.Errorf("seeds are equal, and yet: %s%s", loaded.out, loaded.err)
	}
	for _, box := range []string{"one", "two"} {
		at(t, s, "clock", "advance", "1h", "--sandbox", box).want(t, exitDone)
	}
	ones += flow(t, s, one)
	twos += flow(t, s, two)
	checkFound(t, s, "one", ones)
	checkFound(t, s, "two", twos)
	checkFound(t, s, "default", 0)
}

// One world is loaded into many sandboxes at once. Each is reached by its own credentials,
// and those of the first one go on to lead there.
func TestWorldIsLoadedIntoMany(t *testing.T) {
	t.Parallel()
	s := start(t)
	source := makeBox(t, s, map[string]any{"name": "source"})
	flow(t, s, source)
	saved := state(t, s, "source", http.MethodGet, nil)
	boxes := make([]*madeSandbox, 64)
	for i := range boxes {
		boxes[i] = makeBox(t, s, map[string]any{"name": fmt.Sprintf("job-%d", i)})
	}
	var all sync.WaitGroup
	for _, box := range boxes {
		all.Go(func() {
			state(t, s, box.Name, http.MethodPut, saved)
			first(t, s, box, box.Name)
		})
	}
	all.Wait()
	for _, box := range boxes {
		checkFound(t, s, box.Name, len(firstCalls))
	}
	first(t, s, source, "source")
	checkFound(t, s, "default", 0)
}

// Where the source of a world does not live, what was loaded leads to the sandbox that
// loaded it; until one lives whose own it is.
func TestLoadedCredentialsLeadWhereTheirOwnerIsGone(t *testing.T) {
	t.Parallel()
	elsewhere := start(t)
	source := makeBox(t, elsewhere, map[string]any{"name": "source"})
	flow(t, elsewhere, source)
	saved := state(t, elsewhere, "source", http.MethodGet, nil)

	s := start(t)
	target := makeBox(t, s, map[string]any{"name": "target"})
	answer := string(state(t, s, "target", http.MethodPut, saved))
	if !strings.Contains(answer, `the dice of target fall otherwise than those of \"source\"`) || strings.Contains(answer, "elsewhere") {
		t.Errorf("got %s", answer)
	}
	first(t, s, source, "target")
	first(t, s, target, "target")
	again := makeBox(t, s, map[string]any{"name": "source"})
	first(t, s, again, "source")
	first(t, s, target, "target")
	checkFound(t, s, "default", 0)
}

// A sandbox that stands as it stood before is the same, to the byte; credentials that
// counted no more do not count again.
func TestLoadedWorldIsTheSame(t *testing.T) {
	t.Parallel()
	s := start(t)
	box := makeBox(t, s, map[string]any{"clock": map[string]any{"freeze": "2026-03-01T12:00:00Z"}})
	flow(t, s, box)
	at(t, s, "trigger", "youdu", "expire", "what=token", "id="+fmt.Sprint(box.Credentials["youdu"]["accessToken"]), "--sandbox", box.Name).want(t, exitDone)
	saved := state(t, s, box.Name, http.MethodGet, nil)
	at(t, s, "reset", "--sandbox", box.Name).want(t, exitDone)
	if answer := string(state(t, s, box.Name, http.MethodPut, saved)); strings.Contains(answer, "notes") {
		t.Errorf("got %s", answer)
	}
	if again := state(t, s, box.Name, http.MethodGet, nil); string(again) != string(saved) {
		t.Errorf("got\n%s\nwant\n%s", again, saved)
	}
	u := newUnchanged(t, s.URL("youdu"), "youdu", box)
	u.sample("GetSession", "ACCESSTOKEN_EXPIRED")
}
