package control

import (
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/schema"
)

// schemaOf serves a schema that is derived from the tables.
func (s *Server) schemaOf(derive func([]*contract.API) []byte) func(*request) (any, error) {
	return func(*request) (any, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			send(w, http.StatusOK, schemaText, derive(s.config.APIs))
		}), nil
	}
}

func (s *Server) scenarioSchema(a *request) (any, error) { return s.schemaOf(schema.Scenario)(a) }
func (s *Server) fixtureSchema(a *request) (any, error)  { return s.schemaOf(schema.Fixture)(a) }
