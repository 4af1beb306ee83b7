package openapi

import (
	"net/http"
	"reflect"
	"regexp"
	"strings"
)

// A Route is one line of a table of routes that is no documented API's: the
// control API has one.
type Route struct {
	Method string
	Path   string // {name} takes one segment, {name...} the rest
	Doc    string
	Query  []string // the query parameters that it takes
	Body   []string // media types of a body, where it takes one
	Takes  []any    // values of the Go types that a body may have as JSON; none: not described
	Gives  any      // a value of the Go type of what is answered as JSON; nil: not described
}

// rest is a place that takes the rest of a path, which OpenAPI cannot express.
var rest = regexp.MustCompile(`\{(\w+)\.\.\.\}`)

// Routes describes a table of routes. Answers are described as far as all have them in
// common: failures are problems as RFC 9457 has them.
func Routes(title string, about About, routes []Route) []byte {
	d := about.document(title, "Derived from the table of routes.")
	d.Components.Schemas = object[*schema]{{problem, problemSchema}}
	for _, r := range routes {
		item := d.Paths.put(rest.ReplaceAllString(r.Path, "{$1}"))
		*item.put(strings.ToLower(r.Method)) = r.operation()
	}
	return d.encode()
}

func (r *Route) operation() *operation {
	o := &operation{Summary: r.Doc, Responses: object[response]{
		{"2XX", r.success()},
		{"default", response{
			Description: "What is wrong, and how to mend it.",
			Content:     object[mediaType]{{"application/problem+json", mediaType{Schema: schemaRef(problem)}}},
		}},
	}}
	path := rest.ReplaceAllString(r.Path, "{$1}")
	for _, m := range place.FindAllStringSubmatch(path, -1) {
		p := &parameter{Name: m[1], In: "path", Required: true, Schema: &schema{Type: "string"}}
		if strings.Contains(r.Path, "{"+m[1]+"...}") {
			p.Description = "The rest of the path; its slashes stay as they are."
		}
		o.Parameters = append(o.Parameters, p)
	}
	for _, name := range r.Query {
		o.Parameters = append(o.Parameters, &parameter{Name: name, In: "query", Schema: &schema{Type: "string"}})
	}
	for _, kind := range r.Body {
		if o.Body == nil {
			o.Body = &body{}
		}
		o.Body.Content.put(kind).Schema = r.taken()
	}
	return o
}

// success describes the answer of a route that did what it was asked for.
func (r *Route) success() response {
	answer := response{Description: "What was asked for."}
	if r.Gives != nil {
		answer.Content = object[mediaType]{{"application/json", mediaType{Schema: schemaOf(reflect.TypeOf(r.Gives))}}}
	}
	return answer
}

// taken describes the body that a route takes.
func (r *Route) taken() *schema {
	if len(r.Takes) == 0 {
		return nil
	}
	s := &schema{}
	for _, value := range r.Takes {
		s.AnyOf = append(s.AnyOf, schemaOf(reflect.TypeOf(value)))
	}
	return s
}

const problem = "Problem"

var problemSchema = &schema{
	Type: "object", Required: []string{"title", "status", "detail"},
	Properties: object[*schema]{
		{"title", &schema{Type: "string", Examples: []any{http.StatusText(http.StatusNotFound)}}},
		{"status", &schema{Type: "integer", Examples: []any{http.StatusNotFound}}},
		{"detail", &schema{Type: "string", Description: "What was found and what was expected."}},
		{"faults", &schema{Type: "array", Items: &schema{Type: "string"}, Description: "The faults of a file, each with its place."}},
		{"violations", &schema{Type: "array", Items: &schema{Type: "object"}, Description: "What parameters violate, row by row."}},
	},
}
