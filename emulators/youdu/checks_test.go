package youdu

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

const vectorGet = "/cgi/session/get?accessToken=" + lastingToken + "&sessionId=%7B8AD595F3-73B3-4B56-90AF-F336F9222FC5%7D"

// TestRoutes is what stands before the token.
func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	tests := []struct {
		method, target, want string
		status               int
	}{
		{"GET", vectorGet, "success", 200},
		{"GET", strings.Replace(vectorGet, "/cgi/", "/v3/api/jgapp/", 1), "success", 200},
		{"GET", "/cgi/session/get?sessionId={8AD595F3-73B3-4B56-90AF-F336F9222FC5}&accessToken=" + lastingToken, "success", 200},
		{"GET", "/cgi/session/get?%61ccessToken=" + lastingToken + "&session%49d=" + vectorID, "success", 200},
		{"GET", "/cgi/session/get?accessToken=" + lastingToken, "INVALID_REQUEST_5", 200},
		{"GET", "/cgi/session/get?accessToken=" + lastingToken + "&sessionId=", "INVALID_REQUEST_5", 200},
		{"GET", "/cgi/session/get?accessToken=" + lastingToken + "&sessionId=%zz", "ILLEGAL_ACCESS", 200},
		{"GET", "/cgi/session/get?accessToken=", "MISS_ACCESSTOKEN", 200},
		{"GET", "/cgi/session/get", "MISS_ACCESSTOKEN", 200},
		{"GET", "/cgi/session/get?accessToken=x", "ACCESSTOKEN_NOTEXIST", 200},
		{"POST", vectorGet, "INVALID_REQUEST_100003", 200},
		{"HEAD", vectorGet, "INVALID_REQUEST_100003", 200},
		{"GET", "/cgi/session/create?accessToken=" + lastingToken, "INVALID_REQUEST_100003", 200},
		{"GET", "/cgi/gettoken", "INVALID_REQUEST_100003", 200},
		{"PUT", "/cgi/media/upload", "INVALID_REQUEST_100003", 200},
		{"POST", "/cgi/session/delete", "NOT_FOUND", 404},
		{"GET", "/", "NOT_FOUND", 404},
		{"POST", "/cgi/msg/send?accessToken=" + lastingToken, "NOT_FOUND", 404},
	}
	for _, tt := range tests {
		v, answer := w.serve(request(tt.method, tt.target, ""))
		if v.Outcome.Name != tt.want || answer.Status != tt.status {
			t.Errorf("%s %s: got %s with %d, want %s with %d", tt.method, tt.target, v.Outcome.Name, answer.Status, tt.want, tt.status)
		}
		if got := answer.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("got Content-Type %s", got)
		}
	}
}

// TestHeaders sends what libraries send around a good body.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newTown(t, "bare")
	for name, headers := range map[string][]string{
		"none":                nil,
		"a charset as coding": {"Content-Type", "application/json; charset=UTF-8", "Content-Encoding", "UTF-8"},
		"a form's type":       {"Content-Type", "application/x-www-form-urlencoded"},
		"nonsense":            {"Content-Type", "/;;="},
	} {
		if o, _ := w.say(request("POST", "/cgi/session/create?accessToken="+lastingToken, sealed(t, vectorApp, goodCall), headers...)); o != "success" {
			t.Errorf("%s: got %s", name, o)
		}
	}
}

