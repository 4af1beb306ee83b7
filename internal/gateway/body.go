package gateway

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/understudy-suite/understudy/internal/engine"
)

// The limits of reading a body.
const (
	// A buffer begins with firstBuffer bytes at most, for which no memory is reserved,
	// and has the announced size once trustedBuffer bytes have come: a header alone, and
	// a body that stalls at its beginning, take no memory.
	firstBuffer   = 16 << 10
	trustedBuffer = 1 << 20

	// A heavy body takes as much memory again while it is read and decoded, which it
	// reserves too. No more of them are served at once than there are processors.
	heavyBody = 1 << 20

	// The garbage of heavy bodies is collected once it has mostSpent of the memory, or
	// after spentTogether where others wait for memory.
	mostSpent     = 64 << 20
	spentTogether = 100 * time.Millisecond
)

// A pace is how fast a body has to come.
type pace struct {
	whole time.Duration // from its beginning to its end
	grace time.Duration // before the rate counts
	rate  int64         // bytes in a second at least
	wait  time.Duration // for memory, at most
}

var usualPace = pace{whole: 60 * time.Second, grace: 10 * time.Second, rate: 1 << 10, wait: 30 * time.Second}

// bodies bounds the memory that all request bodies hold together. Each reserves its
// length before more than its beginning is read, first come first served, so that bodies
// that are read in part cannot block each other.
type bodies struct {
	most    int64 // longest body
	pace    pace
	total   int64 // memory of all
	memory  *semaphore.Weighted
	heavy   chan struct{}
	spent   atomic.Int64 // reserved for heavy bodies that are over, whose garbage is not collected
	held    atomic.Int64
	waiting atomic.Int64
}

func newBodies(most, memory int64) *bodies {
	if memory == 0 {
		memory = math.MaxInt64
	}
	return &bodies{most: most, pace: usualPace, total: memory, memory: semaphore.NewWeighted(memory), heavy: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// A body is a request's body in memory. Release it when the request is over.
type body struct {
	bytes    []byte
	tooLarge bool // bytes are its beginning

	from     *bodies
	reserved int64
}

// read reads the body of r. Of one that is too long it keeps the beginning.
func (b *bodies) read(w http.ResponseWriter, r *http.Request) (body, error) {
	read := body{from: b}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return read, nil
	}
	announced := r.ContentLength
	if announced < 0 || announced > b.most {
		announced = b.most
	}
	from := b.paced(w, r.Body)
	if err := read.fill(r.Context(), from, announced, r.ContentLength > 0); err != nil {
		read.release()
		return read, err
	}
	read.shrink(int64(len(read.bytes)))
	return read, nil
}

// cost is how much memory a body of n bytes reserves.
func (b *bodies) cost(n int64) int64 {
	switch {
	case n <= firstBuffer: // no large one holds it up
		return 0
	case n < heavyBody:
		return n
	}
	return min(2*n, b.total)
}

// reserve waits until the memory of n bytes is free.
func (b *body) reserve(ctx context.Context, n int64) error {
	if n = b.from.cost(n); n == 0 {
		return nil
	}
	if !b.from.memory.TryAcquire(n) {
		b.from.waiting.Add(1)
		defer b.from.waiting.Add(-1)
		b.from.collect()
		ctx, cancel := context.WithTimeout(ctx, b.from.pace.wait)
		defer cancel()
		if err := b.from.memory.Acquire(ctx, n); err != nil {
			return noMemory(b.from.pace.wait)
		}
	}
	b.reserved = n
	b.from.held.Add(n)
	return nil
}

// shrink gives back what is reserved above n bytes.
func (b *body) shrink(n int64) {
	n = b.from.cost(n)
	if free := b.reserved - n; free > 0 {
		b.reserved = n
		b.from.held.Add(-free)
		b.from.memory.Release(free)
	}
}

// release gives back all memory: that of a heavy body when its garbage is collected.
func (b body) release() {
	if b.reserved < heavyBody {
		b.shrink(0)
		return
	}
	b.from.held.Add(-b.reserved)
	switch spent := b.from.spent.Add(b.reserved); {
	case spent >= min(mostSpent, b.from.total/4):
		go b.from.collect()
	case b.from.waiting.Load() > 0: // the others that are over soon can be collected with it
		time.AfterFunc(spentTogether, b.from.collect)
	}
}

// collect has the garbage of heavy bodies collected, and gives their memory back. The
// runtime would let garbage grow to as much as all that is in use, bodies and states.
func (b *bodies) collect() {
	if n := b.spent.Swap(0); n > 0 {
		runtime.GC()
		b.memory.Release(n)
	}
}

// fill reads up to most bytes, and then finds out whether more follow. known says
// that the client announced most.
func (b *body) fill(ctx context.Context, from *pacedReader, most int64, known bool) error {
	buffer := make([]byte, 0, min(most, firstBuffer))
	for {
		if int64(len(buffer)) == most {
			b.bytes = buffer
			return b.end(from)
		}
		if len(buffer) == cap(buffer) {
			if err := b.claim(ctx, from, most); err != nil {
				return err
			}
			buffer = grow(buffer, most, known)
		}
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case errors.Is(err, io.EOF):
			b.bytes = buffer
			return nil
		case err != nil:
			return err
		}
	}
}

