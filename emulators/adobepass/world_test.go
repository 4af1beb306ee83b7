package adobepass

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	mathrand "math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// withState runs f under the lock of the API's state.
func withState(t testing.TB, w *conformance.World, f func(*state)) {
	t.Helper()
	w.Instance(t).WithState(func(s contract.State) { f(s.(*state)) })
}

// call sends the request of an operation from a device.
func call(t testing.TB, w *conformance.World, operation, device string, in contract.Values) *httptest.ResponseRecorder {
	t.Helper()
	in["serviceProvider"] = "REF30"
	if device != "" {
		in[deviceHeader] = "fingerprint " + device
	}
	return w.Send(w.Request(t, API.Operation(operation), in))
}

// newSession creates a complete session for a device and returns its code.
func newSession(t testing.TB, w *conformance.World, device string) (code string) {
	t.Helper()
	a := call(t, w, "CreateSession", device, contract.Values{"mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com"})
	var reply struct{ Code string }
	if err := json.Unmarshal(a.Body.Bytes(), &reply); err != nil || a.Code != 200 {
		t.Fatal(a.Code, a.Body, err)
	}
	return reply.Code
}

// The number of records is limited: invalid records are evicted first, then the
// oldest.
func TestRecordLimit(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	withState(t, w, func(st *state) { st.testLimit = 6 })
	oldest := newSession(t, w, "AAA0")
	superseded := newSession(t, w, "AAA1")
	newSession(t, w, "AAA1") // voids the session before
	var codes []string
	for i := 2; i < 6; i++ {
		codes = append(codes, newSession(t, w, fmt.Sprint("AAA", i)))
	}
	withState(t, w, func(st *state) {
		if n := len(st.Sessions); n != 6 {
			t.Errorf("got %d sessions", n)
		}
		if st.Sessions[superseded] != nil || st.Sessions[oldest] == nil {
			t.Error("an invalid session was not evicted first")
		}
		for _, code := range codes {
			if st.Sessions[code] == nil {
				t.Errorf("the session %s was evicted", code)
			}
		}
	})
	for i := range 20 {
		device := fmt.Sprint("BBB", string(rune('A'+i)))
		if err := w.Trigger(t, "login", contract.Values{"code": newSession(t, w, device)}); err != nil {
			t.Fatal(err)
		}
		call(t, w, "Authorize", device, contract.Values{"mvpd": "TempPass_TEST40", "resources": []any{"REF30"}})
		statement := w.Credentials(t).Text("softwareStatement")
		call(t, w, "RegisterClient", "", contract.Values{"software_statement": statement})
		if i%2 == 0 {
			call(t, w, "Logout", device, contract.Values{"mvpd": "Cablevision"})
		}
	}
	withState(t, w, func(st *state) {
		for kind, n := range map[string]int{clientKind: len(st.Clients), sessionKind: len(st.Sessions), profileKind: len(st.Profiles), trialKind: len(st.Trials), logoutKind: len(st.Logouts)} {
			if kind == clientKind {
				n -= 3 // those of the fixture are never evicted
			}
			if n > 6 || st.queues[kind].len() != n {
				t.Errorf("%s: got %d, in the queue %d", kind, n, st.queues[kind].len())
			}
		}
		if len(st.profilesByHolder) > 6 || len(st.unfinished) > 6 || len(st.trialsByDevice) > 6 {
			t.Errorf("the indices contain evicted records: %d %d %d", len(st.profilesByHolder), len(st.unfinished), len(st.trialsByDevice))
		}
	})
}

// An evicted profile is removed from the single sign-on index too.
func TestSharedProfilesAreEvicted(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	withState(t, w, func(st *state) { st.testLimit = 3 })
	token := "a.b.c.d.e"
	for i := range 6 {
		device := fmt.Sprint("AAA", i)
		// Different MVPDs, so that no call finds the profile of the one before.
		mvpd := []string{"Cablevision", "Spectrum", "Dish", "ATTOTT", "apassidp", "ElasticSSO"}[i]
		a := call(t, w, "CreateSession", device, contract.Values{"mvpd": mvpd, "domainName": "adobe.com", "redirectUrl": "https://adobe.com", subjectHeader: token})
		var reply struct{ Code string }
		if err := json.Unmarshal(a.Body.Bytes(), &reply); err != nil || reply.Code == "" {
			t.Fatal(a.Body)
		}
		if err := w.Trigger(t, "login", contract.Values{"code": reply.Code}); err != nil {
			t.Fatal(err)
		}
	}
	withState(t, w, func(st *state) {
		if len(st.profilesBySSO) != 3 || len(st.Profiles) != 3 {
			t.Errorf("got %d shared of %d profiles", len(st.profilesBySSO), len(st.Profiles))
		}
	})
}

