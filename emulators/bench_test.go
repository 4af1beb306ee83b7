package emulators_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

// BenchmarkMakeSandbox makes sandboxes by HTTP, each with the shipped fixtures and
// credentials of its own for every API. Target: 2 ms. Each is dropped outside of the
// measured time; BenchmarkMakeAndDropSandbox has both.
func BenchmarkMakeSandbox(b *testing.B) { benchmarkMake(b, false) }

// BenchmarkMakeAndDropSandbox is BenchmarkMakeSandbox with the drop.
func BenchmarkMakeAndDropSandbox(b *testing.B) { benchmarkMake(b, true) }

func benchmarkMake(b *testing.B, drop bool) {
	b.Helper()
	s, err := server.Start(server.Config{
		APIs: emulators.All, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files,
		Bind: "127.0.0.1", ControlBind: "127.0.0.1", DoorPorts: []int{0}, APIPorts: "off",
		Seed: 1, Clock: "follow", Signatures: "wall", Auth: []string{"verify"},
		Journal: 1000, MaxSandboxes: 1000, MaxStall: time.Second, Body: 1 << 20, MaxConnections: 100, MaxInflight: 64 << 20,
		Log: slog.New(slog.DiscardHandler), Wall: time.Now, Env: func(string) string { return "" },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close(context.Background()) })
	send := func(method, path string, status int) {
		var body io.Reader
		if method == http.MethodPut {
			body = strings.NewReader("{}")
		}
		r, err := http.NewRequestWithContext(b.Context(), method, s.ControlURL+path, body)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != status {
			b.Fatalf("%s %s: got %d %s %v", method, path, answer.StatusCode, text, err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		send(http.MethodPut, "/v1/sandboxes/job", http.StatusCreated)
		if !drop {
			b.StopTimer()
		}
		send(http.MethodDelete, "/v1/sandboxes/job", http.StatusOK)
		if !drop {
			b.StartTimer()
		}
	}
}
