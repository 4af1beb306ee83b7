package youdu

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A build with an enterprise, an application and people of its own makes the documented
// calls. Its key is the fixture's first: what is encrypted with another cannot be read.
func TestClientOfItsOwn(t *testing.T) {
	t.Parallel()
	own := contract.Values{"buin": "555001", "appId": "ydOWN00000000000000000000000000000", "aesKey": conformance.New(t, API, conformance.Setting{}).Credentials(t)["aesKey"], "accessToken": "any"}
	people := contract.Values{"title": "t", "creator": "anna", "member": []any{"anna", "ben", "carl"}}
	message := contract.Values{"receiver": "dora", "sender": "anna", "msgType": "text", "text": contract.Values{"content": "hi"}}
	w := conformance.Own(t, API, own, []conformance.OwnCall{
		{Operation: "GetToken", Ends: "success", Refused: "success"}, // its proof is not looked at
		{Operation: "CreateSession", In: people, Ends: "success", Refused: "USER_NOTEXIST"},
		{Operation: "SendMessage", In: message, Ends: "success", Refused: "USER_NOTEXIST"},
	})
	want := []string{"appId 555001/ydOWN00000000000000000000000000000", "account anna", "account ben", "account carl", "account dora"}
	if got := w.AdoptedIDs(t); !slices.Equal(got, want) {
		t.Errorf("adopted %v, want %v", got, want)
	}
	var made struct {
		SessionID string `json:"sessionId"`
	}
	w.Send(w.RequestOf(t, createSession, people, own))
	if err := json.Unmarshal(w.Last(t).Response.Decoded.(json.RawMessage), &made); err != nil || made.SessionID == "" {
		t.Fatalf("%v: %s", err, w.Last(t).Response.Body)
	}
	for _, c := range []struct {
		op *contract.Operation
		in contract.Values
	}{
		{updateSession, contract.Values{"sessionId": made.SessionID, "opUser": "anna", "addMember": []any{"emil"}}},
		{getSession, contract.Values{"sessionId": made.SessionID}},
	} {
		w.Send(w.RequestOf(t, c.op, c.in, own))
		if e := w.Last(t); e.Outcome != "success" {
			t.Errorf("%s ended in %s", c.op.Name, e.Outcome)
		}
	}
	if !slices.Contains(w.AdoptedIDs(t), "account emil") {
		t.Errorf("adopted %v", w.AdoptedIDs(t))
	}
}

// Where the proof is verified, an adopted application has the first one's key: a message
// under another is refused, and the explanation says why.
func TestAdoptedKey(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{Unknown: contract.Adopt})
	own := contract.Values{"buin": "555001", "appId": "ydOWN", "aesKey": "n76ut0qxPWozXbMxGMt8s9pgxUZKUxu/GJ5R5dz+u4g="}
	w.Send(w.RequestOf(t, getToken, nil, own))
	if e := w.Last(t); !strings.Contains(e.Explanation.Text, "The appId 555001/ydOWN was adopted, and its secret is that of the fixture's first.") {
		t.Errorf("got %s, %+v", e.Outcome, e.Explanation)
	}
	own["aesKey"] = w.Credentials(t)["aesKey"]
	w.Send(w.RequestOf(t, getToken, nil, own))
	if e := w.Last(t); e.Outcome != "success" {
		t.Errorf("with the first one's key: %s, %+v", e.Outcome, e.Explanation)
	}
}

// What a build encrypts with a key of its own is read with --credentials env, which takes that
// key, and not by leaving the proof unchecked. With --auth off it may leave the encryption out.
func TestKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	own := contract.Values{"buin": "555001", "appId": "ydOWN", "aesKey": "n76ut0qxPWozXbMxGMt8s9pgxUZKUxu/GJ5R5dz+u4g=", "accessToken": "any"}
	people := contract.Values{"title": "t", "creator": "anna", "member": []any{"anna", "ben", "carl"}}
	for _, auth := range []contract.Auth{contract.Presence, contract.Off} {
		w := conformance.New(t, API, conformance.Setting{Auth: auth, Unknown: contract.Adopt})
		w.Send(w.RequestOf(t, createSession, people, own))
		e := w.Last(t)
		for _, want := range []string{"cannot be read in any mode", "--credentials env", "YOUDU_AES_KEY", "with --auth off, plain JSON"} {
			if e.Outcome != "INVALID_ENCRYPT" || !strings.Contains(e.Explanation.Text, want) {
				t.Errorf("%s: %s: %s; it does not say %s", auth, e.Outcome, e.Explanation.Text, want)
			}
		}
		plain := httptest.NewRequest("POST", "/cgi/session/create?accessToken=any", strings.NewReader(
			`{"buin":555001,"appId":"ydOWN","encrypt":{"title":"t","creator":"anna","member":["anna","ben","carl"]}}`))
		plain.Header.Set("Content-Type", "application/json")
		w.Send(plain)
		if e := w.Last(t); auth == contract.Off && e.Outcome != "success" || auth != contract.Off && e.Outcome == "success" {
			t.Errorf("%s: plain JSON ends in %s: %+v", auth, e.Outcome, e.Explanation)
		}
	}

	w := conformance.New(t, API, conformance.Setting{Unknown: contract.Adopt, Credentials: own})
	w.Send(w.RequestOf(t, getToken, nil, own))
	var token struct {
		AccessToken string `json:"accessToken"`
	}
	if err := json.Unmarshal(w.Last(t).Response.Decoded.(json.RawMessage), &token); err != nil || token.AccessToken == "" {
		t.Fatalf("%v: %+v", err, w.Last(t).Explanation)
	}
	own["accessToken"] = token.AccessToken
	w.Send(w.RequestOf(t, createSession, people, own))
	if e := w.Last(t); e.Outcome != "success" || !slices.Equal(w.AdoptedIDs(t), []string{"account anna", "account ben", "account carl"}) {
		t.Errorf("with its own key known: %s, %+v; adopted %v", e.Outcome, e.Explanation, w.AdoptedIDs(t))
	}
}
