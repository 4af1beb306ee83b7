//go:build unix

package files_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/files"
)

// soon fails the test where do does not end soon: it waits for a writer, say.
func soon(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s did not end", what)
	}
}

func pipe(t *testing.T, name string) string {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Nothing waits for the writer of a pipe, whether it stands where a file, a folder in
// the folder, or the folder itself was expected.
func TestPipes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := pipe(t, filepath.Join(dir, "a.yaml"))
	folder, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	soon(t, "opening", func() {
		f, err := folder.Open("a.yaml")
		if err != nil {
			t.Errorf("opening a pipe: %v; it was expected to open, so that it can be looked at", err)
			return
		}
		_ = f.Close()
	})
	soon(t, "appending", func() {
		if err := files.Append(at, []byte("x"), 10); err == nil {
			t.Error("a pipe was written to")
		}
	})
	soon(t, "reading", func() {
		if _, err := files.Read(folder, "a.yaml", 10); !errors.Is(err, files.ErrNotRegular) {
			t.Errorf("reading a pipe in a folder: got %v", err)
		}
		if _, err := files.ReadPath(at, 10); !errors.Is(err, files.ErrNotRegular) {
			t.Errorf("reading a pipe by its path: got %v", err)
		}
	})
	soon(t, "listing", func() {
		if _, err := fs.ReadDir(folder, "a.yaml"); err == nil {
			t.Error("listing a pipe gave no error")
		}
	})
	soon(t, "opening it as a folder", func() {
		if _, err := files.Open(at); err == nil || err.Error() != "open "+at+": not a directory" {
			t.Errorf("opening a pipe as a folder: got %v", err)
		}
	})
}

// A file that becomes a pipe after it was looked at keeps nobody waiting: the bug of a
// watched folder in which files were replaced by pipes.
func TestFileThatBecomesAPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(name, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	soon(t, "reading", func() {
		_, err := files.Read(swapped{folder, func() {
			if err := os.Rename(pipe(t, filepath.Join(dir, "pipe")), name); err != nil {
				t.Error(err)
			}
		}}, "a.yaml", 10)
		if !errors.Is(err, files.ErrNotRegular) {
			t.Errorf("got %v, want %v", err, files.ErrNotRegular)
		}
	})
}

// swapped does something between the look at a file and its opening.
type swapped struct {
	*files.Folder
	between func()
}

func (s swapped) Open(name string) (fs.File, error) {
	s.between()
	return s.Folder.Open(name)
}

func TestIsFolder(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "folder"), 0o700),
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o600),
		os.Symlink("folder", filepath.Join(dir, "inside")),
		os.Symlink("file", filepath.Join(dir, "to-a-file")),
		os.Symlink(outside, filepath.Join(dir, "outside")),
		os.Symlink("gone", filepath.Join(dir, "nowhere")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	folder, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	all, err := fs.ReadDir(folder, ".")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, entry := range all {
		is, err := files.IsFolder(folder, entry)
		switch {
		case err != nil:
			got[entry.Name()] = "fault"
		case is:
			got[entry.Name()] = "folder"
		default:
			got[entry.Name()] = "file"
		}
	}
	want := map[string]string{"folder": "folder", "file": "file", "inside": "folder", "to-a-file": "file", "outside": "fault", "nowhere": "fault"}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %s, want %s", name, got[name], want[name])
		}
	}
}
