package journal

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// Parameters compare a call with the rows of its operation and of its outcome. Names
// inside objects and lists stand behind those around them, with dots.
type Parameters struct {
	Unknown     []string `json:"unknown"`      // sent, and no row has them
	NotSent     []string `json:"not_sent"`     // documented, and not sent
	Answered    []string `json:"answered"`     // documented, and in the answer
	NotAnswered []string `json:"not_answered"` // documented, and not in the answer
}

// A Shown is an entry with what is derived from it when it is shown alone.
type Shown struct {
	Entry
	Parameters *Parameters `json:"parameters,omitempty"`
}

// mostParameters is how many names each list has at most.
const mostParameters = 200

// Show derives what is shown beside an entry. Names that are masked in the entry stay
// so. An entry without an operation, or whose request is kept in part only, has no
// parameters; an answer that did not come from the API has no fields.
func Show(api *contract.API, e Entry) Shown {
	op := api.Operation(e.Operation)
	if op == nil || e.Request.Truncated {
		return Shown{Entry: e}
	}
	sent := comparison{skip: api.Protocol}
	sent.add(op.Params, decoded(e.Request.Decoded))
	sent.addNames(op.Params, e.Request.query())
	sent.add(op.Params, e.Request.object())
	sent.addNames(op.Params, e.Request.form())
	for i := range op.Params {
		if p := &op.Params[i]; p.In == contract.Header && e.Request.Header.Get(p.Name) != "" {
			sent.found(p.Name)
		}
	}
	s := Shown{Entry: e, Parameters: &Parameters{Unknown: sorted(sent.unknown), NotSent: sent.lacks(op.Params), Answered: []string{}, NotAnswered: []string{}}}
	if o := api.Outcome(op, e.Outcome); o != nil && (e.Wire == nil || !e.Wire.Answered) {
		rows := api.Returned(o)
		var answer comparison
		answer.add(rows, decoded(e.Response.Decoded))
		s.Parameters.Answered, s.Parameters.NotAnswered = sorted(answer.known), answer.lacks(rows)
	}
	return s
}

// A comparison is of values with rows.
type comparison struct {
	skip           []string // names that belong to no operation
	known, unknown map[string]bool
}

func (c *comparison) found(path string) {
	if c.known == nil {
		c.known = map[string]bool{}
	}
	c.known[path] = true
}

// add compares an object with rows.
func (c *comparison) add(rows []contract.Param, in map[string]any) { c.within(rows, in, "") }

func (c *comparison) within(rows []contract.Param, in map[string]any, under string) {
	for name, x := range in {
		row := contract.FindParam(rows, name)
		switch {
		case row != nil:
			c.found(under + name)
			c.inside(row, x, under+name+".")
		case under != "" || !slices.Contains(c.skip, name):
			if c.unknown == nil {
				c.unknown = map[string]bool{}
			}
			c.unknown[under+name] = true
		}
	}
}

// inside compares the members of a value, or of the elements of a list, with the
// row's fields.
func (c *comparison) inside(row *contract.Param, x any, under string) {
	if row.Fields == nil {
		return
	}
	if list, isList := x.([]any); isList {
		for _, element := range list {
			c.within(row.Fields, decoded(element), under)
		}
		return
	}
	c.within(row.Fields, decoded(x), under)
}

// addNames compares names without values.
func (c *comparison) addNames(rows []contract.Param, names []string) {
	for _, name := range names {
		c.add(rows, map[string]any{name: nil})
	}
}

// lacks lists the rows that nothing was found for. The fields of an object are listed
// where the object was found.
func (c *comparison) lacks(rows []contract.Param) []string {
	lacking := map[string]bool{}
	var visit func(rows []contract.Param, under string)
	visit = func(rows []contract.Param, under string) {
		for i := range rows {
			path := under + rows[i].Name
			if !c.known[path] {
				lacking[path] = true
				continue
			}
			visit(rows[i].Fields, path+".")
		}
	}
	visit(rows, "")
	return sorted(lacking)
}

func sorted(names map[string]bool) []string {
	all := slices.AppendSeq([]string{}, maps.Keys(names))
	slices.Sort(all)
	return all[:min(len(all), mostParameters)]
}

// decoded returns the members of an object; nil: it is none.
func decoded(x any) map[string]any {
	switch v := x.(type) {
	case contract.Values:
		return v
	case map[string]any:
		return v
	case json.RawMessage:
		return objectOf(v)
	}
	return nil
}

func objectOf(text []byte) map[string]any {
	var object map[string]any
	if json.Unmarshal(text, &object) != nil {
		return nil
	}
	return object
}

// object returns the members of a JSON body; nil: it is none.
func (m *Message) object() map[string]any { return objectOf(m.Body) }

// query lists the names of the address's query.
func (m *Message) query() []string {
	_, query, _ := strings.Cut(m.URL, "?")
	return formNames(query)
}

// form lists the names of a form.
func (m *Message) form() []string {
	kind, _, _ := strings.Cut(m.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") || m.object() != nil {
		return nil
	}
	return formNames(string(m.Body))
}

func formNames(text string) []string {
	var names []string
	for piece := range strings.SplitSeq(text, "&") {
		name, _, _ := strings.Cut(piece, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
