package control

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/labstack/echo/v4"

	"github.com/understudy-suite/understudy/internal/authority"
	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/hostfile"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/replay"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/verify"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A route is one line of the control API's table.
type route struct {
	method string
	path   string
	query  []string // the query parameters that it takes
	body   []string // media types of a body, where it takes one
	takes  []any    // values of the types that the body may have as JSON, or its rows
	gives  any      // a value of the type of what is answered as JSON
	kinds  []string // media types of other answers
	doc    string   // what it is asked for, for people
	loose  bool     // others are passed over: probes and scrapers bring their own

	values map[string][]string // the values of query parameters that have few

	// do answers. nil is an empty answer, created and http.Handler are written as
	// they say, all else is written as JSON.
	do func(*request) (any, error)
}

// createdAnswer is the answer of a call that made something.
type createdAnswer struct{ value any }

// list is the shape of every list.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // what to give as after for the next ones
}

// formatOf are the values of a query parameter format.
func formatOf(forms []string) map[string][]string { return map[string][]string{"format": forms} }

// routes is the table of the control API.
func (s *Server) routes() []route {
	return []route{
		{method: http.MethodGet, path: "/", gives: indexAnswer{}, do: s.index, doc: "The routes."},
		{method: http.MethodGet, path: "/healthz", gives: state{}, loose: true, do: s.healthz, doc: "Whether this process lives."},
		{method: http.MethodGet, path: "/readyz", gives: state{}, loose: true, do: s.readyz, doc: "Whether the APIs are served."},
		{method: http.MethodGet, path: "/metrics", kinds: []string{"text/plain"}, loose: true, do: s.getMetrics, doc: "Counts for Prometheus."},

		{method: http.MethodGet, path: "/v1/openapi.json", kinds: []string{jsonText}, do: s.getOpenAPI, doc: "The control API as an OpenAPI document."},
		{method: http.MethodGet, path: "/v1/status", gives: status{}, do: s.status, doc: "Version, seed, and where each API is."},
		{method: http.MethodGet, path: "/v1/apis", gives: list[service]{}, do: s.listAPIs, doc: "The APIs."},
		{method: http.MethodGet, path: "/v1/apis/{api}", gives: table{}, do: s.getAPI, doc: "The whole table of an API."},
		{method: http.MethodGet, path: "/v1/apis/{api}/openapi.json", kinds: []string{jsonText}, do: s.getOpenAPIOf, doc: "The API as an OpenAPI document."},

		{method: http.MethodGet, path: "/v1/tls-faults", gives: list[authority.HostFault]{}, do: s.withTLS(s.listTLSFaults), doc: "What is wrong with the TLS handshakes for which host names, as it is looked up: names before patterns."},
		{method: http.MethodGet, path: "/v1/tls-faults/{host}", gives: authority.HostFault{}, do: s.withTLS(s.getTLSFault), doc: "The TLS fault of a host name or pattern."},
		{method: http.MethodPut, path: "/v1/tls-faults/{host}", body: []string{jsonText}, takes: []any{tlsFaultBody{}}, gives: authority.HostFault{}, do: s.withTLS(s.putTLSFault), doc: "Have the TLS handshakes for a host name, or a pattern such as *.localhost, fail: for the whole server, since no sandbox is known before a request. A reset does not end it."},
		{method: http.MethodDelete, path: "/v1/tls-faults/{host}", do: s.withTLS(s.deleteTLSFault), doc: "End the TLS fault of a host name or pattern."},
		{method: http.MethodGet, path: "/v1/hosts", query: []string{"for", "address"}, values: map[string][]string{"for": hostfile.Forms}, kinds: []string{"text/plain"}, do: s.getHosts, doc: "The documented hosts as a file that leads to understudy: for a file of hosts, dnsmasq, a compose file or a pod; address: where understudy is, 127.0.0.1 by default."},

		{method: http.MethodGet, path: "/v1/schemas/scenario.json", kinds: []string{schemaText}, do: s.scenarioSchema, doc: "The JSON Schema of scenario files, for editors."},
		{method: http.MethodGet, path: "/v1/schemas/fixture.json", kinds: []string{schemaText}, do: s.fixtureSchema, doc: "The JSON Schema of fixture files, for editors."},

		{method: http.MethodGet, path: "/v1/scenarios", query: []string{"api", "operation"}, gives: list[scenarioAnswer]{}, do: s.listScenarios, doc: "The scenarios that can be switched on, and what is wrong with files."},
		{method: http.MethodGet, path: "/v1/scenarios/{name...}", gives: scenarioDocument{}, do: s.getScenario, doc: "A scenario."},
		{method: http.MethodPut, path: "/v1/scenarios/{name...}", body: []string{yamlText}, gives: scenarioDocument{}, do: s.putScenario, doc: "Put a scenario file into the library."},
		{method: http.MethodDelete, path: "/v1/scenarios/{name...}", do: s.deleteScenario, doc: "Take a scenario that was put out of the library."},

		{method: http.MethodGet, path: "/v1/sandboxes", gives: list[sandboxAnswer]{}, do: s.listSandboxes, doc: "The sandboxes that live."},
		{method: http.MethodPost, path: "/v1/sandboxes", query: tlsQuery, values: tlsValues, body: []string{jsonText}, takes: makingForms, gives: sandboxAnswer{}, do: s.knowsTLS(s.postSandbox), doc: "Make a sandbox with credentials of its own, or find the one that the same request made."},
		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}", query: tlsQuery, values: tlsValues, gives: sandboxAnswer{}, do: s.knowsTLS(s.inSandbox(s.getSandbox)), doc: "A sandbox: its URLs, credentials and counts; tls: also the variables that lead clients to documented hosts over https; ca: where they have the CA's file, if elsewhere than the server."},
		{method: http.MethodPut, path: "/v1/sandboxes/{sandbox}", query: tlsQuery, values: tlsValues, body: []string{jsonText}, takes: makingForms, gives: sandboxAnswer{}, do: s.knowsTLS(s.putSandbox), doc: "As POST of /v1/sandboxes, with the name in the address."},
		{method: http.MethodDelete, path: "/v1/sandboxes/{sandbox}", gives: dropAnswer{}, do: s.inSandbox(s.dropSandbox), doc: "End a sandbox, once the calls that are under way have ended."},
		{method: http.MethodPost, path: "/v1/sandboxes/{sandbox}/reset", query: []string{"only"}, gives: resetAnswer{}, do: s.inSandbox(s.reset), doc: "Have a sandbox begin anew, or the named parts of it."},

		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/scenarios", gives: list[activeAnswer]{}, do: s.inSandbox(s.listActive), doc: "The scenarios that are on, with what they have done."},
		{method: http.MethodDelete, path: "/v1/sandboxes/{sandbox}/scenarios", do: s.inSandbox(s.allOff), doc: "Switch all scenarios off."},
		{method: http.MethodPut, path: "/v1/sandboxes/{sandbox}/scenarios/{name...}", body: []string{jsonText, yamlText}, takes: []any{optionsBody{}}, gives: activeAnswer{}, do: s.inSandbox(s.switchOn), doc: "Switch a scenario on, narrowed by a body where there is one."},
		{method: http.MethodDelete, path: "/v1/sandboxes/{sandbox}/scenarios/{name...}", do: s.inSandbox(s.switchOff), doc: "Switch a scenario off."},

		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/journal", query: filters, values: journalValues, gives: list[journal.Entry]{}, do: s.inSandbox(s.listJournal), doc: "What was asked and how it ended, newest first; limit: at most so many, 100 by default and 1000 at most; after: older than the next of a list before; since: from an instant such as 2026-03-01T12:00:00Z on, or not longer ago than 5m, by the sandbox's clock."},
		{method: http.MethodDelete, path: "/v1/sandboxes/{sandbox}/journal", do: s.inSandbox(s.clearJournal), doc: "Empty the journal."},
		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/journal/stream", query: filters, values: journalValues, kinds: []string{eventStream}, do: s.inSandbox(s.followJournal), doc: "Calls as they close, as Server-Sent Events; limit: beginning with so many of the latest; after, or Last-Event-ID: with all that closed after that one; since: with those from then on. A stream counts as use of the sandbox. An event lost says how many are missing."},
		{method: http.MethodGet, path: "/v1/journal/stream", query: callFilters, values: journalValues, kinds: []string{eventStream}, do: s.followAll, doc: "The calls of all sandboxes as they close, as Server-Sent Events."},
		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/journal.har", query: filters, values: journalValues, gives: replay.Archive{}, do: s.inSandbox(s.getArchive), doc: "The journal as an HTTP archive, HAR 1.2, oldest first; all that is kept, where no limit is given."},
		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/journal/{id}", query: []string{"format"}, values: formatOf(append([]string{"json"}, replay.Forms...)), gives: journal.Shown{}, kinds: []string{"text/plain"}, do: s.inSandbox(s.getEntry), doc: "All that is known of a call, and why it ended so; in another format: http, curl, go, node (its request, to send it again), scenario (which has it end so again)."},

		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/coverage", query: coverageQuery, values: formatOf(coverage.Forms), gives: coverage.Report{}, kinds: output.OtherMediaTypes(coverage.Forms), do: s.inSandbox(s.getCoverage), doc: "Which documented outcomes the calls met, and what the client did next; fail_under: 409 where less than so many percent are met, or where there was no call."},
		{method: http.MethodPost, path: "/v1/sandboxes/{sandbox}/coverage", query: coverageQuery, body: []string{jsonText, yamlText}, values: formatOf(coverage.Forms), takes: []any{waiversBody{}}, gives: coverage.Report{}, kinds: output.OtherMediaTypes(coverage.Forms), do: s.inSandbox(s.postCoverage), doc: "As GET, without the outcomes that the waivers of the body say need not be met. Nothing is kept of them."},

		{method: http.MethodPost, path: "/v1/sandboxes/{sandbox}/verify", query: []string{"format"}, body: []string{jsonText, yamlText}, values: formatOf(output.CheckForms), takes: []any{checkBody{}, []checkBody{}}, gives: verify.Report{}, kinds: output.OtherMediaTypes(output.CheckForms), do: s.inSandbox(s.verify), doc: "Hold checks against what happened: 409 has the nearest misses where they do not hold, 422 the names that nobody knows."},

		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/state", gives: stateAnswer{}, do: s.inSandbox(s.getState), doc: "A sandbox as it stands: what every API remembers and what follows from it, clock, dice, switches and scenarios."},
		{method: http.MethodPut, path: "/v1/sandboxes/{sandbox}/state", body: []string{jsonText}, takes: []any{stateAnswer{}}, gives: restoreAnswer{}, do: s.inSandbox(s.putState), doc: "Have a sandbox stand as GET answered before."},

		{method: http.MethodPut, path: "/v1/sandboxes/{sandbox}/fixtures/{api}", body: []string{jsonText, yamlText}, takes: []any{naming}, gives: fixtureAnswer{}, do: s.inSandbox(s.putFixture), doc: "Have an API begin anew with a fixture, or with other switches, until the next reset."},

		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/fixtures/{api}", query: []string{"name"}, kinds: []string{yamlText}, do: s.inSandbox(s.saveFixture), doc: "The fixture with which an API began, as a file that has what it adopted besides; name: what the file calls itself."},

		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/adopted", query: []string{"api"}, gives: list[adoptedAnswer]{}, do: s.inSandbox(s.listAdopted), doc: "The identifiers that no fixture knows and that were taken in at first sight, by API and in that order; api: those of one."},

		{method: http.MethodGet, path: "/v1/sandboxes/{sandbox}/clock", gives: clock.Reading{}, do: s.inSandbox(s.readClock), doc: "The sandbox's clock."},
		{method: http.MethodPut, path: "/v1/sandboxes/{sandbox}/clock", body: []string{jsonText}, takes: []any{clockBody{}}, gives: sandbox.Moved{}, do: s.inSandbox(s.setClock), doc: "Set the sandbox's clock by one of advance (20m), freeze (an instant), follow (true), scale (60) and signatures (wall, sandbox), and list what ended because of that."},

		{method: http.MethodPost, path: "/v1/sandboxes/{sandbox}/triggers/{api}/{name}", body: []string{jsonText}, takes: []any{contract.Values{}}, gives: triggerAnswer{}, do: s.inSandbox(s.runTrigger), doc: "Have something happen outside the API's calls."},
	}
}

