package wire

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

var (
	schemes   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?i:https?)$`) })
	authority = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Za-z0-9._-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$`)
	})
)

// Base is the scheme, host and port by which a request came, as far as the
// proxies before us tell (X-Forwarded-Proto, X-Forwarded-Host). What they say
// is taken only where it is well-formed.
func Base(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return strings.ToLower(forwarded(r, "X-Forwarded-Proto", schemes, scheme)) + "://" + forwarded(r, "X-Forwarded-Host", authority, r.Host)
}

// DoorURL reads the address of the shared door as clients see it: http or https, a host,
// perhaps a path. It has no slash at its end.
func DoorURL(text string) (door string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	if _, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16); err != nil {
		return "", false
	}
	return strings.TrimSuffix(text, "/"), true
}

// forwarded returns the first proxy's value of header, where it is well-formed.
func forwarded(r *http.Request, header string, form func() *regexp.Regexp, otherwise string) string {
	values := r.Header[header]
	if len(values) == 0 {
		return otherwise
	}
	first, _, _ := strings.Cut(values[0], ",")
	if first = strings.TrimSpace(first); form().MatchString(first) {
		return first
	}
	return otherwise
}
