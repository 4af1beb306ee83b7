package youdu

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

const vectorGet = "/cgi/session/get?accessToken=" + lastingToken + "&sessionId=%7B8AD595F3-73B3-4B56-90AF-F336F9222FC5%7D"

// TestRoutes checks paths and methods, which the service checks before the token.
func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "default")
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
		e, answer := w.serve(request(tt.method, tt.target, ""))
		if e.Outcome != tt.want || answer.Code != tt.status || e.Status != tt.status {
			t.Errorf("%s %s: got %s with %d, want %s with %d", tt.method, tt.target, e.Outcome, answer.Code, tt.want, tt.status)
		}
		if got := answer.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("got Content-Type %s", got)
		}
	}
}

// TestHeaders sends a good body with the headers that libraries send.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "bare")
	for name, headers := range map[string][]string{
		"none":                nil,
		"a charset as coding": {"Content-Type", "application/json; charset=UTF-8", "Content-Encoding", "UTF-8"},
		"a form's type":       {"Content-Type", "application/x-www-form-urlencoded"},
		"nonsense":            {"Content-Type", "/;;="},
	} {
		if o, _ := w.call(request("POST", "/cgi/session/create?accessToken="+lastingToken, sealed(t, vectorApp, goodCall), headers...)); o != "success" {
			t.Errorf("%s: got %s", name, o)
		}
	}
}

// TestTokens checks that each call issues another token, that the earlier ones
// stay valid, and that a token expires after 7200 seconds.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "default")
	get := func(token string) string {
		o, _ := w.call(request("GET", strings.Replace(vectorGet, lastingToken, token, 1), ""))
		return o
	}
	token := func() string {
		o, returned := w.post("/cgi/gettoken", "", vectorApp, "1700000000")
		var r tokenReply
		if err := json.Unmarshal([]byte(returned), &r); err != nil || o != "success" || r.ExpireIn != 7200 || !isToken(r.AccessToken) {
			t.Fatalf("got %s %s: %v", o, returned, err)
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
	if err := w.Trigger(w.t, "expire", contract.Values{"what": "token", "id": second}); err != nil || get(second) != "ACCESSTOKEN_EXPIRED" {
		t.Errorf("got %v, %s", err, get(second))
	}
	if get(lastingToken) != "success" {
		t.Errorf("the fixture's: got %s", get(lastingToken))
	}
	if err := w.Trigger(w.t, "expire", contract.Values{"what": "token", "id": vectorApp}); err != nil || get(lastingToken) != "ACCESSTOKEN_EXPIRED" {
		t.Errorf("got %v, %s", err, get(lastingToken))
	}
	if err := w.Trigger(w.t, "expire", contract.Values{"what": "token", "id": "nobody"}); err == nil {
		t.Error("the trigger took an id that is unknown")
	}
}

// The tokens of one application are limited in number. Expired ones are dropped
// first, then the oldest. Those of other applications stay.
func TestTokensGiveWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "default")
	w.later(-time.Hour)                                  // the sandbox's clock can be set back
	if _, err := w.Registry.Get("another"); err != nil { // the directory is empty while there is one sandbox
		t.Fatal(err)
	}
	take := func() string {
		o, returned := w.post("/cgi/gettoken", "", vectorApp, "1")
		var r tokenReply
		if err := json.Unmarshal([]byte(returned), &r); err != nil || o != "success" {
			t.Fatalf("got %s %s: %v", o, returned, err)
		}
		return r.AccessToken
	}
	forgotten := func(tokens ...string) (all []string) {
		w.withState(func(st *state) {
			for _, text := range tokens {
				found := cmp.Or(w.Registry.ByIdentifier(API, func() []string { return []string{text} })) != nil
				if found != (st.Tokens[text] != nil) {
					t.Errorf("%s: the directory knows it: %t, the state: %t", text, found, !found)
				}
				if !found {
					all = append(all, text)
				}
			}
		})
		return all
	}
	issued := make([]string, maxTokens-1) // beside the one of the fixture
	for i := range issued {
		issued[i] = take()
	}
	first, second := issued[0], issued[1]
	w.withState(func(st *state) {
		if n := st.tokensOf(appKey{vectorBuin, vectorApp}).Len(); n != maxTokens {
			t.Fatalf("got %d tokens", n)
		}
	})
	if got := forgotten(issued...); len(got) != 0 {
		t.Fatalf("got %v forgotten", got)
	}
	if err := w.Trigger(w.t, "expire", contract.Values{"what": "token", "id": second}); err != nil {
		t.Fatal(err)
	}
	issued = append(issued, take())
	if got := forgotten(issued...); len(got) != 1 || got[0] != second {
		t.Errorf("got %s, want the expired one, %s", got, second)
	}
	issued = append(issued, take())
	if got := forgotten(issued...); len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("got %s, want the oldest too, %s", got, first)
	}
	if got := forgotten(lastingToken, "TOKENabc123"); len(got) != 0 {
		t.Errorf("tokens that never expire were dropped: %s", got)
	}
}

