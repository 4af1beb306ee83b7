package server

import (
	"cmp"
	"log/slog"
	"math/bits"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// connections bounds the connections that are open at once, over several listeners.
type connections struct {
	most    int64
	what    string        // whose they are
	flag    string        // that sets most; "": none does
	idle    time.Duration // that a connection may be silent before a request, the first one too
	head    time.Duration // that the head of a request may take from its first byte
	log     *slog.Logger
	open    atomic.Int64
	refused atomic.Int64

	malformed atomic.Int64 // requests that net/http answered by itself, or whose head did not come
	closing   atomic.Bool  // the server ends them

	https atomic.Int64 // port of the TLS door; 0: it is not open
}

// connections returns a limit of so many connections. flag is "" where none changes it.
func (c *Config) connections(most int64, what, flag string) *connections {
	return &connections{
		most: most, what: what, flag: flag, log: c.Log,
		head: cmp.Or(c.HeadTimeout, headTime), idle: cmp.Or(c.IdleTimeout, idleTime),
	}
}

// limit returns l without the connections above the limit: they are closed as soon
// as they are accepted.
func (c *connections) limit(l net.Listener) net.Listener { return limitedListener{l, c} }

type limitedListener struct {
	net.Listener
	connections *connections
}

// Accept returns the next connection within the limit.
func (l limitedListener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.connections.enter() {
			c := &conn{Conn: &lateConn{Conn: accepted}, connections: l.connections}
			c.counts.Store(true)
			return c, nil
		}
		_ = accepted.Close() // the client sees that it is refused, whether or not this fails
	}
}

func (c *connections) enter() bool {
	if c.open.Add(1) <= c.most {
		return true
	}
	c.open.Add(-1)
	// The log has the first refusal, the second, the fourth and so on, since a flood
	// must not fill it.
	if n := c.refused.Add(1); bits.OnesCount64(uint64(n)) == 1 {
		args := []any{"port", c.what, "open", c.most, "refused", n}
		if c.flag != "" {
			args = append(args, "flag", c.flag)
		}
		c.log.Warn("a connection was refused, because too many are open", args...)
	}
	return false
}

// follow is an http.Server's ConnState.
func (c *connections) follow(of net.Conn, state http.ConnState) {
	if c := connOf(of); c != nil {
		c.follow(state)
	}
}
