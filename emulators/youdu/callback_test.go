package youdu

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

// events are what the audit application was told, decrypted; each signature is
// checked.
func (w *town) events() []string {
	w.t.Helper()
	var all []string
	for _, b := range w.callbacks {
		u, err := url.Parse(b.URL)
		if err != nil {
			w.t.Fatal(err)
		}
		var said struct {
			ToBuin         int64
			ToApp, Encrypt string
		}
		if err := json.Unmarshal(b.Body, &said); err != nil || said.ToBuin != vectorBuin || said.ToApp != auditApp {
			w.t.Fatalf("got %s: %v", b.Body, err)
		}
		q := u.Query()
		if want := signature("cbtoken0123456789", q.Get("timestamp"), q.Get("nonce"), said.Encrypt); q.Get("msg_signature") != want || u.Path != "/receive" || strings.Trim(q.Get("nonce"), letters) != "" {
			w.t.Errorf("got %s, want the signature %s", b.URL, want)
		}
		message, fault := newApp(w.t, auditApp).open("encrypt", said.Encrypt, true)
		if fault != nil {
			w.t.Fatal(fault.cause.Code)
		}
		all = append(all, string(message))
	}
	w.callbacks = nil
	return all
}

// TestEvents is what the audit application is told.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newTown(t, "audited")
	id := `{"sessionId":"` + vectorID + `",`
	told := func(what string, want ...string) {
		t.Helper()
		got := w.events()
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	update := func(message string) { w.post("/cgi/session/update", lastingToken, vectorApp, id+message) }
	send := func(message string) { w.post("/cgi/session/send", lastingToken, vectorApp, message) }
	head := func(from, pack string, version int) string {
		return `{"fromUser":"` + from + `","createTime":1700000000,"packageId":"` + pack + `","sessionId":"` + vectorID + `","version":` + string(rune('0'+version)) + `,`
	}
	delete(w.world.Sessions, vectorID) // so that the dice's GUID is free
	w.create(`{"title":"trio","creator":"test1","member":["test2","test3"]}`)
	told("create", head("test1", "1", 1)+`"msgType":"session_create","session_create":{"type":"multi","title":"trio","member":["test1","test2","test3"]}}`)
	update(`"opUser":"test2","title":"x","addMember":["test4","test2"],"delMember":["test1","ghost"]}`)
	told("update", head("test2", "2", 2)+`"msgType":"session_update","session_update":{"owner":"test2","title":"x","addMember":["test4"],"delMember":["test1"]}}`)
	update(`"opUser":"test2","title":"y"}`)
	told("title", head("test2", "3", 3)+`"msgType":"session_update","session_update":{"owner":"test2","title":"y","addMember":[],"delMember":[]}}`)
	update(`"opUser":"test2","title":"y"}`)
	update(`"opUser":"ghost","title":"z"}`)
	told("nothing changed")
	send(id + `"sender":"test2","msgType":"text","text":{"content":"<hi>"}}`)
	told("text", head("test2", "4", 3)+`"msgType":"text","msgId":1700000000,"text":{"content":"<hi>"}}`)
	send(id + `"sender":"test2","msgType":"image","image":{"media_id":"` + exampleMedia + `"}}`)
	told("image", head("test2", "5", 3)+`"msgType":"complex","msgId":1700000001,"complex":[{"image_id":"`+exampleMedia+`","name":"notes.txt","size":5}]}`)
	send(id + `"sender":"test2","msgType":"voice","voice":{"media_id":"` + exampleMedia + `"}}`)
	told("voice", head("test2", "6", 3)+`"msgType":"audio","msgId":1700000002,"audio":{"media_id":"`+exampleMedia+`","size":5}}`)
	send(id + `"sender":"test2","msgType":"file","file":{"media_id":"` + exampleMedia + `","name":"other","size":9}}`)
	told("file", head("test2", "7", 3)+`"msgType":"file","msgId":1700000003,"file":{"name":"notes.txt","media_id":"`+exampleMedia+`","size":5}}`)
	send(`{"receiver":"test9","sender":"test2","msgType":"video","video":{"media_id":"` + exampleMedia + `"}}`)
	told("video", `{"fromUser":"test2","createTime":1700000000,"packageId":"8","receiver":"test9","msgType":"video","msgId":1700000000,"video":{"name":"notes.txt","media_id":"`+exampleMedia+`","size":5}}`)
	w.sw["image_callback"] = "image"
	send(id + `"sender":"test2","msgType":"image","image":{"media_id":"` + exampleMedia + `"}}`)
	told("image as such", head("test2", "9", 3)+`"msgType":"image","msgId":1700000004,"image":{"name":"notes.txt","media_id":"`+exampleMedia+`","size":5}}`)
	if err := w.trigger("member.left", contract.Values{"account": "test2", "sessionId": vectorID}); err != nil {
		t.Fatal(err)
	}
	if got := w.events(); len(got) != 1 || !strings.Contains(got[0], `"session_update":{"owner":"test3","title":"y","addMember":[],"delMember":["test2"]}`) {
		t.Errorf("left: got %s", got)
	}
	w.sw["session_callbacks"] = false
	w.create(`{"title":"quiet","creator":"test1","member":["test2","test3"]}`)
	told("switched off")
}

