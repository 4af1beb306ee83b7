package sdk_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// binary is understudy, built for these tests.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv(asClient) != "" {
		os.Exit(beClient())
	}
	dir, err := os.MkdirTemp("", "understudy-sdk")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "understudy")
	build := exec.Command("go", append(append([]string{"build"}, buildFlags...), "-o", binary, "./cmd/understudy")...)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// server is a started understudy.
type server struct {
	t       *testing.T
	control string // http://127.0.0.1:…
	door    string // 127.0.0.1:…, as client libraries want it
	tls     string // the door over TLS, 127.0.0.1:…; "": it is not open
	dir     string // where the CA is kept
}

var readyLine = regexp.MustCompile(`^ready control=(http://\S+) door=http://(\S+?)(?: tls=https://(\S+))? in \d+ms$`)

// startTLS is start with the TLS door open and a CA of its own.
func startTLS(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	s := start(t, "--tls", "--tls-port", "0", "--tls-dir", dir)
	s.dir = dir
	return s
}

// ca is the file of the CA's certificate.
func (s *server) ca() string { return filepath.Join(s.dir, "ca.pem") }

// proxy is the door's address as a proxy's, whose user is a sandbox's name.
func (s *server) proxy(sandbox string) string { return "http://" + sandbox + ":x@" + s.door }

// start serves on free ports until the test ends, and then expects a clean end.
func start(t *testing.T, flags ...string) *server {
	t.Helper()
	args := append([]string{"serve", "--quiet", "--strict", "--control-port", "0", "--door-port", "0", "--api-ports", "0"}, flags...)
	cmd := exec.Command(binary, args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("understudy ended with %v\n%s", err, &log)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	m := readyLine.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		t.Fatalf("no ready line: %q, %v\n%s", line, err, &log)
	}
	return &server{t: t, control: m[1], door: m[2], tls: m[3]}
}

// ask asks the control API.
func (s *server) ask(method, path string) map[string]any {
	s.t.Helper()
	r, err := http.NewRequest(method, s.control+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, body, err)
	}
	var reply map[string]any
	_ = json.Unmarshal(body, &reply)
	return reply
}

// latest is the newest entry of the journal, whole.
func (s *server) latest() map[string]any {
	s.t.Helper()
	items, _ := s.ask("GET", "/v1/sandboxes/default/journal?limit=1")["items"].([]any)
	if len(items) == 0 {
		s.t.Fatal("the journal is empty")
	}
	return s.ask("GET", "/v1/sandboxes/default/journal/"+items[0].(map[string]any)["id"].(string))
}
