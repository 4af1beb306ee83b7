package adobepass_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

const (
	authorizeAt    = "/api/v2/REF30/decisions/authorize/"
	preauthorizeAt = "/api/v2/REF30/decisions/preauthorize/"
	profilesAt     = "/api/v2/REF30/profiles/"
	fooBar         = "eyJlbWFpbCI6ImZvb0BiYXIuY29tIn0="
)

func resources(names ...string) string {
	text, _ := json.Marshal(map[string][]string{"resources": names})
	return string(text)
}

// TestTempPassCases are cases 40 to 44.
func TestTempPassCases(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	ends := strconv.FormatInt(conformance.Noon.Add(time.Minute).UnixMilli(), 10)
	a := d.get(profilesAt+"TempPass_TEST40").expect("40", 200, "profiles.TempPass_TEST40.type", "temporary", "profiles.TempPass_TEST40.issuer", "Adobe",
		"profiles.TempPass_TEST40.notAfter", ends, "profiles.TempPass_TEST40.attributes.expiration_date.value", ends)
	if id := a.value("profiles.TempPass_TEST40.attributes.userID.value"); !regexp.MustCompile(`^temppass_[0-9a-f]{40}$`).MatchString(id) {
		t.Errorf("40: got %s", id)
	}
	d.advance(time.Hour) // reading the profile did not start the trial
	d.post(authorizeAt+"TempPass_TEST40", resources("REF30")).expect("41 begins", 200, "decisions.0.authorized", "true", "decisions.0.source", "temppass")
	d.advance(time.Minute - time.Second)
	d.get(profilesAt+"TempPass_TEST40").expect("41 just before the end", 200, "profiles.TempPass_TEST40.type", "temporary")
	d.advance(time.Second)
	d.get(profilesAt+"TempPass_TEST40").expectError("41", 403, "temporary_access_duration_limit_exceeded", "authentication")
	d.post(authorizeAt+"TempPass_TEST40", resources("REF30")).expect("41 decision", 200, "decisions.0.authorized", "false", "decisions.0.source", "temppass",
		"decisions.0.error.code", "temporary_access_duration_limit_exceeded", "decisions.0.error.status", "403", "decisions.0.error.action", "authentication", "decisions.0.token", "-")
	d.post(preauthorizeAt+"TempPass_TEST40", resources("REF30")).expect("41 preauthorize", 200, "decisions.0.error.code", "temporary_access_duration_limit_exceeded")
	d.post("/api/v2/REF30/sessions", "mvpd=TempPass_TEST40").expect("41 sessions still say temporary", 200, "reasonType", "temporary")
	d.withID("fresh").get(profilesAt+"TempPass_TEST40").expect("41 another device", 200)

	d.get(profilesAt+"flexibleTempPass").expectError("42", 400, "invalid_header_identity_for_temporary_access", "none")
	d.post(authorizeAt+"flexibleTempPass", resources("REF30")).expect("43", 200, "decisions.0.authorized", "false", "decisions.0.error.status", "400", "decisions.0.error.code", "invalid_header_identity_for_temporary_access")
	for _, broken := range []string{"%%%", base64.StdEncoding.EncodeToString([]byte("no JSON")), base64.StdEncoding.EncodeToString([]byte(`{"mail":"x"}`))} {
		d.withHeader("Ap-Temppass-Identity", broken).get(profilesAt+"flexibleTempPass").expectError("42 "+broken, 400, "invalid_header_identity_for_temporary_access", "none")
	}
	p := d.withHeader("Ap-Temppass-Identity", fooBar)
	for i := 1; i <= 5; i++ {
		p.post(authorizeAt+"flexibleTempPass", resources(fmt.Sprint("res0", i))).expect("44", 200, "decisions.0.authorized", "true", "decisions.0.source", "temppass")
	}
	p.post(authorizeAt+"flexibleTempPass", resources("res06")).expect("44 the sixth", 200, "decisions.0.authorized", "false", "decisions.0.error.code", "temporary_access_resources_limit_exceeded")
	p.post(authorizeAt+"flexibleTempPass", resources("res01")).expect("44 one of them again", 200, "decisions.0.authorized", "true")
	p.get(profilesAt+"flexibleTempPass").expect("44 profile", 200, "profiles.flexibleTempPass.attributes.remaining_resources.value", "0",
		"profiles.flexibleTempPass.attributes.used_assets.value", `["res01","res02","res03","res04","res05"]`)
	p.withID("elsewhere").post(authorizeAt+"flexibleTempPass", resources("res06")).expect("the identity is known on a new device", 200, "decisions.0.error.code", "temporary_access_resources_limit_exceeded")
	q := d.withHeader("Ap-Temppass-Identity", base64.StdEncoding.EncodeToString([]byte(`{"email":"new@bar.com"}`)))
	q.post(authorizeAt+"flexibleTempPass", resources("res06")).expect("the device is known with a new identity", 200, "decisions.0.error.code", "temporary_access_resources_limit_exceeded")
	d.get(profilesAt+"brokenTempPass").expectError("misconfigured", 500, "invalid_configuration_temporary_access", "configuration")
	d.post(authorizeAt+"brokenTempPass", resources("REF30")).expect("misconfigured decision", 200, "decisions.0.error.status", "500", "decisions.0.error.action", "configuration")
}

