package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// A Condition holds where what a call says fits. Texts are compared, so that 5
// equals "5": a value that comes in a query has no type.
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

// Match is how a value is held against a condition.
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

// same reports whether two conditions say the same. What stands for a faulty
// expression says nothing.
func (c *Condition) same(as *Condition) bool {
	return c.Param == as.Param && c.Match == as.Match && c.Value == as.Value && c.Number == as.Number &&
		slices.Equal(c.In, as.In) && (c.Pattern == nil || c.Pattern != never && c.Pattern.String() == as.Pattern.String())
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
	headerPrefix = "header."
	queryPrefix  = "query."
)

// A place says where in a call a condition looks.
type place struct {
	header, query string   // one of them, or
	param         string   // a parameter
	path          []string // and what to look for inside of it
}

// placeOf finds the place that a condition's Param means for an operation.
// Documented names win over everything that they could be read as.
func placeOf(param string, op *contract.Operation) place {
	if op != nil {
		if row(op.Params, param) != nil {
			return place{param: param}
		}
		for at := strings.LastIndexByte(param, '.'); at > 0; at = strings.LastIndexByte(param[:at], '.') {
			if row(op.Params, param[:at]) != nil {
				return place{param: param[:at], path: strings.Split(param[at+1:], ".")}
			}
		}
	}
	if name, ok := strings.CutPrefix(param, headerPrefix); ok {
		return place{header: http.CanonicalHeaderKey(name)}
	}
	if name, ok := strings.CutPrefix(param, queryPrefix); ok {
		return place{query: name}
	}
	root, rest, inside := strings.Cut(param, ".")
	if inside {
		return place{param: root, path: strings.Split(rest, ".")}
	}
	return place{param: param}
}

func row(rows []contract.Param, name string) *contract.Param {
	for i := range rows {
		if rows[i].Name == name {
			return &rows[i]
		}
	}
	return nil
}

// said is what a call says, its query taken apart when somebody asks for it.
type said struct {
	in     contract.Values
	header http.Header
	host   string
	url    *url.URL // nil in a call that no request made
	query  url.Values
}

func saidBy(c *contract.Call) said {
	s := said{in: c.In}
	if r := c.Request; r != nil {
		s.header, s.host, s.url = r.Header, r.Host, r.URL
	}
	return s
}

// find finds what was said at a place.
func (s *said) find(p *place) (any, bool) {
	switch {
	case p.header != "":
		return s.inHeader(p.header)
	case p.query != "":
		if s.query == nil {
			s.query = url.Values{}
			if s.url != nil {
				s.query = s.url.Query()
			}
		}
		if all := s.query[p.query]; len(all) > 0 {
			return all[0], true
		}
		return nil, false
	}
	x, given := s.in[p.param]
	for _, name := range p.path {
		if !given {
			return nil, false
		}
		x, given = inside(x, name)
	}
	return x, given
}

func (s *said) inHeader(name string) (any, bool) {
	if name == "Host" { // net/http keeps it apart
		return s.host, s.host != ""
	}
	if all := s.header[name]; len(all) > 0 {
		return all[0], true
	}
	return nil, false
}

// inside finds a member of an object, or an element of a list by its number
// counted from 0.
func inside(x any, name string) (any, bool) {
	switch v := x.(type) {
	case contract.Values:
		y, given := v[name]
		return y, given
	case map[string]any:
		y, given := v[name]
		return y, given
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return nil, false
}

// holds reports whether the condition holds for what was found at its place.
func (c *Condition) holds(x any, given bool) bool {
	switch c.Match {
	case Absent:
		return !given
	case Present:
		return given
	}
	if !given {
		return false
	}
	switch c.Match {
	case In:
		return slices.ContainsFunc(c.In, func(want string) bool { return equal(x, want) })
	case Matches:
		text, plain := textOf(x)
		return plain && c.Pattern.MatchString(text[:min(len(text), searched)])
	case Greater, Less:
		n, ok := numberOf(x)
		return ok && (c.Match == Greater && n > c.Number || c.Match == Less && n < c.Number)
	}
	return equal(x, c.Value)
}

// searched is how much of a value a regular expression looks at, in bytes.
const searched = 64 << 10

// A key is what values that are equal have in common.
type key struct {
	kind byte // 0: a text, b: a truth value, f: a number with a fraction, d: a duration
	text string
}

// keyOf is the key of a value; "ok" is false for what equals nothing.
func keyOf(x any) (k key, ok bool) {
	switch v := x.(type) {
	case string:
		return key{text: v}, true
	case contract.Raw:
		return key{text: string(v)}, true
	case json.Number:
		return key{text: string(v)}, true
	case bool:
		return key{'b', strconv.FormatBool(v)}, true
	case int64:
		return key{text: strconv.FormatInt(v, 10)}, true
	case float64:
		return key{'f', strconv.FormatFloat(v, 'g', -1, 64)}, true
	case time.Duration:
		return key{'d', v.String()}, true
	}
	return key{}, false
}

// keysOf are the keys of all values that a written one equals.
func keysOf(want string) []key {
	keys := []key{{text: want}}
	if b, ok := contract.Boolean.Convert(contract.Raw(want)); ok {
		keys = append(keys, key{'b', strconv.FormatBool(b.(bool))})
	}
	if f, err := strconv.ParseFloat(want, 64); err == nil {
		keys = append(keys, key{'f', strconv.FormatFloat(f, 'g', -1, 64)})
	}
	if d, err := time.ParseDuration(want); err == nil {
		keys = append(keys, key{'d', d.String()})
	}
	return keys
}

func equal(x any, want string) bool {
	k, ok := keyOf(x)
	if !ok {
		return false
	}
	if k.kind == 0 {
		return k.text == want
	}
	return slices.Contains(keysOf(want), k)
}

// textOf is what a plain value is called.
func textOf(x any) (string, bool) {
	k, ok := keyOf(x)
	return k.text, ok
}

func numberOf(x any) (float64, bool) {
	switch v := x.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case time.Duration, bool:
		return 0, false
	}
	text, ok := textOf(x)
	n, err := strconv.ParseFloat(text, 64)
	return n, ok && err == nil
}

// why says why the condition does not hold.
func (c *Condition) why(x any, given bool) string {
	return "where " + c.Param + ": got " + shown(x, given) + ", want " + c.want()
}

func (c *Condition) want() string {
	switch c.Match {
	case In:
		var all []string
		for _, s := range c.In {
			all = append(all, document.Quote(s))
		}
		return "one of " + strings.Join(all, ", ")
	case Matches:
		return "a match of " + document.Quote(c.Pattern.String())
	case Absent:
		return "nothing"
	case Present:
		return "anything"
	case Greater:
		return "more than " + strconv.FormatFloat(c.Number, 'g', -1, 64)
	case Less:
		return "less than " + strconv.FormatFloat(c.Number, 'g', -1, 64)
	}
	return document.Quote(c.Value)
}

func shown(x any, given bool) string {
	if !given {
		return "nothing"
	}
	switch v := x.(type) {
	case nil:
		return "null"
	case []any:
		return "a list"
	case contract.Values, map[string]any:
		return "an object"
	case string:
		return document.Quote(v)
	default:
		return document.Quote(fmt.Sprint(v))
	}
}
