package control_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

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

// The document describes every key of a check, and the report.
func TestOpenAPIDescribesVerify(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	type schema struct {
		AnyOf      []schema
		Items      *schema
		Properties map[string]schema
	}
	type content struct {
		Content map[string]struct{ Schema schema }
	}
	var document struct {
		Paths map[string]map[string]struct {
			RequestBody content
			Responses   map[string]content
		}
	}
	if err := json.Unmarshal(s.ask("GET", "/v1/openapi.json", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	route := document.Paths["/v1/sandboxes/{sandbox}/verify"]["post"]
	forms := route.RequestBody.Content["application/json"].Schema.AnyOf
	if len(forms) != 2 || forms[1].Items == nil {
		t.Fatalf("got %+v, want a check and a list of them", forms)
	}
	for _, check := range []schema{forms[0], *forms[1].Items} {
		if got := slices.Sorted(maps.Keys(check.Properties)); !slices.Equal(got, slices.Sorted(slices.Values(verify.CheckKeys))) {
			t.Errorf("got %v, want %v", got, verify.CheckKeys)
		}
		if got := slices.Sorted(maps.Keys(check.Properties["count"].Properties)); !slices.Equal(got, slices.Sorted(slices.Values(verify.CountKeys))) {
			t.Errorf("got %v, want %v", got, verify.CountKeys)
		}
	}
	report := route.Responses["2XX"].Content["application/json"].Schema.Properties
	if report["checks"].Items == nil || report["checks"].Items.Properties["nearest"].Items.Properties["differs"].Items == nil {
		t.Errorf("got %+v", report)
	}
}
