package adobepass_test

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/journal"
)

// An expectation is what a client observes before a scenario, while it is on,
// and after it is off again.
type expectation struct {
	before func(d *device)
	during func(d *device)
	after  func(d *device) // nil: as before
}

const sessionsAt = "/api/v2/REF30/sessions"

// answers expects a 200 with these values.
func answers(method, target, body string, pairs ...string) func(*device) {
	return func(d *device) {
		d.t.Helper()
		a := d.send(d.request(method, target, body))
		if want := 200; a.status != want && (len(pairs) == 0 || pairs[0] != "any") {
			d.t.Errorf("%s %s: got %d %s", method, target, a.status, a.body)
			return
		}
		a.expect(method+" "+target, a.status, pairs...)
	}
}

// fails expects an enhanced error code.
func fails(method, target, body string, status int, code, action string) func(*device) {
	return func(d *device) {
		d.t.Helper()
		d.send(d.request(method, target, body)).expectError(method+" "+target, status, code, action)
	}
}

// sequence runs several steps in order.
func sequence(all ...func(*device)) func(*device) {
	return func(d *device) {
		d.t.Helper()
		for _, f := range all {
			f(d)
		}
	}
}

// times repeats a step.
func times(n int, f func(*device)) func(*device) {
	return func(d *device) {
		d.t.Helper()
		for range n {
			f(d)
		}
	}
}

// delayed expects a call whose answer is delayed by so many milliseconds. The
// test does not wait.
func delayed(ms int64, method, target, body string) func(*device) {
	return func(d *device) {
		d.t.Helper()
		e := d.world.Glance(d.t, d.request(method, target, body))
		if e.Status != 200 || e.Wire == nil || e.Wire.DelayMS != ms || e.Wire.Undone {
			d.t.Errorf("%s %s: got %d, %+v, want a delay of %d ms", method, target, e.Status, e.Wire, ms)
		}
	}
}

// brokenConnection expects a call whose connection breaks.
func brokenConnection(fault, method, target, body string) func(*device) {
	return func(d *device) {
		d.t.Helper()
		if e := d.world.Glance(d.t, d.request(method, target, body)); e.Wire == nil || e.Wire.Fault != fault {
			d.t.Errorf("%s %s: got %d, %+v, want the fault %s", method, target, e.Status, e.Wire, fault)
		}
	}
}

// unavailable expects a call that a server in front of the service answers.
func unavailable(method, target, body string) func(*device) {
	return func(d *device) {
		d.t.Helper()
		if a := d.send(d.request(method, target, body)); a.status != 503 || !strings.Contains(a.body, "503 Service") {
			d.t.Errorf("%s %s: got %d %s", method, target, a.status, a.body)
		}
	}
}

func advance(span time.Duration) func(*device) { return func(d *device) { d.advance(span) } }

func loggedIn(d *device) { d.logIn("Cablevision", "") }

func denied(at, code string) func(*device) {
	return answers(http.MethodPost, at+"Cablevision", resources("REF30"), "decisions.0.authorized", "false", "decisions.0.error.code", code)
}

var (
	creates = answers(http.MethodPost, sessionsAt, complete, "actionName", "authenticate")
	permits = answers(http.MethodPost, authorizeAt+"Cablevision", resources("REF30"), "decisions.0.authorized", "true")
	polls   = answers(http.MethodGet, "/api/v2/REF30/profiles/code/XTC98W", "", "profiles", "{}")
	seen    = answers(http.MethodGet, "/api/v2/REF30/profiles/code/XTC98W", "", "profiles.Cablevision.type", "regular")
)

// missingThen expects that a client has to resume the session with a parameter,
// and resumes it.
func missingThen(list, supply string) expectation {
	return expectation{before: creates, during: func(d *device) {
		a := d.post(sessionsAt, complete).expect("create", 200, "actionName", "resume", "missingParameters", list)
		code := a.value("code")
		if a.value("url") != sessionsAt+"/"+code {
			d.t.Errorf("got %s", a.body)
		}
		if stuck := d.get("/api/v2/authenticate/REF30/" + code); stuck.status != 400 {
			d.t.Errorf("the login opens before the parameter was supplied: %d", stuck.status)
		}
		d.get(sessionsAt+"/"+code).expect("get", 200, "missingParameters", list)
		if first, rest, several := strings.Cut(supply, "&"); several {
			d.post(sessionsAt+"/"+code, first).expect("resume with one", 200, "actionName", "retry", "missingParameters", `["domain","redirectUrl"]`)
			supply = rest
		}
		d.post(sessionsAt+"/"+code, supply).expect("resume", 200, "actionName", "authenticate", "code", code)
	}}
}

