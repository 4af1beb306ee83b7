package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/understudy-suite/understudy/internal/authority"
	"github.com/understudy-suite/understudy/internal/callback"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/redact"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// Config says what the control API speaks of and whom it serves.
type Config struct {
	APIs     []*contract.API
	Registry *sandbox.Registry
	Library  *library.Library

	// Fixture finds a fixture of an API by its name.
	Fixture func(*contract.API, string) (*fixture.Fixture, error)

	// URLs returns the URL of every API by its name, and that of
	// the shared door as "door". base is the scheme, host and port by which the
	// asking request came. nil: nothing is served.
	URLs func(base string) map[string]string

	Version, Commit string
	Seed            int64
	Token           string               // bearer token that every route but the probes asks for; "": none
	AllowHosts      []string             // host names served beside those that only this machine or network can mean
	Origins         []string             // origins from which browsers may write: https://ci.example.com
	Redactor        *redact.Redactor     // keeps secrets out of every answer; nil: all is told
	Panics          func() int64         // how many calls ended in a fault of understudy's own; may be nil
	Load            func() Load          // how much of the server's limits is in use; may be nil
	Authority       *authority.Authority // of the TLS door; nil: TLS is off
	Callbacks       *callback.Sender
	Log             *slog.Logger      // nil: nothing is logged
	LogDropped      func() int64      // how many lines of the log did not reach its reader; may be nil
	SlowReads       func() []SlowRead // what is being read for long; may be nil
	Body            int64             // longest request body in bytes; 0: 1 MiB
	Heartbeat       time.Duration     // between two signs of life of a stream; 0: 15 s
	State           int64             // longest state to be put back in bytes; 0: 256 MiB
}

// Load is how much of a server's limits is in use.
type Load struct {
	Connections        int64 // open ones of the APIs' ports
	RefusedConnections int64 // because too many were open
	MalformedRequests  int64 // that no handler saw: net/http refused them
	BodyBytes          int64 // memory that request bodies hold or have reserved
	WaitingBodies      int64 // requests that wait for memory
}

// A Server answers the control API.
type Server struct {
	config   Config
	router   func() *echo.Echo // made at the first request
	began    time.Time         // by the wall clock
	ready    atomic.Bool
	failures atomic.Int64 // requests to the control API that ended in a fault of understudy's own

	streams context.Context // done once streams shall end
	cut     context.CancelFunc
}

// New returns the control API over the registry and library of config. It is not
// ready until SetReady says so.
func New(config Config) *Server {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.LogDropped == nil {
		config.LogDropped = func() int64 { return 0 }
	}
	if config.SlowReads == nil {
		config.SlowReads = func() []SlowRead { return []SlowRead{} }
	}
	if config.Body == 0 {
		config.Body = 1 << 20
	}
	if config.State == 0 {
		config.State = 256 << 20
	}
	if config.Heartbeat == 0 {
		config.Heartbeat = heartbeat
	}
	s := &Server{config: config, began: config.Registry.Wall()}
	s.streams, s.cut = context.WithCancel(context.Background())
	s.router = sync.OnceValue(s.newRouter)
	return s
}

// SetReady sets what /readyz answers.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }

// Handler is the control API: one check and one router for everything.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if s.config.Redactor.Active() {
		masked := &maskedWriter{ResponseWriter: w, redactor: s.config.Redactor}
		defer masked.send()
		w = masked
		r.Header.Del("Accept-Encoding") // what is compressed cannot be masked
	}
	defer s.recover(w, r)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p := s.guard(h, r); p != nil {
		p.write(w)
		return
	}
	if isPreflight(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.router().ServeHTTP(w, r)
}

// recover turns a fault of understudy's own into a problem.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	s.failures.Add(1)
	s.config.Log.Error("a control request ended in a fault of understudy's own",
		"method", r.Method, "path", r.URL.Path, "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	refuse(http.StatusInternalServerError, "understudy failed on this request: %v. The log has the stack. Please report it.", fault).write(w)
}

// Panics returns how many requests of any port ended in a fault of understudy's own.
func (s *Server) Panics() int64 {
	n := s.failures.Load()
	if s.config.Panics != nil {
		n += s.config.Panics()
	}
	return n
}

// api finds the named API.
func (s *Server) api(name string) (*contract.API, error) {
	var names []string
	for _, api := range s.config.APIs {
		if api.Name == name {
			return api, nil
		}
		names = append(names, api.Name)
	}
	return nil, refuse(http.StatusNotFound, "there is no API %s%s", quote(name), hint(name, names))
}
