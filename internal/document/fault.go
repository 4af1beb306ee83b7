package document

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A Fault is one thing wrong with a file. Its text says what was found, what
// was expected and what to do.
type Fault struct {
	File   string
	Line   int // counted from 1
	Column int // in characters, counted from 1; 1 where it is not known
	Text   string
}

// Error is file:line:col: text, which editors and terminals know how to open.
func (f *Fault) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Most is how many faults of one file are reported. A file with more is probably of
// another kind.
const Most = 100

// Faults collects what is wrong with one file.
type Faults struct {
	File string
	list []*Fault
	more bool
}

// NewFaults returns an empty collection for a file.
func NewFaults(file string) *Faults { return &Faults{File: file} }

// Addf adds a fault at a node; nil stands for the beginning of the file.
func (f *Faults) Addf(n *yaml.Node, format string, args ...any) {
	line, column := 1, 1
	if n != nil {
		line, column = max(n.Line, 1), max(n.Column, 1)
	}
	f.addf(line, column, format, args...)
}

func (f *Faults) addf(line, column int, format string, args ...any) {
	if f.Full() {
		f.more = true
		return
	}
	f.list = append(f.list, &Fault{f.File, line, column, fmt.Sprintf(format, args...)})
}

// Count returns how many faults there are.
func (f *Faults) Count() int { return len(f.list) }

// Full reports whether further faults would not be reported, so that a
// reader of a long file may stop.
func (f *Faults) Full() bool { return len(f.list) >= Most }

// Err returns the faults sorted by their place, one a line, or nil where there
// is none. errors.As finds a *Fault in it.
func (f *Faults) Err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b *Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	all := make([]error, 0, len(f.list)+1)
	for _, fault := range f.list {
		all = append(all, fault)
	}
	if f.more {
		last := f.list[len(f.list)-1]
		all = append(all, &Fault{f.File, last.Line, last.Column, fmt.Sprintf("there are more than %d faults; mend these first", Most)})
	}
	return errors.Join(all...)
}

// shown is how many characters of a value stand in a fault.
const shown = 60

// Quote quotes what a file says, cut where it is long.
func Quote(s string) string {
	if len(s) <= shown {
		return strconv.Quote(s)
	}
	end := 0
	for range shown {
		_, n := utf8.DecodeRuneInString(s[end:])
		end += n
	}
	if end >= len(s) {
		return strconv.Quote(s)
	}
	return strconv.Quote(s[:end] + "…")
}