// Each shipped scenario does what its description says.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	const post, get = http.MethodPost, http.MethodGet
	unauthorized := func(method, target, body string) func(*device) {
		return fails(method, target, body, 401, "invalid_access_token_client_application", "application-registration")
	}
	token := "client_id=s6BhdRkqt3&client_secret=t7AkePiru4&grant_type=client_credentials"
	tokenGiven := func(d *device) { d.post("/o/client/token", token).expect("token", 201, "token_type", "bearer") }
	partner := func(d *device) *device {
		return d.withHeader("Ap-Partner-Framework-Status", pfs("granted", "Cablevision", conformance.Noon.Add(1e12)))
	}
	partnerSays := func(pairs ...string) func(*device) {
		return func(d *device) {
			partner(d).post(sessionsAt+"/sso/Apple", "domainName=adobe.com&redirectUrl=https%3A%2F%2Fadobe.com").expect("partner", 200, pairs...)
		}
	}
	partnerAsks := partnerSays("actionName", "partner_profile", "reasonType", "none")
	scenes := map[string]expectation{
		"missing-parameters":   missingThen(`["mvpd","domain","redirectUrl"]`, complete),
		"missing-mvpd":         missingThen(`["mvpd"]`, "mvpd=Cablevision"),
		"missing-domain":       missingThen(`["domain"]`, "domainName=adobe.com"),
		"missing-redirect-url": missingThen(`["redirectUrl"]`, "redirectUrl=https%3A%2F%2Fadobe.com"),
		"expired-code": {before: polls, during: sequence(
			fails(get, "/api/v2/REF30/profiles/code/XTC98W", "", 400, "invalid_authentication_session", "none"),
			fails(get, sessionsAt+"/XTC98W", "", 400, "invalid_authentication_session", "none"),
			fails(post, sessionsAt+"/XTC98W", complete, 400, "invalid_authentication_session", "none"),
			func(d *device) { d.get("/api/v2/authenticate/REF30/XTC98W").expectPage("browser", 400) }, creates,
		)},
		"invalid-token": {before: creates, during: sequence(
			times(3, unauthorized(post, sessionsAt, complete)), unauthorized(get, "/api/v2/REF30/profiles", ""),
			func(d *device) { d.token = "nonsense"; unauthorized(post, sessionsAt, complete)(d) }, tokenGiven,
		), after: func(d *device) { d.register().post(sessionsAt, complete).expect("after", 200) }},
		"token-expires-once": {before: creates, during: sequence(unauthorized(post, sessionsAt, complete), creates)},
		"degraded": {before: sequence(creates, answers(get, profilesAt+"Cablevision", "", "profiles", "{}")), during: sequence(
			answers(post, sessionsAt, complete, "actionName", "authorize", "reasonType", "degraded"),
			answers(get, profilesAt+"Cablevision", "", "profiles.Cablevision.type", "degraded"),
			answers(post, authorizeAt+"Cablevision", resources("a", "b"), "decisions.1.authorized", "true", "decisions.1.source", "degradation"),
			answers(post, preauthorizeAt+"Cablevision", resources("a"), "decisions.0.source", "degradation"),
			answers(get, "/api/v2/REF30/logout/Cablevision", "", "logouts.Cablevision.actionName", "complete"),
		)},
		"authz-none": {before: sequence(loggedIn, permits), during: sequence(denied(authorizeAt, "authorization_denied_by_degradation_rule"), denied(preauthorizeAt, "authorization_denied_by_degradation_rule")), after: permits},
		"temp-pass-over": {before: answers(get, profilesAt+"TempPass_TEST40", "", "profiles.TempPass_TEST40.type", "temporary"), during: sequence(
			fails(get, profilesAt+"TempPass_TEST40", "", 403, "temporary_access_duration_limit_exceeded", "authentication"),
			answers(post, authorizeAt+"TempPass_TEST40", resources("REF30"), "decisions.0.error.code", "temporary_access_duration_limit_exceeded", "decisions.0.source", "temppass"),
			answers(get, profilesAt+"TempPass_TEST44", "", "profiles.TempPass_TEST44.type", "temporary"),
		)},
		"temp-pass-used-up": {
			before: func(d *device) {
				d.withHeader("Ap-Temppass-Identity", fooBar).get(profilesAt+"flexibleTempPass").expect("before", 200, "profiles.flexibleTempPass.attributes.remaining_resources.value", "5")
			},
			during: sequence(
				fails(get, profilesAt+"flexibleTempPass", "", 403, "temporary_access_resources_limit_exceeded", "authentication"),
				answers(post, authorizeAt+"flexibleTempPass", resources("REF30"), "decisions.0.error.code", "temporary_access_resources_limit_exceeded"),
			),
		},
		"denied-by-mvpd":    {before: sequence(loggedIn, permits), during: sequence(denied(authorizeAt, "authorization_denied_by_mvpd"), denied(preauthorizeAt, "preauthorization_denied_by_mvpd")), after: permits},
		"parental-controls": {before: sequence(loggedIn, permits), during: sequence(denied(authorizeAt, "authorization_denied_by_parental_controls"), denied(preauthorizeAt, "authorization_denied_by_parental_controls")), after: permits},
		"mvpd-timeout": {before: sequence(loggedIn, permits), during: sequence(
			times(3, answers(post, authorizeAt+"Cablevision", resources("REF30"), "decisions.0.error.code", "network_connection_timeout", "decisions.0.error.action", "retry")), permits,
		), after: permits},
		"slow-decision": {before: sequence(loggedIn, permits), during: sequence(
			delayed(20_000, post, authorizeAt+"Cablevision", resources("REF30")), delayed(20_000, post, preauthorizeAt+"Cablevision", resources("REF30")),
		), after: permits},
		"throttled": {before: creates, during: sequence(times(3, func(d *device) {
			a := d.post(sessionsAt, complete)
			if a.status != 429 || len(a.body) != 166 || a.header.Get("Retry-After") != "" || a.header.Get("Content-Type") != "text/html" {
				d.t.Errorf("got %d %v %q", a.status, a.header, a.body)
			}
		}), creates)},
		"login-abandoned": {before: polls, during: sequence(
			func(d *device) { d.logInAt("XTC98W") }, times(5, polls), answers(get, "/api/v2/REF30/profiles", "", "profiles", "{}"),
		), after: seen},
		"login-at-the-fourth-poll": {before: polls, during: sequence(times(3, polls), times(2, seen)), after: seen},
		"sso": {before: creates, during: sequence(
			answers(post, sessionsAt, complete, "actionName", "authorize", "reasonType", "authenticatedSSO", "code", "-"), permits,
		), after: permits},
		"partner-sso-off": {before: partnerAsks, during: partnerSays("actionName", "authenticate", "reasonType", "configuration_fallback")},
		"partner-permission-denied": {before: partnerAsks, during: sequence(
			partnerSays("actionName", "authenticate", "reasonType", "pfs_fallback"),
			func(d *device) {
				partner(d).post(profilesAt+"sso/Apple", "SAMLResponse=YQ%3D%3D").expectError("answer", 400, "invalid_header_pfs_permission_access_not_granted", "none")
			},
		)},
		"profile-expired": {before: sequence(loggedIn, permits), during: sequence(
			fails(post, authorizeAt+"Cablevision", resources("REF30"), 403, "authenticated_profile_expired", "authentication"),
			fails(post, preauthorizeAt+"Cablevision", resources("REF30"), 403, "authenticated_profile_expired", "authentication"),
			answers(get, "/api/v2/REF30/profiles", "", "profiles", "{}"),
		), after: permits},
		"profile-missing": {before: sequence(loggedIn, permits), during: sequence(
			fails(post, authorizeAt+"Cablevision", resources("REF30"), 403, "authenticated_profile_missing", "authentication"),
			fails(post, preauthorizeAt+"Cablevision", resources("REF30"), 403, "authenticated_profile_missing", "authentication"),
		), after: permits},
		"too-many-resources": {before: sequence(loggedIn, permits), during: sequence(
			fails(post, authorizeAt+"Cablevision", resources("REF30"), 403, "too_many_resources", "configuration"),
			fails(post, preauthorizeAt+"Cablevision", resources("REF30"), 403, "too_many_resources", "configuration"),
		), after: permits},
		"integration-disabled": {before: creates, during: sequence(
			fails(post, sessionsAt, complete, 400, "invalid_integration", "none"),
			fails(get, profilesAt+"Cablevision", "", 400, "invalid_integration", "none"),
		)},
		"unknown-service-provider": {before: creates, during: sequence(
			fails(post, sessionsAt, complete, 400, "invalid_parameter_service_provider", "none"),
			fails(get, "/api/v2/REF30/configuration", "", 400, "invalid_parameter_service_provider", "none"),
		)},
		"statement-of-another-provider": {before: creates, during: times(2, fails(post, sessionsAt, complete, 401, "invalid_access_token_service_provider", "application-registration"))},
		"statement-revoked": {before: tokenGiven, during: func(d *device) {
			d.post("/o/client/register", `{"software_statement":"`+d.world.Credentials(d.t).Text("softwareStatement")+`"}`).expect("register", 400, "error", "unapproved_software_statement")
			d.post("/o/client/token", token).expect("token", 400, "error", "unauthorized_client")
		}},
		"client-forgotten": {before: tokenGiven, during: func(d *device) {
			d.post("/o/client/token", token).expect("token", 400, "error", "invalid_client")
			d.register().post(sessionsAt, complete).expect("registered again", 200)
		}},
		"server-error-then-ok": {before: creates, during: sequence(times(2, fails(post, sessionsAt, complete, 500, "internal_server_error", "none")), creates)},
		"bad-gateway": {before: creates, during: sequence(times(2, func(d *device) {
			if a := d.post(sessionsAt, complete); a.status != 502 || !strings.Contains(a.body, "502 Bad Gateway") {
				d.t.Errorf("got %d %s", a.status, a.body)
			}
		}), creates)},
		"unknown-mvpd": {before: creates, during: sequence(
			fails(post, sessionsAt, complete, 400, "invalid_parameter_mvpd", "none"),
			fails(post, sessionsAt+"/XTC98W", complete, 400, "invalid_parameter_mvpd", "none"),
			fails(get, profilesAt+"Cablevision", "", 400, "invalid_parameter_mvpd", "none"),
			fails(post, authorizeAt+"Cablevision", resources("REF30"), 400, "invalid_parameter_mvpd", "none"),
		)},
		"redirect-url-refused": {before: creates, during: sequence(
			fails(post, sessionsAt, complete, 400, "invalid_parameter_redirect_url", "none"),
			fails(post, sessionsAt+"/XTC98W", complete, 400, "invalid_parameter_redirect_url", "none"), polls,
		)},
		"device-identifier-refused": {before: creates, during: sequence(
			fails(post, sessionsAt, complete, 400, "invalid_header_device_identifier", "none"),
			fails(get, "/api/v2/REF30/profiles", "", 400, "invalid_header_device_identifier", "none"), polls,
		)},
		"device-info-refused": {before: creates, during: sequence(fails(post, sessionsAt, complete, 400, "invalid_header_device_info", "none"), creates)},
		"every-session-error-in-turn": {before: creates, during: sequence(
			fails(post, sessionsAt, complete, 400, "invalid_parameter_service_provider", "none"),
			fails(post, sessionsAt, complete, 400, "invalid_parameter_mvpd", "none"),
			fails(post, sessionsAt, complete, 400, "invalid_integration", "none"),
			fails(post, sessionsAt, complete, 400, "invalid_parameter_redirect_url", "none"),
			fails(post, sessionsAt, complete, 400, "invalid_header_device_identifier", "none"),
			fails(post, sessionsAt, complete, 400, "invalid_header_device_info", "none"),
			unauthorized(post, sessionsAt, complete),
			fails(post, sessionsAt, complete, 401, "invalid_access_token_service_provider", "application-registration"),
			fails(post, sessionsAt, complete, 500, "internal_server_error", "none"), creates, creates,
		)},
		"every-configuration-error-in-turn": {before: creates, during: func(d *device) {
			for _, what := range []string{
				"user_metadata_certificate", "platform", "platform_id", "platform_trait", "platform_category_trait", "platform_services",
				"mvpd_platform", "mvpd_platform_boarding_status", "mvpd_platform_profile_exchange",
			} {
				fails(post, sessionsAt, complete, 500, "invalid_configuration_"+what, "configuration")(d)
			}
			creates(d)
		}},
		"user-logs-in-while-polling": {before: polls, during: sequence(times(3, polls), times(2, seen)), after: seen},
		"code-expires-between-two-polls": {before: polls, during: sequence(
			polls, fails(get, "/api/v2/REF30/profiles/code/XTC98W", "", 400, "invalid_authentication_session", "none"), creates,
		), after: creates},
		"profile-revoked-in-between": {before: sequence(loggedIn, permits), during: sequence(
			permits, times(2, fails(post, authorizeAt+"Cablevision", resources("REF30"), 403, "authenticated_profile_invalidated", "authentication")),
		), after: sequence(loggedIn, permits)},
		"token-expires-in-between": {before: creates, during: sequence(creates, times(2, unauthorized(post, sessionsAt, complete)), func(d *device) {
			renewal := "client_id=c4fc3e7e-12d9-495d-b742-6aeac8a490e7&client_secret=sample-token-has-no-secret&grant_type=client_credentials"
			d.token = d.post("/o/client/token", renewal).expect("token", 201).value("access_token")
		}, creates), after: func(d *device) { d.register().post(sessionsAt, complete).expect("after", 200) }},
		"session-created-answer-lost": {before: creates, during: func(d *device) {
			brokenConnection("reset", post, sessionsAt, complete)(d)
			e := d.world.Last(d.t)
			unknown := sessionsAt + "/" + answer{d.t, e.Status, e.Response.Header, string(e.Response.Body)}.value("code")
			d.get(unknown).expect("the code of the lost answer", 200)
			creates(d)
			fails(get, unknown, "", 400, "invalid_authentication_session", "none")(d)
		}},
		"session-never-created": {before: creates, during: func(d *device) {
			code := d.newCode("Cablevision")
			fails(get, sessionsAt+"/"+code, "", 400, "invalid_authentication_session", "none")(d)
			fails(get, profilesAt+"code/"+code, "", 400, "invalid_authentication_session", "none")(d)
			d.get(sessionsAt+"/"+d.newCode("Cablevision")).expect("the next one", 200)
		}},
		"polls-just-in-time": {before: polls, during: times(2, delayed(4_800, get, "/api/v2/REF30/profiles/code/XTC98W", ""))},
		"polls-overtake":     {before: polls, during: times(2, delayed(5_500, get, "/api/v2/REF30/profiles/code/XTC98W", ""))},
		"login-over-a-bad-network": {before: polls, during: sequence(
			delayed(3_000, get, "/api/v2/REF30/profiles/code/XTC98W", ""), times(2, brokenConnection("empty", get, "/api/v2/REF30/profiles/code/XTC98W", "")), seen,
		), after: seen},
		"sessions-flapping": {before: creates, during: times(2, sequence(fails(post, sessionsAt, complete, 500, "internal_server_error", "none"), creates))},
		"slow-start": {before: creates, during: sequence(
			unavailable(post, sessionsAt, complete), advance(2*time.Minute-time.Second), unavailable(get, "/api/v2/REF30/profiles", ""),
			advance(time.Second), creates, answers(get, "/api/v2/REF30/profiles", "", "profiles", "{}"),
		)},
		"brown-out": {before: creates, during: func(d *device) {
			conformance.BrownOut(d.t, func() *journal.Entry {
				e := d.world.Glance(d.t, d.request(post, sessionsAt, complete))
				return &e
			})
		}},
		"retry-twice": {
			before: answers(post, sessionsAt+"/XTC98W", complete, "actionName", "authenticate"),
			during: sequence(times(2, answers(post, sessionsAt+"/8BLW4RW", complete, "actionName", "retry")), answers(post, sessionsAt+"/8BLW4RW", complete, "actionName", "authenticate")),
		},
	}
	demands := conformance.Demands{
		Failures: []string{"CreateSession"},
		// The documents say how often applications should poll, and not how long they wait.
		Patience: map[string][]time.Duration{"GetProfileByCode": {5 * time.Second}},
	}
	conformance.Shipped(t, adobepass.API, scenes, demands, func(t *testing.T, w *conformance.World, s expectation) {
		name := path.Base(t.Name())
		d := deviceIn(t, w)
		s.before(d)
		w.Activate(t, name)
		s.during(d)
		if !w.Sandbox.Player.Off(name) {
			t.Errorf("%s was not on", name)
		}
		if s.after == nil {
			s.after = s.before
		}
		d.token = w.Credentials(t).Text("accessToken")
		s.after(d)
	})
}
