package tencentcar

import (
	"encoding/json"
	"testing"

	"github.com/understudy-suite/understudy/internal/wire"
)

// Replies that write themselves are those that encoding/json would write.
func TestRepliesWriteThemselves(t *testing.T) {
	t.Parallel()
	type plainFailure failureReply
	type plainEmpty emptyReply
	for _, text := range []string{"", "plain", `"\`, "\n\x00\x7f", "<&>", "é\u2028", "\xff"} {
		failed, empty := &failureReply{RequestID: text}, &emptyReply{text}
		failed.Error.Code, failed.Error.Message = text, text
		created := &sessionReply{serverSession: serverSession{concurrency: "cap-x/1", requestID: text, user: text}}
		session := created.serverSession.AppendJSON(nil)
		if !json.Valid(session) {
			t.Errorf("%q: the session is no JSON: %s", text, session)
		}
		plainCreated := &struct {
			ServerSession []byte
			RequestID     string `json:"RequestId"`
		}{session, text}
		for _, v := range []struct{ self, plain any }{{failed, (*plainFailure)(failed)}, {empty, (*plainEmpty)(empty)}, {created, plainCreated}} {
			if got, want := string(wire.Encode(v.self)), string(wire.Encode(v.plain)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}
