package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A problem is a refusal as an RFC 9457 problem document. It is an error, so that
// handlers can return it.
type problem struct {
	Title      string               `json:"title" doc:"the status in words"`
	Status     int                  `json:"status"`
	Detail     string               `json:"detail" doc:"what was found and what was expected"`
	Faults     []string             `json:"faults,omitempty" doc:"the faults of a file, each with its place"`
	Violations []contract.Violation `json:"violations,omitempty" doc:"of parameters, held against their rows"`

	header http.Header
}

// problemKind is the media type of a problem.
const problemKind = "application/problem+json"

func (p *problem) Error() string { return p.Detail }

// refuse makes a problem whose detail is the formatted text.
func refuse(status int, format string, args ...any) *problem {
	return &problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// with adds a header to the problem's answer.
func (p *problem) with(name, value string) *problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Add(name, value)
	return p
}

// problemOf returns the problem that err is, or one that describes err as a failure
// of understudy's own.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if full := (*sandbox.NoRoomError)(nil); errors.As(err, &full) {
		return refuse(http.StatusInsufficientStorage, "%v", err)
	}
	return refuse(http.StatusInternalServerError, "%v", err)
}

// mostViolations is how many violations a problem lists.
const mostViolations = 100

// violating adds the first of the violations that were found, with what they got cut where
// it is long: the input is the client's, and may be of any length.
func (p *problem) violating(found []contract.Violation) *problem {
	for _, v := range found[:min(len(found), mostViolations)] {
		v.Path = cut(v.Path)
		if text, is := v.Got.(string); is {
			v.Got = cut(text)
		} else if text := string(wire.Encode(v.Got)); len(text) > mostShown {
			v.Got = cut(text)
		}
		p.Violations = append(p.Violations, v)
	}
	p.Detail += "; " + inWords(&p.Violations[0])
	return p
}

// inWords says what was found and what was expected.
func inWords(v *contract.Violation) string {
	expected := "another value"
	switch {
	case v.Rule == contract.Unknown:
		expected = "no such member"
	case len(v.Param.OneOf) > 0:
		expected = strings.Join(v.Param.OneOf, " or ")
	case v.Param.Type == contract.Duration:
		expected = "a length of time such as 10m"
	case v.Rule == contract.Mistyped:
		expected = "a value of another type"
	}
	if v.Rule == contract.Missing {
		return quote(v.Path) + " is missing"
	}
	return fmt.Sprintf("%s is %s, and %s was expected", quote(v.Path), describe(v.Got), expected)
}

// mostShown is how many bytes of an input a problem shows at one place.
const mostShown = 160

// cut shortens a text that is long, between two of its characters.
func cut(text string) string {
	if len(text) <= mostShown {
		return text
	}
	return strings.ToValidUTF8(text[:mostShown], "") + "…"
}

func (p *problem) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	send(w, p.Status, problemKind, wire.Encode(p))
}

// send writes a whole answer.
func send(w http.ResponseWriter, status int, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no telling
}

// splitErrors lists the errors that errors.Join has put together.
func splitErrors(err error) []error {
	several, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // what is wrapped singly is one error
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range several.Unwrap() {
		all = append(all, splitErrors(e)...)
	}
	return all
}

// quote and hint are how a refusal names something unknown.
func quote(s string) string { return document.Quote(s) }

func hint(got string, known []string) string { return document.Hint(got, known) }

// hintAll is hint, with all known names where none is near.
func hintAll(got string, known []string) string {
	if near := hint(got, known); near != "" {
		return near
	}
	return "; known: " + strings.Join(known, ", ")
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// describe writes a value of a body into a refusal, cut where it is long.
func describe(x any) string {
	if s, ok := x.(string); ok {
		return quote(s)
	}
	if n, ok := x.(json.Number); ok {
		return n.String()
	}
	text := string(wire.Encode(x))
	if len(text) > 60 {
		text = text[:57] + "…"
	}
	return text
}
