package polyv

import (
	"fmt"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// givens are what can have happened before a test begins.
var givens = []*contract.Trigger{
	{
		Name: "recorded", Do: givenRecorded,
		Doc: "Broadcasts of a channel began and ended, evenly spread over the last days. They lie after those that the channel has.",
		Params: []contract.Param{
			givenChannelRow,
			{Name: "count", Type: contract.Integer, Need: contract.Required, Min: 1, Max: 1000, Example: "3", Doc: "How many."},
			{Name: "days", Type: contract.Integer, Min: 1, Max: 3650, Example: "7", Doc: "Over how many days; one unless said otherwise."},
			{Name: "length", Type: contract.Duration, Example: "30m", Doc: "How long each was; half of its share of the time, and at most two hours, unless said otherwise."},
		},
	},
	{
		Name: "live", Do: givenLive,
		Doc: "The channel is on air.",
		Params: []contract.Param{
			givenChannelRow,
			{Name: "since", Type: contract.Duration, Example: "30m", Doc: "How long it has been."},
		},
	},
	{
		Name: "binding", Do: givenBinding,
		Doc: "The channel is bound to an external id, which sessions carry that start after it.",
		Params: []contract.Param{
			givenChannelRow,
			{Name: "externalSessionId", Need: contract.Required, Max: 32, Example: "w11V61QWoK3332313778613940858739", Doc: "The external id."},
		},
	},
}

var givenChannelRow = contract.Param{Name: "channelId", Need: contract.Required, Example: "2272657", Doc: "The channel, of an account that has an application."}

// givenCall has an operation succeed at an earlier instant, called by the account of
// the channel.
func givenCall(c *contract.Call, at time.Time, op *contract.Operation, in contract.Values) error {
	st, id := c.State.(*state), c.In.Text("channelId")
	ch := st.Channels[id]
	if ch == nil {
		return fmt.Errorf("there is no channel %s in the fixture", quote(id))
	}
	past := c.Earlier(at, op, in)
	in["channelId"], in["userId"] = id, ch.UserID
	for _, a := range st.Applications {
		if a.UserID == ch.UserID {
			past.Caller = &caller{application: a}
			_, err := past.Succeed()
			return err
		}
	}
	return fmt.Errorf("the channel %s is of the account %s, which has no application and so can call nothing", id, ch.UserID)
}

// broadcast puts a channel on air, from an instant to another; never: it stays so.
func broadcast(c *contract.Call, from, to time.Time) error {
	st := c.State.(*state)
	if !c.Switches.Bool("live_sessions") {
		return fmt.Errorf("the switch live_sessions is off, so that no broadcast makes a session")
	}
	if ch := st.Channels[c.In.Text("channelId")]; ch != nil && len(ch.Sessions) > 0 {
		last := ch.Sessions[len(ch.Sessions)-1]
		if ch.live != nil {
			return fmt.Errorf("the channel %s is live already, with session %s", ch.ID, ch.live.ID)
		}
		if ended := time.UnixMilli(last.End); ended.After(from) {
			return fmt.Errorf("the session %s of channel %s ended at %s, and another cannot have begun before that, at %s; give a later time, or another channel",
				last.ID, ch.ID, ended.UTC().Format(time.RFC3339), from.UTC().Format(time.RFC3339))
		}
	}
	if err := givenCall(c, from, startLive, contract.Values{}); err != nil || to.IsZero() {
		return err
	}
	return givenCall(c, to, endLive, contract.Values{})
}

func givenRecorded(c *contract.Call) error {
	count, days := c.In.Int("count"), max(1, c.In.Int("days"))
	span := time.Duration(days) * 24 * time.Hour
	part := span / time.Duration(count)
	length := min(part/2, 2*time.Hour)
	if c.In.Has("length") {
		length = c.In.Duration("length")
	}
	if length > part {
		return fmt.Errorf("length is %s; each of %d broadcasts in %d days has at most %s", length, count, days, part)
	}
	for i := range count {
		from := c.Now.Add(-span + time.Duration(i)*part)
		if err := broadcast(c, from, from.Add(length)); err != nil {
			return err
		}
	}
	return nil
}

func givenLive(c *contract.Call) error {
	return broadcast(c, c.Now.Add(-c.In.Duration("since")), time.Time{})
}

func givenBinding(c *contract.Call) error {
	return givenCall(c, c.Now, bindExternalSession, contract.Values{"externalSessionId": c.In.Text("externalSessionId")})
}
