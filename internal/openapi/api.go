package openapi

import (
	"cmp"
	"regexp"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
)

// About is what a document says of where it was made.
type About struct {
	Version string // of understudy
	Server  string // the URL of the API; "": none is open
}

// document begins a document.
func (a About) document(title, description string) *document {
	d := &document{OpenAPI: "3.1.0", Info: info{title, description, a.Version}, Paths: object[pathItem]{}}
	if a.Server != "" {
		d.Servers = []server{{cmp.Or(strings.TrimSuffix(a.Server, "/"), "/")}}
	}
	return d
}

// Document describes api, with all its documented operations and outcomes.
func Document(api *contract.API, about About) []byte {
	d := about.document(api.Title, "Derived from the tables by which understudy stands in for this API. What is marked as inferred stands on no page of its documentation.")
	if api.Docs != "" {
		d.Docs = &link{api.Docs}
	}
	b := &builder{document: d, api: api, conceals: encryptsBodies(api)}
	if len(api.Failure) > 0 {
		b.schema(failure, rowsOf(bodyRows(api.Failure)))
	}
	for _, g := range groups(api) {
		item := d.Paths.put(g.path)
		*item.put(strings.ToLower(g.method)) = b.operation(g)
	}
	return d.encode()
}

// failure is the schema of what every error returns.
const failure = "Failure"

// A builder is a document under construction.
type builder struct {
	*document
	api      *contract.API
	conceals bool
}

// schema adds a schema that others may refer to, once.
func (b *builder) schema(name string, s *schema) *schema {
	if at := b.Components.Schemas.put(name); *at == nil {
		*at = s
	}
	return schemaRef(name)
}

func schemaRef(name string) *schema { return &schema{Ref: "#/components/schemas/" + name} }

// A routeGroup is the operations with one method and one path.
type routeGroup struct {
	path, method string
	ops          []*contract.Operation
	own          bool // the path is the operations' own, and no alias
	paths        map[*contract.Operation]string
}

var place = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(\w+)\}`) })

// groups puts operations together whose paths differ in nothing but the names
// of their places, which to OpenAPI are one path.
func groups(api *contract.API) []*routeGroup {
	var all []*routeGroup
	at := map[string]*routeGroup{}
	templates := map[string]string{}
	add := func(op *contract.Operation, path string, own bool) {
		form := place().ReplaceAllString(path, "{}")
		if templates[form] == "" {
			templates[form] = path
		}
		key := op.Method + " " + form
		g := at[key]
		if g == nil {
			g = &routeGroup{path: templates[form], method: op.Method, own: true, paths: map[*contract.Operation]string{}}
			at[key], all = g, append(all, g)
		}
		if g.paths[op] == "" {
			g.ops, g.paths[op], g.own = append(g.ops, op), path, g.own && own
		}
	}
	for _, op := range api.Operations {
		if op.Helper {
			continue
		}
		add(op, op.Path, true)
		for _, alias := range op.Aliases {
			add(op, alias, false)
		}
	}
	return all
}

// name is what the group's path calls a place that path calls otherwise; "":
// path has no such place.
func (g *routeGroup) name(path, row string) string {
	here, there := place().FindAllStringSubmatch(g.path, -1), place().FindAllStringSubmatch(path, -1)
	for i := range there {
		if there[i][1] == row {
			return here[i][1]
		}
	}
	return ""
}
