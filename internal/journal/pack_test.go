package journal_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
)

// fee is a value that only its API knows.
type fee struct{ Cents int }

// sent is a call with something of everything that a journal packs.
func sent() *journal.Entry {
	return &journal.Entry{
		API: "toy", Operation: "Sell", Outcome: "success", Status: 200,
		Client: journal.Client{Address: "127.0.0.1:4711", UserAgent: "curl/8"},
		Request: journal.Message{
			Method: "POST", URL: "/hats?colour=red", Host: "toy.example.com", Body: journal.Text(`{"hat":"fez"}`),
			Header: http.Header{"Accept": {"a", "b"}, "Date": nil, "Empty": {}},
			Decoded: contract.Values{
				"text": "fez", "raw": contract.Raw("7"), "number": json.Number("1e3"), "no": nil, "true": true, "false": false, "int": -5,
				"whole": int64(-1 << 60), "broken": 2.5, "wait": -time.Minute, "object": contract.Values{"list": []any{"a", []any{}, []any(nil)}},
				"map": map[string]any{"a": contract.Values{}}, "nothing": contract.Values(nil),
			},
		},
		Response: journal.Message{
			Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
			Body: journal.Text(`{"data":{"hat":"fez"},"id":1}`), Decoded: json.RawMessage(`{"hat":"fez"}`),
		},
		Notes: contract.Facts{{Name: "hats", Value: int64(3)}, {Name: "buyer", Value: "ü"}, {Name: "seller", Value: "me"}},
	}
}

// An entry that a journal kept is the one that it was given.
func TestKeptEntriesAreWhole(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*journal.Entry){
		"something of everything": func(*journal.Entry) {},
		"nothing":                 func(e *journal.Entry) { *e = journal.Entry{} },
		"JSON beside the body":    func(e *journal.Entry) { e.Response.Body = journal.Text("hat=fez") },
		"JSON of the request":     func(e *journal.Entry) { e.Request.Decoded = json.RawMessage(`{"hat":"bowler"}`) },
		"JSON of one byte":        func(e *journal.Entry) { e.Response.Decoded = json.RawMessage(`1`) },
		"JSON of two":             func(e *journal.Entry) { e.Response.Decoded, e.Response.Body = json.RawMessage(`{}`), nil },
		"a value of an API's own": func(e *journal.Entry) { e.Request.Decoded = contract.Values{"a": "b", "fees": []any{fee{5}}} },
		"a note of an API's own":  func(e *journal.Entry) { e.Notes[1].Value = fee{7} },
		"no notes":                func(e *journal.Entry) { e.Notes = contract.Facts{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, e := sent(), sent()
			change(want)
			change(e)
			j := journal.New("s", journal.Limits{Entries: 3, Bytes: 1 << 20, Body: 1 << 10}, journal.NewBudget(1<<20), time.Now)
			j.Add(j.Turn(), e)
			listed, _ := j.List(journal.Filter{})
			found, _ := j.Find("s-1")
			evidence := j.Evidence().Entries[0].Messages()
			for where, got := range map[string]*journal.Entry{"listed": &listed[0], "found": &found, "evidence": evidence} {
				if !reflect.DeepEqual(got.Client, want.Client) || !reflect.DeepEqual(got.Notes, want.Notes) {
					t.Errorf("%s: got %v %v\nwant %v %v", where, got.Client, got.Notes, want.Client, want.Notes)
				}
				for m, w := range map[*journal.Message]*journal.Message{&got.Request: &want.Request, &got.Response: &want.Response} {
					w.Bytes = len(w.Body)
					if !reflect.DeepEqual(m, w) {
						t.Errorf("%s: got %#v\nwant %#v", where, m, w)
					}
				}
			}
		})
	}
}

// What a journal keeps of a call holds nothing of what the call was made of.
func TestKeptEntriesShareNothing(t *testing.T) {
	t.Parallel()
	e := sent()
	body, header := e.Request.Body, e.Request.Header
	j := journal.New("s", journal.Limits{Entries: 3, Bytes: 1 << 20, Body: 1 << 10}, journal.NewBudget(1<<20), time.Now)
	j.Add(j.Turn(), e)
	body[2] = 'c'
	header["Accept"][0] = "c"
	delete(header, "Date")
	got, _ := j.Find("s-1")
	if _, dated := got.Request.Header["Date"]; string(got.Request.Body) != `{"hat":"fez"}` || got.Request.Header["Accept"][0] != "a" || !dated {
		t.Errorf("got %s, %v", got.Request.Body, got.Request.Header)
	}
}

// Keeping a call takes two pieces of memory, for its ID and for all that it says.
func TestKeepingTakesTwoPieces(t *testing.T) {
	j := journal.New("s", journal.Limits{Entries: 10, Bytes: 1 << 20, Body: 1 << 10}, journal.NewBudget(1<<20), time.Now)
	entries := make([]*journal.Entry, 1, 1200)
	for len(entries) < cap(entries) {
		entries = append(entries, sent())
	}
	next := 0
	keep := func() {
		next++
		e := entries[next]
		j.Add(j.Turn(), e)
		j.Close(e, time.Millisecond, journal.Sent)
	}
	if got := testing.AllocsPerRun(1000, keep); got > 2 && !raced {
		t.Errorf("got %v allocations", got)
	}
}

// BenchmarkKeep is what a call costs to be kept. Target: 5 yardsticks of HMAC.
func BenchmarkKeep(b *testing.B) {
	j := journal.New("s", journal.Limits{Entries: 1000, Bytes: 1 << 24, Body: 1 << 10}, journal.NewBudget(1<<24), time.Now)
	call := *sent()
	b.ReportAllocs()
	for b.Loop() {
		e := call
		j.Add(j.Turn(), &e)
	}
}
