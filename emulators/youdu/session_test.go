package youdu

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

const unknownID = "{00000000-0000-0000-0000-000000000000}"

// vectorID is the id of the session in the vectors.
const vectorID = exampleSession

// trio is the session of the second of the 24 cases.
const trio = `{"sessionId":"` + vectorID + `","title":"trio","owner":"test1","version":1,"type":"multi","member":["test1","test2","test3"],"lastMsgId":0,"activeTime":1700000000}`

// create makes a session, and returns the outcome and what the call returns.
func (w *testWorld) create(message string) (outcome, returned string) {
	w.t.Helper()
	return w.post("/cgi/session/create", lastingToken, vectorApp, message)
}

// newWorldWithTrio begins a world with one session, of test1, test2 and test3.
func newWorldWithTrio(t testing.TB) *testWorld {
	t.Helper()
	w := newWorld(t, "bare")
	o, returned := w.create(`{"title":"trio","creator":"test1","member":["test1","test2","test3"]}`)
	if o != "success" || w.asVectorID(returned) != trio {
		t.Fatalf("got %s %s", o, returned)
	}
	return w
}

// TestCreate checks each row of CreateSession and its limits.
func TestCreate(t *testing.T) {
	t.Parallel()
	cjk := strings.Repeat("度", 64)
	long := strings.Repeat("a", 65)
	tests := []struct {
		name, message, want string
		member              string // joined; "" where it fails
	}{
		{"the creator in the list", `{"title":"t","creator":"test1","type":"multi","member":["test1","test2","test3"]}`, "success", "test1 test2 test3"},
		{"the creator not in the list", `{"title":"t","creator":"test1","member":["test2","test3"]}`, "success", "test1 test2 test3"},
		{"the creator last", `{"title":"t","creator":"test1","member":["test3","test2","test1"]}`, "success", "test1 test3 test2"},
		{"twice the same", `{"title":"t","creator":"test1","member":["test2","test2","test3","test1"]}`, "success", "test1 test2 test3"},
		{"type null", `{"title":"t","creator":"test1","type":null,"member":["test2","test3"]}`, "success", "test1 test2 test3"},
		{"type empty", `{"title":"t","creator":"test1","type":"","member":["test2","test3"]}`, "success", "test1 test2 test3"},
		{"more than is known", `{"title":"t","creator":"test1","member":["test2","test3"],"buin":1,"extra":{}}`, "success", "test1 test2 test3"},
		{"names in another case", `{"Title":"t","CREATOR":"test1","Member":["test2","test3"]}`, "success", "test1 test2 test3"},
		{"escapes", `{"title":"\u6d4b\/x \u003ca\u003e","creator":"test1","member":["test2","test3"]}`, "success", "test1 test2 test3"},
		{"64 CJK characters", `{"title":"` + cjk + `","creator":"test1","member":["test2","test3"]}`, "success", "test1 test2 test3"},
		{"64 emoji", `{"title":"` + strings.Repeat("😀", 64) + `","creator":"test1","member":["test2","test3"]}`, "success", "test1 test2 test3"},
		{"65 CJK characters", `{"title":"` + cjk + `度","creator":"test1","member":["test2","test3"]}`, "INVALID_REQUEST_5", ""},
		{"no title", `{"creator":"test1","member":["test2","test3"]}`, "INVALID_REQUEST_5", ""},
		{"an empty title", `{"title":"","creator":"test1","member":["test2","test3"]}`, "INVALID_REQUEST_5", ""},
		{"a blank title", `{"title":" \t　","creator":"test1","member":["test2","test3"]}`, "INVALID_REQUEST_5", ""},
		{"no creator", `{"title":"t","member":["test1","test2","test3"]}`, "INVALID_REQUEST_5", ""},
		{"a long creator", `{"title":"t","creator":"` + long + `","member":["test2","test3"]}`, "OVERLIMIT_USERID", ""},
		{"an unknown creator", `{"title":"t","creator":"ghost","member":["test2","test3"]}`, "USER_NOTEXIST", ""},
		{"an unknown member", `{"title":"t","creator":"test1","member":["test2","ghost"]}`, "USER_NOTEXIST", ""},
		{"an account in another case", `{"title":"t","creator":"test1","member":["test2","TEST3"]}`, "USER_NOTEXIST", ""},
		{"an empty account", `{"title":"t","creator":"test1","member":["test2",""]}`, "USER_NOTEXIST", ""},
		{"no members", `{"title":"t","creator":"test1"}`, "INVALID_REQUEST_5", ""},
		{"an empty list", `{"title":"t","creator":"test1","member":[]}`, "INVALID_REQUEST_5", ""},
		{"two people", `{"title":"t","creator":"test1","member":["test1","test2","test2"]}`, "INVALID_REQUEST_5", ""},
		{"type single", `{"title":"t","creator":"test1","type":"single","member":["test2","test3"]}`, "INVALID_REQUEST_5", ""},
		{"type Multi", `{"title":"t","creator":"test1","type":"Multi","member":["test2","test3"]}`, "INVALID_REQUEST_5", ""},
		{"a number for a title", `{"title":5,"creator":"test1","member":["test2","test3"]}`, "INVALID_FORMAT_JSON", ""},
		{"a text for the members", `{"title":"t","creator":"test1","member":"test2"}`, "INVALID_FORMAT_JSON", ""},
		{"a number among the members", `{"title":"t","creator":"test1","member":["test2",3]}`, "INVALID_FORMAT_JSON", ""},
		{"null among the members", `{"title":"t","creator":"test1","member":["test2","test3",null]}`, "INVALID_FORMAT_JSON", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "bare")
			before := w.snapshot()
			o, returned := w.create(tt.message)
			if o != tt.want {
				t.Fatalf("got %s: %s, want %s", o, returned, tt.want)
			}
			if tt.member == "" {
				if returned != "" || w.snapshot() != before {
					t.Errorf("got %s; the state: %s", returned, w.snapshot())
				}
				return
			}
			var s sessionReply
			if err := json.Unmarshal([]byte(returned), &s); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.Member, " "); got != tt.member || s.Owner != "test1" || s.Version != 1 || !isGUID(s.SessionID) {
				t.Errorf("got %s, want the members %s", returned, tt.member)
			}
			if got, again := w.post("/cgi/session/create", lastingToken, vectorApp, tt.message); got != "success" || strings.Contains(again, s.SessionID) {
				t.Errorf("the same again: got %s %s, want a second session", got, again)
			}
		})
	}
}

