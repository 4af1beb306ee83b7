package control

import (
	"net/http"

	"github.com/understudy-suite/understudy/internal/openapi"
)

// Media types of bodies and answers.
const (
	jsonText   = "application/json"
	yamlText   = "application/yaml"
	schemaText = "application/schema+json"
)

// eventStream is the media type of Server-Sent Events.
const eventStream = "text/event-stream"

// openAPIAnswer is an OpenAPI document as an answer.
type openAPIAnswer []byte

func (d openAPIAnswer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	send(w, http.StatusOK, jsonText, d)
}

func (s *Server) getOpenAPIOf(a *request) (any, error) {
	api, err := s.api(a.path["api"])
	if err != nil {
		return nil, err
	}
	about := openapi.About{Version: s.config.Version, Server: s.urls(a)[api.Name]}
	return openAPIAnswer(openapi.Document(api, about)), nil
}

// describe describes the control API itself, at the address of the request.
func (s *Server) getOpenAPI(*request) (any, error) {
	var routes []openapi.Route
	for _, r := range s.routes() {
		routes = append(routes, openapi.Route{
			Method: r.method, Path: r.path, Doc: r.doc, Query: r.query, Values: r.values,
			Body: r.body, Takes: r.takes, Gives: r.gives, Kinds: r.kinds,
		})
	}
	return openAPIAnswer(openapi.Routes("understudy control API", openapi.About{Version: s.config.Version, Server: "/"}, problem{}, routes)), nil
}