// Without an address nothing is sent; the switch names one in the place of the
// fixture's.
func TestWhereEventsGo(t *testing.T) {
	t.Parallel()
	w := newTown(t, "bare")
	w.create(`{"title":"t","creator":"test1","member":["test2","test3"]}`)
	if len(w.callbacks) != 0 || w.world.Package != 0 {
		t.Errorf("got %v", w.callbacks)
	}
	w.sw["callback_url"] = "http://localhost:9/x?tenant=1"
	w.create(`{"title":"t","creator":"test1","member":["test2","test3"]}`)
	if len(w.callbacks) != 1 || !strings.HasPrefix(w.callbacks[0].URL, "http://localhost:9/x?tenant=1&msg_signature=") {
		t.Errorf("got %v", w.callbacks)
	}
	w.world.Apps = w.world.Apps[:3] // without the audit application
	w.create(`{"title":"t","creator":"test1","member":["test2","test3"]}`)
	if len(w.callbacks) != 1 {
		t.Errorf("got %v", w.callbacks)
	}
}

// TestMemberLeft is the trigger: one session or all, owners follow, an empty
// session is gone.
func TestMemberLeft(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	w.create(`{"title":"t","creator":"test3","member":["test1","test2"]}`)
	leave := func(account, id string) error {
		in := contract.Values{"account": account}
		if id != "" {
			in["sessionId"] = id
		}
		return w.trigger("member.left", in)
	}
	for _, tt := range [][2]string{{"test9", ""}, {"ghost", ""}, {"test9", vectorID}, {"test1", none}} {
		before := w.snapshot()
		if err := leave(tt[0], tt[1]); err == nil || w.snapshot() != before {
			t.Errorf("%v: got %v", tt, err)
		}
	}
	if err := leave("test1", vectorID); err != nil || strings.Join(w.world.Sessions[vectorID].Members, " ") != "test2 test3" || w.world.Sessions[vectorID].Owner != "test2" || w.world.Sessions[vectorID].Version != 2 {
		t.Errorf("got %v, %+v", err, w.world.Sessions[vectorID])
	}
	for _, who := range []string{"test3", "test2"} {
		if err := leave(who, ""); err != nil {
			t.Error(err)
		}
	}
	if w.world.Sessions[vectorID] != nil {
		t.Error("a session without members is still there")
	}
	if s := w.world.Sessions[w.idOf("t")]; strings.Join(s.Members, " ") != "test1" || s.Owner != "test1" {
		t.Errorf("got %+v", s)
	}
	survives(t, w)
}
