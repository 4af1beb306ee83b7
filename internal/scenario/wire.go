package scenario

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/net/http/httpguts"
	"gopkg.in/yaml.v3"

	"github.com/understudy-suite/understudy/internal/document"
)

// wire reads what the network does.
func (r *reader) wire(n *yaml.Node) *Wire {
	m := document.Fields(r.faults, n, "wire", WireKeys...)
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.faults.Addf(n, "wire is empty; delay, bandwidth, fault, answer or headers was expected")
	}
	w := &Wire{}
	if x := m["delay"]; x != nil {
		w.Delay = r.delay(x)
	}
	if x := m["bandwidth"]; x != nil {
		w.Bandwidth = r.bandwidth(x)
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
		r.faults.Addf(m["answer"], "fault and answer exclude each other: what is cut off cannot answer; leave one")
	}
	if x := m["when"]; x != nil {
		w.When = r.when(x, w, m["fault"] != nil || m["answer"] != nil)
	}
	return w
}

// when reads whether the request had arrived when the wire broke.
func (r *reader) when(n *yaml.Node, w *Wire, breaks bool) When {
	s, ok := document.Text(r.faults, n, "when")
	switch when := When(s); {
	case !ok:
	case when != Before && when != After:
		r.faults.Addf(n, "when is %s; before or after was expected", document.Quote(s))
	case !breaks:
		r.faults.Addf(n, "when needs a fault or an answer that it belongs to; name one")
	case when == Before && (w.Fault == Truncate || w.Fault == Garbage):
		r.faults.Addf(n, "an answer that ends in %s had begun, so the call was carried out; leave when out, or take fault: reset", w.Fault)
	default:
		return when
	}
	return ""
}

// delay reads how long an answer is held back: a duration, {min, max} or
// {median, sigma}.
func (r *reader) delay(n *yaml.Node) Delay {
	if n.Kind != yaml.MappingNode {
		return Delay{Fixed: r.duration(n, "delay")}
	}
	m := document.Fields(r.faults, n, "delay", "min", "max", "median", "sigma")
	has := func(keys ...string) bool {
		return len(m) == 2 && m[keys[0]] != nil && m[keys[1]] != nil
	}
	switch {
	case has("min", "max"):
		d := Delay{Max: r.duration(m["max"], "delay.max")}
		if m["min"].Value != "0s" && m["min"].Value != "0" {
			d.Min = r.duration(m["min"], "delay.min")
		}
		if d.Max > 0 && d.Min > d.Max {
			r.faults.Addf(m["max"], "delay.max is %s, and delay.min is %s; a longer max was expected", d.Max, d.Min)
		}
		return d
	case has("median", "sigma"):
		d := Delay{Median: r.duration(m["median"], "delay.median")}
		sigma, ok := r.number(m["sigma"], "delay.sigma")
		if ok && (sigma <= 0 || sigma > mostSigma) {
			r.faults.Addf(m["sigma"], "delay.sigma is %s; a number above 0 and up to %d was expected, such as 0.5", m["sigma"].Value, mostSigma)
		}
		d.Sigma = sigma
		return d
	}
	r.faults.Addf(n, "delay is a mapping of neither form; {min: 1s, max: 3s} or {median: 1s, sigma: 0.5} was expected")
	return Delay{}
}

// mostSigma is the widest spread of a delay: with more, most throws would be
// next to nothing or without end.
const mostSigma = 5

// rates reads a number of bytes in a second.
var rates = regexp.MustCompile(`^([1-9][0-9]{0,8})(B|KB|MB)/s$`)

// bandwidth reads how many bytes of a body pass in a second. A KB is 1,000 of
// them, as networks count.
func (r *reader) bandwidth(n *yaml.Node) int {
	found := rates.FindStringSubmatch(n.Value)
	if n.Kind != yaml.ScalarNode || found == nil {
		r.faults.Addf(n, "bandwidth is %s; bytes in a second, such as 500B/s, 2KB/s or 1MB/s, were expected", document.Describe(n))
		return 0
	}
	count, _ := strconv.Atoi(found[1]) // nine digits fit
	return count * map[string]int{"B": 1, "KB": 1000, "MB": 1000_000}[found[2]]
}

func (r *reader) fault(n *yaml.Node) Fault {
	s, ok := document.Text(r.faults, n, "fault")
	if ok && !slices.Contains(Faults, s) {
		r.faults.Addf(n, "there is no fault %s%s", document.Quote(s), document.Hint(s, Faults))
	}
	return Fault(s)
}

func (r *reader) answer(n *yaml.Node) *Answer {
	a := &Answer{Header: http.Header{}}
	m := document.Fields(r.faults, n, "answer", answerKeys...)
	if n.Kind != yaml.MappingNode {
		return a
	}
	if x := m["status"]; x == nil {
		r.faults.Addf(n, "the answer has no status; a whole number from 200 to 599 was expected")
	} else if i, ok := document.Integer(r.faults, x, "status"); ok {
		if i < 200 || i > 599 {
			r.faults.Addf(x, "status is %d; 200 to 599 was expected", i)
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
		if a.Body != "" && (a.Status == http.StatusNoContent || a.Status == http.StatusNotModified) {
			r.faults.Addf(x, "an answer with the status %d has no body; leave the body out", a.Status)
		}
	}
	return a
}

// framing are the headers that say where an answer ends. Laid over, they
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
			r.faults.Addf(key, "%s is no name of a header; letters, digits and dashes were expected", document.Quote(h.Name))
		case slices.Contains(framing, canonical):
			r.faults.Addf(key, "the header %s says where the answer ends, which the server sets itself; for an answer that ends early use fault: truncate", h.Name)
		case seen[canonical]:
			r.faults.Addf(key, "the header %s stands twice; leave one", document.Quote(h.Name))
		}
		seen[canonical] = true
		if removable && value.Kind == yaml.ScalarNode && value.Tag == "!!null" {
			h.Remove = true
		} else if text, ok := document.Text(r.faults, value, what+"."+h.Name); ok {
			if !httpguts.ValidHeaderFieldValue(text) {
				r.faults.Addf(value, "the header %s is %s; one line without control characters was expected", h.Name, document.Quote(text))
			}
			h.Value = text
		}
		headers = append(headers, h)
	}
	return headers
}
