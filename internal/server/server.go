package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/understudy-suite/understudy/internal/authority"
	"github.com/understudy-suite/understudy/internal/callback"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/gateway"
	"github.com/understudy-suite/understudy/internal/redact"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// A Server is a running understudy.
type Server struct {
	Registry   *sandbox.Registry
	APIs       []*contract.API
	ControlURL string // address of the control API: http://127.0.0.1:6400
	DoorURL    string // address of the shared door
	TLSURL     string // address of the shared door over TLS; "": TLS is off

	config    Config
	gateway   *gateway.Gateway
	control   *control.Server
	callbacks *callback.Sender
	redactor  *redact.Redactor
	ports     map[string]int // each API's own
	ownPorts  *ownPorts
	doorPort  int                  // port of the shared door
	authority *authority.Authority // nil: TLS is off
	tlsPort   int
	reloader  *reloader
	servers   []*http.Server

	connections, controlConnections *connections
	tunnels                         *tunnels

	serving sync.WaitGroup
	broken  chan error
}

// Start loads what c names, opens the ports and serves.
func Start(c Config) (*Server, error) {
	if err := errors.Join(c.checkControl(), c.checkAdvertised(), c.checkLimits()); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Listen == nil {
		c.Listen = net.Listen
	}
	redactor := c.redactor()
	c.Log = slog.New(redactor.Handler(c.Log.Handler()))
	own := &ownPorts{}
	callbacks := callback.New(callback.Config{Allow: c.CallbackAllow, Own: own.has, Log: c.Log})
	over, err := c.openAuthority()
	if err != nil {
		return nil, redactor.Error(err)
	}
	l, err := c.load(callbacks.Send, redactor)
	if err != nil {
		return nil, redactor.Error(err)
	}
	s := &Server{
		Registry: l.registry, APIs: l.apis, config: c, callbacks: callbacks, redactor: redactor,
		authority: over, ports: map[string]int{}, ownPorts: own, broken: make(chan error, 1),
	}
	s.connections = c.connections(int64(c.MaxConnections), "APIs", "--max-connections")
	s.controlConnections = c.connections(maxControlConnections, "control", "")
	s.tunnels = newTunnels(s.authority.TLS(), s.connections, c.Log)
	s.gateway = gateway.New(gateway.Config{
		APIs: l.apis, Registry: l.registry, Body: c.Body, Memory: c.MaxInflight, MaxStall: c.MaxStall,
		Plain: c.PlainAnswers, CORS: l.cors, Advertise: c.AdvertiseDoor, Log: c.Log, Find: l.library.Find,
		CA: s.caText(), Tunnel: s.tunnels.open, Secure: s.authority != nil,
	})
	s.control = control.New(control.Config{
		APIs: l.apis, Registry: l.registry, Library: l.library, URLs: s.urls,
		Version: c.Version, Commit: c.Commit, Seed: int64(c.Seed), Token: c.Token,
		AllowHosts: c.AllowHosts, Origins: c.Origins, Redactor: redactor,
		Fixture: func(api *contract.API, name string) (*fixture.Fixture, error) { return s.reloader.fixture(api, name) },
		Panics:  s.gateway.Panics, Load: s.load, Callbacks: callbacks, Log: c.Log, LogDropped: c.LogDropped,
		SlowReads: func() []control.SlowRead { return s.reloader.slowReads() }, Authority: s.authority,
	})
	if c.LogCall != nil {
		l.registry.Feed.Count(s.logCall)
	}
	if s.reloader, err = c.reloader(l); err == nil {
		err = s.open()
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Close(ctx)
		return nil, err
	}
	s.control.SetReady(true)
	return s, nil
}

// open opens every port, or returns which could not be opened.
func (s *Server) open() error {
	control, err := s.listen(s.config.ControlBind, s.config.ControlPort, "control", "--control-port")
	if err != nil {
		return err
	}
	s.ControlURL = "http://" + control[0].Addr().String()
	for _, l := range control {
		s.serve(l, &http.Server{Handler: s.control.Handler(), ReadTimeout: 60 * time.Second}, s.controlConnections)
	}
	for i, port := range s.config.DoorPorts {
		door, err := s.listen(s.config.Bind, port, "door", "--door-port")
		if err != nil {
			return err
		}
		if i == 0 {
			s.DoorURL, s.doorPort = "http://"+door[0].Addr().String(), portOf(door[0])
		}
		for _, l := range door {
			s.serve(l, &http.Server{Handler: s.gateway.Shared()}, s.connections)
		}
	}
	s.serveOn(s.tunnels, &http.Server{Handler: s.gateway.Tunnelled()}, s.connections)
	for _, api := range s.APIs {
		if err := s.openAPIPort(api); err != nil {
			return err
		}
	}
	return s.openTLSDoor()
}

