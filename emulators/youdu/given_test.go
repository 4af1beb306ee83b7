package youdu

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// TestGivenDocument walks the page of session management (c01_00008), from which
// this API was begun. Its statements hold with every switch at its default.
func TestGivenDocument(t *testing.T) {
	const good = `{"title":"t","creator":"test1","type":"multi","member":["test1","test2","test3"]}`
	const id = vectorID // a session of the default fixture: test1, test2, test3
	post := func(t *testing.T, path, message string) (string, map[string]any) {
		t.Helper()
		return replyOf(t, newWorld(t, "default"), path, message)
	}
	// create compares the outcome of the good call with one text replaced.
	create := func(want, from string, to ...string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			for _, other := range to {
				message := strings.Replace(good, from, other, 1)
				if got, _ := post(t, "/cgi/session/create", message); got != want || message == good {
					t.Errorf("%s: got %s, want %s", message, got, want)
				}
			}
		}
	}
	update := func(want, message string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if got, _ := post(t, "/cgi/session/update", message); got != want {
				t.Errorf("%s: got %s, want %s", message, got, want)
			}
		}
	}
	// session holds what a call returns against the documented members.
	session := func(t *testing.T, outcome string, returned map[string]any, title, member string) {
		t.Helper()
		var members []string
		list, _ := returned["member"].([]any)
		for _, m := range list {
			members = append(members, m.(string))
		}
		version, isNumber := returned["version"].(json.Number)
		_, err := version.Int64()
		if sid, _ := returned["sessionId"].(string); outcome != "success" || sid == "" || returned["title"] != title || returned["owner"] != "test1" ||
			returned["type"] != "multi" || !isNumber || err != nil || strings.Join(members, " ") != member {
			t.Errorf("got %s %v", outcome, returned)
		}
	}
	conformance.Document(t, []conformance.Statement{
		{Says: "通用参数请参阅全局说明", Chosen: "the envelope and the token of that page: without a token the call is refused", Holds: func(t *testing.T) {
			if got, _ := newWorld(t, "default").call(request("POST", "/cgi/session/create", sealed(t, vectorApp, good))); got != "MISS_ACCESSTOKEN" {
				t.Errorf("got %s", got)
			}
		}},
		{Says: "POST /cgi/session/create?accessToken", Holds: func(t *testing.T) {
			if got, _ := post(t, "/cgi/session/create", good); got != "success" {
				t.Errorf("got %s", got)
			}
			if got, _ := newWorld(t, "default").call(request("GET", "/cgi/session/create?accessToken="+lastingToken, "")); got == "success" {
				t.Error("GET was taken")
			}
		}},
		{Says: "[SERVER:7080]", Chosen: "the port is the operator's; the paths do not depend on it", Holds: create("success", `"t"`, `"u"`)},
		{Says: "单人会话不需要创建", Holds: func(t *testing.T) {
			if got, _ := post(t, "/cgi/session/send", `{"sender":"test1","receiver":"test2","msgType":"text","text":{"content":"hi"}}`); got != "success" {
				t.Errorf("got %s", got)
			}
		}},
		{Says: "title 是 会话标题", Chosen: "the page prints no errors of sessions: the code 5 (the fixture's codes)", Holds: create("INVALID_REQUEST_5", `"title":"t",`, "", `"title":"",`)},
		{Says: "title 最多允许64个字符", Chosen: "characters, not bytes, as other pages of the service say", Holds: func(t *testing.T) {
			create("success", `"t"`, `"`+strings.Repeat("度", 64)+`"`)(t)
			create("INVALID_REQUEST_5", `"t"`, `"`+strings.Repeat("度", 65)+`"`)(t)
		}},
		{Says: "creator 是 会话创建者账号", Holds: create("INVALID_REQUEST_5", `"creator":"test1",`, "")},
		{Says: "creator 最多允许64个字符", Holds: create("OVERLIMIT_USERID", `"creator":"test1"`, `"creator":"`+strings.Repeat("a", 65)+`"`)},
		{Says: "type 否 仅支持多人会话(multi)", Holds: func(t *testing.T) {
			create("success", `"type":"multi",`, "", `"type":null,`)(t)
			create("INVALID_REQUEST_5", `"multi"`, `"single"`)(t)
		}},
		{Says: "member 是 会话成员账号列表", Holds: create("INVALID_REQUEST_5", `,"member":["test1","test2","test3"]`, "", `,"member":[]`)},
		{Says: "member 包括创建者", Chosen: "a list without the creator is taken, and the creator added: a sample of the vendor's own Java library leaves it out", Holds: func(t *testing.T) {
			got, returned := post(t, "/cgi/session/create", strings.Replace(good, `"test1","test2"`, `"test2"`, 1))
			session(t, got, returned, "t", "test1 test2 test3")
		}},
		{Says: "多人会话的成员数必须在3人及以上", Holds: create("INVALID_REQUEST_5", `,"test3"`, "")},
		{Says: "create 返回结果 sessionId title owner version type member", Holds: func(t *testing.T) {
			got, returned := post(t, "/cgi/session/create", good)
			session(t, got, returned, "t", "test1 test2 test3")
		}},
		{Says: "create 结果说明: creator 会话创建者账号", Chosen: "the JSON above it has owner, and so has every client library: owner", Holds: func(t *testing.T) {
			if _, returned := post(t, "/cgi/session/create", good); returned["creator"] != nil || returned["owner"] != "test1" {
				t.Errorf("got %v", returned)
			}
		}},
		{Says: "返回结果 has no lastMsgId and no activeTime", Chosen: "both are returned besides: the vendor's C# library fails without them", Holds: func(t *testing.T) {
			if _, returned := post(t, "/cgi/session/create", good); returned["lastMsgId"] != json.Number("0") || returned["activeTime"] == nil || len(returned) != 8 {
				t.Errorf("got %v", returned)
			}
		}},
		{Says: "version 会话版本号，64位整型", Chosen: "1 at first, and one more with each change, which no page says", Holds: func(t *testing.T) {
			w := newWorld(t, "default")
			_, first := replyOf(t, w, "/cgi/session/update", `{"sessionId":"`+id+`","opUser":"test1","title":"a"}`)
			_, second := replyOf(t, w, "/cgi/session/update", `{"sessionId":"`+id+`","opUser":"test1","title":"b"}`)
			if first["version"] != json.Number("2") || second["version"] != json.Number("3") {
				t.Errorf("got %v, %v", first, second)
			}
		}},

		{Says: "GET /cgi/session/get?accessToken&sessionId", Holds: func(t *testing.T) {
			got, text := newWorld(t, "default").call(request("GET", vectorGet, ""))
			session(t, got, object(t, text), "测试创建会话", "test1 test2 test3")
		}},
		{Says: "get: sessionId 是", Holds: func(t *testing.T) {
			w := newWorld(t, "default")
			missing, _ := w.call(request("GET", "/cgi/session/get?accessToken="+lastingToken, ""))
			unknown, _ := w.call(request("GET", "/cgi/session/get?accessToken="+lastingToken+"&sessionId=%7B0%7D", ""))
			if missing != "INVALID_REQUEST_5" || unknown != "ILLEGAL_ACCESS" {
				t.Errorf("got %s, %s", missing, unknown)
			}
		}},
		{Says: "get 结果说明: owner 会话创建者", Holds: func(t *testing.T) {
			_, text := newWorld(t, "default").call(request("GET", vectorGet, ""))
			if got := object(t, text)["owner"]; got != "test1" {
				t.Errorf("got %v", got)
			}
		}},

		{Says: "POST /cgi/session/update?accessToken", Holds: func(t *testing.T) {
			got, returned := post(t, "/cgi/session/update", `{"sessionId":"`+id+`","opUser":"test1","title":"n","addMember":["test4","test5"],"delMember":["test2","test3"]}`)
			session(t, got, returned, "n", "test1 test4 test5")
		}},
		{Says: "update: sessionId 是", Holds: update("INVALID_REQUEST_5", `{"opUser":"test1","title":"n"}`)},
		{Says: "update: opUser 是 操作者账号", Chosen: "a member of the session; the page does not say who may", Holds: func(t *testing.T) {
			update("INVALID_REQUEST_5", `{"sessionId":"`+id+`","title":"n"}`)(t)
			update("NORIGHT", `{"sessionId":"`+id+`","opUser":"test9","title":"n"}`)(t)
		}},
		{Says: "update: title 否", Holds: update("success", `{"sessionId":"`+id+`","opUser":"test1","addMember":["test4"]}`)},
		{Says: "addMember 否 新增会话成员账号列表", Holds: update("success", `{"sessionId":"`+id+`","opUser":"test1","delMember":["test3"]}`)},
		{Says: "delMember 否 删除会话成员账号列表", Holds: update("success", `{"sessionId":"`+id+`","opUser":"test1","title":"n"}`)},
		{Says: "update 结果说明: creator 会话创建者", Chosen: "owner, as in the JSON above it", Holds: func(t *testing.T) {
			if _, returned := post(t, "/cgi/session/update", `{"sessionId":"`+id+`","opUser":"test1","title":"n"}`); returned["creator"] != nil || returned["owner"] != "test1" {
				t.Errorf("got %v", returned)
			}
		}},
		{Says: "version 64位整型 beyond doubles", Holds: func(t *testing.T) {
			w := newWorld(t, "default")
			w.restore(strings.Replace(w.snapshot(), `"version":1`, `"version":9007199254740992`, -1))
			if _, returned := replyOf(t, w, "/cgi/session/update", `{"sessionId":"`+id+`","opUser":"test1","title":"n"}`); returned["version"] != json.Number("9007199254740993") {
				t.Errorf("got %v", returned)
			}
		}},
		{Says: "errcode 0 and errmsg ok around each answer", Holds: func(t *testing.T) {
			_, answer := newWorld(t, "default").serve(request("GET", vectorGet, ""))
			if got := answer.Body.String(); answer.Code != 200 || !strings.HasPrefix(got, `{"errcode":0,"errmsg":"ok","encrypt":"`) {
				t.Errorf("got %d %s", answer.Code, got)
			}
		}},
	})
	for _, op := range []string{"CreateSession", "GetSession", "UpdateSession"} {
		for _, p := range API.Operation(op).Params {
			if p.Name != "accessToken" && p.Cite != citeSession {
				t.Errorf("%s: %s cites %s", op, p.Name, p.Cite)
			}
		}
	}
	if !slices.Contains(API.Operation("CreateSession").Aliases, "/v3/api/jgapp/session/create") {
		t.Error("the proxy's path of CreateSession is not an alias")
	}
}

// replyOf sends a message, and returns the outcome and the decrypted answer.
func replyOf(t *testing.T, w *testWorld, path, message string) (outcome string, returned map[string]any) {
	t.Helper()
	outcome, text := w.post(path, lastingToken, vectorApp, message)
	if text == "" {
		return outcome, nil
	}
	return outcome, object(t, text)
}

// object reads a JSON object whose numbers stay as they are written.
func object(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("got %s: %v", text, err)
	}
	return v
}
