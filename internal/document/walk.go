package document

import (
	"encoding/json"
	"iter"
	"regexp"
	"strconv"
	"sync"

	"gopkg.in/yaml.v3"
)

// Resolve returns what an alias stands for, and any other node as it is.
func Resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// Describe says what a node is, for a fault that expected something else.
func Describe(n *yaml.Node) string {
	n = Resolve(n)
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "null"
	case "!!int", "!!float":
		return "the number " + clip(n.Value)
	case "!!bool":
		return n.Value
	}
	return "the text " + Quote(n.Value)
}

func clip(s string) string {
	quoted := Quote(s)
	return quoted[1 : len(quoted)-1]
}

// Pairs walks the keys and values of a mapping in their order, aliases
// resolved. Of anything else it says that a mapping was expected; what names
// it in that fault.
func Pairs(faults *Faults, n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		m := Resolve(n)
		if m.Kind != yaml.MappingNode {
			faults.Addf(n, "%s is %s; a mapping of keys to values was expected", what, Describe(n))
			return
		}
		for i := 0; i+1 < len(m.Content); i += 2 {
			if !yield(Resolve(m.Content[i]), Resolve(m.Content[i+1])) {
				return
			}
		}
	}
}

// Fields reads a mapping whose keys are known, and returns its values by key.
// Unknown keys are faults.
func Fields(faults *Faults, n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	for key, value := range Pairs(faults, n, what) {
		if faults.checkKey(key, what, known) {
			found[key.Value] = value
		}
	}
	return found
}

// checkKey reports whether a key is known, and adds a fault where it is not.
func (f *Faults) checkKey(key *yaml.Node, what string, known []string) bool {
	for _, word := range known {
		if word == key.Value {
			return true
		}
	}
	if !f.Full() {
		f.Addf(key, "%s has no key %s%s", what, Quote(key.Value), Hint(key.Value, known))
	}
	return false
}

// Elements returns what a list holds, aliases resolved.
func Elements(faults *Faults, n *yaml.Node, what string) []*yaml.Node {
	list := Resolve(n)
	if list.Kind != yaml.SequenceNode {
		faults.Addf(n, "%s is %s; a list was expected", what, Describe(n))
		return nil
	}
	elements := make([]*yaml.Node, 0, len(list.Content))
	for _, e := range list.Content {
		elements = append(elements, Resolve(e))
	}
	return elements
}

// Text reads a plain value as it is written: 007 stays 007, and true is the
// text "true".
func Text(faults *Faults, n *yaml.Node, what string) (string, bool) {
	n = Resolve(n)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		faults.Addf(n, "%s is %s; a plain value was expected", what, Describe(n))
		return "", false
	}
	return n.Value, true
}

// Integer reads a whole number.
func Integer(faults *Faults, n *yaml.Node, what string) (int, bool) {
	n = Resolve(n)
	text, ok := number(n)
	i, err := strconv.Atoi(text)
	if ok && err == nil {
		return i, true
	}
	_, err = strconv.Atoi(n.Value)
	faults.Addf(n, "%s is %s; a whole number was expected%s", what, Describe(n), unquote(n, err == nil))
	return 0, false
}

// unquote advises to take away the quotes that make a text of a value.
func unquote(n *yaml.Node, fits bool) string {
	if fits && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return "; take the quotes away"
	}
	return ""
}

// jsonNumber is how JSON writes a number. YAML also knows 0x1f, 1_000, .inf
// and 017 (which is 15); they are refused, because a reader may take them for
// something else.
var jsonNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`) })

// number returns the text of a number.
func number(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || !jsonNumber().MatchString(n.Value) {
		return "", false
	}
	return n.Value, true
}

// Scalar reads a plain value as JSON knows it: nil, a bool, a json.Number as
// it is written, or a string. Dates are strings.
func Scalar(faults *Faults, n *yaml.Node, what string) (any, bool) {
	n = Resolve(n)
	if n.Kind != yaml.ScalarNode {
		faults.Addf(n, "%s is %s; a plain value was expected", what, Describe(n))
		return nil, false
	}
	switch n.Tag {
	case "!!null":
		return nil, true
	case "!!bool":
		return n.Value[0] == 't' || n.Value[0] == 'T', true
	case "!!int", "!!float":
		text, ok := number(n)
		if !ok {
			faults.Addf(n, "%s is the number %s; a number as JSON writes it was expected; write it in decimal, or quote it", what, clip(n.Value))
		}
		return json.Number(text), ok
	}
	return n.Value, true
}
