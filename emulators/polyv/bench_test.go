package polyv_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/polyv"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// filled is a world whose channel 2272655 has so many sessions, one a minute up
// to now.
func filled(t testing.TB, sessions int) *conformance.World {
	t.Helper()
	w := conformance.New(t, polyv.API, conformance.Setting{Fixture: "documented", Wall: func() time.Time { return conformance.Noon }})
	room := w.Instance(t)
	document, err := room.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(document, &state); err != nil {
		t.Fatal(err)
	}
	list := make([]map[string]any, sessions)
	for i := range list {
		start := conformance.Noon.UnixMilli()/1000*1000 - int64(sessions-i)*60_000
		list[i] = map[string]any{"id": strconv.FormatInt(start*1000, 36), "start": start, "end": start + 30_000, "views": map[string]any{"liveUV": 0, "livePV": 0, "playbackPV": 0, "playbackUV": 0}}
	}
	state["channels"].(map[string]any)["2272655"].(map[string]any)["sessions"] = list
	if document, err = wire.Saved(state); err != nil {
		t.Fatal(err)
	}
	if err := room.Restore(document); err != nil {
		t.Fatal(err)
	}
	return w
}

// newRequest is a signed request as the gateway hands it over.
func newRequest(t testing.TB, w *conformance.World, operation string, in contract.Values) *contract.Request {
	t.Helper()
	op := w.API.Operation(operation)
	r, err := w.API.Sign(contract.Draft{Operation: op, In: in, Host: "api.polyv.net", Credentials: w.Credentials(t), Now: w.Sandbox.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	r.At = []*contract.Operation{op}
	return r
}

// BenchmarkListSessionData lists 20 sessions of a channel that has more and
// more. Target: 20 yardsticks, whatever the channel holds.
func BenchmarkListSessionData(b *testing.B) {
	for _, sessions := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) {
			w := filled(b, sessions)
			r := newRequest(b, w, "ListSessionData", contract.Values{"channelId": "2272655"})
			b.ReportAllocs()
			for b.Loop() {
				if e := w.Corridor(b, r); e.Outcome != "success" {
					b.Fatal(e.Outcome)
				}
			}
		})
	}
}

// BenchmarkLastPage lists the oldest 20 of 60 days: how far a page is from the
// first is of no matter either.
func BenchmarkLastPage(b *testing.B) {
	w := filled(b, 100_000)
	r := newRequest(b, w, "ListSessionData", contract.Values{"channelId": "2272655", "page": "4319"})
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "success" {
			b.Fatal(e.Outcome)
		}
	}
}

// BenchmarkBroadcast starts and ends a broadcast of a channel that has all the
// sessions that it keeps.
func BenchmarkBroadcast(b *testing.B) {
	w := filled(b, 100_000)
	in := contract.Values{"channelId": "2272655"}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range []string{"stream.started", "stream.ended"} {
			if err := w.Trigger(b, name, in); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkRefusedSign tries every mistake, and proves none.
func BenchmarkRefusedSign(b *testing.B) {
	w := filled(b, 10)
	r := newRequest(b, w, "ListSessionData", contract.Values{"channelId": "2272655", "page": "1", "pageSize": "20"})
	r.URL.RawQuery = r.URL.RawQuery[:len(r.URL.RawQuery)-1] + "X"
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "invalidSignature" {
			b.Fatal(e.Outcome)
		}
	}
}

// BenchmarkListAccountSessions lists the newest 10 sessions that an account had
// within 24 hours.
func BenchmarkListAccountSessions(b *testing.B) {
	for _, sessions := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) {
			w := filled(b, sessions)
			end := conformance.Noon.UnixMilli()
			r := newRequest(b, w, "ListAccountSessions", contract.Values{"startTime": end - 24*60*60*1000, "endTime": end})
			b.ReportAllocs()
			for b.Loop() {
				if e := w.Corridor(b, r); e.Outcome != "success" {
					b.Fatal(e.Outcome)
				}
			}
		})
	}
}
