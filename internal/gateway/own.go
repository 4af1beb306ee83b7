package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ownPath leads the paths of pages that are understudy's own, on every port of the APIs.
// No sandbox has the empty name, so that they are in nobody's way.
const ownPath = "/@/"

// ownPages are understudy's own pages, by the rest of their path.
func (g *Gateway) ownPages() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"ca.pem":        g.serveCA,
		proxyConfigPage: g.serveProxyConfig,
	}
}

// servePage answers for one of understudy's own pages. proxied: the client asks by the name
// of a documented host, which is no address of the door.
func (g *Gateway) servePage(w http.ResponseWriter, r *http.Request, own, name string, proxied bool) {
	page := g.pages[name]
	switch {
	case page == nil:
		var all []string
		for _, known := range slices.Sorted(maps.Keys(g.pages)) {
			all = append(all, ownPath+known)
		}
		noPage("understudy's own pages are "+strings.Join(all, ", ")+"; the name of a sandbox stands behind @, as in /@NAME/.").write(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		noPage(fmt.Sprintf("%s takes GET and HEAD, and not %.40q.", ownPath+name, r.Method)).write(w, r)
	case name == proxyConfigPage && own != "":
		noPage("The proxy is the door, the port of all APIs, and not this port of one; ask there.").write(w, r)
	case name == proxyConfigPage && proxied && g.config.Advertise == "":
		noProxyConfig(r).write(w, r)
	default:
		page(w, r)
	}
}

// serveCA gives clients the certificate to trust.
func (g *Gateway) serveCA(w http.ResponseWriter, r *http.Request) {
	if g.config.CA == nil {
		noPage("There is no CA, since TLS is off; start with --tls.").write(w, r)
		return
	}
	writePage(w, "application/x-pem-file", g.config.CA)
}

func writePage(w http.ResponseWriter, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a client that has gone needs no telling
}
