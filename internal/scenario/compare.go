package scenario

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
)

// A Spot is where in a call a value stands.
type Spot struct {
	header, query string   // one of them, or
	param         string   // a parameter
	path          []string // and the names of members inside of it
}

// SpotOf finds the spot that a condition's Param means for an operation.
// Documented names win over everything else that they could be read as.
func SpotOf(param string, op *contract.Operation) Spot {
	if op != nil {
		if contract.FindParam(op.Params, param) != nil {
			return Spot{param: param}
		}
		for at := strings.LastIndexByte(param, '.'); at > 0; at = strings.LastIndexByte(param[:at], '.') {
			if contract.FindParam(op.Params, param[:at]) != nil {
				return Spot{param: param[:at], path: strings.Split(param[at+1:], ".")}
			}
		}
	}
	if name, ok := strings.CutPrefix(param, HeaderPrefix); ok {
		return Spot{header: http.CanonicalHeaderKey(name)}
	}
	if name, ok := strings.CutPrefix(param, QueryPrefix); ok {
		return Spot{query: name}
	}
	root, rest, inside := strings.Cut(param, ".")
	if inside {
		return Spot{param: root, path: strings.Split(rest, ".")}
	}
	return Spot{param: param}
}

// IsParam reports whether the spot is a parameter, or inside of one.
func (s *Spot) IsParam() bool { return s.header == "" && s.query == "" }

// Values are the values in a call. The query is parsed when a condition first
// looks there.
type Values struct {
	In     contract.Values
	Header http.Header
	Host   string
	URL    *url.URL // nil in a call that no request made

	query url.Values
}

// ValuesOf returns the values in a call.
func ValuesOf(c *contract.Call) Values {
	v := Values{In: c.In}
	if r := c.Request; r != nil {
		v.Header, v.Host, v.URL = r.Header, r.Host, r.URL
	}
	return v
}

// Find finds the value at a spot, and reports whether one was given.
func (v *Values) Find(p *Spot) (x any, given bool) {
	switch {
	case p.header == "Host": // net/http keeps it apart
		return v.Host, v.Host != ""
	case p.header != "":
		return first(v.Header[p.header])
	case p.query != "":
		if v.query == nil {
			v.query = url.Values{}
			if v.URL != nil {
				v.query = v.URL.Query()
			}
		}
		return first(v.query[p.query])
	}
	x, given = v.In[p.param]
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

// Holds reports whether the condition holds for the value at its spot.
func (c *Condition) Holds(x any, given bool) bool {
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
		return plain && c.Pattern.MatchString(text[:min(len(text), maxSearched)])
	case Greater, Less:
		n, ok := numberOf(x)
		return ok && (c.Match == Greater && n > c.Number || c.Match == Less && n < c.Number)
	}
	return equal(x, c.Value)
}

// maxSearched is how much of a value a regular expression looks at, in bytes.
const maxSearched = 64 << 10

// A Key is what equal values have in common.
type Key struct {
	kind byte // 0: a text, b: a truth value, f: a number with a fraction, d: a duration
	text string
}

// String is the text of a value that has this key, as a condition may have it.
func (k Key) String() string { return k.text }

// KeyOf is the key of a value; ok is false for a value that equals nothing.
func KeyOf(x any) (k Key, ok bool) {
	switch v := x.(type) {
	case string:
		return Key{text: v}, true
	case contract.Raw:
		return Key{text: string(v)}, true
	case json.Number:
		return Key{text: string(v)}, true
	case bool:
		return Key{'b', strconv.FormatBool(v)}, true
	case int64:
		return Key{text: strconv.FormatInt(v, 10)}, true
	case float64:
		return Key{'f', strconv.FormatFloat(v, 'g', -1, 64)}, true
	case time.Duration:
		return Key{'d', v.String()}, true
	}
	return Key{}, false
}

// KeysOf are the keys of all values that a value in a scenario file equals.
func KeysOf(want string) []Key {
	keys := []Key{{text: want}}
	if b, ok := contract.Boolean.Convert(contract.Raw(want)); ok {
		keys = append(keys, Key{'b', strconv.FormatBool(b.(bool))})
	}
	if f, err := strconv.ParseFloat(want, 64); err == nil {
		keys = append(keys, Key{'f', strconv.FormatFloat(f, 'g', -1, 64)})
	}
	if d, err := time.ParseDuration(want); err == nil {
		keys = append(keys, Key{'d', d.String()})
	}
	return keys
}

func equal(x any, want string) bool {
	k, ok := KeyOf(x)
	if !ok {
		return false
	}
	if k.kind == 0 {
		return k.text == want
	}
	return slices.Contains(KeysOf(want), k)
}

// textOf is a plain value as text; ok is false for a list, an object and null.
func textOf(x any) (text string, ok bool) {
	k, ok := KeyOf(x)
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

// Want says what the condition expects.
func (c *Condition) Want() string {
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

// Describe says what stands at a spot.
func Describe(x any, given bool) string {
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
