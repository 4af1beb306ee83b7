package scenario

import "strings"

// refuted remembers of the values at one place which rules they were found not
// to fit. What a condition says of a value never changes, and clients say the
// same few values again and again: a hundred regular expressions then cost no
// more than one look.
type refuted map[key]set

// mostKnown is how many values of a place are remembered, and longestKnown how
// long they may be, in bytes.
const (
	mostKnown    = 64
	longestKnown = 128
)

// of is the set for a key, for so many rules.
func (r refuted) of(k key, rules int) set {
	if known := r[k]; known != nil {
		return known
	}
	if len(r) == mostKnown {
		clear(r)
	}
	fresh := newSet(rules)
	r[key{k.kind, strings.Clone(k.text)}] = fresh // k may hold a whole request in memory
	return fresh
}

// nothing is the kind of key of what was not given.
const nothing = 'n'

// key is what a value is remembered by; "ok" is false for what is not.
func (v *value) key() (k key, ok bool) {
	if !v.given {
		return key{kind: nothing}, true
	}
	k, ok = keyOf(v.x)
	return k, ok && len(k.text) <= longestKnown
}

// recall looks up what is known of the values that the call says.
func (a *asking) recall() {
	for slot, known := range a.refuted {
		if len(known) == 0 {
			continue
		}
		v := a.at(slot, &a.places[slot])
		if k, ok := v.key(); ok {
			v.refuted = known[k]
		}
	}
}

// known is the w-th word of the set of rules that the call is known not to fit.
func (a *asking) known(w int) uint64 {
	var b uint64
	for slot := range a.refuted {
		if s := a.values[slot].refuted; s != nil {
			b |= s[w]
		}
	}
	return b
}

// refute remembers that what the call says does not fit the i-th rule.
func (a *asking) refute(i int, c *check) {
	if c.slot >= len(a.refuted) {
		return
	}
	v := &a.values[c.slot]
	if v.refuted == nil {
		k, ok := v.key()
		if !ok {
			return
		}
		if a.refuted[c.slot] == nil {
			a.refuted[c.slot] = refuted{}
		}
		v.refuted = a.refuted[c.slot].of(k, len(a.rules))
	}
	v.refuted.add(i)
}
