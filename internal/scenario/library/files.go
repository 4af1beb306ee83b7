package library

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario"
)

const extension = ".yaml"

// listFiles finds the YAML files of a folder and of the folders in it. Hidden ones
// are left alone: editors and Kubernetes keep theirs there.
func listFiles(fsys fs.FS) ([]string, error) {
	top, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range top {
		name := entry.Name()
		if hidden(name) {
			continue
		}
		if !isFolder(fsys, name, entry) {
			if isYAML(name) {
				files = append(files, name)
			}
			continue
		}
		inner, err := fs.ReadDir(fsys, name)
		if err != nil {
			continue // lost+found, and what else a mounted folder keeps to itself
		}
		for _, entry := range inner {
			if !hidden(entry.Name()) && isYAML(entry.Name()) {
				files = append(files, path.Join(name, entry.Name()))
			}
		}
	}
	return files, nil
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// isYAML also knows the ending .yml, so that such a file can be reported
// instead of being passed over in silence.
func isYAML(name string) bool {
	return strings.HasSuffix(name, extension) || strings.HasSuffix(name, ".yml")
}

// isFolder follows a link to where it leads; the file system decides whether it
// may. A link that leads nowhere is no folder.
func isFolder(fsys fs.FS, name string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir()
	}
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// A readResult is an entry, and its faults as an error.
type readResult struct {
	*entry
	err error
}

// read reads one file, which is called shown in its faults. A file that says
// what it said when it was last good is not read anew; one with a fault keeps
// its last good version.
func (l *Library) read(fsys fs.FS, file, shown string, before *entry) readResult {
	e := &entry{file: shown}
	text, at, err := readFile(fsys, file, shown)
	if err == nil {
		e.digest = sha256.Sum256(text)
		if before != nil && before.scenario != nil && before.digest == e.digest {
			return readResult{before.withoutFault(), nil}
		}
		e.scenario, err = scenario.ParseAt(shown, text, l.apis, at)
	}
	switch {
	case err == nil:
		e.scenario.FromLibrary = true
	case before != nil:
		e.scenario, e.digest, e.fault = before.scenario, before.digest, err.Error()
	default:
		e.fault = err.Error()
	}
	return readResult{e, err}
}

// withoutFault is the entry of a file that says again what it said when it was good:
// half of it was read while it was written.
func (e *entry) withoutFault() *entry {
	if e.fault == "" {
		return e
	}
	good := *e
	good.fault = ""
	return &good
}

// readFile finds out what a file says and where it stands.
func readFile(fsys fs.FS, file, shown string) (text []byte, at scenario.Place, err error) {
	faults := document.NewFaults(shown)
	api, base := path.Split(file)
	if api == "" {
		faults.Addf(nil, "the file stands in no folder of an API; <api>/<name>.yaml was expected; move it")
		return nil, at, faults.Err()
	}
	if !strings.HasSuffix(base, extension) {
		faults.Addf(nil, "the file's name ends in .yml; .yaml was expected; rename it")
		return nil, at, faults.Err()
	}
	text, err = document.Read(fsys, file)
	if fault := (*document.Fault)(nil); errors.As(err, &fault) {
		fault.File = shown
		return nil, at, fault
	}
	if err != nil {
		faults.Addf(nil, "the file cannot be read: %v", err)
		return nil, at, faults.Err()
	}
	return text, scenario.Place{API: strings.TrimSuffix(api, "/"), Name: strings.TrimSuffix(base, extension)}, nil
}
