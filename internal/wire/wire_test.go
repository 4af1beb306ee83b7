package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

func TestObjectRefuses(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"truncated", `{"a":`, "the JSON text ends too early at byte"},
		{"empty", ``, "the JSON text ends too early at byte 0"},
		{"array", `[1]`, "a JSON object was expected, found an array at byte 0"},
		{"string", `"x"`, "a JSON object was expected, found a string at byte 0"},
		{"number", `1`, "a JSON object was expected, found a number at byte 0"},
		{"truth", `true`, "a JSON object was expected, found a truth value at byte 0"},
		{"null", `null`, "a JSON object was expected, found null at byte 0"},
		{"twice", `{"a":1,"a":2}`, `the name "a" stands twice at byte 7`},
		{"twice inside", `{"a":{"b":1,"b":2}}`, `the name "b" stands twice`},
		{"a long name twice", `{"` + strings.Repeat("k", 1000) + `":1,"` + strings.Repeat("k", 1000) + `":2}`, `the name "` + strings.Repeat("k", 60) + `" stands twice`},
		{"more follows", `{} {}`, "something follows the JSON value"},
		{"not UTF-8", "{\"a\":\"\xff\"}", "invalid UTF-8"},
		{"too deep", `{"a":` + strings.Repeat("[", 10_000), "nested deeper than 128 levels"},
		{"no JSON", `{a:1}`, "invalid character"},
		{"NaN", `{"a":NaN}`, "invalid character"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wire.Object([]byte(tt.body))
			var fault *wire.Fault
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestValueBoundsTheNumberOfValues(t *testing.T) {
	t.Parallel()
	list := func(n int) []byte { return []byte("[" + strings.Repeat("0,", n-1) + "0]") }
	if _, err := wire.Value(list(wire.Values - 1)); err != nil {
		t.Error(err)
	}
	if _, err := wire.Value(list(wire.Values)); err == nil || !strings.Contains(err.Error(), "more than 500000 values") {
		t.Errorf("got %v", err)
	}
	if _, err := wire.Value([]byte("[1]")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestObjectKeepsNumbersAsWritten(t *testing.T) {
	v, err := wire.Object([]byte(`{"a":1.50,"b":["x",null,true],"c":{"d":12345678901234567890}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(v), "map[a:1.50 b:[x <nil> true] c:map[d:12345678901234567890]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, ok := v["c"].(contract.Values); !ok {
		t.Errorf("got %T", v["c"])
	}
}

// Short texts and long ones are read alike, though by different ways.
func TestObjectReadsLongTexts(t *testing.T) {
	body := `{"a":"é","b\u0041":["\"\\",12,-1.5e3,""],"":{"x":{"y":true}}}`
	short, err := wire.Object([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	long, err := wire.Object([]byte(strings.Repeat(" ", 1<<16) + body))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%#v", long), fmt.Sprintf("%#v", short); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPatchLaysFieldsOver(t *testing.T) {
	value := func(name, raw string) wire.Member { return wire.Member{Name: name, Value: json.RawMessage(raw)} }
	tests := []struct {
		name, body, want string
		patch            wire.Patch
	}{
		{"nothing", `{"a":1}`, `{"a":1}`, nil},
		{"keeps the place", `{"a":1,"b":2}`, `{"a":9,"b":2}`, wire.Patch{value("a", "9")}},
		{"adds at the end", `{"a":1}`, `{"a":1,"z":"<&>"}`, wire.Patch{value("z", `"<&>"`)}},
		{"takes away", `{"a":1,"b":2}`, `{"b":2}`, wire.Patch{{Name: "a"}}},
		{"takes away what is not there", `{"a":1}`, `{"a":1}`, wire.Patch{{Name: "x"}}},
		{"goes inside", `{"a":{"b":1,"c":2}}`, `{"a":{"b":1,"c":3}}`, wire.Patch{{Name: "a", Inner: wire.Patch{value("c", "3")}}}},
		{"makes an inside", `{"a":1}`, `{"a":{"c":3}}`, wire.Patch{{Name: "a", Inner: wire.Patch{value("c", "3")}}}},
		{"over nothing", ``, `{"a":1}`, wire.Patch{value("a", "1")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.patch.Over([]byte(tt.body))
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
	if _, err := (wire.Patch{value("a", "1")}).Over([]byte(`[1]`)); err == nil {
		t.Error("fields were laid over an array")
	}
}

func TestHeadersTakesWhatBelongsThere(t *testing.T) {
	rows := []contract.Param{{Name: "Location", In: contract.Header}, {Name: "X-Count", In: contract.Header}, {Name: "id"}}
	h, rest, err := wire.Headers(rows, []byte(`{"Location":"/x","id":"1","X-Count":3}`))
	if err != nil || h.Get("Location") != "/x" || h.Get("X-Count") != "3" || string(rest) != `{"id":"1"}` {
		t.Errorf("got %v, %s, %v", h, rest, err)
	}
	if h, rest, err = wire.Headers(rows, []byte(`{"Location":"/x"}`)); err != nil || rest != nil || h.Get("Location") != "/x" {
		t.Errorf("got %v, %s, %v", h, rest, err)
	}
	for body, want := range map[string]string{`{"Location":"/\"x"}`: `/"x`, `{"Location":"a","Location":"b"}`: "b", `{"Location":""}`: "", `{"Location":"Ωμέγα"}`: "Ωμέγα"} {
		if h, rest, err = wire.Headers(rows, []byte(body)); err != nil || rest != nil || h.Get("Location") != want {
			t.Errorf("%s: got %v, %s, %v", body, h, rest, err)
		}
	}
	// A scenario takes the header away, and no body was left behind but "{}".
	if h, rest, err = wire.Headers(rows[:2], []byte(`{}`)); err != nil || rest != nil || len(h) > 0 {
		t.Errorf("got %v, %s, %v", h, rest, err)
	}
	if h, rest, err = wire.Headers(rows[2:], []byte(`{"id":"1"}`)); err != nil || h != nil || string(rest) != `{"id":"1"}` {
		t.Errorf("got %v, %s, %v", h, rest, err)
	}
}

func TestEncodeLeavesMarkupAlone(t *testing.T) {
	if got := wire.Encode(struct{ A string }{"<&>"}); string(got) != `{"A":"<&>"}` {
		t.Errorf("got %s", got)
	}
}

// itself is a text that writes itself.
type itself string

func (s itself) AppendJSON(b []byte) []byte { return wire.AppendString(b, string(s)) }

func TestAppender(t *testing.T) {
	for _, s := range []string{"", "plain", `"quoted"`, `"`, `\\""\`, `say "课"`, "<&>", "a\\b", "tab\t", "\x7f", "ümlaut 课", "\u2028", "\xff", strings.Repeat("long ", 1000)} {
		got := wire.Encode(itself(s))
		if want := wire.Encode(s); string(got) != string(want) {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
		if behind := wire.Append([]byte("x"), s); string(behind) != "x"+string(got) || string(wire.Append([]byte("x"), itself(s))) != string(behind) {
			t.Errorf("%q: got %s behind x, want %s", s, behind, got)
		}
		if again := wire.Encode(itself("other")); string(again) != `"other"` || string(got) != string(wire.Encode(s)) {
			t.Errorf("%q: what was encoded is overwritten: %s, %s", s, got, again)
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[[]]`, `{"a":{"a":null}}`, "\xff", `{"a":1e999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := wire.Value(body)
		if (err == nil) && !json.Valid(body) {
			t.Errorf("%q was read as %v", body, x)
		}
	})
}

func TestEncodeRowsKeepsTheTablesOrder(t *testing.T) {
	rows := []contract.Param{{Name: "z"}, {Name: "y"}, {Name: "x"}}
	got := wire.EncodeRows(rows, contract.Values{"x": "<1>", "z": json.Number("2.50"), "b": true, "a": nil})
	if want := `{"z":2.50,"x":"<1>","a":null,"b":true}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEscapesAreUndoneWhereTheyAreSome(t *testing.T) {
	for s, want := range map[string]string{"a%20b+c": "a b c", "plain": "plain", "100%": "100%", "%zz+": "%zz+"} {
		if got := wire.Unescape(s); got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
	described, kept := &url.URL{Path: "/a b"}, &url.URL{Path: "/a/b", RawPath: "/a%2Fb"}
	for _, tt := range []struct {
		s    string
		u    *url.URL
		want string
	}{{"100%25", described, "100%25"}, {"a%2Fb", kept, "a/b"}, {"%zz", kept, "%zz"}} {
		if got := wire.PathValue(tt.s, tt.u); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.s, got, tt.want)
		}
	}
}

func TestJSONRequestPutsValuesWhereTheirRowsSay(t *testing.T) {
	t.Parallel()
	op := &contract.Operation{Method: "POST", Path: "/{a}/{b}/{c}", Params: []contract.Param{
		{Name: "a", In: contract.Path, Example: "unused"},
		{Name: "b", In: contract.Path, Example: "b-1"},
		{Name: "c", In: contract.Path},
		{Name: "q", In: contract.Query, Type: contract.Integer},
		{Name: "H", In: contract.Header},
		{Name: "text"},
	}}
	r := wire.JSONRequest(contract.Draft{Operation: op, In: contract.Values{"a": "1", "q": int64(2), "H": "3", "text": "4"}})
	if got, want := r.Method+" "+r.Target, "POST /1/b-1/none?q=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := r.Header.Get("H")+" "+string(r.Body), `3 {"text":"4"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
