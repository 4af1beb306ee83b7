package openapi_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/openapi"
)

// Cookie has the name of another package's type.
type Cookie struct{ Crumbs uint16 }

// word writes itself as a text.
type word [2]byte

func (w word) MarshalJSON() ([]byte, error) { return json.Marshal(string(w[:])) }

type inner struct {
	Far *int64 `json:"far"`
}

// Tree has what Go types can have.
type Tree struct {
	*inner
	Branches []Tree             `json:"branches,omitempty" doc:"of it"`
	Up       *Tree              `json:"up"`
	Counts   map[string]uint64  `json:"counts"`
	Removed  map[string]*string `json:"removed,omitempty"`
	Each     [2]float32         `json:"each"`
	At       *time.Time         `json:"at"`
	Raw      json.RawMessage    `json:"raw"`
	Word     word               `json:"word"`
	Any      any                `json:"any"`
	Never    int                `json:"-"`
	Mine     Cookie             `json:"mine,omitzero"`
	Other    map[string]struct {
		Left bool `json:"left"`
	} `json:"other"`
}

func TestGoTypes(t *testing.T) {
	rows := []contract.Param{{Name: "list", Type: contract.List, Of: contract.Object, Fields: []contract.Param{{Name: "n", Type: contract.Integer, Need: contract.Required}}}}
	p := read(t, openapi.Routes("types", about, Problem{}, []openapi.Route{
		{Method: "GET", Path: "/tree", Doc: "A tree.", Query: []string{"format", "of"}, Values: map[string][]string{"format": {"json", "text"}}, Gives: Tree{}, Kinds: []string{"text/plain; charset=utf-8"}},
		{Method: "PUT", Path: "/tree", Doc: "Plants.", Body: []string{"application/json", "application/yaml"}, Takes: []any{rows, &Tree{}}, Gives: http.Cookie{}},
	}))
	p.valid()
	const tree = "components schemas Tree "
	for at, want := range map[string]string{
		"paths /tree get responses 2XX content":  `{"application/json":{"schema":{"$ref":"#/components/schemas/Tree"}},"text/plain":{}}`,
		"paths /tree get parameters 0 schema":    `{"enum":["json","text"],"type":"string"}`,
		"paths /tree get parameters 1 schema":    `{"type":"string"}`,
		tree + "required":                        `["far","up","counts","each","at","raw","word","any","other"]`,
		tree + "properties far":                  `{"type":["integer","null"]}`,
		tree + "properties branches":             `{"description":"of it","items":{"$ref":"#/components/schemas/Tree"},"type":"array"}`,
		tree + "properties up":                   `{"anyOf":[{"$ref":"#/components/schemas/Tree"},{"type":"null"}]}`,
		tree + "properties counts":               `{"additionalProperties":{"minimum":0,"type":"integer"},"type":"object"}`,
		tree + "properties removed":              `{"additionalProperties":{"type":["string","null"]},"type":"object"}`,
		tree + "properties each":                 `{"items":{"type":"number"},"type":"array"}`,
		tree + "properties at":                   `{"format":"date-time","type":["string","null"]}`,
		tree + "properties raw":                  `{}`,
		tree + "properties word":                 `{"type":"string"}`,
		tree + "properties any":                  `{}`,
		tree + "properties other":                `{"additionalProperties":{"properties":{"left":{"type":"boolean"}},"required":["left"],"type":"object"},"type":"object"}`,
		"components schemas Cookie properties":   `{"Crumbs":{"minimum":0,"type":"integer"}}`,
		"paths /tree put responses 2XX content":  `{"application/json":{"schema":{"$ref":"#/components/schemas/HttpCookie"}}}`,
		"paths /tree put requestBody content":    `{"application/json":{"schema":{"anyOf":[{"properties":{"list":{"items":{"properties":{"n":{"format":"int64","type":"integer"}},"required":["n"],"type":"object"},"type":"array"}},"type":"object"},{"$ref":"#/components/schemas/Tree"}]}},"application/yaml":{}}`,
		"components schemas Tree properties Any": ``,
	} {
		if got := p.at(at); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", at, got, want)
		}
	}
}
