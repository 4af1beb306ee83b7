package gateway

import (
	"errors"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/engine"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
)

// door leads to one API. Its routes are the paths of the API's tables, each for
// every method: which one is right is the API's to say.
type door struct {
	gateway *Gateway
	api     *contract.API
	hosts   map[string]bool
	echo    *echo.Echo
}

// visit is what a route's handler is called with.
type visit struct {
	echo.Context
	request *contract.Request
	known   bool // a path of the tables
}

var place = regexp.MustCompile(`\{(\w+)\}`)

func newDoor(g *Gateway, api *contract.API) *door {
	d := &door{gateway: g, api: api, hosts: map[string]bool{}, echo: echo.New()}
	for _, h := range api.Hosts {
		d.hosts[h] = true
	}
	at := map[string][]*contract.Operation{}
	var paths []string
	for _, op := range api.Operations {
		for _, path := range append([]string{op.Path}, op.Aliases...) {
			route := place.ReplaceAllString(strings.TrimSuffix(path, "/"), ":$1")
			if at[route] == nil {
				paths = append(paths, route)
			}
			at[route] = append(at[route], op)
		}
	}
	for _, route := range paths {
		handler := meet(at[route])
		d.echo.RouteNotFound(route+"/", handler)
		if route != "" {
			d.echo.RouteNotFound(route, handler)
		}
	}
	d.echo.RouteNotFound("/*", func(echo.Context) error { return nil })
	return d
}

// meet says which operations live at a path, and what the names in it stand
// for. It is registered as the answer to every method that has no route, and
// none has one.
func meet(at []*contract.Operation) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := c.(*visit)
		v.known = true
		v.request.At = at
		names := c.ParamNames()
		if len(names) == 0 {
			return nil
		}
		v.request.Path = make(map[string]string, len(names))
		for i, name := range names {
			v.request.Path[name] = wire.PathValue(c.ParamValues()[i], c.Request().URL)
		}
		return nil
	}
}

// route finds the path of r in the tables.
func (d *door) route(v *visitor, r *contract.Request) (known bool) {
	c := d.echo.AcquireContext()
	defer d.echo.ReleaseContext(c)
	c.Reset(v.r, v.w)
	path := v.path
	if r.URL.RawPath == "" {
		path = r.URL.Path
	}
	d.echo.Router().Find(v.r.Method, path, c)
	met := &visit{Context: c, request: r}
	if c.Handler()(met) != nil {
		return false
	}
	return met.known
}

func (d *door) knows(v *visitor) bool { return d.route(v, v.request()) }

// serve brings a request to the engine, and the engine's answer to the client.
func (d *door) serve(v *visitor) {
	r := v.request()
	d.route(v, r)
	r.Base = d.base(v)
	s, foundBy, err := d.sandbox(v, r)
	if err != nil {
		problem{Code: "sandbox", Title: "no such sandbox", Detail: err.Error()}.write(v)
		return
	}
	room, err := s.Instance(d.api)
	if err != nil {
		problem{Code: "fixture", Title: "the world cannot be made", Detail: err.Error()}.write(v)
		return
	}
	played, err := d.gateway.scenario(v.r, d.api.Name)
	if err != nil {
		problem{Code: "unknown-scenario", Title: "no such scenario", Detail: err.Error()}.write(v)
		return
	}
	began := d.gateway.config.Registry.Wall()
	now, stamp := s.Clock.Both()
	r.Arrived = stamp
	answer, err := engine.Serve(&engine.Visit{
		Instance: room, Sandbox: s, FoundBy: foundBy, Request: r, Now: now, Outcome: v.r.Header.Get(OutcomeHeader),
		Scenario: played,
	})
	if strange := (*engine.StrangeScenarioError)(nil); errors.As(err, &strange) {
		problem{Code: "strange-scenario", Title: "the scenario cannot be played to this request", Detail: err.Error()}.write(v)
		return
	}
	if err != nil {
		problem{Code: "unknown-outcome", Title: "no such outcome", Detail: err.Error()}.write(v)
		return
	}
	d.gateway.deliver(v, answer, began)
}

// base is the address by which clients find this API: the one by which the
// request came, or the advertised door's with the API's own path segment.
func (d *door) base(v *visitor) string {
	if door := d.gateway.config.Advertise; door != "" {
		own := "/" + d.api.Name
		return door + strings.TrimSuffix(v.prefix, own) + own
	}
	return wire.Base(v.r) + v.prefix
}

// sandbox finds the world that a request belongs to: the one that it names,
// the one that alone knows what it carries, or default.
func (d *door) sandbox(v *visitor, r *contract.Request) (s *sandbox.Sandbox, foundBy string, err error) {
	house := d.gateway.config.Registry
	if v.foundBy != "" {
		s, err = house.Get(v.sandbox)
		return s, v.foundBy, err
	}
	if d.api.Identifiers != nil {
		if s = house.ByIdentifier(d.api, func() []string { return d.api.Identifiers(r) }); s != nil {
			return s, "word", nil
		}
	}
	return house.Find(sandbox.Default), "default", nil
}

// notFound tells a request at the shared door that no API took it.
func (g *Gateway) notFound(v *visitor) {
	apis := []doorway{}
	var names []string
	for _, d := range g.doors {
		names = append(names, d.api.Name)
		apis = append(apis, doorway{API: d.api.Name, Title: d.api.Title, Path: "/" + d.api.Name + "/", Port: d.api.Port, Hosts: d.api.Hosts})
	}
	problem{
		Code: "no-api", Title: "no API takes this request",
		Detail: "No API of understudy takes " + v.r.Method + " " + v.path + " on host " + v.r.Host +
			". Name one by its documented host, by a host name such as " + names[0] + ".localhost, by a leading path segment such as /" + names[0] + "/, or use its own port.",
		APIs: apis,
	}.write(v)
}
