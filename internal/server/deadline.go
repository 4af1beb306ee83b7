package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// A lateConn passes the deadline of reads on only where a read would outlast it. net/http
// and the gateway move it eight times a request, which the poller would be told each time;
// nearly all reads find their bytes there. So the connection below has a deadline that is
// never later than the one that counts, and may be earlier: a read that meets it goes on.
// One goroutine reads at a time.
type lateConn struct {
	net.Conn
	mu      sync.Mutex
	counts  time.Time // the deadline that counts; zero: none
	set     time.Time // the one that the connection below has
	reading bool
}

// NetConn returns the connection below, as tls.Conn has it.
func (c *lateConn) NetConn() net.Conn { return c.Conn }

// SetReadDeadline has reads fail from t on, the one that is under way too; zero: never.
func (c *lateConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = t
	if !c.reading {
		return nil
	}
	return c.hasten()
}

// SetDeadline is SetReadDeadline, and the same for writing.
func (c *lateConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetWriteDeadline(t), c.SetReadDeadline(t))
}

// hasten sets the deadline that counts if the one that is set comes later. The lock is
// held.
func (c *lateConn) hasten() error {
	if c.counts.IsZero() || !c.set.IsZero() && !c.set.After(c.counts) {
		return nil
	}
	return c.apply()
}

// apply sets the deadline that counts. The lock is held.
func (c *lateConn) apply() error {
	c.set = c.counts
	return c.Conn.SetReadDeadline(c.counts)
}

// Read reads until the deadline that counts.
func (c *lateConn) Read(p []byte) (int, error) {
	err := c.begin()
	defer c.end()
	for err == nil {
		var n int
		n, err = c.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		err = c.prolong(err)
	}
	return 0, err
}

func (c *lateConn) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = true
	return c.hasten()
}

func (c *lateConn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
}

// prolong returns the error of a read that met the deadline that is set, if that is the one
// that counts.
func (c *lateConn) prolong(met error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set.Equal(c.counts) {
		return met
	}
	return c.apply()
}
