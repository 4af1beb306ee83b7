package youdu_test

import (
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators/youdu"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// A call makes at most 70 allocations, however many sessions there are.
// BenchmarkCreateSession measures its time.
func TestCostStaysFlat(t *testing.T) { // not parallel: it counts allocations
	w := conformance.New(t, youdu.API, conformance.Setting{Wall: func() time.Time { return conformance.Noon }})
	op := youdu.API.Operation("CreateSession")
	r, err := youdu.API.Sign(contract.Draft{Operation: op, In: trio, Host: "127.0.0.1:7080", Credentials: w.Credentials(t), Now: conformance.Noon})
	if err != nil {
		t.Fatal(err)
	}
	r.At = []*contract.Operation{op}
	call := func() {
		if e := w.Corridor(t, r); e.Outcome != "success" {
			t.Fatal(e.Outcome)
		}
	}
	few := testing.AllocsPerRun(500, call)
	if few > 70 {
		t.Errorf("got %v allocations, want 70 at most", few)
	}
	for range 5_000 {
		call()
	}
	if many := testing.AllocsPerRun(500, call); many > few*1.2 { // under the race detector pools drop objects at random
		t.Errorf("got %v allocations among 5,000 sessions and %v among few", many, few)
	}
}
