package verify

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/wire"
)

// Write returns a report in one of output.CheckForms.
func (r *Report) Write(form string) []byte {
	switch form {
	case output.FormTable:
		return r.text()
	case output.FormTAP:
		return r.checklist().TAP()
	case output.FormJUnit:
		return r.checklist().JUnit()
	case output.FormMarkdown:
		return r.markdown()
	}
	return wire.Encode(r)
}

// text writes a line for each check, and below it what went wrong.
func (r *Report) text() []byte {
	var b strings.Builder
	for i := range r.Checks {
		c := &r.Checks[i]
		fmt.Fprintf(&b, "%-12s  %s", c.Verdict, output.OneLine(c.Name))
		if c.Verdict == Holds {
			fmt.Fprintf(&b, "; found %d", c.Found)
		}
		b.WriteByte('\n')
		for _, line := range c.details() {
			b.WriteString("              " + line + "\n")
		}
	}
	b.WriteString(r.Summary + "\n")
	for _, line := range r.Observed.lines() {
		b.WriteString(line + "\n")
	}
	return []byte(output.Printable(b.String()))
}

// lines say on what a report rests, where that is not everything.
func (o *Observed) lines() (all []string) {
	if o.Dropped > 0 {
		all = append(all, fmt.Sprintf("the journal has %s, and %d gave way to later ones", counted(o.Calls, "call"), o.Dropped))
	}
	if o.Open > 0 {
		line := counted(o.Open, "call") + " under way still"
		if len(o.Pending) > 0 {
			line += ": " + strings.Join(o.Pending, ", ")
		}
		all = append(all, line)
	}
	return all
}

// details says in lines what is wrong with a check that does not hold.
func (c *Result) details() (all []string) {
	if c.Why != "" {
		all = append(all, c.Why)
	}
	for i := range c.Nearest {
		m := &c.Nearest[i]
		line := "nearest: " + m.name()
		if m.Of != "" {
			line += ", for " + m.Of
		}
		all = append(all, line)
		for _, d := range m.Differs {
			all = append(all, "  "+d.String())
		}
		if m.More > 0 {
			all = append(all, fmt.Sprintf("  and %d more", m.More))
		}
	}
	for i := range c.Surplus {
		all = append(all, "too many: "+c.Surplus[i].name())
	}
	return all
}

func (m *Miss) name() string {
	return m.Call + " " + m.API + "/" + orDash(m.Operation) + "/" + m.Outcome
}

// String writes a difference as words.
func (d *Difference) String() string { return d.What + ": got " + d.Got + ", want " + d.Expected }

// checklist is the report as CI servers read it: what fails is a failure, what is
// insufficient an error.
func (r *Report) checklist() *output.Checklist {
	all := &output.Checklist{Name: "understudy verify"}
	suite := all.Suite(r.Sandbox)
	for i := range r.Checks {
		c := &r.Checks[i]
		test := output.Case{Name: c.Name, Class: "understudy." + r.Sandbox}
		details := c.details()
		fault := &output.Fault{
			Message: c.Why, Type: string(c.Verdict), Text: strings.Join(details, "\n"),
			Facts: []output.Fact{{Name: "verdict", Value: c.Verdict}, {Name: "expected", Value: c.Expected}, {Name: "found", Value: c.Found}, {Name: "details", Value: details}},
		}
		switch c.Verdict {
		case Fails:
			test.Failure = fault
		case Insufficient:
			test.Error = fault
		}
		suite.Add(test)
	}
	return all
}

// markdown writes a table, as for the summary of a job.
func (r *Report) markdown() []byte {
	var b bytes.Buffer
	t := output.Table{Columns: []string{"verdict", "check", "expected", "found", "details"}}
	for i := range r.Checks {
		c := &r.Checks[i]
		t.Add(c.Verdict, c.Name, c.Expected, c.Found, strings.Join(c.details(), "; "))
	}
	_ = t.Print(&b, &b, output.FormMarkdown) // into memory
	b.WriteString("\n" + output.Escaped(strings.Join(append([]string{r.Summary}, r.Observed.lines()...), "; ")) + "\n")
	return b.Bytes()
}
