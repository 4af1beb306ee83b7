package conformance

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
)

// Corridor takes one request from the door to the closed journal entry, without
// echo and the socket, and returns the entry. It is what benchmarks of an API
// measure; request is used as the gateway would hand it over, At and Path
// filled.
func (w *World) Corridor(b testing.TB, request *contract.Request) *journal.Entry {
	room, err := w.Sandbox.Instance(w.API)
	if err != nil {
		b.Fatal(err)
	}
	r := *request
	now, arrived := w.Sandbox.Clock.Both()
	r.Arrived = arrived
	a, err := engine.Serve(&engine.Visit{Instance: room, Sandbox: w.Sandbox, FoundBy: "default", Request: &r, Now: now})
	if err != nil {
		b.Fatal(err)
	}
	a.Close(0, journal.Sent)
	return a.Entry
}
