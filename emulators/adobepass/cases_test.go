package adobepass_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestRegistrationCases are cases 1 to 8.
func TestRegistrationCases(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	d.token = ""
	statement := d.world.Credentials(t).Text("softwareStatement")
	a := d.post("/o/client/register", `{"software_statement":"`+statement+`"}`).
		expect("1", 201, "grant_types", `["client_credentials"]`, "scopes", `["api:client:v2"]`, "client_id_issued_at", strconv.FormatInt(conformance.Noon.Unix(), 10))
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("1: got Cache-Control %q", a.header.Get("Cache-Control"))
	}
	if again := d.post("/o/client/register", `{"software_statement":"`+statement+`"}`); again.value("client_id") == a.value("client_id") {
		t.Error("1: registering again gave the same client")
	}
	d.post("/o/client/register", `{}`).expect("2", 400, "error", "invalid_request")
	signed, signature, _ := splitLast(statement)
	d.post("/o/client/register", `{"software_statement":"`+signed+"."+strings.ToUpper(signature)+`"}`).expect("3", 400, "error", "invalid_software_statement")
	d.post("/o/client/register", `{"software_statement":"no.jws"}`).expect("3 no JWS", 400, "error", "invalid_software_statement")
	d.post("/o/client/register", `{"software_statement":"eyJhbGciOiJSUzI1NiJ9.e30.AAAA"}`).expect("4", 400, "error", "unapproved_software_statement")

	form := "client_id=" + a.value("client_id") + "&client_secret=" + a.value("client_secret") + "&grant_type=client_credentials"
	tok := d.post("/o/client/token", form).expect("5", 201, "token_type", "bearer", "expires_in", "21600", "created_at", strconv.FormatInt(conformance.Noon.UnixMilli(), 10))
	head, payload := decodeToken(t, tok.value("access_token"))
	if head != `{"alg":"RS256"}` {
		t.Errorf("5: got header %s", head)
	}
	iat := strconv.FormatInt(conformance.Noon.Unix(), 10)
	exp := strconv.FormatInt(conformance.Noon.Unix()+21600, 10)
	if want := `{"sub":"` + a.value("client_id") + `","nbf":` + iat + `,"iss":"auth.adobe.com","scopes":"api:client:v2","exp":` + exp + `,"iat":` + iat + `}`; payload != want {
		t.Errorf("5: got %s, want %s", payload, want)
	}
	d.post("/o/client/token?"+form, "").expect("6", 201, "token_type", "bearer")
	d.post("/o/client/token", strings.Replace(form, "client_credentials", "password", 1)).expect("7", 400, "error", "unsupported_grant_type")
	d.post("/o/client/token", strings.Replace(form, a.value("client_secret"), "wrong", 1)).expect("8", 400, "error", "invalid_client")
	d.post("/o/client/token", form+"&client_id=again").expect("8 repeated", 400, "error", "invalid_request")
	d.post("/o/client/token", "client_id=x&grant_type=client_credentials").expect("8 without secret", 400, "error", "invalid_request")
	d.withHeader("X-Device-Info", "e30=").post("/o/client/token", form+"&X-Device-Info=e30%3D").expect("a header's name in the form", 201, "token_type", "bearer")
	d.withHeader("Content-Type", "text/xml").post("/o/client/register", `<a/>`).expect("another type", 400, "error", "invalid_request", "status", "-")
	for _, at := range []string{"/o/client/register", "/o/client/token"} {
		d.post(at, strings.Repeat("x", 10<<20+1)).expect("too large", 400, "error", "invalid_request", "status", "-")
	}
}

func splitLast(jws string) (before, after string, ok bool) {
	at := strings.LastIndexByte(jws, '.')
	return jws[:at], jws[at+1:], true
}

func decodeToken(t *testing.T, token string) (header, payload string) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("got %s", token)
	}
	h, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(h), string(p)
}

