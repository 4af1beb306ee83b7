package youdu

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
)

// Every shipped fixture makes a state that survives a snapshot and has what the
// fixture lists.
func TestShippedFixtures(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../fixtures/youdu/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("got %v, %v", files, err)
	}
	for _, file := range files {
		w := newWorld(t, strings.TrimSuffix(filepath.Base(file), ".yaml"))
		survives(t, w)
		w.withState(func(st *state) {
			if len(st.Accounts) < 8 || st.Credentials().Text("accessToken") == "" {
				t.Errorf("%s: got %d accounts, %v", file, len(st.Accounts), st.Credentials())
			}
			for i, a := range st.Accounts {
				if a.Account == "" || a.Name == "" {
					t.Errorf("%s: account %d is %+v", file, i+1, a)
				}
			}
		})
	}
	want := contract.Values{"buin": "14797363", "appId": vectorApp, "aesKey": vectorKey, "accessToken": lastingToken}
	newWorld(t, "default").withState(func(got *state) {
		if !slices.Equal(keysOf(got.Credentials()), keysOf(want)) || got.Credentials().Text("appId") != vectorApp || len(got.Sessions) != 4 || got.Media[exampleMedia] == nil {
			t.Errorf("got %v, %d sessions", got.Credentials(), len(got.Sessions))
		}
	})
}

func keysOf(v contract.Values) (all []string) {
	for name, value := range v {
		all = append(all, name+"="+value.(string))
	}
	slices.Sort(all)
	return all
}

