package adobepass_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
)

// The values of the samples that are made up: the code, the sessionId and two times.
const (
	anyCode    = `[0-9A-Z]{7}`
	anySession = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	anyTimes   = `"notBefore":"1733735289000","notAfter":"1733737089000"`
)

// TestGivenDocument walks the page "Create authentication session" of REST API V2,
// from which this API was begun. Its statements hold with every switch at its
// default.
func TestGivenDocument(t *testing.T) {
	const at = "/api/v2/REF30/sessions"
	onPageDay := time.UnixMilli(1733735289000)
	// sample sends the request of the samples, and matches the whole body.
	sample := func(fixture, form, want string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			d := newDevice(t, conformance.Setting{Fixture: fixture, Clock: onPageDay}).withHeader("X-Device-Info", sampleInfo).withHeader("Accept", "application/json")
			got := d.post(at, form)
			if got.status != 200 || !regexp.MustCompile(`^`+want+`$`).MatchString(got.body) {
				t.Errorf("got %d %s, want %s", got.status, got.body, want)
			}
		}
	}
	// with sends the complete form of the samples with one header; "" leaves it out.
	with := func(status int, code, header, value string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			d := newDevice(t, conformance.Setting{}).withHeader("X-Device-Info", sampleInfo)
			r := d.request("POST", at, complete)
			if r.Header.Del(header); value != "" {
				r.Header.Set(header, value)
			}
			if got := d.send(r); got.status != status || got.value("code") != code && code != "" {
				t.Errorf("%s: %q: got %d %s, want %d %s", header, value, got.status, got.body, status, code)
			}
		}
	}
	post := func(status int, form string, pairs ...string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			newDevice(t, conformance.Setting{}).post(at, form).expect(form, status, pairs...)
		}
	}
	all := func(holds ...func(*testing.T)) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			for _, h := range holds {
				h(t)
			}
		}
	}
	conformance.Document(t, []conformance.Statement{
		{Says: "受限制机制文档限制", Chosen: "off by default, since tests share one address: the switch throttle; 429 is not among the statuses of this page", Holds: func(t *testing.T) {
			d := newDevice(t, conformance.Setting{})
			for range 30 {
				d.post(at, complete).expect("again", 200)
			}
		}},
		{Says: "路径 /api/v2/{serviceProvider}/sessions", Holds: post(200, complete, "serviceProvider", "REF30")},
		{Says: "方法 POST", Holds: func(t *testing.T) { newDevice(t, conformance.Setting{}).get(at).expect("GET", 405) }},
		{Says: "serviceProvider 必填", Holds: func(t *testing.T) {
			newDevice(t, conformance.Setting{}).post("/api/v2/nobody/sessions", complete).expectError("unknown", 400, "invalid_parameter_service_provider", "none")
		}},
		{Says: "mvpd 必填; 否则必须恢复身份验证会话", Chosen: "a request without it is answered 200 and resume, as sample 2 has it, although the table calls it required", Holds: all(
			post(200, strings.Replace(complete, "mvpd=Cablevision&", "", 1), "actionName", "resume", "missingParameters", `["mvpd"]`),
			post(400, strings.Replace(complete, "Cablevision", "nobody", 1), "code", "invalid_parameter_mvpd"),
		)},
		{Says: "域名 必填", Chosen: "the parameter is domainName, as in the samples: the page's translation put its name into Chinese", Holds: post(200, strings.Replace(complete, "domainName=adobe.com&", "", 1), "missingParameters", `["domain"]`)},
		{Says: "redirectUrl 必填", Holds: post(200, strings.Replace(complete, "&redirectUrl=https%3A%2F%2Fadobe.com", "", 1), "missingParameters", `["redirectUrl"]`)},
		{Says: "redirectUrl: 该值必须为URL编码", Chosen: "a form's value without special characters is one even so, and is taken", Holds: all(
			post(200, complete, "actionName", "authenticate"),
			post(400, strings.Replace(complete, "https%3A%2F%2Fadobe.com", "%zz", 1)),
		)},
		{Says: "授权 必填 (持有者令牌)", Holds: all(with(401, "", "Authorization", ""), with(401, "", "Authorization", "Bearer nobody"))},
		{Says: "Content-Type 必须是application/x-www-form-urlencoded", Chosen: "another type is 400: the page lists no 415; the switch unsupported_media_type", Holds: all(
			with(400, "bad_request", "Content-Type", "application/json"),
			with(400, "bad_request", "Content-Type", ""),
			with(200, "", "Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"),
		)},
		{Says: "AP设备标识符 必填", Holds: all(
			with(400, "invalid_header_device_identifier", "AP-Device-Identifier", ""),
			with(400, "invalid_header_device_identifier", "AP-Device-Identifier", "YmEyM2QxNDEt"),
		)},
		{Says: "X-Device-Info 必填; 如果未提供，将隐式使用提取的值", Chosen: "taken without it: the row contradicts itself, and the sample's value is no valid JSON; the switch strict_device_info", Holds: all(
			with(200, "", "X-Device-Info", ""), with(200, "", "X-Device-Info", sampleInfo), with(400, "invalid_header_device_info", "X-Device-Info", "{"),
		)},
		{Says: "X-Forwarded-For 可选", Holds: with(200, "", "X-Forwarded-For", "198.51.100.7")},
		{Says: "Adobe-Subject-Token 或 X-Roku-Reserved-Roku-Connect-Token 可选", Holds: all(with(200, "", "Adobe-Subject-Token", "x"), with(200, "", "X-Roku-Reserved-Roku-Connect-Token", "x"))},
		{Says: "AD-Service-Token 可选", Holds: with(200, "", "AD-Service-Token", "x")},
		{Says: "AP-Visitor-Identifier 可选", Holds: with(200, "", "AP-Visitor-Identifier", "x")},
		{Says: "Accept 如果指定，则必须是application/json", Chosen: "any is taken and answered with JSON: no page says what another gets, and curl sends */*", Holds: all(
			with(200, "", "Accept", ""), with(200, "", "Accept", "application/json"), with(200, "", "Accept", "*/*"),
		)},
		{Says: "User-Agent 可选", Holds: all(with(200, "", "User-Agent", ""), with(200, "", "User-Agent", "a"))},

		{Says: "200 确定", Holds: post(200, complete)},
		{Says: "400 错误请求, 增强型错误代码", Holds: func(t *testing.T) {
			newDevice(t, conformance.Setting{}).post(at, "mvpd=nobody").expectError("400", 400, "invalid_parameter_mvpd", "none")
		}},
		{Says: "401 未授权: 访问令牌无效", Holds: func(t *testing.T) {
			d := newDevice(t, conformance.Setting{})
			d.token = "nobody"
			d.post(at, complete).expect("401", 401)
		}},
		{Says: "405 不允许使用该方法", Holds: func(t *testing.T) {
			d := newDevice(t, conformance.Setting{})
			d.send(d.request("PUT", at, complete)).expect("PUT", 405)
		}},
		{Says: "500 内部服务器错误", Chosen: "nothing but a scenario leads there", Holds: func(t *testing.T) {
			d := newDevice(t, conformance.Setting{})
			op := adobepass.API.Operation("CreateSession")
			d.world.Play(t, op, adobepass.API.Outcome(op, "internal_server_error"))
			d.post(at, complete).expectError("500", 500, "internal_server_error", "none")
		}},
		{Says: "Content-Type application/json of successes and errors", Chosen: "with ;charset=UTF-8, as in all samples of the page", Holds: func(t *testing.T) {
			d := newDevice(t, conformance.Setting{})
			for _, form := range []string{complete, "mvpd=nobody"} {
				if got := d.post(at, form).header.Get("Content-Type"); got != "application/json;charset=UTF-8" {
					t.Errorf("%s: got %s", form, got)
				}
			}
		}},
		{Says: "actionName: 身份验证, resume, 授权", Chosen: "authenticate, resume and authorize, as in the samples: the page's translation put two of them into Chinese", Holds: all(
			post(200, complete, "actionName", "authenticate"), post(200, "", "actionName", "resume"), post(200, strings.Replace(complete, "Cablevision", "TempPass_TEST40", 1), "actionName", "authorize"),
		)},
		{Says: "actionType: 交互式, direct", Chosen: "interactive and direct, as in the samples", Holds: all(post(200, complete, "actionType", "interactive"), post(200, "", "actionType", "direct"))},
		{Says: "原因类型: 无, 已通过身份验证, 临时, 已降级, authenticatedSSO", Chosen: "reasonType: none, authenticated, temporary, degraded, as in the samples, and authenticatedSSO", Holds: func(t *testing.T) {
			op := adobepass.API.Operation("CreateSession")
			for outcome, reason := range map[string]string{"authenticate": "none", "authorize.authenticated": "authenticated", "authorize.temporary": "temporary", "authorize.degraded": "degraded", "authorize.authenticatedSSO": "authenticatedSSO"} {
				d := newDevice(t, conformance.Setting{})
				d.world.Play(t, op, adobepass.API.Outcome(op, outcome))
				d.post(at, complete).expect(outcome, 200, "reasonType", reason)
			}
		}},
		{Says: "missingParameters 可选", Holds: all(post(200, complete, "missingParameters", "-"), post(200, "", "missingParameters", `["mvpd","domain","redirectUrl"]`))},
		{Says: "sessionId, serviceProvider 必填; 代码, mvpd, url 可选", Holds: func(t *testing.T) {
			for _, form := range []string{complete, "", strings.Replace(complete, "Cablevision", "TempPass_TEST40", 1)} {
				got := newDevice(t, conformance.Setting{}).post(at, form).expect(form, 200, "serviceProvider", "REF30")
				if !regexp.MustCompile(`^` + anySession + `$`).MatchString(got.value("sessionId")) {
					t.Errorf("got %s", got.body)
				}
			}
		}},
		{Says: "notBefore, notAfter 时间戳（以毫秒为单位）", Chosen: "texts, as in the samples, half an hour apart", Holds: sample("", complete, `.*`+anyTimes+`\}`)},

		{Says: "示例 1: interactive, none, 8ER640M", Holds: sample("", complete, `\{"actionName":"authenticate","actionType":"interactive","reasonType":"none","url":"/api/v2/authenticate/REF30/`+anyCode+`","code":"`+anyCode+`","sessionId":"`+anySession+`","mvpd":"Cablevision","serviceProvider":"REF30",`+anyTimes+`\}`)},
		{Says: `示例 2: "missingParameters": ["mvpd", "domain", "redirectUrl"]`, Chosen: "domain, although the parameter is domainName; the switch missing_domain_name", Holds: sample("", "", `\{"actionName":"resume","actionType":"direct","reasonType":"none","url":"/api/v2/REF30/sessions/`+anyCode+`","missingParameters":\["mvpd","domain","redirectUrl"\],"code":"`+anyCode+`","sessionId":"`+anySession+`","serviceProvider":"REF30",`+anyTimes+`\}`)},
		{Says: "示例 3: authorize, authenticated", Holds: sample("authenticated", complete, `\{"actionName":"authorize","actionType":"direct","reasonType":"authenticated","url":"/api/v2/REF30/decisions/authorize/Cablevision","sessionId":"`+anySession+`","mvpd":"Cablevision","serviceProvider":"REF30"\}`)},
		{Says: "示例 4: TempPass_TEST40, temporary", Holds: sample("", strings.Replace(complete, "Cablevision", "TempPass_TEST40", 1), `\{"actionName":"authorize","actionType":"direct","reasonType":"temporary","url":"/api/v2/REF30/decisions/authorize/TempPass_TEST40","sessionId":"`+anySession+`","mvpd":"TempPass_TEST40","serviceProvider":"REF30"\}`)},
		{Says: "示例 5: degraded", Holds: sample("degraded", complete, `\{"actionName":"authorize","actionType":"direct","reasonType":"degraded","url":"/api/v2/REF30/decisions/authorize/Cablevision","sessionId":"`+anySession+`","mvpd":"Cablevision","serviceProvider":"REF30"\}`)},
		{Says: "示例: Authorization: Bearer eyJhbGciOiJSUzI1NiJ9…", Chosen: "the token of the samples expired in 2024, and the fixture takes it as it is, so that the samples run unchanged", Holds: with(200, "", "Authorization", "Bearer "+sampleToken)},
	})
}