// TestUpdate checks UpdateSession: titles, and members that are added and removed.
func TestUpdate(t *testing.T) {
	t.Parallel()
	id := `"sessionId":"` + vectorID + `"`
	reply := func(title, owner string, version int, members ...string) string {
		list, _ := json.Marshal(members)
		return fmt.Sprintf(`{"sessionId":"%s","title":"%s","owner":"%s","version":%d,"type":"multi","member":%s,"lastMsgId":0,"activeTime":1700000000}`, vectorID, title, owner, version, list)
	}
	tests := []struct{ name, message, want string }{
		{"title", `{` + id + `,"opUser":"test1","title":"x"}`, reply("x", "test1", 2, "test1", "test2", "test3")},
		{"any member may", `{` + id + `,"opUser":"test3","title":"x"}`, reply("x", "test1", 2, "test1", "test2", "test3")},
		{"the same title", `{` + id + `,"opUser":"test1","title":"trio"}`, trio},
		{"null and empty lists", `{` + id + `,"opUser":"test1","title":null,"addMember":null,"delMember":[]}`, trio},
		{"nothing at all", `{` + id + `,"opUser":"test1"}`, trio},
		{"all at once counts once", `{` + id + `,"opUser":"test1","title":"x","addMember":["test4","test5"],"delMember":["test2"]}`, reply("x", "test1", 2, "test1", "test3", "test4", "test5")},
		{"a member again", `{` + id + `,"opUser":"test1","addMember":["test2"]}`, trio},
		{"an account that is no member is removed", `{` + id + `,"opUser":"test1","delMember":["test9","ghost"]}`, trio},
		{"in both lists", `{` + id + `,"opUser":"test1","addMember":["test4"],"delMember":["test4"]}`, trio},
		{"a member in both lists", `{` + id + `,"opUser":"test1","addMember":["test2"],"delMember":["test2"]}`, reply("trio", "test1", 2, "test1", "test3")},
		{"below three", `{` + id + `,"opUser":"test1","delMember":["test2","test3"]}`, reply("trio", "test1", 2, "test1")},
		{"the owner is removed", `{` + id + `,"opUser":"test2","delMember":["test1"]}`, reply("trio", "test2", 2, "test2", "test3")},
		{"the owner removes itself and adds another", `{` + id + `,"opUser":"test1","addMember":["test4"],"delMember":["test1","test2","test3"]}`, reply("trio", "test4", 2, "test4")},
		{"no member is left", `{` + id + `,"opUser":"test1","delMember":["test1","test2","test3"]}`, "INVALID_REQUEST_5"},
		{"a title of 65", `{` + id + `,"opUser":"test1","title":"` + strings.Repeat("度", 65) + `","addMember":["test4"]}`, "INVALID_REQUEST_5"},
		{"an unknown account is added", `{` + id + `,"opUser":"test1","title":"x","addMember":["test4","ghost"]}`, "USER_NOTEXIST"},
		{"an unknown operator", `{` + id + `,"opUser":"ghost","title":"x"}`, "USER_NOTEXIST"},
		{"an operator who is no member", `{` + id + `,"opUser":"test5","title":"x"}`, "NORIGHT"},
		{"no operator", `{` + id + `,"title":"x"}`, "INVALID_REQUEST_5"},
		{"no id", `{"opUser":"test1","title":"x"}`, "INVALID_REQUEST_5"},
		{"an unknown id", `{"sessionId":"` + unknownID + `","opUser":"test1","title":"x"}`, "ILLEGAL_ACCESS"},
		{"an id in lower case", `{"sessionId":"` + strings.ToLower(vectorID) + `","opUser":"test1","title":"x"}`, "ILLEGAL_ACCESS"},
		{"a text for a list", `{` + id + `,"opUser":"test1","addMember":"test4"}`, "INVALID_FORMAT_JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWithTrio(t)
			before := w.snapshot()
			o, got := w.post("/cgi/session/update", lastingToken, vectorApp, tt.message)
			if o != "success" {
				got = o
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if (o != "success" || got == trio) && w.snapshot() != before {
				t.Errorf("the state changed: %s", w.snapshot())
			}
			if o == "success" {
				if _, again := w.call(request("GET", "/cgi/session/get?accessToken="+lastingToken+"&sessionId="+vectorID, "")); again != tt.want {
					t.Errorf("GetSession returns %s", again)
				}
			}
		})
	}
}