// TestFixturesThatContradict reads lists that contradict themselves.
func TestFixturesThatContradict(t *testing.T) {
	t.Parallel()
	apps := "apps: [{buin: 1, appId: a, aesKey: " + vectorKey + "}]\n"
	tests := []struct{ name, text, want string }{
		{"an app twice", "apps: [{buin: 1, appId: a, aesKey: " + vectorKey + "}, {buin: 1, appId: a, aesKey: " + vectorKey + "}]\n", `apps: the appId "a" stands twice`},
		{"a short key", "apps: [{buin: 1, appId: a, aesKey: AAAA}]\n", "the EncodingAESKey decodes to 3 bytes; base64 of 32 bytes was expected"},
		{"a key that is none", "apps: [{buin: 1, appId: a, aesKey: '!'}]\n", "the EncodingAESKey is no base64"},
		{"a callback nowhere", "apps: [{buin: 1, appId: a, aesKey: " + vectorKey + ", callback_url: /receive}]\n", "an absolute address such as http://127.0.0.1:8080/receive was expected"},
		{"an account twice", "accounts: [{account: a}, {account: a}]\n", `accounts: the account "a" stands twice`},
		{"a session twice", apps + "sessions: [{sessionId: s, title: a, owner: a, member: [b]}, {sessionId: s, title: b, owner: a, member: [b]}]\n", `sessions: "s" stands twice`},
		{"a token twice", apps + "tokens: [{token: t, appId: a}, {token: t, appId: a, lives: 1m}]\n", `tokens: "t" stands twice`},
		{"a situation twice", apps + "codes: [{situation: lacking, outcome: NORIGHT}, {situation: lacking, outcome: FALSE}]\n", `codes: "lacking" stands twice`},
		{"a token of an unknown app", "tokens: [{token: t, appId: a}]\n", `tokens: "t" is of the application "a" of buin 0`},
		{"an unknown error", apps + "codes: [{situation: lacking, outcome: OH_DEAR}]\n", `there is no documented error "OH_DEAR"`},
		{"a callback switch", "callback_url: nowhere\n", "an absolute address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := fixture.Parse("f.yaml", []byte("fixture: f\napi: youdu\n"+tt.text), []*contract.API{API})
			if err == nil {
				_, err = API.State(contract.Seed{Now: conformance.Noon, Switches: f.Switches, Decode: f.Decode})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestReindexRefuses reads snapshots that contradict themselves.
func TestReindexRefuses(t *testing.T) {
	t.Parallel()
	good := newWorld(t, "default").snapshot()
	for name, change := range map[string][2]string{
		"another id":                {`"id":"` + vectorID + `"`, `"id":"x"`},
		"an owner who is no member": {`"owner":"test1"`, `"owner":"test9"`},
		"no members":                {`"members":["test1","test2","test3"]`, `"members":[]`},
		"a null session":            {`"sessions":{`, `"sessions":{"x":null,`},
		"a null file":               {`"media":{`, `"media":{"x":null,`},
		"another content":           {`"content":"aGVsbG8="`, `"content":"aGVsbG9v"`},
		"an unknown app":            {`"appId":"` + sampleApp + `","issued"`, `"appId":"x","issued"`},
		"a key":                     {vectorKey, "AAAA"},
		"a situation":               {`"sessions":{`, `"codes":{"x":"NORIGHT"},"sessions":{`},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		w := &state{}
		if err := json.Unmarshal([]byte(text), w); err != nil || text == good {
			t.Fatalf("%s: %v, %t", name, err, text == good)
		}
		if err := w.Reindex(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Credentials from outside add an application, or change the key of a known one.
func TestCredentialsFromOutside(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../fixtures/youdu/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := fixture.Parse("default.yaml", text, []*contract.API{API})
	if err != nil {
		t.Fatal(err)
	}
	state := func(v contract.Values) (*state, error) {
		s, err := API.State(contract.Seed{Now: conformance.Noon, Switches: f.Switches, Decode: f.Decode, Credentials: []contract.Values{v}})
		w, _ := s.(*state)
		return w, err
	}
	const otherKey = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
	w, err := state(contract.Values{"buin": "9", "appId": "mine", "aesKey": otherKey, "accessToken": "mine"})
	if err != nil || w.apps[appKey{9, "mine"}] == nil || w.Tokens["mine"] == nil || len(w.Apps) != 8 || w.Credentials().Text("appId") != vectorApp {
		t.Errorf("got %+v, %v", w, err)
	}
	ids := slices.Sorted(w.Identifiers())
	for _, id := range []string{"9/mine", "mine", lastingToken, "14797363/" + vectorApp} {
		if !slices.Contains(ids, id) {
			t.Errorf("%s is not among %v", id, ids)
		}
	}
	w, err = state(contract.Values{"buin": int64(vectorBuin), "appId": vectorApp, "aesKey": otherKey})
	if err != nil || len(w.Apps) != 7 || w.Apps[0].AESKey != otherKey {
		t.Errorf("got %+v, %v", w, err)
	}
	if _, err := state(contract.Values{"buin": "x", "appId": vectorApp, "aesKey": otherKey}); err == nil {
		t.Error("a buin that is no number was accepted")
	}
	if _, err := state(contract.Values{"buin": "9", "appId": "x", "aesKey": "short"}); err == nil {
		t.Error("a malformed key was accepted")
	}
}

// TestSign makes requests as a client library does. The same call gives the same
// bytes, and a call that cannot be made is an error.
func TestSign(t *testing.T) {
	t.Parallel()
	credentials := contract.Values{"buin": "14797363", "appId": vectorApp, "aesKey": vectorKey, "accessToken": lastingToken}
	for _, d := range []contract.Draft{{Credentials: credentials}, {Operation: getSession, Credentials: contract.Values{"buin": "1"}}} {
		if r, err := API.Sign(d); err == nil {
			t.Errorf("got %+v", r)
		}
	}
	w := newWorld(t, "bare")
	for _, tt := range []struct {
		op   *contract.Operation
		in   contract.Values
		want string
	}{
		{getToken, nil, "success"},
		{getToken, contract.Values{"timestamp": "5"}, "success"},
		{createSession, contract.Values{"title": "a&b", "creator": "test1", "member": []any{"test2", "test3"}, "extra": true}, "success"},
		{getSession, contract.Values{"sessionId": vectorID}, "success"},
		{getSession, contract.Values{"sessionId": vectorID, "accessToken": "x"}, "ACCESSTOKEN_NOTEXIST"},
		{uploadMedia, contract.Values{"type": "file", "name": "n", "file": "hello"}, "success"},
		{uploadMedia, contract.Values{"type": "file", "name": "n"}, "INVALID_MULTIPART"},
		{getMedia, contract.Values{"mediaId": exampleMedia}, "success"},
	} {
		d := contract.Draft{Operation: tt.op, In: tt.in, Host: "h", Credentials: credentials, Now: conformance.Noon}
		r, err := API.Sign(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := API.Sign(d)
		if err != nil || string(again.Body) != string(r.Body) || again.Target != r.Target {
			t.Errorf("%s: made twice, it differs: %v", tt.op.Name, err)
		}
		e, answer := w.serve(conformance.HTTP(r))
		if e.Outcome != tt.want {
			t.Errorf("%s: got %s, want %s", tt.op.Name, e.Outcome, tt.want)
		}
		if tt.op == createSession {
			w.asVectorID(opened(t, answer.Body.Bytes()))
		}
	}
}
