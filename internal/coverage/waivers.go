package coverage

import (
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// Waivers are outcomes that need not be met, and why.
type Waivers map[waived]Waived

type waived struct{ api, operation, outcome string }

// waiverRows are the keys of a waiver.
var waiverRows = []contract.Param{
	{Name: "api", Need: contract.Required},
	{Name: "operation"}, // none: the outcome is common to all
	{Name: "outcome", Need: contract.Required},
	{Name: "reason", Need: contract.Required},
	{Name: "until", Need: contract.Required, Example: "2026-12-31"},
}

// ParseWaivers reads a file of waivers. One that names nothing documented, or whose last
// day is over, is a fault.
func (c *Catalogue) ParseWaivers(file string, text []byte, now time.Time) (Waivers, error) {
	root, err := document.Parse(file, text)
	if err != nil {
		return nil, err
	}
	faults := document.NewFaults(file)
	all := Waivers{}
	list := document.Fields(faults, root, "the file", "waivers")["waivers"]
	if list == nil {
		faults.Addf(root, "the file has no key waivers; a list of {api, operation, outcome, reason, until} was expected")
		return nil, faults.Err()
	}
	for _, n := range document.Elements(faults, list, "waivers") {
		before := faults.Count()
		in := document.Check(faults, n, waiverRows, "a waiver")
		if faults.Count() > before {
			continue
		}
		w := &waiver{faults: faults, node: n, in: in}
		if known := w.find(c); known && w.says() && w.holds(now) {
			at := waived{w.text("api"), w.text("operation"), w.text("outcome")}
			if _, twice := all[at]; twice {
				faults.Addf(n, "%s is waived twice; keep one of the two", document.Quote(at.outcome))
			}
			all[at] = Waived{w.text("reason"), w.text("until")}
		}
	}
	return all, faults.Err()
}

// A waiver is one entry of the file.
type waiver struct {
	faults *document.Faults
	node   *yaml.Node
	in     contract.Values
}

func (w *waiver) text(key string) string {
	text, _ := w.in[key].(string)
	return text
}

// at is the node of a key's value.
func (w *waiver) at(key string) *yaml.Node {
	for k, value := range document.Pairs(w.faults, w.node, "a waiver") {
		if k.Value == key {
			return value
		}
	}
	return w.node
}

// says reports whether there is a reason.
func (w *waiver) says() bool {
	if strings.TrimSpace(w.text("reason")) != "" {
		return true
	}
	w.faults.Addf(w.at("reason"), "reason is blank; why the outcome need not be met was expected")
	return false
}

func (w *waiver) find(c *Catalogue) bool {
	var names []string
	for _, t := range c.apis {
		if t.api == w.text("api") {
			return w.findIn(t)
		}
		names = append(names, t.api)
	}
	return w.unknown("api", "there is no API", names)
}

func (w *waiver) findIn(t *table) bool {
	operation, outcome := w.text("operation"), w.text("outcome")
	common := outcomeNames(t.common)
	if operation == "" {
		if slices.Contains(common, outcome) {
			return true
		}
		return w.unknown("outcome", t.api+" has no outcome that is common to all operations and called", common)
	}
	var names []string
	for _, op := range t.operations {
		if op.name != operation {
			names = append(names, op.name)
			continue
		}
		own := outcomeNames(op.rows)
		switch {
		case slices.Contains(own, outcome):
			return true
		case slices.Contains(common, outcome):
			w.faults.Addf(w.at("operation"), "%s is common to the operations of %s and counts once; leave the key operation out", outcome, t.api)
			return false
		}
		return w.unknown("outcome", operation+" has no documented outcome", own)
	}
	return w.unknown("operation", t.api+" has no operation", names)
}

func outcomeNames(rows []*row) (names []string) {
	for _, r := range rows {
		names = append(names, r.outcome)
	}
	return names
}

func (w *waiver) unknown(key, what string, known []string) bool {
	got := w.text(key)
	w.faults.Addf(w.at(key), "%s %s%s", what, document.Quote(got), document.Hint(got, known))
	return false
}

// holds reports whether the waiver's last day is not over.
func (w *waiver) holds(now time.Time) bool {
	until := w.text("until")
	day, err := time.Parse(time.DateOnly, until)
	switch {
	case err != nil:
		w.faults.Addf(w.at("until"), "until is %s; a day such as 2026-12-31 was expected", document.Quote(until))
		return false
	case !now.Before(day.AddDate(0, 0, 1)):
		w.faults.Addf(w.at("until"), "the waiver of %s ended with %s; meet the outcome, or give a later day", w.text("outcome"), until)
		return false
	}
	return true
}

// Waive takes what is waived out of what has to be met.
func (r *Report) Waive(w Waivers) {
	for _, api := range r.APIs {
		api.each(func(op *Operation, o *Outcome) {
			at := waived{api: api.API, outcome: o.Outcome}
			if op != nil {
				at.operation = op.Operation
			}
			if why, found := w[at]; found && (op != nil || o.Operation == "") {
				o.Waived = &why
			}
		})
	}
	r.Settle(r.Uncalled)
}
