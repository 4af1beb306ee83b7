package coverage

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/output"
)

// Forms lists the forms of a report.
var Forms = append(slices.Clone(output.CheckForms), output.FormHTML)

// Print writes a report in one of Forms. least is how many percent were asked for; 0:
// none.
func (r *Report) Print(w io.Writer, form string, least float64) error {
	var text []byte
	switch form {
	case output.FormJSON:
		return output.JSON(w, r)
	case output.FormHTML:
		return r.html(w)
	case output.FormTAP:
		text = r.checklist(least).TAP()
	case output.FormJUnit:
		text = r.checklist(least).JUnit()
	default:
		return printSections(w, form, "Coverage", r.summary(), r.sections())
	}
	_, err := w.Write(text)
	return err
}

// A section is a table with a title.
type section struct {
	title string
	table *output.Table
}

// summary is the report in a sentence.
func (r *Report) summary() string {
	s := fmt.Sprintf("%d of %d documented outcomes met, %s, in %s", r.Total.Met, r.Total.Documented, percent(r.Total.Percent), counted(r.Calls, "call"))
	if r.Total.Waived > 0 {
		s += fmt.Sprintf("; %d waived", r.Total.Waived)
	}
	if left := r.uncalled(); len(left) > 0 && !r.Uncalled {
		s += "; not called and left out of the total: " + strings.Join(left, ", ")
	}
	return s + "."
}

func (r *Report) uncalled() (names []string) {
	for _, api := range r.APIs {
		if api.Calls == 0 {
			names = append(names, api.API)
		}
	}
	return names
}

// percent writes a share.
func percent(p *float64) string {
	if p == nil {
		return "nothing to count"
	}
	return fmt.Sprintf("%.1f %%", *p)
}

