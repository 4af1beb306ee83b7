package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/document"
)

// A Condition compares a value of a call. Texts are compared, so that 5 equals
// "5": a value in a query has no type.
type Condition struct {
	// Param is a documented name, a path into an object (Media.id), or
	// header.NAME or query.NAME for what is no parameter.
	Param string
	Match Match // the zero Match: it equals Value
	Value string

	In      []string       // with In
	Pattern *regexp.Regexp // with Matches
	Number  float64        // with Greater and Less
}

// Match is how a condition compares.
type Match string

// The ways to match. In a scenario file they are the keys of a matcher.
const (
	Equal   Match = ""
	In      Match = "in"      // it equals one of several
	Matches Match = "matches" // a regular expression finds something in it
	Absent  Match = "absent"  // it was not given
	Present Match = "present" // it was given, be it empty or null
	Greater Match = "gt"      // it is a number, and greater
	Less    Match = "lt"      // it is a number, and less
)

// Matchers lists the keys of a matcher.
var Matchers = []string{string(In), string(Matches), string(Absent), string(Present), string(Greater), string(Less)}

// same reports whether two conditions are equal. A faulty expression equals none.
func (c *Condition) same(as *Condition) bool {
	return c.Param == as.Param && c.Match == as.Match && c.Value == as.Value && c.Number == as.Number &&
		slices.Equal(c.In, as.In) && (c.Pattern == nil || c.Pattern != matchesNothing && c.Pattern.String() == as.Pattern.String())
}

// ParseCondition reads a condition as it is written on a command line:
// UserId=u1.
func ParseCondition(s string) (Condition, error) {
	param, value, ok := strings.Cut(s, "=")
	if !ok || param == "" {
		return Condition{}, fmt.Errorf("the condition is %s; parameter=value was expected, such as UserId=u1", document.Quote(s))
	}
	return Condition{Param: param, Value: value}, nil
}

// The prefixes of what is no parameter.
const (
	HeaderPrefix = "header."
	QueryPrefix  = "query."
)