// TestAuth checks what is verified of a caller in each mode.
func TestAuth(t *testing.T) {
	t.Parallel()
	otherTail := body(string(newApp(t, "other").seal(nil, [prefixSize]byte{}, []byte(goodCall))))
	tests := []struct {
		name, target, body string
		want               map[contract.Auth]string
	}{
		{"all in order", "?accessToken=" + lastingToken, sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "success", "presence": "success", "off": "success"}},
		{"no token", "", sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "MISS_ACCESSTOKEN", "presence": "MISS_ACCESSTOKEN", "off": "success"}},
		{"an unknown token", "?accessToken=x", sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "ACCESSTOKEN_NOTEXIST", "presence": "success", "off": "success"}},
		{"a token of another application", "?accessToken=TOKENabc123", sealed(t, vectorApp, goodCall), map[contract.Auth]string{"verify": "INVALID_APPID", "presence": "success", "off": "success"}},
		{"an unknown buin", "?accessToken=" + lastingToken, strings.Replace(sealed(t, vectorApp, goodCall), "14797363", "1", 1), map[contract.Auth]string{"verify": "INVALID_BUIN", "presence": "success", "off": "success"}},
		{"a mistyped buin", "?accessToken=" + lastingToken, strings.Replace(sealed(t, vectorApp, goodCall), "14797363", `"1"`, 1), map[contract.Auth]string{"verify": "INVALID_FORMAT_BUIN", "presence": "INVALID_FORMAT_BUIN", "off": "success"}},
		{"the tail of another application", "?accessToken=" + lastingToken, otherTail, map[contract.Auth]string{"verify": "INVALID_ENCRYPT", "presence": "success", "off": "success"}},
		{"garbage", "?accessToken=" + lastingToken, body("AAAA"), map[contract.Auth]string{"verify": "INVALID_ENCRYPT", "presence": "INVALID_ENCRYPT", "off": "INVALID_ENCRYPT"}},
		{"the JSON alone", "?accessToken=" + lastingToken, goodCall, map[contract.Auth]string{"verify": "MISS_BUIN", "presence": "MISS_BUIN", "off": "success"}},
		{"no JSON", "?accessToken=" + lastingToken, "x", map[contract.Auth]string{"verify": "INVALID_FORMAT_JSON", "presence": "INVALID_FORMAT_JSON", "off": "INVALID_FORMAT_JSON"}},
		{"nothing", "?accessToken=" + lastingToken, "", map[contract.Auth]string{"verify": "INVALID_FORMAT_JSON", "presence": "INVALID_FORMAT_JSON", "off": "INVALID_REQUEST_5"}},
	}
	for _, tt := range tests {
		for mode, want := range tt.want {
			w := newWorldWith(t, conformance.Setting{Fixture: "bare", Auth: mode})
			if e, answer := w.serve(request("POST", "/cgi/session/create"+tt.target, tt.body)); e.Outcome != want {
				t.Errorf("%s, %s: got %s, want %s", tt.name, mode, answer.Body, want)
			}
		}
	}
}

// TestPlain checks the switch plain, and auth off: the JSON itself replaces the
// encrypted text.
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
		w := newWorld(t, "plain")
		w.removeSession(vectorID)
		_, answer := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, b))
		if got := w.asVectorID(answer.Body.String()); got != want {
			t.Errorf("plain, %s: got %s, want %s", name, got, want)
		}
		if _, answer := w.serve(request("GET", vectorGet, "")); answer.Body.String() != want {
			t.Errorf("plain, GET: got %s", answer.Body)
		}
		w = newWorldWith(t, conformance.Setting{Fixture: "bare", Auth: contract.Off})
		_, answer = w.serve(request("POST", "/cgi/session/create", b))
		got, wanted := answer.Body.String(), want
		if name == "encrypted" {
			got, wanted = unsealed(t, answer.Body.Bytes()), strings.Replace(trio, "trio", "t", 1)
		}
		if got = w.asVectorID(got); got != wanted {
			t.Errorf("off, %s: got %s, want %s", name, got, wanted)
		}
		if _, answer := w.serve(request("GET", strings.Replace(vectorGet, lastingToken, "", 1), "")); answer.Body.String() != want {
			t.Errorf("off, GET without a token: got %s", answer.Body)
		}
		if _, answer := w.serve(request("GET", vectorGet, "")); opened(t, answer.Body.Bytes()) == "" {
			t.Errorf("off, GET with a token: got %s, want an encrypted answer", answer.Body)
		}
	}
	w := newWorld(t, "plain")
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
		if e, answer := w.serve(request("POST", "/cgi/session/create?accessToken="+lastingToken, b)); e.Outcome != want {
			t.Errorf("%s: got %s, want %s", b, answer.Body, want)
		}
	}
	for _, message := range []string{`"1700000000"`, `1700000000`, `{"x":1}`} {
		if e, answer := w.serve(request("POST", "/cgi/gettoken", head+`,"encrypt":`+message+`}`)); e.Outcome != tokenIssued.Name || !strings.Contains(answer.Body.String(), `"encrypt":{"accessToken":"`) {
			t.Errorf("gettoken, %s: got %s", message, answer.Body)
		}
	}
	if e, _ := w.serve(request("POST", "/cgi/gettoken", `{}`)); e.Outcome != missBuin.Name {
		t.Errorf("gettoken without a buin: got %s", e.Outcome)
	}
}

