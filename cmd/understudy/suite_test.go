package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

// noServer is an address at which nothing listens: port 1 is nobody's.
const noServer = "http://127.0.0.1:1"

// start starts a server on free ports, whose clocks stand.
func start(t *testing.T, change ...func(*server.Config)) *server.Server {
	t.Helper()
	s, err := server.Start(serverConfig(change...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// serverConfig is how start starts a server.
func serverConfig(change ...func(*server.Config)) server.Config {
	c := server.Config{
		APIs: emulators.All, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files,
		Bind: "127.0.0.1", ControlBind: "127.0.0.1", DoorPorts: []int{0}, APIPorts: "0",
		Seed: 1, Clock: "2026-01-31T12:00:00Z", Signatures: "wall", Auth: []string{"verify"},
		Journal: 1000, MaxSandboxes: 100, MaxStall: time.Second, Body: 1 << 20, MaxConnections: 1000, MaxInflight: 64 << 20,
		Log: slog.New(slog.DiscardHandler), Wall: time.Now, Env: func(string) string { return "" },
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
}

// command runs a command line with these variables.
func command(t *testing.T, vars []string, in string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, &env{in: strings.NewReader(in), out: &out, err: &err, vars: vars})
	return result{code, out.String(), err.String()}
}

// at runs a command against a server.
func at(t *testing.T, s *server.Server, args ...string) result {
	t.Helper()
	return command(t, []string{"UNDERSTUDY_CONTROL=" + s.ControlURL}, "", args...)
}

// want holds a result against an exit code, and against texts that stdout or
// stderr must have: those for stderr begin with "!".
func (r result) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	ok := r.code == code
	for _, text := range texts {
		where := r.out
		if rest, beside := strings.CutPrefix(text, "!"); beside {
			where, text = r.err, rest
		}
		if !strings.Contains(where, text) {
			t.Errorf("%q is not there", text)
			ok = false
		}
	}
	if !ok {
		t.Errorf("got exit %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, code, r.out, r.err)
	}
}

// file writes a file below a folder of the test's own and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// lines is a writer that hands on every line.
func lines(t *testing.T) (io.Writer, <-chan string) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	found := make(chan string, 100)
	go func() {
		defer close(found)
		var b []byte
		piece := make([]byte, 4096)
		for {
			n, err := r.Read(piece)
			b = append(b, piece[:n]...)
			for {
				line, rest, ok := bytes.Cut(b, []byte("\n"))
				if !ok {
					break
				}
				found <- string(line)
				b = rest
			}
			if err != nil {
				return
			}
		}
	}()
	return w, found
}

// bodyOf reads and closes the body of an answer.
func bodyOf(t *testing.T, answer *http.Response) string {
	t.Helper()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
