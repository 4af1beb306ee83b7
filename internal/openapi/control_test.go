package openapi_test

import (
	"net/http/httptest"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// What the control API serves is as valid as what the command line writes.
func TestServedDocumentsAreValid(t *testing.T) {
	api := toy.New()
	w := conformance.New(t, api, conformance.Setting{Fixture: "empty"})
	apis := []*contract.API{api}
	server := control.New(control.Config{APIs: apis, Registry: w.Registry, Library: library.New(apis)})
	for _, target := range []string{"/v1/openapi.json", "/v1/apis/toy/openapi.json"} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest("GET", target, nil)
		r.Host = "localhost"
		server.Handler().ServeHTTP(rec, r)
		if rec.Code != 200 {
			t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
		}
		read(t, rec.Body.Bytes()).valid()
	}
}