// TestCreateCases are cases 9 to 24 and 66.
func TestCreateCases(t *testing.T) {
	t.Parallel()
	const path = "/api/v2/REF30/sessions"
	d := newDevice(t, conformance.Setting{})
	a := d.post(path, complete).expect("9", 200, "actionName", "authenticate", "actionType", "interactive", "reasonType", "none", "mvpd", "Cablevision", "serviceProvider", "REF30", "missingParameters", "-")
	if code := a.value("code"); !regexp.MustCompile(`^[0-9A-Z]{7}$`).MatchString(code) || a.value("url") != "/api/v2/authenticate/REF30/"+code {
		t.Errorf("9: got %s", a.body)
	}
	var times struct{ NotBefore, NotAfter string } // decoding fails for numbers
	if err := json.Unmarshal([]byte(a.body), &times); err != nil {
		t.Error(err)
	}
	if from, until := number(times.NotBefore), number(times.NotAfter); until-from != 1_800_000 || from != conformance.Noon.UnixMilli() {
		t.Errorf("9: got %v", times)
	}
	if !uuid.MatchString(a.value("sessionId")) || a.header.Get("Content-Type") != "application/json;charset=UTF-8" {
		t.Errorf("9: got %s, %s", a.header, a.body)
	}
	a = d.post(path, "").expect("10", 200, "actionName", "resume", "actionType", "direct", "reasonType", "none", "missingParameters", `["mvpd","domain","redirectUrl"]`, "mvpd", "-")
	if a.value("url") != "/api/v2/REF30/sessions/"+a.value("code") {
		t.Errorf("10: got %s", a.body)
	}
	d.post(path, "mvpd=Cablevision&domainName=adobe.com").expect("11", 200, "actionName", "resume", "missingParameters", `["redirectUrl"]`, "mvpd", "Cablevision")

	d.logIn("Cablevision", "")
	d.post(path, complete).expect("12", 200, "actionName", "authorize", "actionType", "direct", "reasonType", "authenticated", "url", "/api/v2/REF30/decisions/authorize/Cablevision",
		"code", "-", "notBefore", "-", "notAfter", "-", "missingParameters", "-")
	d.post(path, "mvpd=Cablevision").expect("12 with the MVPD alone", 200, "reasonType", "authenticated")
	d.post(path, "mvpd=TempPass_TEST40").expect("13", 200, "actionName", "authorize", "actionType", "direct", "reasonType", "temporary", "url", "/api/v2/REF30/decisions/authorize/TempPass_TEST40")
	newDevice(t, conformance.Setting{Fixture: "degraded"}).post(path, complete).expect("14", 200, "actionName", "authorize", "actionType", "direct", "reasonType", "degraded")

	d.post("/api/v2/NOPE/sessions", complete).expectError("16", 400, "invalid_parameter_service_provider", "none").
		expect("16", 400, "message", "The service provider parameter value is missing or invalid.")
	d.post(path, strings.Replace(complete, "Cablevision", "Nowhere", 1)).expectError("17", 400, "invalid_parameter_mvpd", "none")
	d.post(path, strings.Replace(complete, "Cablevision", "Idle", 1)).expectError("18", 400, "invalid_integration", "none")
	anonymous := d.withID("")
	anonymous.identifier = ""
	anonymous.post(path, complete).expectError("19", 400, "invalid_header_device_identifier", "none")
	anonymous.withHeader("Ap-Device-Identifier", "uuid YWJj").post(path, complete).expectError("20", 400, "invalid_header_device_identifier", "none")
	sample := "ewoJInByaW1hcnlIYXJkd2FyZVR5cGUiOiAiU2V0VG9wQm94IiwKCSJtb2RlbCI6ICJUViA1dGggR2VuIiwKCSJtYW51ZmFjdHVyZXIiOiAiQXBwbGUiLAoJIm9zTmFtZSI6ICJ0dk9TIgoJIm9zVmVuZG9yIjogIkFwcGxlIiwKCSJvc1ZlcnNpb24iOiAiMTEuMCIKfQ=="
	d.withHeader("X-Device-Info", sample).post(path, complete).expect("21", 200)

	tokenless := d.withID("")
	tokenless.token = ""
	if got := tokenless.post(path, complete).expectError("22", 401, "invalid_access_token_client_application", "application-registration").header.Get("Www-Authenticate"); got != `Bearer error="invalid_token"` {
		t.Errorf("22: got WWW-Authenticate %q", got)
	}
	fresh := d.register()
	fresh.post(path, complete).expect("22 fresh", 200)
	fresh.advance(6*time.Hour - time.Second)
	fresh.post(path, complete).expect("22 just before its end", 200)
	fresh.advance(time.Second)
	fresh.post(path, complete).expectError("22 expired", 401, "invalid_access_token_client_application", "application-registration")

	limited := d.withID("")
	limited.token = limitedToken(t, d)
	limited.post("/api/v2/apasstest1/sessions", complete).expect("23 where it is linked", 200)
	limited.post(path, complete).expectError("23", 401, "invalid_access_token_service_provider", "application-registration")

	put := d.send(d.request(http.MethodPut, path, "")).expectError("24", 405, "invalid_http_method", "none")
	if put.header.Get("Allow") != "POST, OPTIONS" || put.header.Get("Content-Type") != "application/json;charset=UTF-8" {
		t.Errorf("24: got %v", put.header)
	}

	d = newDevice(t, conformance.Setting{})
	first, second := d.newCode("Cablevision"), d.newCode("Cablevision")
	if first == second {
		t.Error("66: the second code is the first")
	}
	d.get(path+"/"+first).expectError("66", 400, "invalid_authentication_session", "none")
	d.get(path+"/"+second).expect("66 the second", 200)
	d = newDevice(t, conformance.Setting{Set: map[string]string{"new_code_voids_old": "false"}})
	first = d.newCode("Cablevision")
	d.newCode("Cablevision")
	d.get(path+"/"+first).expect("66 by the switch", 200)
}

