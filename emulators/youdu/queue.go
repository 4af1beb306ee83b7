package youdu

import (
	"container/heap"
	"iter"
	"slices"
)

// A queueItem has a serial number, by which items are ordered, and a size in
// bytes.
type queueItem interface {
	comparable
	serial() int64
	size() int
}

// A queue holds items in the order of their serial numbers, so that the oldest is
// found without a search.
type queue[T queueItem] struct {
	list    []T        // the oldest first; the items before head are gone
	head    int        // index of the oldest item
	removed map[T]bool // items that were removed and are still in list
	bytes   int
}

// queueOf makes a queue of all items.
func queueOf[T queueItem](all iter.Seq[T]) queue[T] {
	q := queue[T]{list: slices.SortedFunc(all, bySerial[T])}
	for _, x := range q.list {
		q.bytes += x.size()
	}
	return q
}

func (q *queue[T]) len() int { return len(q.list) - q.head - len(q.removed) }

func (q *queue[T]) push(x T) {
	q.list = append(q.list, x)
	q.bytes += x.size()
}

// pop removes the oldest item. The queue must not be empty.
func (q *queue[T]) pop() T {
	var none T
	for {
		x := q.list[q.head]
		q.list[q.head] = none
		q.head++
		if q.head > len(q.list)/2 {
			q.list, q.head = slices.Clone(q.list[q.head:]), 0
		}
		if q.removed[x] {
			delete(q.removed, x)
			continue
		}
		q.bytes -= x.size()
		return x
	}
}

// remove removes x. It stays in the list until half of the list is removed items.
func (q *queue[T]) remove(x T) {
	if q.removed == nil {
		q.removed = map[T]bool{}
	}
	q.removed[x] = true
	q.bytes -= x.size()
	if 2*len(q.removed) > len(q.list)-q.head {
		q.list = slices.DeleteFunc(q.list[q.head:], func(x T) bool { return q.removed[x] })
		q.head, q.removed = 0, nil
	}
}

// A tokenHeap is a heap of the tokens of one application. The token that expires
// first is at the front; those that never expire are behind all others.
type tokenHeap []*token

func (h tokenHeap) Len() int { return len(h) }

func (h tokenHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.Ends.IsZero() != b.Ends.IsZero():
		return b.Ends.IsZero()
	case a.Ends.Equal(b.Ends):
		return a.Serial < b.Serial
	}
	return a.Ends.Before(b.Ends)
}

func (h tokenHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

// Push is for container/heap.
func (h *tokenHeap) Push(x any) {
	t := x.(*token)
	t.heapIndex = len(*h)
	*h = append(*h, t)
}

// Pop is for container/heap.
func (h *tokenHeap) Pop() any {
	old := *h
	last := len(old) - 1
	t := old[last]
	old[last] = nil
	*h = old[:last]
	return t
}

func (h *tokenHeap) insert(t *token) { heap.Push(h, t) }

func (h *tokenHeap) pop() *token { return heap.Pop(h).(*token) }

func (h *tokenHeap) fix(t *token) { heap.Fix(h, t.heapIndex) }

// oldestLasting is the oldest of the tokens that never expire, or nil.
func (h tokenHeap) oldestLasting() *token {
	var first *token
	for _, t := range h {
		if t.Ends.IsZero() && (first == nil || t.Serial < first.Serial) {
			first = t
		}
	}
	return first
}

// tokensOf are the tokens of an application.
func (st *state) tokensOf(key appKey) *tokenHeap {
	h := st.tokens[key]
	if h == nil {
		h = &tokenHeap{}
		st.tokens[key] = h
	}
	return h
}