// TestDecisionCases are cases 45 to 53.
func TestDecisionCases(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	d.post(authorizeAt+"Cablevision", resources("REF30")).expectError("47", 403, "authenticated_profile_missing", "authentication")
	d.logIn("Cablevision", "")
	a := d.post(authorizeAt+"Cablevision", resources("REF30")).expect("45", 200, "decisions.0.resource", "REF30", "decisions.0.serviceProvider", "REF30", "decisions.0.mvpd", "Cablevision",
		"decisions.0.source", "mvpd", "decisions.0.authorized", "true", "decisions.0.error", "-")
	if number(a.value("decisions.0.token.notAfter"))-number(a.value("decisions.0.token.notBefore")) != 420_000 || number(a.value("decisions.0.notAfter")) < number(a.value("decisions.0.token.notAfter")) {
		t.Errorf("45: got %s", a.body)
	}
	if plain, err := base64.StdEncoding.DecodeString(a.value("decisions.0.token.serializedToken")); err != nil || !strings.HasPrefix(string(plain), "<signatureInfo>") {
		t.Errorf("45: got %s, %v", plain, err)
	}
	a = d.post(authorizeAt+"Cablevision", resources("Live")).expect("46", 200, "decisions.0.authorized", "false", "decisions.0.error.code", "authorization_denied_by_mvpd", "decisions.0.error.status", "403",
		"decisions.0.error.action", "none", "decisions.0.error.details", `Your subscription package does not include the "Live" channel`, "decisions.0.token", "-")
	if a.value("decisions.0.notBefore") == "-" || a.value("decisions.0.notAfter") == "-" {
		t.Errorf("46: got %s", a.body)
	}
	a = d.post(preauthorizeAt+"Cablevision", resources("resource1", "resource2", "resource3")).expect("49", 200, "decisions.0.resource", "resource1", "decisions.0.authorized", "true",
		"decisions.1.resource", "resource2", "decisions.1.authorized", "true", "decisions.2.resource", "resource3", "decisions.2.authorized", "false", "decisions.2.error.code", "preauthorization_denied_by_mvpd")
	if strings.Contains(a.body, "token") || strings.Contains(a.body, "notBefore") {
		t.Errorf("49: got %s", a.body)
	}
	d.post(preauthorizeAt+"Cablevision", resources("1", "2", "3", "4", "5")).expect("50 five", 200)
	d.post(preauthorizeAt+"Cablevision", resources("1", "2", "3", "4", "5", "6")).expectError("50", 403, "too_many_resources", "configuration")
	d.post(authorizeAt+"Cablevision", resources("1", "2")).expectError("50 authorize", 403, "too_many_resources", "configuration")
	for _, body := range []string{`{}`, `{"resources":[]}`, `{"resources":"REF30"}`, `{"resources":[5]}`, `{"resources":[""]}`, `{"resources"`, `["REF30"]`, `{"resources":null}`} {
		d.post(authorizeAt+"Cablevision", body).expectError("53 "+body, 400, "invalid_parameter_resources", "none")
	}
	d.advance(24 * time.Hour)
	d.post(authorizeAt+"Cablevision", resources("REF30")).expectError("48", 403, "authenticated_profile_expired", "authentication")
	d.get("/api/v2/REF30/profiles").expect("48 profiles", 200, "profiles", "{}")
	d.logIn("Cablevision", "child")
	d.post(authorizeAt+"Cablevision", resources("REF30")).expect("a child", 200, "decisions.0.error.code", "authorization_denied_by_parental_controls")
	if err := d.world.Trigger(t, "profile.revoked", contract.Values{"mvpd": "Cablevision"}); err != nil {
		t.Fatal(err)
	}
	d.post(authorizeAt+"Cablevision", resources("REF30")).expectError("revoked", 403, "authenticated_profile_invalidated", "authentication")

	d = newDevice(t, conformance.Setting{Set: map[string]string{"profile_error_item_level": "true"}})
	d.post(authorizeAt+"Cablevision", resources("REF30")).expect("47 by the switch", 200, "decisions.0.authorized", "false", "decisions.0.error.code", "authenticated_profile_missing", "decisions.0.error.status", "403")
}

