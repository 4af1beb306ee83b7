package tencentcar_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// givenCodes are the error codes that the page of CreateSession lists.
var givenCodes = []string{
	"FailedOperation", "FailedOperation.LockTimeout", "FailedOperation.PathNotFound", "FailedOperation.ProcessTimeout", "FailedOperation.SlowDown",
	"InternalError", "InvalidParameter.JsonParseError", "InvalidParameterValue", "LimitExceeded.Role", "OperationDenied", "ResourceNotFound.NoIdle",
	"ResourceNotFound.SessionNotFound", "ResourceUnavailable.Initialization", "UnsupportedOperation.Stopping",
}

// TestGivenDocument walks the page of CreateSession, from which this API was begun.
// Its statements hold with every switch at its default.
func TestGivenDocument(t *testing.T) {
	fresh := func(t *testing.T) *client { return newClient(t, conformance.Setting{Fixture: "default"}) }
	// ask makes the call of the page's example with other values; nil takes one away.
	ask := func(want string, more ...any) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			in := create("cg_user", more...)
			for name, value := range in {
				if value == nil {
					delete(in, name)
				}
			}
			fresh(t).expect(want, "CreateSession", in, want)
		}
	}
	// head makes it with another header; "" takes it away.
	head := func(want, name, value string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			c := fresh(t)
			r := c.request("CreateSession", create("cg_user"))
			if r.Header.Del(name); value != "" {
				r.Header.Set(name, value)
			}
			if got := c.answer(r); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %q: got %s, want %s", name, value, got, want)
			}
		}
	}
	all := func(holds ...func(*testing.T)) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			for _, h := range holds {
				h(t)
			}
		}
	}
	op := tencentcar.API.Operation("CreateSession")
	conformance.Document(t, []conformance.Statement{
		{Says: "Domain name for API request: car.tencentcloudapi.com.", Holds: func(t *testing.T) {
			if !tencentcar.API.HasHost("car.tencentcloudapi.com") {
				t.Errorf("got %v", tencentcar.API.Hosts)
			}
		}},
		{Says: "This API is used to create a session.", Holds: ask(sessionPrefix)},
		{Says: "The timeout period of the API is 5 seconds.", Chosen: "no call takes that long by itself; FailedOperation.ProcessTimeout and delays come from scenarios", Holds: func(t *testing.T) {
			if !strings.Contains(op.Doc, "5 seconds") {
				t.Errorf("got %s", op.Doc)
			}
		}},
		{Says: "A maximum of 100 requests can be initiated per second", Chosen: "counted for each key and access region, and the 101st is RequestLimitExceeded, as other pages have it", Holds: func(t *testing.T) {
			c := newClient(t, conformance.Setting{Fixture: "default", Wall: func() time.Time { return conformance.Noon }})
			for range 100 {
				c.expect("within the limit", "CreateSession", create("cg_user"), sessionPrefix)
			}
			c.expect("the 101st", "CreateSession", create("cg_user"), "RequestLimitExceeded: ")
		}},
		{Says: "Action Yes String: CreateSession.", Holds: all(head("MissingParameter: ", "X-TC-Action", ""), head("InvalidAction: ", "X-TC-Action", "CreateSessions"))},
		{Says: "Version Yes String: 2022-01-10.", Holds: all(head("MissingParameter: ", "X-TC-Version", ""), head("NoSuchVersion: ", "X-TC-Version", "2021-01-10"))},
		{Says: "Region No: not required for this API.", Chosen: "any region is taken, since the page does not say that one is wrong", Holds: all(head(sessionPrefix, "X-TC-Region", ""), head(sessionPrefix, "X-TC-Region", "ap-guangzhou"))},
		{Says: "UserId Yes String", Holds: all(
			ask("MissingParameter: The request is missing a required parameter `UserId`.", "UserId", nil),
			ask("InvalidParameter: ", "UserId", 5),
		)},
		{Says: "UserId is customized by you and is not parsed by CAR", Holds: func(t *testing.T) {
			for _, id := range []string{"1700000000123", "用户 1", "a/b?c=d"} {
				c := fresh(t)
				c.expect(id, "ApplyConcurrent", apply(id), `{}`)
				c.expect(id, "CreateSession", create(id), sessionPrefix)
			}
		}},
		{Says: "the same ID is used when a user reconnects", Holds: func(t *testing.T) {
			c := fresh(t)
			c.expect("first", "CreateSession", create("cg_user"), sessionPrefix)
			c.expect("again", "CreateSession", create("cg_user"), sessionPrefix)
			c.expect("one runs", "DescribeConcurrentCount", contract.Values{"ProjectId": "cap-abcdefgh"}, `{"Running":1,`)
		}},
		{Says: "UserIp Yes String: Public IP address", Chosen: "an address is demanded, of any network: tests run on private ones", Holds: all(
			ask("MissingParameter: ", "UserIp", nil), ask("InvalidParameterValue: ", "UserIp", "nowhere"), ask(sessionPrefix, "UserIp", "10.0.0.1"), ask(sessionPrefix, "UserIp", "2001:db8::1"),
		)},
		{Says: "ClientSession No String, obtained from the SDK", Chosen: "base64 of a JSON object, as in the example; what is none is InvalidParameter.JsonParseError", Holds: ask("InvalidParameter.JsonParseError: ", "ClientSession", "!")},
		{Says: "If RunMode is RunWithoutClient, this parameter can be empty.", Chosen: "without that mode an empty one is InvalidParameterValue, which the page implies", Holds: all(
			ask(sessionPrefix, "ClientSession", nil, "RunMode", "RunWithoutClient"),
			ask(sessionPrefix, "ClientSession", "", "RunMode", "RunWithoutClient"),
			ask("InvalidParameterValue: ", "ClientSession", nil),
		)},
		{Says: "RunMode: RunWithoutClient, Empty string (default)", Holds: all(ask(sessionPrefix, "RunMode", ""), ask(sessionPrefix, "RunMode", "RunWithoutClient"), ask("InvalidParameterValue: ", "RunMode", "Sometimes"))},
		{Says: "Keeps the application running only when there are client connections", Chosen: "the client counts as connected until the trigger client.lost; then it has the ninety seconds of another page to come back", Holds: func(t *testing.T) {
			for mode, running := range map[string]string{"": `{"Running":0,`, "RunWithoutClient": `{"Running":1,`} {
				c := fresh(t)
				c.expect(mode, "CreateSession", create("cg_user", "RunMode", mode), sessionPrefix)
				if err := c.w.Trigger(t, "client.lost", contract.Values{"UserId": "cg_user"}); err != nil {
					t.Fatal(err)
				}
				if err := c.w.Sandbox.Clock.Advance(24 * time.Hour); err != nil {
					t.Fatal(err)
				}
				c.expect("a day later, "+mode, "DescribeConcurrentCount", contract.Values{"ProjectId": "cap-abcdefgh"}, running)
			}
		}},
		{Says: "ApplicationParameters: appended to the startup parameters", Chosen: "taken; no answer shows with which parameters an application runs", Holds: ask(sessionPrefix, "ApplicationParameters", "foo=1")},
		{Says: "HostUserId: If the user is the homeowner, it must be the same as UserID.", Holds: ask(sessionPrefix, "HostUserId", "cg_user", "Role", "Player")},
		{Says: "If the user is not the homeowner, it must be the homeowner's.", Holds: func(t *testing.T) {
			c := fresh(t)
			c.expect("no such host", "CreateSession", create("guest", "HostUserId", "nobody", "Role", "Player"), "ResourceNotFound.SessionNotFound: ")
			c.expect("the host", "CreateSession", create("cg_user", "HostUserId", "cg_user", "Role", "Player"), sessionPrefix)
			c.expect("a guest", "CreateSession", create("guest", "HostUserId", "cg_user", "Role", "Player"), sessionPrefix)
		}},
		{Says: "HostUserId is required in multi-person interaction mode", Holds: ask("InvalidParameterValue: ", "Role", "Player")},
		{Says: "Role: Player, Viewer", Holds: func(t *testing.T) {
			for role, want := range map[string]string{"Player": sessionPrefix, "Viewer": sessionPrefix, "Owner": "InvalidParameterValue: "} {
				c := fresh(t)
				c.expect("the host", "CreateSession", create("cg_user", "HostUserId", "cg_user", "Role", "Player"), sessionPrefix)
				c.expect(role, "CreateSession", create("guest", "HostUserId", "cg_user", "Role", role), want)
			}
		}},
		{Says: "ServerSession String", Chosen: "base64 of a JSON object, as in the example; its content is made up, and in the fixture documented it is the example's", Holds: func(t *testing.T) {
			var reply struct{ ServerSession string }
			text := fresh(t).call("CreateSession", create("cg_user"))
			if err := json.Unmarshal([]byte(text), &reply); err != nil {
				t.Fatal(err)
			}
			if plain, err := base64.StdEncoding.DecodeString(reply.ServerSession); err != nil || !json.Valid(plain) || plain[0] != '{' {
				t.Errorf("got %s: %v", text, err)
			}
		}},
		{Says: "RequestId String: unique, returned for every request", Holds: func(t *testing.T) {
			c, seen := fresh(t), map[string]bool{}
			for _, in := range []contract.Values{create("cg_user"), create("cg_user"), create("nobody"), {}} {
				var body struct {
					Response struct {
						RequestID string `json:"RequestId"`
					}
				}
				if err := json.Unmarshal(c.w.Send(c.request("CreateSession", in)).Body.Bytes(), &body); err != nil || !uuid.MatchString(body.Response.RequestID) || seen[body.Response.RequestID] {
					t.Errorf("got %+v, %v", body, err)
				}
				seen[body.Response.RequestID] = true
			}
		}},
		{Says: "example: POST / with X-TC-Action: CreateSession", Chosen: "its <Common request parameters> are those of the page on signature v3; cg_user needs no ApplyConcurrent in the default fixture, so that the example works alone", Holds: func(t *testing.T) {
			c := fresh(t)
			r := c.request("CreateSession", contract.Values{"UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30=", "UserId": "cg_user"})
			if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("X-TC-Action") != "CreateSession" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
			}
			got := c.w.Send(r)
			want := regexp.MustCompile(`^\{"Response":\{"ServerSession":"[A-Za-z0-9+/=]+","RequestId":"[0-9a-f-]{36}"\}\}$`)
			if got.Code != 200 || !want.MatchString(got.Body.String()) {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
		}},
		{Says: "The following only lists the error codes related to the API business logic.", Chosen: "the codes and their meaning; the page has no texts of messages, so these are inferred where no real answer shows one", Holds: func(t *testing.T) {
			for _, code := range givenCodes {
				o := tencentcar.API.Outcome(op, code)
				if o == nil || !slices.Contains(op.Outcomes, o) || o.Cite == "" {
					t.Errorf("%s is no cited outcome of CreateSession", code)
					continue
				}
				c := fresh(t)
				c.w.Play(t, op, o)
				c.expect(code, "CreateSession", create("cg_user"), code+": ")
			}
			for _, o := range op.Outcomes[1:] {
				if !slices.Contains(givenCodes, o.Name) {
					t.Errorf("%s is not on the page", o.Name)
				}
			}
		}},
		{Says: "LockTimeout: Concurrency quota not requested or request timed out.", Holds: func(t *testing.T) {
			c := fresh(t)
			c.expect("not requested", "CreateSession", create("nobody"), "FailedOperation.LockTimeout: ")
			c.expect("requested", "ApplyConcurrent", apply("late"), `{}`)
			if err := c.w.Sandbox.Clock.Advance(time.Hour); err != nil {
				t.Fatal(err)
			}
			c.expect("timed out", "CreateSession", create("late"), "FailedOperation.LockTimeout: ")
		}},
		{Says: "JsonParseError: JSON parsing error.", Holds: func(t *testing.T) {
			c := newClient(t, conformance.Setting{Fixture: "default", Auth: contract.Off})
			r := c.request("CreateSession", create("cg_user"))
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{")), 1
			if got := c.answer(r); !strings.HasPrefix(got, "InvalidParameter.JsonParseError: ") {
				t.Errorf("got %s", got)
			}
		}},
		{Says: "For other error codes, see Common Error Codes.", Holds: func(t *testing.T) {
			for _, code := range []string{"AuthFailure.SignatureFailure", "MissingParameter", "UnknownParameter", "RequestLimitExceeded", "NoSuchVersion", "InvalidAction"} {
				if tencentcar.API.Outcome(op, code) == nil {
					t.Errorf("%s is missing", code)
				}
			}
			fresh(t).expect("Foo", "CreateSession", create("cg_user", "Foo", "x"), "UnknownParameter: ")
		}},
	})
}
