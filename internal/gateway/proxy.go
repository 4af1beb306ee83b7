package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// The door is a forward proxy that passes nothing through: the emulators answer for the
// documented hosts, and all other hosts are refused. Nothing here connects to anything,
// nor asks where a name leads.

// The headers that clients have for a proxy alone. They never reach an API.
const (
	proxyAuthorization = "Proxy-Authorization"
	proxyConnection    = "Proxy-Connection"
)

// The ports of http and https.
const (
	httpPort  = "80"
	httpsPort = "443"
)

// portOf has the port of each scheme that a target may have.
var portOf = map[string]string{"http": httpPort, "https": httpsPort}

// A Tunnel is what a client asked for with CONNECT: a connection to a documented host.
type Tunnel struct {
	API     *contract.API
	Host    string // in lower case, without the port
	Sandbox string // that the proxy's user names; "": there is none
	First   []byte // what the client sent already
}

type tunnelKey struct{}

// WithTunnel returns a context for the connection that a tunnel is.
func WithTunnel(ctx context.Context, to *Tunnel) context.Context {
	return context.WithValue(ctx, tunnelKey{}, to)
}

// Tunnelled returns the handler of requests that come within tunnels: their context has
// the tunnel.
func (g *Gateway) Tunnelled() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer g.recover(w, r)
		takeProxyHeaders(r.Header)
		to := r.Context().Value(tunnelKey{}).(*Tunnel)
		if r.Method == http.MethodConnect {
			noTunnelWithin(r, to).refuseTunnel(w, r)
			return
		}
		if refusal := to.refuses(r); refusal != nil {
			refusal.write(w, r)
			return
		}
		r = originForm(r)
		at := g.names.locate(to.API.Name, r.Host, r.URL.EscapedPath(), r.Header.Get(SandboxHeader)).byProxy(to.Sandbox)
		at.proxied = true
		g.route(w, r, "", at)
	})
}

// refuses says why a request within the tunnel is not for the tunnel's API; nil: it is.
func (t *Tunnel) refuses(r *http.Request) *problem {
	spoken := "http"
	if r.TLS != nil {
		spoken = "https"
	}
	switch {
	case !t.Names(hostname(r.Host)):
		return otherHost(r, t)
	case r.URL.Scheme != "" && r.URL.Scheme != spoken:
		return otherScheme(r, t, spoken)
	}
	return nil
}

// Names reports whether a host name is one of the API to which the tunnel leads.
func (t *Tunnel) Names(host string) bool {
	host = plainHost(host)
	return hostForm().MatchString(host) && t.API.HasHost(host)
}

// takeProxyHeaders takes the headers for a proxy off a request, and returns the one that
// says who asks.
func takeProxyHeaders(h http.Header) string {
	authorization := h.Get(proxyAuthorization)
	delete(h, proxyAuthorization)
	delete(h, proxyConnection)
	return authorization
}

// proxyUser is the sandbox that a header Proxy-Authorization names by its user; "" where
// it names none. The password counts nothing.
func proxyUser(authorization string) (string, error) {
	if authorization == "" {
		return "", nil
	}
	scheme, coded, _ := strings.Cut(authorization, " ")
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(coded))
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return "", errors.New("the header Proxy-Authorization is not of the scheme Basic, which was expected with the name of a sandbox as the user name; leave the header out where no sandbox is meant")
	}
	user, _, _ := strings.Cut(string(decoded), ":")
	if plain, err := url.PathUnescape(user); err == nil { // some clients leave it as it stood in the address
		user = plain
	}
	if user == "" {
		return "", nil
	}
	if err := sandbox.CheckName(user); err != nil {
		return "", fmt.Errorf("the user name of the proxy is the name of a sandbox: %w", err)
	}
	return user, nil
}

// byProxy is the address with the sandbox that the proxy's user names, unless the request
// names one itself.
func (a address) byProxy(user string) address {
	if a.foundBy == "" && user != "" {
		a.sandbox, a.foundBy = user, "proxy"
	}
	return a
}

// originForm is r as a server gets it that no proxy stands before: with a path for its
// target. The target's scheme tells how the server was asked.
func originForm(r *http.Request) *http.Request {
	if r.URL.Scheme == "" {
		return r
	}
	_, rest, _ := strings.Cut(r.RequestURI, "://")
	target := "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		target = "/" + strings.TrimPrefix(rest[i:], "/")
	}
	u := *r.URL
	u.Scheme, u.Host, u.User = "", "", nil
	if u.Path == "" {
		u.Path = "/"
	}
	secure := r.URL.Scheme == "https"
	r = r.WithContext(r.Context())
	r.URL, r.RequestURI = &u, target
	switch {
	case !secure:
		r.TLS = nil // it is the proxy that was asked by TLS
	case r.TLS == nil:
		r.TLS = &tls.ConnectionState{} // and here the server
	}
	return r
}

// hostForm is what host names look like, in lower case.
var hostForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
})

// longestHost is how many bytes a host name has at most.
const longestHost = 253

// A target is a documented host as a client asks a proxy for it.
type target struct {
	api  *contract.API
	host string // in lower case
	port string
}

