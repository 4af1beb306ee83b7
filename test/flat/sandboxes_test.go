package flat_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// ownCalls are a call of each API that a sandbox's own credentials are enough for.
var ownCalls = map[string]step{
	"tencentcar": {"CreateSession", contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}},
	"adobemedia": {"StartSession", contract.Values{}},
	"adobepass":  {"RegisterClient", contract.Values{}},
	"polyv":      {"ListLiveStatus", contract.Values{"channelIds": "2272655"}},
	"youdu":      {"GetToken", contract.Values{}},
}

// A house is all APIs behind one door, and sandboxes that have credentials of their own.
type house struct {
	t        testing.TB
	registry *sandbox.Registry
	door     http.Handler
	boxes    []*sandbox.Sandbox
}

func newHouse(t testing.TB, boxes int) *house {
	t.Helper()
	library, all := fixture.NewLibrary(emulators.All), map[string]*fixture.Fixture{}
	if err := library.Add(fixtures.Files); err != nil {
		t.Fatal(err)
	}
	for _, api := range emulators.All {
		f := library.Default(api)
		if api.Name == "tencentcar" {
			var err error
			if f, err = f.With(api, "rate_limits", "off"); err != nil {
				t.Fatal(err)
			}
		}
		all[api.Name] = f
	}
	registry, err := sandbox.New(sandbox.Config{
		APIs: emulators.All, Fixtures: all, Seed: 1, Max: boxes + 1,
		Wall:    func() time.Time { return conformance.Noon },
		Clock:   clock.Setting{Frozen: conformance.Noon, Signatures: clock.Sandbox},
		Journal: journal.Limits{Entries: 100, Bytes: 1 << 20, Body: 64 << 10}, JournalAll: 256 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, registry: registry}
	h.door = gateway.New(gateway.Config{
		APIs: emulators.All, Registry: registry, Body: 10 << 20, MaxStall: time.Second, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}).Shared()
	for i := range boxes {
		origin := registry.Origin()
		origin.Request = "{}" // credentials of its own are for those that somebody asked for
		box, _, err := registry.Make(fmt.Sprint("box-", i), origin)
		if err != nil {
			t.Fatal(err)
		}
		h.boxes = append(h.boxes, box)
	}
	return h
}

// request makes the call of an API that the i-th sandbox's own credentials are enough for.
func (h *house) request(api *contract.API, i int) *contract.Request {
	h.t.Helper()
	instance, err := h.boxes[i].Instance(api)
	if err != nil {
		h.t.Fatal(err)
	}
	s, host := ownCalls[api.Name], "127.0.0.1" // the path tells what belongs to an API without a host of its own
	if names := api.HostNames(); len(names) > 0 {
		host = names[0]
	}
	r, err := api.Sign(contract.Draft{Operation: api.Operation(s.operation), In: s.in, Host: host, Credentials: instance.Credentials(), Now: conformance.Noon})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// send sends a call to the door. The sandbox whose credentials it has must be found.
func (h *house) send(r *contract.Request, box string) {
	w := &answer{header: http.Header{}}
	h.door.ServeHTTP(w, conformance.HTTP(r))
	if call := w.header.Get("Understudy-Call"); w.status >= 400 || len(call) <= len(box) || call[:len(box)] != box {
		h.t.Fatalf("%s got %d %s, and was call %q; success in %s was expected", r.Target, w.status, w.body, call, box)
	}
}

// An answer is an http.ResponseWriter.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }
func (a *answer) Write(p []byte) (int, error) {
	if a.status >= 400 {
		a.body = append(a.body, p...)
	}
	return len(p), nil
}

// A call to one of 1,000 sandboxes, all of which are at work and are found by their
// credentials, costs what it costs where there is one.
func TestSandboxesAtWork(t *testing.T) { // not parallel: it measures
	const most = 64 << 10 // bytes of a sandbox with an instance of every API
	many := 1000
	if race {
		many = 50
	}
	one := newHouse(t, 1)
	before := heap()
	all := newHouse(t, many)
	each := (heap() - before) / many
	t.Logf("a sandbox with an instance of every API holds %d bytes", each)
	if each > most && !race {
		t.Errorf("at most %d were expected", most)
	}
	for _, api := range emulators.All {
		// As many requests go to the one sandbox, so that they are as cold in caches.
		alone, requests := make([]*contract.Request, many), make([]*contract.Request, many)
		for i := range many {
			alone[i], requests[i] = one.request(api, 0), all.request(api, i)
			for range 4 { // after the first calls, what grows with calls has grown
				all.send(requests[i], all.boxes[i].Name)
			}
		}
		var n, m int
		compare(t, api.Name+"/"+ownCalls[api.Name].operation, func() {
			one.send(alone[n%many], one.boxes[0].Name)
			n++
		}, func() {
			all.send(requests[m%many], all.boxes[m%many].Name)
			m++
		})
	}
}

// BenchmarkSandboxes is calls of all APIs to many sandboxes, with -cpu 1,2 by one caller
// and by two at the same time: the second takes at most 1/1.8 of the duration, and no more
// processor time (cpu-ns/op), which counts on a machine that does something else too.
func BenchmarkSandboxes(b *testing.B) {
	for _, many := range []int{16, 1000} {
		h := newHouse(b, many)
		requests := make([]*contract.Request, many)
		for i := range requests {
			requests[i] = h.request(emulators.All[i%len(emulators.All)], i)
		}
		b.Run(fmt.Sprintf("boxes=%d", many), func(b *testing.B) {
			b.ReportAllocs()
			var callers atomic.Int64
			began := processorTime()
			b.RunParallel(func(pb *testing.PB) {
				// Each caller has sandboxes of its own.
				share := many / runtime.GOMAXPROCS(0)
				first := int(callers.Add(1)-1) * share
				for n := 0; pb.Next(); n++ {
					i := first + n%share
					h.send(requests[i], h.boxes[i].Name)
				}
			})
			b.ReportMetric(float64(processorTime()-began)/float64(b.N), "cpu-ns/op")
		})
	}
}
