package contract

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Violation is one way in which values differ from their rows. Validate only
// finds it; the API judges it.
type Violation struct {
	Param *Param `json:"-"` // nil where the table has no such row
	Path  string `json:"param"`
	Rule  Rule   `json:"rule"`
	Got   any    `json:"got,omitempty"`
	Doc   string `json:"doc,omitempty"`
}

// Rule names what was violated.
type Rule string

// The rules of a table.
const (
	Missing  Rule = "missing"  // required, and not there
	Null     Rule = "null"     // there, and null
	Empty    Rule = "empty"    // required, and the empty string
	Mistyped Rule = "mistyped" // of another type than documented
	Unlisted Rule = "unlisted" // not one of the documented values
	TooLong  Rule = "too long"
	TooSmall Rule = "too small"
	TooLarge Rule = "too large"
	Unknown  Rule = "unknown" // no row has this name
)

// Validate compares values with rows and returns the violations: first those of the
// rows, in their order, then the names that no row has, sorted. It converts raw
// values to their documented type in place.
func Validate(table []Param, in Values) []Violation { return validate(table, in, "") }

func validate(table []Param, in Values, under string) []Violation {
	var found []Violation
	known := 0
	for i := range table {
		p := &table[i]
		x, given := in[p.Name]
		if !given {
			if p.Need == Required {
				found = append(found, p.violates(under, Missing, nil))
			}
			continue
		}
		known++
		y, rule := p.accept(x)
		if rule != "" {
			found = append(found, p.violates(under, rule, x))
			continue
		}
		if _, text := x.(string); !text || p.Type != String { // a string stays as it is
			in[p.Name] = y
			found = append(found, p.within(y, under+p.Name)...)
		}
	}
	if known == len(in) {
		return found
	}
	return append(found, unknown(table, in, under)...)
}

func unknown(table []Param, in Values, under string) []Violation {
	var names []string
	for name := range in {
		if !slices.ContainsFunc(table, func(p Param) bool { return p.Name == name }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var found []Violation
	for _, name := range names {
		found = append(found, Violation{Path: under + name, Rule: Unknown, Got: in[name]})
	}
	return found
}

func (p *Param) violates(under string, rule Rule, got any) Violation {
	return Violation{Param: p, Path: under + p.Name, Rule: rule, Got: got, Doc: p.Doc}
}

// accept converts x to the row's type and compares it with the row's limits.
func (p *Param) accept(x any) (any, Rule) {
	if x == nil {
		if p.Nullable {
			return nil, ""
		}
		return nil, Null
	}
	y, ok := p.Type.Convert(x)
	if !ok {
		return nil, Mistyped
	}
	switch v := y.(type) {
	case string:
		if v == "" && p.Need == Required && !slices.Contains(p.OneOf, "") {
			return nil, Empty
		}
		if len(p.OneOf) > 0 && !slices.Contains(p.OneOf, v) {
			return nil, Unlisted
		}
		if p.Max > 0 && len(v) > p.Max && utf8.RuneCountInString(v) > p.Max {
			return nil, TooLong
		}
	case int64:
		return y, p.outside(v < int64(p.Min), v > int64(p.Max))
	case float64:
		return y, p.outside(v < float64(p.Min), v > float64(p.Max))
	}
	return y, ""
}

// outside judges a number that is below Min or above Max. Where both are 0 the
// row has no bounds; where Max alone is, it has no greatest.
func (p *Param) outside(below, above bool) Rule {
	switch {
	case below && (p.Min != 0 || p.Max != 0):
		return TooSmall
	case above && p.Max != 0:
		return TooLarge
	}
	return ""
}

// within validates the members of an object, or of the objects in a list.
func (p *Param) within(x any, path string) []Violation {
	switch v := x.(type) {
	case Values:
		if p.Fields != nil {
			return validate(p.Fields, v, path+".")
		}
	case []any:
		var found []Violation
		element := Param{Type: p.Of, Fields: p.Fields, Doc: p.Doc}
		for i, e := range v {
			element.Name = strconv.Itoa(i)
			y, rule := element.accept(e)
			if rule != "" {
				row := element
				found = append(found, row.violates(path+".", rule, e))
				continue
			}
			v[i] = y
			found = append(found, element.within(y, path+"."+element.Name)...)
		}
		return found
	}
	return nil
}

// Convert converts a value to the Go type of t, and reports whether it could. Text
// is parsed; JSON values must already have the type.
func (t Type) Convert(x any) (any, bool) {
	switch v := x.(type) {
	case Raw:
		return t.parse(string(v))
	case string:
		if t == Duration {
			return t.parse(v)
		}
		return x, t == String
	case json.Number:
		if t == Integer || t == Number {
			return t.parse(string(v))
		}
	case int64:
		if t == Number {
			return float64(v), true
		}
		return v, t == Integer
	case float64:
		return v, t == Number
	case time.Duration:
		return v, t == Duration
	case bool:
		return v, t == Boolean
	case []any:
		return v, t == List
	case map[string]any:
		return Values(v), t == Object
	case Values:
		return v, t == Object
	}
	return nil, false
}

// parse reads text as a value of t. The texts on and off are truth values too.
func (t Type) parse(s string) (any, bool) {
	switch t {
	case String:
		return s, true
	case Integer:
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	case Number:
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	case Boolean:
		switch strings.ToLower(s) {
		case "true", "on", "1":
			return true, true
		case "false", "off", "0":
			return false, true
		}
	case Duration:
		d, err := time.ParseDuration(s)
		return d, err == nil && d >= 0
	}
	return nil, false
}
