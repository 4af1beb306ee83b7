package engine_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/tencentcar"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// BenchmarkYardstick is the unit of all targets: where they say 1 µs, one of its
// iterations in the same run is meant.
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

// BenchmarkCorridor is a signed CreateSession from the door to the journal,
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

// BenchmarkGateway is the same call with routing, body and headers, without the
// socket.
func BenchmarkGateway(b *testing.B) {
	w, r := signed(b)
	b.ReportAllocs()
	for b.Loop() {
		rec := &discard{header: http.Header{}}
		w.Door.ServeHTTP(rec, conformance.HTTP(r))
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

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
