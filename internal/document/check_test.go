package document_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

var rows = []contract.Param{
	{Name: "name", Need: contract.Required, Max: 5},
	{Name: "mode", OneOf: []string{"fast", "slow"}},
	{Name: "limit", Type: contract.Integer, Min: 1, Max: 100},
	{Name: "share", Type: contract.Number, Max: 1},
	{Name: "strict", Type: contract.Boolean},
	{Name: "ttl", Type: contract.Duration},
	{Name: "tags", Type: contract.List, Of: contract.String},
	{Name: "free", Type: contract.Object},
	{Name: "users", Type: contract.List, Of: contract.Object, Fields: []contract.Param{
		{Name: "id", Need: contract.Required},
		{Name: "age", Type: contract.Integer},
	}},
}

func check(t *testing.T, text string) (contract.Values, error) {
	t.Helper()
	n, err := document.Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	faults := document.NewFaults("f.yaml")
	got := document.Check(faults, n, rows, "a fixture")
	return got, faults.Err()
}

func TestCheckReads(t *testing.T) {
	tests := []struct {
		text string
		want contract.Values
	}{
		{"name: 007", contract.Values{"name": "007"}},
		{"name: 0x1f", contract.Values{"name": "0x1f"}},
		{"name: on", contract.Values{"name": "on"}},
		{"name: x\nmode: slow\nlimit: 5\nshare: 0.5\nstrict: on\nttl: 1h30m", contract.Values{
			"name": "x", "mode": "slow", "limit": int64(5), "share": 0.5, "strict": true, "ttl": 90 * time.Minute,
		}},
		{"name: x\nstrict: off\nshare: 1\nttl: '90s'", contract.Values{"name": "x", "strict": false, "share": 1.0, "ttl": 90 * time.Second}},
		{"name: x\ntags: [a, 5]\nusers: [&u {id: 1, age: 2}, *u]", contract.Values{
			"name": "x", "tags": []any{"a", "5"},
			"users": []any{contract.Values{"id": "1", "age": int64(2)}, contract.Values{"id": "1", "age": int64(2)}},
		}},
		{"name: x\nfree: {a: [1.50, null, true, 'x'], b: {c: 2024-01-01}}", contract.Values{
			"name": "x", "free": contract.Values{
				"a": []any{json.Number("1.50"), nil, true, "x"}, "b": contract.Values{"c": "2024-01-01"},
			},
		}},
	}
	for _, tt := range tests {
		got, err := check(t, tt.text)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s\ngot  %#v, %v\nwant %#v", tt.text, got, err, tt.want)
		}
	}
}

func TestCheckReportsFaults(t *testing.T) {
	tests := []struct{ text, want string }{
		{"nmae: x", "f.yaml:1:1: a fixture has no key \"nmae\"; did you mean \"name\"?\nf.yaml:1:1: a fixture has no \"name\"; a text was expected"},
		{"name:", "f.yaml:1:6: name is null; a text was expected"},
		{"name: ''", "f.yaml:1:7: name is empty; a text was expected"},
		{"name: [a]", "f.yaml:1:7: name is a list; a text was expected"},
		{"name: abcdef", "f.yaml:1:7: name has 6 characters; at most 5 were expected"},
		{"name: x\nmode: fats", `f.yaml:2:7: mode is "fats"; one of fast, slow was expected; did you mean "fast"?`},
		{"name: x\nmode: ~", "f.yaml:2:7: mode is null; one of fast, slow was expected; leave the key out to say nothing"},
		{"name: x\nlimit: 0", "f.yaml:2:8: limit is 0; 1 to 100 was expected"},
		{"name: x\nlimit: 101", "f.yaml:2:8: limit is 101; 1 to 100 was expected"},
		{"name: x\nlimit: '5'", `f.yaml:2:8: limit is the text "5"; a whole number was expected; take the quotes away`},
		{"name: x\nlimit: 017", "f.yaml:2:8: limit is the number 017; a whole number was expected"},
		{"name: x\nlimit: 1.5", "f.yaml:2:8: limit is the number 1.5; a whole number was expected"},
		{"name: x\nshare: 1.5", "f.yaml:2:8: share is 1.5; 0 to 1 was expected"},
		{"name: x\nshare: .inf", "f.yaml:2:8: share is the number .inf; a number was expected"},
		{"name: x\nshare: inf", `f.yaml:2:8: share is the text "inf"; a number was expected`},
		{"name: x\nstrict: maybe", `f.yaml:2:9: strict is the text "maybe"; true or false (on or off) was expected`},
		{"name: x\nstrict: 'on'", `f.yaml:2:9: strict is the text "on"; true or false (on or off) was expected; take the quotes away`},
		{"name: x\nttl: 90", "f.yaml:2:6: ttl is the number 90; a duration such as 90s or 1h30m was expected"},
		{"name: x\nttl: -1s", `f.yaml:2:6: ttl is the text "-1s"; a duration such as 90s or 1h30m was expected`},
		{"name: x\ntags: a", `f.yaml:2:7: tags is the text "a"; a list was expected`},
		{"name: x\ntags: [a, {}]", "f.yaml:2:11: tags.1 is a mapping; a text was expected"},
		{"name: x\nfree: [a]", "f.yaml:2:7: free is a list; a mapping of keys to values was expected"},
		{"name: x\nfree: {a: 0x1f}", "f.yaml:2:11: free.a is the number 0x1f; a number as JSON writes it was expected; write it in decimal, or quote it"},
		{"name: x\nusers:\n  - {age: x, idd: 5}", "f.yaml:3:5: users.0 has no \"id\"; a text was expected\nf.yaml:3:11: users.0.age is the text \"x\"; a whole number was expected\nf.yaml:3:14: users.0 has no key \"idd\"; did you mean \"id\"?"},
		{"name: x\nusers: [5]", "f.yaml:2:9: users.0 is the number 5; a mapping of keys to values was expected"},
	}
	for _, tt := range tests {
		if _, err := check(t, tt.text); fmt.Sprint(err) != tt.want {
			t.Errorf("%s\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}
