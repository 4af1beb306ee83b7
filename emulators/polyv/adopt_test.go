package polyv_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A build with an appId, an account and channels of its own makes the documented calls.
func TestClientOfItsOwn(t *testing.T) {
	own := contract.Values{"appId": "ownappid01", "appSecret": "own", "userId": "ownuser001"}
	in := func(id string, more ...string) contract.Values {
		v := contract.Values{"channelId": id}
		for i := 0; i+1 < len(more); i += 2 {
			v[more[i]] = more[i+1]
		}
		return v
	}
	w := conformance.Own(t, polyv.API, own, []conformance.OwnCall{
		{Operation: "ListSessions", In: in("5000001"), Ends: "success", Refused: "illegalChannelId"},
		{Operation: "ListSessionData", In: in("5000001", "startDate", "2022-04-01", "endDate", "2022-05-12"), Ends: "success", Refused: "illegalChannelId"},
		{Operation: "ListSessionData", In: in("5000001", "page", "x"), Ends: "paramIsNotDigit", Refused: "illegalChannelId"},
		{Operation: "StartLive", In: in("5000001", "userId", "ownuser001"), Ends: "success"},
		{Operation: "ListLiveStatus", In: contract.Values{"channelIds": "5000001,5000002"}, Ends: "success", Refused: "illegalChannelId"},
		{Operation: "ListStreamStatus", In: contract.Values{"channelIds": "5000003"}, Ends: "success", Refused: "illegalChannelId"},
		{Operation: "EndLive", In: in("5000001", "userId", "ownuser001"), Ends: "success"},
		{Operation: "ListSessions", In: in("2272658"), Ends: "illegalChannelId", Refused: "illegalChannelId"}, // another account's
		{Operation: "ListSessions", In: in("99999999999999999999"), Ends: "illegalChannelId", Refused: "illegalChannelId"},
	})
	want := []string{"appId ownappid01", "channelId 5000001", "channelId 5000002", "channelId 5000003"}
	if got := w.AdoptedIDs(t); !slices.Equal(got, want) {
		t.Errorf("adopted %v, want %v", got, want)
	}
}

// An adopted channel has sessions like those of the fixture's first, under other ids, and the
// same ones at the next start with the same seed.
func TestAdoptedChannel(t *testing.T) {
	ask := func() string {
		w := conformance.New(t, polyv.API, conformance.Setting{Auth: contract.Presence, Unknown: contract.Adopt})
		op := polyv.API.Operation("ListSessions")
		return w.Send(w.RequestOf(t, op, contract.Values{"channelId": "5000001"}, contract.Values{"appId": "ownappid01"})).Body.String()
	}
	first := ask()
	var list struct {
		Data struct {
			TotalItems int `json:"totalItems"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(first), &list); err != nil || !strings.Contains(first, `"channelId":5000001`) && !strings.Contains(first, `"channelId":"5000001"`) {
		t.Errorf("%v: %s", err, first)
	}
	if again := ask(); again != first {
		t.Errorf("the same request of the same seed gives\n%s\nand\n%s", first, again)
	}
}

// Where the proof is verified, an adopted appId has the first one's secret.
func TestAdoptedSecret(t *testing.T) {
	w := conformance.New(t, polyv.API, conformance.Setting{Unknown: contract.Adopt})
	op, in := polyv.API.Operation("ListSessions"), contract.Values{"channelId": "2272655"}
	w.Send(w.RequestOf(t, op, in, contract.Values{"appId": "ownappid01", "appSecret": "own"}))
	if e := w.Last(t); e.Outcome != "invalidSignature" || !strings.Contains(e.Explanation.Text, "The appId ownappid01 was adopted") {
		t.Errorf("got %s, %+v", e.Outcome, e.Explanation)
	}
	w.Send(w.RequestOf(t, op, in, contract.Values{"appId": "ownappid01", "appSecret": w.Credentials(t)["appSecret"]}))
	if e := w.Last(t); e.Outcome != "success" {
		t.Errorf("with the first one's secret: %s", e.Outcome)
	}
}
