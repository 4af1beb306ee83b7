package redact

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// names are the headers, parameters and members whose values are masked:
// Authorization, and those that tables name.
type names struct {
	set   map[string]bool // in lower case, without separators
	json  *regexp.Regexp  // finds the values in JSON that is cut or broken
	form  *regexp.Regexp  // and in the parts of a multipart form
	pairs *regexp.Regexp  // and in the pairs of a header or of prose: Signature=…
}

// lazyNames are names that are made when they are first asked for: their patterns are
// large, and most servers mask nothing. The nil ones are nil.
type lazyNames func() *names

func later(list func() []string) lazyNames {
	return sync.OnceValue(func() *names { return newNames(list()) })
}

func (l lazyNames) get() *names {
	if l == nil {
		return nil
	}
	return l()
}

func newNames(list []string) *names {
	n := &names{set: map[string]bool{"authorization": true}}
	spelled := map[string]bool{"authorization": true}
	for _, s := range list {
		n.set[folded(s)], spelled[strings.ToLower(s)] = true, true
	}
	var quoted []string
	for _, name := range slices.Sorted(maps.Keys(spelled)) {
		quoted = append(quoted, regexp.QuoteMeta(name))
	}
	anyName := `(?:` + strings.Join(quoted, "|") + `)`
	n.json = regexp.MustCompile(`(?is)("` + anyName + `"\s*:\s*)("(?:[^"\\]|\\.)*"?|[{\[].*|[^\s",}\]]+)`)
	n.form = regexp.MustCompile(`(?is)(\bname="?` + anyName + `"?[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n)(.*?)(\r?\n--|$)`)
	n.pairs = regexp.MustCompile(`(?i)(\b` + anyName + `="?)([^\s&,;"<][^\s&,;"]*)`)
	return n
}

var separators = strings.NewReplacer("_", "", "-", "")

// folded is how names are compared: SecretKey, secret_key and secret-key are one.
func folded(name string) string { return separators.Replace(strings.ToLower(name)) }

func (n *names) secret(name string) bool { return n != nil && n.set[folded(name)] }

var (
	// userinfo is the part of an address that holds a password.
	userinfo = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(://)[^/?#@\s"']*@`) })

	// scheme is an Authorization in a text.
	scheme = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b((?:bearer|basic|digest)\s+)[A-Za-z0-9._~+/=-]{16,}`)
	})
)
