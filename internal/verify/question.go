package verify

import (
	"fmt"
	"strconv"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// questions are what the checks of one run ask of a call. What several of them ask
// alike is there once, so that it is answered once for each call.
type questions struct {
	matchers map[matcherKey]*matcher
	terms    map[termKey]*term
	places   map[string]*place // by their parameters
}

func newQuestions() *questions {
	return &questions{matchers: map[matcherKey]*matcher{}, terms: map[termKey]*term{}, places: map[string]*place{}}
}

// A matcher holds calls against a description of Calls.
type matcher struct {
	*Calls
	terms []*term // one for each condition

	of     *journal.Entry // the call that was asked about last
	answer answer
}

// A matcherKey tells descriptions of calls apart.
type matcherKey struct {
	api, operation, outcome string
	decidedBy               journal.Decider
	where                   string // the numbers of the terms
}

func (q *questions) matcher(calls *Calls) *matcher {
	terms := make([]*term, len(calls.Where))
	var where []byte
	for i := range calls.Where {
		terms[i] = q.term(&calls.Where[i])
		where = append(strconv.AppendInt(where, int64(terms[i].number), 10), ' ')
	}
	key := matcherKey{calls.API, calls.Operation, calls.Outcome, calls.DecidedBy, string(where)}
	m := q.matchers[key]
	if m == nil {
		m = &matcher{Calls: calls, terms: terms}
		q.matchers[key] = m
	}
	return m
}

// A term is a condition that is held against calls.
type term struct {
	*scenario.Condition
	number int // among the terms
	place  *place

	of     *journal.Entry // the call that was asked about last
	answer answer
}

// A termKey tells conditions apart.
type termKey struct {
	param  string
	match  scenario.Match
	text   string // the value, the values or the pattern
	number float64
}

func (q *questions) term(c *scenario.Condition) *term {
	key := termKey{c.Param, c.Match, c.Value, c.Number}
	switch c.Match {
	case scenario.In:
		key.text = fmt.Sprintf("%q", c.In)
	case scenario.Matches:
		key.text = c.Pattern.String()
	}
	t := q.terms[key]
	if t == nil {
		t = &term{Condition: c, number: len(q.terms), place: q.place(c.Param)}
		q.terms[key] = t
	}
	return t
}

func (t *term) holds(c *call) answer {
	if t.of != c.Entry {
		t.of, t.answer = c.Entry, t.place.find(c).holds(t.Condition)
	}
	return t.answer
}

// A place is where a parameter stands in calls.
type place struct {
	param string
	spots map[*contract.Operation]*scenario.Spot

	known bool // finding is that of the call at hand
	finding
}

func (q *questions) place(param string) *place {
	p := q.places[param]
	if p == nil {
		p = &place{param: param, spots: map[*contract.Operation]*scenario.Spot{}}
		q.places[param] = p
	}
	return p
}

// find finds what stands at the place in a call.
func (p *place) find(c *call) *finding {
	if !p.known {
		at := p.spots[c.op]
		if at == nil {
			spot := scenario.SpotOf(p.param, c.op)
			at = &spot
			p.spots[c.op] = at
		}
		p.known, p.finding = true, c.find(at)
		c.found = append(c.found, p)
	}
	return &p.finding
}
