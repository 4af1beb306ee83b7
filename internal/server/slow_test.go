//go:build unix

package server_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/server"
)

// A mount is a folder that stops answering: what is opened in it then waits until the
// mount answers again, at the latest at the end of the test.
type mount struct {
	server.Folder
	answers func() <-chan struct{}
}

func (m mount) Open(name string) (fs.File, error) {
	<-m.answers()
	return m.Folder.Open(name)
}

// mounts opens folders as mounts, of which the one that is named can stop.
type mounts struct {
	mu      sync.Mutex
	stopped map[string]chan struct{}
}

func (m *mounts) stop(dir string) (again func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answers := make(chan struct{})
	m.stopped[dir] = answers
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.stopped, dir)
		close(answers)
	})
}

func (m *mounts) open(dir string) (server.Folder, error) {
	folder, err := files.Open(dir)
	if err != nil {
		return nil, err
	}
	return mount{folder, func() <-chan struct{} {
		m.mu.Lock()
		defer m.mu.Unlock()
		if answers := m.stopped[dir]; answers != nil {
			return answers
		}
		return answering
	}}, nil
}

// answering is closed: who waits for it does not wait.
var answering = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// A folder on a mount that has stopped answering is reported, keeps neither other
// folders nor the end of the server waiting, and is read when it answers again. It
// runs alone, and leaves no goroutine behind.
func TestMountThatStopsAnswering(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	for name, poll := range map[string]time.Duration{"by events": 0, "by polling": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			m, log, c := &mounts{stopped: map[string]chan struct{}{}}, &logbook{}, config()
			far, near, fixtures := t.TempDir(), t.TempDir(), t.TempDir()
			c.Scenarios, c.Fixtures, c.Open, c.Poll, c.Patience = []string{far, near}, []string{fixtures}, m.open, poll, 20*time.Millisecond
			c.Log = slog.New(slog.NewTextHandler(log, nil))
			s, err := server.Start(c)
			if err != nil {
				t.Fatal(err)
			}
			library := func() string { _, body := get(t, s.ControlURL+"/v1/scenarios"); return body }
			status := func() string { _, body := get(t, s.ControlURL+"/v1/status"); return body }
			until(t, "before", status, `"slow_reads":[]`)

			again := m.stop(far)
			defer again()
			write(t, far, "toy/far.yaml", scene("far", 1))
			until(t, "the log", log.String, `level=WARN msg="files are being read for long; what was read before stays in force until that has ended, and stopping does not wait for it" where="--scenarios `+far+`"`)
			until(t, "the status", status, `"slow_reads":[{"files":"--scenarios `+far+`","since":"`)
			write(t, near, "toy/near.yaml", scene("near", 1))
			until(t, "another folder", library, `"name":"toy/near"`)
			write(t, near, "toy/near.yaml", scene("near", 2))
			until(t, "another folder again", library, "2 times.")
			again()
			until(t, "the folder that answers again", library, `"name":"toy/far"`)
			until(t, "the status afterwards", status, `"slow_reads":[]`)
			until(t, "the log afterwards", log.String, `level=INFO msg="files that were being read for long were read" where="--scenarios `+far+`"`)

			again = m.stop(fixtures)
			defer again()
			write(t, fixtures, "toy/other.yaml", "fixture: other\napi: toy\n")
			until(t, "fixtures", status, `"slow_reads":[{"files":"fixtures"`)
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- s.Close(ctx) }()
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the end waits for the mount")
			}
			until(t, "the end", log.String, "a folder was still being read at the end")
		})
	}
	until(t, "goroutines", func() string {
		if runtime.NumGoroutine() <= goroutines {
			return "as before"
		}
		return "more"
	}, "as before")
}

// A start does not wait for a mount for ever either.
func TestStartOnAMountThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	m, c, dir := &mounts{stopped: map[string]chan struct{}{}}, config(), t.TempDir()
	again := m.stop(dir)
	defer again()
	for flag, folders := range map[string]*[]string{"--scenarios": &c.Scenarios, "--fixtures": &c.Fixtures} {
		c.Scenarios, c.Fixtures, c.Open, c.Limit = nil, nil, m.open, 10*time.Millisecond
		*folders = []string{dir}
		_, err := server.Start(c)
		if want := "the content of " + dir + " was still being read after 10ms"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", flag, err, want)
		}
	}
}

// Files that become pipes and files again in a watched folder are read on and on: the
// bug of a reload that waited for a writer for ever.
func TestFilesThatBecomePipes(t *testing.T) {
	t.Parallel()
	for name, poll := range map[string]time.Duration{"by events": 0, "by polling": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenarios, fixtures, log, c := t.TempDir(), t.TempDir(), &logbook{}, config()
			write(t, scenarios, "toy/a.yaml", scene("a", 1))
			c.Scenarios, c.Fixtures, c.Poll, c.Log = []string{scenarios}, []string{fixtures}, poll, slog.New(slog.NewTextHandler(log, nil))
			s := start(t, c)
			for _, dir := range []string{scenarios, fixtures} {
				for _, name := range []string{"toy/a.yaml", "b.yaml", "folder"} {
					if err := os.MkdirAll(filepath.Join(dir, "toy"), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := syscall.Mkfifo(filepath.Join(dir, "toy", "pipe"), 0o600); err != nil {
						t.Fatal(err)
					}
					if err := os.Rename(filepath.Join(dir, "toy", "pipe"), filepath.Join(dir, name)); err != nil {
						t.Fatal(err)
					}
				}
			}
			until(t, "a scenario that is a pipe", log.String, "toy/a.yaml:1:1: this is no regular file; a YAML file was expected")
			until(t, "a fixture that is a pipe", log.String, `where=fixtures fault="b.yaml:1:1: the file stands in no folder of an API; <api>/<name>.yaml was expected; move it\ntoy/a.yaml:1:1: this is no regular file; a YAML file was expected"`)
			write(t, scenarios, "toy/later.yaml", scene("later", 1))
			until(t, "what comes later", func() string { _, body := get(t, s.ControlURL+"/v1/scenarios"); return body }, `"name":"toy/later"`)
		})
	}
}