// openAPIPort opens the port of one API. Where it is taken, the API is served at
// the door only, unless the user named the ports.
func (s *Server) openAPIPort(api *contract.API) error {
	port, open, err := s.config.APIPort(api)
	if err != nil || !open {
		return err
	}
	own, err := s.listen(s.config.Bind, port, api.Name, "--api-ports")
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && !s.config.APIPortsNamed:
		s.config.Log.Warn("the port of an API is taken; it is served at the door only", "api", api.Name, "port", port, "door", s.DoorURL)
		return nil
	case err != nil:
		return err
	}
	s.ports[api.Name] = portOf(own[0])
	for _, l := range own {
		s.serve(l, &http.Server{Handler: s.gateway.Own(api)}, s.connections)
	}
	return nil
}

func (s *Server) listen(host string, port int, what, flag string) ([]net.Listener, error) {
	all, err := listen(s.config.Listen).open(host, port, what, flag, s.config.Log)
	for _, l := range all {
		s.ownPorts.add(portOf(l))
	}
	return all, err
}

// How long a connection may be silent between requests, which is longer than the 90 s for
// which clients in Go keep one, and how long the head of a request may take.
const (
	idleTime = 120 * time.Second
	headTime = 10 * time.Second
)

// serve answers on l until the server is closed. The gateway itself bounds the time in
// which a body comes.
func (s *Server) serve(l net.Listener, server *http.Server, limit *connections) {
	if server.TLSConfig == nil {
		server.Protocols = new(http.Protocols)
		server.Protocols.SetHTTP1(true) // there is no other without TLS, which spares the making of HTTP/2
	}
	s.serveOn(limit.limit(l), server, limit)
}

// serveOn is serve, on a listener that counts its connections itself.
func (s *Server) serveOn(l net.Listener, server *http.Server, limit *connections) {
	server.ReadHeaderTimeout, server.IdleTimeout = limit.head, limit.idle
	server.MaxHeaderBytes = 64 << 10
	server.DisableGeneralOptionsHandler = true                                                     // OPTIONS * is a request like any other
	server.ErrorLog = slog.NewLogLogger(&netLog{Handler: s.config.Log.Handler()}, slog.LevelDebug) // clients that break off
	server.ConnState, server.ConnContext, server.Handler = limit.follow, withConn, handled(server.Handler)
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		if err := answer(server, l); !errors.Is(err, http.ErrServerClosed) {
			select {
			case s.broken <- err:
			default:
			}
		}
	})
}

func answer(server *http.Server, l net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(l, "", "")
	}
	return server.Serve(l)
}

// load returns how much of the server's limits is in use.
func (s *Server) load() control.Load {
	held, waiting := s.gateway.Bodies()
	return control.Load{
		Connections: s.connections.open.Load(), RefusedConnections: s.connections.refused.Load() + s.controlConnections.refused.Load(),
		MalformedRequests: s.connections.malformed.Load() + s.controlConnections.malformed.Load(),
		BodyBytes:         held, WaitingBodies: waiting,
	}
}

// Broken delivers the error of a port that fails while it is served.
func (s *Server) Broken() <-chan error { return s.broken }

// Panics returns how many requests of any port ended in a fault of understudy's own.
func (s *Server) Panics() int64 { return s.control.Panics() }

// Close lets the requests that are under way end, until ctx is done, and then
// cuts what is left. Stalled and delayed answers are cut at once.
func (s *Server) Close(ctx context.Context) error {
	s.control.SetReady(false)
	s.connections.closing.Store(true)
	s.controlConnections.closing.Store(true)
	s.gateway.Cut()
	s.control.Cut()
	if s.authority != nil {
		s.authority.Cut()
	}
	var wg sync.WaitGroup
	errs := make([]error, len(s.servers)+1)
	wg.Go(func() { errs[len(s.servers)] = s.reloader.close(ctx) })
	for i, server := range s.servers {
		wg.Go(func() {
			if err := server.Shutdown(ctx); err != nil {
				errs[i] = server.Close()
			}
		})
	}
	wg.Wait()
	s.serving.Wait()
	s.tunnels.opening.Wait()
	s.callbacks.Close(ctx)
	return errors.Join(errs...)
}

// URL is the address of an API: its own port, or else its path at the door.
func (s *Server) URL(api string) string {
	return s.urls(s.DoorURL)[api]
}

// urls returns the addresses of all APIs as a client of base sees them.
func (s *Server) urls(base string) map[string]string {
	host := hostOf(base)
	door := s.config.AdvertiseDoor
	if door == "" {
		door = "http://" + net.JoinHostPort(host, strconv.Itoa(s.doorPort))
	}
	urls := map[string]string{"door": door}
	if s.tlsPort != 0 {
		urls["tls"] = "https://" + net.JoinHostPort(host, strconv.Itoa(s.tlsPort))
	}
	for _, api := range s.APIs {
		if port := s.ports[api.Name]; port != 0 && s.config.AdvertiseDoor == "" {
			urls[api.Name] = "http://" + net.JoinHostPort(host, strconv.Itoa(port))
		} else {
			urls[api.Name] = door + "/" + api.Name
		}
	}
	return urls
}
