package control

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/wire"
)

// activeAnswer is an active scenario with its counters.
type activeAnswer struct {
	Name  string       `json:"name"`
	State string       `json:"state"`
	Since time.Time    `json:"since"` // by the sandbox's clock
	File  string       `json:"file,omitempty"`
	Rules []activeRule `json:"rules"`
}

type activeRule struct {
	Rule      int      `json:"rule"` // counted from 1
	Line      int      `json:"line,omitempty"`
	Operation string   `json:"operation"`
	Outcome   string   `json:"outcome,omitempty"`  // "": the emulator decides
	Outcomes  []string `json:"outcomes,omitempty"` // where there are several
	Next      string   `json:"next,omitempty"`     // of them
	Fired     int      `json:"fired"`
	Skipped   int      `json:"skipped,omitempty"`
	Left      *int     `json:"left"` // null: without end
	Expect    *expect  `json:"expect,omitempty"`
}

// expect is how often a rule should have fired in the end.
type expect struct {
	Fired int  `json:"fired"`
	Met   bool `json:"met"`
}

func activeAnswerOf(st player.Status) activeAnswer {
	return activeAnswer{st.Scenario, st.State, st.Since, st.File, mapSlice(st.Rules, activeRuleOf)}
}

func activeRuleOf(r player.RuleStatus) activeRule {
	answer := activeRule{Rule: r.Rule, Line: r.Line, Operation: r.Operation, Fired: r.Fired, Skipped: r.Skipped, Left: r.Left}
	answer.Outcome, answer.Outcomes = oneOrSeveral(r.Outcomes)
	if answer.Outcomes != nil {
		answer.Next = cmp.Or(r.Next, scenario.Emulator)
	}
	if r.Expect > 0 {
		answer.Expect = &expect{r.Expect, r.Fired >= r.Expect}
	}
	return answer
}

// oneOrSeveral returns outcomes as a file has them: one by its name, several as a
// list.
func oneOrSeveral(outcomes []string) (string, []string) {
	if len(outcomes) == 1 && outcomes[0] != scenario.Emulator {
		return outcomes[0], nil
	}
	return "", outcomes
}

func (s *Server) listActive(_ *request, box *sandbox.Sandbox) (any, error) {
	return list[activeAnswer]{Items: mapSlice(box.Player.Active(), activeAnswerOf)}, nil
}

func (s *Server) allOff(_ *request, box *sandbox.Sandbox) (any, error) {
	box.Player.OffAll()
	return nil, nil
}

// optionsBody narrows an activation, as the OpenAPI document describes it.
// scenario.ParseOptions reads it.
type optionsBody struct {
	Times int            `json:"times,omitempty" doc:"how many calls the scenario decides, over all of its rules; at least 1"`
	Skip  int            `json:"skip,omitempty" doc:"how many calls that fit a rule pass before"`
	Where map[string]any `json:"where,omitempty" doc:"parameters, and the values or matchers that must hold beside each rule's own"`
	For   string         `json:"for,omitempty" doc:"how long it is on by the sandbox's clock: 5m"`
	Wire  *network       `json:"wire,omitempty" doc:"what the network does instead of what the rules say"`
}

// switchOn switches a scenario on: one of the library, narrowed by a JSON body,
// or one that a YAML body defines for this sandbox alone.
func (s *Server) switchOn(a *request, box *sandbox.Sandbox) (any, error) {
	find := s.findScenario
	if a.yaml() {
		find = s.defineScenario
	}
	found, by, err := find(a)
	if err != nil {
		return nil, err
	}
	name := found.FullName()
	on := box.Player.Active()
	if len(on) >= player.MostActive && !slices.ContainsFunc(on, func(st player.Status) bool { return st.Scenario == name }) {
		return nil, refuse(http.StatusConflict, "%d scenarios are active in sandbox %s, which is the most; switch one off", player.MostActive, box.Name)
	}
	box.Player.On(found, by)
	for _, st := range box.Player.Active() {
		if st.Scenario == name {
			return activeAnswerOf(st), nil
		}
	}
	return nil, refuse(http.StatusConflict, "%s was switched off again by another call", name)
}

// defineScenario reads a scenario that stands in the body.
func (s *Server) defineScenario(a *request) (*scenario.Scenario, scenario.Options, error) {
	text, err := a.body()
	if err != nil {
		return nil, scenario.Options{}, err
	}
	name := a.path["name"]
	found, err := scenario.Parse(name+".yaml", text, s.config.APIs)
	if err != nil {
		return nil, scenario.Options{}, faultsProblem("scenario", err)
	}
	if name != found.FullName() && name != found.Name {
		return nil, scenario.Options{}, refuse(http.StatusUnprocessableEntity,
			"the body says that it is scenario %s and the address says %s; let them say the same", found.FullName(), quote(name))
	}
	found.File = "" // the one that stands in the faults is nowhere
	return found, scenario.Options{}, nil
}

// findScenario finds a scenario of the library, and reads by what the body narrows it.
func (s *Server) findScenario(a *request) (*scenario.Scenario, scenario.Options, error) {
	found, err := s.scenario(a.path["name"])
	if err != nil {
		return nil, scenario.Options{}, err
	}
	members, err := a.object(scenario.OptionKeys...)
	if err != nil || len(members) == 0 {
		return found, scenario.Options{}, err
	}
	by, err := scenario.ParseOptions(found, wire.Encode(members), s.config.APIs)
	if err != nil {
		return nil, scenario.Options{}, optionsProblem(err)
	}
	return found, by, nil
}

// narrowProblem says what is wrong with a body that narrows. The places of the
// faults are those of a text that the client never saw, so they are left out.
func optionsProblem(err error) *problem {
	p := refuse(http.StatusUnprocessableEntity, "the body does not fit the scenario, which was not switched on")
	for _, e := range splitErrors(err) {
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
func (s *Server) switchOff(a *request, box *sandbox.Sandbox) (any, error) {
	name := a.path["name"]
	if box.Player.Off(name) {
		return nil, nil
	}
	on := mapSlice(box.Player.Active(), func(st player.Status) string { return st.Scenario })
	return nil, refuse(http.StatusNotFound, "the scenario %s is not active in sandbox %s%s", quote(name), box.Name, hint(name, on))
}
