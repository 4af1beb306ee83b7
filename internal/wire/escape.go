package wire

import "net/url"

// Unescape undoes the percent-encoding of a name or value of a query or form,
// and leaves as it stands what is none.
func Unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// PathValue undoes the escapes of what stands in a place of u's path. They are
// kept exactly where the path would be ambiguous without them.
func PathValue(s string, u *url.URL) string {
	if u.RawPath == "" {
		return s
	}
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
