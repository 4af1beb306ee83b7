package control

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/wire"
)

// scenarioDocument is all that a scenario's file says.
type scenarioDocument struct {
	Name        string   `json:"name"`
	API         string   `json:"api"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	File        string   `json:"file,omitempty"`
	Rules       []rule   `json:"rules"`
}

// rule has the keys of a rule in a file, in their order.
type rule struct {
	Line      int                        `json:"line,omitempty"`
	Operation string                     `json:"operation"`
	Where     map[string]any             `json:"where,omitempty"` // a value, or a matcher
	State     string                     `json:"state,omitempty"`
	Times     int                        `json:"times,omitempty"`
	Skip      int                        `json:"skip,omitempty"`
	Chance    float64                    `json:"chance,omitempty"`
	From      string                     `json:"from,omitempty"`
	Until     string                     `json:"until,omitempty"`
	Outcome   string                     `json:"outcome,omitempty"`
	Outcomes  []string                   `json:"outcomes,omitempty"`
	Repeat    string                     `json:"repeat,omitempty"`
	Message   string                     `json:"message,omitempty"`
	With      json.RawMessage            `json:"with,omitempty"`
	Phantom   bool                       `json:"phantom,omitempty"`
	Then      string                     `json:"then,omitempty"`
	Trigger   map[string]contract.Values `json:"trigger,omitempty"`
	Expect    map[string]int             `json:"expect,omitempty"`
	Wire      *network                   `json:"wire,omitempty"`
}

// network is what a rule has the network do.
type network struct {
	Delay     any                `json:"delay,omitempty"` // a duration, or a mapping
	Bandwidth string             `json:"bandwidth,omitempty"`
	Fault     string             `json:"fault,omitempty"`
	When      string             `json:"when,omitempty"`
	Answer    *answer            `json:"answer,omitempty"`
	Headers   map[string]*string `json:"headers,omitempty"` // null takes a header away
}

type answer struct {
	Status  int         `json:"status"`
	Headers http.Header `json:"headers,omitempty"`
	Body    string      `json:"body,omitempty"`
}

func scenarioDocumentOf(s *scenario.Scenario) scenarioDocument {
	doc := scenarioDocument{s.FullName(), s.API, s.Description, nonNil(s.Tags), s.File, nil}
	for i := range s.Rules {
		doc.Rules = append(doc.Rules, ruleOf(&s.Rules[i]))
	}
	return doc
}

func ruleOf(r *scenario.Rule) rule {
	doc := rule{
		Line: r.Line, Operation: r.Operation, Where: whereOf(r.Where), State: r.State, Times: r.Times, Skip: r.Skip,
		Chance: r.Chance, From: durationOf(r.From), Until: durationOf(r.Until),
		Message: r.Message, Phantom: r.Phantom, Then: r.Then, Wire: networkOf(r.Wire),
	}
	doc.Outcome, doc.Outcomes = oneOrSeveral(r.Outcomes)
	if r.RepeatAll {
		doc.Repeat = "all"
	}
	if len(r.With) > 0 {
		doc.With = patchOf(r.With)
	}
	for _, t := range r.Triggers {
		if doc.Trigger == nil {
			doc.Trigger = map[string]contract.Values{}
		}
		doc.Trigger[t.Name] = t.In
	}
	if r.Expect > 0 {
		doc.Expect = map[string]int{"fired": r.Expect}
	}
	return doc
}

// durationOf is a duration as files write it; 0 says nothing.
func durationOf(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// whereOf returns conditions by their parameters.
func whereOf(where []scenario.Condition) map[string]any {
	if len(where) == 0 {
		return nil
	}
	doc := map[string]any{}
	for i := range where {
		c := &where[i]
		if c.Match == scenario.Equal {
			doc[c.Param] = c.Value
			continue
		}
		matcher, _ := doc[c.Param].(map[string]any)
		if matcher == nil {
			matcher = map[string]any{}
			doc[c.Param] = matcher
		}
		matcher[string(c.Match)] = operandOf(c)
	}
	return doc
}

func operandOf(c *scenario.Condition) any {
	switch c.Match {
	case scenario.In:
		return c.In
	case scenario.Matches:
		return c.Pattern.String()
	case scenario.Greater, scenario.Less:
		return c.Number
	}
	return true
}

func networkOf(w *scenario.Wire) *network {
	if w == nil {
		return nil
	}
	n := &network{Delay: delayOf(w.Delay), Fault: string(w.Fault), When: string(w.When)}
	if w.Bandwidth > 0 {
		n.Bandwidth = bandwidthOf(w.Bandwidth)
	}
	if w.Answer != nil {
		n.Answer = &answer{w.Answer.Status, w.Answer.Header, w.Answer.Body}
	}
	for _, h := range w.Headers {
		if n.Headers == nil {
			n.Headers = map[string]*string{}
		}
		n.Headers[h.Name] = nil
		if !h.Remove {
			n.Headers[h.Name] = &h.Value
		}
	}
	return n
}

// delayOf is a delay as a file writes it; nil says nothing.
func delayOf(d scenario.Delay) any {
	switch {
	case d.Max > 0:
		return map[string]any{"min": d.Min.String(), "max": d.Max.String()}
	case d.Median > 0:
		return map[string]any{"median": d.Median.String(), "sigma": d.Sigma}
	case d.Fixed > 0:
		return d.Fixed.String()
	}
	return nil
}

func bandwidthOf(bytes int) string {
	for _, unit := range []struct {
		name string
		of   int
	}{{"MB/s", 1000_000}, {"KB/s", 1000}} {
		if bytes%unit.of == 0 {
			return strconv.Itoa(bytes/unit.of) + unit.name
		}
	}
	return strconv.Itoa(bytes) + "B/s"
}

// patchOf writes a patch as the object that a scenario file has for it: null
// takes a member away.
func patchOf(p wire.Patch) json.RawMessage {
	var b bytes.Buffer
	for i, m := range p {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(wire.Encode(m.Name))
		b.WriteByte(':')
		switch {
		case m.Inner != nil:
			b.Write(patchOf(m.Inner))
		case m.Value == nil:
			b.WriteString("null")
		default:
			b.Write(m.Value)
		}
	}
	if len(p) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes()
}
