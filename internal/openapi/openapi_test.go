package openapi_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/openapi"
	"github.com/understudy-suite/understudy/internal/wire"
)

func TestToy(t *testing.T) {
	const golden = "testdata/toy.golden.json"
	got := openapi.Document(toy.New(), about)
	if flag.Lookup("update").Value.String() == "true" { // conformance has the flag
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the document differs from %s; with -update the golden one is rewritten:\n%s", golden, got)
	}
}

func TestTheSameTablesGiveTheSameBytes(t *testing.T) {
	for _, api := range all() {
		first := openapi.Document(api, about)
		for range 5 {
			if !bytes.Equal(openapi.Document(api, about), first) {
				t.Fatalf("two documents of %s differ", api.Name)
			}
		}
	}
}

// found are the places of a document at which an operation is reported.
type found struct {
	path, method string
	op           map[string]any
}

func (p *page) find(name string) []found {
	var all []found
	p.operations(func(path, method string, op map[string]any) {
		described := op["operationId"] == name
		for _, o := range list(op["x-understudy-operations"]) {
			described = described || o["name"] == name
		}
		if described {
			all = append(all, found{path, method, op})
		}
	})
	return all
}

func TestNothingOfATableIsLost(t *testing.T) {
	for _, api := range all() {
		p := read(t, openapi.Document(api, about))
		for _, op := range api.Operations {
			at := p.find(op.Name)
			if op.Helper {
				if len(at) > 0 {
					t.Errorf("%s: an operation of ours is described", op.Name)
				}
				continue
			}
			if len(at) == 0 || len(at) > 1+len(op.Aliases) {
				t.Errorf("%s/%s is described %d times, has %d aliases", api.Name, op.Name, len(at), len(op.Aliases))
			}
			for _, f := range at {
				if f.method != strings.ToLower(op.Method) {
					t.Errorf("%s: method %s", op.Name, f.method)
				}
				for i := range op.Params {
					p.has(f, op, &op.Params[i])
				}
				for _, o := range api.Ends(op) {
					p.ends(f, op, o)
				}
			}
		}
	}
}

// has looks for a row where it belongs.
func (p *page) has(f found, op *contract.Operation, row *contract.Param) {
	p.t.Helper()
	if row.In == contract.Body || row.In == contract.Form {
		p.hasRow(op.Name, p.root["components"].(map[string]any)["schemas"].(map[string]any)[op.Name], row)
		return
	}
	if row.In == contract.Path && !strings.Contains(op.Path, "{"+row.Name+"}") || place.ReplaceAllString(f.path, "{}") != place.ReplaceAllString(op.Path, "{}") {
		return // an alias may have no place for it
	}
	for _, x := range list(f.op["parameters"]) {
		if (x["name"] == row.Name || x["x-understudy-name"] == row.Name) && x["in"] == [...]string{"", "", "query", "path", "header"}[row.In] {
			return
		}
	}
	p.t.Errorf("%s: the parameter %s is lost at %s", op.Name, row.Name, f.path)
}

func (p *page) hasRow(where string, x any, row *contract.Param) {
	p.t.Helper()
	s, _ := x.(map[string]any)
	if s["title"] == row.Name && s["description"] == row.Doc {
		return // it is the whole body
	}
	properties, _ := s["properties"].(map[string]any)
	described, _ := properties[row.Name].(map[string]any)
	if described == nil || described["description"] != row.Doc {
		p.t.Errorf("%s: the row %s is lost", where, row.Name)
		return
	}
	required, _ := s["required"].([]any)
	if slices.Contains(required, any(row.Name)) != (row.Need == contract.Required) {
		p.t.Errorf("%s: %s is required or not otherwise than its row says", where, row.Name)
	}
	if (described["x-understudy-expected"] == true) != (row.Need == contract.Expected) || (described["x-understudy-inferred"] == true) != (row.Cite == "") {
		p.t.Errorf("%s: %s lacks a mark, or has one too many: %v", where, row.Name, described)
	}
	if items, ok := described["items"].(map[string]any); ok {
		described = items
	}
	for i := range row.Fields {
		p.hasRow(where+"."+row.Name, described, &row.Fields[i])
	}
}

