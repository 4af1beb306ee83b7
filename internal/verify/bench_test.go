package verify_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
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
			w := worldOf(1000, c.asText)
			b.ReportAllocs()
			for b.Loop() {
				verified(b, c.checks, w)
			}
		})
	}
}

// 100 orders of 100 calls each over 1,000 entries are verified within 1 s, whatever the
// calls have in common.
func BenchmarkOrders(b *testing.B) {
	for name, c := range map[string]struct {
		item  string // ORDER, ITEM and USER stand for their numbers
		more  string
		shown bool // the world's entries are shown in part
	}{
		"one call":             {item: "Create"},
		"any call, at a pace":  {item: "{outcome: success}", more: ", within: 1h, after: 20s"},
		"calls too far apart":  {item: "{outcome: success}", more: ", within: 500ms"},
		"of each user":         {item: "Create", more: ", by: UserId"},
		"one user":             {item: "{operation: Create, where: {UserId: u7}}", shown: true},
		"each user in turn":    {item: "{operation: Create, where: {UserId: uUSER}}"},
		"other users in each":  {item: "{operation: Create, where: {UserId: uORDER-ITEM}}"},
		"other users, shown":   {item: "{operation: Create, where: {UserId: uORDER-ITEM}}", shown: true},
		"several in each":      {item: "{operation: Create, where: {UserId: {present: true}, Count: {gt: -1}, Rate: 1ORDERITEM}}"},
		"numbers, at a pace":   {item: "{operation: Create, where: {Count: {gt: ITEM}}}", more: ", within: 1h"},
		"some cannot be known": {item: "{operation: Create, where: {Count: {gt: ITEM}}}", more: ", within: 1h, after: 20s", shown: true},
	} {
		b.Run(name, func(b *testing.B) {
			orders := make([]string, 100)
			for i := range orders {
				items := make([]string, 100)
				for j := range items {
					items[j] = strings.NewReplacer("ORDER", fmt.Sprint(i), "ITEM", fmt.Sprint(j), "USER", fmt.Sprint(2*j)).Replace(c.item)
				}
				orders[i] = "{order: [" + strings.Join(items, ", ") + "]" + c.more + "}"
			}
			checks := "[" + strings.Join(orders, ", ") + "]"
			w := worldOf(1000, false)
			if c.shown {
				w.Show = func(e journal.Entry) journal.Entry {
					values := maps.Clone(e.Request.Decoded.(in))
					if values["Count"].(int64)%2 == 0 {
						values["Count"] = contract.Redacted
					}
					e.Request.Decoded = values
					return e
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				verified(b, checks, w)
			}
		})
	}
}

// worldOf has so many calls with bodies of 1 KiB.
func worldOf(n int, asText bool) *verify.World {
	w := &verify.World{Sandbox: "box", APIs: names.APIs}
	for i := range n {
		values := in{"UserId": fmt.Sprint("u", i%100), "Count": int64(i), "Media": in{"id": strings.Repeat("x", 950)}}
		what := "toy/Create/success"
		if i%100 != i%200 && !asText {
			what = "toy/Destroy/success"
		}
		e := happened(what, float64(i), values)
		e.Request.Body, _ = json.Marshal(values)
		e.Number, e.ID = i+1, fmt.Sprint("box-", i+1)
		if asText {
			e.Request.Decoded = json.RawMessage(e.Request.Body)
		}
		w.Journal.Entries = append(w.Journal.Entries, e)
	}
	return w
}

// verified parses checks, holds them against a world and writes the report.
func verified(b *testing.B, text string, w *verify.World) {
	b.Helper()
	checks, err := verify.Parse("checks", []byte(text), names)
	if err != nil {
		b.Fatal(err)
	}
	r, err := verify.Run(b.Context(), checks, w)
	if err != nil {
		b.Fatal(err)
	}
	r.Write(output.FormJSON)
}
