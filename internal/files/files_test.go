package files_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/understudy-suite/understudy/internal/files"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "folder"), 0o700),
		os.WriteFile(filepath.Join(dir, "right"), []byte("0123456789"), 0o600),
		os.WriteFile(filepath.Join(dir, "large"), []byte("0123456789x"), 0o600),
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
	for _, c := range []struct{ name, text, fault string }{
		{"right", "0123456789", ""},
		{"large", "", "the file has 11 bytes; at most 10 were expected"},
		{"folder", "", "this is no regular file"},
		{"gone", "", "looking at "},
	} {
		for how, read := range map[string]func() ([]byte, error){
			"in a folder": func() ([]byte, error) { return files.Read(folder, c.name, 10) },
			"by its path": func() ([]byte, error) { return files.ReadPath(filepath.Join(dir, c.name), 10) },
		} {
			text, err := read()
			if string(text) != c.text || (err == nil) != (c.fault == "") || err != nil && !strings.HasPrefix(err.Error(), c.fault) {
				t.Errorf("%s %s: got %q, %v; want %q, %s", c.name, how, text, err, c.text, c.fault)
			}
		}
	}
	for _, name := range []string{"../" + filepath.Base(dir) + "/right", "/right", ""} {
		if _, err := files.Read(folder, name, 10); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: got %v, want %v", name, err, fs.ErrInvalid)
		}
		if _, err := folder.Open(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("opening %q: got %v, want %v", name, err, fs.ErrInvalid)
		}
		if _, err := folder.ReadDir(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("listing %q: got %v, want %v", name, err, fs.ErrInvalid)
		}
	}
}

// A file that grows while it is read is not read for longer than is allowed.
func TestGrowingFile(t *testing.T) {
	t.Parallel()
	_, err := files.Read(growing{fstest.MapFS{"a": {Data: []byte("a")}}}, "a", 100)
	if size := (*files.SizeError)(nil); !errors.As(err, &size) || size.Size != 101 {
		t.Errorf("got %v, want 101 bytes to be too many", err)
	}
}

// growing is a file system whose files have no end, and say nothing of it.
type growing struct{ fs.FS }

func (g growing) Open(name string) (fs.File, error) {
	f, err := g.FS.Open(name)
	return endless{f}, err
}

type endless struct{ fs.File }

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestOpenNamesTheFolder(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{filepath.Join(t.TempDir(), "gone"), filepath.Join(t.TempDir(), "gone") + "/"} {
		if _, err := files.Open(dir); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "open "+dir+": ") {
			t.Errorf("got %v, want it to say that %s does not exist", err, dir)
		}
	}
	root, err := files.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	_ = root.Close()
}

// Nobody waits for a mount that has stopped answering. What waits for it in here is
// let go of at the end of the test.
func TestWithin(t *testing.T) {
	t.Parallel()
	answer, ended := make(chan struct{}), make(chan struct{})
	err := files.Within(time.Millisecond, "the folder x", func() error {
		defer close(ended)
		<-answer
		return nil
	})
	if want := "the folder x was still being read after 1ms; it may be on a mount that has stopped answering: mend the mount, or name another place"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	close(answer)
	<-ended
	if err := files.Within(time.Hour, "", func() error { return fs.ErrExist }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	at := filepath.Join(t.TempDir(), "summary")
	for range 2 {
		if err := files.Append(at, []byte("12345"), 10); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Append(at, []byte("6"), 10); err == nil || !strings.Contains(err.Error(), "summary cannot take 1 bytes more: the file has 10 bytes; at most 9 were expected") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(at); err != nil || string(text) != "1234512345" {
		t.Errorf("got %s, %v", text, err)
	}
	if err := files.Append(filepath.Dir(at), nil, 10); err == nil {
		t.Error("a folder was written to")
	}
}
