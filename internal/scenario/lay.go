package scenario

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/net/http/httpguts"
	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/document"
	"github.com/understudy-suite/understudy/internal/wire"
)

// patch reads what is laid over a reply, in the order of the file. A null
// takes the field away, a mapping is laid over the object that stands there,
// and {} stands for the empty object.
func (r *reader) patch(n *yaml.Node, what string) wire.Patch {
	patch := wire.Patch{}
	for key, value := range document.Pairs(r.faults, n, what) {
		m := wire.Member{Name: key.Value}
		switch {
		case value.Kind == yaml.MappingNode && len(value.Content) > 0:
			m.Inner = r.patch(value, below(what, key.Value))
		case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		default:
			m.Value = r.json(nil, value, below(what, key.Value))
		}
		patch = append(patch, m)
	}
	return patch
}

// json appends a value as JSON, the members of mappings in the order of the
// file.
func (r *reader) json(out []byte, n *yaml.Node, what string) json.RawMessage {
	switch n.Kind {
	case yaml.SequenceNode:
		out = append(out, '[')
		for i, e := range document.Elements(r.faults, n, what) {
			if i > 0 {
				out = append(out, ',')
			}
			out = r.json(out, e, below(what, strconv.Itoa(i)))
		}
		return append(out, ']')
	case yaml.MappingNode:
		out = append(out, '{')
		empty := len(out)
		for key, value := range document.Pairs(r.faults, n, what) {
			if len(out) > empty {
				out = append(out, ',')
			}
			out = append(append(out, wire.Encode(key.Value)...), ':')
			out = r.json(out, value, below(what, key.Value))
		}
		return append(out, '}')
	}
	x, ok := document.Scalar(r.faults, n, what)
	if !ok {
		return append(out, "null"...)
	}
	return append(out, wire.Encode(x)...)
}

// wire reads what the network does.
func (r *reader) wire(n *yaml.Node) *Wire {
	m := document.Fields(r.faults, n, "wire", "delay", "fault", "answer", "headers")
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.faults.Say(n, "wire is empty; delay, fault, answer or headers was expected")
	}
	w := &Wire{}
	if x := m["delay"]; x != nil {
		w.Delay = r.delay(x)
	}
	if x := m["fault"]; x != nil {
		w.Fault = r.fault(x)
	}
	if x := m["answer"]; x != nil {
		w.Answer = r.answer(x)
	}
	if x := m["headers"]; x != nil {
		w.Headers = r.headers(x, "wire.headers", true)
	}
	if m["fault"] != nil && m["answer"] != nil {
		r.faults.Say(m["answer"], "fault and answer exclude each other: what is cut off cannot answer; leave one")
	}
	return w
}

func (r *reader) delay(n *yaml.Node) time.Duration {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || d <= 0 {
		r.faults.Say(n, "delay is %s; a duration above zero, such as 500ms or 2s, was expected", document.Describe(n))
	}
	return d
}

func (r *reader) fault(n *yaml.Node) Fault {
	s, ok := document.Text(r.faults, n, "fault")
	if ok && !slices.Contains(faultNames, s) {
		r.faults.Say(n, "there is no fault %s%s", document.Quote(s), document.Hint(s, faultNames))
	}
	return Fault(s)
}

func (r *reader) answer(n *yaml.Node) *Answer {
	a := &Answer{Header: http.Header{}}
	m := document.Fields(r.faults, n, "answer", "status", "headers", "body")
	if n.Kind != yaml.MappingNode {
		return a
	}
	if x := m["status"]; x == nil {
		r.faults.Say(n, "the answer has no status; a whole number from 200 to 599 was expected")
	} else if i, ok := document.Integer(r.faults, x, "status"); ok {
		if i < 200 || i > 599 {
			r.faults.Say(x, "status is %d; 200 to 599 was expected", i)
		}
		a.Status = i
	}
	if x := m["headers"]; x != nil {
		for _, h := range r.headers(x, "answer.headers", false) {
			a.Header.Set(h.Name, h.Value)
		}
	}
	if x := m["body"]; x != nil {
		a.Body, _ = document.Text(r.faults, x, "body")
	}
	return a
}

// framing are the headers that tell where an answer ends. Laid over, they
// would make answers that no client gets to see.
var framing = []string{"Content-Length", "Transfer-Encoding", "Trailer"}

// headers reads header names and values. Names that differ only in case are
// one header.
func (r *reader) headers(n *yaml.Node, what string, removable bool) []HeaderChange {
	var headers []HeaderChange
	seen := map[string]bool{}
	for key, value := range document.Pairs(r.faults, n, what) {
		h := HeaderChange{Name: key.Value}
		canonical := http.CanonicalHeaderKey(h.Name)
		switch {
		case !httpguts.ValidHeaderFieldName(h.Name):
			r.faults.Say(key, "%s is no name of a header; letters, digits and dashes were expected", document.Quote(h.Name))
		case slices.Contains(framing, canonical):
			r.faults.Say(key, "the header %s tells where the answer ends, which the server says itself; for an answer that ends early use fault: truncate", h.Name)
		case seen[canonical]:
			r.faults.Say(key, "the header %s stands twice; leave one", document.Quote(h.Name))
		}
		seen[canonical] = true
		if removable && value.Kind == yaml.ScalarNode && value.Tag == "!!null" {
			h.Remove = true
		} else if text, ok := document.Text(r.faults, value, what+"."+h.Name); ok {
			if !httpguts.ValidHeaderFieldValue(text) {
				r.faults.Say(value, "the header %s is %s; one line without control characters was expected", h.Name, document.Quote(text))
			}
			h.Value = text
		}
		headers = append(headers, h)
	}
	return headers
}
