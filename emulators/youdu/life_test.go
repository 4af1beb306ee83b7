package youdu_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// send sends a request, and returns the outcome and what the call returns,
// decrypted.
func send(t *testing.T, w *conformance.World, r *http.Request) (outcome string, reply map[string]any) {
	t.Helper()
	rec := w.Send(r)
	id := rec.Header().Get(gateway.CallHeader)
	s := w.Registry.Find(id[:strings.LastIndexByte(id, '-')])
	e, found := s.Journal.Find(id)
	if !found {
		t.Fatalf("%s is not in the journal", id)
	}
	if raw, ok := e.Response.Decoded.(json.RawMessage); ok {
		if err := json.Unmarshal(raw, &reply); err != nil {
			t.Fatal(err)
		}
	}
	return e.Outcome, reply
}

// A request with a token goes to the sandbox that issued the token. In another
// sandbox the token is unknown.
func TestTokensLeadToTheirSandbox(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, youdu.API, conformance.Setting{})
	op := youdu.API.Operation
	in := func(sandbox string, r *http.Request) *http.Request {
		if sandbox != "" {
			r.Header.Set(gateway.SandboxHeader, sandbox)
		}
		return r
	}
	get := func(sandbox, token string) (string, string) {
		r := in(sandbox, w.Request(t, op("GetSession"), contract.Values{"accessToken": token, "sessionId": "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}"}))
		outcome, _ := send(t, w, r)
		return outcome, w.Last(t).Sandbox
	}
	_, one := send(t, w, in("one", w.Request(t, op("GetToken"), nil)))
	_, two := send(t, w, in("two", w.Request(t, op("GetToken"), nil)))
	_, own := send(t, w, w.Request(t, op("GetToken"), nil))
	tokens := map[string]string{"one": one["accessToken"].(string), "two": two["accessToken"].(string), "default": own["accessToken"].(string)}
	if tokens["one"] == tokens["two"] || tokens["one"] == tokens["default"] {
		t.Fatalf("two sandboxes issued the same token: %v", tokens)
	}
	for sandbox, token := range tokens {
		if outcome, _ := get("", token); outcome != "success" {
			t.Errorf("the token of %s: got %s", sandbox, outcome)
		}
		n, _ := w.Registry.Find(sandbox).Journal.Find(sandbox + "-2")
		if n.Operation != "GetSession" || n.FoundBy != "word" {
			t.Errorf("the second call of %s is %s, found by %s", sandbox, n.Operation, n.FoundBy)
		}
	}
	if outcome, _ := get("two", tokens["one"]); outcome != "ACCESSTOKEN_NOTEXIST" {
		t.Errorf("a token of another sandbox: got %s", outcome)
	}
}

// Ten concurrent updates give ten versions.
func TestUpdatesAtOnce(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, youdu.API, conformance.Setting{})
	const id = "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}"
	var all sync.WaitGroup
	for i := range 10 {
		r := w.Request(t, youdu.API.Operation("UpdateSession"), contract.Values{"sessionId": id, "opUser": "test1", "title": fmt.Sprint("title ", i)})
		all.Go(func() { w.Send(r) })
	}
	all.Wait()
	_, reply := send(t, w, w.Request(t, youdu.API.Operation("GetSession"), contract.Values{"sessionId": id}))
	if reply["version"] != 11.0 {
		t.Errorf("got version %v, want 11", reply["version"])
	}
}

// The announced lifetime of a token stays 7200 seconds if the switch token_life
// makes it expire earlier: libraries do not send a token after its announced end.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, youdu.API, conformance.Setting{Set: map[string]string{"token_life": "1m"}})
	_, reply := send(t, w, w.Request(t, youdu.API.Operation("GetToken"), nil))
	if reply["expireIn"] != 7200.0 {
		t.Errorf("got %v", reply)
	}
	get := func() string {
		outcome, _ := send(t, w, w.Request(t, youdu.API.Operation("GetSession"), contract.Values{"accessToken": reply["accessToken"], "sessionId": "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}"}))
		return outcome
	}
	before := get()
	if err := w.Sandbox.Clock.Advance(time.Minute); err != nil {
		t.Fatal(err)
	}
	if after := get(); before != "success" || after != "ACCESSTOKEN_EXPIRED" {
		t.Errorf("got %s, then %s", before, after)
	}
}

