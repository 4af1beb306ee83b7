package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/server"
)

// apply are the arguments of a call that succeeds once per user.
func apply(user string, more ...string) []string {
	return append([]string{"call", "tencentcar", "ApplyConcurrent", "UserId=" + user, "UserIp=125.127.178.228", "ProjectId=cap-abcdefgh"}, more...)
}

func TestCall(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1")...).want(t, exitDone,
		"POST / HTTP/1.1\nHost: 127.0.0.1:", "Authorization: TC3-HMAC-SHA256 Credential=AKID", "X-Tc-Action: ApplyConcurrent\n",
		"\n\n{\"UserId\":\"u-1\"", "\n\nHTTP/1.1 200 OK\n", "Understudy-Call: default-1", "Understudy-Decided-By: emulator",
		"Understudy-Outcome: tencentcar/ApplyConcurrent/success", `{"Response":{"RequestId":"`)
	at(t, s, apply("u-2", "--outcome", "ResourceNotFound.NoIdle")...).want(t, exitDone,
		"Understudy-Outcome: ResourceNotFound.NoIdle\n", "Understudy-Decided-By: header", `"Code":"ResourceNotFound.NoIdle"`)
	at(t, s, apply("u-2", "--scenario", "no-idle")...).want(t, exitDone, "Understudy-Decided-By: scenario tencentcar/no-idle rule 1")
	at(t, s, "call", "youdu", "GetToken", "--scenario", "server-error").want(t, exitDone, "Understudy-Decided-By: scenario youdu/server-error rule 1")
	at(t, s, apply("u-2", "--scenario", "no-idel")...).want(t, exitFailed, "Understudy-Problem: unknown-scenario", `did you mean \"no-idle\"?`)
	at(t, s, apply("u-3", "--outcome", "NoSuch")...).want(t, exitFailed,
		"HTTP/1.1 599", "Understudy-Problem: unknown-outcome", "!understudy itself could not answer: ")
	at(t, s, apply("u-4", "Colour=red")...).want(t, exitDone,
		"UnknownParameter", `"Colour":"red"`, `!there is no parameter "Colour"`)
	at(t, s, "call", "tencentcar", "CreateSession", "UserId=u-9").want(t, exitDone, "MissingParameter")
	at(t, s, "call", "tencentcar", "CreateSession", "UserId=a", "UserId=b").want(t, exitUsage, "!UserId is given twice")
	at(t, s, "call", "tencentcar", "CreateSession", "UserId").want(t, exitUsage, "!name=value was expected")
	at(t, s, "call", "tencentcar", "CreateSesion").want(t, exitInsufficient, `!did you mean "CreateSession"?`)
	at(t, s, apply("@"+file(t, "user", "from-a-file\n"))...).want(t, exitDone, `{"UserId":"from-a-file"`)
	at(t, s, apply("@/nonexistent")...).want(t, exitFailed, "!reading UserId")
}

func TestCallInSandbox(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1", "--sandbox", "ci-1")...).want(t, exitDone,
		"Understudy-Sandbox: ci-1\n", "Understudy-Call: ci-1-1", "!there is no sandbox ci-1 yet; the call makes it")
	at(t, s, apply("u-1", "--sandbox", "ci-1")...).want(t, exitDone, "POST /@ci-1/", "Understudy-Call: ci-1-2", "tencentcar/ApplyConcurrent/success")
	at(t, s, apply("u-1", "--sandbox", "Ci_1")...).want(t, exitInsufficient, `!there is no sandbox "Ci_1"`)
	command(t, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL, "UNDERSTUDY_SANDBOX=ci-1"}, "", "journal").want(t, exitDone, "ci-1-2", "ci-1-1")
}

// The clock of the sandbox stands in January; where it judges signatures, a
// call signed by the wall clock would be refused.
func TestCallSignsByTheRightClock(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"wall", "sandbox"} {
		s := start(t, func(c *server.Config) { c.Signatures = by })
		at(t, s, apply("u-1")...).want(t, exitDone, "tencentcar/ApplyConcurrent/success")
	}
}

func TestCallWithoutOwnPort(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *server.Config) { c.APIPorts = "off" })
	at(t, s, apply("u-1")...).want(t, exitDone, "POST /tencentcar/ HTTP/1.1", "tencentcar/ApplyConcurrent/success")
}

