package scenario

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// The keys of a scenario file, of its rules and of what stands in them, each
// in the order in which files have them.
var (
	FileKeys   = []string{"scenario", "api", "description", "tags", "rules"}
	RuleKeys   = []string{"operation", "where", "state", "times", "skip", "chance", "from", "until", "outcome", "outcomes", "repeat", "message", "with", "phantom", "then", "trigger", "expect", "wire"}
	WireKeys   = []string{"delay", "bandwidth", "fault", "when", "answer", "headers"}
	answerKeys = []string{"status", "headers", "body"}
)

// effectKeys are the keys of which a rule needs one: without, it would do nothing.
var effectKeys = []string{"outcome", "outcomes", "phantom", "then", "trigger", "expect", "wire"}

// apiKeys are the keys that depend on one API. A rule for all APIs cannot have
// them.
var apiKeys = []string{"outcome", "outcomes", "repeat", "message", "with", "phantom", "trigger"}

func (r *reader) rule(n *yaml.Node) Rule {
	rule := Rule{Line: n.Line}
	m := document.Fields(r.faults, n, "a rule", RuleKeys...)
	if n.Kind != yaml.MappingNode {
		return rule
	}
	t := r.target(n, m["operation"])
	rule.Operation = t.name
	if w := m["where"]; w != nil {
		rule.Where = r.where(w, t)
	}
	r.readLimits(&rule, m)
	r.readStates(&rule, m)
	if r.all {
		for _, key := range apiKeys {
			if m[key] != nil {
				r.faults.Addf(m[key], "%s depends on one API, and this scenario is for all; say what the network does, or name the API", key)
				delete(m, key)
			}
		}
	}
	r.readAPIParts(&rule, m, t)
	if w := m["wire"]; w != nil {
		rule.Wire = r.wire(w)
	}
	if x := m["expect"]; x != nil {
		rule.Expect = r.expect(x)
	}
	idle := !slices.ContainsFunc(effectKeys, func(key string) bool { return m[key] != nil })
	if idle && 2*len(m) == len(n.Content) { // an unknown key may have meant one
		r.faults.Addf(n, "the rule does nothing; outcome, wire or trigger was expected")
	}
	return rule
}

// readLimits reads how often, how likely and when a rule decides.
func (r *reader) readLimits(rule *Rule, m map[string]*yaml.Node) {
	if x := m["times"]; x != nil {
		rule.Times = r.atLeast(x, "times", 1, "; leave it out for no end")
	}
	if x := m["skip"]; x != nil {
		rule.Skip = r.atLeast(x, "skip", 0, "")
	}
	if x := m["chance"]; x != nil {
		if f, ok := r.number(x, "chance"); ok && (f <= 0 || f >= 1) {
			r.faults.Addf(x, "chance is %s; a number above 0 and below 1 was expected; leave it out for always", x.Value)
		} else {
			rule.Chance = f
		}
	}
	if x := m["from"]; x != nil {
		rule.From = r.duration(x, "from")
	}
	if x := m["until"]; x != nil {
		rule.Until = r.duration(x, "until")
		if rule.Until > 0 && rule.Until <= rule.From {
			r.faults.Addf(x, "until is %s, and from is %s; a later until was expected", rule.Until, rule.From)
		}
	}
}

// readStates reads the states between which a rule moves the scenario.
func (r *reader) readStates(rule *Rule, m map[string]*yaml.Node) {
	for key, into := range map[string]*string{"state": &rule.State, "then": &rule.Then} {
		n := m[key]
		if n == nil {
			continue
		}
		s, ok := document.Text(r.faults, n, key)
		if ok && !name.MatchString(s) {
			r.faults.Addf(n, "%s is %s; a name of letters, digits, dots, dashes and underscores was expected", key, document.Quote(s))
		}
		*into = s
	}
}

// expect reads how often a rule should have decided.
func (r *reader) expect(n *yaml.Node) int {
	m := document.Fields(r.faults, n, "expect", "fired")
	x := m["fired"]
	if x == nil {
		if n.Kind == yaml.MappingNode {
			r.faults.Addf(n, "expect has no fired; fired: 1 was expected, or how often the rule should decide")
		}
		return 0
	}
	return r.atLeast(x, "fired", 1, "")
}

// readAPIParts reads what needs the API's table: outcomes, message, fields,
// triggers.
func (r *reader) readAPIParts(rule *Rule, m map[string]*yaml.Node, t target) {
	one, several := m["outcome"], m["outcomes"]
	if one != nil && several != nil {
		r.faults.Addf(several, "outcome and outcomes exclude each other; leave one")
	}
	switch {
	case one != nil:
		rule.Outcomes = []string{r.outcome(one, t)}
	case several != nil:
		rule.Outcomes = r.outcomes(several, t)
	}
	if n := m["repeat"]; n != nil {
		if several == nil {
			r.faults.Addf(n, "repeat needs outcomes that it repeats; list them")
		}
		rule.RepeatAll = r.repeat(n)
	}
	for _, key := range []string{"message", "with"} {
		if m[key] != nil && one == nil && several == nil {
			r.faults.Addf(m[key], "%s needs an outcome that it belongs to; name the outcome", key)
		}
	}
	if n := m["message"]; n != nil {
		s, ok := document.Text(r.faults, n, "message")
		if ok && s == "" {
			r.faults.Addf(n, "message is empty; a text was expected; leave it out for the documented one")
		}
		rule.Message = s
	}
	if n := m["with"]; n != nil {
		rule.With = r.patch(n, "with")
		r.returned(n, rule.Outcomes, t)
	}
	if n := m["phantom"]; n != nil {
		rule.Phantom = r.readTrue(n, "phantom", "leave it out to have the outcome carried out")
		r.phantom(n, rule.Outcomes, t)
	}
	if n := m["trigger"]; n != nil {
		rule.Triggers = r.triggers(n, t)
	}
}

