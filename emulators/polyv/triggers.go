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
		Name: "stream.started", Params: whose, Do: streamStarted,
		Doc: "A stream is pushed to the channel: a session begins, and the status callback says live.",
	},
	{
		Name: "stream.ended", Params: whose, Do: streamEnded,
		Doc: "The stream of the channel ends, and with it the session; the status callback says end.",
	},
	{
		Name: "expire", Do: expire,
		Doc: "What was kept or granted is no more: a session (id: sessionId), the binding of a channel to an external id (id: channelId), an application (id: appId).",
		Params: []contract.Param{
			{Name: "what", Need: contract.Required, OneOf: []string{"session", "binding", "application"}, Doc: "What expires."},
			{Name: "id", Need: contract.Required, Example: "g9lv2ghv2x", Doc: "Which: a sessionId, a channelId, an appId."},
		},
	},
}

var whose = []contract.Param{{Name: "channelId", Need: contract.Required, Example: "2272655", Doc: "The channel."}}

func streamStarted(c *contract.Call) error {
	w, id := c.State.(*state), c.In.Text("channelId")
	ch := w.Channels[id]
	switch {
	case ch == nil:
		return fmt.Errorf("there is no channel %s", id)
	case ch.live != nil:
		return fmt.Errorf("the channel %s is live already, with session %s", id, ch.live.ID)
	}
	w.tellStatus(c, ch, w.start(ch, c.Now, c.Dice()))
	return nil
}

func streamEnded(c *contract.Call) error {
	w, id := c.State.(*state), c.In.Text("channelId")
	ch := w.Channels[id]
	switch {
	case ch == nil:
		return fmt.Errorf("there is no channel %s", id)
	case ch.live == nil:
		return fmt.Errorf("the channel %s is not live", id)
	}
	w.tellStatus(c, ch, w.stop(ch, c.Now, c.Dice()))
	return nil
}

func expire(c *contract.Call) error {
	w, id := c.State.(*state), c.In.Text("id")
	switch c.In.Text("what") {
	case "session":
		s := w.sessions[id]
		if s == nil {
			return fmt.Errorf("there is no session %s", id)
		}
		w.remove(s)
		return nil
	case "binding":
		ch := w.Channels[id]
		if ch == nil || ch.External == "" {
			return fmt.Errorf("no channel %s is bound to an external id", id)
		}
		ch.External = ""
		return nil
	}
	at, known := w.applications[id]
	if !known {
		return fmt.Errorf("there is no application %s", id)
	}
	w.Applications = append(w.Applications[:at:at], w.Applications[at+1:]...)
	c.Forget(id)
	return w.Reindex()
}

// tellStatus sends the status callback: a GET whose sign is made by a rule of
// its own, of the secret and the timestamp, and told once. Its parameters stand
// in the order of the page's sample. The case of the sign is not shown.
func (w *state) tellStatus(c *contract.Call, ch *channel, s *session) {
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
		pair{"sign", callbackSign(w.secretOf(ch.UserID), stamp)},
		pair{"sessionId", s.ID}, pair{"startTime", strconv.FormatInt(s.Start, 10)}, pair{"endTime", ended})})
}

// callbackSign proves that a callback comes from the service.
func callbackSign(secret, timestamp string) string {
	sum := md5.Sum([]byte(secret + timestamp))
	return hex.EncodeToString(sum[:])
}

// withQuery appends parameters to an address, behind what its query says.
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
