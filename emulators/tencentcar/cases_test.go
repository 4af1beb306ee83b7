package tencentcar_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// The cases in these tests and the files of testdata are numbered together, C1 to
// C25, so that each documented case is tested in one place.

// A client sends signed calls to a world. Its fixture is one, with a single
// concurrency, unless the setting names another.
type client struct {
	t *testing.T
	w *conformance.World
}

func newClient(t *testing.T, s conformance.Setting) *client {
	t.Helper()
	if s.Fixture == "" {
		s.Fixture = "one"
	}
	return &client{t, conformance.New(t, tencentcar.API, s)}
}

// answer sends a request and returns a short form of the answer: the error's code
// and message, or the fields of the reply without the RequestId. The RequestId has
// to be a UUID.
func (c *client) answer(r *http.Request) string {
	c.t.Helper()
	rec := c.w.Send(r)
	var body struct{ Response map[string]any }
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || rec.Code != 200 {
		c.t.Fatalf("got %d %s, %v", rec.Code, rec.Body, err)
	}
	if types := rec.Header()["Content-Type"]; fmt.Sprint(types) != "[application/json]" || strings.HasSuffix(rec.Body.String(), "\n") {
		c.t.Errorf("got Content-Type %q before %q", types, rec.Body)
	}
	if id, _ := body.Response["RequestId"].(string); !uuid.MatchString(id) {
		c.t.Errorf("got RequestId %q", id)
	}
	delete(body.Response, "RequestId")
	if e, ok := body.Response["Error"].(map[string]any); ok {
		return fmt.Sprintf("%s: %s", e["Code"], e["Message"])
	}
	short, _ := json.Marshal(body.Response)
	return string(short)
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (c *client) request(action string, in contract.Values) *http.Request {
	c.t.Helper()
	return c.w.Request(c.t, c.w.API.Operation(action), in)
}

func (c *client) call(action string, in contract.Values) string {
	c.t.Helper()
	return c.answer(c.request(action, in))
}

// expect makes a call and compares the beginning of its answer.
func (c *client) expect(what, action string, in contract.Values, want string) {
	c.t.Helper()
	if got := c.call(action, in); !strings.HasPrefix(got, want) {
		c.t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func apply(user string) contract.Values {
	return contract.Values{"UserId": user, "UserIp": "125.127.178.228", "ProjectId": "cap-abcdefgh"}
}

func create(user string, more ...any) contract.Values {
	v := contract.Values{"UserId": user, "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}
	for i := 0; i+1 < len(more); i += 2 {
		v[more[i].(string)] = more[i+1]
	}
	return v
}

// sessionPrefix is the beginning of the answer of a CreateSession that succeeds.
const sessionPrefix = `{"ServerSession":"`

// TestLifeCases are C2 to C8 and C20 to C23.
func TestLifeCases(t *testing.T) {
	c := newClient(t, conformance.Setting{})
	c.expect("C4", "CreateSession", create("nobody"), "FailedOperation.LockTimeout: ")
	c.expect("C2", "ApplyConcurrent", apply("cg_user"), `{}`)
	c.expect("C3", "CreateSession", create("cg_user"), sessionPrefix)
	c.expect("C5", "ApplyConcurrent", apply("second"), "ResourceNotFound.NoIdle: ")
	c.expect("C6 applies again", "ApplyConcurrent", apply("cg_user"), `{}`)
	c.expect("C6 creates again", "CreateSession", create("cg_user"), sessionPrefix)
	if dropped, ok := c.w.Last(t).Notes.Get("dropped client"); !ok {
		t.Errorf("C6: the earlier client was not dropped: %v", dropped)
	}
	c.expect("C8", "DescribeConcurrentCount", contract.Values{"ProjectId": "cap-abcdefgh"}, `{"Running":1,"Total":1}`)
	c.expect("C22", "StartPublishStream", contract.Values{"UserId": "nobody"}, "ResourceNotFound.SessionNotFound: ")
	c.expect("C7", "DestroySession", contract.Values{"UserId": "cg_user"}, `{}`)
	c.expect("C7 again", "DestroySession", contract.Values{"UserId": "cg_user"}, `{}`)

	c = newClient(t, conformance.Setting{})
	noClient := contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228"}
	c.expect("C20 applies", "ApplyConcurrent", apply("cg_user"), `{}`)
	c.expect("C21", "CreateSession", noClient, "InvalidParameterValue: ")
	noClient["RunMode"] = "RunWithoutClient"
	c.expect("C20", "CreateSession", noClient, sessionPrefix)
	if err := c.w.Sandbox.Clock.Advance(1000 * time.Hour); err != nil {
		t.Fatal(err)
	}
	c.expect("C20 after any idle time", "DescribeConcurrentCount", contract.Values{"ProjectId": "cap-abcdefgh"}, `{"Running":1,"Total":1}`)

	c = newClient(t, conformance.Setting{})
	c.expect("C23 host applies", "ApplyConcurrent", apply("host"), `{}`)
	c.expect("C23 host", "CreateSession", create("host", "HostUserId", "host", "Role", "Player"), sessionPrefix)
	for i := 2; i <= 8; i++ {
		want := sessionPrefix
		if i == 8 {
			want = "LimitExceeded.Role: "
		}
		c.expect(fmt.Sprint("C23 player ", i), "CreateSession", create(fmt.Sprint("player", i), "HostUserId", "host", "Role", "Player"), want)
	}
	c.expect("C23 viewers are not limited", "CreateSession", create("viewer", "HostUserId", "host", "Role", "Viewer"), sessionPrefix)
}

// TestCompatibleServerSession is C3 with the switch that returns the
// documented constant.
func TestCompatibleServerSession(t *testing.T) {
	c := newClient(t, conformance.Setting{Set: map[string]string{"server_session": "documented"}})
	c.call("ApplyConcurrent", apply("cg_user"))
	c.expect("C3", "CreateSession", create("cg_user"), `{"ServerSession":"eyJ4dHoiOjc4OX0="}`)
}

// TestCheckCases are C1, C9 to C16, C18 and C19.
func TestCheckCases(t *testing.T) {
	stamp := conformance.Noon.Unix()
	flip := func(s string) string {
		last := s[len(s)-1]
		if last == '0' {
			return s[:len(s)-1] + "1"
		}
		return s[:len(s)-1] + "0"
	}
	tests := []struct {
		name   string
		in     contract.Values
		set    map[string]string
		change func(*http.Request) *http.Request
		want   string
	}{
		{
			"C1 bare GET", nil, nil, func(*http.Request) *http.Request {
				r, _ := http.NewRequest("GET", "http://car.tencentcloudapi.com/", nil)
				r.RequestURI = "/"
				return r
			},
			"MissingParameter: The request is missing a required parameter `Timestamp`.",
		},
		{"C9 flipped digit", create("cg_user"), nil, func(r *http.Request) *http.Request {
			r.Header.Set("Authorization", flip(r.Header.Get("Authorization")))
			return r
		}, "AuthFailure.SignatureFailure: The provided credentials could not be validated. Please check your signature is correct."},
		{"C9 in Chinese", create("cg_user"), nil, func(r *http.Request) *http.Request {
			r.Header.Set("Authorization", flip(r.Header.Get("Authorization")))
			r.Header.Set("X-TC-Language", "zh-CN")
			return r
		}, "AuthFailure.SignatureFailure: 请求签名验证失败，请检查您的签名计算是否正确。"},
		{"C10 unknown SecretId", create("cg_user"), nil, replaceSecretID, "AuthFailure.SecretIdNotFound: The SecretId is not found, please ensure that your SecretId is correct."},
		{"C11 stale, before the SecretId is looked up", create("cg_user"), nil, func(r *http.Request) *http.Request {
			r.Header.Set("X-TC-Timestamp", strconv.FormatInt(stamp-301, 10))
			return replaceSecretID(r)
		}, "AuthFailure.SignatureExpire: Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between `Timestamp` and the server time " + strconv.FormatInt(stamp, 10) + "."},
		{
			"C12 unknown action", create("cg_user"), nil, setHeader("X-TC-Action", "CreateSessions"),
			"InvalidAction: The request action=`CreateSessions` is invalid or not found in service=`car` and version=`2022-01-10`.",
		},
		{
			"C13 unknown version", create("cg_user"), nil, setHeader("X-TC-Version", "2021-01-01"),
			"NoSuchVersion: The specified api version=`2021-01-01` does not exist in service=`car`.",
		},
		{"C14 without UserId", contract.Values{"UserIp": "1.2.3.4"}, nil, nil, "MissingParameter: The request is missing a required parameter `UserId`."},
		{"C15 unknown member", create("cg_user", "Foo", "x"), nil, nil, "UnknownParameter: The parameter `Foo` is not recognized."},
		{
			"C16 wrong type",
			contract.Values{"UserId": int64(5), "UserIp": "1.2.3.4"},
			nil, nil,
			"InvalidParameter: The value type of parameter `UserId` is not valid, input type should be `string`",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, conformance.Setting{Set: tt.set})
			r := c.request("CreateSession", tt.in)
			if tt.change != nil {
				r = tt.change(r)
			}
			before, _ := c.w.Instance(t).Snapshot()
			if got := c.answer(r); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if after, _ := c.w.Instance(t).Snapshot(); string(after) != string(before) {
				t.Errorf("the state changed from %s to %s", before, after)
			}
		})
	}
}

func setHeader(name, value string) func(*http.Request) *http.Request {
	return func(r *http.Request) *http.Request {
		r.Header.Set(name, value)
		return r
	}
}

func replaceSecretID(r *http.Request) *http.Request {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "AKIDnobody", 1))
	return r
}

