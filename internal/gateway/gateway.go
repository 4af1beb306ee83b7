// Package gateway opens the doors: it turns the tables of APIs into echo
// routes and carries bytes between the wire and the engine. Only here and in
// the control API is echo known.
package gateway

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// The headers by which clients and understudy speak of what is not the API's.
const (
	SandboxHeader   = "Understudy-Sandbox"
	OutcomeHeader   = engine.OutcomeHeader
	ScenarioHeader  = engine.ScenarioHeader
	DecidedByHeader = "Understudy-Decided-By"
	CallHeader      = "Understudy-Call"
	ProblemHeader   = "Understudy-Problem"
)

// Config says how the doors behave.
type Config struct {
	APIs     []*contract.API
	Registry *sandbox.Registry
	Find     func(name string) (*scenario.Scenario, error) // scenarios that requests name; nil: none is known
	Body     int64                                         // longest request body in bytes; the API answers for longer ones
	MaxStall time.Duration                                 // longest delay or stall
	Plain    bool                                          // no Understudy-* headers on answers
	Log      *slog.Logger
	Observe  func(*journal.Entry) // called once an answer has left; nil: nobody looks

	// Advertise is the URL of the shared door as clients are told it, without a
	// slash at its end; "": they are told the one by which they came.
	Advertise string
}

// A Gateway carries requests to the APIs and answers back.
type Gateway struct {
	config Config
	doors  []*door // in the order of the APIs
	stop   chan struct{}
	panics atomic.Int64
}

// New returns a gateway for the APIs of config.
func New(config Config) *Gateway {
	g := &Gateway{config: config, stop: make(chan struct{})}
	for _, api := range config.APIs {
		g.doors = append(g.doors, newDoor(g, api))
	}
	return g
}

// Cut ends all waiting: delays and stalls are over at once.
func (g *Gateway) Cut() { close(g.stop) }

// Panics tells how many requests ended in a fault of understudy's own.
func (g *Gateway) Panics() int64 { return g.panics.Load() }

// Own is the door of one API: every request is its.
func (g *Gateway) Own(api *contract.API) http.Handler {
	for _, d := range g.doors {
		if d.api == api {
			return g.handler(func(*visitor) *door { return d })
		}
	}
	panic("gateway: " + api.Name + " is none of the APIs that are served")
}

// Shared is the door that all APIs share.
func (g *Gateway) Shared() http.Handler { return g.handler(g.find) }

// visitor is a request that has not found its way yet.
type visitor struct {
	w http.ResponseWriter
	r *http.Request

	path    string // what is left of the escaped path
	prefix  string // what was taken from it
	sandbox string // the sandbox that the request names, if it does
	foundBy string
	label   string // the API that the host name spells: <api>.localhost
	host    string // the host name without port, in lower case
	body    []byte
	cut     bool // the body was longer than the house takes
}

func (g *Gateway) handler(find func(*visitor) *door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visitor{w: w, r: r, path: r.URL.EscapedPath()}
		defer g.recover(v)
		if !g.read(v) {
			panic(http.ErrAbortHandler) // the client broke off, and there is nobody to answer
		}
		v.nameSandbox()
		d := find(v)
		if d == nil {
			g.notFound(v)
			return
		}
		d.serve(v)
	})
}

// read takes the body off the wire, as far as the house takes it. It reports
// false where the client breaks off.
func (g *Gateway) read(v *visitor) bool {
	r, limit := v.r, g.config.Body
	if r.Body == nil || r.ContentLength == 0 {
		return true
	}
	if r.ContentLength > 0 && r.ContentLength <= limit {
		v.body = make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, v.body)
		return err == nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return false
	}
	if int64(len(body)) > limit {
		// A client that is still writing reads no answer: take the rest from it, within bounds.
		_, _ = io.CopyN(io.Discard, r.Body, 8*limit)
		body, v.cut = body[:limit], true
	}
	v.body = body
	return true
}

// nameSandbox looks for a sandbox's name in header, path and host name, in
// this order.
func (v *visitor) nameSandbox() {
	v.host = strings.ToLower(hostname(v.r.Host))
	if labels, ok := strings.CutSuffix(v.host, ".localhost"); ok {
		name, api, both := strings.Cut(labels, ".")
		if !both {
			name, api = "", labels
		}
		v.label = api
		if name != "" {
			v.sandbox, v.foundBy = name, "host"
		}
	}
	if rest, ok := strings.CutPrefix(v.path, "/@"); ok {
		name, _, _ := strings.Cut(rest, "/")
		v.strip(len("/@") + len(name))
		v.sandbox, v.foundBy = name, "path"
	}
	if name := v.r.Header.Get(SandboxHeader); name != "" {
		v.sandbox, v.foundBy = name, "header"
	}
}

// strip takes n bytes from the front of the path.
func (v *visitor) strip(n int) {
	v.prefix += v.path[:n]
	v.path = v.path[n:]
	if v.path == "" {
		v.path = "/"
	}
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}

// find finds the API of a request at the shared door: by the host name, by the
// path's first segment, or by what its tables claim.
func (g *Gateway) find(v *visitor) *door {
	for _, d := range g.doors {
		if v.label == d.api.Name || d.hosts[v.host] {
			return d
		}
	}
	for _, d := range g.doors {
		if n := len(d.api.Name) + 1; strings.HasPrefix(v.path, "/"+d.api.Name) && (len(v.path) == n || v.path[n] == '/') {
			v.strip(n)
			return d
		}
	}
	for _, d := range g.doors {
		if d.knows(v) {
			return d
		}
	}
	for _, d := range g.doors {
		if d.api.Claims != nil && d.api.Claims(v.request()) {
			return d
		}
	}
	return nil
}

// request is the visitor's request as an API sees it. Base is left to whoever
// knows the API, Arrived to whoever knows the sandbox.
func (v *visitor) request() *contract.Request {
	u := *v.r.URL
	if v.prefix != "" {
		u.Path, _ = url.PathUnescape(v.path)
		u.RawPath = v.path
	}
	target := v.r.RequestURI
	if target == "" {
		target = v.r.URL.RequestURI()
	}
	return &contract.Request{
		Method: v.r.Method, Target: target, URL: &u,
		Host: v.r.Host, Header: v.r.Header, Body: v.body, TooLarge: v.cut, Client: v.r.RemoteAddr,
	}
}

// recover turns a fault of understudy's own into an answer of its own.
func (g *Gateway) recover(v *visitor) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault) // a broken wire, on purpose
	}
	g.panics.Add(1)
	g.config.Log.Error("a request ended in a fault of understudy's own", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	problem{
		Code: "internal", Title: "understudy failed",
		Detail: fmt.Sprintf("understudy failed on this request: %v. This is no answer of the API; the log has the stack. Please report it.", fault),
	}.write(v)
}
