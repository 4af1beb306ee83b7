package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

const (
	givenToken  = "00112233445566778899aabbccddeeff"
	givenRoom   = "{0C5A77D1-52F3-4B7E-9E1B-6D1B3C9E4F20}"
	givenPlayer = "5ba0c3d4e5f60718293a4b5c6d7e8f905ba0c3d4e5f60718293a4b5c6d7e8f90"
)

// givenLives are what happened before, by API, and how a client goes on with it that
// knows nothing but the credentials of its sandbox.
var givenLives = []struct {
	api   string
	given string
	goOn  func(*unchanged)
}{
	{"tencentcar", `[{"session":{"user_id":"u-given","age":"20m"}}]`, func(u *unchanged) {
		if got := u.call("DescribeConcurrentCount", contract.Values{"ProjectId": "cap-abcdefgh"}, "success"); !strings.Contains(got.body, `"Running":1`) {
			u.t.Errorf("the session that was given does not run: %s", got.body)
		}
		u.call("StartPublishStream", contract.Values{"UserId": "u-given"}, "success")
		u.call("DestroySession", contract.Values{"UserId": "u-given"}, "success")
	}},
	{"polyv", `[{"binding":{"channelId":"2272657","externalSessionId":"given"}},{"live":{"channelId":"2272657","since":"30m"}}]`, func(u *unchanged) {
		if got := u.call("ListSessionsByExternal", contract.Values{"externalSessionId": "given", "channelId": "2272657"}, "success"); !strings.Contains(got.body, `"list":["`) {
			u.t.Errorf("the session that was given is not listed: %s", got.body)
		}
		if got := u.call("ListStreamStatus", contract.Values{"channelIds": "2272657"}, "success"); !strings.Contains(got.body, "live") {
			u.t.Errorf("the channel is not live: %s", got.body)
		}
	}},
	{"youdu", `[{"session":{"sessionId":"` + givenRoom + `","title":"before","creator":"test1","member":["test2","test3"],"age":"3h","messages":5}},{"token":{"token":"` + givenToken + `","ends_in":"1h"}}]`, func(u *unchanged) {
		u.credentials["accessToken"] = givenToken
		u.call("SendMessage", contract.Values{"sessionId": givenRoom, "sender": "test1", "msgType": "text", "text": contract.Values{"content": "on"}}, "success")
		sealed := u.call("GetSession", contract.Values{"sessionId": givenRoom}, "success").member(u.t, "encrypt")
		var room struct{ Title string }
		if err := json.Unmarshal(opened(u.t, u.credentials.Text("aesKey"), sealed), &room); err != nil || room.Title != "before" {
			u.t.Errorf("got the session %+v, %v", room, err)
		}
	}},
	{"adobepass", `[{"profile":{"mvpd":"Cablevision"}},{"code":{"code":"GIVEN01","device":"fingerprint dGVsZXZpc2lvbg=="}}]`, func(u *unchanged) {
		in := contract.Values{"serviceProvider": "REF30", "AP-Device-Identifier": "fingerprint YmEyM2QxNDEtZDcxNS01NjFjLTk0ZjQtZTllNGM5NjZiMWVi", "mvpd": "Cablevision", "resources": []any{"resource1"}}
		u.call("Authorize", in, "success") // with the access token that is the sandbox's own
		u.register()
		u.call("Authorize", in, "success")
		u.call("GetSession", contract.Values{"serviceProvider": "REF30", "code": "GIVEN01", "AP-Device-Identifier": "fingerprint dGVsZXZpc2lvbg=="}, "success")
		u.register() // another installation
		u.call("Authorize", in, "authenticated_profile_missing")
	}},
	{"adobemedia", `[{"session":{"id":"` + givenPlayer + `","age":"9m50s","state":"paused"}}]`, func(u *unchanged) {
		event := u.api.Operation("SendEvent").Outcomes[0].Name
		u.call("SendEvent", contract.Values{"sid": givenPlayer, "eventType": "play"}, event)
		u.sample("StartSession", "created")
		u.call("SendEvent", contract.Values{"sid": givenPlayer, "eventType": "sessionComplete"}, event)
	}},
}

// What is given to a sandbox goes on for a client that knows its credentials alone: they
// are another name of the account to which it was given.
func TestMintedCredentialsGoOnWithWhatIsGiven(t *testing.T) {
	t.Parallel()
	s := start(t)
	if len(givenLives) != len(apiNames()) {
		t.Fatalf("%d APIs are gone on with, of %d", len(givenLives), len(apiNames()))
	}
	for _, tt := range givenLives {
		t.Run(tt.api, func(t *testing.T) {
			box := makeBox(t, s, map[string]any{"given": map[string]any{tt.api: json.RawMessage(tt.given)}})
			u := newUnchanged(t, s.URL(tt.api), tt.api, box)
			tt.goOn(u)
			checkFound(t, s, box.Name, u.calls)
		})
	}
}
