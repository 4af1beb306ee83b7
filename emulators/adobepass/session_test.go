package adobepass

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A session whose parameters a scenario removed lacks each of them until it is
// supplied. GetSession reports the same list.
func TestWithheldParameters(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	checkReply := func(what string, got *httptest.ResponseRecorder, want string) (code string) {
		t.Helper()
		var s struct {
			Code, MVPD string
			Missing    []string `json:"missingParameters"`
		}
		if err := json.Unmarshal(got.Body.Bytes(), &s); err != nil || fmt.Sprint(s.Missing) != want {
			t.Errorf("%s: got %s", what, got.Body)
		}
		if slices.Contains(s.Missing, "mvpd") && s.MVPD != "" {
			t.Errorf("%s: the MVPD is both missing and present: %s", what, got.Body)
		}
		return s.Code
	}
	all := func() contract.Values {
		return contract.Values{"mvpd": "Cablevision", "domainName": "adobe.com", "redirectUrl": "https://adobe.com"}
	}
	w.Play(t, createSession, missingParameters)
	code := checkReply("forced", call(t, w, "CreateSession", "AAAA", all()), "[mvpd domain redirectUrl]")
	resume := func(name string) *httptest.ResponseRecorder {
		return call(t, w, "ResumeSession", "", contract.Values{"code": code, name: all()[name]})
	}
	checkReply("one supplied", resume("domainName"), "[mvpd redirectUrl]")
	checkReply("retrieved", call(t, w, "GetSession", "", contract.Values{"code": code}), "[mvpd redirectUrl]")
	checkReply("two supplied", resume("redirectUrl"), "[mvpd]")
	checkReply("all supplied", resume("mvpd"), "[]")

	w.Play(t, createSession, missingDomain)
	checkReply("one forced of none", call(t, w, "CreateSession", "AAAA", contract.Values{}), "[domain]")
	w.Play(t, resumeSession, retry)
	code = newSession(t, w, "BBBB")
	checkReply("retry", call(t, w, "ResumeSession", "", contract.Values{"code": code, "domainName": "adobe.com"}), "[mvpd domain redirectUrl]")

	w.Play(t, createPartnerSession, missingFallback)
	in := all()
	delete(in, "mvpd")
	in["partner"] = partnerApple
	in[partnerHeader] = base64.StdEncoding.EncodeToString([]byte(`{"frameworkPermissionInfo":{"accessStatus":"granted"},"frameworkProviderInfo":{"id":"Cablevision","expirationDate":"9999999999999"}}`))
	checkReply("a partner's", call(t, w, "CreatePartnerSession", "AAAA", in), "[domain redirectUrl]")
}
