package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/verify"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	s := start(t)
	checks := file(t, "checks.yaml", "- operation: ApplyConcurrent\n  where: {UserId: u-1}\n  count: {exactly: 1}\n")
	fails := file(t, "fails.json", "[{\"operation\": \"ApplyConcurrent\",\n\t\"where\": {\"UserId\": \"u-2\"}}]")
	at(t, s, "verify", checks).want(t, exitInsufficient, "insufficient  ApplyConcurrent where UserId is", "nothing was observed", "!does not suffice")
	at(t, s, "sandbox", "new", "astray").want(t, exitDone)
	at(t, s, "verify", checks, "--sandbox", "astray").want(t, exitInsufficient, "the journal of the sandbox is empty\n1 check")
	at(t, s, apply("u-1")...).want(t, exitDone)
	at(t, s, "verify", checks, "--sandbox", "astray").want(t, exitInsufficient, "is empty; the sandbox default has 1 call, where calls arrive that name no sandbox")
	at(t, s, "verify", checks).want(t, exitDone, "holds         ApplyConcurrent where UserId is \"u-1\": exactly 1 call; found 1\n1 check: 1 holds\n")
	at(t, s, "verify", fails).want(t, exitFailed, "nearest: default-1 tencentcar/ApplyConcurrent/success\n", `UserId: got "u-1", want "u-2"`, "!not all checks hold in default")
	command(t, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}, "{operation: ApplyConcurrent}", "verify", "-", "-o", "tap").want(t, exitDone, "TAP version 14\n1..1\nok 1 - ApplyConcurrent")
	at(t, s, "verify", fails, "-o", "junit").want(t, exitFailed, "<?xml", `failures="1"`)
	at(t, s, "verify", fails, "-o", "markdown").want(t, exitFailed, "| fails | ")
	at(t, s, "verify", checks, "-o", "table").want(t, exitDone, "holds         Apply")
	got := at(t, s, "verify", fails, "-o", "json")
	var report verify.Report
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || got.code != exitFailed || report.Checks[0].Nearest[0].Call != "default-1" {
		t.Errorf("got %d %v %s", got.code, err, got.out)
	}

	bad := file(t, "bad.yaml", "- operation: ApplyConcurent\n- operation: CreateSession\n  where: {UserID: u}\n")
	at(t, s, "verify", bad).want(t, exitInsufficient, "!the checks have 2 faults", "!"+bad+":1:14: ", `!did you mean "ApplyConcurrent"?`, "!"+bad+":3:11: ", `!did you mean "UserId"?`)
	at(t, s, "verify", file(t, "broken.yaml", "a: [")).want(t, exitUsage, "!the checks cannot be read", "!broken.yaml:2:1: ")
	at(t, s, "verify", "/nonexistent.yaml").want(t, exitUsage, "!no such file")
	at(t, s, "verify", t.TempDir()).want(t, exitUsage, "!no regular file")
	at(t, s, "verify", file(t, "large.yaml", strings.Repeat("#", 2<<20))).want(t, exitUsage, "!bytes; at most")
	at(t, s, "verify", checks, "--sandbox", "nobody").want(t, exitInsufficient, `!there is no sandbox "nobody"`)
	at(t, s, "verify", checks, "-o", "tpa").want(t, exitUsage, `!did you mean "tap"?`)
	at(t, s, "verify", checks, checks).want(t, exitUsage)
	command(t, []string{"UNDERSTUDY_CONTROL=" + noServer}, "", "verify").want(t, exitNoServer, "!no server answers")
}

// Without a file, the expect of active scenarios is checked.
func TestVerifyExpectations(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "verify").want(t, exitInsufficient, "no active scenario of the sandbox has a rule with expect")
	mine := file(t, "mine.yaml", "scenario: mine\napi: tencentcar\nrules:\n  - {operation: ApplyConcurrent, times: 1, outcome: ResourceNotFound.NoIdle, expect: {fired: 1}}\n")
	at(t, s, "scenarios", "on", mine).want(t, exitDone)
	at(t, s, "verify").want(t, exitInsufficient, "fired 0 times, want at least 1")
	at(t, s, apply("u-1")...).want(t, exitDone, "ResourceNotFound.NoIdle")
	at(t, s, "verify").want(t, exitDone, "holds         tencentcar/mine rule 1, ApplyConcurrent")
}
