package polyv_test

import (
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A broadcast is open if a call began it, until a call or a trigger ends it. Time
// does not.
func TestOpen(t *testing.T) {
	t.Parallel()
	c := newClient(t, conformance.Setting{Fixture: "default"})
	own := contract.Values{"channelId": "2272657", "userId": "1b448be323"}
	stream := contract.Values{"channelId": own["channelId"]}
	check := func(want ...contract.Open) {
		t.Helper()
		if got := c.w.Open(t); !slices.Equal(got, want) {
			t.Errorf("open is\n%+v, want\n%+v", got, want)
		}
	}
	// begin puts the channel on air, and returns the session as what is open.
	begin := func() contract.Open {
		t.Helper()
		c.expect("StartLive", own, "success")
		session, noted := c.w.Last(t).Notes.Get("session")
		if !noted {
			t.Fatal("no session began")
		}
		return contract.Open{What: "session", ID: session.(string), Since: c.w.Sandbox.Clock.Now().Truncate(time.Second), By: "EndLive", State: "live"}
	}
	check()
	c.pull("stream.started", stream)
	check()
	c.pull("stream.ended", stream)
	c.later(time.Minute)
	session := begin()
	check(session)
	if due := c.w.Due(t, 100*365*24*time.Hour); len(due) != 0 {
		t.Errorf("due is %v", due)
	}
	c.later(365 * 24 * time.Hour)
	check(session)
	c.expect("EndLive", own, "success")
	check()
	c.later(time.Minute)
	begin()
	c.pull("stream.ended", stream)
	check()
	c.later(time.Minute)
	c.pull("expire", contract.Values{"what": "session", "id": begin().ID})
	check()
}
