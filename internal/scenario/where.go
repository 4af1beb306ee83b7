package scenario

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// LongestPattern is the longest regular expression of a condition, in bytes,
// and mostPatterns is how many a file may have: a short one can become a
// large machine.
const (
	LongestPattern = 256
	mostPatterns   = 50
)

// A WhereReader reads the conditions of a document that is no scenario. It counts the
// regular expressions of all of them.
type WhereReader struct {
	reader reader
	read   int // values of conditions
}

// How many values conditions have that are no scenario's: each is held against each call.
const (
	mostValues = 1_000  // of an in
	mostRead   = 10_000 // of all conditions
)

// NewWhereReader returns a reader that adds what is wrong to faults.
func NewWhereReader(faults *document.Faults) *WhereReader {
	return &WhereReader{reader: reader{faults: faults}}
}

// Read reads conditions on calls of some operations, which whose names in faults.
func (w *WhereReader) Read(n *yaml.Node, operations []*contract.Operation, whose string) []Condition {
	all := w.reader.conditions(n, func(key *yaml.Node) { w.Check(key, operations, whose) })
	before := w.read
	for i := range all {
		w.read += max(1, len(all[i].In))
		if len(all[i].In) > mostValues {
			w.reader.faults.Addf(n, "where %s.in has %d values; at most %d were expected", all[i].Param, len(all[i].In), mostValues)
		}
	}
	if w.read > mostRead && before <= mostRead {
		w.reader.faults.Addf(n, "the conditions up to here have %d values; at most %d were expected in one file or request", w.read, mostRead)
	}
	if w.reader.faults.Count() == 0 {
		for i := range all {
			if why := contradiction(all[i:]); why != "" {
				w.reader.faults.Addf(n, "where %s can never be met: %s", all[i].Param, why)
				break
			}
		}
	}
	return all
}

// contradiction says why the first of some conditions and those of the same parameter
// that follow it exclude each other. "": nothing is known that they do.
func contradiction(all []Condition) string {
	first := &all[0]
	rest := all[1:]
	if end := slices.IndexFunc(rest, func(c Condition) bool { return c.Param != first.Param }); end >= 0 {
		rest = rest[:end]
	}
	for i := range rest {
		for _, pair := range [][2]*Condition{{first, &rest[i]}, {&rest[i], first}} {
			a, b := pair[0], pair[1]
			switch {
			case a.Match == Absent,
				a.Match == Greater && b.Match == Less && a.Number >= b.Number,
				a.Match == In && !slices.ContainsFunc(a.In, b.admits):
				return a.word() + " and " + b.word() + " exclude each other"
			}
		}
	}
	return ""
}

// admits reports whether a condition may hold for what equals a value.
func (c *Condition) admits(value string) bool {
	number, err := strconv.ParseFloat(value, 64)
	switch {
	case c.Match == Matches && err != nil: // equal numbers have several texts
		return c.Pattern.MatchString(value)
	case c.Match == Greater && err == nil:
		return number > c.Number
	case c.Match == Less && err == nil:
		return number < c.Number
	}
	return true
}

// word names what a condition asks for, as a document writes it.
func (c *Condition) word() string {
	if c.Match == Greater || c.Match == Less {
		return string(c.Match) + " " + strconv.FormatFloat(c.Number, 'g', -1, 64)
	}
	return string(c.Match)
}

// Check reports a name that is neither a parameter of one of the operations nor what
// else a condition may be about.
func (w *WhereReader) Check(name *yaml.Node, operations []*contract.Operation, whose string) {
	w.check(name, operations, whose+" has no")
}

// CheckAny is Check where the operations have no name in common.
func (w *WhereReader) CheckAny(name *yaml.Node, operations []*contract.Operation) {
	w.check(name, operations, "none of these operations has a")
}

func (w *WhereReader) check(name *yaml.Node, operations []*contract.Operation, without string) {
	if !anyDocuments(operations, name.Value) && !w.reader.isPrefixed(name) {
		w.reader.faults.Addf(name, "%s parameter %s%s", without, document.Quote(name.Value), document.Hint(name.Value, paramNames(operations)))
	}
}

func (r *reader) where(n *yaml.Node, t target) []Condition {
	return r.conditions(n, func(key *yaml.Node) { r.param(key, t) })
}

// conditions reads conditions, and has check look at each name.
func (r *reader) conditions(n *yaml.Node, check func(key *yaml.Node)) []Condition {
	var conditions []Condition
	for key, value := range document.Pairs(r.faults, n, "where") {
		if r.faults.Full() {
			break
		}
		check(key)
		if value.Kind != yaml.MappingNode {
			text, _ := document.Text(r.faults, value, "where "+key.Value)
			conditions = append(conditions, Condition{Param: key.Value, Value: text})
			continue
		}
		if len(value.Content) == 0 {
			r.faults.Addf(value, "where %s is empty; a value or a matcher was expected; matchers: %s", key.Value, strings.Join(Matchers, ", "))
		}
		for word, operand := range document.Pairs(r.faults, value, "where "+key.Value) {
			conditions = append(conditions, r.matcher(key.Value, word, operand))
		}
	}
	return conditions
}

