package coverage

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/understudy-suite/understudy/internal/output"
)

// A Closing is what a server has to say in the end.
type Closing struct {
	Calls        uint64   `json:"calls"`
	Met          int      `json:"met"`
	Documented   int      `json:"documented"`
	Ends         []End    `json:"ends"`                 // operation × outcome
	Refusals     []Reason `json:"refusals"`             // why an emulator or a check refused
	MoreRefusals int      `json:"more_refusals"`        // rows that are left out
	NeverFired   []Rule   `json:"never_fired"`          // of scenarios that are active, or were when their sandbox ended, since they began or their sandbox was reset
	MoreNever    int      `json:"more_never_fired"`     // rules that are left out
	ClientGone   uint64   `json:"client_gone"`          // calls that no client waited for
	JournalLost  uint64   `json:"journal_entries_lost"` // that gave way to later ones

	report *Report
}

// An End is how often an operation ended in an outcome.
type End struct {
	API       string `json:"api"`
	Operation string `json:"operation"`
	Outcome   string `json:"outcome"`
	Calls     uint64 `json:"calls"`
}

// A Reason is why calls were refused.
type Reason struct {
	API     string `json:"api"`
	Outcome string `json:"outcome"`
	Cause   string `json:"cause"`
	Calls   uint64 `json:"calls"`
}

// A Rule is one of an active scenario that decided no call.
type Rule struct {
	Sandbox   string   `json:"sandbox"`
	Scenario  string   `json:"scenario"`
	Rule      int      `json:"rule"` // counted from 1
	Operation string   `json:"operation"`
	Outcomes  []string `json:"outcomes,omitempty"` // none: the emulator's, by a network that the rule describes
}

// MaxListed is how many rows each table of a Closing has.
const MaxListed = 200

// Close says what a report has to say in the end, beside what is known elsewhere: the
// rules that never fired, how many more there are, and what journals lost.
func (r *Report) Close(never []Rule, more int, journalLost uint64) *Closing {
	c := &Closing{
		Calls: r.Calls, Met: r.Total.Met, Documented: r.Total.Documented, JournalLost: journalLost,
		Ends: []End{}, Refusals: []Reason{}, NeverFired: []Rule{}, report: r,
	}
	for _, api := range r.APIs {
		api.each(func(op *Operation, o *Outcome) {
			c.ClientGone += o.ClientGone
			c.add(api.API, op, o)
		})
	}
	c.Refusals, c.MoreRefusals = firstOf(c.Refusals)
	c.NeverFired, c.MoreNever = firstOf(append(c.NeverFired, never...))
	c.MoreNever += more
	return c
}

func (c *Closing) add(api string, op *Operation, o *Outcome) {
	operation := o.Operation
	if op != nil {
		operation = op.Operation
	}
	switch {
	case len(o.Operations) > 0:
		for _, name := range slices.Sorted(maps.Keys(o.Operations)) {
			c.Ends = append(c.Ends, End{api, name, o.Outcome, o.Operations[name]})
		}
	case o.Calls > 0:
		c.Ends = append(c.Ends, End{api, operation, o.Outcome, o.Calls})
	}
	for _, cause := range slices.Sorted(maps.Keys(o.Causes)) {
		c.Refusals = append(c.Refusals, Reason{api, o.Outcome, cause, o.Causes[cause]})
	}
}

func firstOf[T any](all []T) (first []T, more int) {
	first = all[:min(len(all), MaxListed)]
	return first, len(all) - len(first)
}

// Print writes the tables for people or as Markdown, or the whole as JSON.
func (c *Closing) Print(w io.Writer, form string) error {
	if form == output.FormJSON {
		return output.JSON(w, c)
	}
	if c.Calls == 0 && len(c.NeverFired) == 0 {
		return printSections(w, form, "understudy", "No calls were made.", nil)
	}
	refusals := &output.Table{Columns: []string{"api", "outcome", "cause", "calls"}}
	for _, r := range c.Refusals {
		refusals.Add(r.API, r.Outcome, r.Cause, r.Calls)
	}
	never := &output.Table{Columns: []string{"sandbox", "scenario", "rule", "operation", "outcomes"}}
	for _, r := range c.NeverFired {
		never.Add(r.Sandbox, r.Scenario, r.Rule, r.Operation, r.Outcomes)
	}
	return printSections(w, form, "understudy", c.summary(), []section{
		{"How calls ended", c.report.outcomes()},
		{"Why calls were refused" + more(c.MoreRefusals), refusals},
		{"Planned and not played since the sandbox began or was reset" + more(c.MoreNever), never},
	})
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", n)
}

func (c *Closing) summary() string {
	if c.Calls == 0 {
		return "No calls were made."
	}
	s := c.report.summary()
	if c.ClientGone > 0 {
		s += " The client had gone before the answer's end: " + counted(c.ClientGone, "call") + "."
	}
	if c.JournalLost > 0 {
		s += fmt.Sprintf(" Journal entries that gave way to later ones: %d.", c.JournalLost)
	}
	return s
}
