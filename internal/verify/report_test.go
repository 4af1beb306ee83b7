package verify_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/verify"
)

// odd has what every form must escape.
const odd = "a|b <c> & \"d\" # e \\ f\x1b[2J\n- g"

func report(t *testing.T) *verify.Report {
	t.Helper()
	return run(t, `[{name: `+fmt.Sprintf("%q", odd)+`, operation: Create, where: {UserId: `+fmt.Sprintf("%q", odd)+`}},
		{operation: Create}, {operation: Create, count: {exactly: 1}}, {operation: Create, count: {exactly: 3}}, {expectations: true}]`, world{entries: three()})
}

func write(t *testing.T, form string) string {
	t.Helper()
	return string(report(t).Write(form))
}

func TestText(t *testing.T) {
	t.Parallel()
	got := write(t, output.FormTable)
	for _, want := range []string{
		`fails         a|b <c> & "d" # e \ f\u001b[2J - g` + "\n", "got 0 calls, want at least 1 call\n", "nearest: box-3 toy/Create/success\n", `  UserId: got "u2", want "a|b <c>`,
		"holds         Create: at least 1 call; found 3\n", "too many: box-2 toy/Create/NotFound.NoIdle\n", "insufficient  expectations: ", "5 checks: 2 hold, 1 insufficient, 2 fail\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("an escape reaches the terminal")
	}
}

// tapLine is a test point of TAP 14: its description has # and \ escaped.
var tapLine = regexp.MustCompile(`^(not )?ok (\d+) - ((?:[^#\\]|\\[#\\])*)$`)

func TestTAP(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(write(t, output.FormTAP), "\n"), "\n")
	if lines[0] != "TAP version 14" || lines[1] != "1..5" {
		t.Fatalf("it begins with %q", lines[:2])
	}
	var points, blocks int
	for i := 2; i < len(lines); i++ {
		m := tapLine.FindStringSubmatch(lines[i])
		if points++; m == nil || m[2] != fmt.Sprint(points) {
			t.Fatalf("no test point %d: %s", points, lines[i])
		}
		if m[1] == "" {
			continue
		}
		if lines[i+1] != "  ---" {
			t.Fatalf("no YAML follows %s", lines[i])
		}
		from := i + 2
		for i = from; lines[i] != "  ..."; i++ {
			if !strings.HasPrefix(lines[i], "  ") {
				t.Fatalf("the YAML is broken at %s", lines[i])
			}
		}
		var said struct {
			Verdict, Expected string
			Found             int
			Details           []string
		}
		if err := yaml.Unmarshal([]byte(strings.Join(lines[from:i], "\n")), &said); err != nil || said.Verdict == "" || len(said.Details) == 0 {
			t.Errorf("got %v, %+v", err, said)
		}
		blocks++
	}
	if points != 5 || blocks != 3 {
		t.Errorf("got %d test points and %d blocks", points, blocks)
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Class   string `xml:"classname,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Error *struct {
				Type string `xml:"type,attr"`
			} `xml:"error"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal([]byte(write(t, output.FormJUnit)), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 5 || suites.Failures != 2 || suites.Errors != 1 || len(suites.Cases) != 5 {
		t.Errorf("got %+v", suites)
	}
	first := suites.Cases[0]
	if first.Name != strings.ReplaceAll(odd, "\x1b", "\ufffd") || first.Class != "understudy.box" || first.Failure == nil || !strings.Contains(first.Failure.Text, `UserId: got "u2"`) {
		t.Errorf("got %+v", first)
	}
	if suites.Cases[4].Error == nil || suites.Cases[4].Error.Type != "insufficient" || suites.Cases[1].Failure != nil {
		t.Errorf("got %+v", suites.Cases)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	lines := strings.Split(write(t, output.FormMarkdown), "\n")
	bars := regexp.MustCompile(`(^|[^\\])\|`)
	for _, line := range lines[:7] {
		if n := len(bars.FindAllString(line, -1)); n != 6 {
			t.Errorf("%d bars in %s", n, line)
		}
	}
	if !strings.Contains(lines[2], `| fails | a\|b &lt;c>`) || lines[8] != "5 checks: 2 hold, 1 insufficient, 2 fail" {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var r verify.Report
	if err := json.Unmarshal([]byte(write(t, output.FormJSON)), &r); err != nil {
		t.Fatal(err)
	}
	if r.Verdict != verify.Fails || r.Checks[0].Name != odd || r.Checks[0].Nearest[0].Differs[0].What != "UserId" || r.Observed.Calls != 3 {
		t.Errorf("got %+v", r)
	}
}
