package library_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// text is a scenario file.
func text(api, name, description string) string {
	return "scenario: " + name + "\napi: " + api + "\ndescription: " + description +
		"\nrules:\n  - operation: Create\n    outcome: success\n"
}

// described lists a library, one line for each.
func described(l *library.Library) string {
	var b strings.Builder
	for _, s := range l.List() {
		fmt.Fprintf(&b, "%s %s %s %s %d %v %t\n", s.Name, s.Description, s.File, s.Source, s.Rules, s.Operations, s.Error != "")
	}
	return b.String()
}

func TestLibraryReportsFaultyFiles(t *testing.T) {
	l := library.New(apis)
	err := l.Add(fstest.MapFS{
		"toy/good.yaml":      file(text("toy", "good", "x")),
		"toy/named.yaml":     file(text("toy", "other", "x")),
		"toy/strange.yaml":   file(text("other", "strange", "x")),
		"toy/broken.yaml":    file("scenario: broken\napi: toy\nrules:\n  - operation: Craete\n    outcome: success\n"),
		"toy/ending.yml":     file(text("toy", "ending", "x")),
		"toy/large.yaml":     {Data: make([]byte, document.MaxSize+1)},
		"toy/read.md":        file("no scenario"),
		"toy/.hidden.yaml":   file("x"),
		"toy/deep/deep.yaml": file("x"),
		"toy/dir.yaml/x":     file("x"),
		".git/x.yaml":        file("x"),
		"astray.yaml":        file(text("toy", "astray", "x")),
	}, "dir")
	want := `dir/astray.yaml:1:1: the file stands in no folder of an API; <api>/<name>.yaml was expected; move it
dir/toy/broken.yaml:4:16: toy has no operation "Craete"; did you mean "Create"?
dir/toy/dir.yaml:1:1: this is no regular file; a YAML file was expected
dir/toy/ending.yml:1:1: the file's name ends in .yml; .yaml was expected; rename it
dir/toy/large.yaml:1:1: the file has 1048577 bytes; at most 1048576 were expected; split it
dir/toy/named.yaml:1:11: scenario is "other", and the file is named "named"; give both the same name
dir/toy/strange.yaml:2:6: api is "other", and the file stands in the folder "toy"; move it to other, or change what it says`
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	list := `astray  dir/astray.yaml dir 0 [] true
toy/broken  dir/toy/broken.yaml dir 0 [] true
toy/dir  dir/toy/dir.yaml dir 0 [] true
toy/ending.yml  dir/toy/ending.yml dir 0 [] true
toy/good x dir/toy/good.yaml dir 1 [Create] false
toy/large  dir/toy/large.yaml dir 0 [] true
toy/named  dir/toy/named.yaml dir 0 [] true
toy/strange  dir/toy/strange.yaml dir 0 [] true
`
	if got := described(l); got != list {
		t.Errorf("got\n%swant\n%s", got, list)
	}
	if _, err := l.Find("toy/good"); err != nil {
		t.Errorf("got %v, want the good file in force", err)
	}
}

func TestLibraryLayersFolders(t *testing.T) {
	l := library.New(apis)
	add := func(label string, fsys fstest.MapFS) {
		t.Helper()
		if err := l.Add(fsys, label); err != nil {
			t.Fatal(err)
		}
	}
	describe := func(name string) string {
		s, err := l.Find(name)
		if err != nil {
			return err.Error()
		}
		return s.Description
	}
	tests := []struct {
		what string
		do   func()
		want string
	}{
		{"shipped", func() { add("shipped", fstest.MapFS{"toy/a.yaml": file(text("toy", "a", "shipped"))}) }, "shipped"},
		{"the user's over it", func() { add("mine", fstest.MapFS{"toy/a.yaml": file(text("toy", "a", "mine"))}) }, "mine"},
		{"shipped again stays below", func() { add("shipped", fstest.MapFS{"toy/a.yaml": file(text("toy", "a", "shipped"))}) }, "mine"},
		{"a faulty file keeps the last good one in force", func() {
			if l.Add(fstest.MapFS{"toy/a.yaml": file("scenario: b")}, "mine") == nil {
				t.Error("got no fault")
			}
		}, "mine"},
		{"put is over all", func() {
			if _, err := l.Put("toy/a", []byte(text("toy", "a", "put"))); err != nil {
				t.Error(err)
			}
		}, "put"},
		{"a faulty put changes nothing", func() {
			if _, err := l.Put("toy/a", []byte("scenario: a")); err == nil {
				t.Error("got no fault")
			}
		}, "put"},
		{"delete shows what is below", func() {
			if err := l.Delete("a"); err != nil {
				t.Error(err)
			}
		}, "mine"},
		{"a file that is gone goes", func() { add("mine", fstest.MapFS{"other/a.yaml": file(text("other", "a", "else"))}) }, "shipped"},
	}
	for _, tt := range tests {
		tt.do()
		if got := describe("toy/a"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, got, tt.want)
		}
	}
	if got, want := described(l), "other/a else mine/other/a.yaml mine 1 [Create] false\ntoy/a shipped shipped/toy/a.yaml shipped 1 [Create] false\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A file that was read while half of it was written is the same scenario once
