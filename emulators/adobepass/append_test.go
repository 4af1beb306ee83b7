package adobepass

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/wire"
)

// Replies that encode themselves are written as their structs say.
func TestRepliesEncodeThemselves(t *testing.T) {
	t.Parallel()
	type asDeclared sessionReply // without methods
	for _, r := range []sessionReply{
		{},
		{ActionName: "authenticate", ActionType: "interactive", ReasonType: "none", URL: "/a?b=<&>", Code: "8ER640M", SessionID: "1", MVPD: "Ωμέγα", ServiceProvider: `"R"`, NotBefore: "1", NotAfter: "2"},
		{MissingParameters: []string{"mvpd", "domain"}, AuthenticationRequest: &authnRequest{"saml", "request", []string{"uid"}}},
	} {
		declared := asDeclared(r)
		if got, want := wire.Encode(&r), wire.Encode(&declared); string(got) != string(want) {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	}
	type shown struct {
		NotBefore  int64                    `json:"notBefore"`
		NotAfter   int64                    `json:"notAfter"`
		Issuer     string                   `json:"issuer"`
		Type       string                   `json:"type"`
		Attributes map[string]attributeView `json:"attributes"` // written by name
	}
	p := &profile{MVPD: "Cable<vision>", Type: platformSSO, Attributes: []attribute{
		{"a", json.RawMessage(`"text"`), ""}, {"b", json.RawMessage("[1,\n 2]"), "enc"}, {"c", nil, "plain"}, {"d", json.RawMessage(`"with a blank"`), "plain"},
	}}
	p.NotBefore, p.NotAfter = 1, 2
	want := map[string]map[string]shown{"profiles": {"Cable<vision>": {1, 2, "Cable<vision>", platformSSO, map[string]attributeView{
		"a": {"text", "plain"}, "b": {[]int{1, 2}, "enc"}, "c": {nil, "plain"}, "d": {"with a blank", "plain"}, "mvpd": {"Cable<vision>", "plain"},
	}}}}
	if got, want := wire.Encode(oneProfile(p.MVPD, p.view(p.Type))), wire.Encode(want); string(got) != string(want) {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if got := wire.Encode(&profilesReply{}); string(got) != `{"profiles":{}}` {
		t.Errorf("without profiles: got %s", got)
	}
}

// The client of a token is read once, and is that of this token and no other.
func TestSubjectsAreRemembered(t *testing.T) {
	t.Parallel()
	named := func(client, rest string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+client+`"}`)) + "." + rest
	}
	for range 2 {
		for i := range 2 * len(namedClients) { // more than are kept
			client := "client-" + strconv.Itoa(i)
			for _, token := range []string{named(client, "signature"), named(client, strings.Repeat("x", 2*longestNamed))} {
				if got := unverifiedSubject(token); got != client {
					t.Fatalf("got %q for the token of %s", got, client)
				}
			}
		}
		for _, token := range []string{"", "a.b", "a.!.c", "e30.e30.c"} {
			if got := unverifiedSubject(token); got != "" {
				t.Errorf("%q names the client %q", token, got)
			}
		}
	}
	for i := range namedClients {
		if known := namedClients[i].Load(); known != nil && len(known.token) > longestNamed {
			t.Fatalf("a token of %d bytes is kept", len(known.token))
		}
	}
}
