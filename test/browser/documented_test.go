package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// These tests run applications that have the documented https hosts built in. The browser
// takes the door for its proxy and trusts its CA, as a person would set it up, and checks
// certificates as always.

// secured starts understudy with TLS, and returns what has a browser ask it for documented
// hosts.
func secured(t *testing.T) (*server, []chromedp.ExecAllocatorOption) {
	t.Helper()
	if _, err := exec.LookPath("certutil"); err != nil {
		const what = "certutil (libnss3-tools) is not on this machine"
		if os.Getenv("CI") == "true" {
			t.Fatal(what + "; .ci/run has to install it")
		}
		t.Skip(what)
	}
	home := directory(t)
	s := serve(t, "--tls", "--tls-port", "0", "--tls-dir", home)
	store := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-n", "understudy", "-t", "C,,", "-i", filepath.Join(home, "ca.pem")},
	} {
		if out, err := exec.Command("certutil", append([]string{"-d", "sql:" + store}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %q: %v\n%s", args, err, out)
		}
	}
	return s, []chromedp.ExecAllocatorOption{
		chromedp.Env("HOME=" + home), chromedp.ProxyServer(s.door),
	}
}

// made is a new sandbox: its name, and its credentials for an API.
func (s *server) made(t *testing.T, api string) (name string, credentials map[string]string) {
	t.Helper()
	var reply struct {
		Name        string
		Credentials map[string]map[string]string
	}
	s.ask(t, http.MethodPost, "/v1/sandboxes", &reply)
	return reply.Name, reply.Credentials[api]
}

// ask asks the control API.
func (s *server) ask(t *testing.T, method, path string, reply any) {
	t.Helper()
	r, err := http.NewRequest(method, s.control+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s", method, path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(reply); err != nil {
		t.Fatal(err)
	}
}

// calls lists the operations that a sandbox was asked for and how they ended, without
// repetitions that follow one another, and without what browsers ask before they ask.
func (s *server) calls(t *testing.T, sandbox string) []string {
	t.Helper()
	var reply struct {
		Items []struct{ Operation, Outcome string }
	}
	s.ask(t, http.MethodGet, "/v1/sandboxes/"+sandbox+"/journal?limit=1000", &reply)
	slices.Reverse(reply.Items)
	var all []string
	for _, call := range reply.Items {
		if !strings.EqualFold(call.Operation, "preflight") && !strings.EqualFold(call.Outcome, "preflight") {
			all = append(all, call.Operation+" "+call.Outcome)
		}
	}
	return slices.Compact(all)
}

// page is an application at an origin of its own: a script whose errors it shows.
func page(t *testing.T, script string) (address string) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><title>application</title><p id="state">begun</p>
<script>
const done = text => document.getElementById("state").textContent = text;
const ask = async (url, options) => {
  const reply = await fetch(url, options);
  if (!reply.ok) throw url + " answers " + reply.status + ": " + await reply.text();
  return reply;
};
(async () => { %s })().catch(e => done("failed: " + e));
</script>`, script)
	}))
	t.Cleanup(app.Close)
	return app.URL
}

// finished waits for what a page says in the end.
func finished(state *string) chromedp.Action {
	return chromedp.Tasks{
		chromedp.Poll(`document.getElementById("state").textContent !== "begun"`, nil),
		chromedp.Text(`#state`, state),
	}
}

const passApplication = `
  const host = "https://sp.auth.adobe.com", form = {"Content-Type": "application/x-www-form-urlencoded"};
  if (location.pathname !== "/back") {
    const client = await (await ask(host + "/o/client/register", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({software_statement: %q}),
    })).json();
    const token = await (await ask(host + "/o/client/token", {
      method: "POST", headers: form,
      body: new URLSearchParams({client_id: client.client_id, client_secret: client.client_secret, grant_type: "client_credentials"}),
    })).json();
    const headers = {"Authorization": "Bearer " + token.access_token, "AP-Device-Identifier": "fingerprint YnJvd3Nlcg=="};
    const session = await (await ask(host + "/api/v2/REF30/sessions", {
      method: "POST", headers: {...headers, ...form},
      body: new URLSearchParams({mvpd: "Cablevision", domainName: "adobe.com", redirectUrl: location.origin + "/back"}),
    })).json();
    sessionStorage.setItem("login", JSON.stringify({headers, code: session.code}));
    location.href = host + session.url;
    return;
  }
  const {headers, code} = JSON.parse(sessionStorage.getItem("login"));
  const {profiles} = await (await ask(host + "/api/v2/REF30/profiles/code/" + code, {headers})).json();
  const {decisions} = await (await ask(host + "/api/v2/REF30/decisions/authorize/Cablevision", {
    method: "POST", headers: {...headers, "Content-Type": "application/json"}, body: JSON.stringify({resources: ["resource1"]}),
  })).json();
  done(profiles.Cablevision.attributes.userID.value + " may play: " + decisions[0].authorized);
`

