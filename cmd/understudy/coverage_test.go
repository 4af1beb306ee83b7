package main

import (
	"os"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/server"
)

func TestCoverage(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "coverage").want(t, exitInsufficient, "0 of 0 documented outcomes met", "!there was no call")
	at(t, s, apply("u-1", "--outcome", "ResourceNotFound.NoIdle")...).want(t, exitDone)
	at(t, s, apply("u-1")...).want(t, exitDone)
	at(t, s, "coverage").want(t, exitDone, "in 2 calls; not called and left out of the total: adobemedia, adobepass, polyv, youdu.",
		"How calls ended:", "ResourceNotFound.NoIdle", "header 1", "again 1 (shortest ", "emulator 1", "Not met:")
	at(t, s, "coverage", "--uncalled", "-o", "markdown").want(t, exitDone, "in 2 calls.", "| youdu | GetToken | 0 |")
	at(t, s, "coverage", "-o", "html").want(t, exitDone, "<h1>Coverage</h1>")
	at(t, s, "coverage", "-o", "junit", "--fail-under", "90").want(t, exitFailed, `<testcase classname="coverage" name="at least 90 %">`, "<failure message=",
		"!met, and 90 % were asked for. Not met are:\ntencentcar/ApplyConcurrent/", "!\ntencentcar/*/InternalError")
	at(t, s, "coverage", "--fail-under", "1").want(t, exitDone)
	at(t, s, "coverage", "--fail-under", "NaN").want(t, exitUsage, "!0 to 100 percent was expected")
	at(t, s, "coverage", "--fail-under", "101").want(t, exitUsage, "!0 to 100 percent was expected")
	at(t, s, "coverage", "report.json").want(t, exitUsage, "!files are summed with --merge")
	at(t, s, "coverage", "--sandbox", "defautl").want(t, exitInsufficient, `!did you mean "default"?`)
	at(t, s, "coverage", "-o", "har").want(t, exitUsage, "!table or json or tap or junit or markdown or html was expected")
	at(t, s, "coverage", "-o", "tap", "--fail-under", "90").want(t, exitFailed, "TAP version 14\n1..", " - tencentcar/ApplyConcurrent/success\n", " - at least 90 %\n  ---\n  found: \"", "  missing: [\"tencentcar/")
	command(t, nil, "", "coverage", "--control", noServer).want(t, exitNoServer)
}

func TestCoverageOfAll(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1", "--sandbox", "ci-1")...).want(t, exitDone)
	at(t, s, apply("u-1", "--sandbox", "ci-2")...).want(t, exitDone)
	at(t, s, "reset", "--sandbox", "ci-1").want(t, exitDone)
	at(t, s, "sandbox", "drop", "ci-2").want(t, exitDone)
	at(t, s, "coverage", "--sandbox", "ci-1").want(t, exitInsufficient)
	at(t, s, "coverage", "--all").want(t, exitDone, "in 2 calls;")
}

// Two jobs, each with a server of its own, and then no server.
func TestCoverageMerge(t *testing.T) {
	t.Parallel()
	var reports []string
	for i, outcome := range []string{"ResourceNotFound.NoIdle", "InternalError"} {
		s := start(t, func(c *server.Config) { c.Only = [][]string{{"tencentcar"}, nil}[i] })
		at(t, s, apply("u-1", "--outcome", outcome)...).want(t, exitDone)
		reports = append(reports, file(t, "report.json", at(t, s, "coverage", "-o", "json").out))
	}
	noControl := []string{"UNDERSTUDY_CONTROL=" + noServer, "UNDERSTUDY_SANDBOX=ci"}
	merge := append([]string{"coverage", "--merge"}, reports...)
	command(t, noControl, "", merge...).want(t, exitDone, "in 2 calls;", "ResourceNotFound.NoIdle", "InternalError")
	command(t, noControl, "", "coverage", "--merge", strings.Join(reports, ",")).want(t, exitDone, "in 2 calls;")
	command(t, nil, "", append(merge, "--all", "--control", noServer)...).want(t, exitNoServer)
	s := start(t)
	at(t, s, apply("u-1")...).want(t, exitDone)
	at(t, s, append(merge, "--sandbox", "default")...).want(t, exitDone, "in 3 calls;")

	sum := file(t, "sum.json", command(t, noControl, "", append(merge, "-o", "json")...).out)
	command(t, noControl, "", "coverage", "--merge", sum).want(t, exitDone, "in 2 calls;")

	command(t, noControl, "", append(merge, reports[0])...).want(t, exitFailed, "!the reports 1 and 3 are of the same calls")

	whole, err := os.ReadFile(sum)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ text, want string }{
		{strings.Replace(string(whole), `"version": 1`, `"version": 2`, 1), "it is of version 2; version 1 was expected"},
		{string(whole[:len(whole)/2]), "it is no JSON report"},
		{strings.Replace(string(whole), `"calls": 2`, `"calls": 3`, 1), "it is damaged"},
		{"", "it is no JSON report"},
		{"[]", "it is no JSON report: an object was expected, an array was found; what understudy"},
	} {
		r := command(t, noControl, "", append(merge, file(t, "bad.json", row.text))...)
		r.want(t, exitFailed, "!bad.json cannot be used as a report: "+row.want)
		if r.out != "" {
			t.Errorf("got %s of reports that were refused", r.out)
		}
	}
	command(t, noControl, "", "coverage", "--merge", "/nonexistent.json").want(t, exitFailed, "!/nonexistent.json cannot be used as a report")
	command(t, noControl, "", "coverage", "--merge", "/dev/zero").want(t, exitFailed, "!no regular file")
}

func TestCoverageWaivers(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1")...).want(t, exitDone)
	for _, row := range []struct {
		text string
		code int
		want string
	}{
		{"waivers: [{api: tencentcar, outcome: InternalError, reason: never seen, until: 2999-12-31}]", exitDone, "1 waived"},
		{"waivers: [{api: tencentcar, outcome: InternalErr, reason: never seen, until: 2999-12-31}]", exitFailed, `!w.yaml:1:38: tencentcar has no outcome that is common to all operations and called "InternalErr"; did you mean "InternalError"?`},
		{"waivers: [{api: tencentcar, outcome: InternalError, reason: never seen, until: 2020-12-31}]", exitFailed, "!w.yaml:1:80: the waiver of InternalError ended with 2020-12-31"},
	} {
		at(t, s, "coverage", "--waivers", file(t, "w.yaml", row.text)).want(t, row.code, row.want)
	}
	at(t, s, "coverage", "--waivers", "/nonexistent.yaml").want(t, exitFailed, "!waivers: ")
}

// Every snippet of the page is run, in their order, against one server.
func TestCoveragePage(t *testing.T) {
	ran := runPage(t, "../../docs/coverage.md", map[string]func(snippet, string){
		"yaml": func(sn snippet, _ string) { // the next command of the page reads it
			if err := os.WriteFile("waivers.yaml", []byte(sn.text), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"sh": func(sn snippet, control string) {
			file, want := "report.tap", " - at least 1 %\n"
			if strings.Contains(sn.text, "waivers") {
				file, want = "report.xml", "waived until 2099-12-31: common to all operations"
			}
			runCurl(t, sn, control, file, want)
		},
		"text": func(sn snippet, _ string) {
			if got := logExample(t); sn.text != got {
				t.Errorf("line %d: got\n%swant\n%s", sn.line, sn.text, got)
			}
		},
	})
	if ran["console"] < 3 || ran["yaml"] != 1 || ran["sh"] != 2 || ran["text"] != 1 {
		t.Errorf("got %v", ran)
	}
}
