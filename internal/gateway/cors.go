package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// headerPrefix begins the names of understudy's own headers.
const headerPrefix = "Understudy-"

// CORS says who answers browsers that ask for pages of another origin.
type CORS string

// The values of CORS.
const (
	Vendor CORS = "vendor" // the API, as its vendor does: most let no page in
	Open   CORS = "open"   // understudy lets pages of every origin in, where the API lets none in
)

// allowAnyOrigin lets the page in that a browser asks for, if the API is open and lets
// none in by itself. It reports whether that is all, as with a preflight: no service
// that knows none sees one.
func (g *Gateway) allowAnyOrigin(w http.ResponseWriter, r *http.Request, api *contract.API) (answered bool) {
	if !g.letsIn(r, api) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
	method := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || method == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", method)
	if names := r.Header.Values("Access-Control-Request-Headers"); len(names) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(names, ","))
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// letsIn reports whether understudy lets the page in that a browser asks for, in place of
// the API.
func (g *Gateway) letsIn(r *http.Request, api *contract.API) bool {
	return !api.CORS && r.Header.Get("Origin") != "" && g.config.CORS[api.Name] == Open
}

// exposeAll has a page that understudy lets in read every header of an answer. All are
// named, since a * is taken literally where credentials are allowed.
func exposeAll(h http.Header) {
	var names []string
	for name := range h {
		if len(h[name]) > 0 && !strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	h.Set("Access-Control-Expose-Headers", strings.Join(names, ","))
}

// exposeHeaders adds to the headers of an answer what a browser needs to send and
// read understudy's headers from another origin. An answer to a request that
// does neither keeps the API's own CORS headers byte for byte, and an API that
// allows no other origin still allows none.
func exposeHeaders(h http.Header, r *http.Request) {
	if h.Get("Access-Control-Allow-Origin") == "" || r.Header.Get("Origin") == "" {
		return
	}
	if asked := preflightHeaders(r); len(asked) > 0 {
		appendNames(h, "Access-Control-Allow-Headers", asked...)
	}
	if hasOwnHeader(r) {
		appendNames(h, "Access-Control-Expose-Headers", OutcomeHeader, DecidedByHeader, CallHeader)
	}
}

// exposeProblem does so for a failure of understudy's own, which a browser that
// uses understudy's headers, or that understudy let in, may read from any origin.
func exposeProblem(h http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	letIn := h.Get("Access-Control-Allow-Origin") != ""
	if origin == "" || !letIn && !hasOwnHeader(r) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	appendNames(h, "Access-Control-Expose-Headers", ProblemHeader)
	h.Set("Vary", "Origin")
}

// preflightHeaders lists understudy's headers that a preflight asks for.
func preflightHeaders(r *http.Request) []string {
	if r.Method != http.MethodOptions {
		return nil
	}
	var asked []string
	for name := range strings.SplitSeq(strings.Join(r.Header["Access-Control-Request-Headers"], ","), ",") {
		if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); name == SandboxHeader || name == OutcomeHeader || name == ScenarioHeader {
			asked = append(asked, name)
		}
	}
	return asked
}

// hasOwnHeader reports whether a request has one of understudy's headers.
func hasOwnHeader(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, headerPrefix) {
			return true
		}
	}
	return false
}

// appendNames appends names to a header that lists some. Other answers may share
// the value that stands there, so it gets a new one.
func appendNames(h http.Header, name string, more ...string) {
	if before := h.Get(name); before != "" {
		more = append([]string{before}, more...)
	}
	h[name] = []string{strings.Join(more, ",")}
}