// TestBareGetHasTheObservedLength is C1: the raw capture had 170 bytes.
func TestBareGetHasTheObservedLength(t *testing.T) {
	c := newClient(t, conformance.Setting{})
	r, _ := http.NewRequest("GET", "http://car.tencentcloudapi.com/", nil)
	if rec := c.w.Send(r); rec.Header().Get("Content-Length") != "170" || rec.Body.Len() != 170 {
		t.Errorf("got %s, %s", rec.Header().Get("Content-Length"), rec.Body)
	}
}

// TestRateCase is C17: the 101st CreateSession within a second.
func TestRateCase(t *testing.T) {
	wall := conformance.Noon
	c := newClient(t, conformance.Setting{Wall: func() time.Time { return wall }})
	c.call("ApplyConcurrent", apply("cg_user"))
	for i := range 100 {
		c.expect(fmt.Sprint("call ", i+1), "CreateSession", create("cg_user"), sessionPrefix)
	}
	c.expect("C17", "CreateSession", create("cg_user"),
		"RequestLimitExceeded: Your current request times equals to `101` in a second, which exceeds the frequency limit `100` for a second. Please reduce the frequency of calls.")
	wall = wall.Add(time.Second)
	c.expect("the next second", "CreateSession", create("cg_user"), sessionPrefix)
}

