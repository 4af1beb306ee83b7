package gateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/understudy-suite/understudy/internal/scenario"
)

// scenario finds the scenario that a request to an API names for itself, or nil.
// Where several APIs have one of that name, it is the one of the API asked.
func (g *Gateway) scenario(r *http.Request, api string) (*scenario.Scenario, error) {
	name := r.Header.Get(ScenarioHeader)
	switch {
	case name == "":
		return nil, nil
	case g.config.Find == nil:
		return nil, errors.New("no scenario is known here by which the header " + ScenarioHeader + " could be played")
	}
	if !strings.Contains(name, "/") {
		if own, err := g.config.Find(api + "/" + name); err == nil {
			return own, nil
		}
	}
	return g.config.Find(name)
}
