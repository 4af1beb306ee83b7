package coverage

import (
	"cmp"
	"maps"
	"slices"

	"github.com/understudy-suite/understudy/internal/journal"
)

// Counts say how often calls ended in one outcome.
type Counts struct {
	Calls      uint64            `json:"calls"`
	Delivered  uint64            `json:"delivered"`   // the answer reached the client
	ClientGone uint64            `json:"client_gone"` // the client had left before; the rest of Calls fell to a fault of the network
	By         By                `json:"decided_by"`
	Operations map[string]uint64 `json:"operations,omitempty"` // of an outcome that is common to all: which operations ended so; "-": the request named none
	Causes     map[string]uint64 `json:"causes,omitempty"`     // why an emulator or a check refused
	Reacted    *Reacted          `json:"reacted,omitempty"`    // of a failure that happened: what the client did next
}

// By says how often who decided.
type By struct {
	Emulator uint64 `json:"emulator"`
	Check    uint64 `json:"check"`
	Scenario uint64 `json:"scenario"`
	Header   uint64 `json:"header"`
}

// maxCauses is how many causes of one outcome are told apart. The tables have fewer.
const maxCauses = 64

// otherCauses stands for the causes beyond.
const otherCauses = "other causes"

// count counts one call.
func (c *Counts) count(e *journal.Entry, r *row) {
	c.Calls++
	switch {
	case e.Delivered == journal.Sent && (e.Wire == nil || !e.Wire.Answered):
		c.Delivered++
	case e.Delivered == journal.ClientGone:
		c.ClientGone++
	}
	refused := false
	switch e.DecidedBy.Kind {
	case journal.Check:
		c.By.Check++
		refused = true
	case journal.Scenario:
		c.By.Scenario++
	case journal.Header:
		c.By.Header++
	default:
		c.By.Emulator++
		refused = true
	}
	if r.common {
		add(&c.Operations, cmp.Or(e.Operation, "-"), 1)
	}
	if refused && r.fails && e.Explanation != nil && e.Explanation.Cause != "" {
		c.countCause(e.Explanation.Cause, 1)
	}
	if r.fails && c.Reacted == nil {
		c.Reacted = &Reacted{}
	}
}

func (c *Counts) countCause(cause string, n uint64) {
	if _, known := c.Causes[cause]; !known && len(c.Causes) >= maxCauses {
		cause = otherCauses
	}
	add(&c.Causes, cause, n)
}

func add(to *map[string]uint64, name string, n uint64) {
	if *to == nil {
		*to = map[string]uint64{}
	}
	(*to)[name] += n
}

// add adds what others counted.
func (c *Counts) add(o *Counts) {
	c.Calls += o.Calls
	c.Delivered += o.Delivered
	c.ClientGone += o.ClientGone
	c.By.Emulator += o.By.Emulator
	c.By.Check += o.By.Check
	c.By.Scenario += o.By.Scenario
	c.By.Header += o.By.Header
	for name, n := range o.Operations {
		add(&c.Operations, name, n)
	}
	for _, cause := range slices.Sorted(maps.Keys(o.Causes)) {
		c.countCause(cause, o.Causes[cause])
	}
	if o.Reacted != nil {
		if c.Reacted == nil {
			c.Reacted = &Reacted{}
		}
		c.Reacted.add(o.Reacted)
	}
}

// Reacted says what the client did after failures: which call was the sandbox's next.
type Reacted struct {
	Again      uint64            `json:"again"`                 // the same operation
	ShortestMS float64           `json:"shortest_ms,omitempty"` // from the failure's arrival to that of the same operation again
	MedianMS   float64           `json:"median_ms,omitempty"`   // of WaitsMS
	WaitsMS    []float64         `json:"waits_ms,omitempty"`    // all such times, or an even choice of them
	Other      map[string]uint64 `json:"other,omitempty"`       // another operation: parcels/Collect
	Nothing    uint64            `json:"nothing"`               // no call came after it
	Unknown    uint64            `json:"unknown,omitempty"`     // it was not closed near its next call

	every uint64 // which of the times are kept: one in so many; 0: all
}

// maxWaits is how many times are kept for one outcome.
const maxWaits = 32

// again counts that the same operation was called again, after so many milliseconds.
func (r *Reacted) again(ms float64) {
	if r.Again == 0 || ms < r.ShortestMS {
		r.ShortestMS = ms
	}
	if len(r.WaitsMS) == maxWaits {
		for i := range maxWaits / 2 {
			r.WaitsMS[i] = r.WaitsMS[2*i]
		}
		r.WaitsMS, r.every = r.WaitsMS[:maxWaits/2], 2*max(r.every, 1)
	}
	if r.every == 0 || r.Again%r.every == 0 {
		r.WaitsMS = append(r.WaitsMS, ms)
	}
	r.Again++
}

// add adds what others counted.
func (r *Reacted) add(o *Reacted) {
	if o.Again > 0 && (r.Again == 0 || o.ShortestMS < r.ShortestMS) {
		r.ShortestMS = o.ShortestMS
	}
	r.WaitsMS = choose(maxWaits, sample{r.WaitsMS, r.Again}, sample{o.WaitsMS, o.Again})
	r.Again += o.Again
	r.Nothing += o.Nothing
	r.Unknown += o.Unknown
	for name, n := range o.Other {
		add(&r.Other, name, n)
	}
}

// settle puts in order what is told.
func (r *Reacted) settle() {
	slices.Sort(r.WaitsMS)
	r.MedianMS = 0
	if n := len(r.WaitsMS); n > 0 {
		r.MedianMS = (r.WaitsMS[(n-1)/2] + r.WaitsMS[n/2]) / 2
	}
}

// A sample is some times that stand for so many.
type sample struct {
	kept []float64
	of   uint64
}

// choose returns all times of the samples where they are few, and otherwise an even
// choice of them, in which each sample weighs as much as what it stands for.
func choose(most int, samples ...sample) []float64 {
	type weighted struct{ ms, weight float64 }
	var all []weighted
	total := 0.0
	for _, s := range samples {
		for _, ms := range s.kept {
			all = append(all, weighted{ms, float64(s.of) / float64(len(s.kept))})
			total += all[len(all)-1].weight
		}
	}
	slices.SortFunc(all, func(a, b weighted) int { return cmp.Compare(a.ms, b.ms) })
	var chosen []float64
	passed := 0.0
	for _, w := range all {
		passed += w.weight
		if len(all) <= most {
			chosen = append(chosen, w.ms)
			continue
		}
		for len(chosen) < most && passed >= total*(float64(len(chosen))+0.5)/float64(most) {
			chosen = append(chosen, w.ms)
		}
	}
	return chosen
}
