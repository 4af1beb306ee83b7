package library

import (
	"io/fs"
	"path"
	"strings"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// read reads one file of a layer. A file that says what it said when it was last
// good is not checked anew; one with a fault keeps its last good version.
func (l *Library) read(fsys fs.FS, file document.File, label string, before *layer) (entry, error) {
	e := entry{file: path.Join(label, file.Name)}
	e.name = strings.TrimSuffix(e.file[len(e.file)-len(file.Name):], document.Extension)
	if old := before.entry(e.name); old != nil {
		e = entry{name: old.name, file: old.file, good: old.good}
	}
	text, err := file.Read(fsys, e.file)
	if err == nil && e.good != nil && string(text) == e.good.text {
		return e, nil
	}
	var s *scenario.Scenario
	if err == nil {
		s, err = scenario.ParseAt(e.file, text, l.apis, scenario.Place{API: file.Folder, Name: file.Base})
	}
	if err != nil {
		e.fault = err.Error()
		return e, err
	}
	e.good = newVersion(s)
	return e, nil
}
