package adobemedia

import (
	"bytes"
	"encoding/json"
	"net"
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

	Hosts:       []string{"obumobile5.hb-api.omtrdc.net", "alpha.hb-api.omtrdc.net"}, // those of Adobe's own samples
	Claims:      claims,
	Identifiers: identifiers,

	Pick:   pick,
	Checks: checks,
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
		{Name: "reportSuite", Env: "ADOBE_MEDIA_REPORT_SUITE"},
		{Name: "orgId", Env: "ADOBE_MEDIA_ORG_ID"},
	},
	Secrets:  []string{"X-Adobe-AEP-Validation-Token"},
	Triggers: triggers,
}

var operations = []*contract.Operation{startSession, sendEvent, sendDownloaded, sendBatch, getSchema}

// checks is the order in which a request is looked at. That a request is held
// against its schema before its session is looked for is inferred: the
// collection layer "has no session context" (mc-api-validate-reqs).
var checks = []contract.Check{
	{Name: "path", Do: checkPath, Ends: contract.Outcomes(notFound)},
	{Name: "method", Do: checkMethod, Ends: contract.Outcomes(preflight, methodNotAllowed)},
	{Name: "size", Do: checkSize, Ends: contract.Outcomes(payloadTooLarge)},
	{Name: "content-type", Do: checkContentType, Ends: contract.Outcomes(unsupportedMediaType)},
	{Name: "json", Do: readBody, Ends: contract.Outcomes(badRequest)},
	{Name: "parameters", Do: checkBody, Ends: contract.Outcomes(badRequest)},
}

// The paths, as documented.
const (
	sessionsPath   = "/api/v1/sessions"
	eventsPath     = "/api/v1/sessions/{sid}/events"
	downloadedPath = "/api/v1/downloaded"
	schemasPath    = "/api/v1/schemas/{eventType}"
)

// claims takes what is sent to a customer's host of the service, whatever its
// path, and what is sent below a prefix of a customer's own host.
func claims(r *contract.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return strings.HasSuffix(strings.ToLower(host), ".hb-api.omtrdc.net") || findRoute(r).operations != nil
}

// identifiers knows a caller by the session, or else by organisation and report
// suite of the session that it opens.
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

// textOf looks for the first string that stands behind a name in a JSON text,
// without reading the text.
func findText(body []byte, name string) string {
	_, rest, found := bytes.Cut(body, []byte(`"`+name+`"`))
	rest, colon := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if !found || !colon || len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	var s string
	if json.NewDecoder(bytes.NewReader(rest)).Decode(&s) != nil {
		return ""
	}
	return s
}

// place is where a path leads.
type route struct {
	operations []*contract.Operation // nil: nowhere
	prefix     string                // what stands before the documented path
	values     map[string]string     // what the names in the path stand for
}

// find finds where a request's path leads. Customers may put the service below
// a prefix of a host of their own.
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

// fits reads the names out of a path that has the form of a documented one.
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

// pick names the operation. Two share a path and a method: an array opens with
// a bracket. A preflight is none of them, so that no scenario takes it for one.
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

func opensArray(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '['
}

// fail tells an error as the one documented model does.
func fail(c *contract.Call, v contract.Verdict) any {
	return struct {
		Message string `json:"message"`
	}{v.Message(c)}
}

// write puts any ending on the wire. The CORS headers stand on every answer of
// the operations that browsers call, also on refusals: players in browsers read
// the status 404 and 410, and could not without them.
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
	r.Header = base.Clone()
	if r.Header.Del("Server"); server != "" {
		r.Header["Server"] = []string{server}
	}
	if v.Outcome == methodNotAllowed {
		r.Header["Allow"] = []string{allowedMethods(c.Request)}
	}
	for name, values := range reply.Header {
		r.Header[name] = values
	}
	return r
}

// allowed lists the methods of a request's path.
func allowedMethods(r *contract.Request) string {
	if at := findRoute(r).operations; len(at) > 0 && at[0].Method == http.MethodGet {
		return http.MethodGet
	}
	return "OPTIONS, POST"
}

const documentedServer = "nginx/1.13.5"

// The headers of answers, shared by all of them.
var (
	emptyHeaders   = newHeaders("", true)
	createdHeaders = newHeaders("application/octet-stream", true)
	jsonHeaders    = newHeaders("application/json", true)
	schemaHeaders  = newHeaders("application/json", false)
)

// headers are those that the pages print. Age and Via in some captures are a
// proxy's and left out.
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
