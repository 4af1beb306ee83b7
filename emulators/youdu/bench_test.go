package youdu_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// prepare makes a world and a request of an operation, as the gateway hands it
// over.
func prepare(b *testing.B, operation string, in contract.Values) (*conformance.World, *contract.Request) {
	b.Helper()
	w := conformance.New(b, youdu.API, conformance.Setting{Wall: func() time.Time { return conformance.Noon }})
	op := youdu.API.Operation(operation)
	r, err := youdu.API.Sign(contract.Draft{Operation: op, In: in, Host: "127.0.0.1:7080", Credentials: w.Credentials(b), Now: conformance.Noon})
	if err != nil {
		b.Fatal(err)
	}
	r.At = []*contract.Operation{op}
	return w, r
}

// run measures a request that succeeds.
func run(b *testing.B, w *conformance.World, r *contract.Request) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "success" {
			b.Fatal(e.Outcome, e.Explanation)
		}
	}
}

var trio = contract.Values{"title": "测试创建会话", "creator": "test1", "type": "multi", "member": []any{"test1", "test2", "test3"}}

// BenchmarkCreateSession measures an encrypted CreateSession from the checks to
// the journal. Target: 15 yardsticks, 70 allocations, however many sessions there
// are.
func BenchmarkCreateSession(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, r := prepare(b, "CreateSession", trio)
			for range n {
				w.Corridor(b, r)
			}
			run(b, w, r)
		})
	}
}

// BenchmarkCalls measures the other operations.
func BenchmarkCalls(b *testing.B) {
	const id = "{8AD595F3-73B3-4B56-90AF-F336F9222FC5}"
	for operation, in := range map[string]contract.Values{
		"GetToken":      {},
		"GetSession":    {"sessionId": id},
		"UpdateSession": {"sessionId": id, "opUser": "test1", "title": "t", "addMember": []any{"test4"}, "delMember": []any{"test5"}},
		"SendMessage":   {"sessionId": id, "sender": "test1", "msgType": "text", "text": contract.Values{"content": "hi"}},
		"UploadMedia":   {"type": "file", "name": "a.txt", "file": strings.Repeat("a", 1000)},
		"GetMedia":      {"mediaId": "5d41402abc4b2a76b9719d911017c592-5"},
	} {
		b.Run(operation, func(b *testing.B) {
			w, r := prepare(b, operation, in)
			run(b, w, r)
		})
	}
}

// BenchmarkEnvelope measures seal and open.
func BenchmarkEnvelope(b *testing.B) {
	for _, size := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			envelope := youdu.Envelope(b)
			message := []byte(strings.Repeat("x", size))
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				envelope(message)
			}
		})
	}
}
