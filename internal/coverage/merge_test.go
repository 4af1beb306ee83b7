package coverage_test

import (
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/coverage"
)

// Calls are summed once, whether a report is given twice, a later one of the same count,
// one of all calls beside one of a sandbox, or a sum beside one of its parts.
func TestMergeRefusesTheSameCallsTwice(t *testing.T) {
	t.Parallel()
	w, another := newWorld(), newWorld()
	w.call("hats/Buy/success", nil)
	first := w.tally.Report()
	w.call("hats/Buy/success", nil)
	later, all := w.tally.Report(), w.counter.Report()
	w.tally.Restart()
	w.call("hats/Buy/success", nil)
	restarted, neighbour, foreign := w.tally.Report(), w.counter.NewTally().Report(), another.tally.Report()
	sum, err := coverage.Merge(later, restarted, neighbour, foreign, another.counter.NewTally().Report())
	if err != nil || sum.Calls != 3 {
		t.Fatalf("got %+v, %v", sum, err)
	}
	for name, reports := range map[string][]*coverage.Report{
		"the same": {first, first}, "a later one": {foreign, first, restarted, later}, "all": {first, all}, "all first": {all, neighbour},
		"a sum": {sum, restarted}, "all of a sum": {sum, all},
	} {
		if sum, err := coverage.Merge(reports...); err == nil || !strings.Contains(err.Error(), "are of the same calls, which would count twice") {
			t.Errorf("%s: got %+v, %v", name, sum, err)
		}
	}
	if _, err := coverage.Merge(foreign, first, restarted, later); err == nil || !strings.HasPrefix(err.Error(), "the reports 2 and 4 are") {
		t.Errorf("got %v", err)
	}
	if sum, err := coverage.Merge(all, another.counter.Report()); err != nil || sum.Calls != 2 {
		t.Errorf("got %+v, %v", sum, err)
	}
}
