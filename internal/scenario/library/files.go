package library

import (
	"crypto/sha256"
	"io/fs"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// A readResult is an entry, and its faults as an error.
type readResult struct {
	*entry
	err error
}

// read reads one file, which is called shown in its faults. A file that says
// what it said when it was last good is not read anew; one with a fault keeps
// its last good version.
func (l *Library) read(fsys fs.FS, file document.File, shown string, before *entry) readResult {
	e := &entry{file: shown}
	text, err := file.Read(fsys, shown)
	if err == nil {
		e.digest = sha256.Sum256(text)
		if before != nil && before.scenario != nil && before.digest == e.digest {
			return readResult{before.withoutFault(), nil}
		}
		e.scenario, err = scenario.ParseAt(shown, text, l.apis, scenario.Place{API: file.Folder, Name: file.Base})
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