// TestLimits checks the limits that switches set.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "strict")
	org, body := "0a60a60a60a60a60a60a60a60a60a60a", `{"title":"t","creator":"test1","member":["test1","test2","test3"]}`
	if o, _ := w.create(body); o != "INVALID_APPID" {
		t.Errorf("a custom application: got %s", o)
	}
	post := func(path, message string) string {
		o, _ := w.post(path, org, orgApp, message)
		return o
	}
	if o := post("/cgi/session/create", body); o != "success" {
		t.Errorf("got %s", o)
	}
	id := `{"sessionId":"` + w.idOf("t") + `","opUser":`
	for name, tt := range map[string][2]string{
		"another removes another": {`"test2","delMember":["test3"]}`, "NORIGHT"},
		"another removes itself":  {`"test2","delMember":["test2"]}`, "success"},
		"the owner removes":       {`"test1","delMember":["test3"]}`, "success"},
		"too many":                {`"test1","addMember":["test2","test3","test4","test5","test6","test7","test8","test9","test10","test1"]}`, "success"},
	} {
		if o, _ := w.copy().post("/cgi/session/update", org, orgApp, id+tt[0]); o != tt[1] {
			t.Errorf("%s: got %s, want %s", name, o, tt[1])
		}
	}
	w.set("max_members", "3")
	if o := post("/cgi/session/update", id+`"test1","addMember":["test4"]}`); o != "INVALID_REQUEST_5" {
		t.Errorf("a fourth of three: got %s", o)
	}
	if o := post("/cgi/session/create", `{"title":"t","creator":"test1","member":["test2","test3","test4"]}`); o != "INVALID_REQUEST_5" {
		t.Errorf("four of three: got %s", o)
	}
	for message, want := range map[string]string{"1699999700": "success", "1699999699": "INVALID_REQUEST_100003", "1700000301": "INVALID_REQUEST_100003", "": "INVALID_REQUEST_100003", "+1700000000": "INVALID_REQUEST_100003", "99999999999999999999": "INVALID_REQUEST_100003"} {
		if o, _ := w.post("/cgi/gettoken", "", vectorApp, message); o != want {
			t.Errorf("the time %q: got %s, want %s", message, o, want)
		}
	}
}

