package verify

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// The keys of a check, of what a count is and of an item of an order.
var (
	CheckKeys = []string{"name", "api", "operation", "outcome", "where", "decided_by", "count", "order", "by", "within", "after", "since", "expectations"}
	CountKeys = []string{"exactly", "at_least", "at_most"}
	ItemKeys  = []string{"api", "operation", "outcome", "where", "decided_by"}
)

// The limits of what is checked at once.
const (
	mostChecks = 1000
	mostOrders = 100 // checks of an order: what they need grows with the journal
	mostItems  = 100 // of one order
	mostCalls  = 1_000_000_000
)

// Kinds are what can decide a call.
var Kinds = []string{string(journal.Emulator), string(journal.Scenario), string(journal.Header), string(journal.Check)}

// Names are what checks may name.
type Names struct {
	APIs []*contract.API

	// Scenario finds a scenario by its full or short name, and says how many rules it has.
	Scenario func(name string) (full string, rules int, err error)

	// Entry finds a call of the sandbox by its ID. doubt says why it is not known which
	// call that is; "": it is.
	Entry func(id string) (number int, doubt string, given bool)
}

// An UnreadableError is a text that is neither JSON nor YAML.
type UnreadableError struct{ Err error }

func (e *UnreadableError) Error() string { return e.Err.Error() }

// Unwrap returns the faults of the text.
func (e *UnreadableError) Unwrap() error { return e.Err }

// Parse reads one check or a list of checks, as JSON or YAML, and holds them against
// names. Its error has every fault with its place; file is only named in it.
func Parse(file string, text []byte, names Names) ([]Check, error) {
	root, err := document.ParseOneOrList(file, text)
	if err != nil && json.Valid(text) { // tabs and escapes that YAML reads otherwise
		if x, fault := wire.Value(text); fault == nil {
			root, err = document.ParseOneOrList(file, wire.Encode(x))
		}
	}
	if err != nil {
		return nil, &UnreadableError{err}
	}
	faults := document.NewFaults(file)
	r := reader{faults: faults, where: scenario.NewWhereReader(faults), names: names, outcomes: map[[2]string]map[string]bool{}}
	checks := r.checks(root)
	return checks, faults.Err()
}

type reader struct {
	faults *document.Faults
	where  *scenario.WhereReader
	names  Names

	outcomes     map[[2]string]map[string]bool // names, by API and operation
	orders       int
	expectations bool
}

func (r *reader) checks(root *yaml.Node) []Check {
	elements := []*yaml.Node{root}
	if root.Kind == yaml.SequenceNode {
		elements = document.Elements(r.faults, root, "the list of checks")
	}
	switch {
	case len(elements) == 0:
		r.faults.Addf(root, "the list of checks is empty; at least one was expected, such as {operation: CreateSession}")
	case len(elements) > mostChecks:
		r.faults.Addf(elements[mostChecks], "this is check %d; at most %d were expected; ask in several requests", mostChecks+1, mostChecks)
		return nil
	}
	checks := make([]Check, 0, len(elements))
	for _, n := range elements {
		if r.faults.Full() {
			return nil
		}
		checks = append(checks, r.check(n))
	}
	return checks
}

func (r *reader) check(n *yaml.Node) Check {
	m := document.Fields(r.faults, n, "a check", CheckKeys...)
	c := Check{Name: r.name(m["name"]), Count: Count{Least: 1, Most: Unlimited}}
	c.Since, c.Doubt = r.since(m["since"])
	switch {
	case m["expectations"] != nil:
		r.only(m, "expectations", "name")
		r.readExpectations(&c, m["expectations"])
	case m["order"] != nil:
		r.only(m, "order", "name", "api", "by", "within", "after", "since")
		r.readOrder(&c, m)
	default:
		for _, key := range []string{"by", "within", "after"} {
			if x := m[key]; x != nil {
				r.faults.Addf(x, "%s belongs to an order; order: [FirstOperation, SecondOperation] was expected beside it", key)
			}
		}
		c.Calls, _ = r.calls(m, nil)
		if x := m["count"]; x != nil {
			c.Count = r.count(x)
		}
	}
	if c.Name == "" && r.faults.Count() == 0 {
		c.Name = c.title()
	}
	return c
}

// only reports keys that do not stand beside another.
func (r *reader) only(m map[string]*yaml.Node, key string, beside ...string) {
	for _, other := range CheckKeys {
		x := m[other]
		switch {
		case x == nil || other == key || slices.Contains(beside, other):
		case key == "order" && slices.Contains(ItemKeys, other):
			r.faults.Addf(x, "%s does not stand beside order; say it of a call in it: order: [{operation: CreateSession, %[1]s: …}, …]", other)
		default:
			r.faults.Addf(x, "%s does not stand beside %s; make two checks of it", other, key)
		}
	}
}

