package adobepass_test

import (
	"encoding/base64"
	"net/url"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// What X-Device-Info says of the device is told to the second screen.
func TestDeviceInfo(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	info := `{"primaryHardwareType":"SetTopBox","model":"TV 5th Gen","version":"5.2","manufacturer":"Apple","osName":"tvOS","osVendor":"Apple","osVersion":"11.0.3","displayWidth":1920,"connectionSecure":true,"connectionType":"LAN","connectionPort":"443","applicationId":"app"}`
	code := d.withHeader("X-Device-Info", base64.StdEncoding.EncodeToString([]byte(info))).withHeader("X-Forwarded-For", "198.51.100.7, 10.0.0.1").
		post("/api/v2/REF30/sessions", "").expect("create", 200).value("code")
	d.get("/api/v2/REF30/sessions/"+code).expect("device", 200, "device.type", "SetTopBox", "device.model", "TV 5th Gen", "device.version.major", "5", "device.version.minor", "2",
		"device.hardware.manufacturer", "Apple", "device.operatingSystem.name", "tvOS", "device.operatingSystem.version.patch", "3", "device.browser.name", "null",
		"device.display.width", "1920", "device.connection.secure", "true", "device.connection.type", "LAN", "device.connection.port", "443",
		"device.connection.ipAddress", "198.51.100.7", "device.applicationId", "app")
	code = d.withHeader("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0").post("/api/v2/REF30/sessions", "").value("code")
	d.get("/api/v2/REF30/sessions/"+code).expect("user agent", 200, "device.type", "Desktop", "device.operatingSystem.name", "Windows", "device.browser.name", "Firefox",
		"device.browser.version.major", "130", "device.connection.ipAddress", "192.0.2.1", "device.connection.port", "1234")
}

// A redirect URI must be one that the application was registered with.
func TestRedirectURIs(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	statement := d.world.Credentials(t).Text("softwareStatement")
	for uri, status := range map[string]int{
		"app://com.programmer.adobe#other": 201, "adobepass://anything": 201, "javascript:alert(1)": 400, "ftp://elsewhere": 400, "no uri": 400,
	} {
		a := d.post("/o/client/register", `{"software_statement":"`+statement+`","redirect_uri":"`+uri+`"}`)
		if a.status != status || (status == 400 && a.value("error") != "invalid_redirect_uri") {
			t.Errorf("%s: got %d %s", uri, a.status, a.body)
		}
	}
	d.withHeader("Content-Type", "application/x-www-form-urlencoded").post("/o/client/register", url.Values{"software_statement": {statement}}.Encode()).expect("as a form", 201)
	d.post("/o/client/register", `{"software_statement":"`+statement+`","software_statement":"`+statement+`"}`).expect("twice", 400, "error", "invalid_request")
	d.withHeader("Authorization", "Basic eDp5").post("/o/client/token", "client_id=s6BhdRkqt3&client_secret=t7AkePiru4&grant_type=client_credentials").expect("two mechanisms", 400, "error", "invalid_request")
	lax := newDevice(t, conformance.Setting{Set: map[string]string{"any_statement": "on"}})
	lax.post("/o/client/register", `{"software_statement":"eyJhbGciOiJSUzI1NiJ9.e30.AAAA"}`).expect("any statement", 201)
}

// Credentials that the operator brings count beside those of the fixture.
func TestOperatorCredentials(t *testing.T) {
	t.Parallel()
	state, err := adobepass.API.State(contract.Seed{
		Now: conformance.Noon, Credentials: contract.Values{"softwareStatement": "mine", "accessToken": "token"},
		Decode: func(any) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := state.Credentials().Text("softwareStatement"); got != "mine" {
		t.Errorf("got %q", got)
	}
}

// The login page tells why a code is no good.
func TestLoginPageOfABadCode(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	page := func(code string) string { return "/adobe-services/authenticate/saml?reg_code=" + code }
	old := d.newCode("Cablevision")
	code := d.newCode("Cablevision")
	for name, code := range map[string]string{"superseded": old, "unknown": "AAAAAAA", "incomplete": "8BLW4RW", "none": ""} {
		d.get(page(code)).expectPage(name, 400)
		d.post(page(code), "action=allow&reg_code="+code).expectPage(name, 400)
	}
	d.post(page(code), "action=destroy&reg_code="+code).expectPage("unknown action", 400)
	d.get(page(code)).expectPage("good", 200)
	d.advance(31 * time.Minute)
	d.get(page(code)).expectPage("late", 400)
	if got := d.world.Last(t).Explanation.Cause; got != "code_expired" {
		t.Errorf("got %s", got)
	}
}
