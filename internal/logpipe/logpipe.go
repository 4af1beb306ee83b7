// Package logpipe writes lines so that whoever reads them can neither end nor slow the
// one who writes them: lines wait in a bounded queue, and those for which there is
// no room, or no reader, are dropped and counted.
package logpipe

import (
	"context"
	"errors"
	"io"
	"sync"
)

// Most is how many bytes the lines in the queue have together, at the most. A line
// counts for lineCost bytes more than it has.
const Most = 256 << 10

// lineCost is about what a queued line takes beside its bytes.
const lineCost = 64

// A Writer hands each Write on as one line. Write never waits and never fails. Many may
// use it at the same time.
type Writer struct {
	to     io.Writer
	notice func(dropped int64) []byte
	ended  chan struct{} // closed when no line is written any more

	mu      sync.Mutex
	wake    sync.Cond // something was queued, or the Writer was closed
	queue   []line    // the oldest first
	size    int       // of the queue: bytes of its lines, and their cost
	waiting int64     // dropped since the last line was queued
	closed  bool
	dropped int64
}

// A line is one Write.
type line struct {
	text    []byte
	dropped int64 // how many were dropped between the line before and this one

	passed chan<- struct{} // closed when the line was written or dropped; may be nil
}

// New returns a Writer of lines to w. Before the first line that gets through after
// others were dropped it writes the notice, which says how many they were. One
// goroutine writes until Close.
func New(w io.Writer, notice func(dropped int64) []byte) *Writer {
	p := &Writer{to: w, notice: notice, ended: make(chan struct{})}
	p.wake.L = &p.mu
	go p.pass()
	return p
}

// Write queues a line, or drops it where there is no room.
func (p *Writer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.size > 0 && p.size+len(text)+lineCost > Most {
		p.waiting++
		p.dropped++
		return len(text), nil
	}
	p.add(line{text: append([]byte(nil), text...), dropped: p.waiting})
	return len(text), nil
}

func (p *Writer) add(l line) {
	p.queue = append(p.queue, l)
	p.size += len(l.text) + lineCost
	p.waiting = 0
	p.wake.Signal()
}

// Flush waits until what is queued was written, though not beyond ctx.
func (p *Writer) Flush(ctx context.Context) {
	passed := make(chan struct{})
	p.mu.Lock()
	if p.closed {
		close(passed)
	} else {
		p.add(line{dropped: p.waiting, passed: passed})
	}
	p.mu.Unlock()
	select {
	case <-passed:
	case <-ctx.Done():
	}
}

// Dropped is how many lines were dropped.
func (p *Writer) Dropped() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

// ErrLeft says that lines were still to be written when a Writer was closed.
var ErrLeft = errors.New("not every line of the log could be written in time")

// Close has what is queued written, and waits for that until ctx is done. Then the
// rest is dropped, and the goroutine ends as soon as the write that it is in returns.
func (p *Writer) Close(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed && p.waiting > 0 {
		p.add(line{dropped: p.waiting})
	}
	p.closed = true
	p.wake.Signal()
	p.mu.Unlock()
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.queue {
		if l.text != nil {
			p.dropped++
		}
	}
	p.queue, p.size = nil, 0
	return ErrLeft
}

// pass writes line by line.
func (p *Writer) pass() {
	defer close(p.ended)
	var failed int64 // lines that could not be written since one last was
	for {
		l, ok := p.next()
		if !ok {
			return
		}
		if p.write(l, failed) {
			failed = 0
		} else {
			failed += l.dropped
			if l.text != nil {
				failed++
				p.mu.Lock()
				p.dropped++
				p.mu.Unlock()
			}
		}
		if l.passed != nil {
			close(l.passed)
		}
	}
}

// next takes the oldest line out of the queue, and waits for one. There is none when
// the Writer is closed and everything was written.
func (p *Writer) next() (line, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 {
		if p.closed {
			return line{}, false
		}
		p.wake.Wait()
	}
	l := p.queue[0]
	p.queue[0] = line{}
	p.queue = p.queue[1:]
	p.size -= len(l.text) + lineCost
	return l, true
}

// write writes a line, behind the notice of those that were lost before it.
func (p *Writer) write(l line, failed int64) bool {
	text := l.text
	if n := l.dropped + failed; n > 0 {
		text = append(p.notice(n), text...)
	}
	if len(text) == 0 {
		return failed == 0
	}
	_, err := p.to.Write(text)
	return err == nil
}
