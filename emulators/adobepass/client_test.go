package adobepass_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A device is a streaming device with an application. The values of the
// documented samples are the default.
type device struct {
	t            *testing.T
	world        *conformance.World
	identifier   string      // AP-Device-Identifier
	token        string      // bearer
	extraHeaders http.Header // further headers of every request
}

// newDevice makes the device of the samples in a new world.
func newDevice(t *testing.T, s conformance.Setting) *device {
	t.Helper()
	return deviceIn(t, conformance.New(t, adobepass.API, s))
}

// deviceIn makes the device of the samples in a world.
func deviceIn(t *testing.T, w *conformance.World) *device {
	t.Helper()
	return &device{t: t, world: w, identifier: fingerprint("ba23d141-d715-561c-94f4-e9e4c966b1eb"), token: w.Credentials(t).Text("accessToken"), extraHeaders: http.Header{}}
}

func fingerprint(id string) string {
	return "fingerprint " + base64.StdEncoding.EncodeToString([]byte(id))
}

// withID returns a copy of the device with another identifier, or with the same
// one where id is "".
func (d *device) withID(id string) *device {
	e := *d
	e.extraHeaders = d.extraHeaders.Clone()
	if id != "" {
		e.identifier = fingerprint(id)
	}
	return &e
}

// withHeader returns a copy of the device that sends one more header with every
// request.
func (d *device) withHeader(name, value string) *device {
	e := d.withID("")
	e.extraHeaders.Set(name, value)
	return e
}

// An answer is the response to a request.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (d *device) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, "http://sp.auth.adobe.com"+target, strings.NewReader(body))
	r.RequestURI = target
	r.RemoteAddr = "192.0.2.1:1234"
	if d.token != "" {
		r.Header.Set("Authorization", "Bearer "+d.token)
	}
	if d.identifier != "" {
		r.Header.Set("AP-Device-Identifier", d.identifier)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	for name, values := range d.extraHeaders {
		r.Header[name] = values
	}
	return r
}

func (d *device) send(r *http.Request) answer {
	d.t.Helper()
	rec := d.world.Send(r)
	body, _ := io.ReadAll(rec.Result().Body)
	if strings.Contains(string(body), ":null") && !strings.Contains(string(body), `"device":{`) { // only the device is documented with nulls
		d.t.Errorf("%s %s: a member is null that must be absent: %s", r.Method, r.URL, body)
	}
	return answer{d.t, rec.Code, rec.Header(), string(body)}
}

func (d *device) post(target, body string) answer {
	d.t.Helper()
	return d.send(d.request(http.MethodPost, target, body))
}

func (d *device) get(target string) answer {
	d.t.Helper()
	return d.send(d.request(http.MethodGet, target, ""))
}

// value returns the value at a dotted path, as text, or "-" where there is none.
func (a answer) value(path string) string {
	a.t.Helper()
	var x any
	dec := json.NewDecoder(strings.NewReader(a.body))
	dec.UseNumber()
	if err := dec.Decode(&x); err != nil {
		a.t.Fatalf("no JSON: %d %s", a.status, a.body)
	}
	for _, name := range strings.Split(path, ".") {
		switch at := x.(type) {
		case map[string]any:
			var ok bool
			if x, ok = at[name]; !ok {
				return "-"
			}
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(at) {
				return "-"
			}
			x = at[i]
		default:
			return "-"
		}
	}
	if s, ok := x.(string); ok {
		return s
	}
	text, _ := json.Marshal(x)
	return string(text)
}

// expect compares the status, and the values at paths. pairs alternate path and
// value.
func (a answer) expect(what string, status int, pairs ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: got status %d, want %d: %s", what, a.status, status, a.body)
		return a
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if got := a.value(pairs[i]); got != pairs[i+1] {
			a.t.Errorf("%s: got %s %s, want %s, in %s", what, pairs[i], got, pairs[i+1], a.body)
		}
	}
	return a
}

// expectError compares an enhanced error code with the expected one.
func (a answer) expectError(what string, status int, code, action string) answer {
	a.t.Helper()
	a.expect(what, status, "status", fmt.Sprint(status), "code", code, "action", action)
	if got := a.value("helpUrl"); !strings.HasPrefix(got, "https://experienceleague.adobe.com/") {
		a.t.Errorf("%s: got helpUrl %s", what, got)
	}
	if got := a.value("trace"); !uuid.MatchString(got) {
		a.t.Errorf("%s: got trace %s", what, got)
	}
	return a
}

const complete = "mvpd=Cablevision&domainName=adobe.com&redirectUrl=https%3A%2F%2Fadobe.com"

// newCode creates a session that lacks nothing and returns its code.
func (d *device) newCode(mvpd string) string {
	d.t.Helper()
	return d.post("/api/v2/REF30/sessions", strings.ReplaceAll(complete, "Cablevision", mvpd)).
		expect("create", 200, "actionName", "authenticate").value("code")
}

// logIn logs a user in with an MVPD on the device.
func (d *device) logIn(mvpd string, user string) {
	d.t.Helper()
	in := contract.Values{"code": d.newCode(mvpd)}
	if user != "" {
		in["user"] = user
	}
	if err := d.world.Trigger(d.t, "login", in); err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) advance(by time.Duration) {
	d.t.Helper()
	if err := d.world.Sandbox.Clock.Advance(by); err != nil {
		d.t.Fatal(err)
	}
}

// register registers another client of the same application and returns the
// device with its token.
func (d *device) register() *device {
	d.t.Helper()
	statement := d.world.Credentials(d.t).Text("softwareStatement")
	a := d.post("/o/client/register", `{"software_statement":"`+statement+`"}`).expect("register", 201)
	e := d.withID("")
	e.token = d.post("/o/client/token", url.Values{
		"client_id": {a.value("client_id")}, "client_secret": {a.value("client_secret")}, "grant_type": {"client_credentials"},
	}.Encode()).expect("token", 201).value("access_token")
	return e
}
