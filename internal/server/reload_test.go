package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/server"
)

// journal is a log that a test reads while it is written.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// scene is the text of a scenario that ends Page in broken, so often.
func scene(name string, times int) string {
	return fmt.Sprintf("scenario: %s\napi: toy\ndescription: %d times.\nrules: [{operation: Page, times: %d, outcome: broken}]\n", name, times, times)
}

// until waits until what got tells is what is wanted, or has it in it.
func until(t *testing.T, what string, got func() string, want string) {
	t.Helper()
	last := ""
	for range 1000 {
		if last = got(); strings.Contains(last, want) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%s: got %s, want %s", what, last, want)
}

func put(t *testing.T, url string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(answer.Body)
		t.Fatalf("%s: %d %s", url, answer.StatusCode, body)
	}
}

// What changes in a folder is in force soon after; what did not change goes on
// where it stands.
func TestReload(t *testing.T) {
	t.Parallel()
	for name, poll := range map[string]time.Duration{"by events": 0, "by polling": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, log, c := t.TempDir(), &logbook{}, config()
			write(t, dir, "toy/edited.yaml", scene("edited", 1))
			write(t, dir, "toy/kept.yaml", scene("kept", 9))
			c.Scenarios, c.Poll, c.Activate = []string{dir}, poll, []string{"edited"}
			c.Log = slog.New(slog.NewTextHandler(log, nil))
			s := start(t, c)
			library := func() string { _, body := get(t, s.ControlURL+"/v1/scenarios"); return body }
			active := func() string { _, body := get(t, s.ControlURL+"/v1/sandboxes/default/scenarios"); return body }
			at := func(name string) string { return filepath.Join(dir, name) }

			put(t, s.ControlURL+"/v1/sandboxes/default/scenarios/kept")
			get(t, s.DoorURL+"/page") // kept fires once

			write(t, dir, "toy/edited.yaml", scene("edited", 5))
			until(t, "an edit", library, "5 times.")
			until(t, "an edit of one that is on", active, `"fired":0,"left":5`)
			until(t, "one that did not change", active, `"fired":1,"left":8`)
			if err := s.Registry.Find(sandbox.Default).Reset(); err != nil {
				t.Fatal(err)
			}
			until(t, "an edit of one that is on from the start, after a reset", active, `"fired":0,"left":5`)
			put(t, s.ControlURL+"/v1/sandboxes/default/scenarios/kept")
			get(t, s.DoorURL+"/page")

			write(t, dir, "toy/added.yaml", scene("added", 2))
			until(t, "a file that was added", library, `"name":"toy/added"`)
			write(t, dir, "all/later.yaml", "scenario: later\napi: all\nrules: [{operation: '*', wire: {delay: 1ms}}]\n")
			until(t, "a file in a folder that was made later", library, `"name":"all/later"`)

			temporary := at("toy/.edited.yaml.swp")
			if err := os.WriteFile(temporary, []byte(scene("edited", 7)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(temporary, at("toy/edited.yaml")); err != nil {
				t.Fatal(err)
			}
			until(t, "an editor's atomic save", library, "7 times.")

			write(t, dir, "toy/edited.yaml", "scenario: edited\napi: toy\nrules: [{operation: Pgae, outcome: broken}]\n")
			until(t, "a fault in the list", library, `did you mean \"Page\"?`)
			until(t, "a fault in the log", log.String, `level=WARN msg="a scenario has a fault; its last good version stays in force" scenario=toy/edited`)
			until(t, "the last good version", library, "7 times.")
			write(t, dir, "toy/edited.yaml", scene("edited", 8))
			until(t, "a file that was mended", library, "8 times.")

			if err := os.Rename(at("toy/added.yaml"), at("toy/renamed.yaml")); err != nil {
				t.Fatal(err)
			}
			until(t, "a file that was renamed, and says its old name", library, `and the file is named \"renamed\"`)
			until(t, "a fault of what was never good", log.String, `cannot be switched on before it is mended" scenario=toy/renamed`)
			write(t, dir, "toy/renamed.yaml", scene("renamed", 2))
			until(t, "a file that was renamed", library, `"name":"toy/renamed"`)
			if err := os.Remove(at("toy/renamed.yaml")); err != nil {
				t.Fatal(err)
			}
			until(t, "a removal in the log", log.String, "a scenario's file is gone; where it is on it stays on\" scenario=toy/renamed")
			if strings.Contains(library(), "toy/renamed") {
				t.Error("a file that is gone is listed")
			}
			until(t, "after all of this", active, `"name":"toy/kept"`)
			until(t, "after all of this", active, `"fired":1,"left":8`)

			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			until(t, "the folder is gone", log.String, "files cannot be taken; what was read before stays in force")
			if status, _ := get(t, s.DoorURL+"/page"); status != 500 {
				t.Errorf("the server answers %d once the folder is gone, want 500 as the scenario has it", status)
			}
			write(t, dir, "toy/kept.yaml", scene("kept", 3))
			until(t, "the folder is back", library, "3 times.")
			until(t, "the folder is back", log.String, "files can be read again")
		})
	}
}

// Fixtures count for sandboxes that are made or reset afterwards; one that is
// faulty, or of which no world can be made, changes nothing.
func TestReloadOfFixtures(t *testing.T) {
	t.Parallel()
	dir, log, c := t.TempDir(), &logbook{}, config()
	write(t, dir, "toy/default.yaml", "fixture: default\napi: toy\ntokens: [t-1]\n")
	c.Fixtures, c.Log = []string{dir}, slog.New(slog.NewTextHandler(log, nil))
	s := start(t, c)
	token := func() string {
		if err := s.Registry.Find(sandbox.Default).Reset(sandbox.State); err != nil {
			return err.Error()
		}
		_, body := get(t, s.ControlURL+"/v1/sandboxes/default")
		return body
	}
	until(t, "at the start", token, `"token":"t-1"`)
	write(t, dir, "toy/default.yaml", "fixture: default\napi: toy\ntokens: [t-2]\n")
	until(t, "an edit", token, `"token":"t-2"`)
	write(t, dir, "toy/default.yaml", "fixture: default\napi: toy\ntokens: [a, a]\n")
	until(t, "a fixture that contradicts itself", log.String, "token a stands twice")
	write(t, dir, "toy/default.yaml", "fixture: default\napi: toy\ntoken: [a]\n")
	until(t, "a faulty fixture", log.String, "tokens")
	until(t, "the last good one", token, `"token":"t-2"`)
}

// A server that watched folders leaves no goroutine behind. It runs alone.
func TestReloadEndsWithTheSuite(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, poll := range []time.Duration{0, time.Millisecond} {
		c := config()
		c.Scenarios, c.Poll = []string{t.TempDir()}, poll
		s, err := server.Start(c)
		if err != nil {
			t.Fatal(err)
		}
		write(t, c.Scenarios[0], "toy/a.yaml", scene("a", 1))
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	for range 2000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("got %d goroutines, want %d", runtime.NumGoroutine(), before)
}
