package gateway

import (
	"net/http"
	"strings"
)

// headerPrefix begins the names of understudy's own headers.
const headerPrefix = "Understudy-"

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
// uses understudy's headers may read from any origin.
func exposeProblem(h http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" || !hasOwnHeader(r) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	appendNames(h, "Access-Control-Expose-Headers", ProblemHeader)
	h.Add("Vary", "Origin")
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
