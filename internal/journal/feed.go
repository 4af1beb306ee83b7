package journal

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A Feed tells of every call once it is closed. Nothing writes to an entry after
// that.
type Feed struct {
	mu       sync.Mutex
	counters []func(*Entry)
	readers  atomic.Pointer[[]*Reader] // never written to
	most     int
}

// NewFeed returns a feed for so many readers at once.
func NewFeed(most int) *Feed {
	f := &Feed{most: most}
	f.readers.Store(&[]*Reader{})
	return f
}

// Count has count run at each call, before anybody else hears of it. It must be fast,
// and run beside itself. Say so before the first call.
func (f *Feed) Count(count func(*Entry)) { f.counters = append(f.counters, count) }

// Tell tells all of a call. It waits for no reader.
func (f *Feed) Tell(e *Entry) {
	for _, count := range f.counters {
		count(e)
	}
	for _, r := range *f.readers.Load() {
		r.offer(e)
	}
}

// A Reader hears of calls. What it does not take in time is lost, and counted. What
// waits for it is kept by the journals alone.
type Reader struct {
	Calls <-chan Call

	calls chan Call
	wants func(*Entry) bool
	lost  atomic.Int64
	feed  *Feed
}

func (r *Reader) offer(e *Entry) {
	if !r.wants(e) {
		return
	}
	select {
	case r.calls <- e.call():
	default:
		r.lost.Add(1)
	}
}

// Lost returns how many calls were lost since it was last asked.
func (r *Reader) Lost() int64 { return r.lost.Swap(0) }

// Read returns a reader of the calls that it wants, of which at most so many wait for
// it. Close it. The error says that there are too many readers.
func (f *Feed) Read(waiting int, wants func(*Entry) bool) (*Reader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	readers := *f.readers.Load()
	if len(readers) >= f.most {
		return nil, fmt.Errorf("%d readers follow calls already, which is the most; end one of them", f.most)
	}
	r := &Reader{calls: make(chan Call, waiting), wants: wants, feed: f}
	r.Calls = r.calls
	readers = append(slices.Clip(readers), r)
	f.readers.Store(&readers)
	return r, nil
}

// Close ends a reader. What waits for it can still be taken.
func (r *Reader) Close() {
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(*r.feed.readers.Load()), func(o *Reader) bool { return o == r })
	r.feed.readers.Store(&left)
}

// Readers returns how many readers there are.
func (f *Feed) Readers() int { return len(*f.readers.Load()) }
