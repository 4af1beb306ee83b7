package server

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// tunnels are the connections that clients turned into tunnels by CONNECT, as a listener:
// they are accepted once their first byte has come, which tells TLS from plain HTTP. They
// count as what they were before, connections of the door.
type tunnels struct {
	secure      *tls.Config // nil: TLS is off
	connections *connections
	log         *slog.Logger
	ready       chan net.Conn

	opening sync.WaitGroup
	mu      sync.Mutex
	silent  map[net.Conn]bool // that have brought nothing yet; nil once all is closed
	closed  chan struct{}
}

// newTunnels returns tunnels in which TLS is served as door serves it; nil: not at all.
func newTunnels(door *tls.Config, connections *connections, log *slog.Logger) *tunnels {
	t := &tunnels{
		connections: connections, log: log,
		ready: make(chan net.Conn), silent: map[net.Conn]bool{}, closed: make(chan struct{}),
	}
	if door != nil {
		served := door.Clone()
		served.NextProtos = bareProtocols()
		served.GetConfigForClient = nil
		served.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return door.GetCertificate(named(hello))
		}
		t.secure = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			return t.configFor(hello, door, served)
		}}
	}
	return t
}

// named is a client's hello with the name of the tunnel's host where the client names none.
func named(hello *tls.ClientHelloInfo) *tls.ClientHelloInfo {
	if hello.ServerName != "" {
		return hello
	}
	with := *hello
	with.ServerName = tunnelOf(hello.Conn).Host
	return &with
}

// open serves a connection as a tunnel. It returns when the first byte has come, and at
// the latest when a connection may be silent no longer.
func (t *tunnels) open(under net.Conn, to *gateway.Tunnel) {
	c := &conn{Conn: under, connections: t.connections, first: to.First, tunnel: to}
	if !t.enter(c) {
		_ = c.Close()
		return
	}
	defer t.opening.Done()
	begun := c.await()
	t.leave(c)
	switch {
	case !begun:
		_ = c.Close()
	case c.first[0] != handshakeRecord:
		t.offer(c)
	case t.secure != nil:
		c.heard = false // the first request comes after the handshake, and may come late
		t.offer(tls.Server(c, t.secure))
	default:
		c.malformed("TLS is spoken in a tunnel to port 80, and TLS is off; start with --tls")
		_ = c.Close()
	}
}

// await waits for the first byte, if none has come, and reports whether there is one.
func (c *conn) await() bool {
	c.greeted = true
	if len(c.first) > 0 {
		c.heard = true
		return true
	}
	var one [1]byte
	n, _ := c.hear(one[:])
	c.first = one[:n]
	return n > 0
}

// enter counts a connection that is silent, unless all is closed.
func (t *tunnels) enter(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.silent == nil {
		return false
	}
	t.opening.Add(1)
	t.silent[c] = true
	return true
}

func (t *tunnels) leave(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.silent, c)
}

// offer hands a connection to who accepts it.
func (t *tunnels) offer(c net.Conn) {
	select {
	case t.ready <- c:
	case <-t.closed:
		_ = c.Close()
	}
}

// configFor returns how the TLS of a tunnel is served: with the fault that is on for its
// host. The name that the client asks by has to be one of the API to which the tunnel leads;
// for another one there is no certificate, of which TLS tells the client by the alert
// unrecognized_name.
func (t *tunnels) configFor(hello *tls.ClientHelloInfo, door, served *tls.Config) (*tls.Config, error) {
	to := tunnelOf(hello.Conn)
	if hello.ServerName != "" && !to.Names(hello.ServerName) {
		t.log.Info("TLS in a tunnel asks by a name of another host than the tunnel leads to; the client has to open a tunnel for each host",
			"tunnel", to.Host, "api", to.API.Name, "name", document.Quote(hello.ServerName))
		return &tls.Config{SessionTicketsDisabled: true}, nil
	}
	flawed, err := door.GetConfigForClient(named(hello))
	if flawed == nil || err != nil {
		return served, err
	}
	flawed = flawed.Clone()
	flawed.NextProtos = bareProtocols()
	return flawed, nil
}

// bareProtocols are those of a tunnel: faults need the bare connection, which HTTP/2 shares.
func bareProtocols() []string { return []string{"http/1.1"} }

// tunnelOf is the tunnel that a connection is; nil where it is none.
func tunnelOf(c net.Conn) *gateway.Tunnel {
	if c := connOf(c); c != nil {
		return c.tunnel
	}
	return nil
}

// Accept returns the next tunnel of which something has come.
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-t.ready:
		return c, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the tunnels of which nothing has come, and takes no more.
func (t *tunnels) Close() error {
	t.mu.Lock()
	silent := t.silent
	t.silent = nil
	t.mu.Unlock()
	if silent == nil {
		return nil // it is closed already
	}
	close(t.closed)
	var errs []error
	for c := range silent {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Addr is no address: tunnels come by the door.
func (t *tunnels) Addr() net.Addr { return &net.TCPAddr{} }