func (r *reader) name(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	s, ok := document.Text(r.faults, n, "name")
	switch {
	case ok && s == "":
		r.faults.Addf(n, "name is empty; a text was expected; leave it out for one that is made of the check")
	case utf8.RuneCountInString(s) > longestName:
		r.faults.Addf(n, "name has %d characters; at most %d were expected", utf8.RuneCountInString(s), longestName)
	}
	return s
}

func (r *reader) since(n *yaml.Node) (number int, doubt string) {
	if n == nil {
		return 0, ""
	}
	id, ok := document.Text(r.faults, n, "since")
	if !ok {
		return 0, ""
	}
	number, doubt, given := r.names.Entry(id)
	if !given {
		r.faults.Addf(n, "since is %s, which is no call of the sandbox; the ID of a journal's entry was expected, as the header Understudy-Call has it", document.Quote(id))
	}
	return number, doubt
}

func (r *reader) readExpectations(c *Check, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Value[0] != 't' && n.Value[0] != 'T' {
		r.faults.Addf(n, "expectations is %s; true was expected; leave it out otherwise", document.Describe(n))
	}
	if r.expectations {
		r.faults.Addf(n, "expectations are checked twice; leave one of the two")
	}
	r.expectations, c.Expectations = true, true
}

// readOrder reads the calls that came one after the other.
func (r *reader) readOrder(c *Check, m map[string]*yaml.Node) {
	n := m["order"]
	if r.orders++; r.orders > mostOrders {
		r.faults.Addf(n, "this is order %d; at most %d were expected; ask in several requests", r.orders, mostOrders)
		return
	}
	apis, known := r.apis(m["api"])
	elements := document.Elements(r.faults, n, "order")
	switch {
	case n.Kind != yaml.SequenceNode || !known:
		return
	case len(elements) < 2:
		r.faults.Addf(n, "order has %s; at least two were expected", counted(len(elements), "call"))
	case len(elements) > mostItems:
		r.faults.Addf(n, "order has %d calls; at most %d were expected", len(elements), mostItems)
		return
	}
	var all []*contract.Operation
	for _, e := range elements {
		item, operations := r.item(e, apis)
		c.Order = append(c.Order, item)
		all = append(all, operations...)
	}
	c.Within, c.After = r.duration(m["within"], "within"), r.duration(m["after"], "after")
	if c.Within > 0 && c.Within < c.After {
		r.faults.Addf(m["within"], "within is %s, and after is %s; a longer within was expected", c.Within, c.After)
	}
	if by := m["by"]; by != nil {
		var ok bool
		if c.By, ok = document.Text(r.faults, by, "by"); ok && len(all) > 0 {
			r.where.CheckAny(by, all)
		}
	}
}

// item reads one call of an order: an operation's name, or more about it.
func (r *reader) item(n *yaml.Node, apis []*contract.API) (Calls, []*contract.Operation) {
	if n.Kind == yaml.ScalarNode {
		return r.calls(map[string]*yaml.Node{"operation": n}, apis)
	}
	return r.calls(document.Fields(r.faults, n, "a call of an order", ItemKeys...), apis)
}

func (r *reader) duration(n *yaml.Node, what string) time.Duration {
	if n == nil {
		return 0
	}
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || d <= 0 {
		r.faults.Addf(n, "%s is %s; a duration above zero, such as 500ms or 2s, was expected", what, document.Describe(n))
		return 0
	}
	return d
}

func (r *reader) count(n *yaml.Node) Count {
	m := document.Fields(r.faults, n, "count", CountKeys...)
	count := Count{Most: Unlimited}
	exactly, least, most := m["exactly"], m["at_least"], m["at_most"]
	switch {
	case n.Kind != yaml.MappingNode:
	case exactly == nil && least == nil && most == nil:
		r.faults.Addf(n, "count says nothing; {exactly: 2}, {at_least: 1} or {at_most: 3} was expected")
	case exactly != nil && (least != nil || most != nil):
		r.faults.Addf(exactly, "exactly excludes at_least and at_most; leave one")
	}
	if exactly != nil {
		count.Least = r.number(exactly, "exactly", 0)
		count.Most = count.Least
	}
	if least != nil {
		count.Least = r.number(least, "at_least", 1)
	}
	if most != nil {
		count.Most = r.number(most, "at_most", 0)
		if count.Most < count.Least {
			r.faults.Addf(most, "at_most is %d, and at_least is %d; a greater at_most was expected", count.Most, count.Least)
		}
	}
	return count
}

func (r *reader) number(n *yaml.Node, what string, least int) int {
	i, ok := document.Integer(r.faults, n, what)
	if ok && (i < least || i > mostCalls) {
		r.faults.Addf(n, "%s is %d; a number from %d to %d was expected", what, i, least, mostCalls)
	}
	return i
}

// apis finds the APIs that a check may be about; known is false where the named one
// is none, which was reported.
func (r *reader) apis(n *yaml.Node) (apis []*contract.API, known bool) {
	if n == nil {
		return r.names.APIs, true
	}
	s, ok := document.Text(r.faults, n, "api")
	var names []string
	for _, api := range r.names.APIs {
		if api.Name == s {
			return []*contract.API{api}, true
		}
		names = append(names, api.Name)
	}
	if ok {
		r.faults.Addf(n, "there is no API %s%s", document.Quote(s), document.Hint(s, names))
	}
	return nil, false
}

