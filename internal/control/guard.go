package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/authority"
)

// guard is the one check that every request passes before anything else looks
// at it: for whom it was meant (Host), from where a browser sent it (Origin),
// and whether it bears the token. It returns nil where the request may pass.
func (s *Server) guard(answer http.Header, r *http.Request) *problem {
	if !s.allowsHost(r.Host) {
		return refuse(http.StatusMisdirectedRequest,
			"the control API does not serve the host %s, which keeps web pages from reaching it by names of their own; ask by localhost or by an address, or start the server with --control-allow-host %s",
			quote(r.Host), plain(r.Host))
	}
	if p := s.origin(answer, r); p != nil {
		return p
	}
	if isPreflight(r) || s.config.Token == "" || isProbe(r) || s.hasToken(r) {
		return nil
	}
	return refuse(http.StatusUnauthorized,
		"this route needs the header Authorization: Bearer TOKEN with the token that the server was started with (--control-token, UNDERSTUDY_CONTROL_TOKEN)").
		with("WWW-Authenticate", `Bearer realm="understudy"`)
}

var label = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`) })

// allowsHost reports whether requests to host are answered. A web page that points
// a name of its own at this machine (DNS rebinding) has no such name.
func (s *Server) allowsHost(host string) bool {
	name := plain(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if slices.ContainsFunc(s.config.AllowHosts, func(h string) bool { return plain(h) == name }) {
		return name != ""
	}
	for l := range strings.SplitSeq(name, ".") {
		if !label().MatchString(l) {
			return false
		}
	}
	return !strings.Contains(name, ".") || slices.ContainsFunc(authority.LocalDomains, func(domain string) bool { return strings.HasSuffix(name, "."+domain) })
}

// plain is a host in lower case without port, brackets and closing dot.
func plain(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && (strings.HasPrefix(host, "[") || strings.Count(host, ":") == 1) && !strings.Contains(host[i:], "]") {
		host = host[:i]
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// origin judges a browser's request by the page it came from, and tells the
// browser what an allowed page may do.
func (s *Server) origin(answer http.Header, r *http.Request) *problem {
	answer.Add("Vary", "Origin")
	from := r.Header.Values("Origin")
	if len(from) == 0 {
		return nil
	}
	if len(from) == 1 && s.allowsOrigin(from[0]) {
		answer.Set("Access-Control-Allow-Origin", from[0])
		if isPreflight(r) {
			answer.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
			answer.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			answer.Set("Access-Control-Max-Age", "600")
		}
		return nil
	}
	if harmless := r.Method == http.MethodGet || r.Method == http.MethodHead; harmless || len(from) == 1 && !isPreflight(r) && sameOrigin(from[0], r.Host) {
		return nil
	}
	return refuse(http.StatusForbidden,
		"a web page of another origin (%s) may not do this; start the server with --control-origin and the page's origin to allow it", quote(strings.Join(from, ", ")))
}

// allowsOrigin reports whether origin is one of those that the operator listed.
func (s *Server) allowsOrigin(origin string) bool {
	return slices.ContainsFunc(s.config.Origins, func(o string) bool {
		return strings.EqualFold(strings.TrimSuffix(o, "/"), origin)
	})
}

// sameOrigin reports whether origin is the host that was asked, port included.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	standard := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return standard != "" && strings.EqualFold(strings.TrimSuffix(u.Host, standard), strings.TrimSuffix(host, standard))
}

// isPreflight reports whether a browser asks what a page may do.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// isProbe reports whether r asks for life signs, which need no token. Escaped
// forms of their paths are no probes.
func isProbe(r *http.Request) bool {
	return r.URL.RawPath == "" && (r.URL.Path == "/healthz" || r.URL.Path == "/readyz")
}

// hasToken reports whether r carries the token. The comparison takes the same time
// wherever the two differ.
func (s *Server) hasToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(s.config.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}
