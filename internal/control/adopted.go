package control

import (
	"cmp"
	"net/http"
	"regexp"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// adoptedAnswer is an identifier that an API took in at first sight.
type adoptedAnswer struct {
	API string `json:"api"`
	sandbox.Adopted
}

func (s *Server) listAdopted(a *request, box *sandbox.Sandbox) (any, error) {
	only := a.query["api"]
	if only != "" {
		if _, err := s.api(only); err != nil {
			return nil, err
		}
	}
	all := list[adoptedAnswer]{Items: []adoptedAnswer{}}
	for _, i := range box.Existing() {
		if only != "" && only != i.API.Name {
			continue
		}
		for _, one := range i.Adopted() {
			all.Items = append(all.Items, adoptedAnswer{i.API.Name, one})
		}
	}
	return all, nil
}

// fixtureName is what a fixture may be called: a file has its name.
var fixtureName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`) })

// saveFixture writes the fixture of an API with what was adopted. What is answered can be
// read again, or nothing is.
func (s *Server) saveFixture(a *request, box *sandbox.Sandbox) (any, error) {
	instance, err := s.instance(a, box)
	if err != nil {
		return nil, err
	}
	api := instance.API
	name := cmp.Or(a.query["name"], instance.Fixture().Name)
	if !fixtureName().MatchString(name) {
		return nil, refuse(http.StatusUnprocessableEntity, "name is %s; letters, digits, dots, hyphens and underscores were expected, as in the name of a file", quote(name))
	}
	rows := instance.AdoptedRows()
	for _, lists := range rows {
		s.nameSecrets(api, lists)
	}
	text, err := instance.Fixture().Save(api, name, rows)
	if err != nil {
		return nil, err
	}
	saved, err := fixture.Parse(name, text, []*contract.API{api})
	if err == nil {
		err = instance.Check(saved)
	}
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "what was adopted cannot be written as one fixture file: %v", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { send(w, http.StatusOK, yamlText, text) }), nil
}

// nameSecrets puts the names of secrets that came from the environment in their place.
func (s *Server) nameSecrets(api *contract.API, v contract.Values) {
	for name, x := range v {
		switch x := x.(type) {
		case []any:
			for _, e := range x {
				if row, is := e.(contract.Values); is {
					s.nameSecrets(api, row)
				}
			}
		case string:
			for _, c := range api.Credentials {
				if c.Name == name && !c.Identifier {
					v[name] = s.config.Redactor.Secret(api.Name, x)
				}
			}
		}
	}
}
