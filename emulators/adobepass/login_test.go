package adobepass_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

const browserOrigin = "https://tv.example"

// A browser follows redirects as long as they lead to the emulator. It stores no
// cookies, because none are set.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string // prefix of the emulator's URLs
}

// newBrowser makes a browser, and a server of w whose paths have a prefix, as
// behind a sandbox's path.
func newBrowser(t *testing.T, w *conformance.World, prefix string) *browser {
	t.Helper()
	server := httptest.NewServer(w.Handler)
	t.Cleanup(server.Close)
	b := &browser{t: t, base: server.URL + prefix}
	b.client = &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), b.base) {
			return nil
		}
		return http.ErrUseLastResponse // the redirect URL of the session
	}}
	return b
}

// A navigation is the page where the browser arrived.
type navigation struct {
	status int
	header http.Header
	at     *url.URL
}

func (b *browser) do(r *http.Request) (navigation, string) {
	b.t.Helper()
	r.Header.Set("Origin", browserOrigin)
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if got := answer.Header.Get("Access-Control-Allow-Origin"); got != browserOrigin {
		b.t.Errorf("%s %s: got Access-Control-Allow-Origin %q", r.Method, r.URL, got)
	}
	if len(answer.Cookies()) > 0 {
		b.t.Errorf("%s %s: sets cookies: %v", r.Method, r.URL, answer.Cookies())
	}
	return navigation{answer.StatusCode, answer.Header, answer.Request.URL}, string(body)
}