// calls reads which calls are meant, and finds the operations that they may be of.
// apis are those of the check around them; nil: all.
func (r *reader) calls(m map[string]*yaml.Node, apis []*contract.API) (c Calls, operations []*contract.Operation) {
	known := true
	if apis == nil || m["api"] != nil {
		apis, known = r.apis(m["api"])
	}
	if !known {
		return c, nil
	}
	whose := "understudy"
	if len(apis) == 1 {
		c.API, whose = apis[0].Name, apis[0].Name
	}
	if n := m["operation"]; n != nil {
		s, ok := document.Text(r.faults, n, "operation")
		if !ok {
			return c, nil
		}
		c.Operation = s
	}
	for _, api := range apis {
		for _, op := range api.Operations {
			if c.Operation == "" || op.Name == c.Operation {
				operations = append(operations, op)
			}
		}
	}
	if n := m["operation"]; n != nil {
		if len(operations) == 0 {
			var names []string
			for _, api := range apis {
				names = append(names, api.OperationNames()...)
			}
			r.faults.Addf(n, "%s has no operation %s%s", whose, document.Quote(c.Operation), document.Hint(c.Operation, names))
			return c, nil
		}
		whose = c.Operation
	}
	if n := m["outcome"]; n != nil {
		c.Outcome = r.outcome(n, whose, r.ends(apis, &c))
	}
	if n := m["where"]; n != nil {
		c.Where = r.where.Read(n, operations, whose)
	}
	if n := m["decided_by"]; n != nil {
		c.DecidedBy = r.decider(n, apis)
	}
	return c, operations
}

// ends lists the names of the outcomes in which the calls may end.
func (r *reader) ends(apis []*contract.API, c *Calls) map[string]bool {
	of := [2]string{c.API, c.Operation}
	if names := r.outcomes[of]; names != nil {
		return names
	}
	names := map[string]bool{}
	for _, api := range apis {
		operations := api.Operations
		if c.Operation == "" {
			operations = append(operations[:len(operations):len(operations)], nil) // calls that name no operation
		}
		for _, op := range operations {
			if op != nil && c.Operation != "" && op.Name != c.Operation {
				continue
			}
			for _, o := range api.Ends(op) {
				names[o.Name] = true
			}
		}
	}
	r.outcomes[of] = names
	return names
}

func (r *reader) outcome(n *yaml.Node, whose string, ends map[string]bool) string {
	s, ok := document.Text(r.faults, n, "outcome")
	if ok && !ends[s] {
		r.faults.Addf(n, "%s has no outcome %s%s", whose, document.Quote(s), document.Hint(s, slices.Sorted(maps.Keys(ends))))
	}
	return s
}

// decider reads what decided, as the header Understudy-Decided-By writes it: emulator,
// check signature, scenario parcels/full rule 1. What follows the first word may be left out.
func (r *reader) decider(n *yaml.Node, apis []*contract.API) (d journal.Decider) {
	s, ok := document.Text(r.faults, n, "decided_by")
	if !ok {
		return d
	}
	kind, rest, more := strings.Cut(s, " ")
	d.Kind = journal.Kind(kind)
	switch {
	case !slices.Contains(Kinds, kind):
		r.faults.Addf(n, "nothing is decided by %s%s", document.Quote(s), document.Hint(kind, Kinds))
	case !more:
	case d.Kind == journal.Check:
		d.Name = rest
		r.checkName(n, rest, apis)
	case d.Kind == journal.Scenario:
		r.scenario(n, rest, &d)
	default:
		r.faults.Addf(n, "decided_by is %s; %s alone was expected", document.Quote(s), kind)
	}
	return d
}

// checkName reports the name of a check that no API has.
func (r *reader) checkName(n *yaml.Node, name string, apis []*contract.API) {
	var names []string
	for _, api := range apis {
		for _, c := range api.Checks {
			if c.Name == name {
				return
			}
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	r.faults.Addf(n, "no check is called %s%s", document.Quote(name), document.Hint(name, names))
}

// scenario reads the name of a scenario, and the number of a rule of it.
func (r *reader) scenario(n *yaml.Node, text string, d *journal.Decider) {
	name, rule, hasRule := strings.Cut(text, " rule ")
	full, rules, err := r.names.Scenario(name)
	if err != nil {
		r.faults.Addf(n, "decided_by: %v", err)
		return
	}
	d.Scenario = full
	if !hasRule {
		return
	}
	if d.Rule, err = strconv.Atoi(rule); err != nil || d.Rule < 1 {
		r.faults.Addf(n, "decided_by names the rule %s; a number from 1 on was expected", document.Quote(rule))
		return
	}
	if d.Rule > rules {
		r.faults.Addf(n, "decided_by names the rule %d, and the scenario %s has %s", d.Rule, full, counted(rules, "rule"))
	}
}
