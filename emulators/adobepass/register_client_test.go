package adobepass_test

import (
	"net/url"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

// A redirect URI must be one of the application's.
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
