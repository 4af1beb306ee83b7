package youdu

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
)

func TestTokensInDocuments(t *testing.T) {
	t.Parallel()
	for _, document := range []string{`{"a":{}}`, `[null]`, `[{"token":"a","life":1}]`, `[`, `["a"]`} {
		if err := json.Unmarshal([]byte(document), &tokens{}); err == nil {
			t.Errorf("%s was taken", document)
		}
	}
	in := tokens{"b": {Token: "b", Serial: 1}, "a": {Token: "a", Serial: 2}}
	document, err := json.Marshal(in)
	if err != nil || strings.Index(string(document), `"b"`) > strings.Index(string(document), `"a"`) {
		t.Errorf("got %s, %v; the order in which they were issued was expected", document, err)
	}
	var out tokens
	if err := json.Unmarshal(document, &out); err != nil || len(out) != 2 || out["a"].Serial != 2 {
		t.Errorf("got %v, %v", out, err)
	}
}

// A document whose secrets are masked has no token anywhere, be it a key of an object.
func TestMaskedStateHasNoToken(t *testing.T) {
	t.Parallel()
	w := conformance.New(t, API, conformance.Setting{})
	issued := w.Credentials(t).Text("accessToken")
	world, _, err := w.Sandbox.World(func(_, _ string) string { return "hidden" })
	if err != nil {
		t.Fatal(err)
	}
	masked := world.State[API.Name]
	if issued == "" || strings.Contains(string(masked), issued) || !strings.Contains(string(masked), `"token":"hidden"`) {
		t.Errorf("%q stands in %s", issued, masked)
	}
}
