package sdk_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// asClient is the variable that has this test's program be a client of the SDK instead.
const asClient = "UNDERSTUDY_TEST_AS_CLIENT"

// beClient is a program that knows nothing of understudy: the SDK as its README sets it
// up, whose host is https://car.tencentcloudapi.com.
func beClient() int {
	c := common.NewCommonClient(common.NewCredential(secretID, secretKey), "", profile.NewClientProfile())
	got, err := call(c, "CreateSession", session)
	if err != nil {
		fmt.Println(code(err))
		return 1
	}
	fmt.Println(got["ServerSession"])
	return 0
}

// TestAnUnchangedProgram: two variables of the environment lead a program with the host
// built in to understudy, over TLS that it verifies, and into a sandbox.
func TestAnUnchangedProgram(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		t.Skip("Go takes the CAs of this system, whatever SSL_CERT_FILE says")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := startTLS(t)
	client := func(sandbox string) (string, error) {
		return run(t, []string{asClient + "=1", "HTTPS_PROXY=" + s.proxy(sandbox), "SSL_CERT_FILE=" + s.ca()}, program)
	}
	if got, err := client("job-7"); err != nil || len(got) < 20 {
		t.Errorf("got %q, %v", got, err)
	}
	s.ask("PUT", "/v1/sandboxes/job-7/scenarios/tencentcar/CreateSession/ResourceNotFound.NoIdle")
	if got, _ := client("job-7"); strings.TrimSpace(got) != "ResourceNotFound.NoIdle" {
		t.Errorf("with a scenario: got %q", got)
	}
	if got, err := client("job-8"); err != nil {
		t.Errorf("in another sandbox: got %q, %v", got, err)
	}
	s.led("job-7", "proxy", "ResourceNotFound.NoIdle", "success")
	s.led("job-8", "proxy", "success")
	s.led("default", "proxy")
}

// led checks the calls of a sandbox, the latest first: the outcomes, and by what each
// found it.
func (s *server) led(sandbox, foundBy string, outcomes ...string) {
	s.t.Helper()
	var got []string
	for _, e := range s.journal(sandbox) {
		got = append(got, fmt.Sprint(e["outcome"]))
		if e["found_by"] != foundBy {
			s.t.Errorf("%v of %s found it by %v, want %s", e["id"], sandbox, e["found_by"], foundBy)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(outcomes) {
		s.t.Errorf("%s has %q, want %q", sandbox, got, outcomes)
	}
}

// TestTheProxyOfAProfile: the same by the SDK's own setting, and by a transport that
// trusts the CA.
func TestTheProxyOfAProfile(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	client := func(roots *x509.CertPool) *common.Client {
		p := profile.NewClientProfile()
		p.HttpProfile.Proxy = s.proxy("job-7")
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
		t.Cleanup(transport.CloseIdleConnections)
		// The profile has to come last: it sets the proxy in the transport that there is.
		return new(common.Client).Init("").WithSecretId(secretID, secretKey).WithHttpTransport(transport).WithProfile(p)
	}
	if got, err := call(client(pool(t, s.ca())), "CreateSession", session); err != nil || got["ServerSession"] == "" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := call(client(x509.NewCertPool()), "CreateSession", session); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("without the CA: got %v", err)
	}
	s.led("job-7", "proxy", "success")
}

// pool is a pool of the CA in a file.
func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots
}
