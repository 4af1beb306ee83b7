package adobepass

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A sender sends a request of a test of a mistake.
type sender = func(testing.TB, *conformance.World)

// bearing asks for a configuration with this header Authorization, which may hold
// the placeholders STATEMENT and TOKEN.
func bearing(authorization, query string) sender {
	return func(t testing.TB, w *conformance.World) {
		known := w.Credentials(t)
		text := strings.NewReplacer("STATEMENT", known.Text("softwareStatement"), "TOKEN", known.Text("accessToken")).Replace(authorization)
		r := httptest.NewRequest("GET", "http://sp.auth.adobe.com/api/v2/REF30/configuration"+query, nil)
		if text != "" {
			r.Header["Authorization"] = []string{text}
		}
		w.Send(r)
	}
}

// jwtOf makes an unsigned JWT.
func jwtOf(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "." + encode(make([]byte, 256))
}

// posted sends a body.
func posted(path, kind, body string, headers ...string) sender {
	return func(_ testing.TB, w *conformance.World) {
		r := httptest.NewRequest("POST", "http://sp.auth.adobe.com"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w.Send(r)
	}
}

// tokened asks for a token. Names and values alternate.
func tokened(pairs ...string) sender {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return posted("/o/client/token", formType, form.Encode())
}

// registering registers with the statement as it is changed.
func registering(change func(string) string) sender {
	return func(t testing.TB, w *conformance.World) {
		in := contract.Values{"software_statement": change(w.Credentials(t).Text("softwareStatement"))}
		w.Send(w.Request(t, registerClient, in))
	}
}

// changed sends the request of an operation with a change.
func changed(operation string, in contract.Values, change func(*http.Request)) sender {
	return func(t testing.TB, w *conformance.World) {
		values := contract.Values{"serviceProvider": "REF30", deviceHeader: sampleDevice}
		for name, value := range in {
			values[name] = value
		}
		r := w.Request(t, API.Operation(operation), values)
		change(r)
		w.Send(r)
	}
}

// headed sends CreateSession with another value of a header.
func headed(name, value string) sender {
	return changed("CreateSession", nil, func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = []string{value} })
}

// typed sends an operation with another body.
func typed(operation, kind, body string) sender {
	return changed(operation, contract.Values{"mvpd": "Cablevision"}, func(r *http.Request) {
		other := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Body, r.ContentLength = other.Body, other.ContentLength
		r.Header.Set("Content-Type", kind)
	})
}

func same(*http.Request) {}

