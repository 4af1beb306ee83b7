package wire

import (
	"maps"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// EncodeRows writes values as a JSON object: in the order of their rows, and
// those that no row has after them, by name.
func EncodeRows(rows []contract.Param, in contract.Values) []byte {
	names := make([]string, 0, len(in))
	for i := range rows {
		if _, given := in[rows[i].Name]; given {
			names = append(names, rows[i].Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	b := []byte("{")
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, Encode(name)...), ':')
		b = append(b, Encode(in[name])...)
	}
	return append(b, '}')
}
