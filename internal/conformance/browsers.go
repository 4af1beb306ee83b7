package conformance

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

// browsers holds that the API's literal says whether pages of other origins get in: in
// place of an API that lets none in, understudy may.
func browsers(t *testing.T, api *contract.API) {
	w := New(t, api, Setting{Auth: contract.Off})
	for _, op := range api.Operations {
		if op.Helper {
			continue
		}
		r := w.Request(t, op, contract.Sample(op.Params))
		asked := httptest.NewRequest(http.MethodOptions, r.URL.String(), nil)
		asked.Host = r.Host
		asked.Header.Set("Origin", "https://app.example")
		asked.Header.Set("Access-Control-Request-Method", op.Method)
		if got := w.Send(asked).Header().Get("Access-Control-Allow-Origin"); (got != "") != api.CORS {
			t.Errorf("%s: a preflight is answered with the origin %q, and API.CORS is %v; let the literal say what the service does", op.Name, got, api.CORS)
		}
	}
}