// sampleInfo is the X-Device-Info of all samples: base64 of a JSON object in which a
// comma is missing.
var sampleInfo = base64.StdEncoding.EncodeToString([]byte("{\n\t\"primaryHardwareType\": \"SetTopBox\",\n\t\"model\": \"TV 5th Gen\",\n\t\"manufacturer\": \"Apple\",\n\t\"osName\": \"tvOS\"\n\t\"osVendor\": \"Apple\",\n\t\"osVersion\": \"11.0\"\n}"))

// sampleToken is the access token of all samples.
const sampleToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjNGZjM2U3ZS0xMmQ5LTQ5NWQtYjc0Mi02YWVhYzhhNDkwZTciLCJuYmYiOjE3MjQwODc4NjgsImlzcyI6ImF1dGguYWRvYmUuY29tIiwic2NvcGVzIjoiYXBpOmNsaWVudDp2MiIsImV4cCI6MTcyNDEwOTQ2OCwiaWF0IjoxNzI0MDg3ODY4fQ.DJ9GFl_yKAp2Qw-NVcBeRSnxIhqrwxhns5T5jU31N2tiHxCucKLSQ5guBygqkkJx6D0N_93f50meEEyfb7frbHhVHHwmRjHYjkfrWqHCpviwVjVZKKwl8Y3FEMb0bjKIB8p_E3txX9IbzeNGWRufZBRh2sxB5Q9B7XYINpVfh8s_sFvskrbDu5c01neCx5kEagEW5CtE0_EXTgEb5FSr_SfQG3UUu_iwlkOggOh_kOP_5GueElf9jn-bYBMnpObyN5s-FzuHDG5Rtac5rvcWqVW2reEqFTHqLI4rVC7UKQb6DSvPBPV4AgrutAvk30CYgDsOQILVyrjniincp7r9Ww"
