package control

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

func (s *Server) readClock(_ *request, box *sandbox.Sandbox) (any, error) {
	return box.Clock.Read(), nil
}

// clockBody is a body that sets a clock, as the OpenAPI document describes it: it has one of
// the members that clockActions has.
type clockBody struct {
	Advance    string           `json:"advance,omitempty" doc:"a positive duration: 20m"`
	Freeze     time.Time        `json:"freeze,omitzero" doc:"the instant at which it stands"`
	Follow     bool             `json:"follow,omitempty" doc:"true: as the wall clock"`
	Scale      float64          `json:"scale,omitempty" doc:"how many times as fast as the wall clock it goes"`
	Signatures clock.Signatures `json:"signatures,omitempty" doc:"by which clock signatures are dated: wall or sandbox"`
}

// clockActions are what can be done to a clock, by the member that asks for it.
var clockActions = map[string]func(c *clock.Clock, value any) error{
	"advance":    advance,
	"freeze":     freeze,
	"follow":     follow,
	"scale":      scale,
	"signatures": signatures,
}

func (s *Server) setClock(a *request, box *sandbox.Sandbox) (any, error) {
	known := slices.Sorted(maps.Keys(clockActions))
	members, err := a.object(known...)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(members))
	if len(names) != 1 {
		found := "none"
		if len(names) > 1 {
			found = strings.Join(names, " and ")
		}
		return nil, refuse(http.StatusBadRequest, "the body has %s of the members %s; exactly one was expected", found, strings.Join(known, ", "))
	}
	var mask func(api, secret string) string
	if s.config.Redactor.Active() {
		mask = s.config.Redactor.Secret
	}
	return box.MoveClock(func(c *clock.Clock) error { return clockActions[names[0]](c, members[names[0]]) }, mask)
}

func advance(c *clock.Clock, value any) error {
	text, _ := value.(string)
	d, err := time.ParseDuration(text)
	if err != nil {
		return refuse(http.StatusBadRequest, `advance is %s; a positive duration such as "20m" or "36h" was expected`, describe(value))
	}
	if err := c.Advance(d); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return nil
}

func freeze(c *clock.Clock, value any) error {
	text, _ := value.(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return refuse(http.StatusBadRequest, `freeze is %s; an instant such as "2026-03-01T12:00:00Z" was expected`, describe(value))
	}
	if err := clock.Check(t); err != nil {
		return refuse(http.StatusBadRequest, "freeze: %v", err)
	}
	c.Freeze(t)
	return nil
}

func scale(c *clock.Clock, value any) error {
	number, _ := value.(json.Number)
	n, err := number.Float64()
	if err != nil {
		return refuse(http.StatusBadRequest, "scale is %s; a number such as 60 was expected, which lets an hour pass in a minute", describe(value))
	}
	if err := c.Scale(n); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return nil
}

func follow(c *clock.Clock, value any) error {
	if value != true {
		return refuse(http.StatusBadRequest, "follow is %s; true was expected; to stop the clock, freeze it", describe(value))
	}
	c.Follow()
	return nil
}

func signatures(c *clock.Clock, value any) error {
	text, _ := value.(string)
	by := clock.Signatures(text)
	if by != clock.Wall && by != clock.Sandbox {
		return refuse(http.StatusBadRequest, "signatures is %s%s", describe(value), hint(text, []string{string(clock.Wall), string(clock.Sandbox)}))
	}
	c.SetSignatures(by)
	return nil
}
