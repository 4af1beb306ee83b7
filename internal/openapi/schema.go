package openapi

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// rowsOf describes rows as an object. It allows members that no row has: what
// they earn is the API's to judge.
func rowsOf(rows []contract.Param) *schema {
	s := &schema{Type: "object"}
	for i := range rows {
		p := &rows[i]
		s.Properties = append(s.Properties, member[*schema]{p.Name, rowOf(p)})
		if p.Need == contract.Required {
			s.Required = append(s.Required, p.Name)
		}
	}
	return s
}

// rowOf describes a row.
func rowOf(p *contract.Param) *schema {
	s := valueOf(p)
	s.Description, s.Expected, s.source = p.Doc, p.Need == contract.Expected, sourceOf(p.Cite)
	return s
}

// valueOf describes the values of a row, as contract.Validate accepts them.
func valueOf(p *contract.Param) *schema {
	s := typed(p.Type, p.Of, p.Fields)
	for _, v := range p.OneOf {
		s.Enum = append(s.Enum, parseExample(p.Type, v))
	}
	switch p.Type {
	case contract.String:
		s.MaxLength = p.Max
		if p.Need == contract.Required && !slices.Contains(p.OneOf, "") {
			s.MinLength = 1
		}
	case contract.Integer, contract.Number:
		if p.Min != 0 || p.Max != 0 {
			s.Minimum = &p.Min
		}
		if p.Max != 0 {
			s.Maximum = &p.Max
		}
	}
	if p.Nullable {
		if s.Type = []any{s.Type, "null"}; s.Enum != nil {
			s.Enum = append(s.Enum, nil)
		}
	}
	if s.Default = p.Default; p.Type == contract.Duration && p.Default != nil {
		s.Default = p.Default.(time.Duration).String()
	}
	if p.Example != "" {
		s.Examples = []any{parseExample(p.Type, p.Example)}
	}
	return s
}

// typed describes a type. A duration is a text as Go writes it, for which JSON
// Schema has no format.
func typed(t, of contract.Type, fields []contract.Param) *schema {
	switch t {
	case contract.Integer:
		return &schema{Type: "integer", Format: "int64"}
	case contract.List:
		return &schema{Type: "array", Items: typed(of, contract.String, fields)}
	case contract.Object:
		return rowsOf(fields)
	case contract.Duration:
		return &schema{Type: "string"}
	}
	return &schema{Type: t.String()}
}

// parseExample returns the value of a text of the table. Lists and objects are
// JSON.
func parseExample(t contract.Type, text string) any {
	switch t {
	case contract.Duration:
		return text
	case contract.List, contract.Object:
		if json.Valid([]byte(text)) {
			return json.RawMessage(text)
		}
		return text
	}
	if x, ok := t.Convert(contract.Raw(text)); ok {
		return x
	}
	return text
}

// findWrapper returns the schema of a JSON value in which inside replaces the mark.
// found reports whether the value has the mark.
func findWrapper(x any, inside *schema) (s *schema, found bool) {
	switch v := x.(type) {
	case contract.Values:
		if v.Text(mark) == mark {
			return inside, true
		}
		s = &schema{Type: "object"}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			below, here := findWrapper(v[name], inside)
			s.Properties = append(s.Properties, member[*schema]{name, below})
			if here {
				s.Required, found = append(s.Required, name), true
			}
		}
		return s, found
	case []any:
		s = &schema{Type: "array"}
		if len(v) > 0 {
			s.Items, found = findWrapper(v[0], inside)
		}
		return s, found
	case string:
		return &schema{Type: "string"}, false
	case bool:
		return &schema{Type: "boolean"}, false
	case json.Number:
		if _, err := v.Int64(); err != nil {
			return &schema{Type: "number"}, false
		}
		return &schema{Type: "integer"}, false
	}
	return &schema{}, false
}

// mark is the name and the value of the only member of the reply that Write
// is given.
const mark = "understudy-reply"
