package openapi

import (
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// A Route is one line of a table of routes that is no documented API's: the
// control API has one.
type Route struct {
	Method string
	Path   string // {name} takes one segment, {name...} the rest
	Doc    string
	Query  []string            // the query parameters that it takes
	Values map[string][]string // which values some of these have
	Body   []string            // media types of a body, where it takes one

	// Takes are values of the Go types that a body may have as JSON, or rows of
	// contract.Param, and Gives is one of what is answered as JSON. nil: nothing is, or
	// it describes itself.
	Takes []any
	Gives any

	Kinds []string // media types of other forms of the answer
}

// rest is a place that takes the rest of a path, which OpenAPI cannot express.
var rest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(\w+)\.\.\.\}`) })

// problemKind is the media type of RFC 9457.
const problemKind = "application/problem+json"

// Routes describes a table of routes. Their failures are problems as RFC 9457 has them,
// of which problem is one.
func Routes(title string, about About, problem any, routes []Route) []byte {
	g := &goTypes{about.document(title, "Derived from the table of routes."), map[reflect.Type]string{}}
	refusal := response{Description: "What is wrong, and how to mend it."}
	refusal.Content.put(problemKind).Schema = g.schemaOf(problem)
	for _, r := range routes {
		item := g.Paths.put(rest().ReplaceAllString(r.Path, "{$1}"))
		o := g.operation(&r)
		*o.Responses.put("default") = refusal
		*item.put(strings.ToLower(r.Method)) = o
	}
	return g.encode()
}

func (g *goTypes) operation(r *Route) *operation {
	o := &operation{Summary: r.Doc, Responses: object[response]{{"2XX", g.success(r)}}}
	path := rest().ReplaceAllString(r.Path, "{$1}")
	for _, m := range place().FindAllStringSubmatch(path, -1) {
		p := &parameter{Name: m[1], In: "path", Required: true, Schema: &schema{Type: "string"}}
		if strings.Contains(r.Path, "{"+m[1]+"...}") {
			p.Description = "The rest of the path; its slashes stay as they are."
		}
		o.Parameters = append(o.Parameters, p)
	}
	for _, name := range r.Query {
		p := &parameter{Name: name, In: "query", Schema: &schema{Type: "string"}}
		for _, v := range r.Values[name] {
			p.Schema.Enum = append(p.Schema.Enum, v)
		}
		o.Parameters = append(o.Parameters, p)
	}
	for _, kind := range r.Body {
		if o.Body == nil {
			o.Body = &body{}
		}
		m := o.Body.Content.put(kind)
		if kind == jsonKind {
			m.Schema = g.taken(r)
		}
	}
	return o
}

const jsonKind = "application/json"

// success describes the answer of a route that did what it was asked for.
func (g *goTypes) success(r *Route) response {
	answer := response{Description: "What was asked for."}
	if r.Gives != nil {
		answer.Content.put(jsonKind).Schema = g.schemaOf(r.Gives)
	}
	for _, kind := range r.Kinds {
		bare, _, _ := strings.Cut(kind, ";")
		answer.Content.put(bare)
	}
	return answer
}

// taken describes the JSON body that a route takes.
func (g *goTypes) taken(r *Route) *schema {
	if len(r.Takes) == 0 {
		return nil
	}
	if len(r.Takes) == 1 {
		return g.schemaOf(r.Takes[0])
	}
	s := &schema{}
	for _, value := range r.Takes {
		s.AnyOf = append(s.AnyOf, g.schemaOf(value))
	}
	return s
}
