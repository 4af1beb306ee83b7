package document

import (
	"errors"
	"io/fs"

	"github.com/understudy-suite/understudy/internal/files"
)

// Read reads a file for Parse, as files.Read does. That it is too large or no
// regular file is a fault of the file.
func Read(fsys fs.FS, file string) ([]byte, error) {
	text, err := files.Read(fsys, file, MaxSize)
	return text, asFault(file, err)
}

// ReadPath is Read for a path that a user named.
func ReadPath(path string) ([]byte, error) {
	text, err := files.ReadPath(path, MaxSize)
	return text, asFault(path, err)
}

func asFault(file string, err error) error {
	faults := NewFaults(file)
	size := (*files.SizeError)(nil)
	switch {
	case errors.Is(err, files.ErrNotRegular):
		faults.Addf(nil, "this is no regular file; a YAML file was expected")
	case errors.As(err, &size):
		faults.addTooLarge(size.Size)
	default:
		return err
	}
	return faults.Err()
}

func (f *Faults) addTooLarge(size int64) {
	f.Addf(nil, "the file has %d bytes; at most %d were expected; split it", size, MaxSize)
}