// What --curl prints is run by a shell and curl, where they are there.
func TestCurl(t *testing.T) {
	t.Parallel()
	s := start(t)
	r := at(t, s, apply("it's $HOME", "--curl", "--sandbox", "default")...)
	r.want(t, exitDone, "curl -sS -i", "-X POST", "-H 'X-Tc-Action: ApplyConcurrent'", "--data-raw", "-H 'Understudy-Sandbox: default'")
	at(t, s, "journal").want(t, exitDone, "!no such calls in the journal of default")
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", r.out).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Understudy-Outcome: tencentcar/ApplyConcurrent/success")) {
		t.Errorf("got %v\n%s", err, out)
	}
	again := at(t, s, "journal", "show", "default-1", "-o", "curl")
	out, err = exec.CommandContext(t.Context(), "sh", "-c", again.out).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Understudy-Call: default-2")) {
		t.Errorf("got %v\n%s\n%s", err, again.out, out)
	}
}

// What a client sends does not steer the terminal of whoever reads the journal, and the
// shell line sends the same bytes again.
func TestJournalIsPrintable(t *testing.T) {
	t.Parallel()
	s := start(t)
	r, err := http.NewRequest(http.MethodPost, s.DoorURL+"/tencentcar/", strings.NewReader("{\"\x1b[2J\": \"\u009b2J\"}"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"User-Agent": "a\u009b31m%s\\n", "X-Odd": "it's\u0085", "X-TC-Action": "\u009bList"} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	for _, args := range [][]string{{"journal"}, {"journal", "show", "default-1"}, {"journal", "show", "default-1", "-o", "json"}, {"journal", "show", "default-1", "-o", "curl"}} {
		got := at(t, s, args...)
		got.want(t, exitDone)
		if got.out != output.Printable(got.out) {
			t.Errorf("%v prints %q", args, got.out)
		}
	}
	at(t, s, "journal", "show", "default-1").want(t, exitDone, `{"\u001b[2J": "\u009b2J"}`, `X-Odd: it's\u0085`)
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	line := at(t, s, "journal", "show", "default-1", "-o", "curl").out
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, line, out)
	}
	box := s.Registry.Find("default").Journal
	one, _ := box.Find("default-1")
	two, _ := box.Find("default-2")
	first, again := one.Request, two.Request
	if string(first.Body) != string(again.Body) {
		t.Errorf("got the body %q again, want %q", again.Body, first.Body)
	}
	for _, name := range []string{"User-Agent", "X-Odd", "X-TC-Action"} {
		if got, want := again.Header.Get(name), first.Header.Get(name); got != want {
			t.Errorf("got %s %q again, want %q", name, got, want)
		}
	}
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "scenarios", "status").want(t, exitDone, "!no scenario is on in default")
	at(t, s, "scenarios", "on", "tencentcar/no-idle", "--times", "1", "--where", "UserId=u-1").want(t, exitDone, "on in default: tencentcar/no-idle")
	at(t, s, apply("u-2")...).want(t, exitDone, "Understudy-Outcome: tencentcar/ApplyConcurrent/success")
	at(t, s, apply("u-1")...).want(t, exitDone, "Understudy-Decided-By: scenario tencentcar/no-idle rule 1")
	at(t, s, apply("u-1")...).want(t, exitDone, "Understudy-Outcome: tencentcar/ApplyConcurrent/success")
	at(t, s, "scenarios", "status").want(t, exitDone, "SCENARIO", "tencentcar/no-idle", "ApplyConcurrent", "ResourceNotFound.NoIdle")
	at(t, s, "scenarios", "status", "-o", "json").want(t, exitDone, `"fired": 1`)
	at(t, s, "scenarios", "off", "tencentcar/no-idle").want(t, exitDone, "off in default: tencentcar/no-idle")
	at(t, s, "scenarios", "off", "tencentcar/no-idle").want(t, exitInsufficient, "!is not active in sandbox default")
	at(t, s, "scenarios", "on", "tencentcar/CreateSession/NoIdle").want(t, exitInsufficient, `!did you mean "ResourceNotFound.NoIdle"?`)
	at(t, s, "scenarios", "on", "no-idle", "--where", "UserID=u-1").want(t, exitFailed, `!did you mean "UserId"?`)
	at(t, s, "scenarios", "on", "no-idle", "--delay", "5ms", "--skip", "1").want(t, exitDone, "tencentcar/no-idle")
	at(t, s, "scenarios", "on", "no-idle", "--for", "10m").want(t, exitDone)
	at(t, s, apply("u-1")...).want(t, exitDone, "ResourceNotFound.NoIdle")
	at(t, s, "clock", "advance", "10m").want(t, exitDone)
	at(t, s, apply("u-1")...).want(t, exitDone, "tencentcar/ApplyConcurrent/success")
	at(t, s, "scenarios", "on", "no-idle", "--for", "-1s").want(t, exitUsage, "!--for is -1s")
	at(t, s, "scenarios", "off").want(t, exitDone, "off in default: all scenarios")
	at(t, s, "scenarios", "status", "-o", "markdown").want(t, exitDone, "| scenario | state | rule |", "!no scenario is on")
}

