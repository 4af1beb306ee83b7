package contract

import "time"

// Values are the values of a request, by parameter name.
type Values map[string]any

// Raw is a value that arrived as text, in a path, query, header or form. Validate
// converts it to its documented type.
type Raw string

// Arrived returns a text that arrived for a row of type t: Raw, unless it is what the row
// documents already.
func (t Type) Arrived(text string) any {
	if t == String {
		return text
	}
	return Raw(text)
}

// Has reports whether name was given and is neither null nor empty.
func (v Values) Has(name string) bool {
	x, ok := v[name]
	return ok && x != nil && x != "" && x != Raw("")
}

// Text returns the string given for name, or "".
func (v Values) Text(name string) string {
	switch s := v[name].(type) {
	case string:
		return s
	case Raw:
		return string(s)
	}
	return ""
}

// Int returns the whole number given for name, or 0.
func (v Values) Int(name string) int64 { n, _ := v[name].(int64); return n }

// Bool returns the truth value given for name, or false.
func (v Values) Bool(name string) bool { b, _ := v[name].(bool); return b }

// Duration returns the length of time given for name, or 0.
func (v Values) Duration(name string) time.Duration { d, _ := v[name].(time.Duration); return d }

// Object returns the object given for name, or nil.
func (v Values) Object(name string) Values { m, _ := v[name].(Values); return m }

// Texts returns the strings of the list given for name.
func (v Values) Texts(name string) []string {
	list, _ := v[name].([]any)
	var out []string
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
