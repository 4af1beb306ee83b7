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

// A device is a streaming device with an application on it. Its zero members
// are those of the documented samples.
type device struct {
	t     *testing.T
	world *conformance.World
	identifier    string      // AP-Device-Identifier
	token string      // bearer
	extraHeaders  http.Header // further headers of every request
}

func newDevice(t *testing.T, s conformance.Setting) *device {
	t.Helper()
	return deviceIn(t, conformance.New(t, adobepass.API, s))
}

// on is the device of the samples in a world.
func deviceIn(t *testing.T, w *conformance.World) *device {
	t.Helper()
	return &device{t: t, world: w, identifier: fingerprint("ba23d141-d715-561c-94f4-e9e4c966b1eb"), token: w.Credentials(t).Text("accessToken"), extraHeaders: http.Header{}}
}

func fingerprint(id string) string {
	return "fingerprint " + base64.StdEncoding.EncodeToString([]byte(id))
}

// other is a second device with the same application, or the same one where id
// is "".
func (d *device) withID(id string) *device {
	e := *d
	e.extraHeaders = d.extraHeaders.Clone()
	if id != "" {
		e.identifier = fingerprint(id)
	}
	return &e
}

// with is the device with one more header on every request.
func (d *device) withHeader(name, value string) *device {
	e := d.withID("")
	e.extraHeaders.Set(name, value)
	return e
}

// An answer is what came back.
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
	if strings.Contains(string(body), ":null") && !strings.Contains(string(body), `"device":{`) { // which alone is documented with nulls
		d.t.Errorf("%s %s: an absent member is told as null: %s", r.Method, r.URL, body)
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

// value reads a value by a dotted path, as text; "-" where there is none.
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

// is holds the status and the values at paths against what is wanted: pairs of
// path and value follow.
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

// refused holds an enhanced error code against its row in the catalogue.
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

// code creates a session that lacks nothing and returns its code.
func (d *device) newCode(mvpd string) string {
	d.t.Helper()
	return d.post("/api/v2/REF30/sessions", strings.ReplaceAll(complete, "Cablevision", mvpd)).
		expect("create", 200, "actionName", "authenticate").value("code")
}

// logIn has somebody log in with an MVPD on the device.
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

// register makes a new client of the same application and returns it on the
// same device.
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
