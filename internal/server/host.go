package server

import (
	"net"
	"net/url"
)

// hostOf is the host name in a base address. Nobody can go to an address that
// means "all of them", so that becomes the loopback address.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return "127.0.0.1"
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return u.Hostname()
}