// idOf finds a session by its title.
func (w *testWorld) idOf(title string) (found string) {
	w.t.Helper()
	w.withState(func(st *state) {
		for id, s := range st.Sessions {
			if s.Title == title {
				found = id
			}
		}
	})
	if found == "" {
		w.t.Fatalf("there is no session %s", title)
	}
	return found
}

// TestSend checks SendMessage.
func TestSend(t *testing.T) {
	t.Parallel()
	to, text := `"sessionId":"`+vectorID+`"`, `"msgType":"text","text":{"content":"hi"}`
	tests := []struct{ name, message, want string }{
		{"a text", `{` + to + `,"sender":"test1",` + text + `}`, "success"},
		{"an image", `{` + to + `,"sender":"test2","msgType":"image","image":{"media_id":"` + exampleMedia + `"}}`, "success"},
		{"a file with all", `{` + to + `,"sender":"test2","msgType":"file","file":{"media_id":"` + exampleMedia + `","name":"x","size":5}}`, "success"},
		{"a voice message", `{` + to + `,"sender":"test2","msgType":"voice","voice":{"media_id":"` + exampleMedia + `"}}`, "success"},
		{"a video", `{` + to + `,"sender":"test2","msgType":"video","video":{"media_id":"` + exampleMedia + `"}}`, "success"},
		{"to one person", `{"receiver":"test9","sender":"test1",` + text + `}`, "success"},
		{"to both: sessionId decides", `{` + to + `,"receiver":"ghost","sender":"test1",` + text + `}`, "success"},
		{"a null receiver", `{` + to + `,"receiver":null,"sender":"test1",` + text + `}`, "success"},
		{"to no receiver", `{"sender":"test1",` + text + `}`, "INVALID_REQUEST_5"},
		{"to null", `{"sessionId":null,"receiver":null,"sender":"test1",` + text + `}`, "INVALID_REQUEST_5"},
		{"an unknown session", `{"sessionId":"` + unknownID + `","sender":"test1",` + text + `}`, "ILLEGAL_ACCESS"},
		{"an unknown receiver", `{"receiver":"ghost","sender":"test1",` + text + `}`, "INVALID_TOUSER"},
		{"an unknown sender", `{` + to + `,"sender":"ghost",` + text + `}`, "USER_NOTEXIST"},
		{"a sender who is no member", `{` + to + `,"sender":"test7",` + text + `}`, "NORIGHT"},
		{"no sender", `{` + to + `,` + text + `}`, "INVALID_REQUEST_5"},
		{"no type", `{` + to + `,"sender":"test1","text":{"content":"hi"}}`, "INVALID_REQUEST_5"},
		{"a type of app messages", `{` + to + `,"sender":"test1","msgType":"link","link":{"url":"u"}}`, "INVALID_REQUEST_5"},
		{"a system message", `{` + to + `,"sender":"test1","msgType":"sysMsg","sysMsg":{}}`, "INVALID_REQUEST_5"},
		{"another object than the type", `{` + to + `,"sender":"test1","msgType":"image","text":{"content":"hi"}}`, "INVALID_REQUEST_5"},
		{"no content", `{` + to + `,"sender":"test1","msgType":"text","text":{}}`, "INVALID_REQUEST_5"},
		{"mediaId for media_id", `{` + to + `,"sender":"test1","msgType":"image","image":{"mediaId":"` + exampleMedia + `"}}`, "INVALID_REQUEST_5"},
		{"an unknown file", `{` + to + `,"sender":"test1","msgType":"image","image":{"media_id":"none"}}`, "FILE_NOTEXIST"},
		{"a text for an object", `{` + to + `,"sender":"test1","msgType":"text","text":"hi"}`, "INVALID_FORMAT_JSON"},
		{"a number for a content", `{` + to + `,"sender":"test1","msgType":"text","text":{"content":1}}`, "INVALID_FORMAT_JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "default")
			before := w.snapshot()
			w.later(time.Minute)
			_, answer := w.serve(request("POST", "/cgi/session/send?accessToken="+lastingToken, sealed(t, vectorApp, tt.message)))
			if tt.want == "success" {
				if answer.Body.String() != `{"errcode":0,"errmsg":"ok"}` {
					t.Errorf("got %s", answer.Body)
				}
				return
			}
			if want := fmt.Sprintf(`{"errcode":%d,"errmsg":"%s"}`, errcodes[tt.want], documentedError(tt.want).Message); answer.Body.String() != want || w.snapshot() != before {
				t.Errorf("got %s, want %s", answer.Body, want)
			}
		})
	}
}

