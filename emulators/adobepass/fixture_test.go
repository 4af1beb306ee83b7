package adobepass_test

import (
	"testing"

	"github.com/understudy-suite/understudy/emulators/adobepass"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// The operator's credentials are valid beside those of the fixture.
func TestOperatorCredentials(t *testing.T) {
	t.Parallel()
	state, err := adobepass.API.State(contract.Seed{
		Now: conformance.Noon, Credentials: []contract.Values{{"softwareStatement": "mine", "accessToken": "token"}},
		Decode: func(any) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := state.Credentials().Text("softwareStatement"); got != "mine" {
		t.Errorf("got %q", got)
	}
}
