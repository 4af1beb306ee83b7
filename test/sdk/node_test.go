package sdk_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// installed installs what the lock file names, once for all tests and for later runs.
var installed = sync.OnceValues(func() (string, error) {
	lock, err := os.Stat(filepath.Join("node", "package-lock.json"))
	if err != nil {
		return "", err
	}
	done, err := os.Stat(filepath.Join("node", "node_modules", ".package-lock.json"))
	if err == nil && done.ModTime().After(lock.ModTime()) {
		return "", nil
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = "node"
	out, err := cmd.CombinedOutput()
	return string(out), err
})

// node makes one call by the SDK for Node.js, and returns how it ended.
func node(t *testing.T, variables []string, httpProfile map[string]any) string {
	t.Helper()
	options, err := json.Marshal(httpProfile)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := run(t, append(variables, "NODE_OPTIONS=--dns-result-order=ipv4first"), "node", filepath.Join("node", "client.js"), secretID, secretKey, string(options))
	return strings.TrimSpace(got)
}

// TestNode: the SDK for Node.js reaches understudy over TLS by an endpoint, and by a proxy
// with its host as it is.
func TestNode(t *testing.T) {
	t.Parallel()
	need(t, "node", "npm")
	if out, err := installed(); err != nil {
		missing(t, "npm could not install the SDK for Node.js: "+out)
	}
	s := startTLS(t)
	port := s.tls[strings.LastIndexByte(s.tls, ':')+1:]
	s.ask("PUT", "/v1/sandboxes/job-7")
	s.ask("PUT", "/v1/sandboxes/job-7/scenarios/tencentcar/CreateSession/ResourceNotFound.NoIdle")
	trusting := "NODE_EXTRA_CA_CERTS=" + s.ca()
	for name, c := range map[string]struct {
		variables   []string
		httpProfile map[string]any
		want        string
	}{
		"at the TLS door":          {[]string{trusting}, map[string]any{"endpoint": "localhost:" + port}, "success"},
		"by a variable":            {[]string{trusting, "http_proxy=" + s.proxy("job-6")}, map[string]any{}, "success"},
		"by its profile":           {[]string{trusting}, map[string]any{"proxy": s.proxy("job-6")}, "success"},
		"with a scenario":          {[]string{trusting}, map[string]any{"proxy": s.proxy("job-7")}, "ResourceNotFound.NoIdle"},
		"without the CA, directly": {nil, map[string]any{"endpoint": "localhost:" + port}, "unable to verify the first certificate"},
		"without the CA, by proxy": {nil, map[string]any{"proxy": s.proxy("job-7")}, "unable to verify the first certificate"},
	} {
		if got := node(t, c.variables, c.httpProfile); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	s.led("default", "default", "success")
	s.led("job-6", "proxy", "success", "success")
	s.led("job-7", "proxy", "ResourceNotFound.NoIdle")
}
