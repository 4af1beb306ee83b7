//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

// A process is a server of its own.
type process struct {
	cmd           *exec.Cmd
	ended         chan struct{}
	control, door string
}

// begin starts a process. Where a test leaves a stream alone it goes nowhere.
func begin(t *testing.T, prepare func(*exec.Cmd), args ...string) *process {
	t.Helper()
	return beginProgram(t, os.Args[0], prepare, args...)
}

func beginProgram(t *testing.T, program string, prepare func(*exec.Cmd), args ...string) *process {
	t.Helper()
	args = append([]string{"serve", "--control-port", "0", "--door-port", "0", "--api-ports", "off"}, args...)
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", summaryVariable+"=") // the tests are no step of a CI server
	prepare(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// readPipe gives the process a pipe, and the test its other end.
func readPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

// awaitReady reads up to the ready line.
func (p *process) awaitReady(t *testing.T, r io.Reader) {
	t.Helper()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			p.control, p.door = m[1], m[2]
			return
		}
	}
	t.Fatalf("the process was not ready: %v", lines.Err())
}

// refused sends requests that are refused, each of which the log has a line for.
func (p *process) refused(t *testing.T, n int) {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	for i := range n {
		r, err := http.NewRequest(http.MethodPost, p.door+"/tencentcar/", strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"X-TC-Action": "CreateSession", "X-TC-Version": "2022-01-10", "Content-Type": "application/json"} {
			r.Header.Set(name, value)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || !strings.Contains(string(body), `"Error"`) {
			t.Fatalf("request %d: got %s, %v; a refusal was expected", i, body, err)
		}
	}
}

// dropped is how many lines of the log the metrics say were dropped.
func (p *process) dropped(t *testing.T) int {
	t.Helper()
	_, rest, _ := strings.Cut(p.get(t, "/metrics"), "\nunderstudy_log_lines_dropped_total ")
	n, err := strconv.Atoi(strings.SplitN(rest, "\n", 2)[0])
	if err != nil {
		t.Fatalf("the metrics tell no dropped lines: %v", err)
	}
	return n
}

// get asks the control API.
func (p *process) get(t *testing.T, path string) string {
	t.Helper()
	answer, err := http.Get(p.control + path)
	if err != nil {
		t.Fatal(err)
	}
	return bodyOf(t, answer)
}

// end sends a signal, and holds the exit code against what is wanted.
func (p *process) end(t *testing.T, signal os.Signal, code int) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	p.wantExit(t, code)
}

func (p *process) wantExit(t *testing.T, code int) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the process does not end")
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("got %s, want exit %d", p.cmd.ProcessState, code)
	}
}

// requests is how many are refused: the log then has more than a pipe holds, and the
// queue before it.
const requests = 2000

// The bug of a server that ended with the first line of its log that nobody read:
// understudy serve 2>&1 | grep -m1 ready.
func TestLogInABrokenPipe(t *testing.T) {
	t.Parallel()
	r, w := readPipe(t)
	p := begin(t, func(cmd *exec.Cmd) { cmd.Stdout, cmd.Stderr = w, w })
	_ = w.Close()
	p.awaitReady(t, r)
	_ = r.Close()
	p.refused(t, requests)
	for p.dropped(t) < requests { // a line waits for others a moment; the test's deadline ends this
		runtime.Gosched()
	}
	p.end(t, syscall.SIGTERM, exitDone)
}

// The bug of a server that stopped answering when its log was full. Reading it again
// tells how much was dropped.
func TestLogInAPipeThatNobodyReads(t *testing.T) {
	t.Parallel()
	out, stdout := readPipe(t)
	log, stderr := readPipe(t)
	p := begin(t, func(cmd *exec.Cmd) { cmd.Stdout, cmd.Stderr = stdout, stderr })
	_, _ = stdout.Close(), stderr.Close()
	p.awaitReady(t, out)
	p.refused(t, requests)
	if dropped := p.dropped(t); dropped == 0 || dropped == requests {
		t.Errorf("got %d dropped lines, want some of %d", dropped, requests)
	}
	told := make(chan int, 1)
	go func() { // ends with the process
		sum, lines := 0, bufio.NewScanner(log)
		for lines.Scan() {
			if _, n, is := strings.Cut(lines.Text(), ` level=WARN msg="lines of the log were dropped: nobody read them in time" lines=`); is {
				dropped, err := strconv.Atoi(n)
				if err != nil {
					t.Error(err)
				}
				sum += dropped
			}
		}
		told <- sum
	}()
	p.refused(t, 1)
	want := p.dropped(t)
	p.end(t, syscall.SIGTERM, exitDone)
	if got := <-told; got != want {
		t.Errorf("the log tells %d dropped lines, and the metrics %d", got, want)
	}
}

