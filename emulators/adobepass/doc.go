// Package adobepass emulates Adobe Pass Authentication, REST API V2, and the
// Dynamic Client Registration (DCR) that its access tokens come from.
//
// Emulated, and the pages they were read from (repository AdobeDocs/pass.en,
// below help/authentication/integration-guide-programmers, and the OpenAPI
// documents of AdobeDocs/adobe-pass):
//   - configuration; sessions: create, resume, retrieve, and authenticate in the
//     user agent; profiles: all, by MVPD, by code; decisions: preauthorize and
//     authorize; logout; partner single sign-on (rest-apis/rest-api-v2/apis);
//   - client registration and access tokens (rest-apis/rest-api-dcr);
//   - the headers that carry devices, single sign-on and temporary access
//     (rest-api-v2/appendix/headers);
//   - enhanced error codes (features-standard/error-reporting), the throttle
//     (throttling-mechanism), TempPass and degradation (features-premium).
//
// The MVPD's login page is ours: the helper operations ShowLogin and
// SubmitLogin. It is plain HTML, needs no script, sets no cookie and may be
// framed. Its form names are promises: username, and action with the values
// allow, deny and error. FinishLogout is where an interactive logout leads.
// Nothing leads off the emulator but the redirect that a session asked for.
//
// "Required" has two meanings here. The three parameters of a session may be
// left out, which is answered with 200 and actionName resume: they are
// Expected. What is Required is refused.
//
// The table of an API page prints domainName and its examples domain; both
// readings that pages contradict each other on are switches, the printed
// example first.
//
// Not emulated: the SAML exchange behind the login page, the neighbouring APIs
// that reset TempPass or set degradation rules (a trigger and the fixture do),
// REST API V1.
package adobepass
