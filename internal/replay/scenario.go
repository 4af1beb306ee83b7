package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

type file struct {
	Scenario    string `yaml:"scenario"`
	API         string `yaml:"api"`
	Description string `yaml:"description"`
	Rules       []rule `yaml:"rules"`
}

type rule struct {
	Operation string            `yaml:"operation"`
	Where     map[string]string `yaml:"where,omitempty,flow"`
	Outcome   string            `yaml:"outcome"`
	With      *yaml.Node        `yaml:"with,omitempty"`
	Phantom   bool              `yaml:"phantom,omitempty"`
	Wire      *network          `yaml:"wire,omitempty"`
}

type network struct {
	Delay     string  `yaml:"delay,omitempty"`
	Bandwidth string  `yaml:"bandwidth,omitempty"`
	Fault     string  `yaml:"fault,omitempty"`
	When      string  `yaml:"when,omitempty"`
	Answer    *answer `yaml:"answer,omitempty"`

	Headers map[string]*string `yaml:"headers,omitempty"` // nil: taken away
}

type answer struct {
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers,omitempty"`
	Body    string            `yaml:"body,omitempty"`
}

// scenario writes a scenario file that brings about the call's ending for calls whose
// first required parameter is the call's: its outcome, what was returned, and what the
// network did.
func (w Writer) scenario(e *journal.Entry) (text, note string, err error) {
	api, op := find(w.APIs, e)
	if api == nil {
		return "", "", fmt.Errorf("%s is a call of %s, which is not served here", e.ID, e.API)
	}
	outcome := api.Outcome(op, e.Outcome)
	if outcome == nil {
		return "", "", fmt.Errorf("%s named no operation, and no rule of a scenario can end every operation in %s", e.ID, e.Outcome)
	}
	r := rule{Operation: e.Operation, Outcome: e.Outcome, Wire: networkOf(e), Phantom: e.Wire != nil && e.Wire.Phantom}
	if op == nil {
		r.Operation = scenario.Any
	} else if name, value := firstRequired(op, decodedOf(e)); name != "" {
		r.Where = map[string]string{name: value}
	}
	r.With = returnedFields(api.Returned(outcome), wire.Encode(e.Response.Decoded))
	if e.Response.Decoded == nil && len(e.Response.Body) > 0 {
		note = "the journal does not have what was returned; the scenario brings about the outcome alone"
	}
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	operation := e.Operation
	if op == nil {
		operation = "-"
	}
	if err := encoder.Encode(file{
		Scenario: "replay-" + e.ID, API: e.API,
		Description: fmt.Sprintf("Ends %s as the call %s ended.", operation, e.ID),
		Rules:       []rule{r},
	}); err != nil {
		return "", "", fmt.Errorf("%s cannot be written as a scenario: %w", e.ID, err)
	}
	return b.String(), note, nil
}

// returnedFields are the fields of a reply that rows document, in their order, but for
// those in which something was left out; nil where there are none.
func returnedFields(rows []contract.Param, reply []byte) *yaml.Node {
	decoder := json.NewDecoder(bytes.NewReader(reply))
	decoder.UseNumber()
	n, whole := node(decoder)
	if !whole || n.Kind != yaml.MappingNode {
		return nil
	}
	var kept []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		if contract.FindParam(rows, n.Content[i].Value) != nil && !masked(n.Content[i+1]) {
			kept = append(kept, n.Content[i], n.Content[i+1])
		}
	}
	n.Content = kept
	return layable(n)
}

// layable is a mapping without its nulls, which would take fields away; nil where
// nothing is left. In lists they stay: a list is replaced whole.
func layable(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.MappingNode || n.Style == yaml.FlowStyle {
		return n
	}
	var kept []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		if value := n.Content[i+1]; value.Tag != "!!null" && layable(value) != nil {
			kept = append(kept, n.Content[i], value)
		}
	}
	if n.Content = kept; len(kept) == 0 {
		return nil
	}
	return n
}

// masked reports whether something was left out of a value.
func masked(n *yaml.Node) bool {
	for _, c := range n.Content {
		if masked(c) {
			return true
		}
	}
	return n.Kind == yaml.ScalarNode && isMasked(n.Value)
}

// node reads a JSON value as YAML; false where it is cut or broken.
func node(d *json.Decoder) (*yaml.Node, bool) {
	token, err := d.Token()
	if err != nil {
		return nil, false
	}
	switch v := token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.MappingNode}
		if v == '[' {
			n.Kind = yaml.SequenceNode
		}
		for d.More() {
			c, whole := node(d)
			if !whole {
				return nil, false
			}
			n.Content = append(n.Content, c)
		}
		if len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
		_, err := d.Token()
		return n, err == nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}, true
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}, true
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v, Style: styleOf(v)}, true
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, true
}

// styleOf quotes texts of several lines, which YAML would fold.
func styleOf(s string) yaml.Style {
	if strings.ContainsAny(s, "\r\n\t\u0085\u2028\u2029") {
		return yaml.DoubleQuotedStyle
	}
	return 0
}

// networkOf has the network do again what it did.
func networkOf(e *journal.Entry) *network {
	if e.Wire == nil {
		return nil
	}
	w := &network{Fault: e.Wire.Fault}
	if e.Wire.DelayMS > 0 {
		w.Delay = (time.Duration(e.Wire.DelayMS) * time.Millisecond).String()
	}
	if e.Wire.Bandwidth > 0 {
		w.Bandwidth = strconv.Itoa(e.Wire.Bandwidth) + "B/s"
	}
	if (w.Fault != "" || e.Wire.Answered) && !e.Wire.Undone {
		w.When = string(scenario.After)
	}
	if e.Wire.Answered {
		w.Answer = &answer{Status: e.Response.Status, Body: string(e.Response.Body)}
		for name := range without(e.Response.Header, "Date", "Content-Length") {
			if w.Answer.Headers == nil {
				w.Answer.Headers = map[string]string{}
			}
			w.Answer.Headers[name] = e.Response.Header.Get(name)
		}
	}
	if len(e.Wire.Headers) > 0 {
		w.Headers = headersOf(e)
	}
	if reflect.DeepEqual(w, &network{}) {
		return nil
	}
	return w
}

// headersOf sets the headers that the network set, as the answer has them, and takes
// away those that it took away. What was masked is left as it comes.
func headersOf(e *journal.Entry) map[string]*string {
	changes := map[string]*string{}
	for _, name := range e.Wire.Headers {
		name = http.CanonicalHeaderKey(name)
		if values := e.Response.Header[name]; len(values) == 0 {
			changes[name] = nil
		} else if !isMasked(values[0]) {
			changes[name] = &values[0]
		}
	}
	return changes
}

// firstRequired finds the first required parameter that a request had with a plain
// value.
func firstRequired(op *contract.Operation, decoded map[string]any) (name, value string) {
	for i := range op.Params {
		if op.Params[i].Need == contract.Optional {
			continue
		}
		switch v := decoded[op.Params[i].Name].(type) {
		case string:
			if !isMasked(v) {
				return op.Params[i].Name, v
			}
		case json.Number, bool:
			return op.Params[i].Name, fmt.Sprint(v)
		}
	}
	return "", ""
}
