package player

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// A predicate is a condition and the place in a call where it looks.
type predicate struct {
	*scenario.Condition
	at   place
	slot int // the number of its Param in the index
}

// A place is where in a call a value stands.
type place struct {
	header, query string   // one of them, or
	param         string   // a parameter
	path          []string // and the names of members inside of it
}

// placeOf finds the place that a condition's Param means for an operation.
// Documented names win over everything else that they could be read as.
func placeOf(param string, op *contract.Operation) place {
	if op != nil {
		if contract.FindParam(op.Params, param) != nil {
			return place{param: param}
		}
		for at := strings.LastIndexByte(param, '.'); at > 0; at = strings.LastIndexByte(param[:at], '.') {
			if contract.FindParam(op.Params, param[:at]) != nil {
				return place{param: param[:at], path: strings.Split(param[at+1:], ".")}
			}
		}
	}
	if name, ok := strings.CutPrefix(param, scenario.HeaderPrefix); ok {
		return place{header: http.CanonicalHeaderKey(name)}
	}
	if name, ok := strings.CutPrefix(param, scenario.QueryPrefix); ok {
		return place{query: name}
	}
	root, rest, inside := strings.Cut(param, ".")
	if inside {
		return place{param: root, path: strings.Split(rest, ".")}
	}
	return place{param: param}
}

// values are the values in a call. The query is parsed when a condition first
// looks there.
type values struct {
	in     contract.Values
	header http.Header
	host   string
	url    *url.URL // nil in a call that no request made
	query  url.Values
}

func valuesOf(c *contract.Call) values {
	v := values{in: c.In}
	if r := c.Request; r != nil {
		v.header, v.host, v.url = r.Header, r.Host, r.URL
	}
	return v
}

// find finds the value at a place, and reports whether one was given.
func (v *values) find(p *place) (x any, given bool) {
	switch {
	case p.header == "Host": // net/http keeps it apart
		return v.host, v.host != ""
	case p.header != "":
		return first(v.header[p.header])
	case p.query != "":
		if v.query == nil {
			v.query = url.Values{}
			if v.url != nil {
				v.query = v.url.Query()
			}
		}
		return first(v.query[p.query])
	}
	x, given = v.in[p.param]
	for _, name := range p.path {
		if !given {
			return nil, false
		}
		x, given = member(x, name)
	}
	return x, given
}

func first(all []string) (any, bool) {
	if len(all) == 0 {
		return nil, false
	}
	return all[0], true
}

// member finds a member of an object, or an element of a list by its number
// counted from 0.
func member(x any, name string) (any, bool) {
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

// holds reports whether the predicate holds for the value at its place.
func (p *predicate) holds(x any, given bool) bool {
	switch p.Match {
	case scenario.Absent:
		return !given
	case scenario.Present:
		return given
	}
	if !given {
		return false
	}
	switch p.Match {
	case scenario.In:
		return slices.ContainsFunc(p.In, func(want string) bool { return equal(x, want) })
	case scenario.Matches:
		text, plain := textOf(x)
		return plain && p.Pattern.MatchString(text[:min(len(text), maxSearched)])
	case scenario.Greater, scenario.Less:
		n, ok := numberOf(x)
		return ok && (p.Match == scenario.Greater && n > p.Number || p.Match == scenario.Less && n < p.Number)
	}
	return equal(x, p.Value)
}

// maxSearched is how much of a value a regular expression looks at, in bytes.
const maxSearched = 64 << 10

// A key is what equal values have in common.
type key struct {
	kind byte // 0: a text, b: a truth value, f: a number with a fraction, d: a duration
	text string
}

// keyOf is the key of a value; ok is false for a value that equals nothing.
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

// keysOf are the keys of all values that a value in a scenario file equals.
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

// textOf is a plain value as text; ok is false for a list, an object and null.
func textOf(x any) (text string, ok bool) {
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

// mismatch says why the predicate does not hold.
func (p *predicate) mismatch(x any, given bool) string {
	return "where " + p.Param + ": got " + describe(x, given) + ", want " + p.want()
}

func (p *predicate) want() string {
	switch p.Match {
	case scenario.In:
		var all []string
		for _, s := range p.In {
			all = append(all, document.Quote(s))
		}
		return "one of " + strings.Join(all, ", ")
	case scenario.Matches:
		return "a match of " + document.Quote(p.Pattern.String())
	case scenario.Absent:
		return "nothing"
	case scenario.Present:
		return "anything"
	case scenario.Greater:
		return "more than " + strconv.FormatFloat(p.Number, 'g', -1, 64)
	case scenario.Less:
		return "less than " + strconv.FormatFloat(p.Number, 'g', -1, 64)
	}
	return document.Quote(p.Value)
}

func describe(x any, given bool) string {
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
