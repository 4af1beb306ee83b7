package memnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/understudy-suite/understudy/internal/memnet"
)

// A connection keeps what package net promises of one.
func TestPipeIsAConnection(t *testing.T) {
	t.Parallel()
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		a := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
		c1, c2 = memnet.Pipe(a, a)
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}

func listenAndDial(t *testing.T) (client, server net.Conn) {
	t.Helper()
	var n memnet.Network
	l, err := n.Listen("tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			accepted <- c
		}
	}()
	if client, err = n.DialContext(t.Context(), "tcp", "anything.test:80"); err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() { client.Close(); server.Close(); l.Close() })
	return client, server
}

// What was written before a Close is read; a reset loses it and says so.
func TestCloseAndReset(t *testing.T) {
	t.Parallel()
	for _, reset := range []bool{false, true} {
		client, server := listenAndDial(t)
		if _, err := server.Write([]byte("the end")); err != nil {
			t.Fatal(err)
		}
		if reset {
			_ = server.(interface{ SetLinger(int) error }).SetLinger(0)
		}
		server.Close()
		got, err := io.ReadAll(client)
		if !reset && (string(got) != "the end" || err != nil) {
			t.Errorf("after Close: got %q, %v", got, err)
		}
		if reset && (len(got) > 0 || !errors.Is(err, syscall.ECONNRESET)) {
			t.Errorf("after a reset: got %q, %v, want %v", got, err, syscall.ECONNRESET)
		}
		if _, err := client.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("writing to nobody: got %v, want %v", err, syscall.EPIPE)
		}
	}
}

// Ports are taken, free again and refused as those of a machine.
func TestPorts(t *testing.T) {
	t.Parallel()
	var n memnet.Network
	dial := func(ctx context.Context) error {
		c, err := n.DialContext(ctx, "tcp", "127.0.0.1:80")
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := dial(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: got %v", err)
	}
	l, err := n.Listen("tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Listen("tcp", "127.0.0.1:80"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening twice: got %v", err)
	}
	for _, address := range []string{"127.0.0.1:0", "127.0.0.1:http", "127.0.0.1"} {
		if _, err := n.Listen("tcp", address); err == nil {
			t.Errorf("listening on %s: no error", address)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dial(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody accepts, and the caller has left: got %v", err)
	}
	l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepting after Close: got %v", err)
	}
	if l, err = n.Listen("tcp", "127.0.0.1:80"); err != nil {
		t.Errorf("listening again: %v", err)
	} else {
		l.Close()
	}
}

// net/http works on it, with bodies longer than a connection holds, and connections are
// used again.
func TestHTTP(t *testing.T) {
	t.Parallel()
	var n memnet.Network
	l, err := n.Listen("tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write(body)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				opened++
			}
		},
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	transport := &http.Transport{DialContext: n.DialContext}
	client := &http.Client{Transport: transport}
	for range 3 {
		answer, err := client.Post("http://example.test/", "text/plain", io.LimitReader(endless{}, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if len(got) != 1<<20 || err != nil {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	}
	transport.CloseIdleConnections()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if opened != 1 {
		t.Errorf("got %d connections, want 1", opened)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
