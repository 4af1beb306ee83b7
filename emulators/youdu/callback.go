package youdu

import (
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// An event is the message of a callback to the audit application. The members
// that a kind of event does not have are left out.
type event struct {
	FromUser      string         `json:"fromUser"`
	CreateTime    int64          `json:"createTime"` // UNIX seconds
	PackageID     string         `json:"packageId"`  // the page leaves it out for sessions; libraries need it
	Receiver      string         `json:"receiver,omitempty"`
	SessionID     string         `json:"sessionId,omitempty"`
	Version       int64          `json:"version,omitempty"`
	MsgType       string         `json:"msgType"`
	MsgID         int64          `json:"msgId,omitempty"`
	SessionCreate *sessionCreate `json:"session_create,omitempty"`
	SessionUpdate *sessionUpdate `json:"session_update,omitempty"`
	Text          *eventText     `json:"text,omitempty"`
	Image         *eventFile     `json:"image,omitempty"`
	File          *eventFile     `json:"file,omitempty"`
	Audio         *eventFile     `json:"audio,omitempty"` // sent as voice
	Video         *eventFile     `json:"video,omitempty"`
	Complex       []eventImage   `json:"complex,omitempty"`
}

type sessionCreate struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Member []string `json:"member"`
}

type sessionUpdate struct {
	Owner     string   `json:"owner"`
	Title     string   `json:"title"`
	AddMember []string `json:"addMember"`
	DelMember []string `json:"delMember"`
}

type eventText struct {
	Content string `json:"content"`
}

type eventFile struct {
	Name    string `json:"name,omitempty"`
	MediaID string `json:"media_id"`
	Size    int64  `json:"size"`
}

type eventImage struct {
	ImageID string `json:"image_id"`
	Name    string `json:"name"`
	Size    int64  `json:"size"`
}

// notifyCreated reports a new session to the audit application.
func (st *state) notifyCreated(c *contract.Call, s *session) {
	if !c.Switches.Bool("session_callbacks") {
		return
	}
	st.notifyAudit(c, func() event {
		return event{
			FromUser: s.Owner, SessionID: s.ID, Version: s.Version, MsgType: "session_create",
			SessionCreate: &sessionCreate{multi, s.Title, s.Members},
		}
	})
}

// notifyUpdated reports a changed session to the audit application. by is the
// account that made the change.
func (st *state) notifyUpdated(c *contract.Call, s *session, x *change, by string) {
	if !c.Switches.Bool("session_callbacks") {
		return
	}
	st.notifyAudit(c, func() event {
		return event{
			FromUser: by, SessionID: s.ID, Version: s.Version, MsgType: "session_update",
			SessionUpdate: &sessionUpdate{s.Owner, s.Title, orEmpty(x.added), orEmpty(x.removed)},
		}
	})
}

// orEmpty makes a nil list an empty one, so that its JSON is [] and not null.
func orEmpty(accounts []string) []string {
	if accounts == nil {
		return []string{}
	}
	return accounts
}

// notifyMessage reports a message to the audit application. s is nil for a
// one-to-one message.
func (st *state) notifyMessage(c *contract.Call, s *session, id int64) {
	st.notifyAudit(c, func() event {
		kind := c.In.Text("msgType")
		e := event{FromUser: c.In.Text("sender"), MsgType: kind, MsgID: id}
		if s != nil {
			e.SessionID, e.Version = s.ID, s.Version
		} else {
			e.Receiver = c.In.Text("receiver")
		}
		st.fillMessage(c, &e, kind)
		return e
	})
}

// fillMessage sets the members of e that depend on the kind of message.
func (st *state) fillMessage(c *contract.Call, e *event, kind string) {
	object := c.In.Object(kind)
	f := &eventFile{Name: object.Text("name"), MediaID: object.Text("media_id"), Size: object.Int("size")}
	if stored := st.Media[f.MediaID]; stored != nil {
		f.Name, f.Size = stored.Name, int64(len(stored.Content))
	}
	switch kind {
	case "image":
		if c.Switches.Text("image_callback") == "image" {
			e.Image = f
			return
		}
		e.MsgType = "complex"
		e.Complex = []eventImage{{f.MediaID, f.Name, f.Size}}
	case "file":
		e.File = f
	case "voice":
		f.Name = ""
		e.MsgType, e.Audio = "audio", f
	case "video":
		e.Video = f
	default:
		e.Text = &eventText{object.Text("content")}
	}
}

// auditTarget returns the application that gets events, and its address. The
// application is nil if there is none.
func (st *state) auditTarget(c *contract.Call) (a *app, address string) {
	for i := range st.Apps {
		if st.Apps[i].AppID == auditApp && !st.Apps[i].Disabled {
			a = &st.Apps[i]
			break
		}
	}
	if a == nil {
		return nil, ""
	}
	if address = c.Switches.Text("callback_url"); address == "" {
		address = a.CallbackURL
	}
	return a, address
}

// notifyAudit sends an event to the audit application, if that one has an address.
func (st *state) notifyAudit(c *contract.Call, makeEvent func() event) {
	a, address := st.auditTarget(c)
	if address == "" {
		return
	}
	e := makeEvent()
	st.Package++
	e.CreateTime, e.PackageID = c.Now.Unix(), strconv.FormatInt(st.Package, 10)
	var nonce [12]byte
	_, _ = c.Dice().Read(nonce[:]) // it never fails
	toLetters(nonce[:])
	c.Notify(a.callback(address, strconv.FormatInt(e.CreateTime, 10), string(nonce[:]), newPrefix(c.Dice()), wire.Encode(&e)))
}

// callback is the request that sends a message to an application.
func (a *app) callback(address, timestamp, nonce string, prefix [prefixSize]byte, message []byte) contract.Callback {
	encrypted := string(a.seal(nil, prefix, message))
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return contract.Callback{
		Method: http.MethodPost,
		URL:    address + separator + "msg_signature=" + signature(a.CallbackToken, timestamp, nonce, encrypted) + "&timestamp=" + timestamp + "&nonce=" + nonce,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body: wire.Encode(&struct {
			ToBuin  int64  `json:"toBuin"`
			ToApp   string `json:"toApp"`
			Encrypt string `json:"encrypt"`
		}{a.Buin, a.AppID, encrypted}),
	}
}

// signature is the SHA-1 of the four strings, sorted by their bytes.
func signature(token, timestamp, nonce, encrypted string) string {
	parts := []string{token, timestamp, nonce, encrypted}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}
