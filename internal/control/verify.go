package control

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/verify"
	"github.com/understudy-suite/understudy/internal/wire"
)

// settleTime is how long verify waits for the answers that are under way.
const settleTime = time.Second

// checksFile is the name of a body of checks in its faults.
const checksFile = "checks"

// checkBody is a check as JSON, as the OpenAPI document describes it. verify.Parse reads it.
type checkBody struct {
	Name      string         `json:"name,omitempty" doc:"what reports call it"`
	API       string         `json:"api,omitempty"`
	Operation string         `json:"operation,omitempty"`
	Outcome   string         `json:"outcome,omitempty"`
	Where     map[string]any `json:"where,omitempty" doc:"parameters, and the values or matchers that they fit"`
	DecidedBy string         `json:"decided_by,omitempty" doc:"as the header Understudy-Decided-By has it: emulator, check signature, scenario parcels/lost rule 1"`
	Count     struct {
		Exactly int `json:"exactly,omitempty"`
		AtLeast int `json:"at_least,omitempty"`
		AtMost  int `json:"at_most,omitempty"`
	} `json:"count,omitzero" doc:"how many calls there should be; at least 1 where it is left out"`
	Order        []any  `json:"order,omitempty" doc:"names of operations, or objects with api, operation, outcome, where and decided_by"`
	By           string `json:"by,omitempty" doc:"the parameter for each value of which the order holds"`
	Within       string `json:"within,omitempty" doc:"the longest time from each call of the order to the next: 5s"`
	After        string `json:"after,omitempty" doc:"the shortest time"`
	Since        string `json:"since,omitempty" doc:"the ID of the call after which the check begins"`
	Expectations bool   `json:"expectations,omitempty" doc:"that rules of active scenarios fired as often as their expect says"`
}

// verify holds the checks of a body against what the sandbox observed.
func (s *Server) verify(a *request, box *sandbox.Sandbox) (any, error) {
	form, err := a.form(output.CheckForms)
	if err != nil {
		return nil, err
	}
	text, err := a.body()
	if err != nil {
		return nil, err
	}
	checks, err := verify.Parse(checksFile, text, s.checkableNames(box))
	if err != nil {
		return nil, checksProblem(err)
	}
	report, err := verify.Run(a.Context(), checks, s.observed(a.Context(), box))
	if err != nil {
		return nil, refuse(http.StatusServiceUnavailable, "%v", err)
	}
	answer := &verdictAnswer{verdict: report.Verdict, form: form, body: report.Write(form)}
	if form == output.FormJSON && report.Verdict != verify.Holds {
		answer.body = wire.Encode(reportProblem{conflict(report.Summary), report})
	}
	return answer, nil
}

// checkableNames are the names that checks of a sandbox may use.
func (s *Server) checkableNames(box *sandbox.Sandbox) verify.Names {
	return verify.Names{
		APIs: s.config.APIs, Entry: box.Journal.Number,
		Scenario: func(name string) (string, int, error) { return s.knownScenario(box, name) },
	}
}

// knownScenario finds the full name of a scenario that is known, is active, or has decided a
// call, and how many rules it has or had. The latter two may come from a request to this
// sandbox alone.
func (s *Server) knownScenario(box *sandbox.Sandbox, name string) (full string, rules int, err error) {
	found, err := s.config.Library.Find(name)
	full = name
	if err == nil {
		full, rules = found.FullName(), len(found.Rules)
	}
	for _, st := range box.Player.Active() {
		if st.Scenario == full {
			rules, err = max(rules, len(st.Rules)), nil
		}
	}
	for _, e := range box.Journal.Evidence().Entries {
		if e.DecidedBy.Scenario == full {
			rules, err = max(rules, e.DecidedBy.Rule), nil
		}
	}
	return full, rules, err
}

// observed is what a sandbox observed by now, once the answers that are under way have
// left, or settleTime has passed.
func (s *Server) observed(ctx context.Context, box *sandbox.Sandbox) *verify.World {
	wait, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	w := &verify.World{Sandbox: box.Name, APIs: s.config.APIs, Open: box.Settle(wait)}
	w.Active, w.Journal = box.Player.Active(), box.Journal.Evidence()
	if strays := s.config.Registry.Find(sandbox.Default); strays != box {
		w.Strays = strays.Journal.Counts().Entries
	}
	if s.config.Redactor.Active() {
		w.Show = s.config.Redactor.Entry
	}
	return w
}

// checksProblem says what is wrong with checks: that they cannot be read at all, or
// what they say.
func checksProblem(err error) *problem {
	status, what := http.StatusUnprocessableEntity, "the checks have %s, and nothing was verified"
	if errors.As(err, new(*verify.UnreadableError)) {
		status, what = http.StatusBadRequest, "the checks cannot be read, for %s; JSON or YAML was expected"
		err = errors.Unwrap(err)
	}
	faults := mapSlice(splitErrors(err), error.Error)
	p := refuse(status, what, count(len(faults), "fault"))
	p.Faults = faults
	return p
}

// reportProblem is a report as the problem that not all checks hold.
type reportProblem struct {
	conflicting
	*verify.Report
}
