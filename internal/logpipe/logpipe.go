// Package logpipe writes lines so that whoever reads them can neither end nor slow the
// one who writes them: lines wait in a bounded queue, and those for which there is
// no room, or no reader, are dropped and counted.
package logpipe

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Most is how many bytes the lines in the queue have together, at the most. A line
// counts for lineCost bytes more than it has.
const Most = 256 << 10

// lineCost is about what a queued line takes beside its bytes.
const lineCost = 64

// together is how many bytes of lines are written at once. A pipe takes so many whole,
// whoever else writes to it.
const together = 4096

// pause is how long lines may wait for others, so that each need not wake the one who
// writes. A line that comes when none did for so long is written at once.
const pause = 10 * time.Millisecond

// A Writer hands each Write on as one line. Write never waits and never fails. Many may
// use it at the same time.
type Writer struct {
	to     io.Writer
	notice func(dropped int64) []byte
	wake   chan struct{} // what waits is to be written now
	ended  chan struct{} // closed when no line is written any more

	mu      sync.Mutex
	queue   queue
	waiting int64 // dropped since the last line was queued
	idle    bool  // nobody looks at the queue unless woken
	closed  bool
	dropped int64
}

// A queue has the lines that wait, the oldest first.
type queue struct {
	text  []byte // of lines, behind bytes that are written already
	begin int    // of those that are not
	lines []line
	first int // of lines that are not written
	size  int // bytes of those that wait, and their cost
}

// A line is one Write.
type line struct {
	bytes   int
	counted bool  // somebody wrote it; not a mark that Flush or Close made
	dropped int64 // how many were dropped between the line before and this one

	passed chan<- struct{} // closed when the line was written or dropped; may be nil
}

// New returns a Writer of lines to w. Before the first line that gets through after
// others were dropped it writes the notice, which says how many they were. One
// goroutine writes until Close.
func New(w io.Writer, notice func(dropped int64) []byte) *Writer {
	p := &Writer{to: w, notice: notice, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go p.pass()
	return p
}

// Write queues a line, or drops it where there is no room.
func (p *Writer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.queue.size > 0 && p.queue.size+len(text)+lineCost > Most {
		p.waiting++
		p.dropped++
		return len(text), nil
	}
	p.add(text, line{counted: true})
	return len(text), nil
}

func (p *Writer) add(text []byte, l line) {
	l.bytes, l.dropped, p.waiting = len(text), p.waiting, 0
	p.queue.add(text, l)
	if p.idle || !l.counted || p.queue.size > Most/2 {
		p.rouse()
	}
}

// rouse has what waits be written at once.
func (p *Writer) rouse() {
	p.idle = false
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Flush waits until what is queued was written, though not beyond ctx.
func (p *Writer) Flush(ctx context.Context) {
	passed := make(chan struct{})
	p.mu.Lock()
	if p.closed {
		close(passed)
	} else {
		p.add(nil, line{passed: passed})
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
		p.add(nil, line{})
	}
	p.closed = true
	p.rouse()
	p.mu.Unlock()
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.queue.lines[p.queue.first:] {
		if l.counted {
			p.dropped++
		}
	}
	p.queue = queue{}
	return ErrLeft
}

// pass writes what is queued.
func (p *Writer) pass() {
	defer close(p.ended)
	rest := time.NewTimer(pause)
	defer rest.Stop()
	var g group
	for rested := true; p.take(&g, rest, rested); rested = false {
		if !p.write(&g) {
			g.lost += g.dropped + g.counted
			p.mu.Lock()
			p.dropped += g.counted
			p.mu.Unlock()
		}
		for _, passed := range g.passed {
			close(passed)
		}
	}
}

// A group is the lines that are written together.
type group struct {
	text    []byte
	dropped int64 // how many were dropped before its first line
	counted int64 // its lines that somebody wrote
	passed  []chan<- struct{}
	lost    int64 // lines that could not be written since one last was
}

// take takes the oldest lines out of the queue, and waits for some. There are none when
// the Writer is closed and everything was written. rested says that none came for a pause.
func (p *Writer) take(g *group, rest *time.Timer, rested bool) bool {
	for {
		p.mu.Lock()
		some, closed := p.queue.move(g), p.closed
		p.idle = rested && !some
		p.mu.Unlock()
		switch {
		case some || closed:
			return some
		case rested:
			<-p.wake
			continue
		}
		rest.Reset(pause)
		select {
		case <-p.wake:
		case <-rest.C:
			rested = true
		}
	}
}

func (q *queue) add(text []byte, l line) {
	if len(q.text)+len(text) > cap(q.text) && q.begin > 0 {
		q.text = q.text[:copy(q.text, q.text[q.begin:])]
		q.lines = q.lines[:copy(q.lines, q.lines[q.first:])]
		q.begin, q.first = 0, 0
	}
	q.text = append(q.text, text...)
	q.lines = append(q.lines, l)
	q.size += l.bytes + lineCost
}

// move moves the oldest line into g, and those behind it that fit. It reports whether
// there was one.
func (q *queue) move(g *group) bool {
	*g = group{text: g.text[:0], passed: g.passed[:0], lost: g.lost}
	n, bytes := 0, 0
	for _, l := range q.lines[q.first:] {
		if n > 0 && (l.dropped > 0 || bytes+l.bytes > together) {
			break
		}
		n++
		bytes += l.bytes
		g.dropped += l.dropped
		if l.counted {
			g.counted++
		}
		if l.passed != nil {
			g.passed = append(g.passed, l.passed)
		}
	}
	if bytes > cap(g.text) || cap(g.text) > together { // no longer so where it held an uncommonly long line
		g.text = make([]byte, 0, max(bytes, together))
	}
	g.text = append(g.text, q.text[q.begin:q.begin+bytes]...)
	q.begin, q.first, q.size = q.begin+bytes, q.first+n, q.size-bytes-n*lineCost
	if q.first == len(q.lines) {
		q.text, q.begin, q.lines, q.first = q.text[:0], 0, q.lines[:0], 0
	}
	if cap(q.text) > 2*Most && q.size == 0 { // it had an uncommonly long line
		q.text = nil
	}
	return n > 0
}

// write writes a group, behind the notice of the lines that were lost before it.
func (p *Writer) write(g *group) bool {
	text := g.text
	if n := g.dropped + g.lost; n > 0 {
		text = append(p.notice(n), text...)
	}
	if len(text) == 0 {
		return g.lost == 0
	}
	if _, err := p.to.Write(text); err != nil {
		return false
	}
	g.lost = 0
	return true
}
