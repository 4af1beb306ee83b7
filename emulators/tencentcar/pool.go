package tencentcar

import (
	"container/heap"
	"slices"
	"time"
)

// A pool is the concurrencies of one project: those in use, ordered by when they
// are ready, and the numbers of those that were in use before. With it Decide does
// not need to iterate over all concurrencies.
type pool struct {
	busy byReady
	free []int // numbers that are free again, the greatest first
	next int   // the lowest number that was never in use
}

func (p *pool) insert(co *concurrency) { heap.Push(&p.busy, co) }

func (p *pool) fix(co *concurrency) { heap.Fix(&p.busy, co.heapIndex) }

func (p *pool) remove(co *concurrency) {
	heap.Remove(&p.busy, co.heapIndex)
	at, _ := slices.BinarySearchFunc(p.free, co.Index, func(x, index int) int { return index - x })
	p.free = slices.Insert(p.free, at, co.Index)
}

// takeLowest takes the lowest number that is not in use.
func (p *pool) takeLowest() int {
	if last := len(p.free) - 1; last >= 0 {
		n := p.free[last]
		p.free = p.free[:last]
		return n
	}
	p.next++
	return p.next - 1
}

// rebuild computes the free numbers from those that are taken.
func (p *pool) rebuild(taken []int) {
	slices.Sort(taken)
	p.next, p.free = 0, nil
	for _, index := range taken {
		for ; p.next < index; p.next++ {
			p.free = append(p.free, p.next)
		}
		p.next = index + 1
	}
	slices.Reverse(p.free)
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