// TestDegradationCases are cases 51 and 52 and the table of flows.
func TestDegradationCases(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{Fixture: "degraded"})
	const text = "The integration has an AuthZNone rule applied for the requested resources"
	for _, at := range []string{authorizeAt, preauthorizeAt} {
		d.post(at+"Dish", resources("a", "b")).expect("51", 200, "decisions.0.authorized", "false", "decisions.1.authorized", "false", "decisions.0.source", "degradation",
			"decisions.0.error.code", "authorization_denied_by_degradation_rule", "decisions.0.error.message", text,
			"decisions.0.error.details", "The provider asked to turn its users away until noon", "decisions.0.notBefore", "-")
	}
	a := d.post(authorizeAt+"Spectrum", resources("REF30")).expect("52", 200, "decisions.0.authorized", "true", "decisions.0.source", "degradation", "decisions.0.notBefore", "-")
	if a.value("decisions.0.token.serializedToken") == "-" {
		t.Errorf("52: got %s", a.body)
	}
	d.post("/api/v2/REF30/sessions", strings.Replace(complete, "Cablevision", "Spectrum", 1)).expect("AuthZAll leaves sessions alone", 200, "actionName", "authenticate")
	d.get(profilesAt+"Spectrum").expect("AuthZAll leaves profiles alone", 200, "profiles", "{}")
	a = d.post(authorizeAt+"Cablevision", resources("REF30", "apasstest1")).expect("AuthNAll", 200, "decisions.1.authorized", "true")
	if a.value("decisions.0.notAfter") == "-" {
		t.Errorf("AuthNAll: got %s", a.body)
	}
	d.get(profilesAt+"Cablevision").expect("AuthNAll profile", 200, "profiles.Cablevision.type", "degraded", "profiles.Cablevision.issuer", "Adobe")
	d.get("/api/v2/REF30/profiles").expect("degraded profiles are not among all", 200, "profiles", "{}")
	d.get("/api/v2/REF30/logout/Cablevision").expect("AuthNAll logout", 200, "logouts.Cablevision.actionName", "complete")
	if err := d.world.Trigger(t, "degradation", contract.Values{"mvpd": "Cablevision", "rule": "none"}); err != nil {
		t.Fatal(err)
	}
	d.get(profilesAt+"Cablevision").expect("the rule was taken back", 200, "profiles", "{}")
	d.newCode("Cablevision")
}

