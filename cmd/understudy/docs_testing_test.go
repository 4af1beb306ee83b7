package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/journal"
)

const testingPage = "../../docs/testing.md"

// named finds the snippet of the page that says which file it is.
func named(t *testing.T, file string) snippet {
	t.Helper()
	all := snippets(t, testingPage)
	at := slices.IndexFunc(all, func(sn snippet) bool {
		first, _, _ := strings.Cut(sn.text, "\n")
		return strings.TrimLeft(first, "/# ") == file
	})
	if at < 0 {
		t.Fatalf("the page has no %s", file)
	}
	return all[at]
}

// runTests runs the page's tests with a program, beside the client that they are for. They
// hold; where they expect a third call they do not, and say what came closest. Neither leaves
// anything.
func runTests(t *testing.T, file, program string, args ...string) {
	t.Helper()
	at, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("there is no %s on this machine, so the page's %s was not run", program, file)
	}
	text := named(t, file).text
	for change, holds := range map[string]bool{"2": true, "3": false} {
		s := start(t)
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("testdata/testing")); err != nil {
			t.Fatal(err)
		}
		exactly := regexp.MustCompile(`(exactly"?: )2`)
		if !exactly.MatchString(text) {
			t.Fatalf("%s expects nothing exactly twice", file)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(exactly.ReplaceAllString(text, "${1}"+change)), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), at, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "UNDERSTUDY_CONTROL="+s.ControlURL, "NO_PROXY=*", "no_proxy=*")
		out, err := cmd.CombinedOutput()
		if (err == nil) != holds || !holds && !strings.Contains(string(out), "exactly 3") {
			t.Errorf("%s with %s calls expected: %v\n%s", file, change, err, out)
		}
		if boxes := s.Registry.List(); len(boxes) != 1 {
			t.Errorf("%d sandboxes are left, want default alone", len(boxes))
		}
		if entries, _ := s.Registry.Find("default").Journal.List(journal.Filter{}); len(entries) > 0 {
			t.Errorf("%d calls reached the sandbox default", len(entries))
		}
	}
}

// The page has every member of the body that makes a sandbox, and its example makes one.
func TestTestingPageMakesASandbox(t *testing.T) {
	t.Parallel()
	s := start(t)
	text, err := os.ReadFile(testingPage)
	if err != nil {
		t.Fatal(err)
	}
	all := snippets(t, testingPage)
	at := slices.IndexFunc(all, func(sn snippet) bool { return sn.kind == "json" })
	if at < 0 {
		t.Fatal("the page has no JSON")
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(all[at].text), &body); err != nil {
		t.Fatal(err)
	}
	if box := makeBox(t, s, body); box.Name != "job-17" {
		t.Errorf("got %+v", box)
	}
	c, err := client.New(s.ControlURL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	err = c.Send(t.Context(), http.MethodPost, client.Path("sandboxes"), map[string]any{"no-such-member": 1}, nil)
	if err == nil {
		t.Fatal("a member that is unknown was taken")
	}
	_, known, _ := strings.Cut(err.Error(), "known: ")
	members := strings.Split(known, ", ")
	if len(members) < 10 {
		t.Fatalf("got %v", err)
	}
	for _, member := range members {
		if row := regexp.MustCompile("(?m)^\\| .*`" + member + "`.* \\|"); !row.Match(text) {
			t.Errorf("the page has no row of %s", member)
		}
	}
}

func TestTestingPageInNode(t *testing.T) {
	t.Parallel()
	runTests(t, "session.test.mjs", "node", "--test", "session.test.mjs")
}

func TestTestingPageInPython(t *testing.T) {
	t.Parallel()
	args := []string{"without_pytest.py", "test_session"}
	if exec.CommandContext(t.Context(), "python3", "-c", "import pytest").Run() == nil {
		args = []string{"-m", "pytest", "-q", "-p", "no:cacheprovider", "test_session.py"}
	}
	runTests(t, "test_session.py", "python3", args...)
}

// What is written for JavaScript can be parsed, whichever runner it is for.
func TestTestingPageScriptsAreWellFormed(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node on this machine, so no script of the page was parsed")
	}
	parsed := 0
	for _, sn := range snippets(t, testingPage) {
		if sn.kind != "js" {
			continue
		}
		parsed++
		if out, err := exec.CommandContext(t.Context(), node, "--check", file(t, "snippet.mjs", sn.text)).CombinedOutput(); err != nil {
			t.Errorf("line %d: %v\n%s", sn.line, err, out)
		}
	}
	if parsed < 3 {
		t.Errorf("%d scripts were parsed; those of three runners were expected", parsed)
	}
}

// What is written in Go stands in the example, which is a module with tests of its own.
func TestTestingPageInGo(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../examples/gotest/sessions_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, sn := range snippets(t, testingPage) {
		if sn.kind != "go" {
			continue
		}
		found++
		if !strings.Contains(string(example), sn.text) {
			t.Errorf("line %d: the example has no such lines", sn.line)
		}
	}
	if found == 0 {
		t.Error("nothing is written in Go")
	}
}

// Each program makes a sandbox, plays a scenario that there is, verifies by names that there
// are, and drops the sandbox.
func TestTestingPageNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	scenarioName := regexp.MustCompile(`/scenarios/([\w./-]+)`)
	check := regexp.MustCompile(`"?api"?: "(\w+)", "?operation"?: "(\w+)", "?outcome"?: "([\w.]+)"`)
	for _, sn := range snippets(t, testingPage) {
		if sn.kind == "go" || sn.kind == "json" {
			continue
		}
		for _, part := range []string{"/v1/sandboxes", "/verify", "DELETE"} {
			if !strings.Contains(sn.text, part) {
				t.Errorf("line %d: there is no %s", sn.line, part)
			}
		}
		played, checked := scenarioName.FindStringSubmatch(sn.text), check.FindStringSubmatch(sn.text)
		if played == nil || checked == nil {
			t.Fatalf("line %d: no scenario is played, or nothing is verified", sn.line)
		}
		at(t, s, "scenarios", "on", played[1]).want(t, exitDone)
		api, err := findAPI(checked[1])
		if err != nil {
			t.Fatalf("line %d: %v", sn.line, err)
		}
		if op := api.Operation(checked[2]); op == nil || api.Outcome(op, checked[3]) == nil {
			t.Errorf("line %d: there is no outcome %s of %s", sn.line, checked[3], checked[2])
		}
	}
}
