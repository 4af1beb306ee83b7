package library_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// many writes so many scenario files below a folder and opens it.
func many(t testing.TB, n int) *os.Root {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "toy"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		text := fmt.Appendf(nil, "scenario: s%d\napi: toy\ndescription: The first two calls fail.\ntags: [quota, retry]\nrules:\n"+
			"  - operation: Create\n    times: 2\n    where: {UserId: u%[1]d}\n    outcome: NotFound.NoIdle\n    with: {zebra: 1}\n"+
			"  - operation: Create\n    where: {UserId: u%[1]d}\n    wire: {delay: 2s}\n", i)
		if err := os.WriteFile(filepath.Join(dir, "toy", fmt.Sprintf("s%d.yaml", i)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

// Among thousands of files each is found by its short name without a search.
func TestManyFiles(t *testing.T) {
	root := many(t, 2000)
	l := library.New(apis)
	if err := l.Add(root.FS(), "dir"); err != nil {
		t.Fatal(err)
	}
	if n := len(l.List()); n != 2000 {
		t.Errorf("got %d", n)
	}
	for i := range 2000 {
		if _, err := l.Find(fmt.Sprintf("s%d", i)); err != nil {
			t.Fatal(err)
		}
	}
}

// A loaded file that nobody asked for is its text, its line in a list and its name:
// the collector has three objects of it to look at, whatever its rules are.
func TestLoadedFilesAreTexts(t *testing.T) {
	const files, texts, most, mostObjects = 2000, 260, 400, 4
	root := many(t, files)
	l := library.New(apis)
	before := heap()
	if err := l.Add(root.FS(), "dir"); err != nil {
		t.Fatal(err)
	}
	if l.InForce("toy/s0") == nil { // makes the index
		t.Fatal("the file was not read")
	}
	after := heap()
	each, objects := int(after.HeapAlloc-before.HeapAlloc)/files, float64(after.HeapObjects-before.HeapObjects)/files
	t.Logf("a loaded file of about %d bytes holds %d bytes in %.1f objects", texts, each, objects)
	if each > texts+most || objects > mostObjects {
		t.Errorf("a loaded file holds %d bytes in %.1f objects; at most its text, %d bytes and %d objects were expected", each, objects, most, mostObjects)
	}
	runtime.KeepAlive(l)
}

// heap is what is in use after a collection.
func heap() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// A scenario is made of its text once: whoever asks for it gets the same one, with
// all that the file says.
func TestScenarioIsMadeOnce(t *testing.T) {
	l := library.New(apis)
	says := text("toy", "a", "late")
	if err := l.Add(fstest.MapFS{"toy/a.yaml": file(says)}, "dir"); err != nil {
		t.Fatal(err)
	}
	s := l.InForce("toy/a")
	if s.Text != says || s.File != "dir/toy/a.yaml" || s.Description != "late" || !s.FromLibrary || len(s.Rules) != 1 || s.Rules[0].Line != 5 {
		t.Errorf("got %+v", s)
	}
	if err := l.Add(fstest.MapFS{"toy/a.yaml": file(says), "toy/b.yaml": file(text("toy", "b", "x"))}, "dir"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "toy/a"} {
		if again, err := l.Find(name); again != s {
			t.Errorf("%s: got another scenario, %v", name, err)
		}
	}
}

// BenchmarkLoad is 10,000 files read for the first time, and read again when
// nothing changed. Target: less than two seconds.
func BenchmarkLoad(b *testing.B) {
	root := many(b, 10_000)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if err := library.New(apis).Add(root.FS(), "dir"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		l := library.New(apis)
		for b.Loop() {
			if err := l.Add(root.FS(), "dir"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
