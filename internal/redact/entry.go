package redact

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/wire"
)

// Entry returns e as the control API shows it. What it shares with the journal
// stays as it is. Secrets are first looked for where their names stand; what was
// found there is then struck out of every other text, too.
func (r *Redactor) Entry(e journal.Entry) journal.Entry {
	if !r.Active() {
		return e
	}
	return r.mask(e, r.hides(&e))
}

// mask returns e without the secrets that are known by value and, where hide says
// so, without what stands behind secret names.
func (r *Redactor) mask(e journal.Entry, hide bool) journal.Entry {
	f := &redaction{redactor: r, api: e.API, values: map[string]string{}}
	if hide {
		f.names, e.Redacted = r.names[e.API].get(), true
	}
	f.message(&e.Request)
	all := f.names
	if hide && !r.all {
		f.names = r.kept[e.API].get()
	}
	f.message(&e.Response)
	f.names = all
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
		if hide {
			f.signatures(&x)
		}
		e.Explanation = &x
	}
	f.removeSecrets(&e)
	return e
}

// signatures leaves the signatures out of an explanation. The texts that were
// signed stay, and where they differ.
func (f *redaction) signatures(x *journal.Explanation) {
	for _, s := range x.Signatures {
		f.redactValue(s)
	}
	if x.SignaturesDiffer {
		x.FirstDifference = "in the signatures, which are not shown; what the client signed is not known"
	}
	x.Signatures, x.Keys = nil, nil
}

// redaction masks one entry and remembers what it masked.
type redaction struct {
	redactor *Redactor
	api      string
	names    *names            // nil: nothing is masked by its name
	values   map[string]string // what was masked by its name, and what stands there now
	changed  bool
	told     []string // secrets that are not masked
}

// mostFound is how many texts that were masked by their names are looked for
// elsewhere in the same entry. It bounds the time that a request can cost.
const mostFound = 192

// redactValue returns what stands where value stood, and remembers value.
func (f *redaction) redactValue(value string) string {
	if value == contract.Redacted || f.redactor.isLabel(value) {
		return value
	}
	bare, err := url.QueryUnescape(value)
	if err != nil {
		bare = value
	}
	stand := contract.Redacted
	for _, v := range []string{value, bare, wire.Unescape(value)} {
		if variable := f.redactor.env[f.api][v]; variable != "" {
			stand = contract.EnvPrefix + variable
		}
	}
	f.changed = true
	if f.values != nil && len(f.values) < mostFound {
		quoted := strconv.Quote(value)
		f.values[value], f.values[bare], f.values[quoted[1:len(quoted)-1]] = stand, stand, stand
	}
	return stand
}

func (f *redaction) secret(name string) bool { return f.names.secret(name) }

func (f *redaction) message(m *journal.Message) {
	m.Header = f.header(m.Header)
	m.Decoded = f.value(m.Decoded)
	m.URL = f.address(m.URL)
	m.Body = f.body(m.Body)
}

func (f *redaction) address(s string) string {
	if f.names != nil {
		s = userinfo().ReplaceAllString(s, "${1}"+contract.Redacted+"@")
	}
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
			continue
		}
		// Any character may be escaped, so values are looked for in what was meant.
		for _, part := range []string{name, value} {
			if plain := wire.Unescape(part); plain != part {
				if masked := f.known(plain); masked != plain {
					pairs[i] = strings.Replace(pairs[i], part, masked, 1)
				}
			}
		}
	}
	return strings.Join(pairs, "&")
}

// known masks the secrets that are known by value.
func (f *redaction) known(s string) string {
	masked := f.redactor.Text(s, f.told...)
	f.changed = f.changed || masked != s
	return masked
}

func (f *redaction) body(body journal.Text) journal.Text {
	switch start := bytes.TrimSpace(body); {
	case len(start) == 0:
		return body
	case json.Valid(start):
		before := f.changed
		f.changed = false
		masked := journal.Text(f.redactJSON(start))
		if !f.changed {
			masked = body
		}
		f.changed = f.changed || before
		return masked
	case f.names != nil && (start[0] == '{' || start[0] == '['):
		return journal.Text(f.redactMatches(f.names.json, string(body)))
	case f.names != nil && bytes.HasPrefix(start, []byte("--")):
		return journal.Text(f.redactMatches(f.names.form, string(body)))
	case start[0] == '{' || start[0] == '[' || bytes.HasPrefix(start, []byte("--")):
		return body
	}
	return journal.Text(f.query(string(body)))
}

