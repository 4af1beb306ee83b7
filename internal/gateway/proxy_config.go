package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/understudy-suite/understudy/internal/hostfile"
	"github.com/understudy-suite/understudy/internal/wire"
)

// proxyConfigPath is where the door has the configuration for browsers. No sandbox has the
// empty name.
const (
	proxyConfigPage = "proxy.pac"
	proxyConfigPath = ownPath + proxyConfigPage
)

// serveProxyConfig has browsers take the door for the proxy of the documented hosts: the
// door's address is the one by which they asked.
func (g *Gateway) serveProxyConfig(w http.ResponseWriter, r *http.Request) {
	base := g.config.Advertise
	if base == "" {
		base = wire.Base(r)
	}
	door, ok := proxyAt(base)
	if !ok {
		noProxyConfig(r).write(w, r)
		return
	}
	writePage(w, "application/x-ns-proxy-autoconfig", []byte(hostfile.ProxyConfig(g.config.APIs, door)))
}

// proxyAt names the proxy at a base address as browsers do, who may ask it by TLS as well.
func proxyAt(base string) (proxy string, ok bool) {
	u, err := url.Parse(base)
	if err != nil {
		return "", false
	}
	kind, port := "PROXY", httpPort
	if u.Scheme == "https" {
		kind, port = "HTTPS", httpsPort
	}
	if u.Port() != "" {
		port = u.Port()
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err != nil && !hostForm().MatchString(strings.ToLower(host)) {
		return "", false
	}
	return kind + " " + net.JoinHostPort(host, port), true
}