// TestLogoutCases are cases 54 to 57.
func TestLogoutCases(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	const at = "/api/v2/REF30/logout/"
	d.logIn("Cablevision", "")
	a := d.get(at+"Cablevision?redirectUrl=http%3A%2F%2Fadobe.com%2Fbye%3Fa%3D1%26b").expect("54", 200, "logouts.Cablevision.actionName", "logout", "logouts.Cablevision.actionType", "interactive", "logouts.Cablevision.mvpd", "Cablevision")
	u, err := url.Parse(a.value("logouts.Cablevision.url"))
	if err != nil || u.Host != "sp.auth.adobe.com" || u.Query().Get("mso_id") != "Cablevision" || u.Query().Get("requestor_id") != "REF30" || u.Query().Get("redirect_url") != "http://adobe.com/bye?a=1&b" {
		t.Errorf("54: got %v, %v", u, err)
	}
	d.get("/api/v2/REF30/profiles").expect("54 profiles", 200, "profiles", "{}")
	end := d.get(u.RequestURI())
	if got := end.header.Get("Location"); end.status != 302 || got != "http://adobe.com/bye?a=1&b" {
		t.Errorf("54: got %d %s", end.status, got)
	}
	d.get("/adobe-services/logout?redirect_url=https%3A%2F%2Fevil.example").expectPage("no open redirect", 400)
	d.logIn("Dish", "")
	d.get(at+"Dish?redirectUrl=https%3A%2F%2Fadobe.com").expect("55", 200, "logouts.Dish.actionName", "complete", "logouts.Dish.actionType", "none", "logouts.Dish.url", "-")
	d.get(at+"Dish").expect("56", 200, "logouts.Dish.actionName", "invalid", "logouts.Dish.actionType", "none", "logouts.Dish.url", "-")
	d.get(at+"Dish?redirectUrl=javascript%3Aalert(1)").expectError("bad redirect", 400, "invalid_parameter_redirect_url", "none")
	p := d.withHeader("Ap-Partner-Framework-Status", pfs("granted", "Cablevision", d.world.Sandbox.Clock.Now().Add(time.Hour)))
	p.post(profilesAt+"sso/Apple", "SAMLResponse=PHNhbWw%2BPC9zYW1sPg%3D%3D").expect("57 profile", 201)
	p.get(at+"Cablevision").expect("57", 200, "logouts.Cablevision.actionName", "partner_logout", "logouts.Cablevision.actionType", "partner_interactive", "logouts.Cablevision.url", "-")
	d.get(at+"TempPass_5mins").expect("TempPass", 200, "logouts.TempPass_5mins.actionName", "complete")
}

// pfs returns an AP-Partner-Framework-Status.
func pfs(access, id string, until time.Time) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
		`{"frameworkPermissionInfo":{"accessStatus":%q},"frameworkProviderInfo":{"id":%q,"expirationDate":"%d"}}`, access, id, until.UnixMilli()))
}

