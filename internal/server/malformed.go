package server

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/gateway"
)

// A conn is a connection that tells the answers net/http gives by itself from those of
// a handler. What is wrong with the head of a request, net/http answers before any
// handler runs, and tells nobody. The goroutine that serves the connection alone reads
// and writes the fields.
type conn struct {
	net.Conn
	connections *connections
	counts      atomic.Bool     // it is one of the connections that are open
	first       []byte          // what has come of it already; for tunnels
	tunnel      *gateway.Tunnel // nil: it is none
	heard       bool            // a read has been tried
	begun       bool            // bytes of a request have come
	handled     bool            // a handler has seen the request
	counted     bool            // the request is counted as malformed
}

// NetConn returns the connection below, as tls.Conn has it.
func (c *conn) NetConn() net.Conn { return c.Conn }

// SetLinger has a close be a RST, as net.TCPConn has it, where the connection below can.
func (c *conn) SetLinger(seconds int) error {
	for below := c.Conn; ; {
		switch at := below.(type) {
		case interface{ SetLinger(seconds int) error }:
			return at.SetLinger(seconds)
		case interface{ NetConn() net.Conn }:
			below = at.NetConn()
		default:
			return errors.ErrUnsupported
		}
	}
}

// CloseWrite ends what is sent, as net.TCPConn has it, where the connection below can.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close ends the connection, which makes room for another.
func (c *conn) Close() error {
	if c.counts.CompareAndSwap(true, false) {
		c.connections.open.Add(-1)
	}
	return c.Conn.Close()
}

// Read waits for the first byte of the first request as long as for that of any other:
// clients open connections that they use later or never, and one whose request meets
// the end of such a connection cannot know whether to send it again. net/http would
// begin with the time for a head.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	if c.heard {
		return c.Conn.Read(p)
	}
	c.heard = true
	_ = c.SetReadDeadline(now().Add(c.connections.idle))
	n, err := c.Conn.Read(p)
	_ = c.SetReadDeadline(now().Add(c.connections.head))
	return n, err
}

// now is the machine's own time, by which connections have deadlines.
var now = time.Now //nolint:forbidigo // no sandbox's clock moves a connection

// Write sends p. Where no handler has seen the request it is net/http's own answer.
func (c *conn) Write(p []byte) (int, error) {
	if !c.handled {
		line, _, _ := bytes.Cut(p, []byte("\r\n"))
		c.malformed(string(bytes.TrimPrefix(line, []byte("HTTP/1.1 "))))
	}
	return c.Conn.Write(p)
}

// malformed counts the request that is under way, once. why holds nothing of the request.
func (c *conn) malformed(why string) {
	if c.counted {
		return
	}
	c.counted = true
	c.connections.malformed.Add(1)
	c.connections.log.Info("a request was refused before any API saw it, because it is no HTTP/1.1 as it has to be",
		"port", c.connections.what, "why", why, "from", c.RemoteAddr().String())
}

// follow is what a change of state means for the requests of the connection.
func (c *conn) follow(state http.ConnState) {
	switch state {
	case http.StateActive:
		c.begun = true
	case http.StateIdle:
		c.begun, c.handled, c.counted = false, false, false
	case http.StateClosed:
		if c.begun && !c.handled && !c.connections.closing.Load() {
			c.malformed("the connection broke, or the time was over, before the request's head was complete")
		}
	}
}

// connKey finds the connection in a request's context.
type connKey struct{}

// withConn is an http.Server's ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if to := tunnelOf(c); to != nil {
		ctx = gateway.WithTunnel(ctx, to)
	}
	return context.WithValue(ctx, connKey{}, c)
}

// handled returns a handler that notes on the connection that h has its request.
func handled(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok {
			c.handled = true
		}
		h.ServeHTTP(w, r)
	})
}