// redactMatches masks what a pattern finds as its second group.
func (f *redaction) redactMatches(by *regexp.Regexp, text string) string {
	return by.ReplaceAllStringFunc(text, func(s string) string {
		m := by.FindStringSubmatch(s)
		value, quoted := strings.CutPrefix(m[2], `"`)
		stand := f.redactValue(strings.TrimSuffix(value, `"`))
		if quoted || by == f.names.json {
			stand = `"` + stand + `"`
		}
		return m[1] + stand + strings.Join(m[3:], "")
	})
}

// text masks pairs in a header's value or in prose.
func (f *redaction) text(s string) string {
	if f.names == nil {
		return s
	}
	return f.redactMatches(f.names.pairs, s)
}

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
	return contract.Redacted
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

// removeSecrets masks the values that are known, or were found, in every text of
// the entry.
func (f *redaction) removeSecrets(e *journal.Entry) {
	found := newMatcher(f.values)
	out := func(s string) string { return found.replace(f.redactor.Text(s)) }
	for _, m := range []*journal.Message{&e.Request, &e.Response} {
		m.URL = out(f.text(m.URL))
		m.Body = journal.Text(out(string(m.Body)))
		m.Decoded = removeSecretsFrom(out, m.Decoded)
		for name, values := range m.Header { // ours: it was cloned
			for i := range values {
				values[i] = out(values[i])
			}
			if masked := out(name); masked != name {
				delete(m.Header, name)
				m.Header[masked] = values
			}
		}
	}
	e.Client.UserAgent = out(e.Client.UserAgent)
	for i := range e.Callbacks {
		b := &e.Callbacks[i]
		b.URL, b.Body = out(f.text(b.URL)), journal.Text(out(string(b.Body)))
	}
	for i := range e.Violations {
		v := &e.Violations[i]
		v.Path, v.Got = out(v.Path), removeSecretsFrom(out, v.Got)
	}
	e.Adopted = slices.Clone(e.Adopted)
	for i := range e.Adopted {
		e.Adopted[i].ID = out(e.Adopted[i].ID)
	}
	for i := range e.Notes {
		e.Notes[i].Value = removeSecretsFrom(out, e.Notes[i].Value)
	}
	if !e.Mismatches.IsZero() {
		list := slices.Clone(e.Mismatches.List())
		for i := range list {
			list[i].Why = out(f.text(list[i].Why))
		}
		e.Mismatches = journal.KnownMismatches(list)
	}
	if x := e.Explanation; x != nil {
		for _, s := range []*string{&x.Text, &x.Expected, &x.Got, &x.FirstDifference} {
			*s = out(f.text(*s))
		}
		for i := range x.Facts {
			x.Facts[i].Value = removeSecretsFrom(out, x.Facts[i].Value)
		}
	}
}

// removeSecretsFrom masks texts in a value. Objects and lists are already copies.
func removeSecretsFrom(out func(string) string, x any) any {
	switch v := x.(type) {
	case nil, bool, int, int64, float64, time.Time, time.Duration:
		return x
	case string:
		return out(v)
	case contract.Raw:
		return contract.Raw(out(string(v)))
	case contract.Values:
		made := make(contract.Values, len(v))
		for name := range v {
			made[out(name)] = removeSecretsFrom(out, v[name])
		}
		return made
	case []any:
		for i := range v {
			v[i] = removeSecretsFrom(out, v[i])
		}
		return v
	}
	// What is printed as JSON is looked at as JSON.
	raw, err := json.Marshal(x)
	if err != nil {
		return x
	}
	text := out(string(raw))
	switch {
	case text == string(raw):
		return x
	case !json.Valid([]byte(text)):
		return text // what was struck was no string, but a number, say
	}
	return json.RawMessage(text)
}
