package contract

import (
	"slices"
	"time"
)

// A Mistake is one that clients are known to make: a row of an API's table. The
// explanation of a refused call tries the rows that know the refusal's cause, in
// their order, and names the first whose client would have sent this request.
type Mistake struct {
	Code  string   // what the journal names as the cause: "signed_other_host"
	Looks string   // what the client did, with places in braces
	Mend  string   // what to do about it, likewise
	Of    []*Cause // the refusals in which it is looked for

	// Made tries whether the client of a refused call made the mistake: it makes
	// again what such a client sends, in bounded time. The explanation that it
	// returns has neither cause nor text; its facts fill the places. nil: another
	// mistake was made, or none that is known.
	Made func(*Call, Verdict) *Explanation
}

// Found returns an explanation of facts alone. Names and values alternate.
func Found(facts ...any) *Explanation { return &Explanation{Facts: factsOf(facts)} }

// withMistake returns the explanation e, or that of the mistake that the client made.
func (v Verdict) withMistake(c *Call, e Explanation) Explanation {
	for i := range c.API.Mistakes {
		m := &c.API.Mistakes[i]
		if !slices.Contains(m.Of, v.Cause) {
			continue
		}
		if found := m.Made(c, v); found != nil {
			return m.over(c, e, found)
		}
	}
	return e
}

// over lays what was found over the explanation of the refusal.
func (m *Mistake) over(c *Call, e Explanation, found *Explanation) Explanation {
	e.Cause = m.Code
	facts := slices.Clone(found.Facts)
	for _, f := range e.Facts {
		if _, replaced := found.Facts.Get(f.Name); !replaced {
			facts = append(facts, f)
		}
	}
	e.Facts = facts
	filled := Verdict{Facts: facts}
	e.Text = filled.Fill(c, m.Looks) + " " + filled.Fill(c, m.Mend)
	for _, text := range [...]struct{ of, by *string }{{&e.Expected, &found.Expected}, {&e.Got, &found.Got}} {
		if *text.by != "" {
			*text.of = *text.by
		}
	}
	if found.FirstDifference != "" {
		e.FirstDifference, e.SignaturesDiffer = found.FirstDifference, found.SignaturesDiffer
	}
	e.Signatures, e.Keys = append(e.Signatures, found.Signatures...), append(e.Keys, found.Keys...)
	return e
}

// The offsets of time zones: no zone is farther from UTC than the greatest, and
// clocks that are set right differ by no more than the slack.
const (
	zoneStep  = 30 * time.Minute
	zoneMost  = 14 * time.Hour
	zoneSlack = time.Minute
)

// ZoneOf returns the offset of a time zone that explains how far a timestamp is
// away from now: it is near a multiple of half an hour. 0: none does.
func ZoneOf(skew time.Duration) time.Duration {
	zone := skew.Round(zoneStep)
	if zone.Abs() < time.Hour || zone.Abs() > zoneMost || (skew-zone).Abs() > zoneSlack {
		return 0
	}
	return zone
}
