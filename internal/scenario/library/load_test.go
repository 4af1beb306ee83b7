package library_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

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
