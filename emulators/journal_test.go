package emulators_test

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// wasteful are values that hold much more memory than their text, all of them under
// 64 KiB as JSON or as a form.
var wasteful = map[string]func() contract.Values{
	"empty objects": func() contract.Values { return contract.Values{"waste": repeated(contract.Values{}, 20_000)} },
	"small objects": func() contract.Values {
		return contract.Values{"waste": repeated(contract.Values{"a": int64(1)}, 7_000)}
	},
	"lists":       func() contract.Values { return contract.Values{"waste": repeated([]any{}, 20_000)} },
	"numbers":     func() contract.Values { return contract.Values{"waste": repeated(int64(1234), 12_000)} },
	"parameters":  func() contract.Values { return many(5_000, "") },
	"one text":    func() contract.Values { return contract.Values{"waste": strings.Repeat("x", 60_000)} },
	"empty texts": func() contract.Values { return contract.Values{"waste": repeated("", 20_000)} },
}

func repeated(x any, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = x
	}
	return list
}

func many(n int, value string) contract.Values {
	all := contract.Values{}
	for i := range n {
		all[fmt.Sprintf("p%d", i)] = value
	}
	return all
}

// A journal that is full holds about as much memory as it says, whatever the bodies
// are. It once held thirteen times as much.
func TestFullJournalHoldsItsLimit(t *testing.T) {
	const limit = 2 << 20
	for _, api := range emulators.All {
		for name, values := range wasteful {
			t.Run(api.Name+"/"+name, func(t *testing.T) {
				w := conformance.New(t, api, conformance.Setting{Auth: contract.Off, Journal: limit})
				send := heaviest(t, w, values())
				w.Sandbox.Journal.Clear(true)
				before := heap()
				for w.Sandbox.Journal.Counts().Dropped == 0 {
					w.Send(send())
				}
				held, counts := heap()-before, w.Sandbox.Journal.Counts()
				t.Logf("%d entries hold %d KiB, counted as %d KiB", counts.Entries, held>>10, counts.Bytes>>10)
				if held > limit+limit/2 {
					t.Errorf("half more than %d KiB was expected at most", limit>>10)
				}
				runtime.KeepAlive(w)
			})
		}
	}
}

// heaviest returns requests to the operation whose entry holds most of the values.
func heaviest(t *testing.T, w *conformance.World, values contract.Values) func() *http.Request {
	t.Helper()
	var heaviest func() *http.Request
	most := 0
	for _, op := range w.API.Operations {
		in := contract.Sample(op.Params)
		maps.Copy(in, values)
		send := func() *http.Request { return w.Request(t, op, in) }
		w.Sandbox.Journal.Clear(true)
		w.Send(send())
		if n := w.Sandbox.Journal.Counts().Bytes; n > most {
			heaviest, most = send, n
		}
	}
	return heaviest
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