// documented finds the target that an authority names, at one of the ports; one that names
// no port has the port otherwise. In other cases it says what is wrong with it.
func (g *Gateway) documented(authority, otherwise string, ports ...string) (target, error) {
	if strings.Contains(authority, "@") {
		return target{}, errors.New("a user name stands before the host, where none belongs")
	}
	host, port, named := strings.Cut(authority, ":")
	host = plainHost(host)
	if !named {
		port = otherwise
	}
	switch _, bad := netip.ParseAddr(host); {
	case bad == nil || strings.HasPrefix(host, "["):
		return target{}, errors.New("that is an address, and documented hosts have names")
	case len(host) > longestHost || !hostForm().MatchString(host):
		return target{}, errors.New("that is no host name")
	}
	name := g.names.ofHost(host)
	at := slices.IndexFunc(g.config.APIs, func(a *contract.API) bool { return a.Name == name })
	switch {
	case at < 0:
		return target{}, errors.New("that is no documented host of an API")
	case !slices.Contains(ports, port):
		return target{}, fmt.Errorf("the port of a documented host is %s", strings.Join(ports, " or "))
	}
	return target{g.config.APIs[at], host, port}, nil
}

// asProxy finds out where a request in absolute form belongs, as a proxy's clients send it.
// The target's host decides. Some clients ask for https without a tunnel; they are answered
// as if they had asked in one.
func (g *Gateway) asProxy(r *http.Request, authorization string) (*http.Request, address, *problem) {
	port, known := portOf[r.URL.Scheme]
	if !known {
		return r, address{}, g.proxyRefused(r, errors.New("the scheme of a target is http or https"))
	}
	own := port == httpPort && g.isOwn(r)
	if !own {
		if _, err := g.documented(authorityOf(r), port, port); err != nil {
			return r, address{}, g.proxyRefused(r, err)
		}
	}
	user, err := proxyUser(authorization)
	if err != nil {
		return r, address{}, badProxyUser(err)
	}
	r = originForm(r)
	at := g.names.locate("", r.Host, r.URL.EscapedPath(), r.Header.Get(SandboxHeader)).byProxy(user)
	at.proxied = !own
	return r, at, nil
}

// authorityOf is what stands in an absolute target before the path.
func authorityOf(r *http.Request) string {
	if r.URL.User != nil {
		return "@" + r.URL.Host
	}
	return r.URL.Host
}

// isOwn reports whether a target names the door itself, as when a client asks its proxy for
// that too: by localhost or a name below it, by the address of the connection, or as the
// door is advertised.
func (g *Gateway) isOwn(r *http.Request) bool {
	if r.URL.User != nil {
		return false
	}
	host, port := plainHost(r.URL.Hostname()), r.URL.Port()
	if labels, ok := strings.CutSuffix(host, ".localhost"); ok {
		return g.names.apis[labels[strings.LastIndexByte(labels, '.')+1:]]
	}
	if door, err := url.Parse(g.config.Advertise); err == nil && door.Host != "" && strings.EqualFold(door.Host, r.URL.Host) {
		return true
	}
	at, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "localhost":
	case err != nil:
		return false
	case !ip.IsLoopback() && (at == nil || at.AddrPort().Addr().Unmap() != ip.Unmap()):
		return false
	}
	return port == "" || port == httpPort || at != nil && port == fmt.Sprint(at.Port)
}

// connect opens a tunnel, or says why there is none. own is the API whose own port this is,
// or "" for the door.
func (g *Gateway) connect(w http.ResponseWriter, r *http.Request, own, authorization string) {
	to, refusal := g.tunnelFor(r, own, authorization)
	if refusal == nil {
		refusal = g.open(w, r, to)
	}
	if refusal != nil {
		refusal.refuseTunnel(w, r)
	}
}

func (g *Gateway) tunnelFor(r *http.Request, own, authorization string) (*Tunnel, *problem) {
	if own != "" {
		return nil, noTunnelHere(r, "this is the port of one API alone; the proxy is the door, the port of all of them")
	}
	if r.ProtoMajor == 1 && r.ContentLength != 0 {
		return nil, noTunnelHere(r, "it announces a body, which CONNECT has none of")
	}
	// Host and URL are no use: where a path stands in the authority's place, net/http takes
	// the host from the header Host.
	asked, err := g.documented(r.RequestURI, "", httpsPort, httpPort)
	if err != nil {
		return nil, g.proxyRefused(r, err)
	}
	if asked.port == httpsPort && !g.config.Secure {
		return nil, noTLS(r)
	}
	user, err := proxyUser(authorization)
	if err != nil {
		return nil, badProxyUser(err)
	}
	return &Tunnel{API: asked.api, Host: asked.host, Sandbox: user}, nil
}

// open takes the connection away from the HTTP server and hands it on as a tunnel.
func (g *Gateway) open(w http.ResponseWriter, r *http.Request, to *Tunnel) *problem {
	if g.config.Tunnel == nil {
		return noTunnelHere(r, "nobody serves tunnels here")
	}
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return noTunnelHere(r, "the connection is none of HTTP/1.1, by which alone tunnels are opened")
	}
	begun, _ := both.Reader.Peek(both.Reader.Buffered())
	to.First = bytes.Clone(begun)
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close()
		return nil
	}
	g.config.Tunnel(conn, to)
	return nil
}

// refuseTunnel answers a CONNECT and ends its connection: the client may have sent already
// what belongs in the tunnel. Clients show their users the first line alone, so that it has
// a reason, which net/http does not write.
func (p *problem) refuseTunnel(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.Header().Set("Connection", "close")
		p.write(w, r)
		return
	}
	defer conn.Close() //nolint:errcheck // the client has its answer
	body := p.encode()
	answer := &http.Response{
		Status: fmt.Sprint(StatusProblem, " ", p.Title), StatusCode: StatusProblem, ProtoMajor: 1, ProtoMinor: 1, Close: true,
		Header:        http.Header{"Content-Type": {"application/problem+json"}, ProblemHeader: {p.Code}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
	_ = conn.SetDeadline(now().Add(partingTime))
	if err := answer.Write(conn); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, conn) // what is not read would have the answer thrown away
	}
}

// partingTime is how long a client may take to read a refusal and to leave.
const partingTime = 500 * time.Millisecond
