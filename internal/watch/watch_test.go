package watch_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/watch"
)

// startWatching watches a folder that exists.
func startWatching(t *testing.T, every time.Duration) (dir string, changes *atomic.Int64, close func()) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "watched")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	changes = &atomic.Int64{}
	w, err := watch.New(watch.Config{
		Folders: []string{dir}, Every: every, Changed: func() { changes.Add(1) },
		Fault: func(err error) { t.Error(err) }, Wall: time.Now,
		Patience: time.Hour, Slow: func(bool) { t.Error("a look took an hour") },
	})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	close = func() {
		if !closed {
			closed = true
			if err := w.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(close)
	return dir, changes, close
}

func waitFor(t *testing.T, what string, changes *atomic.Int64, more int64) {
	t.Helper()
	for range 5000 {
		if changes.Load() >= more {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%s was not reported", what)
}

func TestReportsEveryChange(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"by events": 0, "by polling": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, changes, _ := startWatching(t, every)
			at := func(name string) string { return filepath.Join(dir, name) }
			for _, step := range []struct {
				what string
				do   func() error
			}{
				{"a folder", func() error { return os.Mkdir(at("toy"), 0o700) }},
				{"a file in a folder that was made later", func() error { return os.WriteFile(at("toy/a.yaml"), []byte("a"), 0o600) }},
				{"an edit", func() error { return os.WriteFile(at("toy/a.yaml"), []byte("bb"), 0o600) }},
				{"a rename", func() error { return os.Rename(at("toy/a.yaml"), at("toy/b.yaml")) }},
				{"a removal", func() error { return os.Remove(at("toy/b.yaml")) }},
				{"the folder that goes", func() error { return os.RemoveAll(dir) }},
				{"the folder that comes again", func() error { return os.Mkdir(dir, 0o700) }},
				{"a folder in it", func() error { return os.Mkdir(at("new"), 0o700) }},
				{"a file in that", func() error { return os.WriteFile(at("new/c.yaml"), nil, 0o600) }},
			} {
				waitUntilQuiet(changes)
				before := changes.Load()
				if err := step.do(); err != nil {
					t.Fatal(err)
				}
				waitFor(t, step.what, changes, before+1)
			}
		})
	}
}

// waitUntilQuiet waits until nothing more is reported.
func waitUntilQuiet(changes *atomic.Int64) {
	for range 50 {
		before := changes.Load()
		time.Sleep(3 * watch.Pause / 2)
		if changes.Load() == before {
			return
		}
	}
}

// A thousand changes are no thousand reloads.
func TestNoStorm(t *testing.T) {
	t.Parallel()
	dir, changes, _ := startWatching(t, 0)
	began := time.Now()
	for i := range 1000 {
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), make([]byte, i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	waitFor(t, "the storm", changes, 1)
	waitUntilQuiet(changes)
	if got, most := changes.Load(), int64((took+5*watch.Pause)/watch.Pause); got > most {
		t.Errorf("got %d within %s, want at most %d", got, took, most)
	}
}

// Changes outside the folder are not reported.
func TestOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	dir, changes, _ := startWatching(t, 0)
	for _, name := range []string{"beside", "watched-not"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(dir), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	waitUntilQuiet(changes)
	if got := changes.Load(); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
}

// Whoever closes leaves no goroutine behind. It runs alone.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, every := range []time.Duration{0, time.Millisecond} {
		for range 10 {
			dir, _, close := startWatching(t, every)
			if err := os.WriteFile(filepath.Join(dir, "a.yaml"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			close()
		}
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("got %d goroutines, want %d", runtime.NumGoroutine(), before)
}
