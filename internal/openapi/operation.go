package openapi

import (
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// operation tells what can be asked at one path by one method.
func (b *book) operation(g *group) *operation {
	o := &operation{Responses: b.responses(g.ops)}
	o.Parameters = parameters(g)
	if op := g.ops[0]; len(g.ops) == 1 {
		o.Summary, o.Description, o.Rate, o.source = op.Name, op.Doc, op.Rate, sourceOf(op.Cite)
		if g.own {
			o.ID = op.Name
		} else {
			o.Operations = []told{b.told(op)}
		}
	} else {
		var names []string
		for _, op := range g.ops {
			names = append(names, op.Name)
			o.Operations = append(o.Operations, b.told(op))
		}
		o.Summary = strings.Join(names, ", ")
		o.Description = "Several operations are asked for here; x-understudy-operations tells each."
		if p := discriminator(b.api, g.ops); p != nil {
			o.Parameters = slices.Insert(o.Parameters, 0, p)
			o.Description = "The " + p.In + " parameter " + p.Name + " says which of several operations is meant; x-understudy-operations tells each."
		}
	}
	o.Body = b.body(g.ops)
	return o
}

func (b *book) told(op *contract.Operation) told {
	t := told{Name: op.Name, Doc: op.Doc, Rate: op.Rate, cited: citedOf(op.Cite)}
	for i := range op.Params {
		t.Parameters = append(t.Parameters, op.Params[i].Name)
	}
	if len(bodyRows(op.Params)) > 0 {
		t.Body = refer(op.Name).Ref
	}
	for _, o := range b.api.Ends(op) {
		t.Outcomes = append(t.Outcomes, o.Name)
	}
	return t
}

var places = map[contract.Place]string{contract.Query: "query", contract.Path: "path", contract.Header: "header"}

// parameters tells what stands outside of the body. What several operations
// say in the same place by the same name is told once, as the first has it.
func parameters(g *group) []*parameter {
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
	return append(all, untold(g, all)...)
}

// parameterOf tells a row, or nothing where it stands in the body or has no
// place in this path.
func parameterOf(g *group, op *contract.Operation, row *contract.Param) *parameter {
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

// untold are the places of a path of which no row, or not every operation's,
// says anything.
func untold(g *group, all []*parameter) []*parameter {
	var more []*parameter
	for _, m := range place.FindAllStringSubmatch(g.path, -1) {
		at := slices.IndexFunc(all, func(p *parameter) bool { return p.In == "path" && p.Name == m[1] })
		if at >= 0 {
			all[at].Required = true
			continue
		}
		more = append(more, &parameter{Name: m[1], In: "path", Required: true, Schema: &schema{Type: "string"}, source: sourceOf("")})
	}
	return more
}

// bodyRows are those that stand in no header, path or query.
func bodyRows(rows []contract.Param) []contract.Param {
	return slices.DeleteFunc(slices.Clone(rows), func(p contract.Param) bool { return places[p.In] != "" })
}

// kinds are the media types of a body's rows.
var kinds = map[contract.Place]string{contract.Body: "application/json", contract.Form: "application/x-www-form-urlencoded"}

// body tells what stands in the body of a request. It is required where each
// operation asks for something in it.
func (b *book) body(ops []*contract.Operation) *body {
	made := &body{Required: true}
	for _, op := range ops {
		rows := bodyRows(op.Params)
		made.Required = made.Required && slices.ContainsFunc(rows, func(p contract.Param) bool { return p.Need == contract.Required })
		kind, plain := asked(b.api, op, rows)
		if kind == "" {
			continue
		}
		m := made.Content.put(kind)
		if len(rows) == 0 {
			continue // something is said of which no row tells
		}
		var example any = contract.Sample(rows)
		whole := rowsOf(rows)
		if r := signed(b.api, op); r != nil && bare(rows, r.Body) {
			whole, example = rowOf(&rows[0]), contract.Sample(rows)[rows[0].Name]
			whole.Title = rows[0].Name
		}
		s := b.schema(op.Name, whole)
		if !plain {
			m.Holds = append(m.Holds, s)
			continue
		}
		offer(m, s)
		m.Examples.put(op.Name).Value = example
	}
	if len(made.Content) == 0 {
		return nil
	}
	return made
}
