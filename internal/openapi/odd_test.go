package openapi_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/openapi"
	"github.com/understudy-suite/understudy/internal/wire"
)

// odd is an API in which much is unusual: operations that share a path, a
// place with two names, an alias that lacks it, bodies that no one can read.
func odd() *contract.API {
	row := func(name string, in contract.Place, need contract.Need) contract.Param {
		return contract.Param{Name: name, In: in, Need: need, Doc: "About " + name + "."}
	}
	ends := func(status int, returns ...contract.Param) []*contract.Outcome {
		return []*contract.Outcome{{Name: "success", Status: status, Doc: "Done.", Returns: returns}}
	}
	return &contract.API{
		Name: "odd", Title: "Odd", Port: 1,
		Failure: []contract.Param{row("error", contract.Body, contract.Required), row("X-Error", contract.Header, contract.Required)},
		Common:  []*contract.Outcome{{Name: "a-b", Fails: true, Status: 200, Doc: "Failed <&>.", Cite: "page 1"}},
		Sign: func(d contract.Draft) (*contract.Request, error) {
			switch d.Operation.Name {
			case "Unsigned":
				return nil, errors.New("no key")
			case "Secret":
				return &contract.Request{URL: &url.URL{}, Body: []byte(base64.StdEncoding.EncodeToString(wire.Encode(d.In)))}, nil
			}
			form := url.Values{}
			for name := range d.In {
				form.Set(name, d.In.Text(name))
			}
			return &contract.Request{
				URL:    &url.URL{RawQuery: "z=1&do=" + d.Operation.Name},
				Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode()),
			}, nil
		},
		Write: func(c *contract.Call, _ contract.Verdict, r contract.Reply) contract.Response {
			h := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
			switch c.Operation.Name {
			case "Secret":
				return contract.Response{Header: h, Body: wire.Encode(base64.StdEncoding.EncodeToString(r.Body))}
			case "Show":
				return contract.Response{Header: http.Header{"Content-Type": {"image/png"}}}
			case "Unsigned":
				_ = c.Caller.(string) // which a check would have set
			case "Take":
				if r.Body == nil {
					return contract.Response{}
				}
			}
			return contract.Response{Header: h, Body: fmt.Appendf(nil, `{"ok":true,"n":1,"f":1.5,"none":null,"id":%q,"data":[%s]}`, c.Dice().ID(), r.Body)}
		},
		Operations: []*contract.Operation{
			{
				Name: "Put", Doc: "Puts.", Cite: "page 2", Method: "POST", Path: "/do", Rate: 5, Outcomes: ends(200, row("put", contract.Body, contract.Required)),
				Params: []contract.Param{
					row("what", contract.Form, contract.Required), row("both", contract.Query, contract.Required), row("one", contract.Query, contract.Required),
				},
			},
			{
				Name: "Take", Doc: "Takes.", Cite: "page 3", Method: "POST", Path: "/do", Outcomes: ends(204),
				Params: []contract.Param{row("which", contract.Form, contract.Expected), row("both", contract.Query, contract.Required)},
			},
			{
				Name: "Show", Doc: "Shows.", Cite: "page 4", Method: "GET", Path: "/things/{id}", Aliases: []string{"/thing", "/things/{id}"},
				Outcomes: ends(200, contract.Param{Name: "n", Type: contract.Number, Doc: "How many.", Min: -3, Max: 3, Example: "1.5"}),
				Params:   []contract.Param{row("id", contract.Path, contract.Required)},
			},
			{
				Name: "Secret", Doc: "Whispers.", Cite: "page 5", Method: "PUT", Path: "/things/{thing}", Outcomes: ends(200, row("heard", contract.Body, contract.Optional)),
				Params: []contract.Param{row("thing", contract.Path, contract.Required), row("given", contract.Body, contract.Required)},
			},
			{
				Name: "Unsigned", Doc: "Hides.", Cite: "page 6", Method: "PATCH", Path: "/things/{thing}/{more}", Outcomes: ends(200, row("seen", contract.Body, contract.Optional)),
				Params: []contract.Param{{
					Name: "list", Type: contract.List, Of: contract.Object, Need: contract.Required, Example: `[{"at":"5s"}]`, Doc: "All.",
					Fields: []contract.Param{
						{Name: "at", Type: contract.Duration, Default: time.Minute, Doc: "When."},
						{Name: "is", Type: contract.Boolean, Default: false, Doc: "Whether."},
						{Name: "of", Type: contract.Integer, OneOf: []string{"1", "2"}, Max: 9, Doc: "Which."},
						{Name: "as", OneOf: []string{"", "x"}, Need: contract.Required, Doc: "How."},
						{Name: "any", Type: contract.Object, Example: "not JSON", Doc: "Anything."},
					},
				}},
			},
		},
	}
}

