package adobemedia

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// API is the table of the Media Collection API.
var API = &contract.API{
	Name:  "adobemedia",
	Title: "Adobe Analytics Media Collection API v1",
	Docs:  "https://developer.adobe.com/analytics-collection-apis/methods/media-collection/",
	Port:  6411,

	Hosts:       []contract.Host{hosts},
	Claims:      claims,
	Identifiers: identifiers,

	Pick:   pick,
	Checks: checks,
	CORS:   true,
	Fail:   fail,
	Write:  write,
	Sign:   sign,

	Operations: operations,
	Common:     common,
	Failure: []contract.Param{
		{Name: "message", Need: contract.Required, Cite: citeSwagger, Doc: "What went wrong. No client reads it."},
	},

	State:    newState,
	Fixture:  fixtureRows,
	Switches: switches,
	Credentials: []contract.Credential{
		{Name: "reportSuite", Env: "ADOBE_MEDIA_REPORT_SUITE", Identifier: true},
		{Name: "orgId", Env: "ADOBE_MEDIA_ORG_ID", Identifier: true},
	},
	Adopts:      adopts,
	Mint:        mint,
	Environment: []contract.Variable{{Name: "ADOBE_MEDIA_SERVER", Value: contract.BaseURL}},
	Secrets:     []string{"X-Adobe-AEP-Validation-Token"},
	Triggers:    triggers,
	Lifecycle:   &lifecycle,
	Mistakes:    mistakes,
}

var operations = []*contract.Operation{startSession, sendEvent, sendDownloaded, sendBatch, getSchema}

// checks lists the checks in the order in which they run. It is inferred that
// the schema is checked before the session is looked up: the collection layer
// "has no session context" (mc-api-validate-reqs).
var checks = []contract.Check{
	{Name: "path", Do: checkPath, Ends: contract.Outcomes(notFound)},
	{Name: "method", Do: checkMethod, Ends: contract.Outcomes(preflight, methodNotAllowed)},
	{Name: "size", Do: checkSize, Ends: contract.Outcomes(payloadTooLarge)},
	{Name: "content-type", Do: checkContentType, Ends: contract.Outcomes(unsupportedMediaType)},
	{Name: "json", Do: readBody, Ends: contract.Outcomes(badRequest)},
	{Name: "parameters", Do: checkBody, Ends: contract.Outcomes(badRequest)},
	{Name: "adopt", Do: adoptAccount},
}

// The paths, as documented.
const (
	sessionsPath   = "/api/v1/sessions"
	eventsPath     = "/api/v1/sessions/{sid}/events"
	downloadedPath = "/api/v1/downloaded"
	schemasPath    = "/api/v1/schemas/{eventType}"
)

// hosts are those of customers. The known names are Adobe's own: of its sample apps, and
// of the schemas.
var hosts = contract.Host{
	Name: "*.hb-api.omtrdc.net", Known: []string{"obumobile5.hb-api.omtrdc.net", "alpha.hb-api.omtrdc.net"},
	Doc: "a customer's host, which Adobe names", Cite: "AdobeDocs/analytics-collection-apis media-collection overview",
}

// claims accepts requests below a path prefix of a customer's own host.
func claims(r *contract.Request) bool { return findRoute(r).operations != nil }

// identifiers returns what identifies a caller: the session, or for a
// sessionStart its organisation and report suite.
func identifiers(r *contract.Request) []string {
	if sid := findRoute(r).values["sid"]; sid != "" {
		return []string{sid}
	}
	org, suite := findText(r.Body, orgKey), findText(r.Body, suiteKey)
	if org == "" || suite == "" {
		return nil
	}
	return []string{account{ReportSuite: suite, OrgID: org}.identifier()}
}

// findText returns the first string that follows a name in a JSON text, without
// parsing the text.
func findText(body []byte, name string) string {
	_, rest, found := bytes.Cut(body, []byte(`"`+name+`"`))
	rest, colon := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if !found || !colon || len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	if plain, _, closed := bytes.Cut(rest[1:], []byte(`"`)); closed && isPlain(plain) {
		return string(plain)
	}
	var s string
	if json.NewDecoder(bytes.NewReader(rest)).Decode(&s) != nil {
		return ""
	}
	return s
}

// isPlain reports whether a text in JSON is written as it is: printable ASCII without escapes.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

