package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
)

// Check reads a mapping by the rows of a table and returns its values in the
// Go types that stand behind contract.Type. Keys that no row has, missing
// required ones and values that their row refuses are faults; what names the
// mapping in them.
//
// The rows judge as contract.Validate does. The texts on and off are truth values
// where a row is Boolean, texts are taken as they are written where it is
// String (007 stays 007), and what has no rows is returned as JSON knows it,
// numbers as json.Number. Defaults are not filled in.
func Check(faults *Faults, n *yaml.Node, table []contract.Param, what string) contract.Values {
	return checker{faults}.mapping(n, table, what, "")
}

type checker struct{ faults *Faults }

func (c checker) mapping(n *yaml.Node, table []contract.Param, what, under string) contract.Values {
	out := contract.Values{}
	for key, value := range Pairs(c.faults, n, what) {
		i := slices.IndexFunc(table, func(p contract.Param) bool { return p.Name == key.Value })
		if i < 0 {
			c.faults.checkKey(key, what, names(table))
			continue
		}
		if x, ok := c.value(&table[i], value, under+key.Value); ok {
			out[key.Value] = x
		}
	}
	for i := range table {
		if p := &table[i]; p.Need == contract.Required && !hasKey(n, p.Name) {
			c.faults.Addf(n, "%s has no %q; %s was expected", what, p.Name, expectedType(p))
		}
	}
	return out
}

func names(table []contract.Param) []string {
	all := make([]string, len(table))
	for i := range table {
		all[i] = table[i].Name
	}
	return all
}

// hasKey reports whether a mapping has a key, whatever its value. It is true for what
// is no mapping, since that has been reported.
func hasKey(n *yaml.Node, name string) bool {
	n = Resolve(n)
	if n.Kind != yaml.MappingNode {
		return true
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if Resolve(n.Content[i]).Value == name {
			return true
		}
	}
	return false
}

func (c checker) value(p *contract.Param, n *yaml.Node, path string) (any, bool) {
	switch {
	case n.Kind == yaml.MappingNode && p.Type == contract.Object && p.Fields != nil:
		return c.mapping(n, p.Fields, path, path+"."), true
	case n.Kind == yaml.MappingNode && p.Type == contract.Object:
		return c.untyped(n, path)
	case n.Kind == yaml.SequenceNode && p.Type == contract.List:
		return c.list(p, n, path), true
	case n.Kind != yaml.ScalarNode:
		c.faults.Addf(n, "%s is %s; %s was expected", path, Describe(n), expectedType(p))
		return nil, false
	}
	return c.scalar(p, n, path)
}

func (c checker) list(p *contract.Param, n *yaml.Node, path string) []any {
	out := []any{}
	element := &contract.Param{Type: p.Of, Fields: p.Fields}
	for i, e := range Elements(c.faults, n, path) {
		if x, ok := c.value(element, e, path+"."+strconv.Itoa(i)); ok {
			out = append(out, x)
		}
	}
	return out
}

// untyped reads a value without rows.
func (c checker) untyped(n *yaml.Node, path string) (any, bool) {
	n = Resolve(n)
	switch n.Kind {
	case yaml.MappingNode:
		out := contract.Values{}
		for key, value := range Pairs(c.faults, n, path) {
			if x, ok := c.untyped(value, path+"."+key.Value); ok {
				out[key.Value] = x
			}
		}
		return out, true
	case yaml.SequenceNode:
		out := []any{}
		for i, e := range n.Content {
			if x, ok := c.untyped(e, path+"."+strconv.Itoa(i)); ok {
				out = append(out, x)
			}
		}
		return out, true
	}
	return Scalar(c.faults, n, path)
}

// scalar validates a scalar by its row.
func (c checker) scalar(p *contract.Param, n *yaml.Node, path string) (any, bool) {
	in := contract.Values{p.Name: raw(p, n)}
	found := contract.Validate([]contract.Param{*p}, in)
	if len(found) > 0 {
		c.violation(p, n, path, found[0].Rule)
		return nil, false
	}
	if f, ok := in[p.Name].(float64); ok && (p.Min != 0 || p.Max != 0) && (f < float64(p.Min) || f > float64(p.Max)) {
		c.violation(p, n, path, contract.TooLarge)
		return nil, false
	}
	return in[p.Name], true
}

// raw is a plain value as a row should see it: what is quoted is text and
// nothing else.
func raw(p *contract.Param, n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!int", "!!float":
		if _, ok := number(n); !ok && p.Type != contract.String {
			return n.Value
		}
		return contract.Raw(n.Value)
	case "!!bool", "!!timestamp":
		return contract.Raw(n.Value)
	}
	if n.Style == 0 && p.Type == contract.Boolean {
		return contract.Raw(n.Value)
	}
	return n.Value
}

// violation reports what a row found.
func (c checker) violation(p *contract.Param, n *yaml.Node, path string, rule contract.Rule) {
	switch rule {
	case contract.Null:
		advice := "; leave the key out to say nothing"
		if p.Need == contract.Required {
			advice = ""
		}
		c.faults.Addf(n, "%s is null; %s was expected%s", path, expectedType(p), advice)
	case contract.Empty:
		c.faults.Addf(n, "%s is empty; %s was expected", path, expectedType(p))
	case contract.Unlisted:
		c.faults.Addf(n, "%s is %s; %s was expected%s", path, Quote(n.Value), expectedType(p), suggestedValue(n.Value, p.OneOf))
	case contract.TooLong:
		c.faults.Addf(n, "%s has %d characters; at most %d were expected", path, utf8.RuneCountInString(n.Value), p.Max)
	case contract.TooSmall, contract.TooLarge:
		c.faults.Addf(n, "%s is %s; %d to %d was expected", path, clip(n.Value), p.Min, p.Max)
	default:
		_, fits := p.Type.Convert(contract.Raw(n.Value))
		c.faults.Addf(n, "%s is %s; %s was expected%s", path, Describe(n), expectedType(p), unquote(n, fits))
	}
}

func suggestedValue(got string, known []string) string {
	if word := nearest(got, known); word != "" {
		return fmt.Sprintf("; did you mean %q?", word)
	}
	return ""
}

// ShownWords are values as they are listed; "" would not be seen.
func ShownWords(words []string) []string {
	shown := slices.Clone(words)
	for i, word := range shown {
		if word == "" {
			shown[i] = `""`
		}
	}
	return shown
}

// expectedType describes what a row expects.
func expectedType(p *contract.Param) string {
	if len(p.OneOf) > 0 && len(p.OneOf) <= few {
		return "one of " + strings.Join(ShownWords(p.OneOf), ", ")
	}
	if len(p.OneOf) > 0 {
		return fmt.Sprintf("one of %d listed values (%s, …)", len(p.OneOf), strings.Join(ShownWords(p.OneOf[:few]), ", "))
	}
	switch p.Type {
	case contract.Integer:
		return "a whole number"
	case contract.Number:
		return "a number"
	case contract.Boolean:
		return "true or false (on or off)"
	case contract.List:
		return "a list"
	case contract.Object:
		return "a mapping of keys to values"
	case contract.Duration:
		return "a duration such as 90s or 1h30m"
	}
	return "a text"
}