func TestScenarioTexts(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "scenarios", "on", file(t, "any.yaml", goodScenario)).want(t, exitDone, "on in default: tencentcar/mine")
	vars := []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}
	command(t, vars, strings.Replace(goodScenario, "mine", "other", 1), "scenarios", "on", "-").want(t, exitDone, "tencentcar/other")
	at(t, s, "scenarios", "status").want(t, exitDone, "tencentcar/mine", "tencentcar/other")
	command(t, vars, "scenario: x\napi: tencentcar\n", "scenarios", "on", "-").want(t, exitFailed, "!stdin:1:1: the scenario has no rules")
	command(t, vars, "", "scenarios", "on", "-").want(t, exitFailed, "!stdin:1:1: the file is empty")
	at(t, s, "scenarios", "on", file(t, "any.yaml", goodScenario), "--times", "2").want(t, exitUsage, "!write them into the rules of")
	at(t, s, "scenarios", "on", "./gone.yaml").want(t, exitFailed, `!there is no file "./gone.yaml"`)
}

func TestJournal(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "call", "tencentcar", "CreateSession", "UserId=u-1", "UserIp=125.127.178.228", "RunMode=RunWithoutClient").want(t, exitDone, "FailedOperation.LockTimeout")
	at(t, s, "scenarios", "on", "tencentcar/CreateSession/ResourceNotFound.NoIdle", "--delay", "5ms").want(t, exitDone)
	at(t, s, "call", "tencentcar", "CreateSession", "UserId=u-2", "UserIp=125.127.178.228").want(t, exitDone, "NoIdle")
	at(t, s, "call", "tencentcar", "CreateSession", "UserId=u-3").want(t, exitDone)

	at(t, s, "journal").want(t, exitDone, "ID", "CAUSE", "default-1", "tencentcar/CreateSession", "FailedOperation.LockTimeout",
		"no_reservation", "tencentcar/CreateSession/ResourceNotFound.NoIdle rule 1", "2026-01-31T12:00:00.000Z")
	r := at(t, s, "journal", "--operation", "CreateSession", "--decided-by", "emulator", "--status", "200", "--since", "1m", "-o", "json")
	var list struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(r.out), &list); err != nil || len(list.Items) != 1 || list.Items[0].ID != "default-1" {
		t.Errorf("got %v %+v, want default-1 alone\n%s%s", err, list, r.out, r.err)
	}
	at(t, s, "journal", "--limit", "1").want(t, exitDone, "default-3", "!there are older ones; --limit 10 shows more")
	at(t, s, "journal", "--operation", "CreateSesion").want(t, exitFailed, `!did you mean "CreateSession"?`)
	at(t, s, "journal", "--outcome", "ResourceNotFound.NoIdle", "--api", "tencentcar", "-o", "markdown").want(t, exitDone, "| id | time |", "default-2")

	at(t, s, "journal", "show", "default-1").want(t, exitDone,
		"default-1  tencentcar/CreateSession/FailedOperation.LockTimeout\n", "POST / HTTP/1.1", "HTTP/1.1 200 OK",
		"decided by: emulator", "cause: no_reservation", "found by default",
		"documented, and not sent: ", "answered: Error, Error.Code, Error.Message, RequestId\n")
	at(t, s, "journal", "show", "default-2").want(t, exitDone,
		"decided by: tencentcar/CreateSession/ResourceNotFound.NoIdle rule 1", "cause: scenario", "network: 5ms of delay")
	at(t, s, "journal", "show", "default-3").want(t, exitDone, "decided by: check parameters", "MissingParameter", "violations:\n  ", "missing")
	at(t, s, "journal", "show", "default-1", "-o", "json").want(t, exitDone, `"id": "default-1"`)
	at(t, s, "journal", "show", "default-1", "-o", "http").want(t, exitDone,
		"# clock: 2026-01-31T12:00:00Z\nPOST / HTTP/1.1\n", "\n\n{\"UserId\":\"u-1\"", "}\n----\nHTTP/1.1 200 OK\nContent-Type: application/json\n\n{")
	at(t, s, "journal", "show", "default-99").want(t, exitInsufficient, `!has no entry "default-99"`)
}

