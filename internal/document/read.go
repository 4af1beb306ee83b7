package document

import (
	"fmt"
	"io"
	"io/fs"
)

// Read reads a file for Parse. It looks before it opens: a file that is too
// large is not read, and a pipe or device, which could keep its reader waiting
// for ever, not opened.
func Read(fsys fs.FS, file string) ([]byte, error) {
	info, err := fs.Stat(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", file, err)
	}
	faults := NewFaults(file)
	switch {
	case !info.Mode().IsRegular():
		faults.Addf(nil, "this is no regular file; a YAML file was expected")
	case info.Size() > MaxSize:
		faults.addTooLarge(info.Size())
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	f, err := fsys.Open(file)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", file, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return text, nil
}

func (f *Faults) addTooLarge(size int64) {
	f.Addf(nil, "the file has %d bytes; at most %d were expected; split it", size, MaxSize)
}
