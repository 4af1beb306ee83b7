package control

import (
	"errors"
	"net/http"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// mostActive is how many scenarios are active in a sandbox at once.
const mostActive = 100

// playing is an active scenario with its counters.
type playing struct {
	Name  string        `json:"name"`
	Rules []playingRule `json:"rules"`
}

type playingRule struct {
	Rule      int    `json:"rule"` // counted from 1
	Operation string `json:"operation"`
	Outcome   string `json:"outcome,omitempty"` // "": the emulator decides
	Fired     int    `json:"fired"`
	Left      *int   `json:"left"` // null: without end
}

func playingOf(st scenario.Status) playing {
	return playing{st.Scenario, each(st.Rules, func(r scenario.RuleStatus) playingRule {
		return playingRule{r.Rule, r.Operation, r.Outcome, r.Fired, r.Left}
	})}
}

func (s *Server) listActive(_ *asking, box *sandbox.Sandbox) (any, error) {
	return list[playing]{Items: each(box.Player.Active(), playingOf)}, nil
}

func (s *Server) allOff(_ *asking, box *sandbox.Sandbox) (any, error) {
	box.Player.OffAll()
	return nil, nil
}

// switchOn switches a scenario on: one of the library, narrowed by a JSON body,
// or one that a YAML body defines for this sandbox alone.
func (s *Server) switchOn(a *asking, box *sandbox.Sandbox) (any, error) {
	find := s.narrowed
	if a.yaml() {
		find = s.defined
	}
	found, by, err := find(a)
	if err != nil {
		return nil, err
	}
	name := found.FullName()
	on := box.Player.Active()
	if len(on) >= mostActive && !slices.ContainsFunc(on, func(st scenario.Status) bool { return st.Scenario == name }) {
		return nil, refuse(http.StatusConflict, "%d scenarios are active in sandbox %s, which is the most; switch one off", mostActive, box.Name)
	}
	box.Player.On(found, by)
	for _, st := range box.Player.Active() {
		if st.Scenario == name {
			return playingOf(st), nil
		}
	}
	return nil, refuse(http.StatusConflict, "%s was switched off again by another call", name)
}

// defined reads a scenario that stands in the body.
func (s *Server) defined(a *asking) (*scenario.Scenario, scenario.Narrow, error) {
	text, err := a.body()
	if err != nil {
		return nil, scenario.Narrow{}, err
	}
	name := a.path["name"]
	found, err := scenario.Parse(name+".yaml", text, s.config.APIs)
	if err != nil {
		return nil, scenario.Narrow{}, faulty(err)
	}
	if name != found.FullName() && name != found.Name {
		return nil, scenario.Narrow{}, refuse(http.StatusUnprocessableEntity,
			"the body says that it is scenario %s and the address says %s; let them say the same", found.FullName(), quote(name))
	}
	return found, scenario.Narrow{}, nil
}

// narrowings are the members of a body that narrows a scenario.
var narrowings = []string{"times", "skip", "where", "wire"}

// narrowed finds a scenario of the library, and reads by what the body narrows it.
func (s *Server) narrowed(a *asking) (*scenario.Scenario, scenario.Narrow, error) {
	found, err := s.scenario(a.path["name"])
	if err != nil {
		return nil, scenario.Narrow{}, err
	}
	said, err := a.object(narrowings...)
	if err != nil {
		return nil, scenario.Narrow{}, err
	}
	by, err := s.narrow(found, said)
	return found, by, err
}

// narrow holds what a body says against the rules of scenario files, which know
// what a rule may say: it is read as if it stood in each rule of the scenario.
func (s *Server) narrow(of *scenario.Scenario, said contract.Values) (scenario.Narrow, error) {
	if len(said) == 0 {
		return scenario.Narrow{}, nil
	}
	rules := make([]any, len(of.Rules))
	for i, r := range of.Rules {
		as := contract.Values{"operation": r.Operation}
		if r.Outcome != "" {
			as["outcome"] = r.Outcome
		} else if said["wire"] == nil {
			as["wire"] = contract.Values{"delay": "1ms"} // a rule says one or the other; this is not read
		}
		for name, x := range said {
			as[name] = x
		}
		rules[i] = as
	}
	text := wire.Encode(contract.Values{"scenario": "narrowed", "api": of.API, "rules": rules})
	read, err := scenario.Parse("body", text, s.config.APIs)
	if err != nil {
		return scenario.Narrow{}, tooNarrow(err)
	}
	r := read.Rules[0]
	by := scenario.Narrow{Times: r.Times, Skip: r.Skip, Where: r.Where}
	if _, given := said["wire"]; given {
		by.Wire = r.Wire
	}
	return by, nil
}

// tooNarrow tells what is wrong with a body that narrows. The places of the
// faults are those of a text that the client never saw, so they are left out;
// what is wrong for several rules is told once.
func tooNarrow(err error) *problem {
	p := refuse(http.StatusUnprocessableEntity, "the body does not fit the scenario, which was not switched on")
	for _, e := range unjoined(err) {
		text := e.Error()
		if fault := (*document.Fault)(nil); errors.As(e, &fault) {
			text = fault.Text
		}
		if !slices.Contains(p.Faults, text) {
			p.Faults = append(p.Faults, text)
		}
	}
	return p
}

// switchOff switches off one scenario, which may be named in short.
func (s *Server) switchOff(a *asking, box *sandbox.Sandbox) (any, error) {
	name := a.path["name"]
	if box.Player.Off(name) {
		return nil, nil
	}
	on := each(box.Player.Active(), func(st scenario.Status) string { return st.Scenario })
	return nil, refuse(http.StatusNotFound, "the scenario %s is not active in sandbox %s%s", quote(name), box.Name, hint(name, on))
}
