package adobepass_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// Bad input gets a documented error. The answer contains no markup of the
// request, and the state stays.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const at = "/api/v2/REF30/sessions"
	redirect := func(u string) string {
		return "mvpd=Cablevision&domainName=adobe.com&redirectUrl=" + url.QueryEscape(u)
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, tt := range map[string]struct {
		method, target, body, header, value string
		status                              int
		code                                string
	}{
		"a redirect of 100 KB":          {"POST", at, redirect("https://adobe.com/" + strings.Repeat("a", 100<<10)), "", "", 400, "invalid_parameter_redirect_url"},
		"javascript":                    {"POST", at, redirect("javascript:alert(1)"), "", "", 400, "invalid_parameter_redirect_url"},
		"JavaScript in another case":    {"POST", at, redirect("JavaScript:alert(1)"), "", "", 400, "invalid_parameter_redirect_url"},
		"data":                          {"POST", at, redirect("data:text/html,hi"), "", "", 400, "invalid_parameter_redirect_url"},
		"vbscript":                      {"POST", at, redirect("vbscript:x"), "", "", 400, "invalid_parameter_redirect_url"},
		"file":                          {"POST", at, redirect("file:///etc/passwd"), "", "", 400, "invalid_parameter_redirect_url"},
		"blob":                          {"POST", at, redirect("blob:https://adobe.com/1"), "", "", 400, "invalid_parameter_redirect_url"},
		"a relative redirect":           {"POST", at, redirect("/home"), "", "", 400, "invalid_parameter_redirect_url"},
		"a redirect without a host":     {"POST", at, redirect("https:///x"), "", "", 400, "invalid_parameter_redirect_url"},
		"a host with markup":            {"POST", at, redirect(`https://a<b>"c/`), "", "", 400, "invalid_parameter_redirect_url"},
		"a host with a blank":           {"POST", at, redirect("https://a b/"), "", "", 400, "invalid_parameter_redirect_url"},
		"a host with a line end":        {"POST", at, redirect("https://a\r\nX: y/"), "", "", 400, "invalid_parameter_redirect_url"},
		"a host with a backslash":       {"POST", at, redirect(`https://adobe.com\@evil.example/`), "", "", 400, "invalid_parameter_redirect_url"},
		"a domain of 10 KB":             {"POST", at, "domainName=" + strings.Repeat("a", 10<<10), "", "", 400, "invalid_domain"},
		"broken percent":                {"POST", at, "mvpd=%zz", "", "", 400, "bad_request"},
		"a logout to a broken percent":  {"GET", "/api/v2/REF30/logout/Cablevision?redirectUrl=%zz", "", "", "", 400, "invalid_parameter_redirect_url"},
		"JSON for a form":               {"POST", at, `{"mvpd":"Cablevision"}`, "", "", 400, "bad_request"},
		"an MVPD of markup":             {"POST", at, "mvpd=%3Cscript%3E", "", "", 400, "invalid_parameter_mvpd"},
		"an unknown code":               {"GET", at + "/AAAAAAA", "", "", "", 400, "invalid_authentication_session"},
		"a code of another provider":    {"GET", "/api/v2/apasstest1/sessions/8BLW4RW", "", "", "", 400, "invalid_authentication_session"},
		"a code in lower case":          {"GET", at + "/8blw4rw", "", "", "", 400, "invalid_parameter_code"},
		"a code of markup":              {"GET", at + "/%3Cscript%3E", "", "", "", 400, "invalid_parameter_code"},
		"a provider called like a path": {"POST", "/api/v2/authenticate/sessions", complete, "", "", 400, "invalid_parameter_service_provider"},
		"an empty provider":             {"GET", "/api/v2//configuration", "", "", "", 400, "invalid_parameter_service_provider"},
		"an unknown path":               {"GET", "/api/v2/REF30/nothing", "", "", "", 404, "not_found"},
		"no path":                       {"GET", "/", "", "", "", 404, "not_found"},
		"the verb first":                {"GET", "/api/v2/logout/REF30/TempPass_5mins", "", "", "", 404, "not_found"},
		"DELETE":                        {"DELETE", at, "", "", "", 405, "invalid_http_method"},
		"HEAD":                          {"HEAD", at, "", "", "", 405, "invalid_http_method"},
		"a device of no base64":         {"POST", at, complete, "AP-Device-Identifier", "fingerprint ***", 400, "invalid_header_device_identifier"},
		"a device of nothing":           {"POST", at, complete, "AP-Device-Identifier", "fingerprint ", 400, "invalid_header_device_identifier"},
		"a device of 10 KB":             {"POST", at, complete, "AP-Device-Identifier", "fingerprint " + b64(strings.Repeat("x", 10<<10)), 400, "invalid_header_device_identifier"},
		"a device info of no base64":    {"POST", at, complete, "X-Device-Info", "{}", 400, "invalid_header_device_info"},
		"a device info of 10 KB":        {"POST", at, complete, "X-Device-Info", b64(strings.Repeat("x", 10<<10)), 400, "invalid_header_device_info"},
		"no bearer":                     {"POST", at, complete, "Authorization", "Basic YTpi", 401, "invalid_access_token_client_application"},
		"a bearer of nothing":           {"POST", at, complete, "Authorization", "Bearer ", 401, "invalid_access_token_client_application"},
		"a bearer of dots":              {"POST", at, complete, "Authorization", "Bearer ...", 401, "invalid_access_token_client_application"},
		"a bearer of no algorithm":      {"POST", at, complete, "Authorization", "Bearer " + unsigned(), 401, "invalid_access_token_client_application"},
		"a partner status of no JSON":   {"POST", "/api/v2/REF30/profiles/sso/Apple", "SAMLResponse=YQ%3D%3D", "AP-Partner-Framework-Status", b64("{"), 400, "invalid_header_pfs_permission_access_not_present"},
		"a partner status of no base64": {"POST", "/api/v2/REF30/profiles/sso/Apple", "SAMLResponse=YQ%3D%3D", "AP-Partner-Framework-Status", "***", 400, "invalid_header_pfs_permission_access_not_present"},
		"no expiry":                     {"POST", "/api/v2/REF30/profiles/sso/Apple", "SAMLResponse=YQ%3D%3D", "AP-Partner-Framework-Status", b64(`{"frameworkPermissionInfo":{"accessStatus":"granted"},"frameworkProviderInfo":{"id":"Cablevision"}}`), 400, "invalid_header_pfs_provider_info_expired"},
		"an identity of no JSON":        {"GET", "/api/v2/REF30/profiles/flexibleTempPass", "", "AP-TempPass-Identity", b64("x"), 400, "invalid_header_identity_for_temporary_access"},
		"257 resources":                 {"POST", preauthorizeAt + "Cablevision", resources(strings.Split(strings.Repeat("a ", 256)+"a", " ")...), "", "", 400, "invalid_parameter_resources"},
		"a resource of 10 KB":           {"POST", authorizeAt + "Cablevision", resources(strings.Repeat("a", 10<<10)), "", "", 400, "invalid_parameter_resources"},
		"deep JSON":                     {"POST", authorizeAt + "Cablevision", `{"resources":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "}", "", "", 400, "invalid_parameter_resources"},
		"resources twice":               {"POST", authorizeAt + "Cablevision", `{"resources":["a"],"resources":["b"]}`, "", "", 400, "invalid_parameter_resources"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDevice(t, conformance.Setting{})
			before := snapshot(t, d)
			r := d.request(tt.method, tt.target, tt.body)
			if strings.Contains(tt.target, "//") { // httptest reads it as a host
				r = httptest.NewRequest(tt.method, "http://sp.auth.adobe.com"+tt.target, nil)
				r.RequestURI = tt.target
				r.Header.Set("Authorization", "Bearer "+d.token)
			}
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			a := d.send(r)
			if tt.method == http.MethodHead {
				a.expect(name, tt.status)
			} else {
				a.expect(name, tt.status, "code", tt.code, "status", fmt.Sprint(tt.status))
			}
			if strings.Contains(a.body, "<script") || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
				t.Errorf("got %v %s", a.header, a.body)
			}
			if a.header.Get("Access-Control-Allow-Credentials") != "true" {
				t.Errorf("no CORS headers: %v", a.header)
			}
			if after := snapshot(t, d); after != before {
				t.Errorf("the state changed:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

func unsigned() string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"s6BhdRkqt3","exp":9999999999,"scopes":"api:client:v2"}`)) + "."
}

