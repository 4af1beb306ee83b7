package output

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"
)

// A Checklist says what holds and what does not, as CI servers read it: as JUnit's XML
// or as TAP, the Test Anything Protocol.
type Checklist struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suites   []*Suite `xml:"testsuite"`
}

// A Suite is a group of checks.
type Suite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Cases    []Case `xml:"testcase"`
}

// A Case is a check. Of its three endings it has one at most; none: it holds.
type Case struct {
	Title   string `xml:"-"` // its name where no class stands beside it; "": Name
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	Failure *Fault `xml:"failure"`
	Error   *Fault `xml:"error"` // it could not be told
	Skipped *Fault `xml:"skipped"`
}

// A Fault says why a check does not hold.
type Fault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
	Facts   []Fact `xml:"-"` // what TAP says of it
}

// A Fact is one thing that is known of a fault.
type Fact struct {
	Name  string
	Value any // as JSON has it
}

// Suite returns the group of a name, which is new at first.
func (l *Checklist) Suite(name string) *Suite {
	for _, s := range l.Suites {
		if s.Name == name {
			return s
		}
	}
	s := &Suite{Name: name}
	l.Suites = append(l.Suites, s)
	return s
}

// Add adds a check and counts it.
func (s *Suite) Add(c Case) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// JUnit writes the list as XML.
func (l *Checklist) JUnit() []byte {
	l.Tests, l.Failures, l.Errors, l.Skipped = 0, 0, 0, 0
	for _, s := range l.Suites {
		l.Tests += s.Tests
		l.Failures += s.Failures
		l.Errors += s.Errors
		l.Skipped += s.Skipped
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	_ = e.Encode(l) // into memory, of texts and numbers
	b.WriteByte('\n')
	return b.Bytes()
}

// tapText escapes what TAP reads as the beginning of a directive.
var tapText = strings.NewReplacer(`\`, `\\`, "#", `\#`)

// TAP writes the list as version 14 has it. What could not be told is not ok.
func (l *Checklist) TAP() []byte {
	var cases []Case
	for _, s := range l.Suites {
		cases = append(cases, s.Cases...)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "TAP version 14\n1..%d\n", len(cases))
	for i, c := range cases {
		fault, word := cmp.Or(c.Failure, c.Error), "ok"
		if fault != nil {
			word = "not ok"
		}
		fmt.Fprintf(&b, "%s %d - %s", word, i+1, tapText.Replace(OneLine(cmp.Or(c.Title, c.Name))))
		if fault == nil && c.Skipped != nil {
			b.WriteString(" # SKIP " + tapText.Replace(OneLine(c.Skipped.Message)))
		}
		b.WriteByte('\n')
		if fault != nil && len(fault.Facts) > 0 {
			b.WriteString("  ---\n")
			for _, f := range fault.Facts { // JSON is YAML
				fmt.Fprintf(&b, "  %s: %s\n", f.Name, JSONText(f.Value))
			}
			b.WriteString("  ...\n")
		}
	}
	return b.Bytes()
}
