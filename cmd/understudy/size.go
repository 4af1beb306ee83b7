package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/pflag"
)

// size is a flag that takes a number of bytes: 1048576, 512KiB, 256MiB, 2GiB.
type size struct{ bytes *int64 }

// sizeVar adds a flag that takes a number of bytes.
func sizeVar(f *pflag.FlagSet, p *int64, name string, value int64, usage string) {
	*p = value
	f.Var(size{p}, name, usage)
}

// Type is how the help shows the flag's value.
func (size) Type() string { return "size" }

type unit struct {
	name  string
	bytes int64
}

// units of sizes, the largest first.
var units = []unit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

func (s size) String() string {
	if s.bytes == nil {
		return ""
	}
	for _, u := range units {
		if *s.bytes%u.bytes == 0 && *s.bytes != 0 {
			return strconv.FormatInt(*s.bytes/u.bytes, 10) + u.name
		}
	}
	return "0"
}

var sizeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]+)(B|KiB|MiB|GiB|)$`) })

// Set reads a number with or without a unit.
func (s size) Set(text string) error {
	m := sizeForm().FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("a number of bytes such as 256MiB, 512KiB or 1048576 was expected")
	}
	name := strings.TrimPrefix(m[2], "B")                                            // plain bytes have no name
	u := units[slices.IndexFunc(units, func(u unit) bool { return u.name == name })] // the form has no other
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || n > math.MaxInt64/u.bytes {
		return fmt.Errorf("it is too large")
	}
	*s.bytes = n * u.bytes
	return nil
}
