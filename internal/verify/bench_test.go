package verify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/verify"
)

// A journal of 1,000 entries with bodies of 1 KiB is verified within 5 ms, whether the
// checks hold or not.
func BenchmarkRun(b *testing.B) {
	for name, c := range map[string]struct {
		asText bool
		checks string
	}{
		"holds":        {false, "[{operation: Create, where: {UserId: u7}, count: {exactly: 10}}, {order: [Create, Destroy], by: UserId}, {operation: Create, where: {UserId: {matches: '^u7'}, Count: {gt: 5}}}]"},
		"fails":        {false, "[{operation: Create, where: {UserId: u7}, count: {exactly: 11}}, {order: [Destroy, Apply], by: UserId}, {operation: Create, where: {UserId: {matches: '^v'}, Count: {gt: 5}}}]"},
		"nothing read": {true, "[{operation: Create, count: {exactly: 1000}}]"},
		"text":         {true, "[{operation: Create, where: {UserId: u7}, count: {exactly: 10}}]"},
	} {
		b.Run(name, func(b *testing.B) {
			w := &verify.World{Sandbox: "box", APIs: names.APIs}
			for i := range 1000 {
				values := in{"UserId": fmt.Sprint("u", i%100), "Count": int64(i), "Media": in{"id": strings.Repeat("x", 950)}}
				what := "toy/Create/success"
				if i%100 != i%200 && !c.asText {
					what = "toy/Destroy/success"
				}
				e := happened(what, float64(i), values)
				e.Request.Body, _ = json.Marshal(values)
				e.Number, e.ID = i+1, fmt.Sprint("box-", i+1)
				if c.asText {
					e.Request.Decoded = json.RawMessage(e.Request.Body)
				}
				w.Journal.Entries = append(w.Journal.Entries, e)
			}
			b.ReportAllocs()
			for b.Loop() {
				checks, err := verify.Parse("checks", []byte(c.checks), names)
				if err != nil {
					b.Fatal(err)
				}
				r, err := verify.Run(b.Context(), checks, w)
				if err != nil {
					b.Fatal(err)
				}
				r.Write(verify.FormJSON)
			}
		})
	}
}