// A scenario made of an entry brings about what the entry tells.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "scenarios", "on", "tencentcar/slow-down", "--delay", "5ms").want(t, exitDone)
	create := []string{"call", "tencentcar", "CreateSession", "UserId=cg_user", "UserIp=125.127.178.228"}
	at(t, s, create...).want(t, exitDone, "FailedOperation.SlowDown")
	at(t, s, "scenarios", "off").want(t, exitDone)
	r := at(t, s, "journal", "show", "default-1", "-o", "scenario")
	r.want(t, exitDone, "scenario: replay-default-1\n", "where: {UserId: cg_user}", "outcome: FailedOperation.SlowDown", "delay: 5ms")
	at(t, s, "validate", file(t, "tencentcar/replay-default-1.yaml", r.out)).want(t, exitDone, "1 file, 0 faults")
	command(t, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}, r.out, "scenarios", "on", "-").want(t, exitDone, "tencentcar/replay-default-1")
	at(t, s, create...).want(t, exitDone, "FailedOperation.SlowDown", "scenario tencentcar/replay-default-1 rule 1")
}

// The network of an entry is replayed as well, and whether anything happened.
func TestReplayOfTheNetwork(t *testing.T) {
	t.Parallel()
	s := start(t)
	text := "scenario: lost\napi: tencentcar\nrules:\n  - operation: CreateSession\n    outcome: success\n    phantom: true\n" +
		"    wire: {bandwidth: 1MB/s, when: after, answer: {status: 502, headers: {Content-Type: text/html}, body: bad gateway}}\n"
	at(t, s, "scenarios", "on", file(t, "lost.yaml", text)).want(t, exitDone)
	at(t, s, "call", "tencentcar", "CreateSession", "UserId=cg_user", "UserIp=125.127.178.228", "RunMode=RunWithoutClient").want(t, exitDone, "502")
	at(t, s, "journal", "show", "default-1").want(t, exitDone, "network: 1000000 bytes of the body in a second; the outcome was answered and not carried out; something in between answered")
	r := at(t, s, "journal", "show", "default-1", "-o", "scenario")
	r.want(t, exitDone, "phantom: true", "bandwidth: 1000000B/s", "when: after", "status: 502")
	at(t, s, "validate", file(t, "tencentcar/replay-default-1.yaml", r.out)).want(t, exitDone, "1 file, 0 faults")
}

