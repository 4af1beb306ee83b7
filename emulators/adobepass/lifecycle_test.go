package adobepass

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// withoutRecords deletes the sessions and profiles of the fixture.
func withoutRecords(t *testing.T, w *conformance.World) {
	t.Helper()
	withState(t, w, func(st *state) {
		clear(st.Sessions)
		clear(st.Profiles)
		if err := st.Reindex(); err != nil {
			t.Fatal(err)
		}
	})
}

// newToken creates a token of the documented client.
func newToken(t *testing.T, w *conformance.World) string {
	t.Helper()
	a := call(t, w, "CreateToken", "", contract.Values{"client_id": "s6BhdRkqt3", "client_secret": "t7AkePiru4", "grant_type": "client_credentials"})
	var reply struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(a.Body.Bytes(), &reply); err != nil || reply.AccessToken == "" {
		t.Fatal(a.Code, a.Body, err)
	}
	return reply.AccessToken
}

// ending makes a call and returns its outcome.
func ending(t *testing.T, w *conformance.World, operation string, in contract.Values) string {
	t.Helper()
	call(t, w, operation, "AAA1", in)
	return w.Last(t).Outcome
}

// logInAndWatch has a user log in, begin a trial and fetch a token, and returns the
// ids of all that lives then.
func logInAndWatch(t *testing.T, w *conformance.World) map[string]string {
	t.Helper()
	withoutRecords(t, w)
	ids := map[string]string{"the code": newSession(t, w, "AAA1"), "the token": newToken(t, w)}
	if err := w.Trigger(t, "login", contract.Values{"code": ids["the code"]}); err != nil {
		t.Fatal(err)
	}
	if got := ending(t, w, "Authorize", contract.Values{"mvpd": "TempPass_TEST40", "resources": []any{"REF30"}}); got != temporary {
		t.Fatalf("the trial: got %s", got)
	}
	withState(t, w, func(st *state) {
		for id := range st.Profiles {
			ids["the profile"] = id
		}
		for id := range st.Trials {
			ids["the trial"] = id
		}
	})
	return ids
}

