package adobemedia

import (
	"encoding/json"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// An object is a JSON object with members in a fixed order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON encodes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte("{")
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, wire.Encode(m.name)...), ':')
		b = append(b, wire.Encode(m.value)...)
	}
	return append(b, '}'), nil
}

// schemaOf returns the schema of an event in the form of the published document:
// shared parts are under definitions, and the root refers to the event's own
// definition. Lenient schemas allow other members.
func schemaOf(id string, types []string, rows []contract.Param, lenient bool) json.RawMessage {
	name := rows[0].OneOf[0]
	own := object{}
	shared := object{}
	var required []string
	for i := range rows {
		p := &rows[i]
		if p.Need == contract.Required {
			required = append(required, p.Name)
		}
		described := p.Name == "eventType" || p.Name == "params"
		if described {
			own = append(own, member{p.Name, schemaOfRow(p, lenient)})
		} else {
			own = append(own, member{p.Name, object{{"$ref", "#/definitions/" + p.Name}}})
		}
		switch {
		case p.Name == "eventType":
			shared = append(shared, member{p.Name, object{{"type", "string"}, {"enum", types}}})
		case !described:
			shared = append(shared, member{p.Name, schemaOfRow(p, lenient)})
		}
	}
	shared = append(shared, member{name, withoutOtherMembers(object{{"properties", own}, {"required", required}}, lenient)})
	return wire.Encode(object{
		{"$schema", "http://json-schema.org/draft-04/schema#"},
		{"id", id},
		{"definitions", shared},
		{"type", "object"},
		{"$ref", "#/definitions/" + name},
	})
}

// schemaOfRow returns the schema of one row.
func schemaOfRow(p *contract.Param, lenient bool) object {
	n := object{{"type", p.Type.String()}}
	if len(p.OneOf) > 0 {
		n = append(n, member{"enum", p.OneOf})
	}
	if p.Type == contract.List {
		return append(n, member{"items", schemaOfRow(&contract.Param{Type: p.Of, Fields: p.Fields}, lenient)})
	}
	if p.Type != contract.Object {
		return n
	}
	if d, free := dictionaries[p.Name]; free {
		if d.pattern == "" {
			return append(n, member{"additionalProperties", schemaOfRow(&d.value, lenient)})
		}
		n = append(n, member{"patternProperties", object{{d.pattern, schemaOfRow(&d.value, lenient)}}})
		return append(n, member{"additionalProperties", false})
	}
	properties := object{}
	required := []string{}
	for i := range p.Fields {
		f := &p.Fields[i]
		properties = append(properties, member{f.Name, schemaOfRow(f, lenient)})
		if f.Need == contract.Required {
			required = append(required, f.Name)
		}
	}
	n = append(n, member{"properties", properties})
	// draft-04 requires at least one name here, but the published document has none for qoeData
	if len(required) > 0 || p.Name == qoeData.Name {
		n = append(n, member{"required", required})
	}
	return withoutOtherMembers(n, lenient)
}

// withoutOtherMembers forbids other members, unless lenient.
func withoutOtherMembers(n object, lenient bool) object {
	if lenient {
		return n
	}
	return append(n, member{"additionalProperties", false})
}