// The journal shows the decrypted parameters, also of a call that is refused.
func TestJournalShowsWhatWasEncrypted(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, youdu.API, conformance.Setting{})
	in := contract.Values{"title": "测试", "creator": "test1", "member": []any{"test2", "test3"}}
	r := w.Request(t, youdu.API.Operation("CreateSession"), in)
	body := w.Send(r).Body.Bytes()
	e := w.Last(t)
	requested, _ := json.Marshal(e.Request.Decoded)
	if !bytes.Contains(requested, []byte(`"member":["test2","test3"],"title":"测试"`)) || bytes.Contains([]byte(e.Request.Body), []byte("测试")) {
		t.Errorf("got %s from %s", requested, e.Request.Body)
	}
	returned := fmt.Sprintf("%s", e.Response.Decoded)
	if !strings.Contains(returned, `"title":"测试","owner":"test1","version":1`) || bytes.Contains(body, []byte("测试")) {
		t.Errorf("got %s from %s", returned, body)
	}
	in["accessToken"] = "ffffffffffffffffffffffffffffffff"
	w.Send(w.Request(t, youdu.API.Operation("CreateSession"), in))
	e = w.Last(t)
	requested, _ = json.Marshal(e.Request.Decoded)
	if e.Outcome != "ACCESSTOKEN_NOTEXIST" || !bytes.Contains(requested, []byte(`"title":"测试"`)) || e.Explanation.Cause != "token_unknown" {
		t.Errorf("got %s, %s, %+v", e.Outcome, requested, e.Explanation)
	}
}

// A callback is sent with the answer of the call that caused it. The same call
// gives the same callback.
func TestCallbacksLeave(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, youdu.API, conformance.Setting{Fixture: "audited"})
	create := func() { w.Send(w.Request(t, youdu.API.Operation("CreateSession"), trio)) }
	create()
	if err := w.Trigger(t, "member.left", contract.Values{"account": "test7"}); err != nil {
		t.Fatal(err)
	}
	first := w.Callbacks()
	if len(first) != 2 || first[0].Method != "POST" || !strings.HasPrefix(first[0].URL, "http://127.0.0.1:8080/receive?msg_signature=") {
		t.Fatalf("got %+v", first)
	}
	again := conformance.New(t, youdu.API, conformance.Setting{Fixture: "audited"})
	again.Send(again.Request(t, youdu.API.Operation("CreateSession"), trio))
	if second := again.Callbacks(); len(second) != 1 || second[0].URL != first[0].URL || !bytes.Equal(second[0].Body, first[0].Body) {
		t.Errorf("the same call gives another callback: %+v", second)
	}
	quiet := conformance.New(t, youdu.API, conformance.Setting{})
	quiet.Send(quiet.Request(t, youdu.API.Operation("CreateSession"), trio))
	if len(quiet.Callbacks()) != 0 {
		t.Errorf("got %+v", quiet.Callbacks())
	}
}

// Errors with a status of 200 have exactly two members, and no encrypt.
func TestErrorsOfEveryOperation(t *testing.T) {
	t.Parallel()
	for _, op := range youdu.API.Operations {
		for _, o := range op.Outcomes {
			if !o.Fails {
				continue
			}
			w := conformance.New(t, youdu.API, conformance.Setting{})
			w.Play(t, op, o)
			rec := w.Send(w.Request(t, op, contract.Sample(op.Params)))
			var body map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || rec.Code != 200 || len(body) != 2 || !strings.HasPrefix(rec.Body.String(), `{"errcode":`) || body["errmsg"] != o.Message {
				t.Errorf("%s/%s: got %d %s", op.Name, o.Name, rec.Code, rec.Body)
			}
		}
	}
}
