package library

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// An index finds what is in force.
type index struct {
	full  []named // sorted by the full name
	short []int   // numbers in full, sorted by the short name and then the full one
}

// named is what is in force of a full name.
type named struct {
	full    string
	version *version
}

// short is the name without the API's.
func (n *named) short() string {
	_, short, _ := strings.Cut(n.full, "/")
	return short
}

// newIndex makes the index of layers, of which the lowest comes first.
func newIndex(layers []*layer) *index {
	inForce := map[string]*version{}
	for _, y := range layers {
		for i := range y.entries {
			if e := &y.entries[i]; e.good != nil {
				inForce[e.name] = e.good
			}
		}
	}
	x := &index{full: make([]named, 0, len(inForce)), short: make([]int, 0, len(inForce))}
	for i, name := range slices.Sorted(maps.Keys(inForce)) {
		x.full = append(x.full, named{name, inForce[name]})
		x.short = append(x.short, i)
	}
	slices.SortFunc(x.short, func(a, b int) int {
		return cmp.Or(strings.Compare(x.full[a].short(), x.full[b].short()), cmp.Compare(a, b))
	})
	return x
}

// find finds what has a full name, or nil.
func (x *index) find(full string) *version {
	i, found := slices.BinarySearchFunc(x.full, full, func(n named, full string) int { return strings.Compare(n.full, full) })
	if !found {
		return nil
	}
	return x.full[i].version
}

// findShort lists what has a short name, by the full one.
func (x *index) findShort(short string) (found []*named) {
	first, _ := slices.BinarySearchFunc(x.short, short, func(i int, short string) int { return strings.Compare(x.full[i].short(), short) })
	for _, i := range x.short[first:] {
		if x.full[i].short() != short {
			break
		}
		found = append(found, &x.full[i])
	}
	return found
}

// names lists all full names, sorted.
func (x *index) names() []string {
	all := make([]string, len(x.full))
	for i := range x.full {
		all[i] = x.full[i].full
	}
	return all
}

// shortNames lists all short names once, sorted.
func (x *index) shortNames() []string {
	all := make([]string, len(x.short))
	for k, i := range x.short {
		all[k] = x.full[i].short()
	}
	return slices.Compact(all)
}
