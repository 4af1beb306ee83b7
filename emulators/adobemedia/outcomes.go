package adobemedia

import "github.com/understudy-suite/understudy/internal/contract"

// The pages that rows and outcomes were read from.
const (
	citeSessions   = "AdobeDocs/media-analytics.en mc-api-ref/mc-api-sessions-req"
	citeEvents     = "AdobeDocs/media-analytics.en mc-api-ref/mc-api-events-req"
	citeTypes      = "AdobeDocs/media-analytics.en mc-api-ref/mc-api-event-types"
	citeValidate   = "AdobeDocs/media-analytics.en mc-api-impl/mc-api-validate-reqs"
	citeTimeout    = "AdobeDocs/media-analytics.en mc-api-impl/mc-api-timeout"
	citeOrder      = "AdobeDocs/media-analytics.en mc-api-impl/mc-api-ctrl-order"
	citeEnd        = "AdobeDocs/media-analytics.en events/session/session-end"
	citeDownloaded = "AdobeDocs/media-analytics.en use-cases/track-downloaded-content"
	citeVariables  = "AdobeDocs/media-analytics.en variables"
	citePlayer     = "AdobeDocs/media-analytics.en player state"
	citeParameters = "AdobeDocs/analytics-collection-apis media-collection/parameters"
	citeMetadata   = "AdobeDocs/analytics-collection-apis media-collection/custom-metadata"
	citeImpl       = "AdobeDocs/analytics-collection-apis media-collection/implementation"
	citeSwagger    = "AdobeDocs/analytics-collection-apis static/media-collection.json"
)

// The outcomes that checks declare.
var (
	preflight = &contract.Outcome{
		Name: "preflight", Status: 200,
		Doc: "A browser asked whether it may send its request. Access-Control-Allow-Methods shows that it is answered; the answer itself is not documented.",
	}
	notFound         = fails("notFound", 404, "Not found.", "There is no operation at this path.", "")
	methodNotAllowed = fails("methodNotAllowed", 405, "Method not allowed.",
		"The path takes another method. PUT is in Access-Control-Allow-Methods, and no page says what it would do.", "")
	payloadTooLarge = fails("payloadTooLarge", 413, "Request is too large.",
		"The body is longer than the switch max_body allows. No limit is published.", "")
	unsupportedMediaType = fails("unsupportedMediaType", 415, "Content-Type must be application/json.",
		"The Content-Type is not application/json, and the switch strict_content_type is on. The service itself reads JSON whatever the header says: the quick start sends none.", "")
	badRequest = fails("badRequest", 400, improperFormat,
		"The request violates the schema of its event. The message contains all violations.", citeSwagger)
)

// improperFormat is the only published error message.
const improperFormat = "Request had improper format."

// serverError is documented for every operation that takes events. Only a
// scenario gives it.
var serverError = fails("serverError", 500, "Server error.", "The service failed.", citeSwagger)

var common = contract.Outcomes(serverError)

// The outcomes of an event that the session does not accept.
var (
	sessionNotFound = &contract.Outcome{
		Name: "sessionNotFound", Fails: true, Status: 404, Message: "The session is not found.", Cite: citeSwagger,
		Doc: "The id was never handed out, or is remembered no more. Players open a new session and send the event again. Forced by a scenario, it makes the service forget the session.",
		Do:  doNotFound,
	}
	sessionClosed = &contract.Outcome{
		Name: "sessionClosed", Fails: true, Status: 410, Message: "The session is closed.", Cite: citeSwagger,
		Doc: "The session ended, timed out or is older than 24 hours. Players open a new session and send the event again. Forced by a scenario, it closes the session.",
		Do:  doClosed,
	}
)

func fails(name string, status int, message, doc, cite string) *contract.Outcome {
	return &contract.Outcome{Name: name, Fails: true, Status: status, Message: message, Doc: doc, Cite: cite}
}
