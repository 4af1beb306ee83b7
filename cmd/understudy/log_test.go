package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/logpipe"
	"github.com/understudy-suite/understudy/internal/server"
)

// line is a call's line in a form of the log.
func line(form string, c server.LoggedCall) string {
	var b bytes.Buffer
	callLogger(&b, form, false)(c)
	return b.String()
}

// closedCall is a call as the log has it, with changes.
func closedCall(second int, changes ...func(*server.LoggedCall)) server.LoggedCall {
	c := server.LoggedCall{
		Time: time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC), ID: "job-17-4", Sandbox: "job-17", API: "tencentcar", Operation: "CreateSession",
		Outcome: "ResourceNotFound.NoIdle", DecidedBy: "scenario tencentcar/no-idle rule 1", DurationMS: 1.234, Delivered: journal.Sent,
		Cause: "scenario", Why: "Rule 1 decided.",
	}
	for _, change := range changes {
		change(&c)
	}
	return c
}

// logExample is what the page of coverage shows of the log.
func logExample(t *testing.T) string {
	t.Helper()
	return line(logText, closedCall(1)) + line(logText, closedCall(2, func(c *server.LoggedCall) {
		c.ID, c.Outcome, c.DecidedBy = "job-17-5", "AuthFailure.SignatureFailure", "check signature"
		c.DurationMS, c.Cause, c.Why = 0.8, "signature_mismatch", "…"
	}))
}

func TestCallLine(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		change func(*server.LoggedCall)
		want   string
	}{
		{func(*server.LoggedCall) {}, "12:00:01 job-17 tencentcar CreateSession → ResourceNotFound.NoIdle · scenario no-idle rule 1 · 1.2ms\n"},
		{func(c *server.LoggedCall) {
			c.DecidedBy, c.DurationMS, c.Delivered, c.Cause = "emulator", 2345.6, journal.ClientGone, ""
		}, "12:00:01 job-17 tencentcar CreateSession → ResourceNotFound.NoIdle · emulator · 2.3s · client gone\n"},
		{func(c *server.LoggedCall) {
			c.DecidedBy, c.Cause, c.Why = "emulator", "no_idle", "One\nof \x1b[2Jtwo."
		}, "12:00:01 job-17 tencentcar CreateSession → ResourceNotFound.NoIdle · emulator · 1.2ms\n         job-17-4 no_idle: One of \\u001b[2Jtwo.\n"},
	} {
		if got := line(logText, closedCall(1, row.change)); got != row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
}

// A call's line in JSON is the one that slog writes.
func TestCallLineInJSON(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*server.LoggedCall){
		func(*server.LoggedCall) {},
		func(c *server.LoggedCall) { c.Cause, c.Why, c.DurationMS = "", "", 0 },
		func(c *server.LoggedCall) {
			c.Sandbox, c.Why, c.DurationMS = `a"b\c`, "é → \u2028 <&> \n\x1b\xff", 1234567.891
			c.Time = time.Date(2026, 3, 1, 12, 0, 1, 23456789, time.FixedZone("", 2*3600))
		},
	} {
		c := closedCall(1, change)
		attrs := []slog.Attr{
			slog.String("call", c.ID), slog.String("sandbox", c.Sandbox), slog.String("api", c.API), slog.String("operation", c.Operation),
			slog.String("outcome", c.Outcome), slog.String("decided_by", c.DecidedBy), slog.Float64("duration_ms", c.DurationMS),
			slog.String("delivered", string(c.Delivered)),
		}
		if c.Cause != "" {
			attrs = append(attrs, slog.String("cause", c.Cause), slog.String("why", c.Why))
		}
		var want bytes.Buffer
		r := slog.NewRecord(c.Time, slog.LevelInfo, "call", 0)
		r.AddAttrs(attrs...)
		if err := slog.NewJSONHandler(&want, nil).Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := line(logJSON, c); got != want.String() {
			t.Errorf("got  %s\nwant %s", got, &want)
		}
	}
}