// A target is the operation that a rule names.
type target struct {
	name  string
	known bool
	op    *contract.Operation // nil for Any
}

func (r *reader) target(rule, n *yaml.Node) target {
	if n == nil {
		r.faults.Addf(rule, `the rule has no operation; a documented name or "*" was expected`)
		return target{}
	}
	s, ok := document.Text(r.faults, n, "operation")
	t := target{name: s, known: ok && s == Any}
	switch {
	case !ok:
	case s == Any:
		t.known = r.api != nil
	case r.all:
		r.faults.Addf(n, `operation is %s, and the scenario is for all APIs; "*" was expected`, document.Quote(s))
	case r.api != nil:
		if t.op = r.api.Operation(s); t.op == nil {
			r.faults.Addf(n, "%s has no operation %s%s", r.api.Name, document.Quote(s), document.Hint(s, r.api.OperationNames()))
		}
		t.known = t.op != nil
	}
	return t
}

// outcomes reads a sequence of them.
func (r *reader) outcomes(n *yaml.Node, t target) []string {
	var all []string
	elements := document.Elements(r.faults, n, "outcomes")
	if n.Kind == yaml.SequenceNode && len(elements) == 0 {
		r.faults.Addf(n, "outcomes is empty; at least one outcome was expected; leave it out to let the emulator decide")
	}
	for _, e := range elements {
		if s, ok := document.Text(r.faults, e, "an outcome"); ok && s == Emulator {
			all = append(all, s)
		} else if ok {
			all = append(all, r.outcome(e, t, Emulator))
		}
	}
	return all
}

// repeat reads what follows the last of the outcomes.
func (r *reader) repeat(n *yaml.Node) bool {
	known := []string{"last", "all"}
	s, ok := document.Text(r.faults, n, "repeat")
	if ok && !slices.Contains(known, s) {
		r.faults.Addf(n, "repeat is %s; last or all was expected", document.Quote(s))
	}
	return s == "all"
}

// outcome reads the name of an outcome. What else may stand there is suggested
// with those that are documented.
func (r *reader) outcome(n *yaml.Node, t target, further ...string) string {
	s, ok := document.Text(r.faults, n, "outcome")
	if !ok || !t.known || r.api.Outcome(t.op, s) != nil {
		if ok && s == "" {
			r.faults.Addf(n, "outcome is empty; a documented outcome was expected; leave it out to let the emulator decide")
		}
		return s
	}
	if s == Emulator {
		r.faults.Addf(n, "the emulator decides where outcome is left out; to have it keep calls from later rules, write outcomes: [%s]", Emulator)
		return s
	}
	hint := document.Hint(s, append(contract.OutcomeNames(r.api.Ends(t.op)), further...))
	if t.op != nil {
		r.faults.Addf(n, "%s has no outcome %s%s", t.name, document.Quote(s), hint)
		return s
	}
	for _, op := range r.api.Operations {
		if r.api.Outcome(op, s) != nil {
			r.faults.Addf(n, `not every operation ends in %q, and "*" stands for all of them; name the operation, such as %s`, s, op.Name)
			return s
		}
	}
	r.faults.Addf(n, "%s has no outcome %s in which every operation may end%s", r.api.Name, document.Quote(s), hint)
	return s
}

// ends finds the outcomes that a rule calls for, but for the emulator's. There
// are none where one is unknown, which has been reported.
func (r *reader) ends(names []string, t target) []*contract.Outcome {
	if !t.known {
		return nil
	}
	var ends []*contract.Outcome
	for _, name := range names {
		if name == Emulator {
			continue
		}
		o := r.api.Outcome(t.op, name)
		if o == nil {
			return nil
		}
		ends = append(ends, o)
	}
	return ends
}

// phantom checks that a phantom rule's outcomes are successes.
func (r *reader) phantom(n *yaml.Node, names []string, t target) {
	ends := r.ends(names, t)
	if len(ends) == 0 || slices.Contains(names, Emulator) || slices.ContainsFunc(ends, func(o *contract.Outcome) bool { return !o.Fails }) {
		return
	}
	r.faults.Addf(n, "phantom answers with a success that did not happen, and %s is a failure; leave phantom out", document.Quote(ends[0].Name))
}

// triggers reads what happens after the call, in the order of the file.
func (r *reader) triggers(n *yaml.Node, t target) []Trigger {
	var all []Trigger
	for key, value := range document.Pairs(r.faults, n, "trigger") {
		if r.api == nil || r.faults.Full() {
			continue
		}
		row := r.api.Trigger(key.Value)
		if row == nil {
			var names []string
			for _, known := range r.api.Triggers {
				names = append(names, known.Name)
			}
			r.faults.Addf(key, "%s has no trigger %s%s", r.api.Name, document.Quote(key.Value), document.Hint(key.Value, names))
			continue
		}
		all = append(all, Trigger{row.Name, document.Check(r.faults, value, rowsOfReferences(row.Params, t), "trigger "+row.Name)})
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.faults.Addf(n, "trigger is empty; the name of a trigger was expected")
	}
	return all
}

// rowsOfReferences returns the rows of a trigger. Those for which the rule's
// operation has a parameter of that name become optional.
func rowsOfReferences(rows []contract.Param, t target) []contract.Param {
	rows = slices.Clone(rows)
	for i := range rows {
		if t.op != nil && contract.FindParam(t.op.Params, rows[i].Name) != nil {
			rows[i].Need = contract.Optional
		}
	}
	return rows
}
