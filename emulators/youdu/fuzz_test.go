package youdu

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// FuzzRestore restores any text: it is refused, or calls can be made in the state and
// it can be restored again, as the same state.
func FuzzRestore(f *testing.F) {
	w := newWorld(f, "default")
	f.Add([]byte(w.snapshot()))
	for i, op := range API.Operations {
		w.Send(w.Request(f, op, contract.Sample(op.Params)))
		if i%2 == 0 {
			f.Add([]byte(w.snapshot()))
		}
	}
	for _, document := range []string{
		`{}`, `null`, `{"sessions":{"x":null}}`, `{"tokens":[{}]}`, `{"media":{"x":{"id":"x","content":"eA=="}}}`,
		`{"sessions":{"x":{"id":"x","owner":"a","members":["a","a"],"serial":9223372036854775807,"active_time":-9223372036854775808}},"serial":-1}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		w := newWorldWith(t, conformance.Setting{Auth: contract.Off})
		if w.Instance(t).Restore(document) != nil {
			return
		}
		again := func() {
			before := w.snapshot()
			w.restore(before)
			if after := w.snapshot(); after != before {
				t.Fatalf("restored %s, was %s", after, before)
			}
		}
		again()
		for _, op := range API.Operations {
			w.Send(w.Request(t, op, contract.Sample(op.Params)))
			w.Last(t)
		}
		again()
	})
}

// A restored number at the end of its range made the next one negative, so that the
// newest entry was the oldest after another restore; nothing counts below zero.
func TestRestoredNumbersLeaveRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "default")
	before := w.snapshot()
	var saved struct{ Sessions map[string]any }
	if err := json.Unmarshal([]byte(before), &saved); err != nil || len(saved.Sessions) == 0 {
		t.Fatal(err, before)
	}
	session := slices.Sorted(maps.Keys(saved.Sessions))[0]
	for _, number := range []int64{-1, math.MinInt64, math.MaxInt64} {
		for _, path := range []string{"serial", "package", "direct", "sessions." + session + ".serial"} {
			want := fmt.Sprintf("%s: %d was found; a whole number from 0 to 4611686018427387904 was expected", path, number)
			if err := w.Instance(t).Restore(withNumber(t, before, path, number)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", path, err, want)
			}
		}
	}
	if after := w.snapshot(); after != before {
		t.Errorf("it was refused and changed to %s", after)
	}
}

// withNumber is a document with another number at a path.
func withNumber(t *testing.T, document, path string, number int64) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(document), &whole); err != nil {
		t.Fatal(err)
	}
	at, names := whole, strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		at = at[name].(map[string]any)
	}
	at[names[len(names)-1]] = number
	changed, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}