// A log that nobody reads does not keep the process from ending, and an output that is
// closed from the start not from beginning.
func TestStreamsThatNobodyReads(t *testing.T) {
	t.Parallel()
	out, stdout := readPipe(t)
	log, stderr := readPipe(t)
	_ = out.Close()
	p := begin(t, func(cmd *exec.Cmd) { cmd.Stdout, cmd.Stderr = stdout, stderr })
	_, _ = stdout.Close(), stderr.Close()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "control" {
			p.control = fields[1]
		} else if len(fields) > 1 && fields[0] == "door" {
			p.door = fields[1]
			break
		}
	}
	p.refused(t, requests)
	p.end(t, syscall.SIGTERM, exitDone)
}

// SIGHUP drains as SIGTERM does: a request that is under way gets its answer.
func TestSignalsDrain(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			skipIgnored(t, signal)
			p := beginWithPipe(t)
			finish := p.half(t)
			if err := p.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			p.awaitClosing(t)
			if answer := finish(); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
				t.Errorf("got %q", answer)
			}
			p.wantExit(t, exitDone)
		})
	}
}

// A second signal ends the process at once, whatever it waits for: here for the rest of
// a request.
func TestSecondSignalEnds(t *testing.T) {
	t.Parallel()
	p := beginWithPipe(t)
	p.half(t)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.awaitClosing(t)
	p.end(t, syscall.SIGTERM, exitFailed)
}

// A fault of understudy's own is answered 599, and ends a strict server with an error, once
// it is told to stop.
func TestStrictEndsWithAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		args   []string
		faults int
		code   int
		said   string
	}{
		{"strict", []string{"--strict"}, 2, exitFailed, "understudy: 2 requests ended in a fault of understudy's own; the log has their stacks\n"},
		{"strict without a fault", []string{"--strict"}, 0, exitDone, ""},
		{"not strict", nil, 1, exitDone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			out, stdout := readPipe(t)
			p := begin(t, func(cmd *exec.Cmd) {
				cmd.Env = append(cmd.Env, withFault+"=1")
				cmd.Stdout, cmd.Stderr = stdout, &log
			}, c.args...)
			_ = stdout.Close()
			p.awaitReady(t, out)
			for range c.faults {
				answer, err := http.Get(p.door + "/" + emulators.All[0].Name + "/")
				if err != nil {
					t.Fatal(err)
				}
				if body := bodyOf(t, answer); answer.StatusCode != gateway.StatusProblem {
					t.Errorf("got %s %s, want %d", answer.Status, body, gateway.StatusProblem)
				}
			}
			p.end(t, syscall.SIGTERM, c.code)
			if said := log.String(); !strings.HasSuffix(said, c.said) || strings.Count(said, "the roof fell") != c.faults {
				t.Errorf("got the log %s\nwant %d faults, and in the end %q", said, c.faults, c.said)
			}
		})
	}
}

// A process that is killed in the middle of its work has written no file, and another one
// takes its place, and its ports, at once.
func TestKilledLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inDir := func(cmd *exec.Cmd) {
		cmd.Dir = dir
		for _, name := range []string{"HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"} {
			cmd.Env = append(cmd.Env, name+"="+dir)
		}
		// Who writes into any file is ended.
		cmd.Args = append([]string{"sh", "-c", `ulimit -f 0 && exec "$0" "$@"`}, cmd.Args...)
		cmd.Path = "/bin/sh"
	}
	control, door := quietPort(t), quietPort(t)
	use := func() *process {
		out, stdout := readPipe(t)
		p := begin(t, func(cmd *exec.Cmd) {
			cmd.Args = []string{cmd.Path, "serve", "--control-port", control, "--door-port", door, "--api-ports", "off"}
			cmd.Stdout = stdout
			inDir(cmd)
		})
		_ = stdout.Close()
		p.awaitReady(t, out)
		p.refused(t, 10)
		for _, args := range [][]string{{"scenarios", "on", "polyv/server-error"}, {"call", "polyv", "ListChannels"}, {"clock", "advance", "1h"}, {"journal"}} {
			command(t, []string{"UNDERSTUDY_CONTROL=" + p.control}, "", args...).want(t, exitDone)
		}
		p.half(t)
		return p
	}
	use().end(t, os.Kill, -1)
	use().end(t, os.Kill, -1)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("got the files %v, %v; want none", left, err)
	}
}

// quietPort returns a free port that no other process is given by chance: one below those
// that the operating system gives out.
func quietPort(t *testing.T) string {
	t.Helper()
	for port := 20000 + rand.IntN(10000); port < 32000; port++ {
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			_ = l.Close()
			return strconv.Itoa(port)
		}
	}
	t.Fatal("no port from 20000 to 32000 is free")
	return ""
}

