package adobemedia

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A dictionary describes an object whose names are free.
type dictionary struct {
	pattern string            // of its names; "": any
	matches func(string) bool // whether a name matches the pattern; nil: every name does
	value   contract.Param    // of each value
}

// dictionaries are the objects whose names the client chooses.
var dictionaries = map[string]dictionary{
	customMetadata.Name: {
		pattern: metadataNames, matches: validMetadataName,
		value: contract.Param{Doc: "a text"},
	},
	customerIDs: {value: contract.Param{
		Type: contract.Object, Doc: "an id and how far it is proven",
		Fields: []contract.Param{
			{Name: "id", Cite: citeParameters, Doc: "The id."},
			{Name: "authState", Type: contract.Integer, Cite: citeParameters, Doc: "0 unknown, 1 signed in, 2 signed out."},
		},
	}},
}

const customerIDs = "visitor.customerIDs"

// metadataNames is the only pattern of the published schema.
const metadataNames = `^[a-zA-Z0-9_\.]+$`

// validMetadataName reports whether a name matches metadataNames. It is much
// faster than the regular expression.
func validMetadataName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.':
		default:
			return false
		}
	}
	return name != ""
}

// misnamed marks a name in customMetadata that does not match the pattern.
const misnamed contract.Rule = "misnamed"

// maxViolations is how many violations of one request are recorded.
const maxViolations = 32

// A checker checks messages against the rows of their types.
type checker struct {
	lenient       bool // unknown keys pass, and so do whole numbers written as fractions
	errorNeedsIDs bool
}

func checkerOf(sw contract.Values) checker {
	return checker{lenient: sw.Text("unknown_keys") == "lenient", errorNeedsIDs: sw.Bool("error_requires_id")}
}

// check checks a message of type t against its rows. Rows differ from a schema
// in both directions; check keeps the findings that violate the schema.
func (ck checker) check(t *eventType, in contract.Values) []contract.Violation {
	rows := t.rows
	if ck.errorNeedsIDs && t.name == "error" {
		rows = errorRows
	}
	var found []contract.Violation
	for _, v := range slices.DeleteFunc(contract.Validate(rows, in), isEmptyText) {
		found = append(found, ck.interpret(t, in, v)...)
	}
	found = append(found, ck.checkNames(customMetadata.Name, "", in)...)
	if t.name == sessionStart || !ck.lenient {
		found = append(found, ck.checkNames(customerIDs, "params.", in.Object("params"))...)
	}
	return found
}

// errorRows are the rows of an error event under the rule of 2018.
var errorRows = func() []contract.Param {
	rows := slices.Clone(events["error"].rows)
	for i := range rows {
		if rows[i].Name != qoeData.Name {
			continue
		}
		rows[i].Need = contract.Required
		rows[i].Fields = slices.Clone(rows[i].Fields)
		for j := range rows[i].Fields {
			if f := &rows[i].Fields[j]; f.Name == "media.qoe.errorID" || f.Name == "media.qoe.errorSource" {
				f.Need = contract.Required
			}
		}
	}
	return rows
}()

// samplePlaceholder reports whether a key of qoeData is one of the placeholders in
// the documented sessions request, whose structure a request must have. The
// published schema does not know them.
func samplePlaceholder(name string) bool { return name == "param1" || name == "param2" }

// interpret returns the violations of the schema that a finding means.
func (ck checker) interpret(t *eventType, in contract.Values, v contract.Violation) []contract.Violation {
	section, name, inside := strings.Cut(v.Path, ".")
	switch v.Rule {
	case contract.Unknown:
		if ck.lenient || t.name == sessionStart && section == qoeData.Name && samplePlaceholder(name) {
			return nil
		}
		if p := optionalParams[name]; inside && section == "params" && t.name != sessionStart && p != nil {
			found := slices.DeleteFunc(contract.Validate([]contract.Param{*p}, contract.Values{name: v.Got}), isEmptyText)
			for i := range found {
				found[i].Path = "params." + found[i].Path
			}
			return found
		}
	case contract.Mistyped:
		if whole, ok := wholeNumber(v); ok && ck.lenient && inside {
			in.Object(section)[name] = whole
			return nil
		}
	}
	return []contract.Violation{v}
}

// isEmptyText reports whether a finding is only an empty text, which the schema
// allows.
func isEmptyText(v contract.Violation) bool { return v.Rule == contract.Empty }

// wholeNumber reads 10.0 as 10 where an integer is expected.
func wholeNumber(v contract.Violation) (int64, bool) {
	n, isNumber := v.Got.(json.Number)
	if !isNumber || v.Param == nil || v.Param.Type != contract.Integer {
		return 0, false
	}
	digits, fraction, _ := strings.Cut(string(n), ".")
	if strings.Trim(fraction, "0") != "" {
		return 0, false
	}
	whole, err := strconv.ParseInt(digits, 10, 64)
	return whole, err == nil
}

// checkNames checks an object with free names against its dictionary.
func (ck checker) checkNames(object, under string, in contract.Values) []contract.Violation {
	entries := in.Object(object)
	if len(entries) == 0 {
		return nil
	}
	d := dictionaries[object]
	var wrong []string
	for name, x := range entries {
		if d.matches != nil && !d.matches(name) || !ck.accepts(&d.value, x) {
			wrong = append(wrong, name)
		}
	}
	slices.Sort(wrong)
	var found []contract.Violation
	for _, name := range wrong[:min(len(wrong), maxViolations)] {
		v := contract.Violation{Path: under + object + "." + name, Rule: contract.Mistyped, Got: entries[name], Doc: "Expected is " + d.value.Doc + "."}
		if d.matches != nil && !d.matches(name) {
			v.Rule, v.Doc = misnamed, "Names match "+d.pattern+"."
		}
		found = append(found, v)
	}
	return found
}

// accepts reports whether a value of a free name conforms to its row.
func (ck checker) accepts(p *contract.Param, x any) bool {
	y, ok := p.Type.Convert(x)
	if !ok || p.Fields == nil {
		return ok
	}
	for _, v := range contract.Validate(p.Fields, y.(contract.Values)) {
		_, whole := wholeNumber(v)
		if !ck.lenient || v.Rule != contract.Unknown && !whole {
			return false
		}
	}
	return true
}

// describeViolations puts violations into words.
func describeViolations(found []contract.Violation) string {
	var b strings.Builder
	for i, v := range found {
		if i == 10 {
			fmt.Fprintf(&b, ", and %d more", len(found)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(shorten(v.Path))
		b.WriteString(" is ")
		switch v.Rule {
		case contract.Unknown:
			b.WriteString("not known here")
		case misnamed:
			b.WriteString("no name that matches " + metadataNames)
		case contract.Unlisted:
			b.WriteString("none of " + strings.Join(v.Param.OneOf, ", "))
		case contract.Mistyped, contract.Null:
			b.WriteString(string(v.Rule) + " where " + expected(v) + " was expected")
		default:
			b.WriteString(string(v.Rule))
		}
	}
	b.WriteByte('.')
	return b.String()
}

func expected(v contract.Violation) string {
	if v.Param == nil {
		return "another value"
	}
	return "type " + v.Param.Type.String()
}

// shorten cuts a client's text for our messages.
func shorten(s string) string { return contract.Shorten(s, 80) }

// prefixIndex prefixes the violations' paths with the index of a list element.
func prefixIndex(i int, found []contract.Violation) []contract.Violation {
	for j := range found {
		found[j].Path = strconv.Itoa(i) + "." + found[j].Path
	}
	return found
}