// it says again what it said: where it is on, it goes on.
func TestLibraryReadsHalfAFile(t *testing.T) {
	l := library.New(apis)
	whole := text("toy", "a", "whole")
	if err := l.Add(fstest.MapFS{"toy/a.yaml": file(whole)}, "mine"); err != nil {
		t.Fatal(err)
	}
	before := l.InForce("toy/a")
	for _, half := range []string{"", whole[:20]} {
		if l.Add(fstest.MapFS{"toy/a.yaml": file(half)}, "mine") == nil {
			t.Error("got no fault")
		}
	}
	changes, err := l.Reload(fstest.MapFS{"toy/a.yaml": file(whole)}, "mine")
	if err != nil || len(changes) != 1 || changes[0].Kind != library.Changed {
		t.Errorf("got %v, %v", changes, err)
	}
	if l.InForce("toy/a") != before {
		t.Error("the scenario is another one")
	}
	if got := l.List(); len(got) != 1 || got[0].Error != "" {
		t.Errorf("got %+v", got)
	}
}

// What is read late lies where it was put: below what came after it, though
// that was read first.
func TestLibraryReadsLater(t *testing.T) {
	opened := 0
	shipped := counting{fstest.MapFS{
		"toy/a.yaml":   file(text("toy", "a", "shipped")),
		"toy/b.yaml":   file(text("toy", "b", "shipped")),
		"toy/bad.yaml": file("scenario: bad"),
	}, &opened}
	l := library.New(apis)
	l.AddLater(shipped, "shipped")
	if err := l.Add(fstest.MapFS{"toy/a.yaml": file(text("toy", "a", "mine"))}, "dir"); err != nil {
		t.Fatal(err)
	}
	if opened > 0 {
		t.Errorf("%d files were opened before anybody asked", opened)
	}
	if s, err := l.Find("b"); err != nil || s.Description != "shipped" {
		t.Errorf("got %v, %v", s, err)
	}
	before := opened
	want := "toy/a mine dir/toy/a.yaml dir 1 [Create] false\ntoy/b shipped shipped/toy/b.yaml shipped 1 [Create] false\ntoy/bad  shipped/toy/bad.yaml shipped 0 [] true\n"
	if got := described(l); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if opened != before {
		t.Error("files were read twice")
	}
}

// counting counts the files that are opened.
type counting struct {
	fs.FS
	opened *int
}

func (c counting) Open(name string) (fs.File, error) {
	*c.opened++
	return c.FS.Open(name)
}

func TestLibraryFinds(t *testing.T) {
	l := library.New(apis)
	if err := l.Add(fstest.MapFS{
		"toy/no-idle.yaml":   file(text("toy", "no-idle", "x")),
		"toy/both.yaml":      file(text("toy", "both", "x")),
		"other/both.yaml":    file(text("other", "both", "x")),
		"other/slow.v2.yaml": file(text("other", "slow.v2", "x")),
	}, "shipped"); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, want string }{
		{"toy/no-idle", "toy/no-idle"},
		{"no-idle", "toy/no-idle"},
		{"slow.v2", "other/slow.v2"},
		{"toy/Create/NotFound.NoIdle", "toy/Create/NotFound.NoIdle"},
		{"toy/Login/internalError", "toy/Login/internalError"},
		{"toy/*/expired", "toy/*/expired"},
		{"noidle", `there is no scenario "noidle"; did you mean "no-idle"?`},
		{"toy/noidle", `there is no scenario "toy/noidle"; did you mean "toy/no-idle"?`},
		{"weather", `there is no scenario "weather"; known: both, no-idle, slow.v2`},
		{"", `there is no scenario ""; known: both, no-idle, slow.v2`},
		{"both", `there is no scenario "both" alone; several APIs have one: say which of other/both, toy/both`},
		{"tyo/Create/success", `there is no scenario "tyo/Create/success"; there is no API "tyo"; did you mean "toy"?`},
		{"toy/Craete/success", `there is no scenario "toy/Craete/success"; toy has no operation "Craete"; did you mean "Create"?`},
		{"toy/Create/NoIdle", `there is no scenario "toy/Create/NoIdle"; Create has no outcome "NoIdle"; did you mean "NotFound.NoIdle"?`},
		{"toy/*/NotFound.NoIdle", `there is no scenario "toy/*/NotFound.NoIdle"; * has no outcome "NotFound.NoIdle"; known: expired, internalError`},
	}
	for _, tt := range tests {
		got, err := l.Find(tt.name)
		if err != nil {
			if unknown := (*library.UnknownError)(nil); !errors.As(err, &unknown) || unknown.Name != tt.name {
				t.Errorf("%s: got %#v, want an UnknownError", tt.name, err)
			}
			if err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		} else if got.FullName() != tt.want {
			t.Errorf("got %s, want %s", got.FullName(), tt.want)
		}
	}
}

