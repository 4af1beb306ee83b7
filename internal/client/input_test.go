package client_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/contract"
)

// The elements of a list may be written with commas, as JSON, or one by one.
func TestInputReadsLists(t *testing.T) {
	t.Parallel()
	rows := []contract.Param{
		{Name: "names", Type: contract.List, Of: contract.String},
		{Name: "numbers", Type: contract.List, Of: contract.Integer},
		{Name: "things", Type: contract.List, Of: contract.Object},
		{Name: "name"},
	}
	tests := []struct {
		name     string
		args     []string
		want     contract.Values
		warnings int
	}{
		{"commas", []string{"names=a,b,c"}, contract.Values{"names": []any{"a", "b", "c"}}, 0},
		{"one", []string{"names=a"}, contract.Values{"names": []any{"a"}}, 0},
		{"JSON keeps a comma", []string{`names=["a,b"]`}, contract.Values{"names": []any{"a,b"}}, 0},
		{"one by one", []string{"names=a", "names=b,c"}, contract.Values{"names": []any{"a", "b", "c"}}, 0},
		{"numbers", []string{"numbers=1,2"}, contract.Values{"numbers": []any{int64(1), int64(2)}}, 0},
		{"no number", []string{"numbers=1,x,y"}, contract.Values{"numbers": []any{int64(1), "x", "y"}}, 1},
		{"an object is not cut", []string{`things={"a":1,"b":2}`}, contract.Values{"things": []any{contract.Values{"a": json.Number("1"), "b": json.Number("2")}}}, 0},
		{"no list", []string{"name=a,b"}, contract.Values{"name": "a,b"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, warnings, err := client.Input(rows, tt.args)
			if err != nil || len(warnings) != tt.warnings || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, %q, %v, want %v", got, warnings, err, tt.want)
			}
		})
	}
}
