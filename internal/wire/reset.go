package wire

import "net"

// Reset ends a connection with a RST in place of a FIN, whatever is wrapped around it: TLS
// would say goodbye before it closes.
func Reset(conn net.Conn) {
	innermost := conn
	for {
		wrapped, ok := innermost.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		innermost = wrapped.NetConn()
	}
	if abrupt, ok := innermost.(interface{ SetLinger(seconds int) error }); ok {
		_ = abrupt.SetLinger(0)
	}
	_ = innermost.Close()
	_ = conn.Close() // what is wrapped around it ends too, and has nobody left to write to
}