// The headers that a scenario set and took away are so again, and others as they come.
func TestReplayOfHeaders(t *testing.T) {
	t.Parallel()
	s := start(t)
	text := "scenario: headers\napi: tencentcar\nrules:\n  - operation: CreateSession\n    wire: {headers: {x-cache: 'HIT: \"a\"', Content-Type: null, Date: null, Server: ''}}\n"
	at(t, s, "scenarios", "on", file(t, "headers.yaml", text)).want(t, exitDone)
	at(t, s, "call", "tencentcar", "CreateSession", "UserId=cg_user", "UserIp=125.127.178.228", "RunMode=RunWithoutClient").want(t, exitDone)
	at(t, s, "scenarios", "off").want(t, exitDone)
	first, _ := s.Registry.Find("default").Journal.Find("default-1")
	at(t, s, "journal", "show", "default-1").want(t, exitDone, "network: changed headers: x-cache, Content-Type, Date, Server")
	r := at(t, s, "journal", "show", "default-1", "-o", "scenario")
	at(t, s, "validate", file(t, "tencentcar/replay-default-1.yaml", r.out)).want(t, exitDone, "1 file, 0 faults")
	command(t, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}, r.out, "scenarios", "on", "-").want(t, exitDone)
	again := sendAgain(t, s, first)
	if got := again.Response.Header; !reflect.DeepEqual(got, first.Response.Header) || got.Get("X-Cache") != `HIT: "a"` || got["Content-Type"] != nil || !slices.Equal(again.Wire.Headers, []string{"Content-Type", "Date", "Server", "X-Cache"}) {
		t.Errorf("got  %v %v\nwant %v\n%s", got, again.Wire, first.Response.Header, r.out)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1")...).want(t, exitDone)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w, printed := lines(t)
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"journal", "-f", "--control", s.ControlURL}, &env{out: w, err: w})
	}()
	for _, id := range []string{"default-1", "default-2", "default-3"} {
		if line := <-printed; !strings.HasPrefix(line, id+" ") {
			t.Errorf("got %q, want %s", line, id)
		}
		at(t, s, "call", "tencentcar", "DescribeConcurrentCount").want(t, exitDone)
	}
	<-printed
	at(t, s, "reset").want(t, exitDone, "reset default")
	at(t, s, apply("again")...).want(t, exitDone)
	if line := <-printed; !strings.HasPrefix(line, "default-1 ") {
		t.Errorf("got %q after a reset, want default-1", line)
	}
	stop()
	if code := <-done; code != exitDone {
		t.Errorf("got exit %d, want %d", code, exitDone)
	}
}

// Whoever follows goes on where the stream broke, and is told what is missing.
func TestFollowGoesOn(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--status 200":         "limit=100&status=200 after=default-1&status=200 after=default-9&status=200",
		"--since 5m":           "since=5m after=default-1&since=5m after=default-9&since=5m",
		"--since 5m --limit 7": "limit=7&since=5m after=default-1&since=5m after=default-9&since=5m",
	} {
		if asked := followBroken(t, strings.Fields(flags)...); strings.Join(asked, " ") != want {
			t.Errorf("%s: asked for %q, want %q", flags, asked, want)
		}
	}
}

// followBroken follows a stream that breaks twice, and returns what was asked for.
func followBroken(t *testing.T, flags ...string) (asked []string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		w.Header().Set("Content-Type", "text/event-stream")
		switch len(asked) {
		case 1:
			fmt.Fprint(w, "retry: 1000\n\n:\n\nid: default-1\ndata: {\"id\":\"default-1\"}\n\nid: default-2\ndata: {\"id\":\"default-2\"}")
		case 2:
			fmt.Fprint(w, "event: lost\ndata: {\"lost\":7}\n\nid: default-9\ndata: {\"id\":\"default-9\"}\n\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"detail":"there is no sandbox"}`)
		}
	}))
	defer s.Close()
	r := command(t, []string{"UNDERSTUDY_CONTROL=" + s.URL}, "", append([]string{"journal", "-f"}, flags...)...)
	r.want(t, exitInsufficient, "default-1 ", "default-9 ", "!understudy: 7 calls are missing here", "!there is no sandbox")
	return asked
}

// What another server answers is told without a word of Go.
func TestAnswersOfAnotherKind(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `["a"]`)
	}))
	defer s.Close()
	for _, line := range []string{
		"journal", "journal show default-1", "sandbox list", "sandbox new", "sandbox drop job", "scenarios status", "scenarios on tencentcar/no-idle",
		"snapshot load " + file(t, "snapshot.json", "{}"), "clock", "env",
	} {
		r := command(t, []string{"UNDERSTUDY_CONTROL=" + s.URL}, "", strings.Fields(line)...)
		if said := r.out + r.err; r.code == exitDone || !strings.Contains(said, "an object was expected, an array was found") || strings.Contains(said, "Go ") {
			t.Errorf("%s: ended in %d and said %s", line, r.code, said)
		}
	}
}