// ends looks for an outcome at its status.
func (p *page) ends(f found, op *contract.Operation, o *contract.Outcome) {
	p.t.Helper()
	r, _ := f.op["responses"].(map[string]any)[strconv.Itoa(op.Status(o))].(map[string]any)
	for _, x := range list(r["x-understudy-outcomes"]) {
		of, several := x["operations"].([]any)
		if x["name"] != o.Name || several && !slices.Contains(of, any(op.Name)) {
			continue
		}
		cite, _ := x["cite"].(string)
		if x["doc"] != o.Doc || cite != o.Cite || (x["inferred"] == true) != (o.Cite == "") || !strings.Contains(r["description"].(string), o.Name) {
			p.t.Errorf("%s/%s is described as %v", op.Name, o.Name, x)
		}
		return
	}
	p.t.Errorf("%s: the outcome %s is lost", op.Name, o.Name)
}

// A document is true when what really goes over the wire fits it.
func TestTheWireFitsTheDocument(t *testing.T) {
	for _, api := range all() {
		t.Run(api.Name, func(t *testing.T) {
			p := read(t, openapi.Document(api, about))
			for _, op := range api.Operations {
				if op.Helper {
					continue
				}
				f := p.find(op.Name)[0]
				at := "/paths/" + strings.NewReplacer("/", "~1", "{", "%7B", "}", "%7D").Replace(f.path) + "/" + f.method
				for _, o := range api.Ends(op) {
					w := conformance.New(t, api, conformance.Setting{Auth: contract.Off})
					w.Play(t, op, o)
					r := w.Request(t, op, contract.Sample(op.Params))
					p.fits(op.Name+" asks", at+"/requestBody", f.op["requestBody"], r.Header, body(t, r), op.Params)
					got := w.Send(r)
					status := strconv.Itoa(got.Code)
					p.returns(w.Last(t), op, o)
					p.fits(op.Name+"/"+o.Name, at+"/responses/"+status, f.op["responses"].(map[string]any)[status], got.Header(), got.Body.Bytes(), nil)
				}
			}
		})
	}
}

// body reads a request's body, and leaves it there to be read again.
func body(t *testing.T, r *http.Request) []byte {
	t.Helper()
	if r.Body == nil {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return b
}

// returns holds what an outcome returned against its schema, before Write put
// anything around it.
func (p *page) returns(e journal.Entry, op *contract.Operation, o *contract.Outcome) {
	p.t.Helper()
	name := "Failure"
	if !o.Fails {
		name = op.Name + "." + o.Name
	}
	if e.Response.Decoded == nil || p.root["components"].(map[string]any)["schemas"].(map[string]any)[name] == nil {
		return
	}
	if err := p.schema("/components/schemas/" + name).Validate(parse(p.t, fmt.Appendf(nil, "%s", e.Response.Decoded))); err != nil {
		p.t.Errorf("%s returned %s, which does not fit: %v", name, e.Response.Decoded, err)
	}
}

// fits holds a body against the schema of its media type. rows say how the
// values of a form are meant.
func (p *page) fits(what, pointer string, of any, h http.Header, body []byte, rows []contract.Param) {
	p.t.Helper()
	if len(body) == 0 {
		return
	}
	described, _ := of.(map[string]any)
	content, _ := described["content"].(map[string]any)
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "application/json"
	}
	m, ok := content[kind].(map[string]any)
	if !ok && content["*/*"] != nil { // Write does not say without a caller
		return
	}
	if !ok {
		p.t.Errorf("%s: no media type %s is described at %s", what, kind, pointer)
		return
	}
	if m["schema"] == nil { // no one can see into it, or no row has it
		return
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		given, err := url.ParseQuery(string(body))
		if err != nil {
			p.t.Fatal(err)
		}
		in := contract.Values{}
		for name := range given {
			in[name] = contract.Raw(given.Get(name))
		}
		contract.Validate(rows, in)
		body = wire.Encode(in)
	case "application/json":
	default:
		return // an upload
	}
	s := p.schema(pointer + "/content/" + strings.ReplaceAll(kind, "/", "~1") + "/schema")
	if err := s.Validate(parse(p.t, body)); err != nil {
		p.t.Errorf("%s: %s does not fit: %v", what, body, err)
	}
}
