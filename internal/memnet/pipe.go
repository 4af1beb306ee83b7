package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes wait in one direction of a connection before a write does.
const window = 64 << 10

// Pipe returns the two ends of a connection between two addresses.
func Pipe(a, b net.Addr) (atA, atB net.Conn) {
	there, back := newStream(), newStream()
	return &conn{in: back, out: there, local: a, remote: b}, &conn{in: there, out: back, local: b, remote: a}
}

// A conn is one end of a connection.
type conn struct {
	in, out       *stream
	local, remote net.Addr

	mu     sync.Mutex
	abrupt bool // Close resets
}

// Read reads what the other end wrote.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.explain("read", err)
}

// Write has p wait for the other end.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.explain("write", err)
}

// explain returns errors as those of package net are. EOF stays what it is.
func (c *conn) explain(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // the streams return it as it is
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// SetLinger is that of net.TCPConn: with 0, Close resets the connection, and what was
// written and not read is lost.
func (c *conn) SetLinger(seconds int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abrupt = seconds == 0
	return nil
}

// Close ends both directions. The other end still reads what was written.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := io.EOF
	if c.abrupt {
		end = syscall.ECONNRESET
	}
	c.out.finish(end)
	c.in.abandon()
	return nil
}

// LocalAddr returns the address of this end.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other end.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *conn) SetDeadline(t time.Time) error {
	c.in.readBy(t)
	c.out.writeBy(t)
	return nil
}

// SetReadDeadline has reads fail from t on; zero: never.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.readBy(t)
	return nil
}

// SetWriteDeadline has writes that wait fail from t on; zero: never.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.writeBy(t)
	return nil
}

// A stream is one direction of a connection.
type stream struct {
	mu      sync.Mutex
	changed sync.Cond // of anything below
	waiting []byte    // written, and not read
	end     error     // what the reader gets in the end; nil: the writer has not closed
	left    bool      // the reader has closed

	reading, writing deadline
}

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.left:
			return 0, net.ErrClosed
		case s.reading.passed:
			return 0, os.ErrDeadlineExceeded
		case len(s.waiting) > 0 || len(p) == 0:
			n := copy(p, s.waiting)
			if s.waiting = s.waiting[n:]; len(s.waiting) == 0 {
				s.waiting = nil
			}
			s.changed.Broadcast()
			return n, nil
		case s.end != nil:
			return 0, s.end
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (written int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.end != nil:
			return written, net.ErrClosed
		case s.left:
			return written, syscall.EPIPE
		case s.writing.passed:
			return written, os.ErrDeadlineExceeded
		case len(p) == 0:
			return written, nil
		}
		if n := min(len(p), window-len(s.waiting)); n > 0 {
			s.waiting, p, written = append(s.waiting, p[:n]...), p[n:], written+n
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

// finish closes the writer's side. After a reset nothing is left to read.
func (s *stream) finish(end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return
	}
	if s.end = end; end != io.EOF { //nolint:errorlint // it is as Close gives it
		s.waiting = nil
	}
	s.writing.stop()
	s.changed.Broadcast()
}

// abandon closes the reader's side.
func (s *stream) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.waiting = true, nil
	s.reading.stop()
	s.changed.Broadcast()
}

func (s *stream) readBy(t time.Time)  { s.by(&s.reading, t) }
func (s *stream) writeBy(t time.Time) { s.by(&s.writing, t) }

func (s *stream) by(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.stop()
	d.passed = false
	if !t.IsZero() {
		d.wait(s, t)
	}
	s.changed.Broadcast()
}

// A deadline is when one side of a stream stops waiting.
type deadline struct {
	passed bool
	timer  *time.Timer // nil: none runs
	round  int         // of how many, so that a timer that was stopped too late changes nothing
}

// now is the machine's own time, by which connections have deadlines.
var now = time.Now //nolint:forbidigo // no sandbox's clock moves a connection

func (d *deadline) stop() {
	d.round++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) wait(s *stream, t time.Time) {
	left := t.Sub(now())
	if left <= 0 {
		d.passed = true
		return
	}
	round := d.round
	d.timer = time.AfterFunc(left, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.round == round {
			d.passed, d.timer = true, nil
			s.changed.Broadcast()
		}
	})
}
