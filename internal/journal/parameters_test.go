package journal_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// What is shown beside an entry: unknown and missing parameters by their place, and
// the documented fields of the answer.
func TestShow(t *testing.T) {
	t.Parallel()
	box := []contract.Param{{Name: "width"}, {Name: "height"}}
	sold := &contract.Outcome{Name: "success", Returns: []contract.Param{
		{Name: "Location", In: contract.Header},
		{Name: "boxes", Type: contract.List, Of: contract.Object, Fields: box},
		{Name: "note"},
	}}
	full := &contract.Outcome{Name: "full", Fails: true}
	op := &contract.Operation{Name: "Ship", Params: []contract.Param{
		{Name: "shop", In: contract.Path},
		{Name: "X-Key", In: contract.Header},
		{Name: "X-Tag", In: contract.Header},
		{Name: "speed", In: contract.Query},
		{Name: "box", Type: contract.Object, Fields: box},
		{Name: "tags", Type: contract.Object},
	}, Outcomes: []*contract.Outcome{sold, full}}
	api := &contract.API{
		Operations: []*contract.Operation{op}, Protocol: []string{"sign"},
		Failure: []contract.Param{{Name: "message"}},
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	for name, v := range map[string]struct {
		entry journal.Entry
		want  *journal.Parameters
	}{
		"a body": {
			entry: journal.Entry{
				Operation: "Ship", Outcome: "success",
				Request: journal.Message{
					URL: "/ship/1?speed=2&sign=x&spede=3", Header: http.Header{"X-Key": {"k"}},
					Decoded: contract.Values{"shop": contract.Raw("1"), "box": contract.Values{"width": int64(1), "depth": int64(2)}, "tags": contract.Values{"any": "x"}},
				},
				Response: journal.Message{Decoded: json.RawMessage(`{"Location":"/1","boxes":[{"width":1},{"width":2,"color":"red"}]}`)},
			},
			want: &journal.Parameters{
				Unknown: []string{"box.depth", "spede"}, NotSent: []string{"X-Tag", "box.height"},
				Answered: []string{"Location", "boxes", "boxes.width"}, NotAnswered: []string{"boxes.height", "note"},
			},
		},
		"a form that was not decoded": {
			entry: journal.Entry{
				Operation: "Ship", Outcome: "full",
				Request:  journal.Message{URL: "/ship/1", Header: form, Body: journal.Text("speed=1&%62ox=2&sign=3&extra")},
				Response: journal.Message{Decoded: json.RawMessage(`{"message":"no"}`)},
			},
			want: &journal.Parameters{
				Unknown: []string{"extra"}, NotSent: []string{"X-Key", "X-Tag", "box.height", "box.width", "shop", "tags"},
				Answered: []string{"message"}, NotAnswered: []string{},
			},
		},
		"a large body, kept as text": {
			entry: journal.Entry{
				Operation: "Ship", Outcome: "success", Wire: &journal.Wire{Answered: true},
				Request:  journal.Message{Decoded: json.RawMessage(`{"shop":1,"box":{"width":1,"height":2},"tags":{},"speed":1,"x":1}`), Body: journal.Text(`{"y":1}`)},
				Response: journal.Message{Decoded: json.RawMessage(`{"note":"x"}`)},
			},
			want: &journal.Parameters{Unknown: []string{"x", "y"}, NotSent: []string{"X-Key", "X-Tag"}, Answered: []string{}, NotAnswered: []string{}},
		},
		"a body that is not kept whole": {entry: journal.Entry{Operation: "Ship", Outcome: "success", Request: journal.Message{Truncated: true}}},
		"no operation":                  {entry: journal.Entry{Outcome: "full"}},
	} {
		if got := journal.Show(api, v.entry).Parameters; !reflect.DeepEqual(got, v.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, v.want)
		}
	}
}
