// Package redact keeps secrets out of what leaves the process: the journal, the
// log, states, exports and errors.
//
// Secrets are found by name, where a header, parameter or member stands that an
// API's table names, and by value, in the usual encodings, wherever they stand.
// Those that came from the environment are never told: they are named by their
// variable. All others are masked where serve --redact asks for it.
package redact

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// Config says what is secret.
type Config struct {
	APIs []*contract.API
	All  bool                // mask every secret, and not only those of the environment
	Env  func(string) string // variables whose values are secrets; nil: none are

	Values []string // further secrets
}

// A Redactor masks secrets. The nil Redactor masks nothing.
type Redactor struct {
	all   bool
	names map[string]lazyNames         // by API
	kept  map[string]lazyNames         // by API: those without what its operations issue
	any   lazyNames                    // of all APIs, for the log
	env   map[string]map[string]string // by API: from a secret of the environment to its variable

	mu      sync.Mutex
	learned []string // other secrets, in the order in which they became known
	known   map[string]bool
	stale   bool // found does not have all of them
	found   *matcher
}

// mostLearned is how many secrets are looked for by value, beside those of the
// environment. Beyond it, those that became known first are forgotten.
const mostLearned = 4096

// New returns a redactor of these APIs' secrets.
func New(config Config) *Redactor {
	r := &Redactor{all: config.All, names: map[string]lazyNames{}, kept: map[string]lazyNames{}, env: map[string]map[string]string{}, known: map[string]bool{}, stale: true}
	var all []string
	for _, api := range config.APIs {
		list := slices.Clone(api.Secrets)
		for _, c := range api.Credentials {
			if c.Identifier {
				continue
			}
			list = append(list, c.Name)
			if config.Env == nil || c.Env == "" || config.Env(c.Env) == "" {
				continue
			}
			if r.env[api.Name] == nil {
				r.env[api.Name] = map[string]string{}
			}
			r.env[api.Name][config.Env(c.Env)] = c.Env
		}
		r.names[api.Name] = later(func() []string { return list })
		r.kept[api.Name] = later(func() []string { return withoutIssued(api, list) })
		all = append(all, list...)
	}
	r.any = later(func() []string { return all })
	for _, value := range config.Values {
		r.learn(value)
	}
	return r
}

// withoutIssued returns the names but for those of what operations return: the
// tokens that understudy issues itself mean nothing to the vendor.
func withoutIssued(api *contract.API, names []string) []string {
	issued := map[string]bool{}
	for _, op := range api.Operations {
		for _, o := range op.Outcomes {
			for i := range o.Returns {
				issued[folded(o.Returns[i].Name)] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return issued[folded(name)] })
}

// Active reports whether documents are masked at all.
func (r *Redactor) Active() bool { return r != nil && (r.all || len(r.env) > 0) }

// Learn takes in the secrets of a state, so that they are found by value. It is
// called with the state locked.
func (r *Redactor) Learn(_ *contract.API, state contract.State) {
	holder, is := state.(contract.SecretHolder)
	if r == nil || !r.all || !is {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for place := range holder.Secrets() {
		r.learn(*place)
	}
	for len(r.learned) > mostLearned {
		delete(r.known, r.learned[0])
		r.learned = r.learned[1:]
	}
}

func (r *Redactor) learn(secret string) {
	if len(strings.TrimSpace(secret)) >= Shortest && !r.known[secret] {
		r.known[secret], r.stale = true, true
		r.learned = append(r.learned, secret)
	}
}

// matcher returns what finds the secrets that are known by now.
func (r *Redactor) matcher() *matcher {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stale {
		return r.found
	}
	labels := map[string]string{}
	add := func(value, label string) {
		if len(strings.TrimSpace(value)) < Shortest {
			return
		}
		for _, form := range forms(value) {
			if labels[form] == "" {
				labels[form] = label
			}
		}
	}
	for _, api := range slices.Sorted(maps.Keys(r.env)) {
		for value, variable := range r.env[api] {
			add(value, contract.EnvPrefix+variable)
		}
	}
	for _, value := range r.learned {
		add(value, contract.Redacted)
	}
	r.stale, r.found = false, newMatcher(labels)
	return r.found
}

// Text returns s with every known secret masked, but for those that are told.
func (r *Redactor) Text(s string, told ...string) string {
	if !r.Active() {
		return s
	}
	found, masked := r.matcher(), ""
	for {
		at, which := firstOf(s, told)
		if which == "" {
			return masked + found.replace(s)
		}
		masked += found.replace(s[:at]) + which
		s = s[at+len(which):]
	}
}

// firstOf finds which of several texts stands first in s, the longest one where several
// begin there; "": none does.
func firstOf(s string, texts []string) (at int, which string) {
	at = len(s)
	for _, text := range texts {
		i := strings.Index(s, text)
		if text != "" && i >= 0 && (i < at || i == at && len(text) > len(which)) {
			at, which = i, text
		}
	}
	return at, which
}

// isLabel reports whether s already stands for a secret of the environment.
func (r *Redactor) isLabel(s string) bool {
	variable, is := strings.CutPrefix(s, contract.EnvPrefix)
	for _, secrets := range r.env {
		for _, known := range secrets {
			if is && known == variable {
				return true
			}
		}
	}
	return false
}

// Secret returns how a secret of an API is named in documents.
func (r *Redactor) Secret(api, value string) string {
	switch {
	case r == nil || value == "":
		return value
	case r.env[api][value] != "":
		return contract.EnvPrefix + r.env[api][value]
	case r.all:
		return contract.Redacted
	}
	return r.Text(value)
}

// Credentials returns a copy of an account's credentials in which the secret ones
// are named.
func (r *Redactor) Credentials(api *contract.API, credentials contract.Values) contract.Values {
	shown := maps.Clone(credentials)
	for _, c := range api.Credentials {
		text, is := shown[c.Name].(string)
		switch {
		case !is:
		case c.Identifier:
			shown[c.Name] = r.Text(text)
		default:
			shown[c.Name] = r.Secret(api.Name, text)
		}
	}
	return shown
}

// Error returns err with its text masked.
func (r *Redactor) Error(err error) error {
	if err == nil || !r.Active() {
		return err
	}
	if text := r.Text(err.Error()); text != err.Error() {
		return &maskedError{text, err}
	}
	return err
}

// A maskedError is an error whose text named a secret.
type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string { return e.text }

// Unwrap returns the error as it was.
func (e *maskedError) Unwrap() error { return e.err }

// hides reports whether an entry is shown without what proves that its caller
// knows a secret: signatures, tokens, ciphertexts. So it is where the secret is
// one of the environment, or may be.
func (r *Redactor) hides(e *journal.Entry) bool {
	secrets := r.env[e.API]
	if r.all || len(secrets) == 0 {
		return r.all
	}
	keys := []string{e.Key}
	if e.Explanation != nil {
		keys = append(keys, e.Explanation.Keys...)
	}
	return e.Key == "" || slices.ContainsFunc(keys, func(key string) bool {
		return secrets[key] != "" || secrets[strings.TrimSpace(key)] != ""
	})
}
