package tencentcar_test

import (
	"encoding/json"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/scenarios"
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
	for _, name := range shipped(t, plays) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := conformance.New(t, tencentcar.API, conformance.Setting{})
			s, err := library(t).Find("tencentcar/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if name == "slow-create-session" {
				return // that it parses is all that can be seen without waiting
			}
			w.Sandbox.Player.On(s, scenario.Narrow{})
			for i, c := range plays[name] {
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
}

// shipped lists the scenarios that ship for this API.
func shipped[V any](t *testing.T, rows map[string]V) (names []string) {
	t.Helper()
	files, err := fs.Glob(scenarios.Files, "tencentcar/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := file[len("tencentcar/") : len(file)-len(".yaml")]
		if _, known := rows[name]; !known {
			t.Errorf("%s has no row here", file)
		}
		names = append(names, name)
	}
	for name := range rows {
		if !slices.Contains(names, name) {
			t.Errorf("%s does not ship", name)
		}
	}
	return names
}

// library holds the shipped scenarios of this API alone.
func library(t *testing.T) *scenario.Library {
	t.Helper()
	files := fstest.MapFS{}
	names, _ := fs.Glob(scenarios.Files, "tencentcar/*.yaml")
	for _, name := range names {
		text, err := fs.ReadFile(scenarios.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	l := scenario.NewLibrary([]*contract.API{tencentcar.API})
	if err := l.Add(files, "shipped"); err != nil {
		t.Fatal(err)
	}
	return l
}
