package gateway

import (
	"cmp"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// router routes requests by the paths of some APIs' tables. unknown serves what
// no path fits. Where two APIs have the same path, the first one has it.
func (g *Gateway) router(unknown echo.HandlerFunc, apis ...*contract.API) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if errors.Is(err, echo.ErrNotFound) { // echo has no route
			err = unknown(c)
		}
		if err != nil {
			g.refuse(c, err)
		}
	}
	taken := map[string]bool{}
	for _, api := range apis {
		paths, at := operationsByPath(api)
		for _, path := range paths {
			shape := pathName().ReplaceAllString(path, "{}")
			if taken[shape] {
				continue
			}
			taken[shape] = true
			// Which method is right is the API's to say, so the handler takes all of
			// them: as the answer of a path that has no route for any method.
			handler := g.serveAt(api, at[path])
			route := pathName().ReplaceAllString(path, ":$1")
			e.RouteNotFound(route+"/", handler)
			if route != "" {
				e.RouteNotFound(route, handler)
			}
		}
	}
	return e
}

// pathName is a name in a documented path: {serviceProvider}.
var pathName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(\w+)\}`) })

// operationsByPath lists the documented paths of an API without a slash at their
// end, in the order of its table, and the operations at each.
func operationsByPath(api *contract.API) (paths []string, at map[string][]*contract.Operation) {
	at = map[string][]*contract.Operation{}
	for _, op := range api.Operations {
		for _, path := range append([]string{op.Path}, op.Aliases...) {
			path = strings.TrimSuffix(path, "/")
			if at[path] == nil {
				paths = append(paths, path)
			}
			at[path] = append(at[path], op)
		}
	}
	return paths, at
}

// serveAt serves requests to a path of an API. At that path are operations, or
// none where no path of the API fits.
func (g *Gateway) serveAt(api *contract.API, at []*contract.Operation) echo.HandlerFunc {
	return func(c echo.Context) error {
		v, err := g.visit(c)
		if err != nil {
			return err
		}
		defer v.leave()
		v.request.At = at
		return g.serve(c, api, v)
	}
}

// serveClaimed serves requests at the door that name no API, and whose path no API
// has: they belong to the first API that claims them.
func (g *Gateway) serveClaimed(c echo.Context) error {
	v, err := g.visit(c)
	if err != nil {
		return err
	}
	defer v.leave()
	for _, api := range g.config.APIs {
		if api.Claims != nil && api.Claims(&v.request) {
			return g.serve(c, api, v)
		}
	}
	return noAPI(&v.request, g.config.APIs)
}

// serve takes a request of an API to its answer: it finds the sandbox, has the
// engine decide, and delivers.
func (g *Gateway) serve(c echo.Context, api *contract.API, v *visit) error {
	r, request := c.Request(), &v.request
	if g.allowAnyOrigin(c.Response().Writer, r, api) {
		return nil
	}
	at := addressOf(r)
	box, use, foundBy, err := g.useSandbox(at, api, request)
	if err != nil {
		return noSandbox(err)
	}
	defer use.Done()
	request.Base = g.base(r, at, api, box)
	instance, err := box.Instance(api)
	if err != nil {
		return noState(err)
	}
	requested, err := g.requestedScenario(r.Header.Get(ScenarioHeader), api)
	if err != nil {
		return noScenario(err)
	}
	began := g.config.Registry.Wall()
	x := &v.exchange
	*x = engine.Exchange{
		Sandbox: box, Instance: instance, FoundBy: foundBy, Request: request,
		RequestedOutcome: r.Header.Get(OutcomeHeader), RequestedScenario: requested,
	}
	if err := v.body.serve(x); err != nil {
		return notServed(err)
	}
	// The network's faults need the connection itself, not echo's wrapper of it.
	g.deliver(c.Response().Writer, r, x, began)
	return nil
}

// A visit is what a request takes up while it is served. The next one takes it up after
// that: nothing that outlives the request may point into it.
type visit struct {
	request  contract.Request
	body     body
	exchange engine.Exchange
}

var visits = sync.Pool{New: func() any { return new(visit) }}

// leave ends a visit.
func (v *visit) leave() {
	v.body.release()
	*v = visit{}
	visits.Put(v)
}

// visit reads a request as an API sees it, without Base, which needs the API, and Arrived,
// which the engine fills. The caller ends the visit.
func (g *Gateway) visit(c echo.Context) (*visit, error) {
	r := c.Request()
	body, err := g.bodies.read(c.Response().Writer, r)
	if err != nil {
		if !errors.As(err, new(*problem)) {
			g.config.Log.Debug("a client broke off while its body was read", "path", r.URL.Path, "why", err.Error())
			panic(http.ErrAbortHandler) // there is no one to answer
		}
		c.Response().Writer.Header().Set("Connection", "close") // the rest of the body is not read
		return nil, err
	}
	v := visits.Get().(*visit)
	v.body = body
	v.request = contract.Request{
		Method: r.Method, Target: r.RequestURI, URL: r.URL,
		Host: r.Host, Header: r.Header, Body: body.bytes, TooLarge: body.tooLarge, Client: r.RemoteAddr,
	}
	if names := c.ParamNames(); len(names) > 0 {
		v.request.Path = make(map[string]string, len(names))
		for i, name := range names {
			v.request.Path[name] = wire.PathValue(c.ParamValues()[i], r.URL)
		}
	}
	return v, nil
}

// base is the address by which clients find an API: the one by which the request
// came, or the advertised door's with the API's own path segment. Who comes by a proxy
// finds it by its own name.
func (g *Gateway) base(r *http.Request, at *address, api *contract.API, box *sandbox.Sandbox) string {
	if door := cmp.Or(box.Door, g.config.Advertise); door != "" && !at.proxied {
		own := "/" + api.Name
		return door + strings.TrimSuffix(at.prefix, own) + own
	}
	return wire.Base(r) + at.prefix
}

// useSandbox finds the sandbox of a request and says that a call of it begins.
func (g *Gateway) useSandbox(at *address, api *contract.API, request *contract.Request) (s *sandbox.Sandbox, use *sandbox.Use, foundBy string, err error) {
	for {
		if s, foundBy, err = g.sandbox(at, api, request); err != nil {
			return nil, nil, "", err
		}
		if use = s.Use(); use != nil {
			return s, use, foundBy, nil
		}
		// It was dropped in between, so that the name means another one now.
	}
}

// sandbox finds the sandbox that a request names, or the one that alone knows an
// identifier in it by itself, or the one that claims it, or the one that alone adopted
// an identifier in it, or default.
func (g *Gateway) sandbox(at *address, api *contract.API, request *contract.Request) (s *sandbox.Sandbox, foundBy string, err error) {
	registry := g.config.Registry
	if at.foundBy != "" {
		s, err = registry.Get(at.sandbox)
		return s, at.foundBy, err
	}
	var adopter *sandbox.Sandbox
	if api.Identifiers != nil {
		if s, adopter = registry.ByIdentifier(api, func() []string { return api.Identifiers(request) }); s != nil {
			return s, "word", nil
		}
	}
	if s = registry.ByClaim(request.Client, request.Header); s != nil {
		return s, "claim", nil
	}
	if adopter != nil {
		adopter.Touch()
		return adopter, "word", nil
	}
	return registry.Find(sandbox.Default), "default", nil
}

// requestedScenario finds the scenario that a request to an API names, or nil
// where the name is empty. Of several APIs' scenarios of that name it is the one
// of the API asked.
func (g *Gateway) requestedScenario(name string, api *contract.API) (*scenario.Scenario, error) {
	switch {
	case name == "":
		return nil, nil
	case g.config.Find == nil:
		return nil, errors.New("no scenario is known here by which the header " + ScenarioHeader + " could be played")
	}
	if !strings.Contains(name, "/") {
		if own, err := g.config.Find(api.Name + "/" + name); err == nil {
			return own, nil
		}
	}
	return g.config.Find(name)
}
