package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// typedValue turns text into what the row of its name documents. What cannot be
// turned stays text, and the warning says why: a refusal may be what somebody
// wants to see.
func typedValue(rows []contract.Param, name, text string) (value any, warning string) {
	p := contract.FindParam(rows, name)
	if p == nil {
		var names []string
		for i := range rows {
			names = append(names, rows[i].Name)
		}
		return text, fmt.Sprintf("there is no parameter %s%s; it is sent as text", document.Quote(name), document.Hint(name, names))
	}
	if value, ok := convert(p.Type, text); ok {
		return value, ""
	}
	return text, fmt.Sprintf("%s is documented as %s and %s is none; it is sent as text", name, p.Type, document.Quote(text))
}

// convert reads text as a value of a type; lists and objects are written as
// JSON.
func convert(t contract.Type, text string) (any, bool) {
	if t != contract.List && t != contract.Object {
		return t.Convert(contract.Raw(text))
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return nil, false
	}
	return t.Convert(value)
}

// Input reads arguments of the form name=value or name=@file as values for a
// table. A name that stands several times makes a list, where a list is
// documented.
func Input(rows []contract.Param, args []string) (in contract.Values, warnings []string, err error) {
	said, err := Pairs(args)
	if err != nil {
		return nil, nil, err
	}
	in = contract.Values{}
	for _, s := range said {
		text := s.Value
		if file, ok := strings.CutPrefix(text, "@"); ok {
			raw, err := os.ReadFile(file)
			if err != nil {
				return nil, nil, fmt.Errorf("reading %s: %w", s.Name, err)
			}
			text = string(bytes.TrimSuffix(raw, []byte("\n")))
		}
		before, again := in[s.Name]
		value, warning := listValue(rows, s.Name, text)
		if warning != "" {
			warnings = append(warnings, warning)
		}
		switch {
		case !again:
			in[s.Name] = value
		case isList(before) && isList(value):
			in[s.Name] = append(before.([]any), value.([]any)...)
		default:
			return nil, nil, usage("%s is given twice; once was expected", s.Name)
		}
	}
	return in, warnings, nil
}

// listValue is typed, but for lists: what is no JSON list is elements of one,
// separated by commas. An element that has a comma is written in a JSON list.
func listValue(rows []contract.Param, name, text string) (any, string) {
	p := contract.FindParam(rows, name)
	if p == nil || p.Type != contract.List || strings.HasPrefix(strings.TrimSpace(text), "[") {
		return typedValue(rows, name, text)
	}
	pieces := []string{text}
	if p.Of != contract.Object && p.Of != contract.List {
		pieces = strings.Split(text, ",")
	}
	var list []any
	var warning string
	for _, piece := range pieces {
		value, why := typedValue([]contract.Param{{Name: name, Type: p.Of}}, name, piece)
		if list = append(list, value); warning == "" {
			warning = why
		}
	}
	return list, warning
}

func isList(x any) bool { _, ok := x.([]any); return ok }

// Pairs reads arguments of the form name=value in their order.
func Pairs(args []string) ([]Pair, error) {
	var all []Pair
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, usage("%s was found; name=value was expected", document.Quote(arg))
		}
		all = append(all, Pair{name, value})
	}
	return all, nil
}

// A Pair is one argument of the form name=value.
type Pair struct{ Name, Value string }
