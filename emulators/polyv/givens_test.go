package polyv

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// What happened before goes on as it would have: the broadcast ends by a call, and the
// next one carries the external id.
func TestGivenGoesOn(t *testing.T) {
	w := conformance.New(t, API, conformance.Setting{})
	w.Given(t, `[{recorded: {channelId: "2272657", count: 3, days: 7, length: 30m}}, {binding: {channelId: "2272657", externalSessionId: own}}, {live: {channelId: "2272657", since: 0s}}]`)
	if got := w.Outcome(t, "EndLive", contract.Values{"channelId": "2272657"}, nil); got != "success" {
		t.Errorf("EndLive ended in %s", got)
	}
	w.Instance(t).WithState(func(s contract.State) {
		ch := s.(*state).Channels["2272657"]
		if len(ch.Sessions) != 4 || ch.live != nil {
			t.Fatalf("got %d sessions, live %v", len(ch.Sessions), ch.live)
		}
		now := w.Sandbox.Clock.Now()
		for i, s := range ch.Sessions[:3] {
			if age := now.Sub(time.UnixMilli(s.Start)); age > 7*24*time.Hour || s.End-s.Start != 30*60_000 || s.CustomID != nil {
				t.Errorf("session %d: %s old, %d ms long", i, age, s.End-s.Start)
			}
		}
		if last := ch.Sessions[3]; last.CustomID == nil || *last.CustomID != "own" {
			t.Errorf("the last session carries %v", last.CustomID)
		}
	})
}

func TestGivenRefused(t *testing.T) {
	for given, want := range map[string]string{
		`live: {channelId: "2272656", since: 1m}`:                "is live already, with session",
		`live: {channelId: "2272655", since: 9000h}`:             "cannot have begun before that",
		`live: {channelId: "1"}`:                                 `there is no channel "1" in the fixture`,
		`live: {channelId: "2272658"}`:                           "is of the account 9f2e4c7a10, which has no application",
		`recorded: {channelId: "2272657", count: 3, length: 9h}`: "has at most 8h0m0s",
		`recorded: {channelId: "2272657"}`:                       `has no "count"`,
		`binding: {channelId: "2272657"}`:                        `has no "externalSessionId"`,
		`recording: {}`:                                          `did you mean "recorded"?`,
	} {
		w := conformance.New(t, API, conformance.Setting{})
		if err := w.TryGiven(t, "[{"+given+"}]"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", given, err, want)
		}
	}
	w := conformance.New(t, API, conformance.Setting{Set: map[string]string{"live_sessions": "off"}})
	if err := w.TryGiven(t, `[{live: {channelId: "2272657"}}]`); err == nil || !strings.Contains(err.Error(), "the switch live_sessions is off") {
		t.Errorf("got %v", err)
	}
}
