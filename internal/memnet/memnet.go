// Package memnet is a network in memory: listeners and connections as package net has
// them, without sockets. What is written is buffered, as a kernel does, so that servers
// and clients behave on it as they do over TCP.
package memnet

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// A Network holds listeners by their port. The zero Network is ready for use.
type Network struct {
	mu        sync.Mutex
	listeners map[int]*listener
}

// Listen opens the port of an address, as net.Listen does. Hosts do not count.
func (n *Network) Listen(_, address string) (net.Listener, error) {
	at, err := resolve(address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[at.Port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: at, Err: syscall.EADDRINUSE}
	}
	l := &listener{network: n, at: at, dialled: make(chan net.Conn), closed: make(chan struct{})}
	if n.listeners == nil {
		n.listeners = map[int]*listener{}
	}
	n.listeners[at.Port] = l
	return l, nil
}

// DialContext connects to the port of an address, as net.Dialer does. Hosts do not count.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	at, err := resolve(address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	n.mu.Lock()
	l := n.listeners[at.Port]
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: syscall.ECONNREFUSED}
	}
	ours, theirs := Pipe(&net.TCPAddr{IP: loopback}, at)
	select {
	case l.dialled <- theirs:
		return ours, nil
	case <-l.closed:
		err = syscall.ECONNREFUSED
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: err}
}

var loopback = net.IPv4(127, 0, 0, 1)

// resolve finds the port of an address.
func resolve(address string) (*net.TCPAddr, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return nil, fmt.Errorf("the port is %q; a number from 1 to 65535 was expected", text)
	}
	return &net.TCPAddr{IP: loopback, Port: port}, nil
}

// A listener is an open port.
type listener struct {
	network *Network
	at      *net.TCPAddr
	dialled chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
	default:
		select {
		case c := <-l.dialled:
			return c, nil
		case <-l.closed:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.at, Err: net.ErrClosed}
}

// Close closes the port. Connections stay.
func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		delete(l.network.listeners, l.at.Port)
	})
	return nil
}

// Addr returns the port on a loopback address.
func (l *listener) Addr() net.Addr { return l.at }
