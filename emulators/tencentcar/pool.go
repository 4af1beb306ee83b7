package tencentcar

import (
	"container/heap"
	"math"
	"math/bits"
	"time"
)

// A pool is the concurrencies of one project: those in use, ordered by when they
// are ready, and their numbers. With it Decide does not need to iterate over all
// concurrencies.
type pool struct {
	busy   byReady
	taken  []uint64 // bit n%64 of element n/64 is set where the number n is in use
	lowest int      // all elements of taken before this one are full
}

func (p *pool) insert(co *concurrency) { heap.Push(&p.busy, co) }

func (p *pool) fix(co *concurrency) { heap.Fix(&p.busy, co.heapIndex) }

func (p *pool) remove(co *concurrency) {
	heap.Remove(&p.busy, co.heapIndex)
	at := co.Index / 64
	p.taken[at] &^= 1 << (co.Index % 64)
	p.lowest = min(p.lowest, at)
}

// takeLowest takes the lowest number that is not in use.
func (p *pool) takeLowest() int {
	for p.lowest < len(p.taken) && p.taken[p.lowest] == math.MaxUint64 {
		p.lowest++
	}
	n := 64 * p.lowest
	if p.lowest < len(p.taken) {
		n += bits.TrailingZeros64(^p.taken[p.lowest])
	}
	p.take(n)
	return n
}

// take marks a number as in use.
func (p *pool) take(n int) {
	for n/64 >= len(p.taken) {
		p.taken = append(p.taken, 0)
	}
	p.taken[n/64] |= 1 << (n % 64)
}

// byReady is a heap. The concurrency that becomes idle first is at its front;
// those without an end come last.
type byReady []*concurrency

func (h byReady) Len() int { return len(h) }

func (h byReady) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.Ready.IsZero() || b.Ready.IsZero():
		return !a.Ready.IsZero()
	case a.Ready.Equal(b.Ready):
		return a.Index < b.Index
	}
	return a.Ready.Before(b.Ready)
}

func (h byReady) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

// Push is for container/heap.
func (h *byReady) Push(x any) {
	co := x.(*concurrency)
	co.heapIndex = len(*h)
	*h = append(*h, co)
}

// Pop is for container/heap.
func (h *byReady) Pop() any {
	old := *h
	last := len(old) - 1
	co := old[last]
	old[last] = nil
	*h = old[:last]
	return co
}

// countInUse counts those that are in use, without those that are idle again and
// not yet deleted. It visits only the latter and their children in the heap.
func (h byReady) countInUse(now time.Time) int { return len(h) - h.countIdle(0, now) }

// countIdle counts those that are idle again below the index i, including it.
func (h byReady) countIdle(i int, now time.Time) int {
	if i >= len(h) || h[i].phase(now) != idle {
		return 0
	}
	return 1 + h.countIdle(2*i+1, now) + h.countIdle(2*i+2, now)
}
