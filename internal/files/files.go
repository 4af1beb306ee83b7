// Package files opens and reads files so that nothing that lies in a folder can
// keep its reader waiting for ever or fill the memory: not a pipe that nobody
// writes to, not a device, not a file without an end, and not a mount that has
// stopped answering.
package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Folder is a folder of the operating system. Opening something in it never
// waits, as the opening of a pipe otherwise does, and no name and no link leads
// out of it.
type Folder struct{ root *os.Root }

// Open opens a folder. It may be a link to one.
func Open(dir string) (*Folder, error) {
	// The separator at the end has the system refuse what is no folder before it
	// is opened: a pipe would wait for a writer.
	root, err := os.OpenRoot(strings.TrimRight(filepath.Clean(dir), string(filepath.Separator)) + string(filepath.Separator))
	if err != nil {
		if fault := (*fs.PathError)(nil); errors.As(err, &fault) {
			fault.Path = dir
		}
		return nil, err
	}
	return &Folder{root}, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Open opens what has a name. What is opened may be no regular file.
func (f *Folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	file, err := f.open(name)
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f *Folder) open(name string) (*os.File, error) {
	return f.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|nonblock, 0)
}

// Stat looks at what has a name without opening it. It follows links.
func (f *Folder) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	return f.root.Stat(filepath.FromSlash(name))
}

// ReadDir lists a folder, sorted by name.
func (f *Folder) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	dir, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // nothing was written
	all, err := dir.ReadDir(-1)
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, err
}

// IsFolder reports whether an entry of the folder at the top of fsys is a folder,
// or a link to one. The error says why a link cannot be followed: it leads out of
// fsys, or nowhere.
func IsFolder(fsys fs.FS, entry fs.DirEntry) (bool, error) {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir(), nil
	}
	info, err := fs.Stat(fsys, entry.Name())
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}

// ErrNotRegular says that something is no regular file: a folder, a pipe, a socket
// or a device.
var ErrNotRegular = errors.New("this is no regular file")

// A SizeError says that a file is too large.
type SizeError struct{ Size, Most int64 } // in bytes; Size is the least that it may be

func (e *SizeError) Error() string {
	return fmt.Sprintf("the file has %d bytes; at most %d were expected", e.Size, e.Most)
}

// Read reads a regular file of at most so many bytes. What a look shows to be none is
// not opened; since it may be replaced between the look and the opening, what was
// opened is looked at again before it is read.
//
// In a Folder, in an embedded or in a virtual file system the opening never waits. How
// long the reading of a folder may take is up to whoever reads it: see Within.
func Read(fsys fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", name, err)
	}
	if err := check(info, most); err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	return readAll(f, name, most)
}

// ReadPath is Read for a path that a user named. It does not wait for longer than
// Limit.
func ReadPath(path string, most int64) (text []byte, err error) {
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	err = Within(Limit, "the file "+path, func() error {
		text, err := readPath(path, most)
		read <- result{text, err}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := <-read
	return r.text, r.err
}

func readPath(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", path, err)
	}
	if err := check(info, most); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return readAll(f, path, most)
}

// check refuses what is no regular file, and what is too large.
func check(info fs.FileInfo, most int64) error {
	switch {
	case !info.Mode().IsRegular():
		return ErrNotRegular
	case info.Size() > most:
		return &SizeError{info.Size(), most}
	}
	return nil
}

// readAll reads what was opened, and closes it.
func readAll(f fs.File, name string, most int64) ([]byte, error) {
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", name, err)
	}
	if err := check(info, most); err != nil {
		return nil, err
	}
	text := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead)) // which is enough unless the file grows
	if _, err := text.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if size := int64(text.Len()); size > most {
		return nil, &SizeError{size, most}
	}
	return text.Bytes(), nil
}

// Limit is how long a file or a folder is read at the most where nothing can go on
// without it.
const Limit = 30 * time.Second

// A SlowError says that a reading did not end in time.
type SlowError struct {
	What  string
	After time.Duration
}

func (e *SlowError) Error() string {
	return fmt.Sprintf("%s was still being read after %s; it may be on a mount that has stopped answering: mend the mount, or name another place", e.What, e.After)
}

// Within calls do, and does not wait for it for longer than limit: then it returns
// a *SlowError. What do does is left to end by itself, since the system does not let go of
// whoever waits for a mount; so do must not write to what others use by then.
func Within(limit time.Duration, what string, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return &SlowError{what, limit}
	}
}
