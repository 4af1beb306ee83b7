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

// A build with a software statement, a service provider and an MVPD of its own registers,
// begins a login, and asks for its profiles.
func TestClientOfItsOwn(t *testing.T) {
	w := conformance.New(t, adobepass.API, conformance.Setting{Auth: contract.Presence, Unknown: contract.Adopt})
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
	}
	for _, step := range []struct {
		method, target string
		body           func() string
		status         int
		into           any
	}{
		{"POST", "/o/client/register", func() string { return `{"software_statement":"` + ownStatement + `","redirect_uri":"own://app"}` }, 201, &client},
		{"POST", "/o/client/token", func() string {
			return "grant_type=client_credentials&client_id=" + client.ID + "&client_secret=" + client.Secret
		}, 201, &token},
		{"GET", "/api/v2/OWNSP/configuration", nil, 200, nil},
		{"POST", "/api/v2/OWNSP/sessions", func() string {
			return "mvpd=OwnCable&domainName=own.example&redirectUrl=https%3A%2F%2Fown.example%2F"
		}, 200, &session},
		{"GET", "/api/v2/OWNSP/profiles", nil, 200, nil},
		{"GET", "/api/v2/OWNSP/profiles/OwnDish", nil, 200, nil},
	} {
		body := ""
		if step.body != nil {
			body = step.body()
		}
		got := own(w, step.method, step.target, token.Access, body)
		if got.Code != step.status {
			t.Fatalf("%s %s: %d %s", step.method, step.target, got.Code, got.Body)
		}
		if step.into != nil {
			if err := json.Unmarshal(got.Body.Bytes(), step.into); err != nil {
				t.Fatal(err)
			}
		}
	}
	if session.Action != "authenticate" || session.Code == "" {
		t.Errorf("got %+v", session)
	}
	got := w.AdoptedIDs(t)
	if len(got) != 4 || !strings.HasPrefix(got[0], "software_statement ") || strings.Contains(got[0], ownStatement) ||
		!slices.Equal(got[1:], []string{"serviceProvider OWNSP", "mvpd OwnCable", "mvpd OwnDish"}) {
		t.Errorf("adopted %v", got)
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
