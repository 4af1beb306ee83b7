package openapi

import (
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// operation describes the operations with one path and one method.
func (b *builder) operation(g *routeGroup) *operation {
	o := &operation{Responses: b.responses(g.ops)}
	o.Parameters = parameters(g)
	if op := g.ops[0]; len(g.ops) == 1 {
		o.Summary, o.Description, o.Rate, o.source = op.Name, op.Doc, op.Rate, sourceOf(op.Cite)
		if g.own {
			o.ID = op.Name
		} else {
			o.Operations = []operationInfo{b.operationText(op)}
		}
	} else {
		var names []string
		for _, op := range g.ops {
			names = append(names, op.Name)
			o.Operations = append(o.Operations, b.operationText(op))
		}
		o.Summary = strings.Join(names, ", ")
		o.Description = "Several operations share this path; x-understudy-operations describes each."
		if p := discriminator(b.api, g.ops); p != nil {
			o.Parameters = slices.Insert(o.Parameters, 0, p)
			o.Description = "The " + p.In + " parameter " + p.Name + " says which of several operations is meant; x-understudy-operations describes each."
		}
	}
	o.Body = b.body(g.ops)
	return o
}

func (b *builder) operationText(op *contract.Operation) operationInfo {
	t := operationInfo{Name: op.Name, Doc: op.Doc, Rate: op.Rate, cited: citedOf(op.Cite)}
	for i := range op.Params {
		t.Parameters = append(t.Parameters, op.Params[i].Name)
	}
	if len(bodyRows(op.Params)) > 0 {
		t.Body = schemaRef(op.Name).Ref
	}
	for _, o := range b.api.Ends(op) {
		t.Outcomes = append(t.Outcomes, o.Name)
	}
	return t
}

var places = map[contract.Place]string{contract.Query: "query", contract.Path: "path", contract.Header: "header"}

// parameters lists the parameters outside of the body. Of several operations'
// parameters with the same place and name, the first is used.
func parameters(g *routeGroup) []*parameter {
	var all []*parameter
	takers := map[*parameter][]*contract.Operation{}
	required := map[*parameter]int{} // how many operations ask for it
	for _, op := range g.ops {
		for i := range op.Params {
			p := parameterOf(g, op, &op.Params[i])
			if p == nil {
				continue
			}
			at := slices.IndexFunc(all, func(q *parameter) bool { return p.Name == q.Name && p.In == q.In })
			if at < 0 {
				at, all = len(all), append(all, p)
			}
			takers[all[at]] = append(takers[all[at]], op)
			if p.Required {
				required[all[at]]++
			}
		}
	}
	for _, p := range all {
		p.Required = required[p] == len(g.ops)
		if len(takers[p]) < len(g.ops) {
			for _, op := range takers[p] {
				p.Of = append(p.Of, op.Name)
			}
		}
	}
	return append(all, withoutDescribed(g, all)...)
}

// parameterOf describes a row, or returns nil where it is in the body or has no
// place in this path.
func parameterOf(g *routeGroup, op *contract.Operation, row *contract.Param) *parameter {
	in := places[row.In]
	if in == "" {
		return nil
	}
	p := &parameter{
		Name: row.Name, In: in, Description: row.Doc, Required: row.Need == contract.Required,
		Schema: valueOf(row), Expected: row.Need == contract.Expected, source: sourceOf(row.Cite),
	}
	if row.In == contract.Path {
		p.Required = true
		if p.Name = g.name(g.paths[op], row.Name); p.Name == "" {
			return nil
		}
		if p.Name != row.Name {
			p.Documented = row.Name
		}
	}
	return p
}

// withoutDescribed returns the names in a path for which not every operation has a
// row.
func withoutDescribed(g *routeGroup, all []*parameter) []*parameter {
	var more []*parameter
	for _, m := range place().FindAllStringSubmatch(g.path, -1) {
		at := slices.IndexFunc(all, func(p *parameter) bool { return p.In == "path" && p.Name == m[1] })
		if at >= 0 {
			all[at].Required = true
			continue
		}
		more = append(more, &parameter{Name: m[1], In: "path", Required: true, Schema: &schema{Type: "string"}, source: sourceOf("")})
	}
	return more
}

// bodyRows returns the rows that are in no header, path or query.
func bodyRows(rows []contract.Param) []contract.Param {
	return slices.DeleteFunc(slices.Clone(rows), func(p contract.Param) bool { return places[p.In] != "" })
}

// kinds are the media types of a body's rows.
var kinds = map[contract.Place]string{contract.Body: "application/json", contract.Form: "application/x-www-form-urlencoded"}

// body describes the body of a request. It is required where every operation
// requires something in it.
func (b *builder) body(ops []*contract.Operation) *body {
	made := &body{Required: true}
	for _, op := range ops {
		rows := bodyRows(op.Params)
		made.Required = made.Required && slices.ContainsFunc(rows, func(p contract.Param) bool { return p.Need == contract.Required })
		kind, plain := requestMediaType(b.api, op, rows)
		if kind == "" {
			continue
		}
		m := made.Content.put(kind)
		if len(rows) == 0 {
			continue // something is given for which there is no row
		}
		var example any = contract.Sample(rows)
		whole := rowsOf(rows)
		if r := sampleRequest(b.api, op); r != nil && isBareList(rows, r.Body) {
			whole, example = rowOf(&rows[0]), contract.Sample(rows)[rows[0].Name]
			whole.Title = rows[0].Name
		}
		s := b.schema(op.Name, whole)
		if !plain {
			m.Holds = append(m.Holds, s)
			continue
		}
		addSchema(m, s)
		m.Examples.put(op.Name).Value = example
	}
	if len(made.Content) == 0 {
		return nil
	}
	return made
}