// newRouter makes echo's routes of the table. Every path is registered for every
// method, so that no answer is echo's own.
func (s *Server) newRouter() *echo.Echo {
	e := echo.New()
	var paths []string
	at := map[string][]route{}
	for _, r := range s.routes() {
		if at[r.path] == nil {
			paths = append(paths, r.path)
		}
		at[r.path] = append(at[r.path], r)
	}
	for _, path := range paths {
		e.RouteNotFound(echoPath(path), s.handle(at[path]))
	}
	e.RouteNotFound("/*", func(c echo.Context) error { return notFoundProblem(c.Request().URL.Path, paths) })
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if echos := (*echo.HTTPError)(nil); errors.As(err, &echos) { // a target that is no path: OPTIONS *
			err = notFoundProblem(c.Request().URL.Path, paths)
		}
		problemOf(err).write(c.Response())
	}
	return e
}

var place = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`) })

// echoPath writes a path as echo does: {name} as :name, {name...} as *.
func echoPath(path string) string {
	return place().ReplaceAllStringFunc(path, func(p string) string {
		if strings.HasSuffix(p, "...}") {
			return "*"
		}
		return ":" + strings.Trim(p, "{}")
	})
}

// notFoundProblem says that there is no such route, and which is near.
func notFoundProblem(path string, paths []string) *problem {
	given := strings.Split(path, "/")
	var near []string
	for _, p := range paths {
		near = append(near, fillPath(p, given))
	}
	return refuse(http.StatusNotFound, "there is no route %s%s; GET / lists all routes", quote(path), hint(path, near))
}

// fillPath returns a path of the table with its parameters filled from a given path.
func fillPath(path string, given []string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if !place().MatchString(p) || i >= len(given) {
			continue
		}
		parts[i] = given[i]
		if strings.HasSuffix(p, "...}") {
			parts[i] = strings.Join(given[i:], "/")
		}
	}
	return strings.Join(parts, "/")
}

// handle answers what is asked at one path of the table.
func (s *Server) handle(at []route) echo.HandlerFunc {
	path := at[0].path
	var names []string
	for _, p := range place().FindAllStringSubmatch(path, -1) {
		names = append(names, p[1])
	}
	return func(c echo.Context) error {
		r := c.Request()
		chosen, err := chooseRoute(at, r.Method)
		if err != nil {
			return err
		}
		a := &request{Request: r, path: map[string]string{}, limit: s.config.Body, answer: c.Response().Writer}
		for i, name := range names {
			a.path[name] = wire.PathValue(c.ParamValues()[i], r.URL)
			if err := checkName(path, name, a.path[name]); err != nil {
				return err
			}
		}
		if a.query, err = chosen.read(r.URL); err != nil {
			return err
		}
		if err := chosen.checkBody(a); err != nil {
			return err
		}
		answer, err := chosen.do(a)
		if err != nil {
			return err
		}
		write(c.Response().Writer, r, answer) // echo's own hides what a stream needs
		return nil
	}
}

// longestName is how many bytes a name in a path has at most.
const longestName = 200

// checkName refuses what cannot be the name of anything, whatever stands at a place of a
// path: no message and no file's place has to show it.
func checkName(path, place, name string) error {
	if len(name) > longestName {
		return refuse(http.StatusNotFound, "{%s} of the path %s has %d bytes; nothing has a name of more than %d", place, path, len(name), longestName)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return refuse(http.StatusNotFound, "{%s} of the path %s is %s; nothing has control characters in its name", place, path, quote(name))
	}
	return nil
}

// chooseRoute finds the route for a method. HEAD asks as GET does.
func chooseRoute(at []route, method string) (*route, error) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var known []string
	for i := range at {
		if at[i].method == method {
			return &at[i], nil
		}
		known = append(known, at[i].method)
		if at[i].method == http.MethodGet {
			known = append(known, http.MethodHead)
		}
	}
	allow := strings.Join(known, ", ")
	return nil, refuse(http.StatusMethodNotAllowed, "%s takes %s and not %s", at[0].path, allow, quote(method)).with("Allow", allow)
}

// read takes the query apart. What the route does not know is refused.
func (r *route) read(u *url.URL) (map[string]string, error) {
	if r.loose {
		return nil, nil
	}
	given, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query cannot be read: %v", err)
	}
	query := map[string]string{}
	for name, values := range given {
		if !slices.Contains(r.query, name) {
			return nil, refuse(http.StatusBadRequest, "%s takes no query parameter %s%s", r.path, quote(name), hint(name, r.query))
		}
		if len(values) > 1 {
			return nil, refuse(http.StatusBadRequest, "the query parameter %s is given %d times; once was expected", name, len(values))
		}
		if values[0] == "" {
			return nil, refuse(http.StatusBadRequest, "the query parameter %s is empty; give it a value or leave it out", name)
		}
		query[name] = values[0]
	}
	return query, nil
}

// checkBody refuses a body that no route would read, so that what it asks for is not
// passed over.
func (r *route) checkBody(a *request) error {
	if len(r.body) > 0 || r.loose {
		return nil
	}
	body, err := a.body()
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	takes := "send none"
	if len(r.query) > 0 {
		takes = "what it takes stands in the query: ?" + strings.Join(r.query, "=, ?") + "="
	}
	return refuse(http.StatusBadRequest, "%s %s takes no body, and one of %d bytes came; %s", r.method, r.path, len(body), takes)
}

// write puts an answer on the wire.
func write(w http.ResponseWriter, r *http.Request, answer any) {
	status := http.StatusOK
	switch v := answer.(type) {
	case nil:
		w.WriteHeader(http.StatusNoContent)
		return
	case http.Handler:
		v.ServeHTTP(w, r)
		return
	case createdAnswer:
		status, answer = http.StatusCreated, v.value
	case madeAnswer:
		status, answer = v.status, v.box
		if masked, is := w.(*maskedWriter); is {
			masked.told = v.own
		}
	}
	send(w, status, "application/json", wire.Encode(answer))
}

// inSandbox finds the sandbox that a path names. It makes none.
func (s *Server) inSandbox(do func(*request, *sandbox.Sandbox) (any, error)) func(*request) (any, error) {
	return func(a *request) (any, error) {
		name := a.path["sandbox"]
		if box := s.config.Registry.Find(name); box != nil {
			box.Touch()
			return do(a, box)
		}
		var names []string
		for _, box := range s.config.Registry.List() {
			names = append(names, box.Name)
		}
		return nil, refuse(http.StatusNotFound, "there is no sandbox %s%s; calls to the APIs make a sandbox, and POST or PUT of it do; other calls to the control API never do", quote(name), hint(name, names))
	}
}

// indexAnswer names the routes.
type indexAnswer struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Routes  []string `json:"routes"`
}

func (s *Server) index(*request) (any, error) {
	var lines []string
	for _, r := range s.routes() {
		lines = append(lines, r.method+" "+r.path)
	}
	return indexAnswer{"understudy", s.config.Version, lines}, nil
}
