package gateway

import (
	"net/http"
	"strings"
)

// ours begins the names of the headers by which clients and understudy speak
// of what is not the API's.
const ours = "Understudy-"

// open lays over the headers of an answer what a browser needs to send and read
// headers of ours from another origin, and nothing where it does neither: every
// other answer keeps the API's own CORS headers byte for byte. Where the API
// lets no other origin in, it stays so.
func (v *visitor) open(h http.Header) {
	if h.Get("Access-Control-Allow-Origin") == "" || v.r.Header.Get("Origin") == "" {
		return
	}
	if asked := askedFor(v.r); len(asked) > 0 {
		add(h, "Access-Control-Allow-Headers", asked...)
	}
	if carries(v.r) {
		add(h, "Access-Control-Expose-Headers", OutcomeHeader, DecidedByHeader, CallHeader)
	}
}

// openProblem is open for a failure of understudy's own, which a browser that
// speaks with understudy may read from any origin.
func (v *visitor) openProblem(h http.Header) {
	origin := v.r.Header.Get("Origin")
	if origin == "" || !carries(v.r) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	add(h, "Access-Control-Expose-Headers", ProblemHeader)
	h.Add("Vary", "Origin")
}

// askedFor lists the headers of ours that a preflight asks leave for.
func askedFor(r *http.Request) []string {
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

// carries reports whether a request has a header of ours.
func carries(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, ours) {
			return true
		}
	}
	return false
}

// add appends names to a header that lists some. What stood there may be shared
// with other answers and is left as it is.
func add(h http.Header, name string, more ...string) {
	if before := h.Get(name); before != "" {
		more = append([]string{before}, more...)
	}
	h[name] = []string{strings.Join(more, ",")}
}