// matcher reads one key of a matcher: {gt: 5}.
func (r *reader) matcher(param string, word, n *yaml.Node) Condition {
	c, what := Condition{Param: param, Match: Match(word.Value)}, "where "+param+"."+word.Value
	switch c.Match {
	case In:
		for _, e := range document.Elements(r.faults, n, what) {
			text, _ := document.Text(r.faults, e, what)
			c.In = append(c.In, text)
		}
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			r.faults.Addf(n, "%s is empty; at least one value was expected", what)
		}
	case Matches:
		c.Pattern = r.pattern(n, what)
	case Absent:
		r.readTrue(n, what, "for the opposite write present: true")
	case Present:
		r.readTrue(n, what, "for the opposite write absent: true")
	case Greater, Less:
		c.Number, _ = r.number(n, what)
	default:
		r.faults.Addf(word, "where %s has no matcher %s%s", param, document.Quote(word.Value), document.Hint(word.Value, Matchers))
	}
	return c
}

// matchesNothing stands in for an expression that has a fault.
var matchesNothing = regexp.MustCompile(`$^`)

func (r *reader) pattern(n *yaml.Node, what string) *regexp.Regexp {
	text, ok := document.Text(r.faults, n, what)
	if !ok {
		return matchesNothing
	}
	if len(text) > LongestPattern {
		r.faults.Addf(n, "%s has %d bytes; at most %d were expected", what, len(text), LongestPattern)
		return matchesNothing
	}
	if r.patterns++; r.patterns > mostPatterns {
		if r.patterns > mostPatterns+1 {
			return matchesNothing // the fault was reported
		}
		r.faults.Addf(n, "this is regular expression %d of the file; at most %d were expected; use in, or split the file", r.patterns, mostPatterns)
		return matchesNothing
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		r.faults.Addf(n, "%s is no regular expression: %s; the syntax is RE2", what, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return matchesNothing
	}
	return pattern
}

// param holds the name of a condition against the rows of its operation, or
// for Any against those of all.
func (r *reader) param(key *yaml.Node, t target) {
	var operations []*contract.Operation
	switch {
	case t.op != nil:
		operations = []*contract.Operation{t.op}
	case r.api != nil:
		operations = r.api.Operations
	}
	names := paramNames(operations)
	if anyDocuments(operations, key.Value) || r.isPrefixed(key) {
		return
	}
	switch {
	case r.all:
		r.faults.Addf(key, "no parameter is every API's, and the scenario is for all; a header such as header.User-Agent or a query such as query.page was expected")
	case !t.known:
	case t.op != nil:
		r.faults.Addf(key, "%s has no parameter %s%s", t.name, document.Quote(key.Value), document.Hint(key.Value, names))
	default:
		r.faults.Addf(key, "no operation of %s has a parameter %s%s", r.api.Name, document.Quote(key.Value), document.Hint(key.Value, names))
	}
}

// isPrefixed reports whether a name has the prefix of a header or of any query
// parameter, and reports what is wrong with the rest of it.
func (r *reader) isPrefixed(key *yaml.Node) bool {
	if name, ok := strings.CutPrefix(key.Value, HeaderPrefix); ok {
		if !httpguts.ValidHeaderFieldName(name) {
			r.faults.Addf(key, "%s is no name of a header; letters, digits and dashes were expected", document.Quote(name))
		}
		return true
	}
	name, ok := strings.CutPrefix(key.Value, QueryPrefix)
	if ok && name == "" {
		r.faults.Addf(key, "the name of a query parameter is missing after query.")
	}
	return ok
}

// paramNames lists the parameters of operations and what is inside of objects,
// each once.
func paramNames(operations []*contract.Operation) []string {
	var names []string
	seen := map[string]bool{}
	var walk func(under string, rows []contract.Param)
	walk = func(under string, rows []contract.Param) {
		for i := range rows {
			name := under + rows[i].Name
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
			if rows[i].Type == contract.Object {
				walk(name+".", rows[i].Fields)
			}
		}
	}
	for _, op := range operations {
		walk("", op.Params)
	}
	return names
}

// anyDocuments reports whether one of the operations has a row for a name or path.
func anyDocuments(operations []*contract.Operation, path string) bool {
	return slices.ContainsFunc(operations, func(op *contract.Operation) bool { return isDocumentedPath(op.Params, path) })
}

// isDocumentedPath reports whether a path leads to a row, or into an object whose
// members are not documented. Elements of a list are counted from 0.
func isDocumentedPath(rows []contract.Param, path string) bool {
	if contract.FindParam(rows, path) != nil {
		return true
	}
	for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path[:at], '.') {
		p := contract.FindParam(rows, path[:at])
		if p == nil {
			continue
		}
		rest := path[at+1:]
		if p.Type == contract.List {
			var index string
			index, rest, _ = strings.Cut(rest, ".")
			if !digits.MatchString(index) {
				continue
			}
		}
		switch {
		case rest == "":
			return true
		case p.Type != contract.Object && p.Of != contract.Object:
		case p.Fields == nil, isDocumentedPath(p.Fields, rest):
			return true
		}
	}
	return false
}

var digits = regexp.MustCompile(`^[0-9]{1,9}$`)
