package gotest

import (
	"errors"
	"net/url"
	"testing"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	"github.com/understudy-suite/understudy/understudytest"
)

// newClient leads the SDK to a sandbox: by its key pair, at the address of the API.
func newClient(t *testing.T, box *understudytest.Sandbox) *common.Client {
	t.Helper()
	at, err := url.Parse(box.URL("tencentcar"))
	if err != nil {
		t.Fatal(err)
	}
	p := profile.NewClientProfile()
	p.HttpProfile.Scheme, p.HttpProfile.Endpoint = at.Scheme, at.Host
	keys := box.Credentials("tencentcar")
	return common.NewCommonClient(common.NewCredential(keys["secretId"], keys["secretKey"]), "", p)
}

func TestCreateSession(t *testing.T) {
	t.Parallel()
	box := understudytest.Start(t).Sandbox(t)
	if session, err := CreateSession(newClient(t, box), "cg_user"); err != nil || session == "" {
		t.Errorf("got %q, %v", session, err)
	}
	box.Verify(t, understudytest.Call{Operation: "CreateSession", Outcome: "success", Where: map[string]any{"UserId": "cg_user"}, Count: understudytest.Exactly(1)})
}

func TestCreateSessionAsksAgain(t *testing.T) {
	t.Parallel()
	box := understudytest.Start(t).Sandbox(t)
	box.On("tencentcar", "CreateSession").Outcome("ResourceNotFound.NoIdle").Times(2)
	if _, err := CreateSession(newClient(t, box), "cg_user"); err != nil {
		t.Error(err)
	}
	box.Verify(t, understudytest.Call{Operation: "CreateSession", Count: understudytest.Exactly(3)})
}

func TestCreateSessionGivesUp(t *testing.T) {
	t.Parallel()
	box := understudytest.Start(t).Sandbox(t)
	box.On("tencentcar", "CreateSession").Outcome("ResourceNotFound.NoIdle")
	if _, err := CreateSession(newClient(t, box), "cg_user"); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want %v", err, ErrBusy)
	}
	box.Verify(t, understudytest.Call{Operation: "CreateSession", Count: understudytest.Exactly(tries)})
}

// The SDK unchanged, as it is configured for production: https and the documented host.
func TestWithoutPorts(t *testing.T) {
	t.Parallel()
	box := understudytest.Start(t, understudytest.InMemory()).Sandbox(t)
	keys := box.Credentials("tencentcar")
	client := common.NewCommonClient(common.NewCredential(keys["secretId"], keys["secretKey"]), "", profile.NewClientProfile())
	client.WithHttpTransport(box.RoundTripper())
	if _, err := CreateSession(client, "cg_user"); err != nil {
		t.Error(err)
	}
	box.Verify(t, understudytest.Call{Operation: "CreateSession", Outcome: "success"})
}
