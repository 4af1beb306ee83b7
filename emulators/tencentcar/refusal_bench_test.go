package tencentcar_test

import (
	"strings"
	"testing"

	. "github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// BenchmarkRefusal is a call with a wrong signature that no known mistake explains, so that
// every one is tried.
func BenchmarkRefusal(b *testing.B) {
	w := conformance.New(b, API, conformance.Setting{})
	op := API.Operation("CreateSession")
	r := w.Request(b, op, contract.Sample(op.Params))
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Signature=", "Signature=00", 1)[:len(r.Header.Get("Authorization"))])
	b.ReportAllocs()
	for b.Loop() {
		w.Send(r)
	}
}
