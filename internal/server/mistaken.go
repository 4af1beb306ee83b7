package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// handshakeRecord is the first byte of what a client sends that speaks TLS. No request
// begins with it.
const handshakeRecord = 0x16

// isLetter reports whether a byte can begin the method of a request. No record of TLS
// begins with one.
func isLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' }

// whereTLS says where TLS is spoken.
func (c *connections) whereTLS() string {
	if c.what == "control" {
		return "the control API is not served over TLS"
	}
	if port := c.https.Load(); port != 0 {
		return "for https:// there is port " + strconv.FormatInt(port, 10)
	}
	return "for https:// start the server with --tls"
}

// refuseTLS answers a client that speaks TLS to a plain port.
func (c *conn) refuseTLS() error {
	where := c.connections.whereTLS()
	return c.mistaken("it is TLS, and this port speaks plain HTTP; "+where, "This port speaks plain HTTP: use http:// here; "+where+".")
}

// refuseHTTP answers a client that speaks plain HTTP to a port that speaks TLS. head is
// what it sent so far.
func (c *conn) refuseHTTP(head []byte) error {
	host := c.LocalAddr().String()
	if r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head))); err == nil && r.Host != "" {
		host = r.Host
	}
	return c.mistaken("it is plain HTTP, and this port speaks TLS",
		"This port speaks TLS: use https://"+host+" and have the client trust the CA, which the plain door has at /@/ca.pem.")
}

// How long a client that is answered may still send, and how much: what it has sent and
// nobody has read would have the system reset the connection before the client reads.
const (
	goodbyeTime  = 500 * time.Millisecond
	goodbyeBytes = 64 << 10
)

// mistaken answers what is of another protocol, in plain text, and ends the connection.
func (c *conn) mistaken(why, text string) error {
	c.malformed("400 Bad Request: " + why)
	_ = c.SetDeadline(now().Add(goodbyeTime))
	text += "\n"
	_, err := fmt.Fprintf(c.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
	if err == nil && c.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, goodbyeBytes)
	}
	return io.EOF // as of a client that has gone: net/http answers nothing more
}