// The message ids of a session begin with the second of its creation. A message
// changes activeTime, and not the version.
func TestMessagesCount(t *testing.T) {
	t.Parallel()
	w := newWorldWithTrio(t)
	for i := range 3 {
		w.later(time.Minute)
		w.post("/cgi/session/send", lastingToken, vectorApp, `{"sessionId":"`+vectorID+`","sender":"test1","msgType":"text","text":{"content":"hi"}}`)
		_, returned := w.call(request("GET", "/cgi/session/get?accessToken="+lastingToken+"&sessionId="+vectorID, ""))
		want := strings.Replace(trio, `"lastMsgId":0,"activeTime":1700000000`, fmt.Sprintf(`"lastMsgId":%d,"activeTime":%d`, 1700000000+i, 1700000060+60*i), 1)
		if returned != want {
			t.Errorf("got %s, want %s", returned, want)
		}
	}
}

// A fixture can give each situation another documented error.
func TestCodesOfSituations(t *testing.T) {
	t.Parallel()
	text := "fixture: f\napi: youdu\napps: [{buin: 14797363, appId: " + vectorApp + ", aesKey: " + vectorKey + "}]\n" +
		"tokens: [{token: " + lastingToken + ", appId: " + vectorApp + "}]\naccounts: [{account: test1}, {account: test2}, {account: test3}]\n"
	w := newWorldOf(t, contract.Verify, text+"codes: [{situation: too_few_members, outcome: GROUP_ACCESS_ERROR}, {situation: account_unknown, outcome: ACCOUNT_NOTEXIST}]\n")
	for message, want := range map[string]string{
		`{"title":"t","creator":"test1","member":["test2"]}`:         "GROUP_ACCESS_ERROR",
		`{"title":"t","creator":"test1","member":["test2","ghost"]}`: "ACCOUNT_NOTEXIST",
		`{"title":"","creator":"test1","member":["test2","test3"]}`:  "INVALID_REQUEST_5",
		`{"title":"t","creator":"test1","member":["test2","test3"]}`: "success",
	} {
		if o, _ := w.create(message); o != want {
			t.Errorf("%s: got %s, want %s", message, o, want)
		}
	}
	seen := map[string]bool{}
	for _, s := range situations {
		if seen[s.name] || s.outcome == nil || !slices.Contains(API.Common, s.outcome) {
			t.Errorf("the situation %s is listed twice or has no documented outcome", s.name)
		}
		seen[s.name] = true
	}
}
