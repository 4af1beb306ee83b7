package tencentcar_test

import (
	"encoding/json"
	"path"
	"testing"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// Each shipped scenario plays what its description says; a file without a row
// here is told.
func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	const create, apply = "CreateSession", "ApplyConcurrent"
	const noIdle, limit, soon = "ResourceNotFound.NoIdle", "RequestLimitExceeded", "ResourceUnavailable.Initialization"
	type call struct{ operation, role, want string }
	plays := map[string][]call{
		"no-idle":             {{create, "", noIdle}, {apply, "", noIdle}, {create, "", noIdle}},
		"no-idle-then-free":   {{apply, "", noIdle}, {apply, "", noIdle}, {apply, "", ""}, {create, "", noIdle}, {create, "", ""}},
		"lock-timeout":        {{create, "", "FailedOperation.LockTimeout"}, {create, "", ""}},
		"slow-down":           {{create, "", "FailedOperation.SlowDown"}, {create, "", "FailedOperation.SlowDown"}, {create, "", "FailedOperation.SlowDown"}, {create, "", ""}},
		"initialization":      {{apply, "", soon}, {apply, "", soon}, {apply, "", ""}, {create, "", soon}, {create, "", soon}, {create, "", ""}},
		"role-limit":          {{create, "Player", "LimitExceeded.Role"}, {create, "Viewer", ""}, {create, "", ""}},
		"signature-expired":   {{create, "", "AuthFailure.SignatureExpire"}, {"DestroySession", "", "AuthFailure.SignatureExpire"}},
		"rate-limited":        {{create, "", limit}, {create, "", limit}, {apply, "", limit}, {apply, "", limit}, {apply, "", limit}, {create, "", ""}},
		"slow-create-session": {{create, "", ""}},
	}
	conformance.Shipped(t, tencentcar.API, plays, func(t *testing.T, w *conformance.World, calls []call) {
		w.Activate(t, path.Base(t.Name()))
		if path.Base(t.Name()) == "slow-create-session" {
			return // that it parses is all that can be seen without waiting
		}
		for i, c := range calls {
			op := tencentcar.API.Operation(c.operation)
			in := contract.Sample(op.Params)
			if c.role != "" {
				in["Role"], in["HostUserId"] = c.role, "cg_user"
			}
			got := w.Send(w.Request(t, op, in))
			var body struct {
				Response struct{ Error struct{ Code string } }
			}
			if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if code := body.Response.Error.Code; code != c.want {
				t.Errorf("call %d, %s: got %q, want %q", i+1, c.operation, code, c.want)
			}
		}
	})
}
