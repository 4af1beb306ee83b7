package scenario

import (
	"encoding/json"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/wire"
)

// patch reads the fields that replace those of a reply, in the order of the file. A
// null removes the field, a mapping is merged into the object that is there, and {}
// is the empty object.
func (r *reader) patch(n *yaml.Node, what string) wire.Patch {
	patch := wire.Patch{}
	for key, value := range document.Pairs(r.faults, n, what) {
		m := wire.Member{Name: key.Value}
		switch {
		case value.Kind == yaml.MappingNode && len(value.Content) > 0:
			m.Inner = r.patch(value, memberPath(what, key.Value))
		case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		default:
			m.Value = r.json(nil, value, memberPath(what, key.Value))
		}
		patch = append(patch, m)
	}
	return patch
}

// json appends a value as JSON, the members of mappings in the order of the
// file.
func (r *reader) json(out []byte, n *yaml.Node, what string) json.RawMessage {
	switch n.Kind {
	case yaml.SequenceNode:
		out = append(out, '[')
		for i, e := range document.Elements(r.faults, n, what) {
			if i > 0 {
				out = append(out, ',')
			}
			out = r.json(out, e, memberPath(what, strconv.Itoa(i)))
		}
		return append(out, ']')
	case yaml.MappingNode:
		out = append(out, '{')
		empty := len(out)
		for key, value := range document.Pairs(r.faults, n, what) {
			if len(out) > empty {
				out = append(out, ',')
			}
			out = append(append(out, wire.Encode(key.Value)...), ':')
			out = r.json(out, value, memberPath(what, key.Value))
		}
		return append(out, '}')
	}
	x, ok := document.Scalar(r.faults, n, what)
	if !ok {
		return append(out, "null"...)
	}
	return append(out, wire.Encode(x)...)
}

// returned checks that one of the outcomes returns each field of a patch.
func (r *reader) returned(n *yaml.Node, names []string, t target) {
	ends := r.ends(names, t)
	if len(ends) == 0 || n.Kind != yaml.MappingNode {
		return
	}
	tables := make([][]contract.Param, len(ends))
	for i, o := range ends {
		tables[i] = r.api.Returned(o)
	}
	r.rows(n, tables, "", document.Quote(ends[0].Name))
}

// rows reports every field that none of several tables has. Objects without
// documented members may have any.
func (r *reader) rows(n *yaml.Node, tables [][]contract.Param, under, whose string) {
	for key, value := range document.Pairs(r.faults, n, "with") {
		if r.faults.Full() {
			return
		}
		var inner [][]contract.Param
		var known []string
		found, open := false, false
		for _, rows := range tables {
			p := contract.FindParam(rows, key.Value)
			if p == nil {
				for i := range rows {
					known = append(known, rows[i].Name)
				}
				continue
			}
			found = true
			open = open || p.Fields == nil || p.Type != contract.Object
			inner = append(inner, p.Fields)
		}
		switch {
		case !found && len(known) == 0:
			r.faults.Addf(key, "%s returns no field %s; it returns none", whose, document.Quote(under+key.Value))
		case !found:
			r.faults.Addf(key, "%s returns no field %s%s", whose, document.Quote(under+key.Value), document.Hint(key.Value, known))
		case !open && value.Kind == yaml.MappingNode:
			r.rows(value, inner, under+key.Value+".", whose)
		}
	}
}
