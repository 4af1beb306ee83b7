package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// A listen opens a port: net.Listen, but in tests.
type listen func(network, address string) (net.Listener, error)

// Localhost as an address to listen on means both loopback addresses, 127.0.0.1 and
// ::1, since clients differ in which they take first for the name localhost.
const Localhost = "localhost"

// freePorts is how often a free port is looked for that is free on both loopback
// addresses.
const freePorts = 20

// open opens a port for one purpose, which the flag chooses. A port on both loopback
// addresses has the same number on both. What is missing of them is ::1: on a machine
// without IPv6, or where another process has it, which is logged.
func (open listen) open(host string, port int, what, flag string, log *slog.Logger) ([]net.Listener, error) {
	switch {
	case host == Localhost:
		return open.loopbacks(port, what, flag, log)
	case host != "" && net.ParseIP(host).Equal(net.IPv6unspecified):
		l, err := open("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if noIPv6(err) {
			l, err = open("tcp", net.JoinHostPort("0.0.0.0", strconv.Itoa(port)))
		}
		return one(l, portError(err, port, what, flag))
	}
	l, err := open("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	return one(l, portError(err, port, what, flag))
}

func one(l net.Listener, err error) ([]net.Listener, error) {
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

func (open listen) loopbacks(port int, what, flag string, log *slog.Logger) ([]net.Listener, error) {
	for tries := freePorts; ; tries-- {
		four, err := open("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, portError(err, port, what, flag)
		}
		six, err := open("tcp6", net.JoinHostPort("::1", strconv.Itoa(portOf(four))))
		switch {
		case err == nil:
			return []net.Listener{four, six}, nil
		case noIPv6(err):
			return []net.Listener{four}, nil
		case port == 0 && tries > 1:
			_ = four.Close() // another free port may be free on both
			continue
		}
		log.Warn("a port is not open on ::1; clients that take ::1 for localhost do not reach it", "port", portOf(four), "for", what, "why", err.Error())
		return []net.Listener{four}, nil
	}
}

// noIPv6 reports whether a machine has no IPv6, or has it switched off.
func noIPv6(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

func portError(err error, port int, what, flag string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d for %s is taken; end what listens there, or choose another with %s: %w", port, what, flag, err)
	case err != nil:
		return fmt.Errorf("port %d for %s: %w", port, what, err)
	}
	return nil
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// ownPorts are the ports that this process listens on.
type ownPorts struct{ ports sync.Map }

func (o *ownPorts) add(port int) { o.ports.Store(port, true) }

func (o *ownPorts) has(port int) bool {
	_, has := o.ports.Load(port)
	return has
}
