package polyv

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/wire"
)

// The page object gives the figures of every sample that is known (P1 to P4),
// and of those that follow from them.
func TestPage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                string
		size, number, total int64
		want                page
	}{
		{"P1, the page of the session list", 10, 1, 4, page{Limit: 4, StartRow: 1, EndRow: 4, Offset: 0, TotalPages: 1, FirstPage: true, LastPage: true, PrePageNumber: 1, NextPageNumber: 1}},
		{"P2, an empty list of a real run", 20, 1, 0, page{Limit: 0, StartRow: 1, EndRow: 0, Offset: 0, TotalPages: 0, FirstPage: true, LastPage: false, PrePageNumber: 1, NextPageNumber: 1}},
		{"P3, dev.polyv.net sample-channel-list", 1, 1, 129, page{Limit: 1, StartRow: 1, EndRow: 1, Offset: 0, TotalPages: 129, FirstPage: true, LastPage: false, PrePageNumber: 1, NextPageNumber: 2}},
		{"P4, transmit/get-transmit-list", 10, 1, 3, page{Limit: 3, StartRow: 1, EndRow: 3, Offset: 0, TotalPages: 1, FirstPage: true, LastPage: true, PrePageNumber: 1, NextPageNumber: 1}},
		{"first of two", 2, 1, 4, page{Limit: 2, StartRow: 1, EndRow: 2, Offset: 0, TotalPages: 2, FirstPage: true, LastPage: false, PrePageNumber: 1, NextPageNumber: 2}},
		{"second of two", 2, 2, 4, page{Limit: 2, StartRow: 3, EndRow: 4, Offset: 2, TotalPages: 2, FirstPage: false, LastPage: true, PrePageNumber: 1, NextPageNumber: 2}},
		{"a last page that is not full", 2, 3, 5, page{Limit: 1, StartRow: 5, EndRow: 5, Offset: 4, TotalPages: 3, FirstPage: false, LastPage: true, PrePageNumber: 2, NextPageNumber: 3}},
		{"past the end", 2, 3, 4, page{Limit: 0, StartRow: 5, EndRow: 4, Offset: 4, TotalPages: 2, FirstPage: false, LastPage: false, PrePageNumber: 2, NextPageNumber: 3}},
		{"past the only page", 10, 2, 4, page{Limit: 0, StartRow: 11, EndRow: 4, Offset: 10, TotalPages: 1, FirstPage: false, LastPage: false, PrePageNumber: 1, NextPageNumber: 2}},
		{"as far as one can ask", 1000, maxInt, 4, page{Limit: 0, StartRow: 2147483646001, EndRow: 4, Offset: 2147483646000, TotalPages: 1, PrePageNumber: maxInt - 1, NextPageNumber: maxInt}},
	} {
		tt.want.PageSize, tt.want.PageNumber, tt.want.TotalItems = tt.size, tt.number, tt.total
		if got := *newPage(tt.number, tt.size, tt.total); got != tt.want {
			t.Errorf("%s: got %s\nwant %s", tt.name, wire.Encode(got), wire.Encode(tt.want))
		}
	}
}

// What writes itself is written as encoding/json writes it.
func FuzzAppend(f *testing.F) {
	f.Add("g9lv2ghv2x", "1b448be323", "lesson-1", "", int64(1652062574000), int64(0), uint8(3))
	f.Add("\x00<\"\\", "ü", "", "no \u2028 here", int64(-1), int64(5), uint8(0))
	f.Fuzz(func(t *testing.T, id, user, custom, message string, start, end int64, rows uint8) {
		p := newPage(1, 20, int64(rows))
		list := make(sessionDataRows, rows)
		for i := range list {
			list[i].sessionRow = sessionRow{SessionID: id, ChannelID: end, UserID: user, StartTime: start}
			if i%2 == 1 {
				list[i].EndTime, list[i].CustomID = &end, &custom
			}
		}
		p.Contents = list
		got := wire.Encode(&envelope{200, "success", message, p})
		// The same types without the methods.
		type plainPage page
		type plainEnvelope envelope
		q := plainPage(*p)
		q.Contents = []sessionDataRow(list)
		if want := wire.Encode(plainEnvelope{200, "success", message, q}); string(got) != string(want) {
			t.Fatalf("got %s\nwant %s", got, want)
		}
	})
}
