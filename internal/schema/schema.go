// Package schema derives the JSON Schemas of scenario and fixture files from
// the tables, so that editors complete the names of operations, outcomes,
// parameters and keys, and underline what is none.
//
// A schema knows less than the reader of the files: it names no lines, suggests
// nothing, and does not see that a rule can never be reached. What the reader
// takes a schema takes too; understudy validate has the last word.
package schema

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// draft is the version of JSON Schema that is spoken.
const draft = "https://json-schema.org/draft/2020-12/schema"

// object is a JSON object. Its members are written in the order of their names,
// so that the same tables give the same bytes.
type object = map[string]any

// list is a JSON array.
type list = []any

// encode writes a schema.
func encode(schema object) []byte { return append(wire.Encode(schema), '\n') }

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// names makes a list for an enum.
func enumOf(values []string) list {
	all := make(list, len(values))
	for i, w := range values {
		all[i] = w
	}
	return all
}

// when says that what holds for a key's value also has then hold.
func ifThen(key, value string, then object) object {
	return object{
		"if":   object{"properties": object{key: object{"const": value}}, "required": list{key}},
		"then": then,
	}
}

// text is a plain value as it is written: 007 and true are texts too.
func stringWith(doc string) object {
	s := object{"type": list{"string", "number", "boolean"}}
	return withDoc(s, doc)
}

func withDoc(s object, doc string) object {
	if doc != "" {
		s["description"] = doc
	}
	return s
}

// duration is a length of time as Go writes it.
const duration = `^([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*$`

// rows are the properties that a table's rows make.
func rows(table []contract.Param) object {
	properties := object{}
	for i := range table {
		properties[table[i].Name] = row(&table[i])
	}
	return properties
}

// mapping is an object with the keys of a table and no others.
func mapping(table []contract.Param) object {
	s := object{"type": "object", "properties": rows(table), "additionalProperties": false}
	var required list
	for i := range table {
		if table[i].Need == contract.Required {
			required = append(required, table[i].Name)
		}
	}
	if required != nil {
		s["required"] = required
	}
	return s
}

// row is the schema of one row.
func row(p *contract.Param) object {
	s := kind(p)
	if p.Default != nil {
		s["default"] = jsonValue(p.Default)
	}
	if p.Example != "" {
		s["examples"] = list{p.Example}
	}
	return withDoc(s, p.Doc)
}

func kind(p *contract.Param) object {
	if len(p.OneOf) > 0 {
		return object{"enum": allowedValues(p.OneOf)}
	}
	switch p.Type {
	case contract.Integer, contract.Number:
		s := object{"type": p.Type.String()}
		if p.Min != 0 || p.Max != 0 {
			s["minimum"] = p.Min
		}
		if p.Max != 0 {
			s["maximum"] = p.Max
		}
		return s
	case contract.Boolean:
		return object{"enum": list{true, false, "on", "off", "On", "Off", "ON", "OFF", 1, 0}}
	case contract.Duration:
		return object{"anyOf": list{object{"type": "string", "pattern": duration}, object{"const": 0}}}
	case contract.List:
		return object{"type": "array", "items": kind(&contract.Param{Type: p.Of, Fields: p.Fields})}
	case contract.Object:
		if p.Fields == nil {
			return object{"type": "object"}
		}
		return mapping(p.Fields)
	}
	s := stringWith("")
	if p.Max > 0 {
		s["maxLength"] = p.Max
	}
	if p.Need == contract.Required {
		s["minLength"] = 1
	}
	return s
}

var (
	number = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`) })
	truth  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(true|false)$`) })
)

// written lists values as a file may write them: 5 is also the text "5".
func allowedValues(values []string) list {
	var all list
	for _, v := range values {
		all = append(all, v)
		switch {
		case number().MatchString(v):
			all = append(all, json.Number(v))
		case truth().MatchString(v):
			all = append(all, v == "true")
		}
	}
	return all
}

// plain is a default as a file writes it.
func jsonValue(value any) any {
	if d, ok := value.(interface{ String() string }); ok {
		return d.String()
	}
	return value
}

// apiNames lists the names of APIs, and more.
func apiNames(apis []*contract.API, more ...string) list {
	var all []string
	for _, api := range apis {
		all = append(all, api.Name)
	}
	return enumOf(slices.Concat(all, more))
}

// quoteMeta quotes a name for a pattern.
func quoteMeta(name string) string { return strings.ReplaceAll(regexp.QuoteMeta(name), "/", `\/`) }
