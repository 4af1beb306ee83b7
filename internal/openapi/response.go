package openapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// responses describes all outcomes of the operations, by status.
func (b *builder) responses(ops []*contract.Operation) object[response] {
	type end struct { // two operations may end in the same outcome with different statuses
		*contract.Outcome
		status string
	}
	var all object[response]
	owners := map[end][]string{}
	var ends []end
	for _, op := range ops {
		for _, o := range b.api.Ends(op) {
			e := end{o, strconv.Itoa(op.Status(o))}
			if owners[e] == nil {
				ends = append(ends, e)
			}
			owners[e] = append(owners[e], op.Name)
			b.content(all.put(e.status), op, o)
		}
	}
	for _, e := range ends {
		r, o := all.at(e.status), e.Outcome
		described := outcome{Name: o.Name, Fails: o.Fails, Message: o.Message, Doc: o.Doc, cited: citedOf(o.Cite)}
		if len(owners[e]) < len(ops) {
			described.Of = owners[e]
		}
		r.Outcomes = append(r.Outcomes, described)
		headers(r, b.api.Returned(o))
	}
	slices.SortStableFunc(all, func(a, b member[response]) int { return strings.Compare(a.name, b.name) })
	for i := range all {
		all[i].value.finish()
	}
	return all
}

// finish sets what follows from all outcomes of a response together.
func (r *response) finish() {
	r.Description = describeOutcomes(r.Outcomes)
	if len(r.Outcomes) == 1 {
		return
	}
	for i := range r.Headers {
		r.Headers[i].value.Required = false // another outcome may lack it
	}
}

// describeOutcomes lists outcomes. Two operations may each have one of a name.
func describeOutcomes(outcomes []outcome) string {
	var names []string
	for _, o := range outcomes {
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	return "The call ends in " + strings.Join(names, ", ") + "."
}

func headers(r *response, rows []contract.Param) {
	for i := range rows {
		if p := &rows[i]; p.In == contract.Header {
			*r.Headers.put(p.Name) = header{p.Doc, p.Need == contract.Required, valueOf(p), sourceOf(p.Cite)}
		}
	}
}

// content describes the body in which op ends with o. Of an API that conceals what
// it says, a member around which something stands is not what it seems to be.
func (b *builder) content(r *response, op *contract.Operation, o *contract.Outcome) {
	var inside *schema
	var reply []byte
	if rows := bodyRows(b.api.Returned(o)); len(rows) > 0 {
		reply = wire.Encode(map[string]string{mark: mark})
		name := op.Name + "." + o.Name
		if o.Fails {
			name = failure
		}
		inside = b.schema(name, rowsOf(rows))
	}
	sent, known := sampleResponse(b.api, op, o, reply)
	if known && len(sent.Body) == 0 && (inside == nil || sent.Header.Get("Content-Type") == "") {
		return
	}
	kind := unknown
	if known {
		kind = kindOf(sent.Header, sent.Body)
	}
	m := r.Content.put(kind)
	stands := inside
	if b.conceals {
		stands = &schema{Holds: []*schema{inside}}
	}
	seen, err := wire.Value(sent.Body)
	s, found := findWrapper(seen, stands)
	switch {
	case known && err == nil && found && s == stands:
		addSchema(m, inside)
	case known && err == nil && (found || inside == nil):
		addSchema(m, s)
	case inside != nil && !slices.ContainsFunc(m.Holds, equalTo(inside)):
		m.Holds = append(m.Holds, inside)
	}
}

// addSchema adds a schema to the alternatives of an answer.
func addSchema(m *mediaType, s *schema) {
	switch {
	case m.Schema == nil:
		m.Schema = s
	case equalTo(s)(m.Schema) || slices.ContainsFunc(m.Schema.AnyOf, equalTo(s)):
	case m.Schema.AnyOf != nil:
		m.Schema.AnyOf = append(m.Schema.AnyOf, s)
	default:
		m.Schema = &schema{AnyOf: []*schema{m.Schema, s}}
	}
}

// equalTo returns a predicate for schemas equal to s.
func equalTo(s *schema) func(*schema) bool {
	want, _ := json.Marshal(s)
	return func(other *schema) bool {
		got, _ := json.Marshal(other)
		return bytes.Equal(got, want)
	}
}
