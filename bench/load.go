//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"
)

// A request is sent as it is, and its answer is judged.
type request struct {
	raw    []byte // head and body
	status int    // that a right answer has
	part   []byte // that a right answer holds
}

func (r *request) isRight(answer []byte) bool {
	status, err := statusOf(answer)
	return err == nil && status == r.status && bytes.Contains(answer, r.part)
}

// judge says what is wrong with an answer.
func (r *request) judge(answer []byte) error {
	if !r.isRight(answer) {
		return fmt.Errorf("got %q, expected status %d and %q", shorten(answer), r.status, r.part)
	}
	return nil
}

func shorten(b []byte) []byte { return b[:min(len(b), 600)] }

// A load is what is sent to a server, each connection waiting for its answer before it sends the next. Every connection has a
// part of the requests for itself, which it sends in turn, so that no user has two calls at once.
type load struct {
	address     string
	requests    []request
	connections int
	duration    time.Duration
	count       int // ends after so many requests; 0: by duration alone
}

// What came of a load.
type outcome struct {
	requests int
	wrong    int // answers that are not right
	example  string
	elapsed  time.Duration
	latency  latencies
}

// patience is how long an answer may take once the load is over.
const patience = 10 * time.Second

// run sends the load from one thread: an own loop over epoll costs the machine less than a goroutine for each connection, and
// whatever the generator uses is missing for the server beside it.
func (l load) run(ctx context.Context) (*outcome, error) {
	g := &generator{load: l, result: &outcome{}}
	var err error
	if g.poll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	defer g.close()
	if err := g.open(); err != nil {
		return nil, err
	}
	return g.result, g.loop(ctx)
}

type generator struct {
	load
	poll    int
	conns   []connection // by file descriptor
	waiting int          // connections that an answer is due on
	asked   int          // requests that were sent
	ends    time.Time
	result  *outcome
}

type connection struct {
	open   bool
	part   []request // that it sends
	next   int       // of them
	asked  *request
	sent   time.Time
	answer []byte // what was read of it
}

func (g *generator) close() {
	for fd := range g.conns {
		if g.conns[fd].open {
			_ = syscall.Close(fd)
		}
	}
	_ = syscall.Close(g.poll)
}

// open connects.
func (g *generator) open() error {
	to, err := net.ResolveTCPAddr("tcp4", g.address)
	if err != nil || !to.IP.IsLoopback() {
		return fmt.Errorf("%s is no address of this machine's loopback: nothing else is put under load", g.address)
	}
	for i := range g.connections {
		fd, err := dial(to)
		if err != nil {
			return fmt.Errorf("connecting to %s: %w", g.address, err)
		}
		for len(g.conns) <= fd {
			g.conns = append(g.conns, connection{})
		}
		g.conns[fd] = connection{open: true, part: g.part(i), answer: make([]byte, 0, 8<<10)}
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
		if err := syscall.EpollCtl(g.poll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
	}
	return nil
}

// part returns the requests of one connection; where there are fewer than connections, one that others send too.
func (l load) part(connection int) []request {
	n := len(l.requests)
	if n < l.connections {
		return l.requests[connection%n:][:1]
	}
	return l.requests[connection*n/l.connections : (connection+1)*n/l.connections]
}

func dial(to *net.TCPAddr) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	address := syscall.SockaddrInet4{Port: to.Port}
	copy(address.Addr[:], to.IP.To4())
	err = errors.Join(syscall.Connect(fd, &address), syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1), syscall.SetNonblock(fd, true))
	if err != nil {
		_ = syscall.Close(fd)
	}
	return fd, err
}

func (g *generator) loop(ctx context.Context) error {
	begun := time.Now()
	g.ends = begun.Add(g.duration)
	defer func() { g.result.elapsed = time.Since(begun) }()
	for fd := range g.conns {
		if g.conns[fd].open && g.more(begun) {
			if err := g.ask(fd, begun); err != nil {
				return err
			}
		}
	}
	events := make([]syscall.EpollEvent, 256)
	for g.waiting > 0 {
		n, err := syscall.EpollWait(g.poll, events, 200)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case now.After(g.ends.Add(patience)):
			return fmt.Errorf("%d requests to %s have no answer %s after the load", g.waiting, g.address, patience)
		}
		for _, e := range events[:max(n, 0)] {
			if err := g.read(int(e.Fd)); err != nil {
				return err
			}
		}
	}
	return nil
}

// more says whether another request is to be sent.
func (g *generator) more(now time.Time) bool {
	return now.Before(g.ends) && (g.count == 0 || g.asked < g.count)
}