func watches(mvpd string) func(*testing.T, *conformance.World, map[string]string) string {
	return func(t *testing.T, w *conformance.World, _ map[string]string) string {
		t.Helper()
		return ending(t, w, "Authorize", contract.Values{"mvpd": mvpd, "resources": []any{"REF30"}})
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	conformance.Lives(t, API, conformance.Life{
		Begin: logInAndWatch,
		Ends: []conformance.End{
			{What: aTrial, ID: "the trial", After: time.Minute, Probe: watches("TempPass_TEST40"), Before: temporary, Then: trialOver},
			{
				What: aCode, ID: "the code", After: 30 * time.Minute, Before: "success", Then: "invalid_authentication_session",
				Probe: func(t *testing.T, w *conformance.World, ids map[string]string) string {
					t.Helper()
					return ending(t, w, "GetSession", contract.Values{"code": ids["the code"]})
				},
			},
			{
				What: aToken, ID: "s6BhdRkqt3", After: 6 * time.Hour, Before: "noProfile", Then: "invalid_access_token_client_application",
				Probe: func(t *testing.T, w *conformance.World, ids map[string]string) string {
					t.Helper()
					r := w.Request(t, getProfiles, contract.Values{"serviceProvider": "REF30"})
					r.Header.Set("Authorization", "Bearer "+ids["the token"])
					w.Send(r)
					return w.Last(t).Outcome
				},
			},
			{What: aProfile, ID: "the profile", After: 24 * time.Hour, Probe: watches("Cablevision"), Before: "success", Then: "authenticated_profile_expired"},
		},
	})
}

// A code that a newer one replaced, a revoked profile, and a client whose tokens a
// trigger expired are over already.
func TestOverIsNotDue(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	ids := logInAndWatch(t, w)
	newSession(t, w, "AAA2")
	newest := newSession(t, w, "AAA2")
	if err := w.Trigger(t, "profile.revoked", contract.Values{"mvpd": "Cablevision"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Trigger(t, "expire", contract.Values{"what": aToken, "id": "s6BhdRkqt3"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range w.Due(t, 48*time.Hour) {
		got = append(got, d.What+" "+d.ID)
	}
	codes := []string{"code " + ids["the code"], "code " + newest}
	slices.Sort(codes)
	if want := append([]string{"trial " + ids["the trial"]}, codes...); !slices.Equal(got, want) {
		t.Errorf("due is %q, want %q", got, want)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{Fixture: "authenticated"})
	if got := w.Open(t); len(got) != 0 {
		t.Errorf("the fixture's records are open: %+v", got)
	}
	ids := logInAndWatch(t, w)
	at := func(d time.Duration) time.Time { return conformance.Noon.Add(d) }
	if err := w.Sandbox.Clock.Advance(time.Second); err != nil {
		t.Fatal(err)
	}
	code := newSession(t, w, "AAA2")
	check := func(want ...contract.Open) {
		t.Helper()
		if got := w.Open(t); !slices.Equal(got, want) {
			t.Errorf("open is\n%+v, want\n%+v", got, want)
		}
	}
	check(
		contract.Open{What: aProfile, ID: ids["the profile"], Since: at(0), Ends: at(24 * time.Hour), By: "Logout", State: "regular"},
		contract.Open{What: aTrial, ID: ids["the trial"], Since: at(0), Ends: at(time.Minute), State: "temporary"},
		contract.Open{What: aCode, ID: code, Since: at(time.Second), Ends: at(time.Second + 30*time.Minute), By: "Authenticate", State: "authenticate"},
	)
	ending(t, w, "Logout", contract.Values{"mvpd": "Cablevision"})
	if err := w.Sandbox.Clock.Advance(31 * time.Minute); err != nil {
		t.Fatal(err)
	}
	check()
}

// What clients were told stays as it was when a trigger expires something.
func TestAnnouncedTimesStay(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	ids := logInAndWatch(t, w)
	expire := func(what, id string) {
		t.Helper()
		if err := w.Trigger(t, "expire", contract.Values{"what": what, "id": id}); err != nil {
			t.Fatal(err)
		}
	}
	// told is what an answer says that a scenario gives whatever the state is.
	told := func(operation string, in contract.Values, outcome string) string {
		t.Helper()
		in["serviceProvider"], in[deviceHeader] = "REF30", "fingerprint AAA1"
		r := w.Request(t, API.Operation(operation), in)
		r.Header.Set("Understudy-Outcome", outcome)
		return w.Send(r).Body.String()
	}
	for _, tt := range []struct {
		what, id, operation, outcome string
		in                           contract.Values
		end                          string // as answers have it
	}{
		{aCode, ids["the code"], "GetSession", "success", contract.Values{"code": ids["the code"]}, `"notAfter":"1700001800000"`},
		{aTrial, ids["the trial"], "GetProfile", temporary, contract.Values{"mvpd": "TempPass_TEST40"}, `"notAfter":1700000060000`},
	} {
		before := told(tt.operation, tt.in, tt.outcome)
		expire(tt.what, tt.id)
		if after := told(tt.operation, tt.in, tt.outcome); after != before || !strings.Contains(after, tt.end) {
			t.Errorf("%s: told is\n%s, and was\n%s", tt.what, after, before)
		}
	}
	expire(aProfile, ids["the profile"])
	withState(t, w, func(st *state) {
		if p := st.Profiles[ids["the profile"]]; p.NotAfter != conformance.Noon.Add(24*time.Hour).UnixMilli() || p.valid(conformance.Noon.UnixMilli()) {
			t.Errorf("the profile was told to end at %d, and is %+v", conformance.Noon.Add(24*time.Hour).UnixMilli(), p.life)
		}
	})
	for _, what := range []string{aCode, aProfile, aTrial} {
		if err := w.Trigger(t, "expire", contract.Values{"what": what, "id": ids["the "+what]}); err == nil {
			t.Errorf("a %s ended twice", what)
		}
	}
}