// unsealed is what an encrypted answer returns to the application of the
// vectors; "" where the answer is not encrypted for it.
func unsealed(t testing.TB, answer []byte) string {
	t.Helper()
	var envelope struct{ Encrypt string }
	if json.Unmarshal(answer, &envelope) != nil {
		return ""
	}
	message, _ := newApp(t, vectorApp).open("encrypt", envelope.Encrypt, true)
	return string(message)
}

// With auth off, a token that was requested without encryption gets answers
// without encryption.
func TestPlainTokenOfAuthOff(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, conformance.Setting{Auth: contract.Off})
	_, answer := w.serve(request("POST", "/cgi/gettoken", `{}`))
	var envelope struct{ Encrypt tokenReply }
	if err := json.Unmarshal(answer.Body.Bytes(), &envelope); err != nil || envelope.Encrypt.AccessToken == "" {
		t.Fatalf("got %s: %v", answer.Body, err)
	}
	_, answer = w.serve(request("GET", strings.Replace(vectorGet, lastingToken, envelope.Encrypt.AccessToken, 1), ""))
	if !strings.Contains(answer.Body.String(), `"encrypt":{"sessionId":"`) {
		t.Errorf("got %s", answer.Body)
	}
}

// TestIdentifiers checks by which identifiers a request finds its sandbox.
func TestIdentifiers(t *testing.T) {
	t.Parallel()
	form, err := API.Sign(contract.Draft{
		Operation: uploadMedia, In: contract.Values{"type": "file", "name": "n", "file": "f"},
		Credentials: contract.Values{"buin": "14797363", "appId": vectorApp, "aesKey": vectorKey, "accessToken": "t"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		r    *http.Request
		want string
	}{
		{request("POST", "/cgi/gettoken", sealed(t, vectorApp, "1")), "14797363/" + vectorApp},
		{request("POST", "/cgi/gettoken?accessToken=", `{"BUIN":14797363,"appid":"x"}`), "14797363/x"},
		{request("POST", "/cgi/session/create?accessToken=t", sealed(t, vectorApp, "1")), "t 14797363/" + vectorApp},
		{request("GET", "/cgi/session/get?sessionId=x&accessToken=t", ""), "t"},
		{request("POST", "/cgi/gettoken", "x"), ""},
		{request("POST", "/cgi/gettoken", `{"buin":"14797363","appId":"x"}`), ""},
		{request("POST", "/cgi/gettoken", `{"buin":14797363}`), ""},
		{conformance.HTTP(form), "t 14797363/" + vectorApp},
		{request("POST", "/cgi/media/upload", "x", "Content-Type", "multipart/form-data; boundary=b"), ""},
	}
	for _, tt := range tests {
		if got := strings.Join(API.Identifiers(parsed(t, tt.r)), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.r.RequestURI, got, tt.want)
		}
	}
}

// parsed is r as the gateway hands it over.
func parsed(t testing.TB, r *http.Request) *contract.Request {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	p := &contract.Request{Method: r.Method, Target: r.RequestURI, URL: r.URL, Host: r.Host, Header: r.Header, Body: body}
	for _, op := range API.Operations {
		if op.Path == r.URL.Path || slices.Contains(op.Aliases, r.URL.Path) {
			p.At = append(p.At, op)
		}
	}
	return p
}

// TestApplications checks a disabled application, and one without the right to
// make session calls.
func TestApplications(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, contract.Verify, "fixture: f\napi: youdu\napps:\n"+
		"  - {buin: 1, appId: off, aesKey: "+vectorKey+", disabled: true}\n  - {buin: 1, appId: mail, aesKey: "+vectorKey+", session: false}\n"+
		"tokens: [{token: o, appId: off}, {token: m, appId: mail, lives: 1m}]\nmedia: [{name: n, content: hello}]\n")
	for target, want := range map[string]string{
		"/cgi/session/get?accessToken=o&sessionId=x": "INVALID_APPID",
		"/cgi/session/get?accessToken=m&sessionId=x": "INVALID_APPID",
	} {
		if o, _ := w.call(request("GET", target, "")); o != want {
			t.Errorf("%s: got %s, want %s", target, o, want)
		}
	}
	post := func(path, appID, message string) string {
		o, _ := w.call(request("POST", path, strings.Replace(sealed(t, appID, message), "14797363", "1", 1)))
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

// A success without data has no field encrypt, as the page has it. An error
// never has one.
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