func beginWithPipe(t *testing.T, args ...string) *process {
	t.Helper()
	out, stdout := readPipe(t)
	p := begin(t, func(cmd *exec.Cmd) { cmd.Stdout = stdout }, args...)
	_ = stdout.Close()
	p.awaitReady(t, out)
	return p
}

// half sends the first half of a request. The second half gets its answer.
func (p *process) half(t *testing.T) (finish func() string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.door, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	head := "POST /tencentcar/ HTTP/1.1\r\nHost: localhost\r\nX-TC-Action: CreateSession\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") { // the request is under way
		t.Fatalf("got %q, %v; 100 Continue was expected", line, err)
	}
	if _, err := r.ReadString('\n'); err != nil { // the empty line behind it
		t.Fatal(err)
	}
	return func() string {
		_, err := io.WriteString(conn, "{}")
		answer, readErr := http.ReadResponse(r, nil)
		if err = errors.Join(err, readErr); err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			return err.Error()
		}
		return answer.Proto + " " + answer.Status
	}
}

// awaitClosing waits until the door takes no connection any more.
func (p *process) awaitClosing(t *testing.T) {
	t.Helper()
	dialer := &net.Dialer{}
	for ctx := t.Context(); ; {
		conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(p.door, "http://"))
		if errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}

// A file that becomes a pipe and a file again keeps neither the files after it nor the
// end of the process waiting.
func TestProcessWithPipesInAWatchedFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "polyv"), 0o700); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "polyv", "tt.yaml")
	p := beginWithPipe(t, "--scenarios", dir)
	for range 200 {
		if err := os.WriteFile(at+".new", []byte("scenario: tt\napi: polyv\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(at+".new", at); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(at+".pipe", 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(at+".pipe", at); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // so that reloads fall in between
	}
	later := "scenario: later\napi: all\nrules: [{operation: '*', wire: {delay: 1ms}}]\n"
	if err := os.Mkdir(filepath.Join(dir, "all"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "all", "later.yaml"), []byte(later), 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(p.get(t, "/v1/scenarios"), `"all/later"`); {
		if time.Now().After(deadline) {
			t.Fatal("a file that came later is not read")
		}
		time.Sleep(10 * time.Millisecond) // the server says nothing when it has read a file
	}
	p.end(t, syscall.SIGTERM, exitDone)
}

// What is being read without an end keeps a start that is told to stop from nothing: the
// start then ends with an error that says so.
func TestStartThatIsStopped(t *testing.T) {
	t.Parallel()
	opened, answers := make(chan struct{}), make(chan struct{})
	c := server.Config{
		APIs: emulators.All, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files, Scenarios: []string{"x"}, ControlBind: "127.0.0.1", MaxConnections: 1,
		Open: func(string) (server.Folder, error) {
			close(opened)
			<-answers
			return nil, os.ErrNotExist
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := startServer(ctx, c)
		failed <- err
	}()
	select {
	case <-opened:
	case err := <-failed:
		t.Fatal(err)
	}
	stop()
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "stopped while files were being read") {
		t.Errorf("got %v", err)
	}
	close(answers) // the goroutine that reads ends with this
}

// skipIgnored skips a test of a signal that is ignored here, as under nohup, and so by
// the processes that are started.
func skipIgnored(t *testing.T, s os.Signal) {
	t.Helper()
	if signal.Ignored(s) {
		t.Skipf("%s is ignored here", s)
	}
}

// Whatever ends a process of its own: it closes with a table, on stderr and in the file
// of the CI server.
func TestSignalsClose(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			skipIgnored(t, signal)
			summary := filepath.Join(t.TempDir(), "summary.md")
			out, stdout := readPipe(t)
			var log bytes.Buffer
			p := begin(t, func(cmd *exec.Cmd) {
				cmd.Stdout, cmd.Stderr = stdout, &log
				cmd.Env = append(cmd.Env, summaryVariable+"="+summary)
			})
			_ = stdout.Close()
			p.awaitReady(t, out)
			p.refused(t, 3)
			p.end(t, signal, exitDone)
			text, err := os.ReadFile(summary)
			if err != nil {
				t.Fatal(err)
			}
			for where, told := range map[string]string{"stderr": log.String(), "the summary": string(text)} {
				if !strings.Contains(told, "in 3 calls;") || !strings.Contains(told, "MissingParameter") {
					t.Errorf("%s has no closing table:\n%s", where, told)
				}
			}
			rest, err := io.ReadAll(out)
			if err != nil || len(rest) > 0 {
				t.Errorf("stdout has %q behind the ready line, %v", rest, err)
			}
		})
	}
}