// TestNodeCase is C18: the Node SDK writes the text before the first dot of its
// endpoint into the scope and signs the host without its port. (V7 of TestTC3 is
// its signature for 127.0.0.1:8080.)
func TestNodeCase(t *testing.T) {
	node := func() *http.Request {
		r, _ := http.NewRequest("POST", "http://127.0.0.1:8080/", strings.NewReader(`{"UserId":"cg_user","UserIp":"125.127.178.228","ClientSession":"eyJhYmMiOjEyM30="}`))
		for name, value := range map[string]string{
			"Content-Type": "application/json", "X-TC-Action": "CreateSession", "X-TC-Version": "2022-01-10", "X-TC-Timestamp": "1700000000",
			"Authorization": "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2023-11-14/127/tc3_request, SignedHeaders=content-type;host, Signature=aba98147ddf15d72d8a76356a2534be07250701fc1ba9179d1f5465fe84493e9",
		} {
			r.Header.Set(name, value)
		}
		return r
	}
	lenient := newClient(t, conformance.Setting{Fixture: "default"})
	if got := lenient.answer(node()); !strings.HasPrefix(got, sessionPrefix) {
		t.Errorf("lenient: got %s", got)
	}
	if how, _ := lenient.w.Last(t).Notes.Get("signature"); !strings.Contains(fmt.Sprint(how), "service 127, host 127.0.0.1,") {
		t.Errorf("the journal has the note %v", how)
	}
	strict := newClient(t, conformance.Setting{Fixture: "default", Set: map[string]string{"verifier": "strict"}})
	want := "AuthFailure.InvalidAuthorization: The request `Authorization` header does not conform to tencentcloud standards: `Service` in Credential not valid."
	if got := strict.answer(node()); got != want {
		t.Errorf("strict: got %s, want %s", got, want)
	}
}

