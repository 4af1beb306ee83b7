package document

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/files"
)

// Extension is how the names of files end.
const Extension = ".yaml"

// A File is a YAML file that stands in a folder, or what a server cannot look into
// there.
type File struct {
	Name   string // in the whole folder: parcels/lost.yaml
	Folder string // parcels
	Base   string // lost

	fault string // why it cannot be looked into
}

// List finds the YAML files of a folder and of the folders in it. Hidden ones are left
// alone: editors and Kubernetes keep theirs there.
//
// A link that cannot be followed, since it leads out of the folder or nowhere, is
// listed as a file whose Read says so, and so is a folder that cannot be read, where its
// name is one of known. Other folders that cannot be read are left alone: lost+found, and
// what else a mounted folder keeps to itself.
func List(fsys fs.FS, known []string) ([]File, error) {
	top, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var found []File
	for _, entry := range top {
		name := entry.Name()
		if hidden(name) {
			continue
		}
		switch folder, err := files.IsFolder(fsys, entry); {
		case isYAML(name) && !folder:
			found = append(found, fileAt("", name))
		case err != nil:
			found = append(found, File{Name: name, fault: fmt.Sprintf("the link cannot be followed: %v; a folder, or a link to one inside of this folder was expected; "+
				"move the folder here, or take the link away", err)})
		case folder:
			found = append(found, within(fsys, name, slices.Contains(known, name))...)
		}
	}
	return found, nil
}

// within lists the files of a folder in the folder.
func within(fsys fs.FS, folder string, known bool) []File {
	inner, err := fs.ReadDir(fsys, folder)
	if err != nil && known {
		return []File{{Name: folder, fault: fmt.Sprintf("the folder cannot be read: %v; let the user of this process read it", err)}}
	}
	var found []File
	for _, entry := range inner {
		if !hidden(entry.Name()) && isYAML(entry.Name()) {
			found = append(found, fileAt(folder, entry.Name()))
		}
	}
	return found
}

func fileAt(folder, name string) File {
	return File{Name: path.Join(folder, name), Folder: folder, Base: strings.TrimSuffix(name, Extension)}
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// isYAML also knows the ending .yml, so that such a file can be reported
// instead of being passed over in silence.
func isYAML(name string) bool {
	return strings.HasSuffix(name, Extension) || strings.HasSuffix(name, ".yml")
}

// Read reads the file, which is called shown in its faults. That it does not stand in
// <api>/<name>.yaml is a fault too.
func (f File) Read(fsys fs.FS, shown string) ([]byte, error) {
	faults := NewFaults(shown)
	switch {
	case f.fault != "":
		faults.Addf(nil, "%s", f.fault)
	case f.Folder == "":
		faults.Addf(nil, "the file stands in no folder of an API; <api>/<name>.yaml was expected; move it")
	case !strings.HasSuffix(f.Name, Extension):
		faults.Addf(nil, "the file's name ends in .yml; .yaml was expected; rename it")
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	text, err := files.Read(fsys, f.Name, MaxSize)
	if err = asFault(shown, err); err == nil || errors.As(err, new(*Fault)) {
		return text, err
	}
	faults.Addf(nil, "the file cannot be read: %v", err)
	return nil, faults.Err()
}