// TestPassByItsHost: an application registers, logs its user in and asks whether it may
// play, by https://sp.auth.adobe.com, and finds its sandbox by its software statement.
func TestPassByItsHost(t *testing.T) {
	s, asProxy := secured(t)
	name, credentials := s.made(t, "adobepass")
	var state string
	if err := chromedp.Run(window(t, asProxy...),
		chromedp.Navigate(page(t, fmt.Sprintf(passApplication, credentials["softwareStatement"]))),
		chromedp.Click(`button[value=allow]`, chromedp.ByQuery),
		chromedp.WaitVisible(`#state`, chromedp.ByID),
		finished(&state),
	); err != nil {
		t.Fatal(err, state)
	}
	if state != "BASE64_value_userId may play: true" {
		t.Errorf("got %q", state)
	}
	if got := s.calls(t, name); !slices.Equal(got, []string{
		"RegisterClient success", "CreateToken success", "CreateSession authenticate", "Authenticate success",
		"ShowLogin success", "SubmitLogin allow", "GetProfileByCode success", "Authorize success",
	}) {
		t.Errorf("got %q", got)
	}
	if got := s.calls(t, "default"); len(got) > 0 {
		t.Errorf("default has %q", got)
	}
}

const player = `
  const host = "https://demo.hb-api.omtrdc.net", began = Date.now();
  const send = (path, eventType, playhead, more) => ask(host + path, {
    method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({playerTime: {playhead, ts: Date.now()}, eventType, ...more}),
  });
  const session = await send("/api/v1/sessions", "sessionStart", 0, {params: {
    "analytics.reportSuite": %q, "analytics.trackingServer": "demo.sc.omtrdc.net", "visitor.marketingCloudOrgId": %q,
    "media.id": "film", "media.length": 60, "media.contentType": "VOD", "media.playerName": "player", "media.channel": "web",
  }});
  const at = session.headers.get("Location");
  for (const [eventType, playhead] of [["play", 0], ["ping", 10], ["pauseStart", 12], ["sessionComplete", 60]]) await send(at + "/events", eventType, playhead);
  done(session.status + " " + at.replace(/[0-9a-f]{64}/, "ID"));
`

// TestPlayerByItsHost: a player on a page of another origin reports to its own host below
// hb-api.omtrdc.net, and its browser lets it read where its session is.
func TestPlayerByItsHost(t *testing.T) {
	s, asProxy := secured(t)
	name, credentials := s.made(t, "adobemedia")
	var state string
	if err := chromedp.Run(window(t, asProxy...),
		chromedp.Navigate(page(t, fmt.Sprintf(player, credentials["reportSuite"], credentials["orgId"]))),
		finished(&state),
	); err != nil {
		t.Fatal(err, state)
	}
	if state != "201 /api/v1/sessions/ID" {
		t.Errorf("got %q", state)
	}
	if got := s.calls(t, name); !slices.Equal(got, []string{"StartSession created", "SendEvent accepted"}) {
		t.Errorf("got %q", got)
	}
}

// TestAnUntrustedCA: the browser of these tests refuses what it has no reason to trust.
func TestAnUntrustedCA(t *testing.T) {
	s, _ := secured(t)
	err := chromedp.Run(window(t, chromedp.Env("HOME="+directory(t)), chromedp.ProxyServer(s.door)), chromedp.Navigate("https://sp.auth.adobe.com/"))
	if err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("got %v", err)
	}
}