// at is what stands at a pointer of the document, as JSON whose names are
// sorted; "" where nothing does.
func (p *page) at(pointer string) string {
	var x any = p.root
	for _, step := range strings.Split(pointer, " ") {
		switch v := x.(type) {
		case map[string]any:
			x = v[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(v) {
				return ""
			}
			x = v[i]
		}
	}
	if x == nil {
		return ""
	}
	return string(wire.Encode(x))
}

func seen(name string) string { return `{"$ref":"#/components/schemas/` + name + `"}` }

func hidden(name string) string { return `{"x-understudy-holds":[` + seen(name) + `]}` }

func TestOdd(t *testing.T) {
	p := read(t, openapi.Document(odd(), openapi.About{Version: "1"}))
	p.valid()
	const enveloped = `{"properties":{"data":{"items":%s,"type":"array"},"f":{"type":"number"},"id":{"type":"string"},"n":{"type":"integer"},"none":{},"ok":{"type":"boolean"}},"required":["data"],"type":"object"}`
	tests := []struct{ name, at, want string }{
		{"no server is listed if none is open", "servers", ""},
		{"what tells operations apart", "paths /do post parameters 0", `{"description":"Which operation is meant.","in":"query","name":"do","required":true,"schema":{"enum":["Put","Take"],"type":"string"}}`},
		{"a parameter of both", "paths /do post parameters 1", `{"description":"About both.","in":"query","name":"both","required":true,"schema":{"minLength":1,"type":"string"},"x-understudy-inferred":true}`},
		{"a parameter of one", "paths /do post parameters 2", `{"description":"About one.","in":"query","name":"one","schema":{"minLength":1,"type":"string"},"x-understudy-inferred":true,"x-understudy-operations":["Put"]}`},
		{"no name of its own", "paths /do post operationId", ""},
		{"each is described", "paths /do post x-understudy-operations 0", `{"cite":"page 2","doc":"Puts.","name":"Put","outcomes":["success","a-b"],"parameters":["what","both","one"],"rate":5,"requestBody":"#/components/schemas/Put"}`},
		{"any of their bodies", "paths /do post requestBody content application/x-www-form-urlencoded schema", `{"anyOf":[{"$ref":"#/components/schemas/Put"},{"$ref":"#/components/schemas/Take"}]}`},
		{"which not each has to have", "paths /do post requestBody required", ""},
		{"expected, and not required", "components schemas Take", `{"properties":{"which":{"description":"About which.","type":"string","x-understudy-expected":true,"x-understudy-inferred":true}},"type":"object"}`},
		{"any of their answers", "paths /do post responses 200 content application/json schema", `{"anyOf":[` + fmt.Sprintf(enveloped, hidden("Put.success")) + "," + fmt.Sprintf(enveloped, hidden("Failure")) + `]}`},
		{"an outcome of one", "paths /do post responses 200 x-understudy-outcomes 0", `{"doc":"Done.","inferred":true,"name":"success","operations":["Put"]}`},
		{"an outcome of all", "paths /do post responses 200 x-understudy-outcomes 1", `{"cite":"page 1","doc":"Failed <&>.","fails":true,"name":"a-b"}`},
		{"a header that not every answer has", "paths /do post responses 200 headers X-Error", `{"description":"About X-Error.","schema":{"minLength":1,"type":"string"},"x-understudy-inferred":true}`},
		{"no body", "paths /do post responses 204", `{"description":"The call ends in success.","x-understudy-outcomes":[{"doc":"Done.","inferred":true,"name":"success","operations":["Take"]}]}`},
		{"limits", "components schemas Show.success properties n", `{"description":"How many.","examples":[1.5],"maximum":3,"minimum":-3,"type":"number","x-understudy-inferred":true}`},
		{"an alias has no name of its own", "paths /thing get operationId", ""},
		{"and tells whose it is", "paths /thing get x-understudy-operations 0 name", `"Show"`},
		{"and only places that it has", "paths /thing get parameters", ""},
		{"a path whose place has another name", "paths /things/{thing}", ""},
		{"is the first one's", "paths /things/{id} put parameters 0", `{"description":"About thing.","in":"path","name":"id","required":true,"schema":{"minLength":1,"type":"string"},"x-understudy-inferred":true,"x-understudy-name":"thing"}`},
		{"a body of which no row tells", "paths /thing get requestBody", `{"content":{"application/x-www-form-urlencoded":{}}}`},
		{"a file", "paths /thing get responses 200 content", `{"image/png":{"x-understudy-holds":[` + seen("Show.success") + `,` + seen("Failure") + `]}}`},
		{"an encrypted request", "paths /things/{id} put requestBody content", `{"application/octet-stream":{"x-understudy-holds":[{"$ref":"#/components/schemas/Secret"}]}}`},
		{"an encrypted answer", "paths /things/{id} put responses 200 content", `{"application/json":{"x-understudy-holds":[{"$ref":"#/components/schemas/Secret.success"},{"$ref":"#/components/schemas/Failure"}]}}`},
		{"a request that nobody signs", "paths /things/{thing}/{more} patch requestBody content", `{"application/json":{"x-understudy-holds":[{"$ref":"#/components/schemas/Unsigned"}]}}`},
		{"an answer that nobody can have", "paths /things/{thing}/{more} patch responses 200 content", `{"*/*":{"x-understudy-holds":[{"$ref":"#/components/schemas/Unsigned.success"},{"$ref":"#/components/schemas/Failure"}]}}`},
		{"places that no row tells", "paths /things/{thing}/{more} patch parameters 1", `{"in":"path","name":"more","required":true,"schema":{"type":"string"},"x-understudy-inferred":true}`},
		{"an example in JSON", "components schemas Unsigned properties list examples", `[[{"at":"5s"}]]`},
		{"a duration", "components schemas Unsigned properties list items properties at", `{"default":"1m0s","description":"When.","type":"string","x-understudy-inferred":true}`},
		{"a default that is false", "components schemas Unsigned properties list items properties is default", `false`},
		{"listed numbers", "components schemas Unsigned properties list items properties of", `{"description":"Which.","enum":[1,2],"format":"int64","maximum":9,"minimum":0,"type":"integer","x-understudy-inferred":true}`},
		{"required, and may be empty", "components schemas Unsigned properties list items properties as", `{"description":"How.","enum":["","x"],"type":"string","x-understudy-inferred":true}`},
		{"what is required inside", "components schemas Unsigned properties list items required", `["as"]`},
		{"an example that is no JSON", "components schemas Unsigned properties list items properties any", `{"description":"Anything.","examples":["not JSON"],"type":"object","x-understudy-inferred":true}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.at(tt.at); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	// Without the operations that conceal what they say, nothing is hidden.
	plain := odd()
	plain.Operations = plain.Operations[:3]
	p = read(t, openapi.Document(plain, openapi.About{Version: "1"}))
	p.valid()
	want := `{"anyOf":[` + fmt.Sprintf(enveloped, seen("Put.success")) + "," + fmt.Sprintf(enveloped, seen("Failure")) + `]}`
	if got := p.at("paths /do post responses 200 content application/json schema"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := len(p.find("Show")); got != 2 {
		t.Errorf("Show is described %d times, want at its path and at its alias", got)
	}
}

// Problem is a refusal, as a table of routes has it.
type Problem struct {
	Title  string `json:"title" doc:"What."`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func TestRoutes(t *testing.T) {
	p := read(t, openapi.Routes("control", about, Problem{}, []openapi.Route{
		{Method: "GET", Path: "/", Doc: "All."},
		{Method: "PUT", Path: "/boxes/{box}/things/{name...}", Doc: "Puts.", Query: []string{"only"}, Body: []string{"application/json", "application/yaml"}},
		{Method: "DELETE", Path: "/boxes/{box}/things/{name...}", Doc: "Takes."},
	}))
	p.valid()
	for at, want := range map[string]string{
		"paths / get summary": `"All."`,
		"paths /boxes/{box}/things/{name} put parameters": `[{"in":"path","name":"box","required":true,"schema":{"type":"string"}},` +
			`{"description":"The rest of the path; its slashes stay as they are.","in":"path","name":"name","required":true,"schema":{"type":"string"}},` +
			`{"in":"query","name":"only","schema":{"type":"string"}}]`,
		"paths /boxes/{box}/things/{name} put requestBody":     `{"content":{"application/json":{},"application/yaml":{}}}`,
		"paths /boxes/{box}/things/{name} delete summary":      `"Takes."`,
		"paths / get responses default content":                `{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}`,
		"components schemas Problem required":                  `["title","status"]`,
		"servers 0 url":                                        `"http://127.0.0.1:6419"`,
		"paths /boxes/{box}/things/{name} delete requestBody":  ``,
		"paths /boxes/{box}/things/{name} delete parameters 2": ``,
	} {
		if got := p.at(at); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", at, got, want)
		}
	}
}

// Of a merged path, tencentcar is the one that ships.
func TestOperationsAtOnePath(t *testing.T) {
	for _, api := range all() {
		if api.Name != "tencentcar" {
			continue
		}
		p := read(t, openapi.Document(api, about))
		var names []string
		for _, o := range list(p.find("CreateSession")[0].op["x-understudy-operations"]) {
			names = append(names, o["name"].(string))
		}
		var want []string
		for _, op := range api.Operations {
			want = append(want, op.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("got %v, want %v", names, want)
		}
		if got := p.at("paths / post parameters 0 name"); got != `"X-Tc-Action"` {
			t.Errorf("distinguished by %s", got)
		}
		if got := p.at("paths / post responses 200 content application/json schema anyOf 7 properties Response"); got != seen("StopPublishStream.success") {
			t.Errorf("the last of the answers is %s", got)
		}
		if got := p.at("components schemas Failure required"); got != `["Error","RequestId"]` {
			t.Errorf("a failure has %s", got)
		}
	}
}