// TestTokens is the life of tokens: each call gives another, the earlier ones
// count on, and end after 7200 seconds.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	get := func(token string) string {
		o, _ := w.say(request("GET", strings.Replace(vectorGet, lastingToken, token, 1), ""))
		return o
	}
	token := func() string {
		o, told := w.post("/cgi/gettoken", "", vectorApp, "1700000000")
		var r tokenReply
		if err := json.Unmarshal([]byte(told), &r); err != nil || o != "success" || r.ExpireIn != 7200 || len(r.AccessToken) != 32 {
			t.Fatalf("got %s %s: %v", o, told, err)
		}
		return r.AccessToken
	}
	first := token()
	w.later(time.Hour)
	second := token()
	if first == second || get(first) != "success" || get(second) != "success" {
		t.Errorf("got %s and %s: %s, %s", first, second, get(first), get(second))
	}
	w.later(time.Hour - time.Second)
	if got := get(first); got != "success" {
		t.Errorf("one second before its end: got %s", got)
	}
	w.later(time.Second)
	if got := get(first) + " " + get(second); got != "ACCESSTOKEN_EXPIRED success" {
		t.Errorf("at the first's end: got %s", got)
	}
	if err := w.trigger("expire", contract.Values{"what": "token", "id": second}); err != nil || get(second) != "ACCESSTOKEN_EXPIRED" {
		t.Errorf("got %v, %s", err, get(second))
	}
	if get(lastingToken) != "success" {
		t.Errorf("the fixture's: got %s", get(lastingToken))
	}
	if err := w.trigger("expire", contract.Values{"what": "token", "id": vectorApp}); err != nil || get(lastingToken) != "ACCESSTOKEN_EXPIRED" {
		t.Errorf("got %v, %s", err, get(lastingToken))
	}
	if err := w.trigger("expire", contract.Values{"what": "token", "id": "nobody"}); err == nil {
		t.Error("nobody's tokens ended")
	}
}

// Tokens of one application are bounded. Those that ended give way first, then
// the oldest; those of other applications stay.
func TestTokensGiveWay(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	w.later(-time.Hour) // the sandbox's clock can be set back
	take := func() string {
		v, _ := w.serve(request("POST", "/cgi/gettoken", sealed(t, vectorApp, "1")))
		if v.Outcome != tokenIssued {
			t.Fatal(v.Outcome.Name)
		}
		return w.issued[len(w.issued)-1]
	}
	w.token = append(w.token, 7, 9, 11) // so that a second throw differs
	first, second := take(), take()
	for i := range maxTokens - 3 {
		w.world.issue(w.last, &token{Token: fmt.Sprint(i), Buin: vectorBuin, AppID: vectorApp})
	}
	if n := w.world.tokensOf(appKey{vectorBuin, vectorApp}).Len(); n != maxTokens || len(w.forgotten) != 0 {
		t.Fatalf("got %d tokens, %v forgotten", n, w.forgotten)
	}
	if err := w.trigger("expire", contract.Values{"what": "token", "id": second}); err != nil {
		t.Fatal(err)
	}
	take()
	take()
	if got := strings.Join(w.forgotten, " "); got != second+" "+first {
		t.Errorf("got %s, want the one that ended, %s, and then the oldest, %s", got, second, first)
	}
	if w.world.Tokens[lastingToken] == nil || w.world.Tokens["TOKENabc123"] == nil {
		t.Error("a token that never ends gave way")
	}
}