func TestResetClockTrigger(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "clock").want(t, exitDone, "2026-01-31T12:00:00Z", "freeze", "wall")
	at(t, s, "clock", "advance", "20m").want(t, exitDone, "2026-01-31T12:20:00Z")
	at(t, s, "clock", "freeze", "2026-03-01T00:00:00+01:00", "-o", "json").want(t, exitDone, `"now": "2026-02-28T23:00:00Z"`, `"expired": [`)
	at(t, s, "clock", "follow").want(t, exitDone, "follow")
	at(t, s, "clock", "scale", "60").want(t, exitDone, "follow  60 ")
	at(t, s, "clock", "scale", "0").want(t, exitUsage, `!"0" is no scale; a number greater than 0 and at most 1000000 was expected`)
	at(t, s, "clock", "scale", "NaN").want(t, exitUsage, `!"NaN" is no scale`)
	at(t, s, "clock", "freeze").want(t, exitDone, "freeze")
	at(t, s, "clock", "advance", "--", "-5m").want(t, exitUsage, "!freeze the clock at an earlier instant")
	at(t, s, apply("u-1", "--sandbox", "two")...).want(t, exitDone)
	at(t, s, "reset", "--only", "state,journal").want(t, exitDone, "reset default\n")
	at(t, s, "journal", "--sandbox", "two").want(t, exitDone, "two-1")
	at(t, s, "clock", "advance", "1h", "--sandbox", "two").want(t, exitDone, "EXPIRED AT", "tencentcar  reservation  u-1", "tencentcar  cleaning     cap-abcdefgh/0")
	at(t, s, "reset", "--all").want(t, exitDone, "reset default\nreset two\n")
	at(t, s, "journal", "--sandbox", "two").want(t, exitDone, "!no such calls")
	at(t, s, "clock").want(t, exitDone, "2026-01-31T12:00:00Z")
	at(t, s, "clock", "--sandbox", "tow").want(t, exitInsufficient, `!did you mean "two"?`)

	at(t, s, "trigger", "tencentcar", "expire", "what=reservation", "id=cg_user").want(t, exitFailed, "!trigger expire of tencentcar: ")
	at(t, s, apply("u-1")...).want(t, exitDone)
	at(t, s, "trigger", "tencentcar", "expire", "what=reservation", "id=u-1").want(t, exitDone, "tencentcar expire happened in default")
	at(t, s, "trigger", "tencentcar", "expire", "what=milk").want(t, exitFailed, "!what: unlisted", "!id: missing")
	at(t, s, "trigger", "tencentcar", "client.los").want(t, exitInsufficient, `!did you mean "client.lost"?`)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *server.Config) { c.Token = "secret" })
	at(t, s, "health").want(t, exitDone, "ready control="+s.ControlURL)
	at(t, s, "health", "--wait", "10s").want(t, exitDone, "ready")
	port := s.ControlURL[strings.LastIndexByte(s.ControlURL, ':')+1:]
	command(t, []string{"UNDERSTUDY_CONTROL_PORT=" + port}, "", "health").want(t, exitDone, "ready")
	at(t, s, "clock").want(t, exitFailed, "!UNDERSTUDY_CONTROL_TOKEN")
	command(t, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL, "UNDERSTUDY_CONTROL_TOKEN=secret"}, "", "clock").want(t, exitDone, "freeze")
}

// Another server is not taken for a control API.
func TestStranger(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	command(t, nil, "", "clock", "--control", other.URL).want(t, exitFailed, "!answered 404 Not Found", "!is this the control API")
}

func TestSandboxListAndDrop(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1", "--sandbox", "ci-1")...).want(t, exitDone)
	at(t, s, "sandbox", "list").want(t, exitDone, "NAME", "default", "ci-1")
	at(t, s, "sandbox", "drop", "ci-1").want(t, exitDone, "dropped ci-1\n")
	at(t, s, "sandbox", "list", "-o", "json").want(t, exitDone, `"name": "default"`)
	at(t, s, "sandbox", "drop", "ci-1").want(t, exitInsufficient, `!there is no sandbox "ci-1"`)
	at(t, s, "sandbox", "drop", "default").want(t, exitFailed, "!the sandbox default cannot be dropped; reset it instead")
	at(t, s, "sandbox", "drop").want(t, exitUsage)
}