func number(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }

// limitedToken returns the fixture's token that is valid for apasstest1 only.
func limitedToken(t *testing.T, d *device) string {
	t.Helper()
	raw, err := d.world.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var world struct {
		Tokens []struct{ Token string } `json:"tokens"`
	}
	if err := json.Unmarshal(raw, &world); err != nil {
		t.Fatal(err)
	}
	return world.Tokens[1].Token
}

// TestSessionCases are cases 25 to 39.
func TestSessionCases(t *testing.T) {
	t.Parallel()
	const path = "/api/v2/REF30/sessions"
	d := newDevice(t, conformance.Setting{})
	screen := d.withID("")
	screen.identifier = "" // 28: a second screen needs no device identifier
	made := d.post(path, "")
	code := made.value("code")
	d.get(path+"/"+code).expect("30", 200, "existingParameters", `{"serviceProvider":"REF30"}`, "missingParameters", `["mvpd","domain","redirectUrl"]`,
		"device.display.name", "DISPLAY", "device.applicationId", "null", "notBefore", made.value("notBefore"), "notAfter", made.value("notAfter"))
	screen.post(path+"/"+code, "mvpd=Cablevision&domainName=adobe.com").expect("26", 200, "actionName", "retry", "actionType", "direct", "reasonType", "none",
		"missingParameters", `["redirectUrl"]`, "url", path+"/"+code, "mvpd", "Cablevision")
	screen.get("/api/v2/authenticate/REF30/"+code).expectPage("34", 400)
	screen.post(path+"/"+code, "redirectUrl=https%3A%2F%2Fadobe.com").expect("27", 200, "actionName", "authenticate", "actionType", "interactive", "reasonType", "none",
		"code", code, "sessionId", made.value("sessionId"), "notBefore", made.value("notBefore"), "notAfter", made.value("notAfter"))
	d.post(path+"/AAAAAAA", complete).expectError("29", 400, "invalid_authentication_session", "none")
	d.post(path+"/abc", complete).expectError("29 malformed", 400, "invalid_parameter_code", "none")

	d = newDevice(t, conformance.Setting{})
	code = d.post(path, complete).value("code")
	d.post(path+"/"+code, complete).expect("25", 200, "actionName", "authenticate", "code", code, "url", "/api/v2/authenticate/REF30/"+code)
	d.get(path+"/"+code).expect("31", 200, "missingParameters", "-", "existingParameters", `{"domainName":"adobe.com","mvpd":"Cablevision","redirectUrl":"https://adobe.com","serviceProvider":"REF30"}`)
	d.get("/api/v2/apasstest1/sessions/"+code).expectError("31 another provider", 400, "invalid_authentication_session", "none")
	d.get("/api/v2/REF30/profiles/code/"+code).expect("35", 200, "profiles", "{}")
	browser := d.withID("")
	browser.identifier, browser.token = "", ""
	sent := browser.get("/api/v2/authenticate/REF30/" + code)
	want := "http://sp.auth.adobe.com/adobe-services/authenticate/saml?noflash=true&mso_id=Cablevision&requestor_id=REF30&no_iframe=false&domain_name=adobe.com&redirect_url=https%3A%2F%2Fadobe.com&reg_code=" + code
	if got := sent.header.Get("Location"); sent.status != 302 || got != want {
		t.Errorf("33: got %d %s, want %s", sent.status, got, want)
	}
	d.logInAt(code)
	d.get("/api/v2/REF30/profiles/code/"+code).expect("36", 200, "profiles.Cablevision.issuer", "Cablevision", "profiles.Cablevision.type", "regular",
		"profiles.Cablevision.notBefore", strconv.FormatInt(conformance.Noon.UnixMilli(), 10),
		"profiles.Cablevision.notAfter", strconv.FormatInt(conformance.Noon.Add(24*time.Hour).UnixMilli(), 10), "profiles.Cablevision.attributes.userID.state", "plain")
	d.post(path+"/"+code, complete).expect("a session that is done is resumed", 200, "actionName", "authorize", "reasonType", "authenticated", "code", "-")
	d.withID("another").get("/api/v2/REF30/profiles").expect("37", 200, "profiles", "{}")
	d.register().get("/api/v2/REF30/profiles").expect("38", 200, "profiles", "{}")
	d.get("/api/v2/apasstest1/profiles").expect("another service provider", 200, "profiles", "{}")
	d.logIn("Spectrum", "")
	d.get("/api/v2/REF30/profiles").expect("39", 200, "profiles.Cablevision.type", "regular", "profiles.Spectrum.type", "regular")

	code = d.withID("late").newCode("Cablevision")
	d.advance(30*time.Minute - time.Second)
	d.get(path+"/"+code).expect("32 just before", 200)
	d.advance(2 * time.Second)
	d.get(path+"/"+code).expectError("32", 400, "invalid_authentication_session", "none")
}

// expectPage checks that the answer is an HTML page, and not JSON.
func (a answer) expectPage(what string, status int) answer {
	a.t.Helper()
	if a.status != status || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.HasPrefix(a.body, "<!DOCTYPE html>") {
		a.t.Errorf("%s: got %d %s %s", what, a.status, a.header.Get("Content-Type"), a.body)
	}
	if len(a.header["Set-Cookie"]) > 0 || a.header.Get("X-Frame-Options") != "" {
		a.t.Errorf("%s: a page sets a cookie or forbids frames: %v", what, a.header)
	}
	return a
}

func (d *device) logInAt(code string) {
	d.t.Helper()
	if err := d.world.Trigger(d.t, "login", map[string]any{"code": code}); err != nil {
		d.t.Fatal(err)
	}
}