// TestAuth is what is asked of a caller in each mode.
func TestAuth(t *testing.T) {
	t.Parallel()
	strange := &app{AppID: "other", AESKey: vectorKey}
	strange.block, strange.iv, _ = newCipher(vectorKey)
	foreign := body(string(strange.seal(nil, [prefixSize]byte{}, []byte(goodCall))))
	tests := []struct {
		name, target, body string
		want               map[contract.Auth]string
	}{
		{"all in order", "?accessToken=" + lastingToken, sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "success", "presence": "success", "off": "success"}},
		{"no token", "", sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "MISS_ACCESSTOKEN", "presence": "MISS_ACCESSTOKEN", "off": "success"}},
		{"a strange token", "?accessToken=x", sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "ACCESSTOKEN_NOTEXIST", "presence": "success", "off": "success"}},
		{"another's token", "?accessToken=TOKENabc123", sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "INVALID_APPID", "presence": "success", "off": "success"}},
		{"a strange buin", "?accessToken=" + lastingToken, strings.Replace(sealed(t, vectorApp, goodCall), "14797363", "1", 1), map[contract.Auth]string{"verify": "INVALID_BUIN", "presence": "success", "off": "success"}},
		{"a mistyped buin", "?accessToken=" + lastingToken, strings.Replace(sealed(t, vectorApp, goodCall), "14797363", `"1"`, 1), map[contract.Auth]string{"verify": "INVALID_FORMAT_BUIN", "presence": "INVALID_FORMAT_BUIN", "off": "success"}},
		{"a strange tail", "?accessToken=" + lastingToken, foreign, map[contract.Auth]string{"verify": "INVALID_ENCRYPT", "presence": "success", "off": "success"}},
		{"garbage", "?accessToken=" + lastingToken, body("AAAA"), map[contract.Auth]string{"verify": "INVALID_ENCRYPT", "presence": "INVALID_ENCRYPT", "off": "INVALID_ENCRYPT"}},
		{"the JSON alone", "?accessToken=" + lastingToken, goodCall, map[contract.Auth]string{"verify": "MISS_BUIN", "presence": "MISS_BUIN", "off": "success"}},
		{"no JSON", "?accessToken=" + lastingToken, "x", map[contract.Auth]string{"verify": "INVALID_FORMAT_JSON", "presence": "INVALID_FORMAT_JSON", "off": "INVALID_FORMAT_JSON"}},
		{"nothing", "?accessToken=" + lastingToken, "", map[contract.Auth]string{"verify": "INVALID_FORMAT_JSON", "presence": "INVALID_FORMAT_JSON", "off": "INVALID_REQUEST_5"}},
	}
	for _, tt := range tests {
		for mode, want := range tt.want {
			w := newTown(t, "bare")
			w.auth = mode
			if v, answer := w.serve(request("POST", "/cgi/session/create"+tt.target, tt.body)); v.Outcome.Name != want {
				t.Errorf("%s, %s: got %s, want %s", tt.name, mode, answer.Body, want)
			}
		}
	}
}

// TestPlain is the switch plain, and auth off: the JSON itself stands where it
// would be encrypted.
func TestPlain(t *testing.T) {
	t.Parallel()
	head := fmt.Sprintf(`{"buin":%d,"appId":"%s"`, vectorBuin, vectorApp)
	quoted, _ := json.Marshal(goodCall)
	bodies := map[string]string{
		"the JSON alone":        goodCall,
		"an object in encrypt":  head + `,"encrypt":` + goodCall + `}`,
		"a text in encrypt":     head + `,"encrypt":` + string(quoted) + `}`,
		"beside buin and appId": head + `,` + goodCall[1:],
		"encrypted":             sealed(t, vectorApp, goodCall),
	}
	want := `{"errcode":0,"errmsg":"ok","encrypt":` + strings.Replace(trio, "trio", "t", 1) + `}`
	for name, b := range bodies {
		w := newTown(t, "plain")
		clear(w.world.Sessions)
		if _, answer := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, b)); string(answer.Body) != want {
			t.Errorf("plain, %s: got %s, want %s", name, answer.Body, want)
		}
		if _, answer := w.serve(request("GET", vectorGet, "")); string(answer.Body) != want {
			t.Errorf("plain, GET: got %s", answer.Body)
		}
		w = newTown(t, "bare")
		w.auth = contract.Off
		_, answer := w.serve(request("POST", "/cgi/session/create", b))
		if encrypted := name == "encrypted"; encrypted != (unsealed(answer) == strings.Replace(trio, "trio", "t", 1)) || !encrypted && string(answer.Body) != want {
			t.Errorf("off, %s: got %s", name, answer.Body)
		}
		if _, answer := w.serve(request("GET", strings.Replace(vectorGet, lastingToken, "", 1), "")); string(answer.Body) != want {
			t.Errorf("off, GET without a token: got %s", answer.Body)
		}
		if _, answer := w.serve(request("GET", vectorGet, "")); opened(t, answer) == "" {
			t.Errorf("off, GET with a token: got %s, want an encrypted answer", answer.Body)
		}
	}
	w := newTown(t, "plain")
	for b, want := range map[string]string{
		goodCall[:9]:                   "INVALID_FORMAT_JSON",
		`{"title":5}`:                  "INVALID_FORMAT_JSON",
		`{"title":"t"}`:                "INVALID_REQUEST_5",
		``:                             "INVALID_REQUEST_5",
		head + `,"encrypt":"{"}`:       "INVALID_FORMAT_JSON",
		head + `,"encrypt":[]}`:        "INVALID_FORMAT_ENCRYPT",
		head + `,"encrypt":"AAAA"}`:    "INVALID_ENCRYPT",
		`{"buin":1,"appId":"x","a":1}`: "INVALID_BUIN",
	} {
		if v, answer := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, b)); v.Outcome.Name != want {
			t.Errorf("%s: got %s, want %s", b, answer.Body, want)
		}
	}
	for _, message := range []string{`"1700000000"`, `1700000000`, `{"x":1}`} {
		if v, answer := w.serve(request("POST", "/cgi/gettoken", head+`,"encrypt":`+message+`}`)); v.Outcome != tokenIssued || !strings.Contains(string(answer.Body), `"encrypt":{"accessToken":"`) {
			t.Errorf("gettoken, %s: got %s", message, answer.Body)
		}
	}
	if v, _ := w.serve(request("POST", "/cgi/gettoken", `{}`)); v.Outcome != missBuin {
		t.Errorf("gettoken of nobody: got %s", v.Outcome.Name)
	}
}

