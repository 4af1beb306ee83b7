package control_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/understudy-suite/understudy/internal/control"
)

// describedRoute is a route as the OpenAPI document describes it.
type describedRoute struct {
	method, path string
	fits         *regexp.Regexp
	takes        *jsonschema.Schema            // of a JSON body; nil: none is described
	gives        map[string]*jsonschema.Schema // by media type; nil: its text is described elsewhere
}

// description is what the OpenAPI document says of all routes.
type description struct {
	routes  []describedRoute
	problem *jsonschema.Schema
}

var (
	describing sync.Once
	described  description
)

// describe reads the document once, since every API of the tests is the same.
func describe(t *testing.T) *description {
	t.Helper()
	describing.Do(func() {
		s := newTestServer(t, nil)
		var index struct{ Routes []string }
		text := record(s.server.Handler(), "GET", "/v1/openapi.json", "").Body.Bytes()
		if err := json.Unmarshal(record(s.server.Handler(), "GET", "/", "").Body.Bytes(), &index); err != nil {
			t.Fatal(err)
		}
		var document struct {
			Paths map[string]map[string]struct {
				RequestBody struct{ Content map[string]map[string]any }
				Responses   map[string]struct{ Content map[string]map[string]any }
			}
		}
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		compile := compiler(t, text)
		for _, line := range index.Routes {
			method, path, _ := strings.Cut(line, " ")
			r := describedRoute{method: method, path: path, fits: patternOf(path), gives: map[string]*jsonschema.Schema{}}
			plain := strings.ReplaceAll(path, "...}", "}")
			at := []string{"paths", plain, strings.ToLower(method)}
			is := document.Paths[plain][strings.ToLower(method)]
			if is.RequestBody.Content["application/json"]["schema"] != nil {
				r.takes = compile(append(at, "requestBody", "content", "application/json", "schema")...)
			}
			for kind, content := range is.Responses["2XX"].Content {
				r.gives[kind] = nil
				if content["schema"] != nil {
					r.gives[kind] = compile(append(at, "responses", "2XX", "content", kind, "schema")...)
				}
			}
			described.routes = append(described.routes, r)
		}
		described.problem = compile("components", "schemas", "Problem")
	})
	if described.problem == nil {
		t.Fatal("the OpenAPI document could not be read")
	}
	return &described
}

// compiler returns what compiles the schema at a place of a document.
func compiler(t *testing.T, text []byte) func(at ...string) *jsonschema.Schema {
	t.Helper()
	const here = "https://control.example/openapi.json"
	x, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(here, x); err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	return func(at ...string) *jsonschema.Schema {
		pointer := here + "#"
		for _, name := range at {
			pointer += "/" + escape.Replace(name)
		}
		schema, err := c.Compile(pointer)
		if err != nil {
			t.Fatal(err)
		}
		return schema
	}
}

var placeOfPath = regexp.MustCompile(`\\\{\w+(\\\.\\\.\\\.)?\\\}`)

// patternOf fits the paths that a path of the table stands for.
func patternOf(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + placeOfPath.ReplaceAllStringFunc(regexp.QuoteMeta(path), func(p string) string {
		if strings.Contains(p, `\.`) {
			return ".*"
		}
		return "[^/]*"
	}) + "$")
}

// find finds the route of a request, which has the method HEAD where it asks as GET does.
func (d *description) find(method, path string) *describedRoute {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range d.routes {
		if r := &d.routes[i]; r.method == method && r.fits.MatchString(path) {
			return r
		}
	}
	return nil
}

// holdToDescription reports where an answer, or a body that was taken, is not as the
// document says.
func holdToDescription(t *testing.T, r *http.Request, sent string, w *httptest.ResponseRecorder) {
	t.Helper()
	d := describe(t)
	route := d.find(r.Method, r.URL.EscapedPath())
	kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	fit := func(schema *jsonschema.Schema, text []byte, what string) {
		t.Helper()
		x, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = schema.Validate(x)
		}
		if err != nil {
			t.Errorf("%s %s: %s is not as the OpenAPI document says: %v\n%s", r.Method, r.URL, what, err, text)
		}
	}
	switch {
	case w.Code >= 400 && (kind == "application/problem+json" || w.Header().Get(control.VerdictHeader) == ""):
		fit(d.problem, w.Body.Bytes(), "the problem")
		return
	case r.Method == http.MethodOptions:
		return // a browser's question, which has no body
	case route == nil:
		t.Errorf("%s %s: %d of a route that the OpenAPI document lacks", r.Method, r.URL, w.Code)
		return
	case w.Code == http.StatusNoContent:
		if len(route.gives) > 0 {
			t.Errorf("%s %s: no body, and %v are described", r.Method, r.URL, slices.Sorted(maps.Keys(route.gives)))
		}
		return
	}
	schema, known := route.gives[kind]
	if !known {
		t.Errorf("%s %s: the answer is %s; described are %v", r.Method, r.URL, kind, slices.Sorted(maps.Keys(route.gives)))
	}
	if schema != nil {
		fit(schema, w.Body.Bytes(), "the answer")
	}
	if route.takes != nil && sent != "" && !strings.Contains(r.Header.Get("Content-Type"), "yaml") && json.Valid([]byte(sent)) {
		fit(route.takes, []byte(sent), "the body that was taken")
	}
}

// What every route takes and answers is described: the exceptions are named here.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	emptyAnswer := []string{
		"DELETE /v1/scenarios/{name...}", "DELETE /v1/sandboxes/{sandbox}/scenarios",
		"DELETE /v1/sandboxes/{sandbox}/scenarios/{name...}", "DELETE /v1/sandboxes/{sandbox}/journal", "DELETE /v1/tls-faults/{host}",
	}
	standards := []string{"GET /v1/openapi.json", "GET /v1/apis/{api}/openapi.json"}
	for _, r := range describe(t).routes {
		name := r.method + " " + r.path
		if len(r.gives) == 0 != slices.Contains(emptyAnswer, name) {
			t.Errorf("%s: %d answers are described; a route that answers nothing is named in this test", name, len(r.gives))
		}
		if schema, is := r.gives["application/json"]; is && schema == nil != slices.Contains(standards, name) {
			t.Errorf("%s answers JSON and has no schema, or is an exception and has one", name)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		if describe(t).find(method, "/v1/nothing") != nil {
			t.Error("a route was found that is none")
		}
	}
}
