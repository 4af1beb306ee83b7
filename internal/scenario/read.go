package scenario

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// Parse reads a scenario file and holds it against the tables of apis. Its
// error has every fault of the file with its place.
func Parse(file string, text []byte, apis []*contract.API) (*Scenario, error) {
	return ParseAt(file, text, apis, Place{})
}

// A Place says what a file must be about because of where it stands.
type Place struct{ API, Name string }

// ParseAt is Parse for a file whose place says what it must be about.
func ParseAt(file string, text []byte, apis []*contract.API, at Place) (*Scenario, error) {
	root, err := document.Parse(file, text)
	if err != nil {
		return nil, err
	}
	r := reader{faults: document.NewFaults(file), apis: apis, at: at}
	s := r.scenario(root)
	s.File, s.Text = file, string(text)
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// A reader reads one file. Where it finds a fault it says so and reads on.
type reader struct {
	faults *document.Faults
	apis   []*contract.API
	at     Place
	api    *contract.API // nil until it is known, and for every API
	all    bool          // the scenario is for every API

	patterns int // regular expressions so far
}

// mostRules is how many rules a scenario may have. They are held against one
// another, and every call against them.
const mostRules = 500

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func (r *reader) scenario(n *yaml.Node) *Scenario {
	m := document.Fields(r.faults, n, "a scenario", FileKeys...)
	s := &Scenario{Name: r.name(n, m["scenario"]), API: r.apiName(n, m["api"])}
	if d := m["description"]; d != nil {
		s.Description, _ = document.Text(r.faults, d, "description")
	}
	if t := m["tags"]; t != nil {
		s.Tags = r.tags(t)
	}
	rules := m["rules"]
	if rules == nil {
		r.faults.Addf(n, "the scenario has no rules; a list of at least one rule was expected")
		return s
	}
	elements := document.Elements(r.faults, rules, "rules")
	if rules.Kind == yaml.SequenceNode && len(elements) == 0 {
		r.faults.Addf(rules, "rules is empty; at least one rule was expected")
	}
	if len(elements) > mostRules {
		r.faults.Addf(elements[mostRules], "this is rule %d; at most %d were expected; split the scenario", mostRules+1, mostRules)
		return s
	}
	var sound []bool
	for _, e := range elements {
		if r.faults.Full() {
			break
		}
		before := r.faults.Count()
		s.Rules = append(s.Rules, r.rule(e))
		sound = append(sound, r.faults.Count() == before)
	}
	r.reportUnreachable(elements, s.Rules, sound)
	return s
}

func (r *reader) name(root, n *yaml.Node) string {
	if n == nil {
		r.faults.Addf(root, "the scenario has no name; scenario: NAME was expected")
		return ""
	}
	s, ok := document.Text(r.faults, n, "scenario")
	switch {
	case !ok:
	case !name.MatchString(s):
		r.faults.Addf(n, "scenario is %s; a name of letters, digits, dots, dashes and underscores was expected", document.Quote(s))
	case r.at.Name != "" && r.at.Name != s:
		r.faults.Addf(n, "scenario is %q, and the file is named %s; give both the same name", s, document.Quote(r.at.Name))
	}
	return s
}

func (r *reader) apiName(root, n *yaml.Node) string {
	var names []string
	for _, a := range r.apis {
		names = append(names, a.Name)
	}
	if n == nil {
		r.faults.Addf(root, "the scenario has no api; one of %s was expected", strings.Join(names, ", "))
		return ""
	}
	s, ok := document.Text(r.faults, n, "api")
	if !ok {
		return ""
	}
	if s == Everywhere {
		r.all = true
	} else if i := slices.Index(names, s); i >= 0 {
		r.api = r.apis[i]
	} else {
		r.faults.Addf(n, "there is no API %s%s", document.Quote(s), document.Hint(s, append(names, Everywhere)))
		return s
	}
	if r.at.API != "" && r.at.API != s {
		r.faults.Addf(n, "api is %q, and the file stands in the folder %s; move it to %s, or change what it says", s, document.Quote(r.at.API), s)
	}
	return s
}

func (r *reader) tags(n *yaml.Node) []string {
	var tags []string
	for _, e := range document.Elements(r.faults, n, "tags") {
		tag, ok := document.Text(r.faults, e, "a tag")
		switch {
		case !ok:
		case tag == "":
			r.faults.Addf(e, "a tag is empty; a word was expected")
		case slices.Contains(tags, tag):
			r.faults.Addf(e, "the tag %s stands twice; leave one", document.Quote(tag))
		}
		tags = append(tags, tag)
	}
	return tags
}

// memberPath returns the path of a value inside of another.
func memberPath(under, name string) string { return under + "." + name }

// atLeast reads a whole number that has a least value.
func (r *reader) atLeast(n *yaml.Node, what string, least int, advice string) int {
	i, ok := document.Integer(r.faults, n, what)
	if ok && i < least {
		r.faults.Addf(n, "%s is %d; at least %d was expected%s", what, i, least, advice)
	}
	return i
}

// duration reads a length of time above zero.
func (r *reader) duration(n *yaml.Node, what string) time.Duration {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || d <= 0 {
		r.faults.Addf(n, "%s is %s; a duration above zero, such as 500ms or 2s, was expected", what, document.Describe(n))
		return 0
	}
	return d
}

// readTrue reads a value that can only be true.
func (r *reader) readTrue(n *yaml.Node, what, otherwise string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Value[0] != 't' && n.Value[0] != 'T' {
		r.faults.Addf(n, "%s is %s; true was expected; %s", what, document.Describe(n), otherwise)
		return false
	}
	return true
}

// number reads a number.
func (r *reader) number(n *yaml.Node, what string) (float64, bool) {
	x, ok := document.Scalar(r.faults, n, what)
	if !ok {
		return 0, false
	}
	if number, ok := x.(json.Number); ok {
		if f, err := number.Float64(); err == nil {
			return f, true
		}
	}
	r.faults.Addf(n, "%s is %s; a number was expected", what, document.Describe(n))
	return 0, false
}
