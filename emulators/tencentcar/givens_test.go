package tencentcar

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

func advanced(t *testing.T, w *conformance.World, by time.Duration) {
	t.Helper()
	if err := w.Sandbox.Clock.Advance(by); err != nil {
		t.Fatal(err)
	}
}

// What happened before goes on as it would have.
func TestGivenGoesOn(t *testing.T) {
	own := contract.Values{"UserId": "u-given"}
	temporary := contract.Values{"secretId": "AKIDtemporaryEXAMPLE", "secretKey": "temporarySecretKeyEXAMPLE", "token": "sts-token-example"}
	for _, tt := range []struct {
		given, op       string
		in, credentials contract.Values
		limit           time.Duration
		before, then    string
	}{
		{"session: {user_id: u-given, age: 20m, lost_for: 1m25s}", "StartPublishStream", own, nil, 5 * time.Second, "success", "ResourceNotFound.SessionNotFound"},
		{"reservation: {user_id: u-given, ends_in: 5s}", "CreateSession", own, nil, 5 * time.Second, "success", "FailedOperation.LockTimeout"},
		{"temporary_key: {ends_in: 5s}", "DescribeConcurrentCount", nil, temporary, 5 * time.Second, "success", "AuthFailure.TokenFailure"},
	} {
		for after, want := range map[time.Duration]string{tt.limit - time.Millisecond: tt.before, tt.limit: tt.then} {
			w := conformance.New(t, API, conformance.Setting{})
			w.Given(t, "[{"+tt.given+"}]")
			advanced(t, w, after)
			if got := w.Outcome(t, tt.op, tt.in, tt.credentials); got != want {
				t.Errorf("%s, after %s: %s ended in %s, want %s", tt.given, after, tt.op, got, want)
			}
		}
	}
}

func TestGivenConcurrenciesAreInUse(t *testing.T) {
	w := conformance.New(t, API, conformance.Setting{})
	w.Given(t, "[{concurrencies: {used: 3}}, {session: {user_id: u-own, age: 1h}}]")
	w.Instance(t).WithState(func(s contract.State) {
		st := s.(*state)
		if n := st.pools["cap-abcdefgh"].busy.countInUse(w.Sandbox.Clock.Now()); n != 4 {
			t.Errorf("%d are in use", n)
		}
		if age := w.Sandbox.Clock.Now().Sub(st.users["u-own"].Session.Created); age != time.Hour {
			t.Errorf("the session is %s old", age)
		}
		if len(st.inProgress) != 0 {
			t.Errorf("still in progress: %v", st.inProgress)
		}
	})
	w.Given(t, "[{concurrencies: {used: 10}}]")
	if got := w.Outcome(t, "ApplyConcurrent", contract.Values{"UserId": "u-late"}, nil); got != "ResourceNotFound.NoIdle" {
		t.Errorf("the eleventh got %s", got)
	}
}

func TestGivenRefused(t *testing.T) {
	for given, want := range map[string]string{
		"concurrencies: {used: 11}":                          "given 1, concurrencies: ApplyConcurrent at 2023-11-14T22:13:20Z would have ended in ResourceNotFound.NoIdle: All 10 concurrencies of cap-abcdefgh are taken",
		"concurrencies: {used: 3, project_id: cap-none}":     "would have ended in InvalidParameterValue: The project cap-none is not among",
		"concurrencies: {}":                                  `has no "used"`,
		"concurrencies: {used: 0}":                           "1 to 1000 was expected",
		"session: {age: 1m, lost_for: 2m}":                   "lost_for is 2m0s and age is 1m0s",
		"reservation: {ends_in: 2m}":                         "the switch reservation says that one lasts 1m0s",
		"temporary_key: {ends_in: 5s, secret_id: nobody}":    "nobody has no token that could end",
		"session: {user_id: u-1}}, {session: {user_id: u-1}": "the user u-1 has a session already",
		"sessions: {}":                                       `did you mean "session"?`,
	} {
		w := conformance.New(t, API, conformance.Setting{})
		if err := w.TryGiven(t, "[{"+given+"}]"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", given, err, want)
		}
	}
}
