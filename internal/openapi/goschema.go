package openapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

var (
	timeType  = reflect.TypeFor[time.Time]()
	marshaler = reflect.TypeFor[json.Marshaler]()
)

// schemaOf describes the JSON that is made of a value of a Go type.
func schemaOf(t reflect.Type) *schema {
	switch {
	case t == timeType:
		return &schema{Type: "string", Format: "date-time"}
	case t.Implements(marshaler):
		return &schema{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &schema{Type: "integer"}
	case reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Slice:
		return &schema{Type: "array", Items: schemaOf(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object"}
	case reflect.Struct:
		s := &schema{Type: "object"}
		s.members(t)
		return s
	}
	return &schema{} // anything
}

// members adds the fields of a struct by their names in JSON. What stands in their tag
// doc describes them.
func (s *schema) members(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.members(f.Type)
			continue
		case !f.IsExported() || name == "-" || name == "":
			continue
		}
		inner := schemaOf(f.Type)
		inner.Description = f.Tag.Get("doc")
		*s.Properties.put(name) = inner
		if !strings.Contains(options, "omit") {
			s.Required = append(s.Required, name)
		}
	}
}