// claim reserves the memory of n bytes, if it is not reserved yet. Meanwhile the client
// cannot go on, so that its time begins anew.
func (b *body) claim(ctx context.Context, from *pacedReader, n int64) error {
	if b.reserved > 0 {
		return nil
	}
	err := b.reserve(ctx, n)
	from.began = now()
	if err != nil {
		from.drain(b.from.most)
	}
	return err
}

// grow returns a larger buffer with the same bytes.
func grow(buffer []byte, most int64, known bool) []byte {
	size := min(2*int64(cap(buffer)), most)
	if known && len(buffer) >= trustedBuffer {
		size = most
	}
	return append(make([]byte, 0, size), buffer...)
}

// end reads the end of a body that has most bytes or more.
func (b *body) end(from *pacedReader) error {
	n, err := from.Read(from.one[:])
	for n == 0 && err == nil {
		n, err = from.Read(from.one[:])
	}
	if n == 0 {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	b.tooLarge = true
	from.drain(b.from.most)
	return nil
}

// serve has the engine serve the exchange of the body. Only few heavy bodies are
// served at once.
func (b body) serve(x *engine.Exchange) error {
	if len(b.bytes) >= heavyBody {
		b.from.heavy <- struct{}{}
		defer func() { <-b.from.heavy }()
	}
	return engine.Serve(x)
}

// now is the machine's own time, by which connections have deadlines.
var now = time.Now //nolint:forbidigo // no sandbox's clock moves a connection

// A pacedReader reads from a client that has to keep a rate.
type pacedReader struct {
	io.Reader
	pace  *pace
	conn  interface{ SetReadDeadline(time.Time) error } // nil: there is no connection
	began time.Time
	got   int64
	one   [1]byte // the byte after a body that may have ended
}

func (b *bodies) paced(w http.ResponseWriter, from io.Reader) *pacedReader {
	p := &pacedReader{Reader: from, pace: &b.pace, began: now()}
	p.conn, _ = w.(interface{ SetReadDeadline(time.Time) error })
	return p
}

// Read waits for the next bytes as long as the rate allows.
func (p *pacedReader) Read(into []byte) (int, error) {
	if p.conn == nil {
		return p.Reader.Read(into)
	}
	allowed := min(p.pace.grace+time.Duration(p.got)*time.Second/time.Duration(p.pace.rate), p.pace.whole)
	_ = p.conn.SetReadDeadline(p.began.Add(allowed))
	n, err := p.Reader.Read(into)
	p.got += int64(n)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, slowRequest(p.got, now().Sub(p.began), p.pace)
	case err != nil: // the end: an answer may take longer
		_ = p.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}

// drain takes the rest of a body from a client that is still writing, since it reads
// no answer before. A rest of more than eight of the longest bodies is not taken.
func (p *pacedReader) drain(most int64) { _, _ = io.CopyN(io.Discard, p, 8*most) }

// Bodies returns how many bytes of memory request bodies hold or have reserved, and how
// many requests wait for some.
func (g *Gateway) Bodies() (held, waiting int64) {
	return g.bodies.held.Load(), g.bodies.waiting.Load()
}
