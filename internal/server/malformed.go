package server

import (
	"bytes"
	"context"
	"crypto/tls"
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
	secured     *tls.Conn       // TLS over it; nil: it is plain
	greeted     bool            // a first read has been tried
	shaken      bool            // the handshake is over
	http2       bool            // which the handshake chose: there are several requests at once
	heard       bool            // a read has been tried for the first request
	begun       bool            // bytes of a request have come
	handled     bool            // a handler has seen the request
	counted     bool            // the request is counted as malformed
}

// connOf finds the conn below a connection of net/http's; nil: there is none.
func connOf(c net.Conn) *conn {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	found, _ := c.(*conn)
	return found
}

// NetConn returns the connection below, as tls.Conn has it.
func (c *conn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends what is sent, as net.TCPConn has it, where the connection below can.
func (c *conn) CloseWrite() error {
	for below := c.Conn; ; {
		if half, ok := below.(interface{ CloseWrite() error }); ok {
			return half.CloseWrite()
		}
		wrapped, ok := below.(interface{ NetConn() net.Conn })
		if !ok {
			return errors.ErrUnsupported
		}
		below = wrapped.NetConn()
	}
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
// begin with the time for a head, which is right for a handshake.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	switch first := !c.greeted; {
	case first:
		c.greeted = true
		return c.greet(p)
	case c.heard || c.secured != nil && !c.shaken:
		return c.Conn.Read(p)
	}
	return c.hear(p)
}

// hear reads the beginning of the first request.
func (c *conn) hear(p []byte) (int, error) {
	c.heard = true
	_ = c.SetReadDeadline(now().Add(c.connections.idle))
	n, err := c.Conn.Read(p)
	_ = c.SetReadDeadline(now().Add(c.connections.head))
	return n, err
}

// greet reads the first bytes, which tell whether a client speaks TLS.
func (c *conn) greet(p []byte) (n int, err error) {
	if c.secured != nil {
		if n, err = c.Conn.Read(p); n > 0 && isLetter(p[0]) {
			return 0, c.refuseHTTP(p[:n])
		}
		return n, err
	}
	if n, err = c.hear(p); n > 0 && p[0] == handshakeRecord {
		return 0, c.refuseTLS()
	}
	return n, err
}

// SetReadDeadline also learns when the handshake is over: net/http lifts its deadline
// then, and no earlier. A head that began together with the end of the handshake has the
// time of a silent connection for its rest.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c.secured != nil && !c.shaken && t.IsZero() {
		c.shaken = true
		c.http2 = c.secured.ConnectionState().NegotiatedProtocol == "h2"
		c.heard = c.http2 // which has deadlines of its own
	}
	return c.Conn.SetReadDeadline(t)
}

// now is the machine's own time, by which connections have deadlines.
var now = time.Now //nolint:forbidigo // no sandbox's clock moves a connection

// Write sends p. Where no handler has seen the request it is net/http's own answer, as far
// as that can be read.
func (c *conn) Write(p []byte) (int, error) {
	if !c.handled && c.secured == nil {
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
	if c.http2 {
		return
	}
	switch state {
	case http.StateActive:
		c.begun, c.heard = true, true
	case http.StateIdle:
		c.begun, c.handled, c.counted = false, false, false
	case http.StateClosed:
		if c.begun && !c.handled && !c.connections.closing.Load() {
			c.malformed(c.brokeOff())
		}
	}
}

// brokeOff is why a connection ended before a handler saw its request.
func (c *conn) brokeOff() string {
	if c.secured != nil {
		return "the request's head is no HTTP/1.1, or the connection broke, or the time was over, before it was complete"
	}
	return "the connection broke, or the time was over, before the request's head was complete"
}

// connKey finds the connection in a request's context.
type connKey struct{}

// withConn is an http.Server's ConnContext.
func withConn(ctx context.Context, of net.Conn) context.Context {
	c := connOf(of)
	if c == nil {
		return ctx
	}
	c.secured, _ = of.(*tls.Conn)
	if c.tunnel != nil {
		ctx = gateway.WithTunnel(ctx, c.tunnel)
	}
	return context.WithValue(ctx, connKey{}, c)
}

// handled returns a handler that notes on the connection that h has its request.
func handled(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok && !c.http2 {
			c.handled = true
		}
		h.ServeHTTP(w, r)
	})
}
