package flat_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// A cost is what one call costs.
type cost struct {
	took          time.Duration
	allocs, bytes float64
}

func (c cost) String() string {
	return fmt.Sprintf("%6.1f µs, %5.1f allocations, %6.0f bytes", float64(c.took)/1e3, c.allocs, c.bytes)
}

// compare measures a call beside little and beside much, and reports it if it costs more
// beside much. What grows with what there is would take a hundred times as long; misses of
// the processor's caches alone make it up to twice as long.
func compare(t *testing.T, what string, little, much func()) {
	t.Helper()
	const slower, moreAllocs, moreBytes, attempts = 2.5, 2, 256, 3
	for attempt := range attempts {
		beside := inTurns(little, much)
		times := float64(beside[1].took) / float64(beside[0].took)
		t.Logf("%s: %.2f times\n\tbeside little %v\n\tbeside much   %v", what, times, beside[0], beside[1])
		switch {
		case race: // makes some things dearer at random
			return
		case times <= slower && beside[1].allocs <= beside[0].allocs+moreAllocs && beside[1].bytes <= beside[0].bytes+moreBytes:
			return
		case attempt == attempts-1:
			t.Errorf("%s: at most %v times the duration, %v allocations and %v bytes more were expected", what, slower, moreAllocs, moreBytes)
		}
	}
}

// inTurns measures calls in turns, a batch of each at a time. The least of all batches of a
// call counts: whatever else the machine and the program do makes a batch only dearer.
func inTurns(calls ...func()) []cost {
	const batches = 25
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	least := make([]cost, len(calls))
	for n := range batches {
		for i, call := range calls {
			c := measure(call)
			if n > 0 {
				c = cost{min(c.took, least[i].took), min(c.allocs, least[i].allocs), min(c.bytes, least[i].bytes)}
			}
			least[i] = c
		}
	}
	return least
}

// measure measures a batch of calls.
func measure(call func()) cost {
	const calls = 40
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for range calls {
		call()
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	return cost{took / calls, float64(after.Mallocs-before.Mallocs) / calls, float64(after.TotalAlloc-before.TotalAlloc) / calls}
}

// heap returns the bytes that are allocated.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
