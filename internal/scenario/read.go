package scenario

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// Parse reads a scenario file and holds it against the tables of apis. Its
// error tells every fault of the file with its place.
func Parse(file string, text []byte, apis []*contract.API) (*Scenario, error) {
	return parse(file, text, apis, place{})
}

// A place says what a file must be about because of where it stands.
type place struct{ api, name string }

func parse(file string, text []byte, apis []*contract.API, at place) (*Scenario, error) {
	root, err := document.Parse(file, text)
	if err != nil {
		return nil, err
	}
	r := reader{faults: document.NewFaults(file), apis: apis, at: at}
	s := r.scenario(root)
	s.File = file
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// A reader reads one file. Where it finds a fault it says so and reads on.
type reader struct {
	faults *document.Faults
	apis   []*contract.API
	at     place
	api    *contract.API // nil until it is known
}

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func (r *reader) scenario(n *yaml.Node) *Scenario {
	m := document.Fields(r.faults, n, "a scenario", "scenario", "api", "description", "tags", "rules")
	s := &Scenario{Name: r.name(n, m["scenario"]), API: r.apiName(n, m["api"])}
	if d := m["description"]; d != nil {
		s.Description, _ = document.Text(r.faults, d, "description")
	}
	if t := m["tags"]; t != nil {
		s.Tags = r.tags(t)
	}
	rules := m["rules"]
	if rules == nil {
		r.faults.Say(n, "the scenario has no rules; a list of at least one rule was expected")
		return s
	}
	elements := document.Elements(r.faults, rules, "rules")
	if rules.Kind == yaml.SequenceNode && len(elements) == 0 {
		r.faults.Say(rules, "rules is empty; at least one rule was expected")
	}
	for _, e := range elements {
		if r.faults.Full() {
			break
		}
		s.Rules = append(s.Rules, r.rule(e))
	}
	return s
}

func (r *reader) name(root, n *yaml.Node) string {
	if n == nil {
		r.faults.Say(root, "the scenario has no name; scenario: NAME was expected")
		return ""
	}
	s, ok := document.Text(r.faults, n, "scenario")
	switch {
	case !ok:
	case !name.MatchString(s):
		r.faults.Say(n, "scenario is %s; a name of letters, digits, dots, dashes and underscores was expected", document.Quote(s))
	case r.at.name != "" && r.at.name != s:
		r.faults.Say(n, "scenario is %q, and the file is named %s; give both the same name", s, document.Quote(r.at.name))
	}
	return s
}

func (r *reader) apiName(root, n *yaml.Node) string {
	var names []string
	for _, a := range r.apis {
		names = append(names, a.Name)
	}
	if n == nil {
		r.faults.Say(root, "the scenario has no api; one of %s was expected", strings.Join(names, ", "))
		return ""
	}
	s, ok := document.Text(r.faults, n, "api")
	if !ok {
		return ""
	}
	i := slices.Index(names, s)
	if i < 0 {
		r.faults.Say(n, "there is no API %s%s", document.Quote(s), document.Hint(s, names))
		return s
	}
	r.api = r.apis[i]
	if r.at.api != "" && r.at.api != s {
		r.faults.Say(n, "api is %q, and the file stands in the folder %s; move it to %s, or change what it says", s, document.Quote(r.at.api), s)
	}
	return s
}

func (r *reader) tags(n *yaml.Node) []string {
	var tags []string
	for _, e := range document.Elements(r.faults, n, "tags") {
		tag, ok := document.Text(r.faults, e, "a tag")
		if ok && tag == "" {
			r.faults.Say(e, "a tag is empty; a word was expected")
		}
		tags = append(tags, tag)
	}
	return tags
}

func (r *reader) rule(n *yaml.Node) Rule {
	var rule Rule
	m := document.Fields(r.faults, n, "a rule", "operation", "where", "times", "skip", "outcome", "message", "with", "wire")
	if n.Kind != yaml.MappingNode {
		return rule
	}
	t := r.target(n, m["operation"])
	rule.Operation = t.name
	if w := m["where"]; w != nil {
		rule.Where = r.where(w, t)
	}
	if x := m["times"]; x != nil {
		rule.Times = r.atLeast(x, "times", 1, "; leave it out for no end")
	}
	if x := m["skip"]; x != nil {
		rule.Skip = r.atLeast(x, "skip", 0, "")
	}
	if o := m["outcome"]; o != nil {
		rule.Outcome = r.outcome(o, t)
	}
	r.language(&rule, m)
	if w := m["wire"]; w != nil {
		rule.Wire = r.wire(w)
	}
	if m["outcome"] == nil && m["wire"] == nil && 2*len(m) == len(n.Content) { // an unknown key may have meant one
		r.faults.Say(n, "the rule does nothing; outcome or wire was expected")
	}
	return rule
}

// language reads what shapes the outcome's own answer.
func (r *reader) language(rule *Rule, m map[string]*yaml.Node) {
	for _, key := range []string{"message", "with"} {
		if m[key] != nil && m["outcome"] == nil {
			r.faults.Say(m[key], "%s needs an outcome that it belongs to; name the outcome", key)
		}
	}
	if n := m["message"]; n != nil {
		s, ok := document.Text(r.faults, n, "message")
		if ok && s == "" {
			r.faults.Say(n, "message is empty; a text was expected; leave it out for the documented one")
		}
		rule.Message = s
	}
	if n := m["with"]; n != nil {
		rule.With = r.patch(n, "with")
	}
}

func (r *reader) atLeast(n *yaml.Node, what string, least int, advice string) int {
	i, ok := document.Integer(r.faults, n, what)
	if ok && i < least {
		r.faults.Say(n, "%s is %d; at least %d was expected%s", what, i, least, advice)
	}
	return i
}

// A target is what a rule's operation stands for.
type target struct {
	name  string
	known bool
	op    *contract.Operation // nil for Any
}

func (r *reader) target(rule, n *yaml.Node) target {
	if n == nil {
		r.faults.Say(rule, `the rule has no operation; a documented name or "*" was expected`)
		return target{}
	}
	s, ok := document.Text(r.faults, n, "operation")
	t := target{name: s, known: ok && s == Any}
	if !ok || s == Any || r.api == nil {
		t.known = t.known && r.api != nil
		return t
	}
	if t.op = r.api.Operation(s); t.op == nil {
		r.faults.Say(n, "%s has no operation %s%s", r.api.Name, document.Quote(s), document.Hint(s, operationNames(r.api)))
	}
	t.known = t.op != nil
	return t
}

func operationNames(api *contract.API) []string {
	names := make([]string, len(api.Operations))
	for i, op := range api.Operations {
		names[i] = op.Name
	}
	return names
}

func outcomeNames(outcomes []*contract.Outcome) []string {
	names := make([]string, len(outcomes))
	for i, o := range outcomes {
		names[i] = o.Name
	}
	return names
}

func (r *reader) outcome(n *yaml.Node, t target) string {
	s, ok := document.Text(r.faults, n, "outcome")
	if !ok || !t.known || r.api.Outcome(t.op, s) != nil {
		if ok && s == "" {
			r.faults.Say(n, "outcome is empty; a documented outcome was expected; leave it out to let the emulator decide")
		}
		return s
	}
	hint := document.Hint(s, outcomeNames(r.api.Ends(t.op)))
	if t.op != nil {
		r.faults.Say(n, "%s has no outcome %s%s", t.name, document.Quote(s), hint)
		return s
	}
	for _, op := range r.api.Operations {
		if r.api.Outcome(op, s) != nil {
			r.faults.Say(n, `not every operation ends in %q, and "*" stands for all of them; name the operation, such as %s`, s, op.Name)
			return s
		}
	}
	r.faults.Say(n, "%s has no outcome %s in which every operation may end%s", r.api.Name, document.Quote(s), hint)
	return s
}

func (r *reader) where(n *yaml.Node, t target) []Condition {
	var conditions []Condition
	for key, value := range document.Pairs(r.faults, n, "where") {
		if t.known && !r.faults.Full() {
			r.param(key, t)
		}
		text, _ := document.Text(r.faults, value, "where "+key.Value)
		conditions = append(conditions, Condition{Param: key.Value, Value: text})
	}
	return conditions
}

// param holds the name of a condition against the rows of its operation, or
// for Any against those of all.
func (r *reader) param(key *yaml.Node, t target) {
	operations, whose := []*contract.Operation{t.op}, t.name+" has no"
	if t.op == nil {
		operations, whose = r.api.Operations, "no operation of "+r.api.Name+" has a"
	}
	var names []string
	seen := map[string]bool{}
	for _, op := range operations {
		for i := range op.Params {
			p := &op.Params[i]
			if p.Name == key.Value {
				return
			}
			if !seen[p.Name] {
				seen[p.Name] = true
				names = append(names, p.Name)
			}
		}
	}
	r.faults.Say(key, "%s parameter %s%s", whose, document.Quote(key.Value), document.Hint(key.Value, names))
}

// below names a value inside of another.
func below(under, name string) string { return under + "." + name }
