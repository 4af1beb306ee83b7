package files

import (
	"errors"
	"fmt"
	"os"
)

// Append writes at the end of a regular file, and makes one where there is none. Where the
// file would be of more than so many bytes, it stays as it is.
func Append(path string, text []byte, most int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|nonblock, 0o644)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	return errors.Join(appendTo(f, text, most), f.Close())
}

func appendTo(f *os.File, text []byte, most int64) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("looking at %s: %w", f.Name(), err)
	}
	if err := check(info, most-int64(len(text))); err != nil {
		return fmt.Errorf("%s cannot take %d bytes more: %w", f.Name(), len(text), err)
	}
	if _, err := f.Write(text); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
