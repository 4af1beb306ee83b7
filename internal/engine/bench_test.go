package engine_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// BenchmarkYardstick is the unit of all targets: 1 µs of a target is one of its
// iterations in the same run.
func BenchmarkYardstick(b *testing.B) {
	key, text := make([]byte, 32), make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		mac := hmac.New(sha256.New, key)
		mac.Write(text)
		mac.Sum(nil)
	}
}

// signed is a world without rate limits and a signed CreateSession for it.
func signed(b *testing.B) (*conformance.World, *contract.Request) {
	b.Helper()
	w := conformance.New(b, tencentcar.API, conformance.Setting{Set: map[string]string{"rate_limits": "off"}, Wall: func() time.Time { return conformance.Noon }})
	op := w.API.Operation("CreateSession")
	r, err := w.API.Sign(contract.Draft{
		Operation: op, Host: "car.tencentcloudapi.com", Credentials: w.Credentials(b), Now: conformance.Noon,
		In: contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="},
	})
	if err != nil {
		b.Fatal(err)
	}
	r.Target, r.At = "/", []*contract.Operation{op}
	return w, r
}

// BenchmarkCorridor is a signed CreateSession from the checks to the journal,
// without echo and the socket. Target: 12 yardsticks, 60 allocations.
func BenchmarkCorridor(b *testing.B) {
	w, r := signed(b)
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != "success" {
			b.Fatal(e.Outcome)
		}
	}
}

// BenchmarkFollowed is the corridor without and with a reader who takes calls as the
// control API does. Target: the reader costs a call 3 % at most, where a core is free to
// write for it.
func BenchmarkFollowed(b *testing.B) {
	for _, readers := range []int{0, 1} {
		b.Run(fmt.Sprintf("%d readers", readers), func(b *testing.B) {
			w, r := signed(b)
			server := control.New(control.Config{APIs: []*contract.API{w.API}, Registry: w.Registry, Library: library.New([]*contract.API{w.API})})
			var all sync.WaitGroup
			for range readers {
				all.Go(func() {
					q := httptest.NewRequest(http.MethodGet, "http://localhost/v1/journal/stream", nil)
					server.Handler().ServeHTTP(flushed{&discard{header: http.Header{}}}, q)
				})
			}
			for w.Registry.Feed.Readers() != readers {
				runtime.Gosched()
			}
			b.ReportAllocs()
			for b.Loop() {
				w.Corridor(b, r)
			}
			b.StopTimer()
			server.Cut()
			all.Wait()
		})
	}
}

// BenchmarkGateway is the same call with routing, body and headers, without the
// socket.
func BenchmarkGateway(b *testing.B) {
	w, r := signed(b)
	b.ReportAllocs()
	for b.Loop() {
		rec := &discard{header: http.Header{}}
		w.Handler.ServeHTTP(rec, conformance.HTTP(r))
		if rec.status != 200 {
			b.Fatal(rec.status)
		}
	}
}

// BenchmarkMakeRequest is what BenchmarkGateway spends on making its request.
func BenchmarkMakeRequest(b *testing.B) {
	_, r := signed(b)
	b.ReportAllocs()
	for b.Loop() {
		conformance.HTTP(r)
	}
}

// discard is a ResponseWriter that keeps the status.
type discard struct {
	header http.Header
	status int
}

// flushed is a discard that can be flushed.
type flushed struct{ *discard }

func (flushed) Flush() {}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkScenarios is the corridor with scenarios loaded and active. Target:
// 100 active and 10,000 loaded cost less than a tenth over none. The active ones
// are about the call's own operation, for other users or with their times used
// up, or about another operation; none decides the call.
func BenchmarkScenarios(b *testing.B) {
	const head = "scenario: s%d\napi: tencentcar\nrules:\n"
	active := map[string]string{
		"same operation":  head + "  - {operation: CreateSession, where: {UserId: u-%[1]d}, outcome: ResourceNotFound.NoIdle}\n",
		"other operation": head + "  - {operation: DestroySession, outcome: InternalError}\n",
		"worn out":        head + "  - {operation: CreateSession, times: 1, outcome: ResourceNotFound.NoIdle}\n",
		"another state":   head + "  - {operation: DestroySession, times: 1, then: over}\n  - {operation: CreateSession, state: over, outcome: ResourceNotFound.NoIdle}\n",
		"a pattern":       head + "  - {operation: CreateSession, where: {UserId: {matches: '^u-%[1]d$'}}, outcome: ResourceNotFound.NoIdle}\n",
	}
	for _, about := range []string{"same operation", "other operation", "worn out", "another state", "a pattern"} {
		for _, on := range []int{0, 1, 100, 1000} {
			for _, loaded := range []int{1, 1000, 10_000} {
				if on > loaded || about != "same operation" && (on != 100 || loaded != 10_000) {
					continue
				}
				b.Run(fmt.Sprintf("%s/%d active/%d loaded", about, on, loaded), func(b *testing.B) {
					w, r := signed(b)
					files := fstest.MapFS{}
					for i := range loaded {
						files[fmt.Sprintf("tencentcar/s%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, active[about], i)}
					}
					library := library.New([]*contract.API{w.API})
					if err := library.Add(files, "many"); err != nil {
						b.Fatal(err)
					}
					for i := range on {
						w.Sandbox.Player.On(library.InForce(fmt.Sprintf("tencentcar/s%d", i)), scenario.Options{})
					}
					for range on { // wears out what can be worn out
						w.Corridor(b, r)
					}
					b.ReportAllocs()
					for b.Loop() {
						if e := w.Corridor(b, r); e.Outcome != "success" {
							b.Fatal(e.Outcome)
						}
					}
				})
			}
		}
	}
}
