package openapi

import (
	"encoding/json"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var (
	timeType  = reflect.TypeFor[time.Time]()
	marshaler = reflect.TypeFor[json.Marshaler]()
)

// goTypes describes Go types by the JSON that is made of their values. Structs that have
// a name are described once, among the components of the document.
type goTypes struct {
	*document
	names map[reflect.Type]string
}

// schemaOf describes a value: rows as the object that they are of, and all else by its
// type.
func (g *goTypes) schemaOf(value any) *schema {
	if rows, are := value.([]contract.Param); are {
		s := rowsOf(rows)
		s.withoutSource()
		return s
	}
	return g.schemaOfType(reflect.TypeOf(value))
}

// withoutSource takes out from which page rows are: of understudy's own there is none.
func (s *schema) withoutSource() {
	s.source = source{}
	for _, p := range s.Properties {
		p.value.withoutSource()
	}
	if s.Items != nil {
		s.Items.withoutSource()
	}
}

func (g *goTypes) schemaOfType(t reflect.Type) *schema {
	switch {
	case t.Kind() == reflect.Pointer:
		return g.schemaOfType(t.Elem())
	case t == timeType:
		return &schema{Type: "string", Format: "date-time"}
	case t.Implements(marshaler):
		return marshaled(t)
	}
	switch t.Kind() {
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &schema{Type: "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &schema{Type: "integer", Minimum: new(int)}
	case reflect.Float32, reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Slice, reflect.Array:
		return &schema{Type: "array", Items: g.schemaOfType(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Values: g.nullable(t.Elem())}
	case reflect.Struct:
		return g.structOf(t)
	}
	return &schema{} // anything
}

// marshaled describes a type that writes itself, as far as what it writes for nothing
// says what it is.
func marshaled(t reflect.Type) *schema {
	text, err := json.Marshal(reflect.Zero(t).Interface())
	if err == nil && strings.HasPrefix(string(text), `"`) {
		return &schema{Type: "string"}
	}
	return &schema{}
}

// nullable describes a type of which null is written where there is no value.
func (g *goTypes) nullable(t reflect.Type) *schema {
	s := g.schemaOfType(t)
	switch {
	case t.Kind() != reflect.Pointer:
	case s.Ref != "":
		return &schema{AnyOf: []*schema{s, {Type: "null"}}}
	case s.Type != nil:
		s.Type = []any{s.Type, "null"}
	}
	return s
}

// structOf describes a struct, or refers to where it is described: so a type that holds
// itself has an end.
func (g *goTypes) structOf(t reflect.Type) *schema {
	if t.Name() == "" || strings.Contains(t.Name(), "[") {
		s := &schema{Type: "object"}
		g.addMembers(s, t)
		return s
	}
	name, known := g.names[t]
	if !known {
		name = g.freeName(t)
		g.names[t] = name
		s := &schema{Type: "object"}
		*g.Components.Schemas.put(name) = s
		g.addMembers(s, t)
	}
	return schemaRef(name)
}

// freeName is the type's name, led by its package's where another type has it.
func (g *goTypes) freeName(t reflect.Type) string {
	name := upper(t.Name())
	if g.Components.Schemas.at(name) != nil {
		name = upper(path.Base(t.PkgPath())) + name
	}
	return name
}

func upper(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// addMembers adds the fields of a struct by their names in JSON. What stands in their tag
// doc describes them.
func (g *goTypes) addMembers(s *schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		options := strings.Split(f.Tag.Get("json"), ",")
		name, optional := options[0], slices.Contains(options, "omitempty") || slices.Contains(options, "omitzero")
		switch {
		case f.Anonymous && name == "":
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			g.addMembers(s, inner)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		inner := g.schemaOfType(f.Type)
		if !optional {
			inner = g.nullable(f.Type)
			s.Required = append(s.Required, name)
		}
		inner.Description = f.Tag.Get("doc")
		*s.Properties.put(name) = inner
	}
}
