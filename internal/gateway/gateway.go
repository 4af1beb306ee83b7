// Package gateway serves the APIs over HTTP: it finds out where a request
// belongs, hands it to the engine, and sends the engine's answer as the scenario
// has the network carry it.
package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// The headers by which clients and understudy exchange what is not the API's.
const (
	SandboxHeader   = "Understudy-Sandbox"
	OutcomeHeader   = engine.OutcomeHeader
	ScenarioHeader  = engine.ScenarioHeader
	DecidedByHeader = "Understudy-Decided-By"
	CallHeader      = "Understudy-Call"
	ProblemHeader   = "Understudy-Problem"
)

// Config says how the APIs are served.
type Config struct {
	APIs     []*contract.API
	Registry *sandbox.Registry
	Find     func(name string) (*scenario.Scenario, error) // scenarios that requests name; nil: none is known
	Body     int64                                         // longest request body in bytes; the API answers for longer ones
	Memory   int64                                         // bytes that all request bodies hold at once, at least Body; 0: no limit
	MaxStall time.Duration                                 // longest delay or stall
	Plain    bool                                          // no Understudy-* headers on answers
	CORS     map[string]CORS                               // by API; none: Vendor
	Log      *slog.Logger
	CA       []byte // certificate of the TLS door's CA as PEM; nil: TLS is off

	// Advertise is the URL of the shared door that clients see, without a slash
	// at its end; "": the one by which they came.
	Advertise string

	// Tunnel serves a connection that CONNECT turned into a tunnel, by the handler
	// Tunnelled; nil: there are none. Secure says that it serves TLS.
	Tunnel func(net.Conn, *Tunnel)
	Secure bool
}

// A Gateway carries requests to the APIs and answers back.
type Gateway struct {
	config Config
	names  names
	bodies *bodies
	shared func() *echo.Echo            // routes requests that name no API, by the paths of all APIs; made at the first of them
	own    map[string]func() *echo.Echo // routes the requests of one API, by its name; made at the first of them
	pages  map[string]http.HandlerFunc
	stop   chan struct{}
	panics atomic.Int64
}

// New returns a gateway for the APIs of config.
func New(config Config) *Gateway {
	g := &Gateway{config: config, names: namesOf(config.APIs), bodies: newBodies(config.Body, config.Memory), own: map[string]func() *echo.Echo{}, stop: make(chan struct{})}
	g.pages = g.ownPages()
	g.shared = sync.OnceValue(func() *echo.Echo { return g.router(g.serveClaimed, config.APIs...) })
	for _, api := range config.APIs {
		g.own[api.Name] = sync.OnceValue(func() *echo.Echo { return g.router(g.serveAt(api, nil), api) })
	}
	return g
}

// Cut ends all waiting: delays and stalls are over at once.
func (g *Gateway) Cut() { close(g.stop) }

// Panics counts the requests that ended in a fault of understudy's own.
func (g *Gateway) Panics() int64 { return g.panics.Load() }

// Own serves one API alone: every request is its.
func (g *Gateway) Own(api *contract.API) http.Handler {
	if g.own[api.Name] == nil {
		panic("gateway: " + api.Name + " is none of the APIs that are served")
	}
	return g.handler(api.Name)
}

// Shared returns the handler of the door, the port that all APIs share.
func (g *Gateway) Shared() http.Handler { return g.handler("") }

// handler finds out where a request belongs and routes it there. own is the API
// whose own port this is, or "" for the door.
func (g *Gateway) handler(own string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer g.recover(w, r)
		authorization := takeProxyHeaders(r.Header)
		switch {
		case r.Method == http.MethodConnect:
			g.connect(w, r, own, authorization)
			return
		case r.URL.Scheme != "" && own == "":
			r, at, refusal := g.asProxy(r, authorization)
			if refusal != nil {
				refusal.write(w, r)
				return
			}
			g.route(w, r, own, at)
			return
		}
		r = originForm(r)
		g.route(w, r, own, g.names.locate(own, r.Host, r.URL.EscapedPath(), r.Header.Get(SandboxHeader)))
	})
}

// route hands a request to the router of the API to which its address leads, or answers it
// with a page of understudy's own. own is the API whose own port this is, or "" for the door.
func (g *Gateway) route(w http.ResponseWriter, r *http.Request, own string, at address) {
	if name, ours := strings.CutPrefix(r.URL.EscapedPath(), ownPath); ours {
		g.servePage(w, r, own, name, at.proxied)
		return
	}
	router := g.shared
	if at.api != "" {
		router = g.own[at.api]
	}
	router().ServeHTTP(w, at.enter(r))
}

// addressKey is the key of the address in a request's context.
type addressKey struct{}

// enter is r without the prefix of its path, and with the address in its
// context. A request that names no sandbox, has no prefix and comes by no proxy stays as
// it is.
func (a address) enter(r *http.Request) *http.Request {
	if a.foundBy == "" && a.prefix == "" && !a.proxied {
		return r
	}
	kept := a
	r = r.WithContext(context.WithValue(r.Context(), addressKey{}, &kept))
	if a.prefix != "" {
		u := *r.URL
		u.Path, _ = url.PathUnescape(a.path)
		u.RawPath = a.path
		r.URL = &u
	}
	return r
}

// addressOf is the address that enter left; the zero address where it left none.
func addressOf(r *http.Request) *address {
	if a, ok := r.Context().Value(addressKey{}).(*address); ok {
		return a
	}
	return &nowhere
}

// nowhere is the address of requests that name neither sandbox nor prefix.
var nowhere address