// The line of a call takes no memory, and quiet not even time.
func TestCallLineTakesNoMemory(t *testing.T) {
	if callLogger(io.Discard, logText, true) != nil {
		t.Error("calls are logged though the log is quiet")
	}
	for _, form := range []string{logText, logJSON} {
		log, c := callLogger(io.Discard, form, false), closedCall(1)
		if got := testing.AllocsPerRun(100, func() { log(c) }); got != 0 {
			t.Errorf("%s: %v allocations", form, got)
		}
	}
}

var readyLine = regexp.MustCompile(`ready control=(\S+) door=(\S+)`)

// A served is what serve printed from its start to its end.
type served struct {
	out, log string
}

// serveAnd runs serve on free ports, has do use it, and ends it.
func serveAnd(t *testing.T, vars []string, do func(control string), args ...string) served {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, printed := lines(t)
	var log bytes.Buffer
	done := make(chan int, 1)
	go func() {
		args := append([]string{"serve", "--control-port", "0", "--door-port", "0", "--api-ports", "off"}, args...)
		done <- run(ctx, args, &env{out: out, err: &log, vars: vars})
	}()
	var s served
	select {
	case ready := <-printed:
		s.out = ready
	case code := <-done:
		t.Fatalf("the server ended with exit %d before it was ready\n%s", code, &log)
	}
	do(readyLine.FindStringSubmatch(s.out)[1])
	stop()
	if code := <-done; code != exitDone {
		t.Errorf("got exit %d, want %d", code, exitDone)
	}
	for more := true; more; {
		select {
		case line := <-printed:
			s.out += "\n" + line
		default:
			more = false
		}
	}
	s.log = log.String()
	return s
}

// someCalls makes a call that succeeds, one that a scenario decides and one that is
// refused, and switches on a scenario that decides none. Then it drops a sandbox in which
// a failure was planned, too.
func someCalls(t *testing.T) func(control string) {
	return func(control string) {
		c := func(args ...string) {
			command(t, []string{"UNDERSTUDY_CONTROL=" + control}, "", args...).want(t, exitDone)
		}
		c(apply("u-1")...)
		c("scenarios", "on", "tencentcar/DestroySession/InternalError")
		c(apply("u-2", "--scenario", "no-idle")...)
		c("call", "tencentcar", "CreateSession", "UserId=u-9", "--sandbox", "ci")
		c("sandbox", "new", "over")
		c("scenarios", "on", "tencentcar/no-idle", "--sandbox", "over")
		c("sandbox", "drop", "over")
	}
}

func TestServeTellsCallsAndCloses(t *testing.T) {
	t.Parallel()
	summary := file(t, "summary.md", "# Before\n")
	s := serveAnd(t, []string{summaryVariable + "=" + summary}, someCalls(t))
	if strings.Contains(s.out, "\n") {
		t.Errorf("stdout has more than the ready line:\n%s", s.out)
	}
	for _, want := range []string{
		`(?m)^\d\d:\d\d:\d\d default tencentcar ApplyConcurrent → success · emulator · [0-9.]+ms$`,
		`(?m)^\d\d:\d\d:\d\d default tencentcar ApplyConcurrent → ResourceNotFound.NoIdle · scenario no-idle rule 1 · [0-9.]+ms$`,
		`(?m)^\d\d:\d\d:\d\d ci tencentcar CreateSession → MissingParameter · check \S+ · [0-9.]+ms\n         ci-1 \S+: `,
		`(?m)^3 of \d+ documented outcomes met, \S+ %, in 3 calls;`,
		`(?m)^How calls ended:\n`,
		`(?m)^tencentcar +ApplyConcurrent +ResourceNotFound.NoIdle +1 +1 +0 +scenario 1 +nothing 1$`,
		`(?m)^Why calls were refused:\nAPI +OUTCOME +CAUSE +CALLS\ntencentcar +MissingParameter +\S+ +1$`,
		`(?m)^Planned and not played since the sandbox began or was reset:\nSANDBOX +SCENARIO +RULE +OPERATION +OUTCOMES\n(over +tencentcar/no-idle +\d +\S+ +ResourceNotFound.NoIdle\n){2}default +tencentcar/DestroySession/InternalError +1 +DestroySession +InternalError$`,
	} {
		if !regexp.MustCompile(want).MatchString(s.log) {
			t.Errorf("%s is not in the log:\n%s", want, s.log)
		}
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Before\n## understudy\n", "### How calls ended", "| default | tencentcar/DestroySession/InternalError | 1 |"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in the summary:\n%s", want, text)
		}
	}
}

