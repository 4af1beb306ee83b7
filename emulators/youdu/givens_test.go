package youdu

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

const (
	beforeSession = "{0C5A77D1-52F3-4B7E-9E1B-6D1B3C9E4F20}"
	beforeToken   = "00112233445566778899aabbccddeeff"
)

// What happened before goes on as it would have: the token ends, and the session takes
// the next message.
func TestGivenGoesOn(t *testing.T) {
	for after, want := range map[time.Duration]string{5*time.Second - time.Millisecond: "success", 5 * time.Second: "ACCESSTOKEN_EXPIRED"} {
		w := conformance.New(t, API, conformance.Setting{})
		w.Given(t, `[{session: {sessionId: "`+beforeSession+`", title: before, creator: test1, member: [test2, test3], age: 3h, messages: 5}}, {token: {token: `+beforeToken+`, ends_in: 5s}}, {files: {count: 2}}]`)
		if err := w.Sandbox.Clock.Advance(after); err != nil {
			t.Fatal(err)
		}
		got := w.Outcome(t, "SendMessage", contract.Values{"sessionId": beforeSession, "accessToken": beforeToken}, nil)
		if got != want {
			t.Errorf("after %s: SendMessage ended in %s, want %s", after, got, want)
		}
		w.Instance(t).WithState(func(s contract.State) {
			st, messages := s.(*state), int64(5)
			if got == "success" {
				messages++
			}
			one, created := st.Sessions[beforeSession], conformance.Noon.Add(-3*time.Hour).Unix()
			if one.Created != created || one.LastMsgID != created+messages-1 {
				t.Errorf("got %+v", one)
			}
			if plain := conformance.New(t, API, conformance.Setting{}); len(st.Media) != mediaOf(t, plain)+2 {
				t.Errorf("there are %d files", len(st.Media))
			}
		})
		if calls := w.Callbacks(); len(calls) > 1 {
			t.Errorf("what happened before notified somebody: %v", calls)
		}
	}
}

func mediaOf(t *testing.T, w *conformance.World) (n int) {
	t.Helper()
	w.Instance(t).WithState(func(s contract.State) { n = len(s.(*state).Media) })
	return n
}

func TestGivenRefused(t *testing.T) {
	const session = "session: {title: a, creator: test1, member: [test2, test3]"
	for given, want := range map[string]string{
		"session: {title: a, creator: test1, member: [test2]}":                       "CreateSession at 2023-11-14T22:13:20Z would have ended in INVALID_REQUEST",
		"session: {title: a, creator: nobody, member: [a, b]}":                       "names the account",
		"session: {title: a, creator: test1}":                                        `has no "member"`,
		session + ", sessionId: abc}":                                                "a GUID in capitals and braces was expected",
		session + `, sessionId: "` + exampleSession + `"}`:                           "is there already",
		"files: {count: 2, content: a}":                                              "files of one content are one file",
		"token: {token: abc}":                                                        "32 hexadecimal digits in lower case were expected",
		"token: {ends_in: 3h}":                                                       "the switch token_life says that a token is valid for 2h0m0s",
		"token: {appId: nobody}":                                                     "there is no application",
		"token: {token: " + beforeToken + "}}, {token: {token: " + beforeToken + "}": "the token is there already",
		"tokens: {}": `did you mean "token"?`,

		"token: {buin: -1}":                        "enterprise -1 has no application that could have a token",
		"token: {buin: 0}":                         "enterprise 0 has no application",
		"token: {buin: -1, appId: " + orgApp + "}": `enterprise -1 has no application "` + orgApp + `" that`,
	} {
		w := conformance.New(t, API, conformance.Setting{})
		if err := w.TryGiven(t, "[{"+given+"}]"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", given, err, want)
		}
	}
}

// A token is of the application that appId and buin name, as far as they do.
func TestGivenTokenIsOfItsApplication(t *testing.T) {
	for given, want := range map[string]appKey{
		"{buin: 707168}":                        {707168, orgApp},
		"{buin: 666666}":                        {666666, "yd37D192E9F20E448192827A001A84D443"},
		"{appId: " + orgApp + "}":               {14797363, orgApp},
		"{appId: " + orgApp + ", buin: 707168}": {707168, orgApp},
		"{}":                                    {14797363, "ydA1B2C3D4E5F60718293A4B5C6D7E8F90"},
	} {
		w := conformance.New(t, API, conformance.Setting{})
		known := map[string]bool{}
		w.Instance(t).WithState(func(s contract.State) {
			for text := range s.(*state).Tokens {
				known[text] = true
			}
		})
		w.Given(t, "[{token: "+given+"}]")
		w.Instance(t).WithState(func(s contract.State) {
			for text, made := range s.(*state).Tokens {
				if !known[text] && made.key() != want {
					t.Errorf("%s: got a token of %+v, want %+v", given, made.key(), want)
				}
			}
			if n := len(s.(*state).Tokens); n != len(known)+1 {
				t.Errorf("%s: there are %d tokens", given, n)
			}
		})
	}
}