func (g *generator) ask(fd int, now time.Time) error {
	c := &g.conns[fd]
	c.asked, c.sent, c.answer = &c.part[c.next], now, c.answer[:0]
	c.next = (c.next + 1) % len(c.part)
	g.asked++
	g.waiting++
	// The connection is idle, so that its buffer takes any request that is sent here.
	if n, err := syscall.Write(fd, c.asked.raw); err != nil || n < len(c.asked.raw) {
		return fmt.Errorf("%d of %d bytes went to %s: %w", n, len(c.asked.raw), g.address, err)
	}
	return nil
}

func (g *generator) read(fd int) error {
	c := &g.conns[fd]
	if len(c.answer) == cap(c.answer) {
		c.answer = append(c.answer, 0)[:len(c.answer)]
	}
	n, err := syscall.Read(fd, c.answer[len(c.answer):cap(c.answer)])
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return nil
	case err != nil:
		return fmt.Errorf("reading from %s: %w", g.address, err)
	case n <= 0:
		return fmt.Errorf("%s closed a connection; it had answered %q", g.address, shorten(c.answer))
	}
	c.answer = c.answer[:len(c.answer)+n]
	if whole, err := isWhole(c.answer); err != nil || !whole {
		return err
	}
	now := time.Now()
	g.waiting--
	g.result.requests++
	g.result.latency.add(now.Sub(c.sent))
	if !c.asked.isRight(c.answer) {
		g.result.wrong++
		g.result.example = string(shorten(c.answer))
	}
	if g.more(now) {
		return g.ask(fd, now)
	}
	return nil
}

// statusOf reads the status of an answer's first line.
func statusOf(answer []byte) (int, error) {
	if len(answer) < len("HTTP/1.1 200") || !bytes.HasPrefix(answer, []byte("HTTP/1.")) {
		return 0, fmt.Errorf("got %q, expected a line such as HTTP/1.1 200 OK", shorten(answer))
	}
	return strconv.Atoi(string(answer[9:12]))
}

var (
	headEnd  = []byte("\r\n\r\n")
	length   = []byte("\r\ncontent-length:")
	chunked  = []byte("\r\ntransfer-encoding: chunked")
	chunkEnd = []byte("0\r\n\r\n")
)

// isWhole reports whether an answer has arrived to its end.
func isWhole(answer []byte) (bool, error) {
	end := bytes.Index(answer, headEnd)
	if end < 0 {
		return false, nil
	}
	head, body := answer[:end+2], answer[end+4:]
	if at := indexFold(head, length); at >= 0 {
		value, _, _ := bytes.Cut(head[at+len(length):], []byte("\r\n"))
		want, err := strconv.Atoi(string(bytes.TrimSpace(value)))
		if err != nil {
			return false, fmt.Errorf("got %q, expected a length: %w", shorten(answer), err)
		}
		return len(body) >= want, nil
	}
	if indexFold(head, chunked) >= 0 {
		return bytes.HasSuffix(body, chunkEnd), nil
	}
	if status, err := statusOf(answer); err != nil || status != 204 && status != 304 {
		return false, fmt.Errorf("got %q, expected an answer that says how long it is", shorten(answer))
	}
	return true, nil
}

// indexFold finds lower-case text whatever the case of its letters in b.
func indexFold(b, text []byte) int {
	for from := 0; ; {
		at := bytes.IndexByte(b[from:], '\r')
		if at < 0 || len(b) < from+at+len(text) {
			return -1
		}
		if from += at; bytes.EqualFold(b[from:from+len(text)], text) {
			return from
		}
		from++
	}
}

// latencies counts how long answers took, by the microsecond up to a tenth of a second.
type latencies struct {
	counts [100_000]int32
	longer []time.Duration
	total  int
}

func (l *latencies) add(d time.Duration) {
	l.total++
	if us := d.Microseconds(); us < int64(len(l.counts)) {
		l.counts[us]++
		return
	}
	l.longer = append(l.longer, d)
}

// quantile returns the time within which a share of the answers came, in milliseconds.
func (l *latencies) quantile(share float64) float64 {
	rank := int(share*float64(l.total-1)) + 1
	for us, n := range l.counts {
		if rank -= int(n); rank <= 0 {
			return float64(us) / 1000
		}
	}
	longest := 0.0
	for _, d := range l.longer { // few, and told without ranks: the longest
		longest = max(longest, d.Seconds()*1000)
	}
	return longest
}
