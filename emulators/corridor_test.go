package emulators_test

import (
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
)

// BenchmarkCorridor is the main calls of every API from their identifiers to the closed journal
// entry, without routing and socket, verified, with state, journal and 10 active scenarios
// about the operation. Beside them: echo decodes and encodes the same bodies and does nothing
// else, and by-hand verifies before. x/echo and x/hand are how many times as long a call takes
// as those.
func BenchmarkCorridor(b *testing.B) {
	for i := range mainCalls {
		p := mainCalls[i].prepare(b)
		echo, hand := p.echo(b), p.byHand(b)
		b.Run(p.name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.call(b)
			}
			call := func() { p.call(b) }
			b.ReportMetric(ratio(call, echo), "x/echo")
			if hand != nil {
				b.ReportMetric(ratio(call, hand), "x/hand")
			}
		})
		benchmarkAgain(b, p.name()+"/echo", echo)
		if hand != nil {
			benchmarkAgain(b, p.name()+"/by-hand", hand)
		}
	}
}

func benchmarkAgain(b *testing.B, name string, f func()) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f()
		}
	})
}

// ratio returns how many times as long a call takes as f: both run in turns, a few at a time,
// so that what else the machine does slows both, and the median of many turns counts.
func ratio(call, f func()) float64 {
	const turns, times = 99, 20
	took := func(f func()) time.Duration {
		began := time.Now()
		for range times {
			f()
		}
		return time.Since(began)
	}
	var ratios [turns]float64
	for i := range ratios {
		ratios[i] = float64(took(call)) / float64(took(f))
	}
	slices.Sort(ratios[:])
	return ratios[turns/2]
}

// Each API has a main call that is measured, and none needs more allocations than its row
// says.
func TestAllocations(t *testing.T) { // not parallel: it counts allocations
	measured := map[string]bool{}
	for i := range mainCalls {
		m := &mainCalls[i]
		measured[m.api] = true
		t.Run(m.name(), func(t *testing.T) {
			p := m.prepare(t)
			defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties pools
			got := testing.AllocsPerRun(1000, func() { p.call(t) })
			if got > m.allocations*tolerance {
				t.Errorf("got %v allocations, and at most %v were expected", got, m.allocations)
			} else if got < m.allocations {
				t.Logf("got %v allocations; lower the number %v in mainCalls", got, m.allocations)
			}
		})
	}
	for _, api := range emulators.All {
		if !measured[api.Name] {
			t.Errorf("no main call of %s is in mainCalls", api.Name)
		}
	}
}
