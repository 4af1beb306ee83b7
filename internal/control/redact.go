package control

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/wire"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// A redactor masks the secrets of one API: the values of headers and
// parameters that its table names, and Authorization. The nil redactor
// masks nothing.
type redactor struct {
	names map[string]bool // in lower case
	json  *regexp.Regexp  // finds the values in JSON that is cut or broken
	form  *regexp.Regexp  // and in the parts of a multipart form
	pairs *regexp.Regexp  // and in the pairs of a header or of prose: Signature=…
}

func newRedactor(secrets []string) *redactor {
	r := &redactor{names: map[string]bool{"authorization": true}}
	for _, s := range secrets {
		r.names[strings.ToLower(s)] = true
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.names)) {
		names = append(names, regexp.QuoteMeta(name))
	}
	anyName := `(?:` + strings.Join(names, "|") + `)`
	r.json = regexp.MustCompile(`(?is)("` + anyName + `"\s*:\s*)("(?:[^"\\]|\\.)*"?|[{\[].*|[^\s",}\]]+)`)
	r.form = regexp.MustCompile(`(?is)(\bname="?` + anyName + `"?[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n)(.*?)(\r?\n--|$)`)
	r.pairs = regexp.MustCompile(`(?i)(\b` + anyName + `="?)([^\s&,;"]+)`)
	return r
}

// entry returns e without secrets. What it shares with the journal stays as it
// is. Secrets are first looked for where their names stand; what was found there
// is then struck out of every other text, too.
func (r *redactor) entry(e journal.Entry) journal.Entry {
	if r == nil {
		return e
	}
	f := &redaction{redactor: r, values: map[string]bool{}}
	f.message(&e.Request)
	f.message(&e.Response)
	e.Violations = slices.Clone(e.Violations)
	for i := range e.Violations {
		e.Violations[i].Got = f.memberOf(e.Violations[i].Path, e.Violations[i].Got)
	}
	e.Callbacks = slices.Clone(e.Callbacks)
	for i := range e.Callbacks {
		b := &e.Callbacks[i]
		b.URL, b.Body = f.address(b.URL), f.body(b.Body)
	}
	e.Notes = f.facts(e.Notes)
	if e.Explanation != nil {
		x := *e.Explanation
		x.Facts = f.facts(x.Facts)
		e.Explanation = &x
	}
	f.removeSecrets(&e)
	return e
}

// redaction masks one entry and remembers what it masked.
type redaction struct {
	*redactor
	values map[string]bool
}

// telling is the length from which a value is looked for in other texts: a
// shorter one would be found in every word.
const telling = 4

func (f *redaction) redactValue(value string) string {
	if len(value) >= telling && value != redacted {
		f.values[value] = true
		if bare, err := url.QueryUnescape(value); err == nil {
			f.values[bare] = true
		}
	}
	return redacted
}

func (f *redaction) secret(name string) bool { return f.names[strings.ToLower(name)] }

func (f *redaction) message(m *journal.Message) {
	m.Header = f.header(m.Header)
	m.Decoded = f.value(m.Decoded)
	m.URL = f.address(m.URL)
	m.Body = f.body(m.Body)
}

func (f *redaction) address(s string) string {
	before, query, found := strings.Cut(s, "?")
	if !found {
		return s
	}
	return before + "?" + f.query(query)
}

func (f *redaction) header(h http.Header) http.Header {
	h = h.Clone()
	for name, values := range h {
		if !f.secret(name) {
			continue
		}
		for i, v := range values {
			if _, token, found := strings.Cut(v, " "); found {
				f.redactValue(token)
			}
			f.text(v)
			values[i] = f.redactValue(v)
		}
	}
	return h
}

// query masks a query or a form, whose names may be escaped.
func (f *redaction) query(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if f.secret(wire.Unescape(name)) {
			pairs[i] = name + "=" + f.redactValue(value)
		}
	}
	return strings.Join(pairs, "&")
}

func (f *redaction) body(body journal.Text) journal.Text {
	switch start := bytes.TrimSpace(body); {
	case len(start) == 0:
		return body
	case json.Valid(start):
		return journal.Text(f.redactJSON(start))
	case start[0] == '{' || start[0] == '[':
		return journal.Text(f.redactMatches(f.json, string(body)))
	case bytes.HasPrefix(start, []byte("--")):
		return journal.Text(f.redactMatches(f.form, string(body)))
	}
	return journal.Text(f.query(string(body)))
}