func counted(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shown are the APIs that are in the total.
func (r *Report) shown() (apis []*API) {
	for _, api := range r.APIs {
		if r.Uncalled || api.Calls > 0 {
			apis = append(apis, api)
		}
	}
	return apis
}

func (r *Report) sections() []section {
	return []section{
		{"By operation", r.shares()}, {"How calls ended", r.outcomes()}, {"Not met", r.notMet()}, {"Waived", r.waived()},
	}
}

func (r *Report) shares() *output.Table {
	t := &output.Table{Columns: []string{"api", "operation", "calls", "documented", "met", "waived", "percent"}}
	add := func(api, operation, calls string, s Share) {
		t.Add(api, operation, calls, s.Documented, s.Met, s.Waived, strings.TrimSuffix(percent(s.Percent), " %"))
	}
	for _, api := range r.shown() {
		for _, op := range api.Operations {
			add(api.API, op.Operation, fmt.Sprint(op.Calls), op.Share)
		}
		add(api.API, "common to all", "", shareOf(api.Common))
		add(api.API, "in all", fmt.Sprint(api.Calls), api.Share)
	}
	return t
}

// outcomes lists the outcomes that calls ended in.
func (r *Report) outcomes() *output.Table {
	t := &output.Table{Columns: []string{"api", "operation", "outcome", "calls", "delivered", "client_gone", "decided_by", "then"}}
	for _, api := range r.APIs {
		uncounted := map[*Outcome]bool{}
		for _, o := range api.Uncounted {
			uncounted[o] = true
		}
		api.each(func(op *Operation, o *Outcome) {
			if o.Calls == 0 {
				return
			}
			operations, outcome := []string{o.Operation}, o.Outcome
			if op != nil {
				operations = []string{op.Operation}
			} else if len(o.Operations) > 0 {
				operations = numbered(o.Operations)
			}
			if uncounted[o] {
				outcome += " (not counted)"
			}
			t.Add(api.API, operations, outcome, o.Calls, o.Delivered, o.ClientGone, o.By.list(), o.Reacted.list())
		})
	}
	return t
}

// maxNumbered is how many names people are shown.
const maxNumbered = 8

// numbered lists names with how often each was, the most frequent first: "CreateSession
// 3", "DestroySession 1".
func numbered(names map[string]uint64) (all []string) {
	sorted := slices.SortedFunc(maps.Keys(names), func(a, b string) int {
		return cmp.Or(cmp.Compare(names[b], names[a]), cmp.Compare(a, b))
	})
	for i, name := range sorted {
		if i == maxNumbered {
			return append(all, fmt.Sprintf("%d more", len(sorted)-i))
		}
		all = append(all, fmt.Sprint(name, " ", names[name]))
	}
	return all
}

// list lists who decided.
func (b By) list() (all []string) {
	for _, by := range []struct {
		name string
		n    uint64
	}{{"emulator", b.Emulator}, {"check", b.Check}, {"scenario", b.Scenario}, {"header", b.Header}} {
		if by.n > 0 {
			all = append(all, fmt.Sprint(by.name, " ", by.n))
		}
	}
	return all
}

// list says what the client did next.
func (r *Reacted) list() (all []string) {
	if r == nil {
		return nil
	}
	if r.Again > 0 {
		all = append(all, fmt.Sprintf("again %d (shortest %s, median %s)", r.Again, span(r.ShortestMS), span(r.MedianMS)))
	}
	if r.Nothing > 0 {
		all = append(all, fmt.Sprint("nothing ", r.Nothing))
	}
	if r.Unknown > 0 {
		all = append(all, fmt.Sprint("unknown ", r.Unknown))
	}
	return append(all, numbered(r.Other)...)
}

// span writes milliseconds as a duration.
func span(ms float64) string {
	d := time.Duration(ms * float64(time.Millisecond))
	if d >= time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

func (r *Report) notMet() *output.Table {
	t := &output.Table{Columns: []string{"api", "operation", "outcome", "calls"}}
	r.list(func(api, operation string, o *Outcome) {
		if !o.Met && o.Waived == nil {
			t.Add(api, operation, o.Outcome, o.Calls)
		}
	})
	return t
}

func (r *Report) waived() *output.Table {
	t := &output.Table{Columns: []string{"api", "operation", "outcome", "until", "reason", "met"}}
	r.list(func(api, operation string, o *Outcome) {
		if o.Waived != nil {
			t.Add(api, operation, o.Outcome, o.Waived.Until, o.Waived.Reason, o.Met)
		}
	})
	return t
}

// everyOperation stands where an outcome is common to all operations.
const everyOperation = "*"

// list goes through the documented outcomes of the APIs in the total.
func (r *Report) list(f func(api, operation string, o *Outcome)) {
	for _, api := range r.shown() {
		for _, op := range api.Operations {
			for _, o := range op.Outcomes {
				f(api.API, op.Operation, o)
			}
		}
		for _, o := range api.Common {
			f(api.API, everyOperation, o)
		}
	}
}

// Missing lists what the total lacks: parcels/Drop/full.
func (r *Report) Missing() (all []string) {
	r.list(func(api, operation string, o *Outcome) {
		if !o.Met && o.Waived == nil {
			all = append(all, outcomePath(api, operation, o))
		}
	})
	return all
}

func outcomePath(api, operation string, o *Outcome) string {
	return api + "/" + operation + "/" + o.Outcome
}

// printSections writes tables for people or as Markdown. Empty ones are left out.
func printSections(w io.Writer, form, title, summary string, sections []section) error {
	var b strings.Builder
	if form == output.FormMarkdown {
		fmt.Fprintf(&b, "## %s\n\n%s\n", title, output.Escaped(summary))
	} else {
		b.WriteString(output.OneLine(summary) + "\n")
	}
	for _, s := range sections {
		if len(s.table.Rows) == 0 {
			continue
		}
		if form == output.FormMarkdown {
			fmt.Fprintf(&b, "\n### %s\n\n", s.title)
		} else {
			fmt.Fprintf(&b, "\n%s:\n", s.title)
		}
		if err := s.table.Print(&b, io.Discard, form); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// style is all that the page has beside its tables: it fetches nothing.
const style = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1b1b;background:#fff}" +
	"table{border-collapse:collapse;margin:0 0 2rem}th,td{text-align:left;vertical-align:top;padding:.25rem .75rem;border-bottom:1px solid #ddd}" +
	"th{background:#f2f2f2}td{overflow-wrap:anywhere}"

func (r *Report) html(w io.Writer) error {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n" +
		"<title>Coverage</title>\n<style>" + style + "</style>\n</head>\n<body>\n<h1>Coverage</h1>\n")
	fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(r.summary()))
	for _, s := range r.sections() {
		if len(s.table.Rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "<h2>%s</h2>\n<table>\n<tr>", html.EscapeString(s.title))
		for _, name := range s.table.Columns {
			b.WriteString("<th scope=\"col\">" + html.EscapeString(strings.ReplaceAll(name, "_", " ")) + "</th>")
		}
		b.WriteString("</tr>\n")
		for _, row := range s.table.Rows {
			b.WriteString("<tr>")
			for _, cell := range output.Cells(row, output.OneLine) {
				b.WriteString("<td>" + html.EscapeString(cell) + "</td>")
			}
			b.WriteString("</tr>\n")
		}
		b.WriteString("</table>\n")
	}
	b.WriteString("</body>\n</html>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// checklist has a check for each documented outcome: skipped where it is not met. The
// share that was asked for is a check that fails. Where nothing was called there is an error.
func (r *Report) checklist(least float64) *output.Checklist {
	all := &output.Checklist{Name: "coverage"}
	r.list(func(api, operation string, o *Outcome) {
		name := api + "." + cmp.Or(map[string]string{everyOperation: "common"}[operation], operation)
		c := output.Case{Title: outcomePath(api, operation, o), Class: name, Name: o.Outcome}
		switch {
		case o.Waived != nil:
			c.Skipped = &output.Fault{Message: "waived until " + o.Waived.Until + ": " + o.Waived.Reason}
		case !o.Met:
			c.Skipped = &output.Fault{Message: "not met: no answer of this outcome reached the client"}
		}
		all.Suite(name).Add(c)
	})
	if least > 0 || r.Calls == 0 {
		c := output.Case{Class: "coverage", Name: cmp.Or(map[bool]string{least == 0: "any call"}[true], fmt.Sprintf("at least %g %%", least))}
		fault := &output.Fault{Message: r.summary(), Facts: []output.Fact{{Name: "found", Value: r.summary()}, {Name: "missing", Value: append([]string{}, r.Missing()...)}}}
		switch err := r.Judge(least); {
		case errors.Is(err, ErrNoCalls):
			c.Error = fault
		case err != nil:
			c.Failure = fault
		}
		all.Suite("coverage").Add(c)
	}
	return all
}
