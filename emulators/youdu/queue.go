package youdu

import (
	"container/heap"
	"iter"
	"slices"
)

// kept is what stands in a queue: it knows when it was made, by number, and how
// many bytes it is to be counted with.
type kept interface {
	comparable
	serial() int64
	size() int
}

// A queue holds things in the order in which they were made, so that the
// oldest is found without a walk over all.
type queue[T kept] struct {
	list  []T        // the oldest first; from first on
	first int        // what stands before it has gone
	gone  map[T]bool // what was removed and still stands in the list
	bytes int
}

// queueOf queues what is there.
func queueOf[T kept](all iter.Seq[T]) queue[T] {
	q := queue[T]{list: slices.SortedFunc(all, bySerial[T])}
	for _, x := range q.list {
		q.bytes += x.size()
	}
	return q
}

func (q *queue[T]) len() int { return len(q.list) - q.first - len(q.gone) }

func (q *queue[T]) push(x T) {
	q.list = append(q.list, x)
	q.bytes += x.size()
}

// pop takes the oldest. The queue must not be empty.
func (q *queue[T]) pop() T {
	var none T
	for {
		x := q.list[q.first]
		q.list[q.first] = none
		q.first++
		if q.first > len(q.list)/2 {
			q.list, q.first = slices.Clone(q.list[q.first:]), 0
		}
		if q.gone[x] {
			delete(q.gone, x)
			continue
		}
		q.bytes -= x.size()
		return x
	}
}

// remove takes x out. Its place is given up when half of the places are such.
func (q *queue[T]) remove(x T) {
	if q.gone == nil {
		q.gone = map[T]bool{}
	}
	q.gone[x] = true
	q.bytes -= x.size()
	if 2*len(q.gone) > len(q.list)-q.first {
		q.list = slices.DeleteFunc(q.list[q.first:], func(x T) bool { return q.gone[x] })
		q.first, q.gone = 0, nil
	}
}

// byEnd is a heap of the tokens of one application: the one that ends first
// stands in front, those that never end behind.
type byEnd []*token

func (h byEnd) Len() int { return len(h) }

func (h byEnd) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.Ends.IsZero() != b.Ends.IsZero():
		return b.Ends.IsZero()
	case a.Ends.Equal(b.Ends):
		return a.Serial < b.Serial
	}
	return a.Ends.Before(b.Ends)
}

func (h byEnd) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push and Pop are for container/heap.
func (h *byEnd) Push(x any) {
	t := x.(*token)
	t.at = len(*h)
	*h = append(*h, t)
}

// Pop is for container/heap.
func (h *byEnd) Pop() any {
	old := *h
	last := len(old) - 1
	t := old[last]
	old[last] = nil
	*h = old[:last]
	return t
}

func (h *byEnd) insert(t *token) { heap.Push(h, t) }

func (h *byEnd) pop() *token { return heap.Pop(h).(*token) }

func (h *byEnd) fix(t *token) { heap.Fix(h, t.at) }

// lasting is the oldest of the tokens that never end, or nil.
func (h byEnd) lasting() *token {
	var first *token
	for _, t := range h {
		if t.Ends.IsZero() && (first == nil || t.Serial < first.Serial) {
			first = t
		}
	}
	return first
}

// tokensOf are the tokens of an application.
func (w *state) tokensOf(key appKey) *byEnd {
	h := w.tokens[key]
	if h == nil {
		h = &byEnd{}
		w.tokens[key] = h
	}
	return h
}
