package youdu

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

// events are the events that the audit application got since the last look,
// decrypted. Their signatures are checked.
func (w *testWorld) events() []string {
	w.t.Helper()
	var all []string
	callbacks := w.Callbacks()[w.read:]
	for _, b := range callbacks {
		u, err := url.Parse(b.URL)
		if err != nil {
			w.t.Fatal(err)
		}
		var body struct {
			ToBuin         int64
			ToApp, Encrypt string
		}
		if err := json.Unmarshal(b.Body, &body); err != nil || body.ToBuin != vectorBuin || body.ToApp != auditApp {
			w.t.Fatalf("got %s: %v", b.Body, err)
		}
		q := u.Query()
		if want := signature("cbtoken0123456789", q.Get("timestamp"), q.Get("nonce"), body.Encrypt); q.Get("msg_signature") != want || u.Path != "/receive" || strings.Trim(q.Get("nonce"), letters) != "" {
			w.t.Errorf("got %s, want the signature %s", b.URL, want)
		}
		message, fault := newApp(w.t, auditApp).open("encrypt", body.Encrypt, true)
		if fault != nil {
			w.t.Fatal(fault.cause.Code)
		}
		all = append(all, string(message))
	}
	w.read += len(callbacks)
	return all
}

// TestEvents checks what the audit application gets.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "audited")
	id := `{"sessionId":"` + vectorID + `",`
	expect := func(what string, want ...string) {
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
	w.removeSession(vectorID)
	_, created := w.create(`{"title":"trio","creator":"test1","member":["test2","test3"]}`)
	newID := sessionIDOf(t, created)
	expect("create", strings.Replace(head("test1", "1", 1), vectorID, newID, 1)+`"msgType":"session_create","session_create":{"type":"multi","title":"trio","member":["test1","test2","test3"]}}`)
	w.rename(newID, vectorID)
	update(`"opUser":"test2","title":"x","addMember":["test4","test2"],"delMember":["test1","ghost"]}`)
	expect("update", head("test2", "2", 2)+`"msgType":"session_update","session_update":{"owner":"test2","title":"x","addMember":["test4"],"delMember":["test1"]}}`)
	update(`"opUser":"test2","title":"y"}`)
	expect("title", head("test2", "3", 3)+`"msgType":"session_update","session_update":{"owner":"test2","title":"y","addMember":[],"delMember":[]}}`)
	update(`"opUser":"test2","title":"y"}`)
	update(`"opUser":"ghost","title":"z"}`)
	expect("nothing changed")
	send(id + `"sender":"test2","msgType":"text","text":{"content":"<hi>"}}`)
	expect("text", head("test2", "4", 3)+`"msgType":"text","msgId":1700000000,"text":{"content":"<hi>"}}`)
	send(id + `"sender":"test2","msgType":"image","image":{"media_id":"` + exampleMedia + `"}}`)
	expect("image", head("test2", "5", 3)+`"msgType":"complex","msgId":1700000001,"complex":[{"image_id":"`+exampleMedia+`","name":"notes.txt","size":5}]}`)
	send(id + `"sender":"test2","msgType":"voice","voice":{"media_id":"` + exampleMedia + `"}}`)
	expect("voice", head("test2", "6", 3)+`"msgType":"audio","msgId":1700000002,"audio":{"media_id":"`+exampleMedia+`","size":5}}`)
	send(id + `"sender":"test2","msgType":"file","file":{"media_id":"` + exampleMedia + `","name":"other","size":9}}`)
	expect("file", head("test2", "7", 3)+`"msgType":"file","msgId":1700000003,"file":{"name":"notes.txt","media_id":"`+exampleMedia+`","size":5}}`)
	send(`{"receiver":"test9","sender":"test2","msgType":"video","video":{"media_id":"` + exampleMedia + `"}}`)
	expect("video", `{"fromUser":"test2","createTime":1700000000,"packageId":"8","receiver":"test9","msgType":"video","msgId":1700000000,"video":{"name":"notes.txt","media_id":"`+exampleMedia+`","size":5}}`)
	w.set("image_callback", "image")
	send(id + `"sender":"test2","msgType":"image","image":{"media_id":"` + exampleMedia + `"}}`)
	expect("image as such", head("test2", "9", 3)+`"msgType":"image","msgId":1700000004,"image":{"name":"notes.txt","media_id":"`+exampleMedia+`","size":5}}`)
	if err := w.Trigger(w.t, "member.left", contract.Values{"account": "test2", "sessionId": vectorID}); err != nil {
		t.Fatal(err)
	}
	if got := w.events(); len(got) != 1 || !strings.Contains(got[0], `"session_update":{"owner":"test3","title":"y","addMember":[],"delMember":["test2"]}`) {
		t.Errorf("left: got %s", got)
	}
	w.set("session_callbacks", "false")
	w.create(`{"title":"quiet","creator":"test1","member":["test2","test3"]}`)
	expect("switched off")
}

// Without an address nothing is sent. The switch callback_url replaces the
// fixture's address.
func TestWhereEventsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "bare")
	w.create(`{"title":"t","creator":"test1","member":["test2","test3"]}`)
	w.withState(func(st *state) {
		if len(w.Callbacks()) != 0 || st.Package != 0 {
			t.Errorf("got %v", w.Callbacks())
		}
	})
	w.set("callback_url", "http://localhost:9/x?tenant=1")
	w.create(`{"title":"t","creator":"test1","member":["test2","test3"]}`)
	if len(w.Callbacks()) != 1 || !strings.HasPrefix(w.Callbacks()[0].URL, "http://localhost:9/x?tenant=1&msg_signature=") {
		t.Errorf("got %v", w.Callbacks())
	}
	w.withState(func(st *state) { st.Apps = st.Apps[:3] }) // without the audit application
	w.create(`{"title":"t","creator":"test1","member":["test2","test3"]}`)
	if len(w.Callbacks()) != 1 {
		t.Errorf("got %v", w.Callbacks())
	}
}

// TestMemberLeft checks the trigger member.left: an account leaves one session
// or all, a member takes over from the owner, an empty session is removed.
func TestMemberLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "default")
	w.create(`{"title":"t","creator":"test3","member":["test1","test2"]}`)
	leave := func(account, id string) error {
		in := contract.Values{"account": account}
		if id != "" {
			in["sessionId"] = id
		}
		return w.Trigger(w.t, "member.left", in)
	}
	for _, tt := range [][2]string{{"test9", ""}, {"ghost", ""}, {"test9", vectorID}, {"test1", unknownID}} {
		before := w.snapshot()
		if err := leave(tt[0], tt[1]); err == nil || w.snapshot() != before {
			t.Errorf("%v: got %v", tt, err)
		}
	}
	err := leave("test1", vectorID)
	if s := w.session(vectorID); err != nil || strings.Join(s.Members, " ") != "test2 test3" || s.Owner != "test2" || s.Version != 2 {
		t.Errorf("got %v, %+v", err, s)
	}
	for _, account := range []string{"test3", "test2"} {
		if err := leave(account, ""); err != nil {
			t.Error(err)
		}
	}
	if w.session(vectorID) != nil {
		t.Error("a session without members is still there")
	}
	if s := w.session(w.idOf("t")); strings.Join(s.Members, " ") != "test1" || s.Owner != "test1" {
		t.Errorf("got %+v", s)
	}
	survives(t, w)
}
