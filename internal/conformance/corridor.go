package conformance

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
)

// Corridor takes one request from the checks to the closed journal entry, without
// echo and the socket, and returns the entry. Benchmarks of an API measure it.
// request is as the gateway hands it over, with At and Path.
func (w *World) Corridor(b testing.TB, request *contract.Request) *journal.Entry {
	instance, err := w.Sandbox.Instance(w.API)
	if err != nil {
		b.Fatal(err)
	}
	r := *request
	x := &engine.Exchange{Instance: instance, Sandbox: w.Sandbox, FoundBy: "default", Request: &r}
	if err := engine.Serve(x); err != nil {
		b.Fatal(err)
	}
	x.Close(0, journal.Sent)
	return x.Entry
}
