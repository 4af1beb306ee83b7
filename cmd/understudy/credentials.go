package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/redact"
	"github.com/understudy-suite/understudy/internal/replay"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// credentials are those of a sandbox with which a call is signed.
type credentials struct {
	values contract.Values

	// redactor masks what is printed of a call; nil: the server shows the secrets
	// itself, as it does those of the documentation.
	redactor *redact.Redactor
}

// readCredentials takes in what the server shows of an account. A secret that it
// names by its variable is read from the environment of this command. One that it
// leaves out is read from there too, or is the one of the documentation.
func readCredentials(env *env, api *contract.API, shown contract.Values) (*credentials, error) {
	k := &credentials{values: contract.Values{}}
	var hidden []string
	all := false
	var documented contract.Values
	for _, c := range api.Credentials {
		text, is := shown[c.Name].(string)
		variable, named := strings.CutPrefix(text, contract.EnvPrefix)
		switch {
		case !is:
			if x, given := shown[c.Name]; given {
				k.values[c.Name] = x
			}
			continue
		case c.Identifier || !named && text != contract.Redacted:
			k.values[c.Name] = text
			continue
		case named && variable != c.Env:
			return nil, fmt.Errorf("the server names %s for %s of %s, whose variable is %s; is it an understudy of this version?", text, c.Name, api.Name, c.Env)
		}
		secret := ""
		if c.Env != "" && (named || environmentKnows(env, api, shown)) {
			secret = env.lookup(c.Env)
		}
		if secret == "" && named {
			return nil, fmt.Errorf("the server has %s of %s from its environment and does not tell it; set %s for this command too", c.Name, api.Name, c.Env)
		}
		if secret == "" {
			if documented == nil {
				var err error
				if documented, err = documentedCredentials(api, shown); err != nil {
					return nil, err
				}
			}
			secret = documented.Text(c.Name)
		}
		if secret == "" && c.Env != "" {
			return nil, fmt.Errorf("the server does not tell %s of %s, since it runs with --redact; set %s for this command", c.Name, api.Name, c.Env)
		}
		if secret != "" {
			k.values[c.Name] = secret
		}
		hidden, all = append(hidden, secret), all || !named
	}
	if hidden != nil {
		k.redactor = redact.New(redact.Config{APIs: []*contract.API{api}, All: all, Env: env.lookup, Values: hidden})
	}
	return k, nil
}

// environmentKnows reports whether the variables of this command are about the
// account that the server shows.
func environmentKnows(env *env, api *contract.API, shown contract.Values) bool {
	for _, c := range api.Credentials {
		if c.Identifier && c.Env != "" && env.lookup(c.Env) != shown.Text(c.Name) {
			return false
		}
	}
	return true
}

// documentedCredentials returns those of a shipped fixture whose identifiers are
// the shown ones; none where no fixture has them.
func documentedCredentials(api *contract.API, shown contract.Values) (contract.Values, error) {
	shelf := fixture.NewLibrary(emulators.All)
	if err := shelf.Add(fixtures.Files); err != nil {
		return nil, err
	}
	for _, f := range append([]*fixture.Fixture{shelf.Default(api)}, shelf.List()...) {
		if f.API != api.Name {
			continue
		}
		registry, err := sandbox.New(sandbox.Config{
			APIs: []*contract.API{api}, Fixtures: map[string]*fixture.Fixture{api.Name: f}, Wall: time.Now, Max: 1,
		})
		if err != nil {
			return nil, err
		}
		instance, err := registry.Find(sandbox.Default).Instance(api)
		if err != nil {
			return nil, err
		}
		var known contract.Values
		instance.WithState(func(s contract.State) { known = s.Credentials() })
		if sameAccount(api, known, shown) {
			return known, nil
		}
	}
	return contract.Values{}, nil
}

func sameAccount(api *contract.API, a, b contract.Values) bool {
	for _, c := range api.Credentials {
		if c.Identifier && a.Text(c.Name) != b.Text(c.Name) {
			return false
		}
	}
	return true
}

// masked returns a call as it is printed.
func (k *credentials) masked(api *contract.API, request, answer replay.Message) (replay.Message, replay.Message) {
	if k.redactor == nil {
		return request, answer
	}
	method, rest, _ := strings.Cut(request.Line, " ")
	address, protocol, _ := strings.Cut(rest, " ")
	e := k.redactor.Entry(journal.Entry{
		API:      api.Name,
		Request:  journal.Message{URL: address, Header: request.Header, Body: request.Body},
		Response: journal.Message{Header: answer.Header, Body: answer.Body},
	})
	request.Line, request.Header, request.Body = method+" "+e.Request.URL+" "+protocol, e.Request.Header, e.Request.Body
	answer.Header, answer.Body = e.Response.Header, e.Response.Body
	return request, answer
}

// exchangeOf returns a call and its answer as they were printed.
func exchangeOf(request, answer replay.Message) *exchange {
	_, rest, _ := strings.Cut(request.Line, " ")
	address, _, _ := strings.Cut(rest, " ")
	u, err := url.Parse(address)
	if err != nil {
		u = &url.URL{}
	}
	if request.Header == nil {
		request.Header = http.Header{}
	}
	return &exchange{u, request.Header, answer.Header, request.Body, answer.Body}
}
