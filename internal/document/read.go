package document

import (
	"errors"

	"github.com/understudy-suite/understudy/internal/files"
)

// ReadPath reads a file that a user named for Parse, as files.ReadPath does. That it is
// too large or no regular file is a fault of the file.
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
