package control

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// triggerAnswer is the trigger that was run, and where.
type triggerAnswer struct {
	Sandbox string `json:"sandbox"`
	API     string `json:"api"`
	Trigger string `json:"trigger"`
}

func (s *Server) runTrigger(a *request, box *sandbox.Sandbox) (any, error) {
	api, err := s.api(a.path["api"])
	if err != nil {
		return nil, err
	}
	trigger, err := triggerOf(api, a.path["name"])
	if err != nil {
		return nil, err
	}
	in, err := a.members()
	if err != nil {
		return nil, err
	}
	if found := contract.Validate(trigger.Params, in); len(found) > 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "the parameters depart from those of trigger %s in %s; GET /v1/apis/%s lists them",
			trigger.Name, count(len(found), "place"), api.Name).violating(found)
	}
	instance, err := box.Instance(api)
	if err != nil {
		return nil, err
	}
	err = instance.Trigger(trigger, in)
	if full := (*sandbox.NoRoomError)(nil); errors.As(err, &full) {
		return nil, fmt.Errorf("trigger %s of %s: %w", trigger.Name, api.Name, err)
	}
	if err != nil {
		return nil, refuse(http.StatusConflict, "trigger %s of %s: %s", trigger.Name, api.Name, output.OneLine(cut(err.Error())))
	}
	return triggerAnswer{box.Name, api.Name, trigger.Name}, nil
}

func triggerOf(api *contract.API, name string) (*contract.Trigger, error) {
	if t := api.Trigger(name); t != nil {
		return t, nil
	}
	var names []string
	for _, t := range api.Triggers {
		names = append(names, t.Name)
	}
	return nil, refuse(http.StatusNotFound, "%s has no trigger %s%s", api.Name, quote(name), hint(name, names))
}
