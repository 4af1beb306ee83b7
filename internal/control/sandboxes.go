package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/wire"
)

// sandboxAnswer is a sandbox as the control API shows it.
type sandboxAnswer struct {
	Name        string                     `json:"name"`
	URLs        map[string]string          `json:"urls"`        // by API
	Credentials map[string]contract.Values `json:"credentials"` // by API, in the vendor's spelling
	Clock       clock.Reading              `json:"clock"`
	Journal     journal.Counts             `json:"journal"`
	Scenarios   []string                   `json:"scenarios"`     // those that are active
	Fixtures    map[string]string          `json:"fixtures"`      // by API, the one that counts
	Made        bool                       `json:"made"`          // on request: it has credentials of its own
	TTL         string                     `json:"ttl,omitempty"` // how long it lives unused
	Env         map[string]string          `json:"env,omitempty"` // what points clients here, by variable
}

func (s *Server) listSandboxes(a *request) (any, error) {
	all := list[sandboxAnswer]{Items: []sandboxAnswer{}}
	for _, box := range s.config.Registry.List() {
		instances := box.Existing()
		if box.Name == sandbox.Default {
			whole, err := s.instances(box)
			switch {
			case err == nil:
				instances = whole
			case !errors.As(err, new(*sandbox.NoRoomError)): // without room, who lists looks for what to drop
				return nil, err
			}
		}
		all.Items = append(all.Items, s.sandboxAnswer(a, box, instances, s.config.Redactor.Credentials))
	}
	return all, nil
}

func (s *Server) getSandbox(a *request, box *sandbox.Sandbox) (any, error) {
	return s.wholeSandbox(a, box, s.config.Redactor.Credentials)
}

// show returns credentials of an API as they are shown.
type show func(*contract.API, contract.Values) contract.Values

// wholeSandbox shows a sandbox with the credentials of every API.
func (s *Server) wholeSandbox(a *request, box *sandbox.Sandbox, shown show) (*sandboxAnswer, error) {
	instances, err := s.instances(box)
	if err != nil {
		return nil, err
	}
	w := s.sandboxAnswer(a, box, instances, shown)
	s.addEnv(a, box, &w, instances)
	if on, _ := a.flag(tlsKey); on { // what it is instead, knowsTLS has refused
		s.addTLSEnv(a, &w)
	}
	return &w, nil
}

// instances returns those of every API.
func (s *Server) instances(box *sandbox.Sandbox) ([]*sandbox.Instance, error) {
	var all []*sandbox.Instance
	for _, api := range s.config.APIs {
		instance, err := box.Instance(api)
		if err != nil {
			return nil, fmt.Errorf("sandbox %s: %w", box.Name, err)
		}
		all = append(all, instance)
	}
	return all, nil
}

// addEnv adds the variables that point clients to a sandbox.
func (s *Server) addEnv(a *request, box *sandbox.Sandbox, w *sandboxAnswer, instances []*sandbox.Instance) {
	w.Env = map[string]string{
		"UNDERSTUDY_CONTROL": wire.Base(a.Request), "UNDERSTUDY_DOOR": s.urlsIn(a, box)[doorKey], "UNDERSTUDY_SANDBOX": w.Name,
	}
	for _, instance := range instances {
		api := instance.API
		for _, c := range api.Credentials {
			if value := w.Credentials[api.Name].Text(c.Name); c.Env != "" && value != "" {
				w.Env[c.Env] = value
			}
		}
		instance.WithState(func(state contract.State) {
			for _, v := range api.Environment {
				w.Env[v.Name] = v.Value(w.URLs[api.Name], state)
			}
		})
	}
}

// sandboxAnswer shows a sandbox with the credentials of these instances.
func (s *Server) sandboxAnswer(a *request, box *sandbox.Sandbox, instances []*sandbox.Instance, shown show) sandboxAnswer {
	name := box.Name
	if name == sandbox.Default {
		name = ""
	}
	w := sandboxAnswer{
		Name: box.Name, URLs: apiURLs(s.config.APIs, s.urlsIn(a, box), name), Credentials: map[string]contract.Values{},
		Clock: box.Clock.Read(), Journal: box.Journal.Counts(), Scenarios: []string{}, Fixtures: map[string]string{},
	}
	origin := box.Origin()
	w.Made = origin.Request != ""
	if origin.TTL > 0 {
		w.TTL = origin.TTL.String()
	}
	for _, on := range box.Player.Active() {
		w.Scenarios = append(w.Scenarios, on.Scenario)
	}
	for _, instance := range instances {
		w.Fixtures[instance.API.Name] = instance.Fixture().Name
		w.Credentials[instance.API.Name] = shown(instance.API, instance.Credentials())
	}
	return w
}

// dropWait is how long dropping a sandbox waits for the calls that are under way.
const dropWait = 5 * time.Second

// dropAnswer says what was dropped.
type dropAnswer struct {
	Sandbox  string `json:"dropped"`
	UnderWay int    `json:"calls_under_way,omitempty"` // that had not ended yet
}

func (s *Server) dropSandbox(a *request, box *sandbox.Sandbox) (any, error) {
	ctx, cancel := context.WithTimeout(a.Context(), dropWait)
	defer cancel()
	underWay, err := s.config.Registry.Drop(ctx, box.Name)
	if refused := (*sandbox.DropError)(nil); errors.As(err, &refused) {
		status := http.StatusNotFound // another request dropped it meanwhile
		if refused.Default {
			status = http.StatusConflict
		}
		return nil, refuse(status, "%v", err)
	}
	return dropAnswer{box.Name, underWay}, err
}

// resetAnswer lists what a reset set back.
type resetAnswer struct {
	Sandbox string         `json:"sandbox"`
	Reset   []sandbox.Part `json:"reset"`
}

func (s *Server) reset(a *request, box *sandbox.Sandbox) (any, error) {
	parts := sandbox.Parts
	if only, given := a.query["only"]; given {
		var err error
		if parts, err = partsOf(only); err != nil {
			return nil, err
		}
	}
	if err := box.Reset(parts...); err != nil {
		return nil, fmt.Errorf("reset of sandbox %s: %w", box.Name, err)
	}
	return resetAnswer{box.Name, parts}, nil
}

// partsOf reads a list of parts with commas between them.
func partsOf(only string) ([]sandbox.Part, error) {
	var known []string
	for _, p := range sandbox.Parts {
		known = append(known, string(p))
	}
	var parts []sandbox.Part
	for name := range strings.SplitSeq(only, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(known, name) {
			return nil, refuse(http.StatusBadRequest, "a sandbox has no part %s%s", quote(name), hint(name, known))
		}
		parts = append(parts, sandbox.Part(name))
	}
	return parts, nil
}
