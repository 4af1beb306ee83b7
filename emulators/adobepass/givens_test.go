package adobepass

import (
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// What happened before goes on as it would have, until its time is over.
func TestGivenGoesOn(t *testing.T) {
	const device = sampleDevice
	own := contract.Values{"serviceProvider": "REF30", "AP-Device-Identifier": device}
	of := func(more contract.Values) contract.Values {
		for name, value := range own {
			more[name] = value
		}
		return more
	}
	for _, tt := range []struct {
		given, op       string
		in, credentials contract.Values
		before, then    string
	}{
		{"token: {token: given-token, client_id: s6BhdRkqt3, ends_in: 5s}", "GetConfiguration", own, contract.Values{"accessToken": "given-token"}, "success", "invalid_access_token_client_application"},
		{"code: {code: GIVEN01, client_id: s6BhdRkqt3, ends_in: 5s}", "GetSession", of(contract.Values{"code": "GIVEN01"}), nil, "success", "invalid_authentication_session"},
		{"code: {code: GIVEN01, ends_in: 5s}}, {profile: {mvpd: Cablevision}", "GetSession", of(contract.Values{"code": "GIVEN01"}), nil, "success", "invalid_authentication_session"},
		{"profile: {mvpd: Cablevision}}, {code: {code: GIVEN01, ends_in: 5s}", "GetSession", of(contract.Values{"code": "GIVEN01"}), nil, "success", "invalid_authentication_session"},
		{"profile: {mvpd: Cablevision, ends_in: 5s}", "GetProfile", contract.Values{"serviceProvider": "REF30", "mvpd": "Cablevision"}, nil, "success", "noProfile"},
		{"profile: {mvpd: Cablevision, ends_in: 5s}", "Authorize", of(contract.Values{"mvpd": "Cablevision"}), nil, "success", "authenticated_profile_expired"},
		{"trial: {client_id: s6BhdRkqt3, mvpd: TempPass_TEST40, age: 55s}", "Authorize", of(contract.Values{"mvpd": "TempPass_TEST40"}), nil, "temporary", "temporary_access_duration_limit_exceeded"},
	} {
		var got []string
		for _, after := range []time.Duration{5*time.Second - time.Millisecond, 5 * time.Second} {
			w := conformance.New(t, API, conformance.Setting{Clock: conformance.Noon})
			w.Given(t, "[{"+tt.given+"}]")
			if err := w.Sandbox.Clock.Advance(after); err != nil {
				t.Fatal(err)
			}
			got = append(got, w.Outcome(t, tt.op, tt.in, tt.credentials))
		}
		if got[0] != tt.before || got[1] != tt.then {
			t.Errorf("%s: %s ended in %v, want %s and %s", tt.given, tt.op, got, tt.before, tt.then)
		}
	}
}

func TestGivenTrialCounts(t *testing.T) {
	w := conformance.New(t, API, conformance.Setting{})
	w.Given(t, "[{trial: {mvpd: flexibleTempPass, identity: someone@example.com, used: 5}}, {profile: {}}, {token: {}}, {code: {device: fingerprint YQ==}}]")
	w.Instance(t).WithState(func(s contract.State) {
		st := s.(*state)
		for _, one := range st.Trials {
			if len(one.Used) != 5 || one.Identity == "" {
				t.Errorf("got %+v", one)
			}
		}
		token := st.Tokens[len(st.Tokens)-1]
		if st.Clients[token.Client] == nil || strings.Count(token.Token, ".") != 2 || token.Expires-token.Issued != 6*3600 {
			t.Errorf("got %+v", token)
		}
		if len(st.Trials) != 1 || len(st.Profiles) != 1 {
			t.Errorf("got %d trials, %d profiles", len(st.Trials), len(st.Profiles))
		}
	})
}

func TestGivenRefused(t *testing.T) {
	for given, want := range map[string]string{
		"token: {ends_in: 7h}":                                  "ends_in is 7h0m0s; it is valid for 6h0m0s, which is the most: the switch token_ttl says so",
		"token: {client_id: nobody}":                            "no such client is registered",
		"code: {code: abc}":                                     "capital letters and digits",
		"code: {code: GIVEN01}}, {code: {}":                     "voids the code GIVEN01; give it another device",
		"code: {mvpd: TempPass}":                                "would have given no code",
		"code: {mvpd: Nobody}":                                  "CreateSession at",
		"code: {service_provider: NOBODY}":                      "CreateSession at",
		"code: {device: abc}":                                   "fingerprint and base64 were expected",
		"profile: {username: nobody}":                           "no such user is among the fixture's",
		"profile: {ends_in: 25h}":                               "ends_in is 25h0m0s",
		"trial: {mvpd: Cablevision}":                            "is no TempPass of service provider",
		"trial: {mvpd: brokenTempPass}":                         "would have been denied with",
		"trial: {mvpd: flexibleTempPass}":                       "The promotional TempPass flexibleTempPass asks for AP-TempPass-Identity",
		"trial: {mvpd: flexibleTempPass, identity: a, used: 6}": "resource 6 would have been denied with",
		"trials: {}":                                            `did you mean "trial"?`,
		"token: {token: a}}, {token: {token: a}":                "the token is there already",
		`token: {token: "a b"}`:                                 `token is "a b", which no Authorization header carries`,
		`token: {token: "a\n"}`:                                 `token is "a\n", which no Authorization header carries`,
		`token: {token: "é"}`:                                   "without blanks were expected",
	} {
		w := conformance.New(t, API, conformance.Setting{})
		if err := w.TryGiven(t, "[{"+given+"}]"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", given, err, want)
		}
	}
}
