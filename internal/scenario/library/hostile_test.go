//go:build unix

package library_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/files"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// hostile are files that somebody might lay into a folder, and what is said of
// them; the other files are taken all the same.
func hostile() map[string]struct{ text, want string } {
	head := func(name string) string { return "scenario: " + name + "\napi: toy\nrules:\n" }
	bomb := "scenario: bomb\napi: toy\na: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i, c := 'b', 'a'; i <= 'i'; i, c = i+1, c+1 {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", i, i, c, c, c, c, c, c, c, c, c, c)
	}
	patterns := head("patterns") + "  - operation: Create\n    outcome: success\n    where:\n"
	for i := range 60 {
		patterns += fmt.Sprintf("      header.X-%d: {matches: 'a{1000}'}\n", i)
	}
	return map[string]struct{ text, want string }{
		"bomb":      {bomb, "bomb.yaml:6:36: with the alias *c aliases stand for more than 10000 values or 1048576 bytes; use fewer"},
		"cyclic":    {head("cyclic") + "  - &r\n    operation: Create\n    outcome: success\n    with: *r\n", "cyclic.yaml:7:11: the alias *r stands for what it is a part of; write out what is meant"},
		"large":     {head("large") + strings.Repeat("# and so on and so on and so on and so on and so on\n", 20_500), "large.yaml:1:1: the file has 1066032 bytes; at most 1048576 were expected; split it"},
		"rules":     {head("rules") + strings.Repeat("  - {operation: Create, times: 1, outcome: success}\n", 20_000), "rules.yaml:504:5: this is rule 501; at most 500 were expected; split the scenario"},
		"tabs":      {"scenario: tabs\napi: toy\nrules:\n\t- operation: Create\n", "tabs.yaml:4:1: this is not YAML: found character that cannot start any token; indent with spaces, not with tabs"},
		"twice":     {head("twice") + "  - {operation: Create, outcome: success, outcome: success}\n", `twice.yaml:4:43: the key "outcome" stands twice, first in line 4; leave one`},
		"latin":     {head("latin") + "  - {operation: Create, outcome: success, message: \"gr\xfc\xdfe\"}\n", "latin.yaml:4:55: the byte 0xfc is not UTF-8; save the file as UTF-8"},
		"control":   {head("control") + "  - {operation: Create, outcome: success} # \x07\n", "control.yaml:4:45: the character U+0007 may not stand in YAML; write it as an escape in double quotes"},
		"deep":      {head("deep") + "  - {operation: Create, outcome: success, with: {id: " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}}\n", "deep.yaml:4:114: values are nested deeper than 64 levels; nothing that is read here is"},
		"merge":     {head("merge") + "  - &a {operation: Create, times: 1, outcome: success}\n  - {<<: *a, times: 2}\n", "merge.yaml:5:6: the merge key << is not read here; write the keys out, or use an alias for the whole value"},
		"patterns":  {patterns, "patterns.yaml:57:30: this is regular expression 51 of the file; at most 50 were expected; use in, or split the file"},
		"machine":   {head("machine") + "  - {operation: Create, outcome: success, where: {UserId: {matches: '((a{100}){100}){100}'}}}\n", "machine.yaml:4:69: where UserId.matches is no regular expression: invalid repeat count: `{100}`; the syntax is RE2"},
		"documents": {head("documents") + "  - {operation: Create, outcome: success}\n---\nscenario: second\n", "documents.yaml:5:1: a second document begins here; one was expected; take the --- away or make two files of it"},
		"nothing":   {"", "nothing.yaml:1:1: the file is empty; a mapping of keys to values was expected"},
	}
}

func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	toyDir := filepath.Join(dir, "toy")
	if err := os.Mkdir(toyDir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(toyDir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("good", text("toy", "good", "x"))
	put("marked", "\ufeff"+text("toy", "marked", "begins with a byte order mark, as Windows writes it"))
	all := hostile()
	for name, file := range all {
		put(name, file.text)
	}
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte(text("toy", "outside", "x")), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"outside": outside, "loop": "loop.yaml", "dangling": "nowhere.yaml", "up": "../../../../etc/passwd"} {
		if err := os.Symlink(to, filepath.Join(toyDir, link+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(toyDir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	l := library.New(apis)
	began := time.Now()
	described := fmt.Sprint(l.Add(root, "dir"))
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	for name, file := range all {
		if !strings.Contains(described, "dir/toy/"+file.want) {
			t.Errorf("%s: want %s", name, file.want)
		}
	}
	for _, link := range []string{"outside", "loop", "dangling", "up"} {
		if want := "dir/toy/" + link + ".yaml:1:1: the file cannot be read: "; !strings.Contains(described, want) {
			t.Errorf("want %s", want)
		}
	}
	if want := "dir/toy/pipe.yaml:1:1: this is no regular file; a YAML file was expected"; !strings.Contains(described, want) {
		t.Errorf("want %s", want)
	}
	if t.Failed() {
		t.Log(described)
	}
	for _, name := range []string{"good", "marked"} {
		if _, err := l.Find(name); err != nil {
			t.Error(err)
		}
	}
	for name := range all {
		if s := l.InForce("toy/" + name); s != nil {
			t.Errorf("%s is in force", name)
		}
	}
}

// A folder that goes while it is read, or for good, changes nothing of what is
// in force.
func TestFolderThatVanishes(t *testing.T) {
	root := many(t, 500)
	l := library.New(apis)
	if err := l.Add(root.FS(), "dir"); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error)
	go func() { gone <- os.RemoveAll(root.Name()) }()
	for range 20 {
		_, _ = l.Reload(root.FS(), "dir") // whatever is left of it
	}
	if err := <-gone; err != nil {
		t.Fatal(err)
	}
	before := len(l.List())
	if _, err := l.Reload(os.DirFS(root.Name()), "dir"); err == nil || !strings.Contains(err.Error(), "reading the scenarios of dir: ") {
		t.Errorf("got %v", err)
	}
	if after := len(l.List()); after != before {
		t.Errorf("got %d scenarios, want %d", after, before)
	}
}

// A folder that a server would read and cannot look into is a fault of its own: the bug
// of a link to a folder outside, which was passed over in silence.
func TestFoldersThatCannotBeRead(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(outside, "a.yaml"), []byte(text("toy", "a", "x")), 0o600),
		os.Mkdir(filepath.Join(dir, "..data"), 0o700),
		os.WriteFile(filepath.Join(dir, "..data", "b.yaml"), []byte(text("toy", "b", "x")), 0o600),
		os.Symlink("..data", filepath.Join(dir, "toy")),
		os.Symlink(outside, filepath.Join(dir, "all")),
		os.Symlink("nowhere", filepath.Join(dir, "later")),
		os.Symlink("nowhere", filepath.Join(dir, ".#lock")),
		os.Mkdir(filepath.Join(dir, "lost+found"), 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	folder, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	l := library.New(apis)
	lines := strings.Split(fmt.Sprint(l.Add(folder, "dir")), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "dir/all:1:1: the link cannot be followed: ") || !strings.HasPrefix(lines[1], "dir/later:1:1: the link cannot be followed: ") {
		t.Errorf("got %q, want two links that cannot be followed", lines)
	}
	if _, err := l.Find("toy/b"); err != nil {
		t.Errorf("got %v, want a link inside to be followed", err)
	}
	faults := 0
	for _, s := range l.List() {
		if s.Error != "" {
			faults++
		}
	}
	if faults != 2 {
		t.Errorf("%d faults are listed, want 2", faults)
	}
}
