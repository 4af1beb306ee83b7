package logpipe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/understudy-suite/understudy/internal/logpipe"
)

func notice(n int64) []byte { return fmt.Appendf(nil, "%d dropped\n", n) }

// A pipe takes writes one at a time: each waits in Write until the test takes it, with
// what it ends in. Without takers it is a pipe that nobody reads.
type pipe struct {
	writes chan string
	ends   chan error
}

func newPipe() *pipe { return &pipe{make(chan string), make(chan error)} }

func (p *pipe) Write(text []byte) (int, error) {
	p.writes <- string(text)
	return len(text), <-p.ends
}

// take has the next write end in err, and returns what was written.
func (p *pipe) take(err error) string {
	text := <-p.writes
	p.ends <- err
	return text
}

func say(t *testing.T, w *logpipe.Writer, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("got %d, %v; a write never fails", n, err)
	}
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// A reader that does not read stops nobody; when it reads again, it learns how many
// lines it missed, where it missed them.
func TestPipeThatNobodyReads(t *testing.T) {
	t.Parallel()
	p := newPipe()
	w := logpipe.New(p, notice)
	long := strings.Repeat("x", logpipe.Most/4) + "\n"
	say(t, w, "first\n")
	text := <-p.writes // it is in the pipe, and no write after it
	want(t, "the first", text, "first\n")
	for range 5 {
		say(t, w, long)
	}
	if got := w.Dropped(); got != 2 {
		t.Errorf("got %d dropped, want 2: three of the five have room", got)
	}
	p.ends <- nil
	for range 3 {
		want(t, "a line that had room", p.take(nil), long)
	}
	say(t, w, "next\n")
	want(t, "the next", p.take(nil), "2 dropped\nnext\n")
	say(t, w, "last\n")
	want(t, "the last", p.take(nil), "last\n")
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
	say(t, w, "too late\n")
	if got := w.Dropped(); got != 3 {
		t.Errorf("got %d dropped, want 3", got)
	}
}

// A pipe that is broken swallows lines, and they are counted. One that is mended tells.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	p := newPipe()
	w := logpipe.New(p, notice)
	for range 3 {
		say(t, w, "lost\n")
		p.take(syscall.EPIPE)
	}
	say(t, w, "lost too\n")
	want(t, "a notice that is lost", p.take(syscall.EPIPE), "3 dropped\nlost too\n")
	say(t, w, "found\n")
	want(t, "the next", p.take(nil), "4 dropped\nfound\n")
	if got := w.Dropped(); got != 4 {
		t.Errorf("got %d dropped, want 4", got)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// What is queued is written at the end, and what was dropped last is told.
func TestCloseWritesWhatIsQueued(t *testing.T) {
	t.Parallel()
	p := newPipe()
	w := logpipe.New(p, notice)
	say(t, w, "first\n")
	<-p.writes
	say(t, w, strings.Repeat("x", 2*logpipe.Most)) // alone in the queue, it has room
	say(t, w, "dropped\n")
	closed := make(chan error)
	go func() { closed <- w.Close(t.Context()) }()
	p.ends <- nil
	want(t, "what is long", p.take(nil), strings.Repeat("x", 2*logpipe.Most))
	want(t, "the end", p.take(nil), "1 dropped\n")
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// Flush waits for what was written before it, and no longer than it may.
func TestFlush(t *testing.T) {
	t.Parallel()
	p := newPipe()
	w := logpipe.New(p, notice)
	say(t, w, "line\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Flush(ctx)
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		w.Flush(t.Context())
	}()
	p.take(nil)
	<-flushed
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
	w.Flush(t.Context()) // of what is closed
}

// The end does not wait for a reader for ever. The goroutine ends with the write that
// it is in.
func TestCloseIsBounded(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPipe()
	w := logpipe.New(p, notice)
	say(t, w, "first\n")
	<-p.writes
	say(t, w, "second\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Close(ctx); !errors.Is(err, logpipe.ErrLeft) {
		t.Errorf("got %v, want %v", err, logpipe.ErrLeft)
	}
	if got := w.Dropped(); got != 1 {
		t.Errorf("got %d dropped, want 1", got)
	}
	p.ends <- nil
	if err := w.Close(t.Context()); err != nil {
		t.Errorf("closed again: %v", err)
	}
	for runtime.NumGoroutine() > before { // the test's deadline ends this
		runtime.Gosched()
	}
}

// Many lines of many writers stay whole.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := logpipe.New(&b, notice)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				_, _ = w.Write([]byte("line\n"))
			}
		})
	}
	all.Wait()
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != strings.Repeat("line\n", 800) {
		t.Errorf("got %d bytes", len(got))
	}
}

// Short lines that wait are written together, as many as a pipe takes whole.
func TestLinesAreWrittenTogether(t *testing.T) {
	t.Parallel()
	p := newPipe()
	w := logpipe.New(p, notice)
	say(t, w, "first\n")
	want(t, "the first", <-p.writes, "first\n")
	line := strings.Repeat("x", 99) + "\n"
	for range 50 {
		say(t, w, line)
	}
	p.ends <- nil
	want(t, "as many as a pipe takes whole", p.take(nil), strings.Repeat(line, 40))
	want(t, "the rest", p.take(nil), strings.Repeat(line, 10))
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A line takes no memory of its own: what the queue had before is used again.
func TestALineTakesNoMemory(t *testing.T) {
	w := logpipe.New(io.Discard, notice)
	line := []byte(strings.Repeat("x", 99) + "\n")
	if got := testing.AllocsPerRun(20_000, func() { _, _ = w.Write(line) }); got != 0 {
		t.Errorf("got %v allocations", got)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The first line is written at once: nothing came before it that others could join.
func TestFirstLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		w := logpipe.New(p, notice)
		began := time.Now()
		time.Sleep(time.Millisecond)
		say(t, w, "ready\n")
		want(t, "the first line", p.take(nil), "ready\n")
		if took := time.Since(began); took != time.Millisecond {
			t.Errorf("it was written after %s", took)
		}
		if err := w.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