func (b *browser) open(address string) (navigation, string) {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// submit posts a page's form to the page's own URL, as a browser without script
// does.
func (b *browser) submit(page navigation, body string, pairs ...string) (navigation, string) {
	b.t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, page.at.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// TestLoginInABrowser runs the whole flow of a web application from another
// origin, with a sandbox in the path: preflight, session, login page, denial,
// provider error, login, profile, decision, logout.
func TestLoginInABrowser(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/@job-17"} {
		w := conformance.New(t, adobepass.API, conformance.Setting{})
		b := newBrowser(t, w, prefix)
		d := deviceIn(t, w).withHeader("Origin", browserOrigin)
		ask := func(method, path, body string) answer {
			r := d.request(method, prefix+path, body)
			r.Host = strings.TrimPrefix(strings.TrimSuffix(b.base, prefix), "http://")
			return d.send(r)
		}
		before := ask(http.MethodOptions, "/api/v2/REF30/sessions", "")
		if before.status != 200 || before.body != "" || !strings.Contains(before.header.Get("Access-Control-Allow-Headers"), "AP-Device-Identifier") {
			t.Errorf("preflight: got %d %v %q", before.status, before.header, before.body)
		}
		made := ask(http.MethodPost, "/api/v2/REF30/sessions", "mvpd=Cablevision&domainName=adobe.com&redirectUrl="+url.QueryEscape(browserOrigin+"/back?from=login")).expect("create", 200, "actionName", "authenticate")
		page, body := b.open(b.base + made.value("url"))
		if page.status != 200 || page.at.Path != prefix+"/adobe-services/authenticate/saml" || page.header.Get("X-Frame-Options") != "" {
			t.Fatalf("got %d at %s: %s", page.status, page.at, body)
		}
		for _, want := range []string{"Cablevision", `<form method="post">`, `name="username"`, `value="viewer"`, `value="child"`, `name="action" value="allow"`, `name="action" value="deny"`, `name="action" value="error"`} {
			if !strings.Contains(body, want) {
				t.Errorf("the page lacks %s:\n%s", want, body)
			}
		}
		if strings.Contains(body, "<script") {
			t.Error("the page needs script")
		}
		poll := func(want string) {
			t.Helper()
			ask(http.MethodGet, "/api/v2/REF30/profiles/code/"+made.value("code"), "").expect("poll", 200, "profiles", want)
		}
		again, denied := b.submit(page, body, "username", "viewer", "action", "deny")
		if again.status != 200 || !strings.Contains(denied, `role="alert"`) {
			t.Errorf("deny: got %d %s", again.status, denied)
		}
		if _, unknown := b.submit(page, body, "username", "<b>nobody", "action", "allow"); !strings.Contains(unknown, "&lt;b&gt;nobody") {
			t.Errorf("unknown user: got %s", unknown)
		}
		poll("{}")
		failed, _ := b.submit(again, denied, "action", "error")
		if got := failed.header.Get("Location"); failed.status != 302 || got != browserOrigin+"/back?from=login" {
			t.Errorf("error: got %d %s", failed.status, got)
		}
		poll("{}")
		back, _ := b.submit(again, denied, "username", "viewer", "action", "allow")
		if got := back.header.Get("Location"); back.status != 302 || got != browserOrigin+"/back?from=login" {
			t.Errorf("allow: got %d %s", back.status, got)
		}
		ask(http.MethodGet, "/api/v2/REF30/profiles/code/"+made.value("code"), "").expect("poll", 200, "profiles.Cablevision.attributes.userID.value", "BASE64_value_userId")
		ask(http.MethodPost, authorizeAt+"Cablevision", resources("REF30")).expect("decision", 200, "decisions.0.authorized", "true")
		end := ask(http.MethodGet, "/api/v2/REF30/logout/Cablevision?redirectUrl="+url.QueryEscape(browserOrigin+"/bye"), "")
		if got := end.value("logouts.Cablevision.url"); !strings.HasPrefix(got, b.base+"/adobe-services/logout?") {
			t.Errorf("the logout leads away from the emulator: %s", got)
		}
		gone, _ := b.open(end.value("logouts.Cablevision.url"))
		if got := gone.header.Get("Location"); gone.status != 302 || got != browserOrigin+"/bye" {
			t.Errorf("logout: got %d %s", gone.status, got)
		}
		ask(http.MethodPost, authorizeAt+"Cablevision", resources("REF30")).expectError("after the logout", 403, "authenticated_profile_missing", "authentication")
		ask(http.MethodGet, "/api/v2/REF30/logout/Cablevision", "").expect("second logout", 200, "logouts.Cablevision.actionName", "invalid")
	}
}

// TestBrowserFindsItsSandbox: requests of a second device, of a browser and of a
// form name no sandbox. The directory finds it by the identifiers that they
// carry.
func TestBrowserFindsItsSandbox(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, adobepass.API, conformance.Setting{})
	d := deviceIn(t, w)
	d.withHeader("Understudy-Sandbox", "other").post("/api/v2/REF30/sessions", complete)
	tv := d.withHeader("Understudy-Sandbox", "job-17")
	statement := w.Credentials(t).Text("softwareStatement")
	client := tv.post("/o/client/register", `{"software_statement":"`+statement+`"}`).expect("register", 201)
	plain := d.withID("")
	plain.token = plain.post("/o/client/token", url.Values{ // found by client_id
		"client_id": {client.value("client_id")}, "client_secret": {client.value("client_secret")}, "grant_type": {"client_credentials"},
	}.Encode()).expect("token", 201).value("access_token")
	code := plain.newCode("Cablevision") // found by the bearer
	b := newBrowser(t, w, "")
	page, body := b.open(b.base + "/api/v2/authenticate/REF30/" + code) // found by the code
	if page.status != 200 {
		t.Fatalf("got %d %s", page.status, body)
	}
	if back, _ := b.submit(page, body, "action", "allow"); back.status != 302 {
		t.Errorf("got %d", back.status)
	}
	plain.get("/api/v2/REF30/profiles/code/"+code).expect("profile", 200, "profiles.Cablevision.type", "regular")
	end := plain.get("/api/v2/REF30/logout/Cablevision").value("logouts.Cablevision.url")
	u, err := url.Parse(end)
	if err != nil {
		t.Fatal(err)
	}
	if gone := plain.get(u.RequestURI()); gone.status != 302 || gone.header.Get("Location") != "https://adobe.com" {
		t.Errorf("got %d %v", gone.status, gone.header)
	}
	if entries, _ := w.Registry.Find(sandbox.Default).Journal.List(journal.Filter{Limit: 10}); len(entries) != 0 {
		t.Errorf("%d requests reached the sandbox default, the first %s %s", len(entries), entries[0].Request.Method, entries[0].Request.URL)
	}
}

// TestPagesEscape: no page contains markup of a request.
func TestPagesEscape(t *testing.T) {
	t.Parallel()
	d := newDevice(t, conformance.Setting{})
	const evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
	for _, target := range []string{
		"/api/v2/authenticate/REF30/" + evil, "/api/v2/authenticate/" + evil + "/8KHP9RW",
		"/adobe-services/authenticate/saml?reg_code=" + evil, "/adobe-services/logout?pt_device_id=" + evil,
		"/adobe-services/authenticate/saml?reg_code=8KHP9RW&mso_id=" + evil + "&redirect_url=" + evil,
	} {
		if a := d.get(target); strings.Contains(a.body, "<script") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: got %v %s", target, a.header, a.body)
		}
	}
	a := d.post("/adobe-services/authenticate/saml?reg_code=8KHP9RW", "reg_code=8KHP9RW&action=deny&username="+evil)
	if strings.Contains(a.body, "<script") {
		t.Errorf("got %s", a.body)
	}
	a = d.send(d.request(http.MethodPut, "/api/v2/authenticate/REF30/8KHP9RW", "")).expectPage("a method that no browser uses", 405)
	if a.header.Get("Allow") != "GET, OPTIONS" {
		t.Errorf("got Allow %q", a.header.Get("Allow"))
	}
}

// The login page reports why a code is not valid.
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