// TestTokenCase is C19: the token is checked before the parameters.
func TestTokenCase(t *testing.T) {
	c := newClient(t, conformance.Setting{Fixture: "default"})
	op := c.w.API.Operation("CreateSession")
	for token, want := range map[string]string{"altered": "AuthFailure.TokenFailure: ", "sts-token-example": "MissingParameter: "} {
		r, err := c.w.API.Sign(contract.Draft{
			Operation: op, Host: "car.tencentcloudapi.com", Now: conformance.Noon, In: contract.Values{},
			Credentials: contract.Values{"secretId": "AKIDtemporaryEXAMPLE", "secretKey": "temporarySecretKeyEXAMPLE"},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-TC-Token", token)
		if got := c.answer(conformance.HTTP(r)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", token, got, want)
		}
	}
}

// TestSameUserTwiceAtOnce is C24: while the answer of the first call is being sent,
// the second call gets SlowDown.
func TestSameUserTwiceAtOnce(t *testing.T) {
	c := newClient(t, conformance.Setting{})
	c.call("ApplyConcurrent", apply("cg_user"))
	var second string
	c.w.Handler.ServeHTTP(&slowClient{header: http.Header{}, onWrite: func() {
		if second == "" {
			second = c.call("CreateSession", create("cg_user"))
		}
	}}, c.request("CreateSession", create("cg_user")))
	if !strings.HasPrefix(second, "FailedOperation.SlowDown: ") {
		t.Errorf("C24: got %s", second)
	}
	c.expect("C24 afterwards", "CreateSession", create("cg_user"), sessionPrefix)
}

// A slowClient does something while its answer is written.
type slowClient struct {
	header  http.Header
	onWrite func()
}

func (s *slowClient) Header() http.Header { return s.header }
func (s *slowClient) WriteHeader(int)     {}
func (s *slowClient) Write(p []byte) (int, error) {
	s.onWrite()
	return len(p), nil
}

// TestContentType is C25: every answer has exactly application/json, because with a
// charset the Python SDK takes errors for successes.
func TestContentType(t *testing.T) {
	for _, op := range tencentcar.API.Operations {
		for _, o := range tencentcar.API.Ends(op) {
			c := newClient(t, conformance.Setting{})
			r := c.request(op.Name, contract.Sample(op.Params))
			r.Header.Set("Understudy-Outcome", o.Name)
			rec := c.w.Send(r)
			if got := rec.Header()["Content-Type"]; rec.Code != 200 || len(got) != 1 || got[0] != "application/json" {
				t.Errorf("%s/%s: got %d %q", op.Name, o.Name, rec.Code, got)
			}
		}
	}
}