func TestSandboxNewAndEnv(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, "sandbox", "new", "job-1", "--seed", "7", "--fixture", "tencentcar=default", "--set", "youdu.plain=true", "--activate", "no-idle-then-free",
		"--clock", "2026-01-01T00:00:00Z", "--auth", "presence", "--ttl", "10m", "--claim-address", "10.0.0.9", "--claim-header", "X-Device: phone").
		want(t, exitDone, "API", "tencentcar", "secretId=AKID", "!sandbox job-1; for its environment")
	at(t, s, "sandbox", "new", "job-1").want(t, exitFailed, "!was made by another request")
	at(t, s, "sandbox", "new", "--fixture", "tencentcar").want(t, exitUsage, `!--fixture is "tencentcar"; a name, "=" and a value were expected`)
	at(t, s, "sandbox", "new", "--ttl", "long").want(t, exitFailed, "!nothing was made", `!ttl: mistyped, got "long"`)
	at(t, s, "sandbox", "new", "-o", "json").want(t, exitDone, `"name": "auto-1"`, `"orgId": "`)
	at(t, s, "env", "--sandbox", "job-1").want(t, exitDone, "export UNDERSTUDY_SANDBOX='job-1'", "export TENCENTCLOUD_SECRET_ID='AKID", "export TENCENTCAR_ENDPOINT='127.0.0.1:",
		"export ADOBE_PASS_SERVICE_PROVIDER='", "export ADOBE_MEDIA_SERVER='http://127.0.0.1:", "export POLYV_USER_ID='", "export YOUDU_BUIN='")
	at(t, s, "env", "--sandbox", "auto", "--for", "dotenv").want(t, exitDone, "UNDERSTUDY_SANDBOX='auto-2'")
	at(t, s, "env", "--for", "node").want(t, exitDone, `process.env.UNDERSTUDY_SANDBOX = "default";`)
	at(t, s, "env", "--for", "go").want(t, exitDone, `t.Setenv("UNDERSTUDY_CONTROL", "`+s.ControlURL+`")`)
	at(t, s, "env", "--for", "compose", "--sandbox", "fresh").want(t, exitDone, "environment:\n  ADOBE_MEDIA_ORG_ID: \"", `  UNDERSTUDY_SANDBOX: "fresh"`)
	at(t, s, apply("u-1", "--sandbox", "first")...).want(t, exitDone)
	at(t, s, "env", "--sandbox", "first").want(t, exitDone, "!has no credentials of its own")
	at(t, s, "env", "--for", "perl").want(t, exitUsage)
	at(t, s, "sandbox", "new", "--given", `{"tencentcar":[{"concurrencies":{"used":1}}]}`, "-o", "json").want(t, exitDone, `"made": true`)
	at(t, s, "sandbox", "new", "--given", `{"tencentcar":[{"concurencies":{}}]}`).want(t, exitFailed, "!concurrencies")
	at(t, s, "sandbox", "new", "--given", "{").want(t, exitUsage, "!--given")
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	s := start(t)
	vars := []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}
	saved := filepath.Join(t.TempDir(), "world.json")
	command(t, vars, goodScenario, "scenarios", "on", "-").want(t, exitDone)
	at(t, s, "clock", "advance", "1h").want(t, exitDone)
	at(t, s, "snapshot", "save", saved).want(t, exitDone, "saved default to "+saved)
	if info, err := os.Stat(saved); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v; a file that only its owner reads was expected", info, err)
	}
	at(t, s, "reset").want(t, exitDone)
	at(t, s, "snapshot", "load", saved).want(t, exitDone, "loaded default: adobemedia, adobepass, polyv, tencentcar, youdu")
	at(t, s, "clock").want(t, exitDone, "2026-01-31T13:00:00Z")
	at(t, s, "scenarios", "status").want(t, exitDone, "tencentcar/mine")
	text, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	if again := at(t, s, "snapshot", "save", "-"); again.code != exitDone || again.out != string(text) {
		t.Errorf("got %d, %s\nwant %s", again.code, again.out, text)
	}
	command(t, vars, string(text), "snapshot", "load", "-").want(t, exitDone, "loaded default")
	command(t, vars, strings.Replace(string(text), `"version":2`, `"version":3`, 1), "snapshot", "load", "-").want(t, exitFailed, "!the snapshot has the version 3; 2 was expected")
	at(t, s, "snapshot", "load", saved+".none").want(t, exitFailed, "!reading the snapshot")
	at(t, s, "snapshot", "load", saved, "--sandbox", "nobody").want(t, exitInsufficient, "!there is no sandbox")
	at(t, s, "snapshot").want(t, exitUsage, "!save FILE or load FILE was expected")
}