func TestServeClosesInJSON(t *testing.T) {
	t.Parallel()
	s := serveAnd(t, nil, someCalls(t), "--log", "json")
	calls := 0
	var last struct {
		Msg     string `json:"msg"`
		Why     string `json:"why"`
		Closing struct {
			Calls      int              `json:"calls"`
			Ends       []map[string]any `json:"ends"`
			NeverFired []map[string]any `json:"never_fired"`
		} `json:"closing"`
	}
	for line := range strings.Lines(s.log) {
		if !strings.HasPrefix(line, "{") { // the doors
			continue
		}
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if last.Msg == "call" {
			calls++
		}
	}
	if calls != 3 || last.Msg != "closing" || last.Closing.Calls != 3 || len(last.Closing.Ends) != 3 || len(last.Closing.NeverFired) < 2 {
		t.Errorf("got %d lines about calls, then %+v", calls, last)
	}
}

func TestServeQuiet(t *testing.T) {
	t.Parallel()
	summary := filepath.Join(t.TempDir(), "summary.md")
	s := serveAnd(t, []string{summaryVariable + "=" + summary}, someCalls(t), "--quiet")
	if s.log != "" {
		t.Errorf("got %s", s.log)
	}
	if text, err := os.ReadFile(summary); err != nil || !strings.Contains(string(text), "in 3 calls") {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestServeWithoutCalls(t *testing.T) {
	t.Parallel()
	s := serveAnd(t, nil, func(string) {})
	if !strings.HasSuffix(s.log, "\nNo calls were made.\n") {
		t.Errorf("got %s", s.log)
	}
}

// A summary that cannot be written, or is full, is a warning.
func TestServeWithAFaultySummary(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"a folder": t.TempDir(), "nowhere": filepath.Join(t.TempDir(), "none", "summary.md"),
		"full": file(t, "full.md", strings.Repeat("x", maxSummary)),
	} {
		s := serveAnd(t, []string{summaryVariable + "=" + path}, func(string) {}, "--quiet")
		if !strings.Contains(s.log, `level=WARN msg="the closing table could not be written" fault="`) || !strings.Contains(s.log, path) {
			t.Errorf("%s: got %s", name, s.log)
		}
	}
}

// BenchmarkCallLine is what a closed call costs whoever counts and logs it. Target: with
// the log 3 yardsticks more than without.
func BenchmarkCallLine(b *testing.B) {
	for _, quiet := range []bool{true, false} {
		b.Run(fmt.Sprintf("quiet %t", quiet), func(b *testing.B) {
			lines := logpipe.New(io.Discard, func(int64) []byte { return nil })
			s, err := server.Start(serverConfig(func(c *server.Config) { c.LogCall = callLogger(lines, logText, quiet) }))
			if err != nil {
				b.Fatal(err)
			}
			e := &journal.Entry{
				ID: "default-1", Sandbox: "default", API: "tencentcar", Operation: "CreateSession", Outcome: "success",
				DecidedBy: journal.Decider{Kind: journal.Emulator}, Delivered: journal.Sent, DurationMS: 1.2,
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Registry.Feed.Tell(e)
			}
			if err := errors.Join(s.Close(context.Background()), lines.Close(context.Background())); err != nil {
				b.Fatal(err)
			}
		})
	}
}
