package wire

import "net"

// Reset ends a connection with a RST in place of a FIN, whatever is wrapped around it: TLS
// would say goodbye before it closes.
func Reset(conn net.Conn) {
	for {
		if abrupt, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
			_ = abrupt.SetLinger(0)
			break
		}
		wrapped, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = wrapped.NetConn()
	}
	_ = conn.Close()
}