// TestPartnerCases are cases 58 to 63.
func TestPartnerCases(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	const at = "/api/v2/REF30/sessions/sso/Apple"
	const both = "domainName=adobe.com&redirectUrl=https%3A%2F%2Fadobe.com"
	hour := conformance.Noon.Add(time.Hour)
	header := "Ap-Partner-Framework-Status"
	good := d.withHeader(header, pfs("granted", "Cablevision", hour))
	good.post(at, both).expect("58", 200, "actionName", "partner_profile", "actionType", "direct", "reasonType", "none", "url", "/api/v2/REF30/profiles/sso/Apple",
		"authenticationRequest.type", "saml", "code", "-", "notBefore", "-", "mvpd", "Cablevision")
	a := d.withHeader(header, pfs("denied", "Cablevision", hour)).post(at, both).expect("59", 200, "actionName", "authenticate", "actionType", "interactive", "reasonType", "pfs_fallback", "mvpd", "Cablevision")
	if a.value("code") == "-" || a.value("notAfter") == "-" {
		t.Errorf("59: got %s", a.body)
	}
	d.post(at, both).expect("59 without a header the MVPD is missing", 200, "actionName", "resume", "reasonType", "pfs_fallback", "missingParameters", `["mvpd"]`)
	good.post(at, "domainName=adobe.com").expect("60", 200, "actionName", "resume", "actionType", "direct", "reasonType", "missing_parameters_fallback", "missingParameters", `["redirectUrl"]`, "mvpd", "Cablevision")
	good.post("/api/v2/REF30/sessions/sso/Foo", both).expectError("61", 400, "invalid_parameter_partner", "none")
	off := newDevice(t, conformance.Setting{Set: map[string]string{"partner_sso": "off"}})
	off.withHeader(header, pfs("granted", "Cablevision", hour)).post(at, both).expect("configuration_fallback", 200, "reasonType", "configuration_fallback", "actionName", "authenticate")

	const profile = "/api/v2/REF30/profiles/sso/Apple"
	const saml = "SAMLResponse=PHNhbWw%2BPC9zYW1sPg%3D%3D"
	for want, status := range map[string]string{
		"invalid_header_pfs_permission_access_not_present":    "",
		"invalid_header_pfs_permission_access_not_determined": pfs("notDetermined", "Cablevision", hour), // 63
		"invalid_header_pfs_permission_access_not_granted":    pfs("restricted", "Cablevision", hour),
		"invalid_header_pfs_provider_id_not_determined":       pfs("granted", "Nobody", hour),
		"invalid_header_pfs_provider_info_expired":            pfs("granted", "Cablevision", conformance.Noon.Add(-time.Second)),
		"invalid_integration":                                 pfs("granted", "Idle", hour),
	} {
		d.withHeader(header, status).post(profile, saml).expectError(want, 400, want, "none")
	}
	good.post(profile, "").expectError("no response", 400, "invalid_parameter_saml_response", "none")
	good.post(profile, "SAMLResponse=%24%24").expectError("no base64", 400, "invalid_parameter_saml_response", "none")
	good.post(profile, saml).expect("62", 201, "profiles.Cablevision.type", "appleSSO", "profiles.Cablevision.issuer", "Apple",
		"profiles.Cablevision.notAfter", strconv.FormatInt(hour.UnixMilli(), 10))
	good.post(at, both).expect("a profile is there", 200, "actionName", "authorize", "reasonType", "authenticated")
	good.get("/api/v2/REF30/profiles").expect("shown with the header", 200, "profiles.Cablevision.type", "appleSSO")
	d.get("/api/v2/REF30/profiles").expect("hidden without it", 200, "profiles", "{}")
	low := newDevice(t, conformance.Setting{Fixture: "degraded"}).withHeader(header, pfs("granted", "Cablevision", hour))
	low.post(profile, saml).expect("degraded", 200, "profiles.Cablevision.type", "degraded")
}

