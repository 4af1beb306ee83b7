package conformance

import (
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance/toy"
	"github.com/understudy-suite/understudy/internal/contract"
)

// Each fault of minted credentials is found, and the toy has none.
func TestMintFaults(t *testing.T) {
	t.Parallel()
	withState := func(change func(*contract.Seed)) func(*contract.API) {
		return func(api *contract.API) {
			state := api.State
			api.State = func(s contract.Seed) (contract.State, error) {
				change(&s)
				return state(s)
			}
		}
	}
	for name, tt := range map[string]struct {
		change func(*contract.API)
		want   string
	}{
		"none":                  {func(*contract.API) {}, ""},
		"no minted credentials": {func(api *contract.API) { api.Mint = nil }, ""},
		"the same twice": {func(api *contract.API) {
			api.Mint = func(*contract.Dice) contract.Values { return contract.Values{"token": "t"} }
		}, "for two sandboxes"},
		"of another name": {func(api *contract.API) {
			api.Mint = func(d *contract.Dice) contract.Values { return contract.Values{"key": d.ID()} }
		}, "Mint made no credential"},
		"an account that is absent": {withState(func(s *contract.Seed) { s.Credentials = s.Credentials[:min(1, len(s.Credentials))] }), "ends in unknownToken; State has to add an account"},
		"accounts that are replaced": {withState(func(s *contract.Seed) {
			s.Credentials = s.Credentials[max(0, len(s.Credentials)-1):]
		}), "not to replace them"},
		"nobody reads them": {func(api *contract.API) { api.Identifiers = nil }, "Identifiers has to read there"},
		"read otherwise than listed": {func(api *contract.API) {
			api.Identifiers = func(r *contract.Request) []string { return []string{"x" + r.Header.Get("Toy-Token")} }
		}, "did not find their sandbox"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := toy.New()
			tt.change(api)
			found := strings.Join(mintFaults(t, api, Setting{Credentials: contract.Values{"token": "documented"}}), "\n")
			if tt.want == "" && found != "" || !strings.Contains(found, tt.want) {
				t.Errorf("got %q, want %q", found, tt.want)
			}
		})
	}
}
