package contract_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

var table = []contract.Param{
	{Name: "name", Need: contract.Required, Max: 4, Doc: "a name"},
	{Name: "size", OneOf: []string{"S", "M", ""}},
	{Name: "page", Type: contract.Integer, Min: 1, Max: 100},
	{Name: "level", Type: contract.Integer},
	{Name: "ratio", Type: contract.Number},
	{Name: "on", Type: contract.Boolean},
	{Name: "wait", Type: contract.Duration},
	{Name: "tags", Type: contract.List, Of: contract.String},
	{Name: "who", Type: contract.Object, Fields: []contract.Param{{Name: "id", Need: contract.Required}}},
	{Name: "rows", Type: contract.List, Of: contract.Object, Fields: []contract.Param{{Name: "n", Type: contract.Integer}}},
	{Name: "any", Type: contract.Object},
	{Name: "ended", Type: contract.Integer, Nullable: true},
}

func TestCheckFinds(t *testing.T) {
	tests := []struct {
		name string
		in   contract.Values
		want string // path and rule of each finding
	}{
		{"nothing wrong", contract.Values{"name": "x", "size": "", "page": json.Number("7")}, ""},
		{"missing", contract.Values{}, "name missing"},
		{"empty", contract.Values{"name": ""}, "name empty"},
		{"null", contract.Values{"name": nil}, "name null"},
		{"null where it is a value", contract.Values{"name": "x", "ended": nil}, ""},
		{"no null where it may be one", contract.Values{"name": "x", "ended": "soon"}, "ended mistyped"},
		{"mistyped", contract.Values{"name": json.Number("5")}, "name mistyped"},
		{"too long", contract.Values{"name": "abcde"}, "name too long"},
		{"characters, not bytes", contract.Values{"name": "用户用户"}, ""},
		{"unlisted", contract.Values{"name": "x", "size": "s"}, "size unlisted"},
		{"too small", contract.Values{"name": "x", "page": json.Number("0")}, "page too small"},
		{"too large", contract.Values{"name": "x", "page": contract.Raw("101")}, "page too large"},
		{"negative without bounds", contract.Values{"name": "x", "level": json.Number("-3")}, ""},
		{"text is no number in JSON", contract.Values{"name": "x", "page": "7"}, "page mistyped"},
		{"fraction", contract.Values{"name": "x", "page": json.Number("1.0")}, "page mistyped"},
		{"beyond 64 bits", contract.Values{"name": "x", "page": contract.Raw("99999999999999999999")}, "page mistyped"},
		{"element", contract.Values{"name": "x", "tags": []any{"a", json.Number("1")}}, "tags.1 mistyped"},
		{"member", contract.Values{"name": "x", "who": contract.Values{}}, "who.id missing"},
		{"member of an element", contract.Values{"name": "x", "rows": []any{map[string]any{"n": "1"}}}, "rows.0.n mistyped"},
		{"unknown, sorted and last", contract.Values{"zeta": 1, "alpha": 2}, "name missing, alpha unknown, zeta unknown"},
		{"unknown member", contract.Values{"name": "x", "who": contract.Values{"id": "1", "x": 1}}, "who.x unknown"},
		{"open object", contract.Values{"name": "x", "any": contract.Values{"x": 1}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var found []string
			for _, v := range contract.Validate(table, tt.in) {
				found = append(found, v.Path+" "+string(v.Rule))
			}
			if got := strings.Join(found, ", "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCheckTurnsTextIntoTypes(t *testing.T) {
	in := contract.Values{
		"name": contract.Raw("x"), "page": contract.Raw("7"), "ratio": contract.Raw("0.5"),
		"on": contract.Raw("on"), "wait": contract.Raw("90s"), "who": map[string]any{"id": contract.Raw("1")},
		"rows": []any{contract.Values{"n": json.Number("3")}},
	}
	if found := contract.Validate(table, in); found != nil {
		t.Fatal(found)
	}
	want := contract.Values{
		"name": "x", "page": int64(7), "ratio": 0.5, "on": true, "wait": 90 * time.Second,
		"who": contract.Values{"id": "1"}, "rows": []any{contract.Values{"n": int64(3)}},
	}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got %#v, want %#v", in, want)
	}
}

func TestTypeConvert(t *testing.T) {
	tests := []struct {
		to   contract.Type
		x    any
		want any // nil: refused
	}{
		{contract.Boolean, contract.Raw("OFF"), false},
		{contract.Boolean, contract.Raw("yes"), nil},
		{contract.Boolean, true, true},
		{contract.Duration, "1h30m", 90 * time.Minute},
		{contract.Duration, "-1s", nil},
		{contract.Duration, "5", nil},
		{contract.Duration, time.Second, time.Second},
		{contract.Number, int64(2), 2.0},
		{contract.Number, 2.5, 2.5},
		{contract.Integer, 2.5, nil},
		{contract.Integer, int64(2), int64(2)},
		{contract.List, []any{1}, []any{1}},
		{contract.String, json.Number("1"), nil},
		{contract.List, contract.Raw("a"), nil},
		{contract.String, struct{}{}, nil},
	}
	for _, tt := range tests {
		got, ok := tt.to.Convert(tt.x)
		if ok != (tt.want != nil) || (ok && !reflect.DeepEqual(got, tt.want)) {
			t.Errorf("%v as %s: got %v, %t, want %v", tt.x, tt.to, got, ok, tt.want)
		}
	}
}

func TestSampleIsAccepted(t *testing.T) {
	in := contract.Sample(append([]contract.Param{
		{Name: "number", Type: contract.Number, Need: contract.Required},
		{Name: "truth", Type: contract.Boolean, Need: contract.Required},
		{Name: "count", Type: contract.Integer, Need: contract.Required, Min: 3, Max: 5},
		{Name: "list", Type: contract.List, Of: contract.Object, Need: contract.Required, Fields: []contract.Param{{Name: "id", Need: contract.Required}}},
		{Name: "which", Need: contract.Required, OneOf: []string{"b", "c"}},
		{Name: "documented", Type: contract.Integer, Example: "42"},
		{Name: "people", Type: contract.List, Of: contract.String, Example: `["a","b"]`},
		{Name: "thing", Type: contract.Object, Example: `{"size":2.5}`, Fields: []contract.Param{{Name: "size", Type: contract.Number}}},
		{Name: "prose", Type: contract.List, Of: contract.String, Example: "a and b"},
	}, table[1:]...))
	if got := fmt.Sprint(in["documented"], " ", in["which"], " ", in["count"]); got != "42 b 3" {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprint(in["people"], " ", in["thing"], " ", in["prose"]); got != "[a b] map[size:2.5] [text]" {
		t.Errorf("got %s", got)
	}
	if _, ok := in["size"]; ok {
		t.Error("an optional row without an example was said")
	}
}

func TestValues(t *testing.T) {
	v := contract.Values{
		"raw": contract.Raw("r"), "text": "t", "n": int64(3), "b": true, "d": time.Second,
		"o": contract.Values{"x": "y"}, "list": []any{"a", 1, "b"}, "null": nil, "empty": "", "emptyRaw": contract.Raw(""),
	}
	got := fmt.Sprint(v.Text("raw"), v.Text("text"), v.Text("n"), v.Int("n"), v.Bool("b"), v.Duration("d"), v.Object("o").Text("x"), v.Texts("list"))
	if want := fmt.Sprint("r", "t", "", 3, true, time.Second, "y", []string{"a", "b"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, name := range []string{"null", "empty", "emptyRaw", "absent"} {
		if v.Has(name) {
			t.Errorf("Has(%s)", name)
		}
	}
}
