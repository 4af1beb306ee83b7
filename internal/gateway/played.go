package gateway

import (
	"errors"
	"net/http"

	"github.com/understudy-suite/understudy/internal/scenario"
)

// scenario finds the scenario that a request names for itself, or nil.
func (g *Gateway) scenario(r *http.Request) (*scenario.Scenario, error) {
	name := r.Header.Get(ScenarioHeader)
	switch {
	case name == "":
		return nil, nil
	case g.config.Find == nil:
		return nil, errors.New("no scenario is known here by which the header " + ScenarioHeader + " could be played")
	}
	return g.config.Find(name)
}
