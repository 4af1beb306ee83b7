package flat_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// A call costs the same whether one scenario is on or 1,000 are, of which none decides it:
// each is about another user, has decided all that it should, or is about another
// operation.
func TestActiveScenarios(t *testing.T) { // not parallel: it measures
	const head = "scenario: s%[1]d\napi: tencentcar\nrules:\n"
	for about, text := range map[string]string{
		"another user":      head + "  - {operation: CreateSession, where: {UserId: nobody-%[1]d}, outcome: InternalError}\n",
		"another operation": head + "  - {operation: DestroySession, outcome: InternalError}\n",
		"worn out":          head + "  - {operation: CreateSession, times: 1, outcome: InternalError}\n",
	} {
		t.Run(about, func(t *testing.T) {
			one, many := newWorld(t, &openers[0], 10), newWorld(t, &openers[0], 10)
			var requests [2]*contract.Request
			for i, w := range []*world{one, many} {
				w.openUpTo(1)
				requests[i] = w.request(w.calls(0, "")[0])
				for range play(t, w, text, []int{1, 1000}[i]) {
					w.Corridor(t, requests[i]) // wears one out
				}
			}
			compare(t, about, func() { one.call(requests[0]) }, func() { many.call(requests[1]) })
		})
	}
}

// play loads so many scenario files and switches all of them on.
func play(t testing.TB, w *world, text string, n int) int {
	t.Helper()
	files := fstest.MapFS{}
	for i := range n {
		files[fmt.Sprintf("%s/s%d.yaml", w.API.Name, i)] = &fstest.MapFile{Data: fmt.Appendf(nil, text, i)}
	}
	l := library.New([]*contract.API{w.API})
	if err := l.Add(files, "many"); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		w.Sandbox.Player.On(l.InForce(fmt.Sprintf("%s/s%d", w.API.Name, i)), scenario.Options{})
	}
	return n
}