// A route is the result of matching a request's path.
type route struct {
	operations []*contract.Operation // nil: no documented path
	prefix     string                // the part before the documented path
	values     map[string]string     // the values of the path parameters
}

// findRoute matches a request's path. Customers may put the service below a
// prefix of a host of their own.
func findRoute(r *contract.Request) route {
	if len(r.At) > 0 {
		return route{operations: r.At, values: r.Path}
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	at := strings.LastIndex(path, "/api/v1/")
	if at <= 0 || r.URL.RawPath != "" {
		return route{}
	}
	rt := route{prefix: path[:at]}
	for _, op := range operations {
		if in, ok := matchPath(op.Path, path[at:]); ok {
			rt.operations, rt.values = append(rt.operations, op), in
		}
	}
	return rt
}

// matchPath returns the path parameters of a path that has the form of a
// documented one.
func matchPath(form, path string) (map[string]string, bool) {
	forms, parts := strings.Split(form, "/"), strings.Split(path, "/")
	if len(forms) != len(parts) {
		return nil, false
	}
	in := map[string]string{}
	for i, f := range forms {
		if name, isName := strings.CutPrefix(f, "{"); isName {
			in[strings.TrimSuffix(name, "}")] = parts[i]
		} else if f != parts[i] {
			return nil, false
		}
	}
	return in, true
}

// pick returns the operation. Two operations share a path and a method: a body
// that begins with a bracket is a batch. A preflight is no operation, so that no
// scenario applies to it.
func pick(r *contract.Request) (*contract.Operation, contract.Miss) {
	at := findRoute(r).operations
	if at == nil {
		return nil, contract.NoSuchPath
	}
	if at[0].Method != r.Method {
		return nil, contract.WrongMethod
	}
	if slices.Contains(at, sendBatch) && opensArray(r.Body) {
		return sendBatch, ""
	}
	return at[0], ""
}

// opensArray reports whether a body begins with a bracket.
func opensArray(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '['
}

// fail returns the body of an error in the one documented model.
func fail(c *contract.Call, v contract.Verdict) any {
	return struct {
		Message string `json:"message"`
	}{v.Message(c)}
}

// write encodes the response of any outcome. Responses of operations that
// browsers call have the CORS headers, refusals included: players in browsers
// need them to read the statuses 404 and 410.
func write(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	r := contract.Response{Status: v.Outcome.Status, Body: reply.Body}
	base := jsonHeaders
	switch {
	case c.Operation == getSchema:
		base = schemaHeaders
	case r.Status == http.StatusCreated:
		base = createdHeaders
	case r.Body == nil:
		base = emptyHeaders
	}
	server := c.Switches.Text("server_header")
	if server == documentedServer && reply.Header == nil && v.Outcome != methodNotAllowed {
		r.Header = base
		return r
	}
	r.Header = make(http.Header, len(base)+1) // its values are shared
	maps.Copy(r.Header, base)
	switch server {
	case documentedServer:
	case "":
		delete(r.Header, "Server")
	default:
		r.Header["Server"] = []string{server}
	}
	if v.Outcome == methodNotAllowed {
		r.Header["Allow"] = []string{allowedMethods(c.Request)}
	}
	maps.Copy(r.Header, reply.Header)
	return r
}

// allowedMethods lists the methods of a request's path.
func allowedMethods(r *contract.Request) string {
	if at := findRoute(r).operations; len(at) > 0 && at[0].Method == http.MethodGet {
		return http.MethodGet
	}
	return "OPTIONS, POST"
}

const documentedServer = "nginx/1.13.5"

// The headers of responses. They are shared and must not be changed.
var (
	emptyHeaders   = newHeaders("", true)
	createdHeaders = newHeaders("application/octet-stream", true)
	jsonHeaders    = newHeaders("application/json", true)
	schemaHeaders  = newHeaders("application/json", false)
)

// newHeaders returns the headers that the pages print. Age and Via in some
// captures come from a proxy and are left out.
func newHeaders(contentType string, cors bool) http.Header {
	h := http.Header{"Server": {documentedServer}}
	if contentType != "" {
		h["Content-Type"] = []string{contentType}
	}
	if cors {
		h["Access-Control-Allow-Origin"] = []string{"*"}
		h["Access-Control-Allow-Methods"] = []string{"OPTIONS,POST,PUT"}
		h["Access-Control-Allow-Headers"] = []string{"Content-Type"}
		h["Access-Control-Expose-Headers"] = []string{"Location"}
	}
	return h
}
