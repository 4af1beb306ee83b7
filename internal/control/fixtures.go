package control

import (
	"errors"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// naming are the members of a body that names a fixture and changes it.
var naming = []contract.Param{
	{Name: "name", Doc: "The fixture's name. Without it, the fixture that counts."},
	{Name: "set", Type: contract.Object, Doc: "Switches of the API, by their names."},
}

// fixtureAnswer says with what an API began anew.
type fixtureAnswer struct {
	Sandbox string `json:"sandbox"`
	API     string `json:"api"`
	Fixture string `json:"fixture"`
}

// instance finds the instance of the API that the path names.
func (s *Server) instance(a *request, box *sandbox.Sandbox) (*sandbox.Instance, error) {
	api, err := s.api(a.path["api"])
	if err != nil {
		return nil, err
	}
	return box.Instance(api)
}

// putFixture has an API of a sandbox begin anew with a fixture: one that a JSON body
// names and changes, or one that a YAML body is. A reset takes that back.
func (s *Server) putFixture(a *request, box *sandbox.Sandbox) (any, error) {
	instance, err := s.instance(a, box)
	if err != nil {
		return nil, err
	}
	api := instance.API
	find := s.namedFixture
	if a.yaml() {
		find = s.givenFixture
	}
	f, err := find(a, api, instance.Fixture())
	if err != nil {
		return nil, err
	}
	err = instance.Load(f)
	if errors.As(err, new(*sandbox.NoRoomError)) {
		return nil, err
	}
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "no state can be made of the fixture, so nothing changed: %v", err)
	}
	return fixtureAnswer{box.Name, api.Name, f.Name}, nil
}

// namedFixture finds the fixture that a body names, or the one that counts, with the
// switches that the body sets.
func (s *Server) namedFixture(a *request, api *contract.API, now *fixture.Fixture) (*fixture.Fixture, error) {
	in, err := a.object(names(naming)...)
	if err != nil {
		return nil, err
	}
	if found := contract.Validate(naming, in); len(found) > 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "the body names no fixture, so nothing changed").violating(found)
	}
	named, set := contract.Values{}, contract.Values{}
	if name, given := in["name"]; given {
		named[api.Name] = name
	}
	for knob, value := range in.Object("set") {
		set[api.Name+"."+knob] = value
	}
	m := &maker{server: s, in: contract.Values{"fixtures": named, "set": set}, undone: "changed"}
	m.origin.Fixtures = map[string]*fixture.Fixture{api.Name: now}
	if err := m.fixtures(); err != nil {
		return nil, err
	}
	if err := m.switches(); err != nil {
		return nil, err
	}
	return m.origin.Fixtures[api.Name], nil
}

// givenFixture reads the fixture that the body is.
func (s *Server) givenFixture(a *request, api *contract.API, _ *fixture.Fixture) (*fixture.Fixture, error) {
	text, err := a.body()
	if err != nil {
		return nil, err
	}
	f, err := fixture.Parse("body", text, s.config.APIs)
	if err != nil {
		return nil, faultsProblem("fixture", err)
	}
	if f.API != api.Name {
		return nil, refuse(http.StatusUnprocessableEntity, "the body is a fixture of %s and the address names %s; let them say the same", f.API, api.Name)
	}
	return f, nil
}
