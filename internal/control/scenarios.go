package control

import (
	"errors"
	"net/http"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// scenarioAnswer is a scenario in the list of the library.
type scenarioAnswer struct {
	Name        string   `json:"name"` // in full: API and name
	API         string   `json:"api"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Rules       int      `json:"rules"`
	Operations  []string `json:"operations"`
	File        string   `json:"file,omitempty"`
	Source      string   `json:"source,omitempty"`
	Error       string   `json:"error,omitempty"` // what is wrong with the file; its last good version stays in force
}

func (s *Server) listScenarios(a *request) (any, error) {
	api, operation := a.query["api"], a.query["operation"]
	if err := s.checkNames(api, operation, ""); err != nil {
		return nil, err
	}
	all := list[scenarioAnswer]{Items: []scenarioAnswer{}}
	for _, l := range s.config.Library.List() {
		if api != "" && l.API != api && l.API != scenario.Everywhere {
			continue
		}
		if operation != "" && !slices.Contains(l.Operations, operation) && !slices.Contains(l.Operations, scenario.Any) {
			continue
		}
		all.Items = append(all.Items, scenarioAnswerOf(l))
	}
	return all, nil
}

func (s *Server) getScenario(a *request) (any, error) {
	found, err := s.scenario(a.path["name"])
	if err != nil {
		return nil, err
	}
	return scenarioDocumentOf(found), nil
}

// scenario finds the named scenario, also one without a file.
func (s *Server) scenario(name string) (*scenario.Scenario, error) {
	found, err := s.config.Library.Find(name)
	if err != nil {
		return nil, refuse(http.StatusNotFound, "%v", err)
	}
	return found, nil
}

func (s *Server) putScenario(a *request) (any, error) {
	text, err := a.body()
	if err != nil {
		return nil, err
	}
	name := a.path["name"]
	_, missing := s.config.Library.Find(name)
	put, err := s.config.Library.Put(name, text)
	if err != nil {
		return nil, faultsProblem("scenario", err)
	}
	s.config.Registry.UpdateScenarios(s.config.Library.InForce)
	if missing != nil {
		return createdAnswer{scenarioDocumentOf(put)}, nil
	}
	return scenarioDocumentOf(put), nil
}

// faultsProblem says what is wrong with a file, or why it cannot be taken in
// though nothing is.
func faultsProblem(what string, err error) *problem {
	var fault *document.Fault
	if !errors.As(err, &fault) {
		return refuse(http.StatusConflict, "%v", err)
	}
	faults := mapSlice(splitErrors(err), error.Error)
	p := refuse(http.StatusUnprocessableEntity, "the %s has %s and was not taken", what, count(len(faults), "fault"))
	p.Faults = faults
	return p
}

func (s *Server) deleteScenario(a *request) (any, error) {
	err := s.config.Library.Delete(a.path["name"])
	var unknown *library.UnknownError
	switch {
	case errors.As(err, &unknown):
		return nil, refuse(http.StatusNotFound, "%v", err)
	case err != nil:
		return nil, refuse(http.StatusConflict, "%v", err)
	}
	s.config.Registry.UpdateScenarios(s.config.Library.InForce)
	return nil, nil
}

// checkNames refuses the name of an API, of an operation or of an outcome that is
// in no table; "" names none.
func (s *Server) checkNames(api, operation, outcome string) error {
	apis := s.config.APIs
	if api != "" {
		a, err := s.api(api)
		if err != nil {
			return refuse(http.StatusBadRequest, "%v", err)
		}
		apis = []*contract.API{a}
	}
	var operations, outcomes []string
	for _, a := range apis {
		outcomes = append(outcomes, mapSlice(a.Ends(nil), outcomeName)...)
		for _, op := range a.Operations {
			operations = append(operations, op.Name)
			if operation == "" || op.Name == operation {
				outcomes = append(outcomes, mapSlice(op.Outcomes, outcomeName)...)
			}
		}
	}
	if operation != "" && !slices.Contains(operations, operation) {
		return refuse(http.StatusBadRequest, "there is no operation %s%s", quote(operation), hint(operation, operations))
	}
	if outcome != "" && !slices.Contains(outcomes, outcome) {
		return refuse(http.StatusBadRequest, "there is no outcome %s%s", quote(outcome), hint(outcome, outcomes))
	}
	return nil
}

func outcomeName(o *contract.Outcome) string { return o.Name }

func scenarioAnswerOf(l library.Listed) scenarioAnswer {
	return scenarioAnswer{l.Name, l.API, l.Description, nonNil(l.Tags), l.Rules, nonNil(l.Operations), l.File, l.Source, l.Error}
}

func nonNil(l []string) []string { return append([]string{}, l...) }