// Each mistake is recognised where it is made, and not where it is not.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const id, secret = "s6BhdRkqt3", "t7AkePiru4"
	const grant, credentials = "grant_type", "client_credentials"
	ours := `{"sub":"` + id + `","iss":"auth.adobe.com","scopes":"api:client:v2"}`
	other := strings.Replace(ours, "auth.adobe.com", "ims-na1.adobelogin.com", 1)
	device := strings.TrimPrefix(sampleDevice, "fingerprint ")
	encode := base64.StdEncoding.EncodeToString
	// unlinked calls as a client whose statement is not good for REF30. Another
	// statement is good for the provider of this id.
	unlinked := func(other string) sender {
		return func(t testing.TB, w *conformance.World) {
			withState(t, w, func(st *state) {
				st.Software[0].Providers = []string{"apasstest1"}
				st.Software = append(st.Software, software{Statement: jwtOf(`{"alg":"RS256"}`, `{"client_name":"Third"}`), Providers: []string{other}})
				if err := st.Reindex(); err != nil {
					t.Fatal(err)
				}
			})
			w.Send(w.Request(t, API.Operation("GetConfiguration"), contract.Values{"serviceProvider": "REF30"}))
		}
	}
	tests := []conformance.MistakeTest{
		{Code: "bearer_prefix_missing", Made: bearing("TOKEN", ""), Near: bearing("token", ""), Told: "no_bearer"},
		{Code: "bearer_other_scheme", Made: bearing("Token TOKEN", ""), Near: bearing("Bearer ", ""), Told: "no_bearer"},
		{Code: "token_in_query", Made: bearing("", "?access_token=x"), Near: bearing("", "?access=x"), Told: "no_bearer"},
		{Code: "token_quoted", Made: bearing(`Bearer "TOKEN"`, ""), Near: bearing(`Bearer "x"`, ""), Told: "token_not_ours"},
		{Code: "token_answer_whole", Made: bearing(`Bearer {"access_token":"TOKEN"}`, ""), Near: bearing(`Bearer {"token":"TOKEN"}`, ""), Told: "token_not_ours"},
		{Code: "statement_as_token", Made: bearing("Bearer STATEMENT", ""), Near: bearing("Bearer STATEMENTx", ""), Told: "token_other_issuer"},
		{Code: "secret_as_token", Made: bearing("Bearer "+secret, ""), Near: bearing("Bearer "+secret+"x", ""), Told: "token_not_ours"},
		{Code: "token_other_algorithm", Made: bearing("Bearer "+jwtOf(`{"alg":"HS256"}`, ours), ""), Near: bearing("Bearer "+jwtOf(`{"alg":"RS256"}`, ours), ""), Told: "token_not_ours"},
		{Code: "token_other_issuer", Made: bearing("Bearer "+jwtOf(`{"alg":"RS256"}`, other), ""), Near: bearing("Bearer "+jwtOf(`{"alg":"RS256"}`, ours), ""), Told: "token_not_ours"},
		{Code: "token_other_issuer", Made: bearing("Bearer "+jwtOf(`{"alg":"RS256"}`, strings.Replace(ours, "{", `{"aud":"another service",`, 1)), "")},

		{Code: "client_id_and_secret_swapped", Made: tokened("client_id", secret, "client_secret", id, grant, credentials), Near: tokened("client_id", secret[1:], "client_secret", id, grant, credentials), Told: "unknown_credentials"},
		{Code: "secret_of_other_client", Made: tokened("client_id", "another", "client_secret", secret, grant, credentials), Near: tokened("client_id", "another", "client_secret", "x", grant, credentials), Told: "unknown_credentials"},
		{Code: "credentials_not_trimmed", Made: tokened("client_id", id, "client_secret", secret+"\n", grant, credentials), Near: tokened("client_id", id+"x", "client_secret", secret+"\n", grant, credentials), Told: "unknown_credentials"},
		{Code: "client_secret_wrong", Made: tokened("client_id", id, "client_secret", "x", grant, credentials), Near: tokened("client_id", id+"x", "client_secret", "x", grant, credentials), Told: "unknown_credentials"},

		{Code: "json_for_form", Made: posted("/o/client/token", jsonType, `{"client_id":"x","client_secret":"y","grant_type":"client_credentials"}`), Near: posted("/o/client/token", jsonType, `["client_id"]`), Told: "parameter"},
		{Code: "json_for_form", Made: typed("CreateSession", jsonType, `{"mvpd":"Cablevision"}`), Near: typed("CreateSession", "text/plain", "hello"), Told: "content_type"},
		{Code: "form_for_json", Made: typed("Authorize", formType, "resources=REF30"), Near: typed("Authorize", formType, "hello=world"), Told: "content_type"},
		{Code: "form_for_json", Made: typed("Authorize", jsonType, "resources=REF30"), Near: typed("Authorize", jsonType, "hello=world"), Told: "body_unreadable"},
		{Code: "content_type_alone", Made: typed("Authorize", "text/plain", `{"resources":["REF30"]}`), Near: typed("Authorize", "text/plain", `["REF30"]`), Told: "content_type"},
		{
			Code: "credentials_in_basic", Made: posted("/o/client/token", formType, "grant_type=client_credentials", "Authorization", "Basic eDp5"),
			Near: posted("/o/client/token", formType, "grant_type=client_credentials", "Authorization", "Bearer eDp5"), Told: "parameter",
		},
		{Code: "grant_type_other", Made: tokened("client_id", id, "client_secret", secret, grant, "password"), Near: tokened("client_id", id, "client_secret", secret, grant, "none"), Told: "parameter"},
		{Code: "grant_type_other", Made: tokened("client_id", id, "client_secret", secret, grant, "CLIENT_CREDENTIALS")},
		{Code: "parameter_spelling", Made: tokened("clientId", id, "client_secret", secret, grant, credentials), Near: tokened("client", id, "client_secret", secret, grant, credentials), Told: "parameter"},

		{Code: "statement_not_trimmed", Made: registering(func(s string) string { return s[:60] + "\n" + s[60:] }), Near: registering(func(s string) string { return s[:60] + "\n" + s[61:] }), Told: "statement_malformed"},
		{Code: "statement_cut", Made: registering(func(s string) string { return s[:len(s)-40] }), Near: registering(func(s string) string { return s[:len(s)-40] + strings.Repeat("A", 40) }), Told: "statement_tampered"},
		{Code: "statement_of_other_application", Made: unlinked("REF30"), Near: unlinked("apasstest1"), Told: "service_provider_not_linked"},

		{Code: "device_missing", Made: changed("CreateSession", nil, func(r *http.Request) { r.Header.Del(deviceHeader) }), Near: headed(deviceHeader, "{}"), Told: "device_identifier"},
		{Code: "device_prefix_missing", Made: headed(deviceHeader, device), Near: headed(deviceHeader, "device "+device), Told: "device_identifier"},
		{Code: "device_prefix_encoded", Made: headed(deviceHeader, encode([]byte(sampleDevice))), Near: headed(deviceHeader, encode([]byte("device "+device))), Told: "device_prefix_missing"},
		{Code: "device_other_separator", Made: headed(deviceHeader, "fingerprint:"+device), Near: headed(deviceHeader, "fingerprint!"+device), Told: "device_identifier"},
		{Code: "device_not_base64", Made: headed(deviceHeader, "fingerprint {device-1}"), Near: headed(deviceHeader, "serial {device-1}"), Told: "device_identifier"},
		{Code: "device_info_not_base64", Made: headed(deviceInfoHeader, `{"model":"TV"}`), Near: headed(deviceInfoHeader, `{model:TV}`), Told: "device_info"},

		{Code: "service_provider_case", Made: changed("GetConfiguration", contract.Values{"serviceProvider": "ref30"}, same), Near: changed("GetConfiguration", contract.Values{"serviceProvider": "REF31"}, same), Told: "unknown_service_provider"},
		{Code: "code_lower_case", Made: changed("GetSession", contract.Values{"code": "abc1234"}, same), Near: changed("GetSession", contract.Values{"code": "abc-123"}, same), Told: "code_form"},
	}
	conformance.Mistakes(t, API, tests)
}
