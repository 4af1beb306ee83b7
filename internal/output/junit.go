package output

import (
	"bytes"
	"encoding/xml"
)

// A JUnit is a report in the XML that CI servers read.
type JUnit struct {
	XMLName  xml.Name      `xml:"testsuites"`
	Name     string        `xml:"name,attr"`
	Tests    int           `xml:"tests,attr"`
	Failures int           `xml:"failures,attr"`
	Errors   int           `xml:"errors,attr"`
	Skipped  int           `xml:"skipped,attr"`
	Suites   []*JUnitSuite `xml:"testsuite"`
}

// A JUnitSuite is a group of test cases.
type JUnitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []JUnitCase `xml:"testcase"`
}

// A JUnitCase is a test case. Of its three endings it has one at most; none: it passed.
type JUnitCase struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Failure *JUnitFault `xml:"failure"`
	Error   *JUnitFault `xml:"error"` // it could not be told
	Skipped *JUnitFault `xml:"skipped"`
}

// A JUnitFault says why a test case did not pass.
type JUnitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// Suite returns the group of a name, which is new at first.
func (j *JUnit) Suite(name string) *JUnitSuite {
	for _, s := range j.Suites {
		if s.Name == name {
			return s
		}
	}
	s := &JUnitSuite{Name: name}
	j.Suites = append(j.Suites, s)
	return s
}

// Add adds a test case and counts it.
func (s *JUnitSuite) Add(c JUnitCase) {
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

// Bytes writes the report.
func (j *JUnit) Bytes() []byte {
	j.Tests, j.Failures, j.Errors, j.Skipped = 0, 0, 0, 0
	for _, s := range j.Suites {
		j.Tests += s.Tests
		j.Failures += s.Failures
		j.Errors += s.Errors
		j.Skipped += s.Skipped
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	_ = e.Encode(j) // into memory, of texts and numbers
	b.WriteByte('\n')
	return b.Bytes()
}