// serviceToken signs an AD-Service-Token as the fixture's issuer does.
func serviceToken(t *testing.T, sub string, key *rsa.PrivateKey) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": "https://sso.example", "sub": sub, "aud": "Adobe", "iat": conformance.Noon.Unix(), "exp": conformance.Noon.Add(time.Hour).Unix(),
	})
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func testKey(t *testing.T, name string) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile("../../fixtures/adobepass/" + name + ".test-key.pem")
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestSingleSignOn is case 15, with every way in which a token can be invalid.
func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	const at = "/api/v2/REF30/sessions"
	good := serviceToken(t, "user-1", testKey(t, "service-token"))
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(good, ".")[1] + "."
	for _, tt := range []struct {
		name, header, first, second, set, want string
	}{
		{"15", "Ad-Service-Token", good, good, "", "authenticatedSSO"},
		{"the user is another", "Ad-Service-Token", good, serviceToken(t, "user-2", testKey(t, "service-token")), "", "none"},
		{"the key is another", "Ad-Service-Token", good, serviceToken(t, "user-1", testKey(t, "signing")), "", "none"},
		{"the key does not matter by the switch", "Ad-Service-Token", good, serviceToken(t, "user-1", testKey(t, "signing")), "service_token_verify", "authenticatedSSO"},
		{"unsigned", "Ad-Service-Token", good, unsigned, "", "none"},
		{"unsigned, and taken by the switch", "Ad-Service-Token", good, unsigned, "service_token_verify", "authenticatedSSO"},
		{"no token", "Ad-Service-Token", good, "nonsense", "", "none"},
		{"platform", "Adobe-Subject-Token", good, good, "", "authenticatedSSO"},
		{"platform by another name", "X-Roku-Reserved-Roku-Connect-Token", "a.b.c.d.e", "a.b.c.d.e", "", "authenticatedSSO"},
		{"platform that cannot be read", "Adobe-Subject-Token", "x.y.z", "x.y.z", "", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := conformance.Setting{}
			if tt.set != "" {
				s.Set = map[string]string{tt.set: "false"}
			}
			d := newDevice(t, s)
			d.withHeader(tt.header, tt.first).logIn("Cablevision", "")
			second := d.withID("second").withHeader(tt.header, tt.second)
			second.post(at, complete).expect("create", 200, "reasonType", tt.want)
			d.withHeader(tt.header, tt.first).post(at, complete).expect("the first device", 200, "reasonType", "authenticated")
			if tt.want == "none" {
				second.get("/api/v2/REF30/profiles").expect("profiles", 200, "profiles", "{}")
				return
			}
			kind := "serviceTokenSSO"
			if tt.header != "Ad-Service-Token" {
				kind = "platformSSO"
			}
			second.get(profilesAt+"Cablevision").expect("profile", 200, "profiles.Cablevision.type", kind, "profiles.Cablevision.issuer", "Cablevision", "profiles.Cablevision.attributes.mvpd.value", "Cablevision")
			second.post(authorizeAt+"Cablevision", resources("REF30")).expect("decision", 200, "decisions.0.authorized", "true")
			second.get("/api/v2/REF30/logout/Cablevision").expect("single logout", 200, "logouts.Cablevision.actionName", "logout")
			d.get("/api/v2/REF30/profiles").expect("the first device is logged out too", 200, "profiles", "{}")
		})
	}
}

// TestConfigurationCase is case 64.
func TestConfigurationCase(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	d.identifier = ""
	a := d.get("/api/v2/REF30/configuration/").expect("64", 200, "requestor.id", "REF30", "requestor.mvpds.1.id", "TempPass_TEST40", "requestor.mvpds.1.isTempPass", "true", "requestor.mvpds.0.isTempPass", "-")
	if strings.Contains(a.body, "Idle") || !strings.Contains(a.body, `"id":"Cablevision"`) {
		t.Errorf("64: got %s", a.body)
	}
}

// TestRateLimitCase is case 65: the timeline that the page prints.
func TestRateLimitCase(t *testing.T) {
	t.Parallel()
	// The sandbox's clock is frozen.
	var wall atomic.Int64
	d := newDevice(t, conformance.Setting{
		Set:  map[string]string{"throttle": "true"},
		Wall: func() time.Time { return conformance.Noon.Add(time.Duration(wall.Load())) },
	})
	at := func(tenths int) { wall.Store(int64(tenths) * int64(100*time.Millisecond)) }
	poll := func(d *device, tenths int, want int) answer {
		a := d.get("/api/v2/REF30/configuration")
		if a.status != want {
			t.Errorf("at %d tenths: got %d, want %d", tenths, a.status, want)
		}
		return a
	}
	poll(d, 0, 200)
	for _, tenths := range []int{3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 21, 22} {
		at(tenths)
		poll(d, tenths, 200)
	}
	for _, tenths := range []int{24, 26, 28} {
		at(tenths)
		a := poll(d.withHeader("Origin", "https://app.example"), tenths, 429)
		if len(a.body) != 166 || a.header.Get("Content-Type") != "text/html" || a.header.Get("Retry-After") != "" || a.header.Get("Server") != "openresty" ||
			a.header.Get("Access-Control-Allow-Origin") != "https://app.example" {
			t.Errorf("got %v, %d bytes", a.header, len(a.body))
		}
	}
	poll(d.withHeader("X-Forwarded-For", "198.51.100.7, 192.0.2.1"), 28, 200) // another device behind the same server
	at(31)
	poll(d, 31, 200)
	if a := d.send(d.request("OPTIONS", "/api/v2/REF30/configuration", "")); a.status != 200 {
		t.Errorf("the rate limit refused a preflight: %d", a.status)
	}
}
