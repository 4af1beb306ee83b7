package openapi_test

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/openapi"
	"github.com/understudy-suite/understudy/internal/wire"
)

var about = openapi.About{Version: "1.2.3", Server: "http://127.0.0.1:6419/"}

// all are the emulators, and the toy.
func all() []*contract.API { return append([]*contract.API{toy.New()}, emulators.All...) }

const (
	official = "https://spec.openapis.org/oas/3.1/schema/2022-10-07"
	here     = "https://toy.example/openapi.json"
)

// A page is a document that was read, with a compiler of the schemas in it.
type page struct {
	t        *testing.T
	text     []byte
	root     map[string]any
	compiler *jsonschema.Compiler
}

func parse(t *testing.T, text []byte) any {
	t.Helper()
	x, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func read(t *testing.T, text []byte) *page {
	t.Helper()
	p := &page{t: t, text: text, compiler: jsonschema.NewCompiler()}
	p.root = parse(t, text).(map[string]any)
	p.compiler.DefaultDraft(jsonschema.Draft2020)
	p.compiler.AssertFormat()
	schema, err := os.ReadFile("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for url, x := range map[string]any{official: parse(t, schema), here: p.root} {
		if err := p.compiler.AddResource(url, x); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// schema compiles a schema of the document, which also holds it against the
// schema of schemas.
func (p *page) schema(pointer string) *jsonschema.Schema {
	p.t.Helper()
	s, err := p.compiler.Compile(here + "#" + pointer)
	if err != nil {
		p.t.Fatalf("%s is no schema: %v", pointer, err)
	}
	return s
}

// valid holds the document against the official schema and against what that
// cannot say.
func (p *page) valid() {
	p.t.Helper()
	s, err := p.compiler.Compile(official)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := s.Validate(p.root); err != nil {
		p.t.Errorf("the document is not valid: %v", err)
	}
	if _, err := wire.Value(p.text); err != nil { // it refuses names that stand twice
		p.t.Error(err)
	}
	ids, forms := map[any]bool{}, map[string]bool{}
	p.operations(func(path, method string, op map[string]any) {
		if id := op["operationId"]; id != nil {
			if ids[id] {
				p.t.Errorf("operationId %v stands twice", id)
			}
			ids[id] = true
		}
		p.places(path, method, op)
	})
	for path := range p.root["paths"].(map[string]any) {
		form := place.ReplaceAllString(path, "{}")
		if forms[form] {
			p.t.Errorf("the path %s stands twice, by other names", path)
		}
		forms[form] = true
	}
	p.schemas("", p.root)
}

var place = regexp.MustCompile(`\{(\w+)\}`)

// places holds the places of a path against its parameters.
func (p *page) places(path, method string, op map[string]any) {
	p.t.Helper()
	want := map[string]bool{}
	for _, m := range place.FindAllStringSubmatch(path, -1) {
		want[m[1]] = true
	}
	seen := map[string]bool{}
	for _, x := range list(op["parameters"]) {
		name, in := x["name"].(string), x["in"].(string)
		if seen[in+" "+name] {
			p.t.Errorf("%s %s: the %s parameter %s stands twice", method, path, in, name)
		}
		seen[in+" "+name] = true
		if in == "path" && (!want[name] || x["required"] != true) {
			p.t.Errorf("%s %s: the path has no place for %s, or it is not required", method, path, name)
		}
	}
	for name := range want {
		if !seen["path "+name] {
			p.t.Errorf("%s %s: no parameter stands in the place of %s", method, path, name)
		}
	}
}

// schemas compiles every schema, wherever it stands; a reference that leads
// nowhere is reported so.
func (p *page) schemas(at string, x any) {
	p.t.Helper()
	switch v := x.(type) {
	case map[string]any:
		for name, below := range v {
			pointer := at + "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
			switch {
			case name == "schema", at == "/components/schemas":
				p.schema(pointer)
			case name == "examples", name == "example":
			default:
				p.schemas(pointer, below)
			}
		}
	case []any:
		for i, below := range v {
			p.schemas(at+"/"+strconv.Itoa(i), below)
		}
	}
}

// operations walks the operations of the document.
func (p *page) operations(do func(path, method string, op map[string]any)) {
	for path, item := range p.root["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			do(path, method, op.(map[string]any))
		}
	}
}

func list(x any) []map[string]any {
	var all []map[string]any
	items, _ := x.([]any)
	for _, i := range items {
		all = append(all, i.(map[string]any))
	}
	return all
}

func TestEveryDocumentIsValid(t *testing.T) {
	for _, api := range all() {
		t.Run(api.Name, func(t *testing.T) { read(t, openapi.Document(api, about)).valid() })
	}
}

// The validator is no yes-man.
func TestAnInvalidDocumentIsFound(t *testing.T) {
	text := openapi.Document(toy.New(), about)
	for _, broken := range [][2]string{
		{`"openapi": "3.1.0"`, `"openapi": "2.0"`},
		{`"in": "path"`, `"in": "paht"`},
		{`"description": "The call ends in`, `"descripton": "The call ends in`},
		{`"/parcels": {`, `"parcels": {`},
	} {
		p := read(t, bytes.Replace(text, []byte(broken[0]), []byte(broken[1]), 1))
		s, err := p.compiler.Compile(official)
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(p.root) == nil {
			t.Errorf("%s in place of %s was taken", broken[1], broken[0])
		}
	}
}
