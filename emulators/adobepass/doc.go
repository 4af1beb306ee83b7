// Package adobepass emulates Adobe Pass Authentication, REST API V2, and the
// Dynamic Client Registration (DCR) that its access tokens come from.
//
// Emulated, and the pages that document it (repository AdobeDocs/pass.en,
// below help/authentication/integration-guide-programmers, and the OpenAPI
// documents of AdobeDocs/adobe-pass):
//   - configuration; sessions: create, resume, retrieve, and authenticate in the
//     user agent; profiles: all, by MVPD, by code; decisions: preauthorize and
//     authorize; logout; partner single sign-on (rest-apis/rest-api-v2/apis);
//   - client registration and access tokens (rest-apis/rest-api-dcr);
//   - the headers that carry devices, single sign-on and temporary access
//     (rest-api-v2/appendix/headers);
//   - enhanced error codes (features-standard/error-reporting), the rate
//     limit (throttling-mechanism), TempPass and degradation (features-premium).
//
// The login page of the MVPD is our own: the helper operations ShowLogin and
// SubmitLogin. It is plain HTML, needs no script, sets no cookie and may be shown
// in a frame. The names in its form are stable: username, and action with the
// values allow, deny and error. An interactive logout leads to FinishLogout.
// Only the redirect of a session or logout leads away from the emulator.
//
// "Required" has two meanings in the documents. A session's three parameters may
// be missing: the answer has status 200 and actionName resume. They are Expected
// in the table. A request without a Required parameter is refused.
//
// Where pages contradict each other, a switch selects the reading. The default is
// the printed example: one page has domainName in its table and domain in its
// examples.
//
// Not emulated: the SAML exchange behind the login page; the separate APIs that
// reset TempPass or set degradation rules, which a trigger and the fixture
// replace; REST API V1.
package adobepass
