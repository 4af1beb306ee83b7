package tencentcar

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A ClientSession without padding is taken at any length: one of 1,370 characters did not
// fit what was made for its bytes.
func TestClientSessionWithoutPadding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, conformance.Setting{Set: map[string]string{"rate_limits": "off"}})
	for n := range 100 {
		blob := base64.RawStdEncoding.EncodeToString([]byte(`{"a":"` + strings.Repeat("x", 980+n) + `"}`))
		if e := w.call("CreateSession", contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": blob}); e.Outcome != success {
			t.Fatalf("%d characters: got %s, %+v", len(blob), e.Outcome, e.Explanation)
		}
	}
}