// unsealed is what an answer returned where it is encrypted, and "" where not.
func unsealed(answer contract.Response) string {
	var said struct{ Encrypt string }
	if json.Unmarshal(answer.Body, &said) != nil {
		return ""
	}
	a := &app{AppID: vectorApp}
	a.block, a.iv, _ = newCipher(vectorKey)
	message, _ := a.open("encrypt", said.Encrypt, true)
	return string(message)
}

// A token that was asked for without encryption is answered so.
func TestPlainTokenOfAuthOff(t *testing.T) {
	t.Parallel()
	w := newTown(t, "default")
	w.auth = contract.Off
	_, answer := w.serve(request("POST", "/cgi/gettoken", `{}`))
	var told struct{ Encrypt tokenReply }
	if err := json.Unmarshal(answer.Body, &told); err != nil || told.Encrypt.AccessToken == "" {
		t.Fatalf("got %s: %v", answer.Body, err)
	}
	_, answer = w.serve(request("GET", strings.Replace(vectorGet, lastingToken, told.Encrypt.AccessToken, 1), ""))
	if !strings.Contains(string(answer.Body), `"encrypt":{"sessionId":"`) {
		t.Errorf("got %s", answer.Body)
	}
}

// TestCallers is by which words a request finds its sandbox.
func TestCallers(t *testing.T) {
	t.Parallel()
	form, err := API.Sign(contract.Draft{
		Operation: uploadMedia, In: contract.Values{"type": "file", "name": "n", "file": "f"},
		Credentials: contract.Values{"buin": "14797363", "appId": vectorApp, "aesKey": vectorKey, "accessToken": "t"},
	})
	if err != nil {
		t.Fatal(err)
	}
	form.At = at("/cgi/media/upload")
	tests := []struct {
		r    *contract.Request
		want string
	}{
		{request("POST", "/cgi/gettoken", sealed(t, vectorApp, "1")), "14797363/" + vectorApp},
		{request("POST", "/cgi/gettoken?accessToken=", `{"BUIN":14797363,"appid":"x"}`), "14797363/x"},
		{request("POST", "/cgi/session/create?accessToken=t", sealed(t, vectorApp, "1")), "t 14797363/" + vectorApp},
		{request("GET", "/cgi/session/get?sessionId=x&accessToken=t", ""), "t"},
		{request("POST", "/cgi/gettoken", "x"), ""},
		{request("POST", "/cgi/gettoken", `{"buin":"14797363","appId":"x"}`), ""},
		{request("POST", "/cgi/gettoken", `{"buin":14797363}`), ""},
		{form, "t 14797363/" + vectorApp},
		{request("POST", "/cgi/media/upload", "x", "Content-Type", "multipart/form-data; boundary=b"), ""},
	}
	for _, tt := range tests {
		if got := strings.Join(API.Identifiers(tt.r), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.r.Target, got, tt.want)
		}
	}
}