// redactJSON masks a valid JSON text. Members keep their order.
func (f *redaction) redactJSON(text []byte) []byte {
	switch text[0] {
	case '{', '[':
	default:
		return text
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	object := text[0] == '{'
	_, _ = dec.Token() // the text is valid: what it opens with is known
	var parts [][]byte
	for dec.More() {
		var name json.Token
		var value json.RawMessage
		if object {
			name, _ = dec.Token()
		}
		_ = dec.Decode(&value)
		parts = append(parts, f.member(name, value))
	}
	return slices.Concat(text[:1], bytes.Join(parts, []byte(",")), text[len(text)-1:])
}

// member masks a member of an object, or an element of a list, which has no
// name.
func (f *redaction) member(name json.Token, value json.RawMessage) []byte {
	key, ok := name.(string)
	if !ok {
		return f.redactJSON(value)
	}
	head := append(wire.Encode(key), ':')
	if !f.secret(key) {
		return append(head, f.redactJSON(value)...)
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		s = string(value)
	}
	return append(head, wire.Encode(f.redactValue(s))...)
}

// redactMatches masks what a pattern finds as its second group.
func (f *redaction) redactMatches(by *regexp.Regexp, text string) string {
	return by.ReplaceAllStringFunc(text, func(s string) string {
		m := by.FindStringSubmatch(s)
		value, quoted := strings.CutPrefix(m[2], `"`)
		f.redactValue(strings.TrimSuffix(value, `"`))
		stand := redacted
		if quoted || by == f.json {
			stand = `"` + redacted + `"`
		}
		return m[1] + stand + strings.Join(m[3:], "")
	})
}

// text masks pairs in a header's value or in prose.
func (f *redaction) text(s string) string { return f.redactMatches(f.pairs, s) }

func (f *redaction) facts(facts contract.Facts) contract.Facts {
	facts = slices.Clone(facts)
	for i := range facts {
		facts[i].Value = f.memberOf(facts[i].Name, facts[i].Value)
	}
	return facts
}

// memberOf masks the value of a member by its name, or by its path of names with dots.
func (f *redaction) memberOf(path string, x any) any {
	if x != nil && slices.ContainsFunc(strings.Split(path, "."), f.secret) || f.secret(path) {
		return f.redactAny(x)
	}
	return f.value(x)
}

func (f *redaction) redactAny(x any) string {
	switch v := x.(type) {
	case string:
		return f.redactValue(v)
	case contract.Raw:
		return f.redactValue(string(v))
	case json.Number:
		return f.redactValue(string(v))
	}
	return redacted
}

// value masks what was decoded, without touching it: the request by its
// parameters, the answer as the JSON that it was before it was put on the wire.
func (f *redaction) value(x any) any {
	switch v := x.(type) {
	case contract.Values:
		return f.members(v)
	case map[string]any:
		return f.members(v)
	case []any:
		made := make([]any, len(v))
		for i := range v {
			made[i] = f.value(v[i])
		}
		return made
	case json.RawMessage:
		return json.RawMessage(f.body(journal.Text(v)))
	}
	return x
}

func (f *redaction) members(v map[string]any) contract.Values {
	made := make(contract.Values, len(v))
	for name, x := range v {
		made[name] = f.memberOf(name, x)
	}
	return made
}

// removeSecrets masks the values that were found in every text of the entry.
func (f *redaction) removeSecrets(e *journal.Entry) {
	longest := slices.SortedFunc(maps.Keys(f.values), func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, value := range longest {
		pairs = append(pairs, value, redacted)
	}
	out := strings.NewReplacer(pairs...)
	for _, m := range []*journal.Message{&e.Request, &e.Response} {
		m.URL = out.Replace(f.text(m.URL))
		m.Body = journal.Text(out.Replace(string(m.Body)))
		m.Decoded = removeSecretsFrom(out, m.Decoded)
		for _, values := range m.Header { // ours: it was cloned
			for i := range values {
				values[i] = out.Replace(values[i])
			}
		}
	}
	for i := range e.Callbacks {
		b := &e.Callbacks[i]
		b.URL, b.Body = out.Replace(f.text(b.URL)), journal.Text(out.Replace(string(b.Body)))
	}
	for i := range e.Violations {
		e.Violations[i].Got = removeSecretsFrom(out, e.Violations[i].Got)
	}
	for i := range e.Notes {
		e.Notes[i].Value = removeSecretsFrom(out, e.Notes[i].Value)
	}
	if !e.Mismatches.IsZero() {
		list := slices.Clone(e.Mismatches.List())
		for i := range list {
			list[i].Why = out.Replace(f.text(list[i].Why))
		}
		e.Mismatches = journal.KnownMismatches(list)
	}
	if x := e.Explanation; x != nil {
		for _, s := range []*string{&x.Text, &x.Expected, &x.Got, &x.FirstDifference} {
			*s = out.Replace(f.text(*s))
		}
		for i := range x.Facts {
			x.Facts[i].Value = removeSecretsFrom(out, x.Facts[i].Value)
		}
	}
}

// removeSecretsFrom masks texts in a value. Objects and lists are already copies.
func removeSecretsFrom(out *strings.Replacer, x any) any {
	switch v := x.(type) {
	case string:
		return out.Replace(v)
	case contract.Raw:
		return contract.Raw(out.Replace(string(v)))
	case contract.Values:
		for name := range v {
			v[name] = removeSecretsFrom(out, v[name])
		}
	case []any:
		for i := range v {
			v[i] = removeSecretsFrom(out, v[i])
		}
	case json.RawMessage:
		text := out.Replace(string(v))
		if !json.Valid([]byte(text)) {
			return text // what was struck was no string, but a number, say
		}
		return json.RawMessage(text)
	}
	return x
}