func TestLibraryPutsAndDeletes(t *testing.T) {
	l := library.New(apis)
	if err := l.Add(fstest.MapFS{"toy/filed.yaml": file(text("toy", "filed", "x"))}, "shipped"); err != nil {
		t.Fatal(err)
	}
	put := func(name string) func() error {
		return func() error { _, err := l.Put(name, []byte(text("toy", "a", "x"))); return err }
	}
	del := func(name string) func() error { return func() error { return l.Delete(name) } }
	tests := []struct {
		what string
		do   func() error
		want string
	}{
		{"full name", put("toy/a"), "<nil>"},
		{"file", put("toy/a.yaml"), "<nil>"},
		{"short name", put("a"), "<nil>"},
		{"no name", put(""), "<nil>"},
		{"other name", put("toy/b"), `toy/b:1:11: scenario is "a", and the file is named "b"; give both the same name`},
		{"other API", put("other/a"), `other/a:2:6: api is "toy", and the file stands in the folder "other"; move it to toy, or change what it says`},
		{"delete", del("toy/a"), "<nil>"},
		{"delete again", del("toy/a"), `there is no scenario "toy/a"; known: toy/filed`},
		{"delete a file", del("filed"), "deleting scenario toy/filed: it comes from the file shipped/toy/filed.yaml; take the file away"},
		{"delete an outcome", del("toy/Create/success"), "deleting scenario toy/Create/success: it is a documented outcome and always there"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(tt.do()); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.what, got, tt.want)
		}
	}
	for i := range 1000 {
		if _, err := l.Put("", []byte(text("toy", fmt.Sprint("n", i), "x"))); err != nil {
			t.Fatal(err)
		}
	}
	want := "putting scenario toy/a: 1000 are there already; delete some"
	if _, err := l.Put("", []byte(text("toy", "a", "x"))); fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestLibraryStaysInside holds that a link out of the folder is not followed,
// and one inside of it is, as Kubernetes mounts its files.
func TestLibraryStaysInside(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret.yaml")
	for _, err := range []error{
		os.WriteFile(outside, []byte(text("toy", "secret", "x")), 0o600),
		os.MkdirAll(filepath.Join(dir, "..data"), 0o700),
		os.Mkdir(filepath.Join(dir, "toy"), 0o700),
		os.WriteFile(filepath.Join(dir, "..data", "a.yaml"), []byte(text("toy", "a", "x")), 0o600),
		os.Symlink("../..data/a.yaml", filepath.Join(dir, "toy", "a.yaml")),
		os.Symlink(outside, filepath.Join(dir, "toy", "secret.yaml")),
		os.Symlink("secret.yaml", filepath.Join(dir, "toy", "twice.yaml")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	l := library.New(apis)
	err = l.Add(root.FS(), "dir")
	if lines := strings.Split(fmt.Sprint(err), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[0], "dir/toy/secret.yaml:1:1: the file cannot be read: ") {
		t.Errorf("got %v, want two files that cannot be read", err)
	}
	if _, err := l.Find("toy/a"); err != nil {
		t.Errorf("got %v, want a link inside to be followed", err)
	}
	if s, err := l.Find("toy/secret"); err == nil {
		t.Errorf("got %v, want nothing from outside", s)
	}
}

func TestLibraryUnreadableFolder(t *testing.T) {
	l := library.New(apis)
	if _, err := l.Put("", []byte(text("toy", "a", "x"))); err != nil {
		t.Fatal(err)
	}
	want := "reading the scenarios of gone: open .: no such file or directory"
	if err := l.Add(os.DirFS(filepath.Join(t.TempDir(), "gone")), "gone"); fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestLibraryServesMany(t *testing.T) {
	l := library.New(apis)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				_ = l.Add(fstest.MapFS{"toy/a.yaml": file(text("toy", "a", "x"))}, fmt.Sprint(i%2))
				_, _ = l.Put("", []byte(text("toy", fmt.Sprint("p", i), "x")))
				_, _ = l.Find("a")
				_ = l.List()
				_ = l.Delete(fmt.Sprint("p", i))
			}
		})
	}
	all.Wait()
	if got, want := len(l.List()), 1; got != want {
		t.Errorf("got %d scenarios, want %d", got, want)
	}
}
