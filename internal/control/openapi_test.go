package control_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/verify"
)

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	s.check([]row{
		{
			method: "GET", target: "/v1/apis/toy/openapi.json", status: 200, header: [2]string{"Content-Type", "application/json"},
			want:  []string{`"openapi": "3.1.0"`, `"url": "http://localhost:6400:1/toy"`, `"version": "1.2.3"`, `"operationId": "SellHat"`, `"SoldOut.NoHat"`},
			never: []string{"ListHats"},
		},
		{method: "HEAD", target: "/v1/apis/toy/openapi.json", status: 200},
		{method: "GET", target: "/v1/apis/toi/openapi.json", status: 404, want: []string{`there is no API \"toi\"; did you mean \"toy\"?`}},
		{method: "GET", target: "/v1/openapi.json?pretty=1", status: 400, want: []string{"takes no query parameter"}},
		{
			method: "GET", target: "/v1/openapi.json", status: 200, header: [2]string{"Content-Type", "application/json"},
			want: []string{`"openapi": "3.1.0"`, `"url": "/"`, `"name": "decided_by"`},
		},
	})
}

// Every route is in the document of the control API, with what it is for.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	var index struct{ Routes []string }
	var document struct {
		Servers []struct{ URL string }
		Paths   map[string]map[string]struct{ Summary string }
	}
	for target, into := range map[string]any{"/": &index, "/v1/openapi.json": &document} {
		if err := json.Unmarshal(s.ask("GET", target, "").Body.Bytes(), into); err != nil {
			t.Fatal(target, err)
		}
	}
	described := 0
	for _, item := range document.Paths {
		described += len(item)
	}
	if described != len(index.Routes) || described == 0 {
		t.Errorf("%d routes are described, there are %d", described, len(index.Routes))
	}
	for _, route := range index.Routes {
		method, path, _ := strings.Cut(route, " ")
		if document.Paths[strings.ReplaceAll(path, "...}", "}")][strings.ToLower(method)].Summary == "" {
			t.Errorf("%s is lost, or has no doc", route)
		}
	}
}

// Bodies that something else reads than what describes them have the keys that it reads.
func TestOpenAPIDescribesBodies(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Properties map[string]any }
			}
		}
	}
	if err := json.Unmarshal(s.ask("GET", "/v1/openapi.json", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	schemas := document.Components.Schemas
	for _, tt := range []struct{ got, want []string }{
		{slices.Collect(maps.Keys(schemas["CheckBody"].Properties)), verify.CheckKeys},
		{slices.Collect(maps.Keys(schemas["CheckBody"].Properties["count"].Properties)), verify.CountKeys},
		{slices.Collect(maps.Keys(schemas["OptionsBody"].Properties)), scenario.OptionKeys},
	} {
		if got, want := slices.Sorted(slices.Values(tt.got)), slices.Sorted(slices.Values(tt.want)); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	members := strings.Join(slices.Sorted(maps.Keys(schemas["ClockBody"].Properties)), ", ")
	s.check([]row{{method: "PUT", target: "/v1/sandboxes/default/clock", body: `{}`, status: 400, want: []string{"none of the members " + members + ";"}}})
	takes := map[string]*jsonschema.Schema{}
	for _, r := range describe(t).routes {
		takes[r.method+" "+r.path] = r.takes
	}
	for _, tt := range []struct {
		route, body string
		fits        bool
	}{
		{"POST /v1/sandboxes", `{"auth":"off","given":{},"ttl":"5s"}`, true},
		{"POST /v1/sandboxes", `{"auth":{"toy":"off"}}`, true},
		{"POST /v1/sandboxes", `{"auth":1}`, false},
		{"POST /v1/sandboxes", `{"claims":{"addresses":[1]}}`, false},
		{"PUT /v1/sandboxes/{sandbox}/clock", `{"freeze":"noon"}`, false},
		{"PUT /v1/sandboxes/{sandbox}/state", `{"version":2}`, false},
		{"POST /v1/sandboxes/{sandbox}/triggers/{api}/{name}", `{"a":[1]}`, true},
		{"POST /v1/sandboxes/{sandbox}/triggers/{api}/{name}", `[]`, false},
		{"PUT /v1/sandboxes/{sandbox}/fixtures/{api}", `{"set":[]}`, false},
	} {
		x, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := takes[tt.route].Validate(x); (err == nil) != tt.fits {
			t.Errorf("%s %s: %v, want that it fits: %v", tt.route, tt.body, err, tt.fits)
		}
	}
}
