package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/verify"
)

// Every snippet of the page is run in order: files are written, commands run against
// a server, and curl too where it is there.
func TestVerifyPage(t *testing.T) {
	ran := runPage(t, "../../docs/verify.md", map[string]func(snippet, string){
		"yaml": func(sn snippet, _ string) {
			name, _, _ := strings.Cut(strings.TrimPrefix(sn.text, "# "), "\n")
			if err := os.WriteFile(name, []byte(sn.text), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"sh": func(sn snippet, control string) {
			runCurl(t, sn, control, "report.xml", `<testsuites name="understudy verify" tests="2" failures="0" errors="0" skipped="0">`)
		},
	})
	if ran["console"] < 4 || ran["yaml"] < 3 || ran["sh"] < 1 {
		t.Errorf("got %v", ran)
	}
}

// runCurl has a shell run a snippet that asks the control API and writes a file, which
// has to have a text.
func runCurl(t *testing.T, sn snippet, control, file, want string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("there is no curl here")
		return
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(sn.text, "http://127.0.0.1:6400", control))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("line %d: %v: %s", sn.line, err, out)
	}
	if report, err := os.ReadFile(file); err != nil || !strings.Contains(string(report), want) {
		t.Errorf("line %d: got %v, %s", sn.line, err, report)
	}
}

// The page names every key of a check, and every form of a report.
func TestVerifyPageNamesEveryKey(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, known := range [][]string{verify.CheckKeys, verify.CountKeys, verify.ItemKeys, verify.Kinds, output.CheckForms} {
		for _, key := range known {
			if !strings.Contains(string(page), key) {
				t.Errorf("%s is not on the page", key)
			}
		}
	}
}
