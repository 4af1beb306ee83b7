package verify

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The forms of a report.
const (
	FormText     = "text"
	FormJSON     = "json"
	FormTAP      = "tap"   // Test Anything Protocol, version 14
	FormJUnit    = "junit" // XML
	FormMarkdown = "markdown"
)

// Forms lists every form. FormText comes first, which is what people read.
var Forms = []string{FormText, FormJSON, FormTAP, FormJUnit, FormMarkdown}

// Media types of the forms beside JSON.
const (
	plainKind    = "text/plain; charset=utf-8"
	xmlKind      = "application/xml"
	markdownKind = "text/markdown; charset=utf-8"
)

// MediaTypes lists those of the forms beside JSON.
var MediaTypes = []string{plainKind, xmlKind, markdownKind}

// Write returns a report in one of the forms, and its media type.
func (r *Report) Write(form string) (kind string, text []byte) {
	switch form {
	case FormText:
		return plainKind, r.text()
	case FormTAP:
		return plainKind, r.tap()
	case FormJUnit:
		return xmlKind, r.junit()
	case FormMarkdown:
		return markdownKind, r.markdown()
	}
	return "application/json", wire.Encode(r)
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

// tap writes the Test Anything Protocol, version 14: what is insufficient is not ok.
func (r *Report) tap() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "TAP version 14\n1..%d\n", len(r.Checks))
	for i := range r.Checks {
		c := &r.Checks[i]
		word := "ok"
		if c.Verdict != Holds {
			word = "not ok"
		}
		name := strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(output.OneLine(c.Name))
		fmt.Fprintf(&b, "%s %d - %s\n", word, i+1, name)
		if c.Verdict == Holds {
			continue
		}
		fmt.Fprintf(&b, "  ---\n  verdict: %s\n  expected: %s\n  found: %d\n  details:\n", c.Verdict, yamlText(c.Expected), c.Found)
		for _, line := range c.details() {
			b.WriteString("    - " + yamlText(line) + "\n")
		}
		b.WriteString("  ...\n")
	}
	return []byte(b.String())
}

// yamlText writes a text in YAML's double quotes, which are those of JSON.
func yamlText(s string) string { return output.JSONText(s) }

// junit writes JUnit's XML: what fails is a failure, what is insufficient an error.
func (r *Report) junit() []byte {
	all := &output.JUnit{Name: "understudy verify"}
	suite := all.Suite(r.Sandbox)
	for i := range r.Checks {
		c := &r.Checks[i]
		test := output.JUnitCase{Name: c.Name, Class: "understudy." + r.Sandbox}
		fault := &output.JUnitFault{Message: c.Why, Type: string(c.Verdict), Text: strings.Join(c.details(), "\n")}
		switch c.Verdict {
		case Fails:
			test.Failure = fault
		case Insufficient:
			test.Error = fault
		}
		suite.Add(test)
	}
	return all.Bytes()
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