func snapshot(t testing.TB, d *device) string {
	t.Helper()
	raw, err := d.world.Instance(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Unusual but valid input is accepted.
func TestLenientInput(t *testing.T) {
	t.Parallel()
	const at = "/api/v2/REF30/sessions"
	d := newDevice(t, conformance.Setting{})
	d.post(at, complete+"&mvpd=Spectrum&redirectUrl=javascript%3Ax").expect("the first value of a repeated key counts", 200, "mvpd", "Cablevision")
	d.post(at, strings.Replace(complete, "domainName", "domain", 1)).expect("domain", 200, "actionName", "authenticate")
	d.post(at, complete+"&other=1&=&&").expect("unknown names", 200, "actionName", "authenticate")
	d.post(at, strings.NewReplacer("mvpd", "%6Dvpd", "domainName", "domain%4eame").Replace(complete)).expect("names in percent", 200, "actionName", "authenticate")
	d.post(at+"/", complete).expect("a trailing slash", 200)
	d.post(at, strings.Replace(complete, "https%3A%2F%2Fadobe.com", "adbe.TTIFAaWuR-CmxXv1Di8PlQ%3A%2F%2F", 1)).expect("a scheme of the application's own", 200, "actionName", "authenticate")
	d.withHeader("Content-Type", "application/x-www-form-urlencoded; charset=utf-8").post(at, complete).expect("a charset", 200)
	d.withHeader("Authorization", "bearer "+d.token).post(at, complete).expect("bearer in lower case", 200)
	d.withHeader("Ap-Device-Identifier", "Fingerprint "+strings.TrimRight(strings.TrimPrefix(d.identifier, "fingerprint "), "=")).post(at, complete).expect("no padding", 200)
	d.withHeader("Ap-Device-Identifier", "fingerprint "+base64.URLEncoding.EncodeToString([]byte{0xff, 0xfe, 0, '<'})).post(at, complete).expect("odd bytes", 200)
	d.withHeader("X-Device-Info", base64.StdEncoding.EncodeToString([]byte("no JSON"))).post(at, complete).expect("a device info of no JSON", 200)
	strict := newDevice(t, conformance.Setting{Set: map[string]string{"strict_device_info": "on"}})
	strict.post(at, complete).expectError("strict, without", 400, "invalid_header_device_info", "none")
	strict.withHeader("X-Device-Info", base64.StdEncoding.EncodeToString([]byte(`{"model":"a"}`))).post(at, complete).expectError("strict, incomplete", 400, "invalid_header_device_info", "none")
	strict.withHeader("X-Device-Info", base64.StdEncoding.EncodeToString([]byte(`{"model":"a","version":"1","osName":"tvOS","osVersion":"11","connectionType":"LAN"}`))).post(at, complete).expect("strict, complete", 200)
	domains := newDevice(t, conformance.Setting{Set: map[string]string{"strict_domains": "on"}})
	domains.post(at, complete).expect("a domain that is registered", 200)
	domains.post(at, strings.Replace(complete, "=adobe.com", "=evil.example", 1)).expectError("another domain", 400, "invalid_domain", "none")
	domains.post(at, strings.Replace(complete, "%2Fadobe.com", "%2Fevil.example", 1)).expectError("another host", 400, "invalid_parameter_redirect_url", "none")
	media := newDevice(t, conformance.Setting{Set: map[string]string{"unsupported_media_type": "415"}})
	media.post(at, `{}`).expectError("unsupported_media_type", 415, "bad_request", "none")
	names := newDevice(t, conformance.Setting{Set: map[string]string{"missing_domain_name": "domainName", "existing_domain_name": "domain"}})
	code := names.post(at, "redirectUrl=https%3A%2F%2Fadobe.com").expect("names", 200, "missingParameters", `["mvpd","domainName"]`).value("code")
	names.post(at+"/"+code, "domainName=adobe.com").expect("names", 200, "missingParameters", `["mvpd"]`)
	names.get(at+"/"+code).expect("names", 200, "existingParameters.domain", "adobe.com")
}

// FuzzRequest sends arbitrary requests. Nothing panics, every answer is one of
// the operation's, and no page contains markup of the request.
func FuzzRequest(f *testing.F) {
	for _, op := range adobepass.API.Operations {
		f.Add(op.Method, strings.NewReplacer("{serviceProvider}", "REF30", "{code}", "8BLW4RW", "{mvpd}", "Cablevision", "{partner}", "Apple").Replace(op.Path), complete, "application/x-www-form-urlencoded", "x", "e30=")
	}
	f.Add("POST", authorizeAt+"Cablevision", resources("REF30"), "application/json", "", fooBar)
	f.Add("POST", "/adobe-services/authenticate/saml?reg_code=8KHP9RW", "reg_code=8KHP9RW&action=allow&username=%3Cscript%3E", "application/x-www-form-urlencoded", "", "")
	f.Add("GET", "/api/v2/authenticate/REF30/%3Cscript%3E", "", "", "", pfs("granted", "Cablevision", conformance.Noon.Add(time.Hour)))
	w := conformance.New(f, adobepass.API, conformance.Setting{Auth: contract.Off})
	f.Fuzz(func(t *testing.T, method, target, body, media, token, payload string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "/@") || strings.ContainsAny(method, " \t\r\n/") || method == "" {
			return
		}
		r := &http.Request{Method: method, URL: u, RequestURI: target, Host: "sp.auth.adobe.com", Header: http.Header{}, RemoteAddr: "192.0.2.1:1", Body: http.NoBody}
		if body != "" {
			r = httptest.NewRequest("POST", "http://sp.auth.adobe.com/", strings.NewReader(body))
			r.Method, r.URL, r.RequestURI = method, u, target
		}
		for name, value := range map[string]string{
			"Content-Type": media, "Authorization": "Bearer " + token, "Ap-Device-Identifier": "fingerprint " + payload, "X-Device-Info": payload,
			"Ap-Partner-Framework-Status": payload, "Ap-Temppass-Identity": payload, "Ad-Service-Token": token, "Adobe-Subject-Token": token,
		} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		a := w.Send(r)
		if a.Code == gateway.StatusProblem && strings.Contains(a.Body.String(), "understudy failed") {
			t.Fatalf("%s", a.Body)
		}
		if strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") && strings.Contains(a.Body.String(), "<script") {
			t.Errorf("markup came back: %s", a.Body)
		}
	})
}

// FuzzBearer sends arbitrary access tokens. Only the world's own tokens are
// accepted.
func FuzzBearer(f *testing.F) {
	f.Add(unsigned())
	f.Add("eyJhbGciOiJSUzI1NiJ9.e30.")
	f.Add("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzNkJoZFJrcXQzIn0.AAAA")
	f.Add("a.b.c")
	w := conformance.New(f, adobepass.API, conformance.Setting{})
	known := w.Credentials(f).Text("accessToken")
	f.Add(known)
	f.Add(known[:len(known)-2])
	f.Fuzz(func(t *testing.T, token string) {
		r := httptest.NewRequest("GET", "http://sp.auth.adobe.com/api/v2/REF30/configuration", nil)
		r.Header["Authorization"] = []string{"Bearer " + token}
		a := w.Send(r)
		if want := strings.TrimSpace(token) == known; (a.Code == 200) != want || (a.Code != 200 && a.Code != 401) {
			t.Errorf("%q: got %d %s", token, a.Code, a.Body)
		}
	})
}