// A disabled application, and one without the right to sessions.
func TestApplications(t *testing.T) {
	t.Parallel()
	w := townOf(t, "fixture: f\napi: youdu\napps:\n"+
		"  - {buin: 1, appId: off, aesKey: "+vectorKey+", disabled: true}\n  - {buin: 1, appId: mail, aesKey: "+vectorKey+", session: false}\n"+
		"tokens: [{token: o, appId: off}, {token: m, appId: mail, lives: 1m}]\nmedia: [{name: n, content: hello}]\n")
	for target, want := range map[string]string{
		"/cgi/session/get?accessToken=o&sessionId=x": "INVALID_APPID",
		"/cgi/session/get?accessToken=m&sessionId=x": "INVALID_APPID",
	} {
		if o, _ := w.say(request("GET", target, "")); o != want {
			t.Errorf("%s: got %s, want %s", target, o, want)
		}
	}
	post := func(path, appID, message string) string {
		o, _ := w.say(request("POST", path, strings.Replace(sealed(t, appID, message), "14797363", "1", 1)))
		return o
	}
	if got := post("/cgi/gettoken", "off", "1") + " " + post("/cgi/gettoken", "mail", "1"); got != "INVALID_APPID success" {
		t.Errorf("got %s", got)
	}
	if got := post("/cgi/media/search?accessToken=m", "mail", `{"mediaId":"`+exampleMedia+`"}`); got != "success" {
		t.Errorf("got %s", got)
	}
	w.later(time.Minute)
	if got := post("/cgi/media/search?accessToken=m", "mail", `{"mediaId":"`+exampleMedia+`"}`); got != "ACCESSTOKEN_EXPIRED" {
		t.Errorf("got %s", got)
	}
}

// What the page calls the success of a call without data has no encrypt, and an
// error never has.
func TestAnswersHaveTheDocumentedKeys(t *testing.T) {
	t.Parallel()
	c := &contract.Call{Operation: createSession, Request: &contract.Request{Method: http.MethodPost}, API: API}
	for _, tt := range []struct {
		o          *contract.Outcome
		body, want string
	}{
		{created, "", `{"errcode":0,"errmsg":"ok"}`},
		{created, "{}", `{"errcode":0,"errmsg":"ok"}`},
		{created, `{"a":1}`, `{"errcode":0,"errmsg":"ok","encrypt":{"a":1}}`},
		{noRight, `{"errcode":3,"errmsg":"x"}`, `{"errcode":3,"errmsg":"x"}`},
	} {
		if got := write(c, tt.o.Verdict(), contract.Reply{Body: []byte(tt.body)}); string(got.Body) != tt.want {
			t.Errorf("got %s, want %s", got.Body, tt.want)
		}
	}
	if len(documented) != len(catalogue) {
		t.Errorf("a name stands twice among the %d rows of the catalogue", len(catalogue))
	}
	for name, want := range map[string]string{"INTERNALERR": "-1 异常,未定义的系统错误", "INVALID_FORMAT_BUIN": "100012 企业号字段格式不正确（int）", "NOTEXIST_JOBID": "300311 jobId不存在", "INVALID_FORMAT_GROUPID": "500008 无效的群Id"} {
		if got := fmt.Sprint(errcodes[name], " ", documentedError(name).Message); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
