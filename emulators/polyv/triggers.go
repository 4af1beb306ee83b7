package polyv

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

var triggers = []*contract.Trigger{
	{
		Name: "stream.started", Params: channelRow, Do: streamStarted, Keeps: true,
		Doc: "A stream is pushed to the channel: a session begins, and the status callback says live.",
	},
	{
		Name: "stream.ended", Params: channelRow, Do: streamEnded,
		Doc: "The stream of the channel ends, and with it the session; the status callback says end.",
	},
	{
		Name: "expire", Do: expire,
		Doc: "What was kept or granted is no more: a session (id: sessionId), the binding of a channel to an external id (id: channelId), an application (id: appId).",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{aSession, aBinding, anApplication}, Doc: "What expires."},
			{Name: "id", Need: contract.Required, Example: "g9lv2ghv2x", Doc: "Which: a sessionId, a channelId, an appId."},
		},
	},
}

var channelRow = []contract.Param{{Name: "channelId", Need: contract.Required, Example: "2272655", Doc: "The channel."}}

func streamStarted(c *contract.Call) error {
	st, id := c.State.(*state), c.In.Text("channelId")
	ch := st.Channels[id]
	switch {
	case ch == nil:
		return fmt.Errorf("there is no channel %s", id)
	case ch.live != nil:
		return fmt.Errorf("the channel %s is live already, with session %s", id, ch.live.ID)
	}
	st.notifyStatus(c, ch, st.start(ch, c.Now, c.Dice()))
	return nil
}

func streamEnded(c *contract.Call) error {
	st, id := c.State.(*state), c.In.Text("channelId")
	ch := st.Channels[id]
	switch {
	case ch == nil:
		return fmt.Errorf("there is no channel %s", id)
	case ch.live == nil:
		return fmt.Errorf("the channel %s is not live", id)
	}
	st.notifyStatus(c, ch, st.stop(ch, c.Now, c.Dice()))
	return nil
}

func expire(c *contract.Call) error {
	st, id := c.State.(*state), c.In.Text("id")
	switch c.In.Text("what") {
	case aSession:
		s := st.sessions[id]
		if s == nil {
			return fmt.Errorf("there is no session %s", id)
		}
		st.remove(s)
		return nil
	case aBinding:
		ch := st.Channels[id]
		if ch == nil || ch.External == "" {
			return fmt.Errorf("no channel %s is bound to an external id", id)
		}
		ch.External = ""
		return nil
	}
	at, known := st.applications[id]
	if !known {
		return fmt.Errorf("there is no application %s", id)
	}
	st.Applications = append(st.Applications[:at:at], st.Applications[at+1:]...)
	c.Forget(id)
	return st.Reindex()
}

// notifyStatus sends the status callback once: a GET with a sign of its own rule,
// over the secret and the timestamp. Its parameters are in the order of the page's
// sample. The case of the sign is not documented.
func (st *state) notifyStatus(c *contract.Call, ch *channel, s *session) {
	to := ch.Callback
	if to == "" {
		to = c.Switches.Text("callback_url")
	}
	if to == "" {
		return
	}
	status, ended := "live", ""
	if s.End != 0 {
		status, ended = "end", strconv.FormatInt(s.End, 10)
	}
	stamp := strconv.FormatInt(c.Now.UnixMilli(), 10)
	c.Notify(contract.Callback{Method: http.MethodGet, URL: withQuery(to,
		pair{"channelId", ch.ID}, pair{"status", status}, pair{"timestamp", stamp},
		pair{"sign", callbackSign(st.secretOf(ch.UserID), stamp)},
		pair{"sessionId", s.ID}, pair{"startTime", strconv.FormatInt(s.Start, 10)}, pair{"endTime", ended})})
}

// callbackSign returns the sign of a callback.
func callbackSign(secret, timestamp string) string {
	sum := md5.Sum([]byte(secret + timestamp))
	return hex.EncodeToString(sum[:])
}

// withQuery appends parameters to the query of an address.
func withQuery(to string, more ...pair) string {
	to, fragment, _ := strings.Cut(to, "#")
	var b strings.Builder
	b.WriteString(to)
	separator := byte('?')
	if strings.Contains(to, "?") {
		separator = '&'
	}
	for _, p := range more {
		b.WriteByte(separator)
		b.WriteString(url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value))
		separator = '&'
	}
	if fragment != "" {
		b.WriteString("#" + fragment)
	}
	return b.String()
}