// Creating a session deletes the expired ones.
func TestExpiredSessionsAreDeleted(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	for i := range 5 {
		newSession(t, w, fmt.Sprint("AAA", i))
		newSession(t, w, fmt.Sprint("AAA", i))
	}
	if err := w.Sandbox.Clock.Advance(31 * time.Minute); err != nil {
		t.Fatal(err)
	}
	code := newSession(t, w, "AAA9")
	withState(t, w, func(st *state) {
		if len(st.Sessions) != 1 || st.Sessions[code] == nil || st.queues[sessionKind].len() != 1 {
			t.Errorf("got %d sessions, %d in the queue", len(st.Sessions), st.queues[sessionKind].len())
		}
	})
}

// The caches of verified tokens and of rate limit buckets are limited.
func TestCachesAreBounded(t *testing.T) {
	t.Parallel()
	st := &state{Tokens: []fixedToken{{Token: "fixed", Client: "somebody"}}, buckets: map[string]*bucket{}}
	st.resetVerified()
	for i := range 3 * maxVerified {
		st.rememberVerified([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, verifiedToken{})
		if len(st.verified) > maxVerified {
			t.Fatalf("got %d tokens", len(st.verified))
		}
	}
	found := false
	for _, v := range st.verified {
		found = found || v.client == "somebody"
	}
	if !found {
		t.Error("the fixture's token was forgotten")
	}
	now := conformance.Noon
	for i := range 3 * maxBuckets {
		st.allowRequest(fmt.Sprint(i), now, true)
		if len(st.buckets) > maxBuckets {
			t.Fatalf("got %d buckets", len(st.buckets))
		}
	}
	st.allowRequest("busy", now.Add(time.Hour), true)
	for range 20 {
		st.allowRequest("busy", now.Add(time.Hour), true)
	}
	st.dropFullBuckets(now.Add(time.Hour))
	if st.buckets["busy"] == nil || len(st.buckets) != 1 {
		t.Errorf("got %d buckets", len(st.buckets))
	}
}

// Without a refill each device gets the burst only once.
func TestBurstWithoutRefill(t *testing.T) {
	t.Parallel()
	st := &state{buckets: map[string]*bucket{}}
	now, passed := conformance.Noon, 0
	for range 20 {
		if st.allowRequest("a", now, false) {
			passed++
		}
	}
	if passed != bucketSize {
		t.Errorf("got %d", passed)
	}
	for i := 1; i <= 3; i++ {
		now = now.Add(time.Hour)
		if !st.allowRequest("a", now, false) || st.allowRequest("a", now, false) {
			t.Errorf("hour %d: exactly one request must pass", i)
		}
	}
}

// A snapshot that contradicts itself is refused, and the state stays.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{Fixture: "authenticated"})
	newSession(t, w, "AAA0")
	good, err := w.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"a null session":            func(m map[string]any) { m["sessions"].(map[string]any)["8BLW4RW"] = nil },
		"a session of another code": func(m map[string]any) { m["sessions"].(map[string]any)["8BLW4RW"].(map[string]any)["code"] = "AAAAAAA" },
		"a serial beyond the last":  func(m map[string]any) { m["serial"] = 1 },
		"no key":                    func(m map[string]any) { m["signing_key"] = "no PEM" },
		"a statement twice": func(m map[string]any) {
			list := m["software"].([]any)
			m["software"] = append(list, list[0])
		},
		"an MVPD without a name":             func(m map[string]any) { m["mvpds"].([]any)[0].(map[string]any)["id"] = "" },
		"a service key that is no PEM":       func(m map[string]any) { m["service_token_keys"].([]any)[0].(map[string]any)["public_key"] = "x" },
		"a user denied with a misspelt code": func(m map[string]any) { m["users"].([]any)[0].(map[string]any)["denied"] = "authorisation_denied" },
		"a denial of an unknown code":        func(m map[string]any) { m["denials"].([]any)[0].(map[string]any)["code"] = "no" },
		"an unknown rule":                    func(m map[string]any) { m["degradations"] = []any{map[string]any{"rule": "AuthNNone"}} },
		"a provider of an unknown MVPD": func(m map[string]any) {
			m["service_providers"].([]any)[0].(map[string]any)["mvpds"] = []any{"nobody"}
		},
		"no MVPDs": func(m map[string]any) { m["mvpds"] = []any{} },
		"a profile that ends in no year": func(m map[string]any) {
			for _, p := range m["profiles"].(map[string]any) {
				p.(map[string]any)["not_after"] = json.Number("9000000000000000000")
			}
		},
		"an unknown member": func(m map[string]any) { m["surprise"] = true },
	} {
		var m map[string]any
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		bad, _ := json.Marshal(m)
		if err := w.Instance(t).Restore(bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if after, _ := w.Instance(t).Snapshot(); string(after) != string(good) {
		t.Error("a refused snapshot changed the state")
	}
}

// FuzzRestore restores arbitrary text. A snapshot after a successful restore can
// be restored again.
func FuzzRestore(f *testing.F) {
	w := conformance.New(f, API, conformance.Setting{Fixture: "authenticated"})
	good, err := w.Instance(f).Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add(strings.ReplaceAll(string(good), `"serial":1,`, `"serial":2,`))
	f.Add(`{"sessions":{"A":{"code":"A","serial":1}},"serial":1,"logouts":{"b":{"id":"b"}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if w.Instance(t).Restore([]byte(text)) != nil {
			return
		}
		again, err := w.Instance(t).Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Instance(t).Restore(again); err != nil {
			t.Errorf("a snapshot of the restored state is refused: %v", err)
		}
		for _, op := range []string{"CreateSession", "GetProfiles", "GetConfiguration"} {
			call(t, w, op, "AAAA", contract.Values{"mvpd": "Cablevision"})
		}
	})
}

// After a restore the directory knows every identifier again, and tokens signed
// with the state's key stay valid.
func TestRestoredIdentifiers(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	code := newSession(t, w, "AAA0")
	raw, err := w.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Instance(t).Restore(raw); err != nil {
		t.Fatal(err)
	}
	withState(t, w, func(st *state) {
		ids := slices.Collect(st.Identifiers())
		for _, want := range []string{code, "s6BhdRkqt3", sampleStatement, "8BLW4RW"} {
			if !slices.Contains(ids, want) {
				t.Errorf("%.20s is not among the identifiers", want)
			}
		}
	})
}

// A replaced RSA key signs and verifies. Tokens of the old key are refused.
func TestSigningKeyIsReplaceable(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	mint := func() string {
		a := call(t, w, "CreateToken", "", contract.Values{"client_id": "s6BhdRkqt3", "client_secret": "t7AkePiru4", "grant_type": "client_credentials"})
		var reply struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(a.Body.Bytes(), &reply); err != nil || reply.AccessToken == "" {
			t.Fatal(a.Body)
		}
		return reply.AccessToken
	}
	configuration := func(token string) int {
		r := w.Request(t, getConfiguration, contract.Values{"serviceProvider": "REF30"})
		r.Header.Set("Authorization", "Bearer "+token)
		return w.Send(r).Code
	}
	old := mint()
	if got := configuration(old); got != 200 {
		t.Fatalf("got %d", got)
	}
	other, err := os.ReadFile("../../fixtures/adobepass/service-token.test-key.pem")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	raw, _ := w.Instance(t).Snapshot()
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	m["signing_key"] = string(other)
	changed, _ := json.Marshal(m)
	if err := w.Instance(t).Restore(changed); err != nil {
		t.Fatal(err)
	}
	if got := configuration(old); got != 401 {
		t.Errorf("the old token: got %d", got)
	}
	if got := configuration(mint()); got != 200 {
		t.Errorf("the new token: got %d", got)
	}
}

// The shipped PEM file is the key of the shipped fixtures.
func TestShippedKey(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../fixtures/adobepass/signing.test-key.pem")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"default", "authenticated", "degraded", "documented"} {
		withState(t, conformance.New(t, API, conformance.Setting{Fixture: name}), func(st *state) {
			if strings.TrimSpace(st.SigningKey) != strings.TrimSpace(string(text)) {
				t.Errorf("%s has another key", name)
			}
		})
	}
}

// isBase64 and decodeBase64 agree on every text.
func FuzzIsBase64(f *testing.F) {
	for _, s := range []string{"", "=", "A", "AA", "AA==", "+-", "a_b-", "a/b+", sampleDeviceInfo, "AAAA\n", "A A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := decodeBase64(s); ok != isBase64(s) && !strings.ContainsAny(s, "\r\n") { // headers cannot contain line ends
			t.Errorf("%q: decodeBase64 accepts it: %v, isBase64: %v", s, ok, isBase64(s))
		}
	})
}

// The operator chooses how strictly access tokens are checked.
func TestAuthModes(t *testing.T) {
	t.Parallel()
	const odd = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSJ9.AAAA"
	for _, tt := range []struct {
		auth   contract.Auth
		header string
		want   int
	}{
		{contract.Verify, "Bearer " + odd, 401},
		{contract.Presence, "Bearer " + odd, 200},
		{contract.Presence, "Bearer nonsense", 401},
		{contract.Presence, "", 401},
		{contract.Off, "", 200},
		{contract.Off, "Bearer nonsense", 200},
	} {
		w := conformance.New(t, API, conformance.Setting{Auth: tt.auth})
		r := w.Request(t, getProfiles, contract.Values{"serviceProvider": "REF30"})
		r.Header.Del("Authorization")
		if tt.header != "" {
			r.Header.Set("Authorization", tt.header)
		}
		if got := w.Send(r); got.Code != tt.want {
			t.Errorf("%s, %q: got %d %s", tt.auth, tt.header, got.Code, got.Body)
		}
	}
}

// A trigger that cannot act returns an error and changes nothing.
func TestTriggersRefuse(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	before, _ := w.Instance(t).Snapshot()
	for _, tt := range []struct {
		name string
		in   contract.Values
		want string
	}{
		{"login", contract.Values{"code": "AAAAAAA"}, "no session that counts has the code AAAAAAA"},
		{"login", contract.Values{"code": "8BLW4RW"}, "still lacks mvpd, domain, redirectUrl"},
		{"login", contract.Values{"code": "XTC98W", "user": "nobody"}, "no user nobody"},
		{"login.denied", contract.Values{"code": "AAAAAAA"}, "no session"},
		{"profile.revoked", contract.Values{"mvpd": "Cablevision"}, "no valid profile with Cablevision"},
		{"profile.revoked", contract.Values{"mvpd": "Cablevision", "device": "x"}, "fingerprint"},
		{"degradation", contract.Values{"mvpd": "Dish", "rule": "none"}, "no rule"},
		{"expire", contract.Values{"what": "code", "id": "AAAAAAA"}, "nothing of the kind code"},
		{"expire", contract.Values{"what": "token", "id": "nobody"}, "nothing of the kind token counts under nobody; these count: 46f40fb3-56bd-42a9-911a-6bff6a2ff407, c4fc3e7e-12d9-495d-b742-6aeac8a490e7, s6BhdRkqt3"},
		{"expire", contract.Values{"what": "trial", "id": "TempPass"}, "nothing of the kind trial counts under TempPass; none counts"},
	} {
		if err := w.Trigger(t, tt.name, tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %v: got %v, want %s", tt.name, tt.in, err, tt.want)
		}
	}
	if after, _ := w.Instance(t).Snapshot(); string(after) != string(before) {
		t.Error("a trigger that refused changed the state")
	}
	if err := w.Trigger(t, "login.denied", contract.Values{"code": "XTC98W"}); err != nil {
		t.Error(err)
	}
}

// After a trigger expired a token, a new one is accepted, also in the same
// second of a frozen clock.
func TestExpiredTokenIsReplaced(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	token := func() string {
		a := call(t, w, "CreateToken", "", contract.Values{"client_id": "s6BhdRkqt3", "client_secret": "t7AkePiru4", "grant_type": "client_credentials"})
		var reply struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(a.Body.Bytes(), &reply); err != nil {
			t.Fatal(err)
		}
		return reply.AccessToken
	}
	status := func(token string) int {
		r := w.Request(t, getProfiles, contract.Values{"serviceProvider": "REF30"})
		r.Header.Set("Authorization", "Bearer "+token)
		return w.Send(r).Code
	}
	for round := range 3 {
		now := token()
		if got := status(now); got != http.StatusOK {
			t.Errorf("round %d: got %d", round, got)
		}
		id := []string{"s6BhdRkqt3", now, now}[round] // the client, or any token of it
		if err := w.Trigger(t, "expire", contract.Values{"what": "token", "id": id}); err != nil {
			t.Fatal(err)
		}
		if got := status(now); got != http.StatusUnauthorized {
			t.Errorf("round %d, expired: got %d", round, got)
		}
	}
}

// The token of the samples, which does not expire by the clock, expires by the
// trigger.
func TestFixedTokenExpires(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	if err := w.Trigger(t, "expire", contract.Values{"what": "token", "id": "c4fc3e7e-12d9-495d-b742-6aeac8a490e7"}); err != nil {
		t.Fatal(err)
	}
	if got := call(t, w, "GetProfiles", "", contract.Values{}); got.Code != 401 || w.Last(t).Explanation.Cause != "token_made_to_expire" {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

// The trigger expires codes, profiles and trials as the clock does.
func TestExpireTrigger(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{Fixture: "authenticated"})
	expire := func(what, id string) {
		t.Helper()
		if err := w.Trigger(t, "expire", contract.Values{"what": what, "id": id}); err != nil {
			t.Error(err)
		}
	}
	outcome := func(operation string, in contract.Values, want string) {
		t.Helper()
		call(t, w, operation, "", in)
		if got := w.Last(t).Outcome; got != want {
			t.Errorf("%s: got %s, want %s", operation, got, want)
		}
	}
	expire("code", "XTC98W")
	outcome("GetProfileByCode", contract.Values{"code": "XTC98W"}, "invalid_authentication_session")
	expire("profile", "Cablevision")
	outcome("Authorize", contract.Values{"mvpd": "Cablevision", "resources": []any{"REF30"}}, "authenticated_profile_expired")
	outcome("Authorize", contract.Values{"mvpd": "TempPass_TEST44", "resources": []any{"REF30"}}, "temporary")
	expire("trial", "TempPass_TEST44")
	outcome("Authorize", contract.Values{"mvpd": "TempPass_TEST44", "resources": []any{"REF30"}}, "temporary_access_duration_limit_exceeded")
}

// A token is signed when it is encoded, after the lock was released: with a key
// that cannot sign, Do succeeds and the encoding fails.
func TestMintingIsOutsideTheLock(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	r := w.Request(t, createToken, contract.Values{"client_id": "s6BhdRkqt3", "client_secret": "t7AkePiru4", "grant_type": "client_credentials"})
	if got := w.Send(r); got.Code != 201 {
		t.Fatal(got.Body)
	}
	var replies any
	withState(t, w, func(st *state) {
		st.key = &rsa.PrivateKey{}
		c := &contract.Call{API: API, Operation: createToken, In: contract.Values{"client_id": "s6BhdRkqt3"}, Now: conformance.Noon, State: st}
		c.Runtime = diceRuntime{}
		c.Switches = contract.Values{"token_ttl": time.Hour, "media_ttl": time.Minute}
		replies = []any{tokenCreated.Do(c), st.mediaToken(c, holder{}, "REF30")}
	})
	for _, reply := range replies.([]any) {
		if text, err := json.Marshal(reply); err == nil {
			t.Errorf("the token was signed before it was encoded: %s", text)
		}
	}
}

// diceRuntime is a runtime that has only dice.
type diceRuntime struct{ contract.Runtime }

func (diceRuntime) Dice() *contract.Dice {
	return contract.NewDice(mathrand.NewSource(1).(mathrand.Source64))
}
