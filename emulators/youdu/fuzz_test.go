package youdu

import (
	"fmt"
	"math"
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
	const session = `{"sessions":{"x":{"id":"x","owner":"a","members":["a"],"serial":%d}}}`
	for _, number := range []int64{-1, math.MinInt64, math.MaxInt64} {
		for form, path := range map[string]string{
			`{"serial":%d}`: "serial", `{"package":%d}`: "package", `{"direct":%d}`: "direct", session: "sessions.x.serial",
		} {
			document, want := fmt.Sprintf(form, number), fmt.Sprintf("%s: %d was found; a whole number from 0 to 4611686018427387904 was expected", path, number)
			if err := w.Instance(t).Restore([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", document, err, want)
			}
		}
	}
	if after := w.snapshot(); after != before {
		t.Errorf("it was refused and changed to %s", after)
	}
}
