package adobepass_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// own makes requests of an application that Adobe and no fixture knows.
func own(w *conformance.World, method, target, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "api.auth.adobe.com"
	r.Header.Set("AP-Device-Identifier", fingerprint("own"))
	switch {
	case strings.HasPrefix(body, "{"):
		r.Header.Set("Content-Type", "application/json")
	case body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return w.Send(r)
}

const ownStatement = "eyJhbGciOiJSUzI1NiJ9.eyJzb2Z0d2FyZV9pZCI6Im93biJ9.c2lnbmF0dXJl"

// A build with a software statement, a service provider and an MVPD of its own goes the whole
// documented way: its user logs in by the page, or by the trigger.
func TestClientOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, logIn := range map[string]func(*testing.T, *conformance.World, string, string){
		"by the login page": logInByPage,
		"by the trigger": func(t *testing.T, w *conformance.World, code, _ string) {
			t.Helper()
			if err := w.Trigger(t, "login", contract.Values{"code": code}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, auth := range []contract.Auth{contract.Presence, contract.Verify} {
			t.Run(name+" with "+string(auth), func(t *testing.T) {
				t.Parallel()
				w := conformance.New(t, adobepass.API, conformance.Setting{Auth: auth, Unknown: contract.Adopt})
				watchAsOwn(t, w, logIn)
				got := w.AdoptedIDs(t)
				if len(got) != 4 || !strings.HasPrefix(got[0], "software_statement ") || strings.Contains(got[0], ownStatement) ||
					!slices.Equal(got[1:], []string{"serviceProvider OWNSP", "mvpd OwnDish", "mvpd OwnCable"}) {
					t.Errorf("adopted %v", got)
				}
			})
		}
	}
}

// watchAsOwn registers, has a user log in, watches, and logs out again.
func watchAsOwn(t *testing.T, w *conformance.World, logIn func(t *testing.T, w *conformance.World, code, url string)) {
	t.Helper()
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	var token struct {
		Access string `json:"access_token"`
	}
	var session struct {
		Action string `json:"actionName"`
		Code   string `json:"code"`
		URL    string `json:"url"`
	}
	ask := func(status int, into any, method, target, body string, wants ...string) {
		t.Helper()
		got := own(w, method, target, token.Access, body)
		if got.Code != status {
			t.Fatalf("%s %s: %d %s", method, target, got.Code, got.Body)
		}
		for _, want := range wants {
			if !strings.Contains(got.Body.String(), want) {
				t.Errorf("%s %s: %s; %s was expected in it", method, target, got.Body, want)
			}
		}
		if into != nil {
			if err := json.Unmarshal(got.Body.Bytes(), into); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask(201, &client, "POST", "/o/client/register", `{"software_statement":"`+ownStatement+`","redirect_uri":"own://app"}`)
	ask(201, &token, "POST", "/o/client/token", "grant_type=client_credentials&client_id="+client.ID+"&client_secret="+client.Secret)
	ask(200, nil, "GET", "/api/v2/OWNSP/configuration", "")
	ask(200, nil, "GET", "/api/v2/OWNSP/profiles", "", `{"profiles":{}}`)
	ask(200, nil, "GET", "/api/v2/OWNSP/profiles/OwnDish", "", `{"profiles":{}}`)
	ask(200, &session, "POST", "/api/v2/OWNSP/sessions", "mvpd=OwnCable&domainName=own.example&redirectUrl=https%3A%2F%2Fown.example%2Fback")
	if session.Action != "authenticate" || session.Code == "" {
		t.Fatalf("the session is %+v", session)
	}
	ask(200, nil, "GET", "/api/v2/OWNSP/configuration", "", `"id":"OwnCable"`)
	ask(200, nil, "GET", "/api/v2/OWNSP/sessions/"+session.Code, "", `"mvpd":"OwnCable"`)
	ask(200, nil, "GET", "/api/v2/OWNSP/profiles/code/"+session.Code, "", `{"profiles":{}}`)
	logIn(t, w, session.Code, session.URL)
	for _, target := range []string{"", "/OwnCable", "/code/" + session.Code} {
		ask(200, nil, "GET", "/api/v2/OWNSP/profiles"+target, "", `"OwnCable":{`, `"type":"regular"`)
	}
	ask(200, nil, "POST", "/api/v2/OWNSP/decisions/preauthorize/OwnCable", `{"resources":["OwnChannel","OwnMovies"]}`, `"resource":"OwnMovies"`, `"mvpd":"OwnCable"`, `"authorized":true`)
	ask(200, nil, "POST", "/api/v2/OWNSP/decisions/authorize/OwnCable", `{"resources":["OwnChannel"]}`, `"authorized":true`, `"serializedToken"`)
	ask(200, nil, "GET", "/api/v2/OWNSP/logout/OwnCable?redirectUrl=https%3A%2F%2Fown.example%2Fout", "", `"actionName":"logout"`, `"mvpd":"OwnCable"`)
	ask(200, nil, "GET", "/api/v2/OWNSP/profiles/OwnCable", "", `{"profiles":{}}`)
}

// logInByPage opens the login page of a session's MVPD and submits its form.
func logInByPage(t *testing.T, w *conformance.World, _, url string) {
	t.Helper()
	b := newBrowser(t, w, "")
	page, body := b.open(b.base + url)
	if page.status != 200 || !strings.Contains(body, "OwnCable") || !strings.Contains(body, `value="viewer"`) {
		t.Fatalf("the login page: %d %s", page.status, body)
	}
	if end, body := b.submit(page, body, "username", "viewer", "action", "allow"); end.status != 302 || end.header.Get("Location") != "https://own.example/back" {
		t.Fatalf("the login ended in %d %v: %s", end.status, end.header, body)
	}
}

// Where such ids are refused, each is, as documented.
func TestOwnIsRefused(t *testing.T) {
	w := conformance.New(t, adobepass.API, conformance.Setting{})
	if got := own(w, "POST", "/o/client/register", "", `{"software_statement":"`+ownStatement+`"}`); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "unapproved_software_statement") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	w = conformance.New(t, adobepass.API, conformance.Setting{Auth: contract.Presence})
	token := w.Credentials(t).Text("accessToken")
	for target, says := range map[string]string{
		"/api/v2/OWNSP/profiles":          "invalid_parameter_service_provider",
		"/api/v2/REF30/profiles/OwnCable": "invalid_parameter_mvpd",
	} {
		if got := own(w, "GET", target, token, ""); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), says) {
			t.Errorf("%s: got %d %s", target, got.Code, got.Body)
		}
	}
	if got := w.AdoptedIDs(t); got != nil {
		t.Errorf("adopted %v", got)
	}
}

// With the proof verified, an adopted statement is approved from then on.
func TestAdoptedStatement(t *testing.T) {
	w := conformance.New(t, adobepass.API, conformance.Setting{Unknown: contract.Adopt})
	for range 2 {
		if got := own(w, "POST", "/o/client/register", "", `{"software_statement":"`+ownStatement+`"}`); got.Code != http.StatusCreated {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
	}
	sample := w.Credentials(t).Text("softwareStatement")
	if got := own(w, "POST", "/o/client/register", "", `{"software_statement":"`+sample[:len(sample)-2]+`AA"}`); got.Code != http.StatusBadRequest {
		t.Errorf("a tampered statement: %d %s", got.Code, got.Body)
	}
}
