package control

import (
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// service is an API in the list of all.
type service struct {
	Name       string   `json:"name"`
	Title      string   `json:"title"`
	Docs       string   `json:"docs"`
	Port       int      `json:"port"`
	URL        string   `json:"url,omitempty"` // "" where its port is not open
	Hosts      []string `json:"hosts"`
	Operations int      `json:"operation_count"`
}

// table is an API in full.
type table struct {
	service
	Checks      []check      `json:"checks"`
	Rows        []operation  `json:"operations"`
	Fixture     []param      `json:"fixture"`
	Switches    []param      `json:"switches"`
	Triggers    []trigger    `json:"triggers"`
	Givens      []trigger    `json:"givens"`
	Credentials []credential `json:"credentials"`
	Adopts      []adoptable  `json:"adopts" doc:"the ids that are taken in at first sight where unknown is adopt"`
}

type check struct {
	Name string   `json:"name"`
	Ends []string `json:"ends"`
}

type operation struct {
	Name     string    `json:"name"`
	Doc      string    `json:"doc"`
	Cite     string    `json:"cite"`
	Inferred bool      `json:"inferred"`
	Helper   bool      `json:"helper,omitempty"` // an operation of ours beside the documented ones
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Aliases  []string  `json:"aliases,omitempty"`
	Rate     int       `json:"rate,omitempty"` // documented calls a second
	Params   []param   `json:"params"`
	Outcomes []outcome `json:"outcomes"`
}

type outcome struct {
	Name     string  `json:"name"`
	Scenario string  `json:"scenario"` // the scenario without a file that plays it
	Fails    bool    `json:"fails"`
	Status   int     `json:"status"`
	Message  string  `json:"message,omitempty"`
	Doc      string  `json:"doc"`
	Cite     string  `json:"cite"`
	Inferred bool    `json:"inferred"`
	Returns  []param `json:"returns,omitempty"`
}

type param struct {
	Name     string   `json:"name"`
	In       string   `json:"in,omitempty"`
	Type     string   `json:"type"`
	Of       string   `json:"of,omitempty"` // what an array holds
	Need     string   `json:"need"`
	OneOf    []string `json:"one_of,omitempty"`
	Min      int      `json:"min,omitempty"`
	Max      int      `json:"max,omitempty"`
	Default  any      `json:"default,omitempty"`
	Example  string   `json:"example,omitempty"`
	Doc      string   `json:"doc"`
	Cite     string   `json:"cite"`
	Inferred bool     `json:"inferred"`
	Fields   []param  `json:"fields,omitempty"`
}

type trigger struct {
	Name   string  `json:"name"`
	Doc    string  `json:"doc"`
	Params []param `json:"params"`
}

type credential struct {
	Name string `json:"name"`
	Env  string `json:"env,omitempty"`

	Identifier bool `json:"identifier,omitempty"` // it names the caller; all others are secrets
}

type adoptable struct {
	What    string `json:"what" doc:"the kind of id, as the vendor names it"`
	Doc     string `json:"doc" doc:"in whose likeness it is taken in"`
	Example string `json:"example,omitempty" doc:"one as it is told; of a secret, what stands for it"`
}

func (s *Server) listAPIs(a *request) (any, error) {
	doors := s.urls(a)
	all := list[service]{Items: []service{}}
	for _, api := range s.config.APIs {
		all.Items = append(all.Items, serviceOf(api, doors))
	}
	return all, nil
}

func (s *Server) getAPI(a *request) (any, error) {
	api, err := s.api(a.path["api"])
	if err != nil {
		return nil, err
	}
	t := table{
		service: serviceOf(api, s.urls(a)),
		Checks:  mapSlice(api.Checks, checkOf),
		Rows:    mapSlice(api.Operations, func(op *contract.Operation) operation { return operationOf(api, op) }),
		Fixture: params(api.Fixture, ""), Switches: params(api.Switches, ""),
		Triggers: mapSlice(api.Triggers, triggerAnswerOf), Givens: mapSlice(api.Givens(), triggerAnswerOf),
		Credentials: mapSlice(api.Credentials, func(c contract.Credential) credential { return credential{c.Name, c.Env, c.Identifier} }),
		Adopts:      mapSlice(api.Adopts, func(row contract.Adoptable) adoptable { return adoptable{row.What, row.Doc, api.Such(&row)} }),
	}
	return t, nil
}

func serviceOf(api *contract.API, doors map[string]string) service {
	return service{api.Name, api.Title, api.Docs, api.Port, doors[api.Name], mapSlice(api.Hosts, func(h contract.Host) string { return h.Name }), len(api.Operations)}
}

func triggerAnswerOf(t *contract.Trigger) trigger {
	return trigger{t.Name, t.Doc, params(t.Params, "")}
}

func checkOf(c contract.Check) check {
	return check{c.Name, mapSlice(c.Ends, func(o *contract.Outcome) string { return o.Name })}
}

func operationOf(api *contract.API, op *contract.Operation) operation {
	return operation{
		Name: op.Name, Doc: op.Doc, Cite: op.Cite, Inferred: op.Cite == "", Helper: op.Helper,
		Method: op.Method, Path: op.Path, Aliases: op.Aliases, Rate: op.Rate,
		Params:   params(op.Params, "body"),
		Outcomes: mapSlice(api.Ends(op), func(o *contract.Outcome) outcome { return outcomeOf(api, op, o) }),
	}
}

func outcomeOf(api *contract.API, op *contract.Operation, o *contract.Outcome) outcome {
	return outcome{
		Name: o.Name, Scenario: api.Name + "/" + op.Name + "/" + o.Name, Fails: o.Fails, Status: op.Status(o), Message: o.Message,
		Doc: o.Doc, Cite: o.Cite, Inferred: o.Cite == "", Returns: params(o.Returns, "body"),
	}
}

// params describes rows. body is what the first of the places is called: rows of
// fixtures, switches and triggers stand in no request.
func params(rows []contract.Param, body string) []param {
	return mapSlice(rows, func(p contract.Param) param { return paramOf(p, body) })
}

func paramOf(p contract.Param, body string) param {
	q := param{
		Name: p.Name, In: placeOf(p.In, body), Type: p.Type.String(), Need: needOf(p.Need), OneOf: p.OneOf,
		Min: p.Min, Max: p.Max, Default: p.Default, Example: p.Example,
		Doc: p.Doc, Cite: p.Cite, Inferred: p.Cite == "",
	}
	if p.Type == contract.List {
		q.Of = p.Of.String()
	}
	if d, ok := p.Default.(time.Duration); ok {
		q.Default = d.String()
	}
	if p.Fields != nil {
		q.Fields = params(p.Fields, body)
	}
	return q
}

func placeOf(p contract.Place, body string) string {
	return [...]string{body, "form", "query", "path", "header"}[p]
}

func needOf(n contract.Need) string { return [...]string{"optional", "required", "expected"}[n] }

// mapSlice makes a list of another, and never nil: in JSON an empty list is [].
func mapSlice[A, B any](all []A, f func(A) B) []B {
	made := make([]B, 0, len(all))
	for _, x := range all {
		made = append(made, f(x))
	}
	return made
}
