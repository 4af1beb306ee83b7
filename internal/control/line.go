package control

import (
	"slices"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A lineWriter writes entries as the list of the journal has them: byte for byte what
// wire.Encode makes of withoutBodies. A stream tells of every call, and reflection would
// cost as much as a third of the call.
type lineWriter struct {
	names []string // of headers, used again for each message
}

// mostNames is for how many names of headers a lineWriter keeps room.
const mostNames = 1024

// append writes an entry behind b.
func (l *lineWriter) append(b []byte, e *journal.Entry) []byte {
	b = appendText(b, `{"id":`, e.ID)
	b = appendInt(b, `,"number":`, e.Number)
	b = appendTime(b, `,"time":`, e.Time)
	b = appendTime(b, `,"arrived":`, e.Arrived)
	b = appendText(b, `,"sandbox":`, e.Sandbox)
	b = appendText(b, `,"found_by":`, e.FoundBy)
	b = appendText(b, `,"api":`, e.API)
	b = wire.AppendGiven(b, `,"operation":`, e.Operation)
	b = appendText(b, `,"outcome":`, e.Outcome)
	b = appendDecider(append(b, `,"decided_by":`...), e.DecidedBy)
	b = appendInt(b, `,"status":`, e.Status)
	b = wire.AppendMilliseconds(append(b, `,"duration_ms":`...), e.DurationMS)
	b = appendText(b, `,"delivered":`, string(e.Delivered))
	b = appendText(b, `,"client":{"address":`, e.Client.Address)
	b = append(wire.AppendGiven(b, `,"user_agent":`, e.Client.UserAgent), '}')
	b = l.message(append(b, `,"request":`...), &e.Request)
	b = l.message(append(b, `,"response":`...), &e.Response)
	if e.Wire != nil {
		b = wire.Append(append(b, `,"wire":`...), e.Wire)
	}
	b = appendViolations(b, e.Violations)
	b = appendCount(b, `,"more_violations":`, e.MoreViolations)
	b = appendFacts(b, e.Notes)
	if len(e.Adopted) > 0 {
		b = wire.Append(append(b, `,"adopted":`...), e.Adopted)
	}
	if e.Explanation != nil {
		b = append(appendText(b, `,"explanation":{"cause":`, e.Explanation.Cause), '}')
	}
	if len(e.Callbacks) > 0 {
		b = wire.Append(append(b, `,"callbacks":`...), e.Callbacks)
	}
	return append(appendFlag(b, `,"redacted":true`, e.Redacted), '}')
}

func (l *lineWriter) message(b []byte, m *journal.Message) []byte {
	start := len(b)
	b = wire.AppendGiven(b, `,"method":`, m.Method)
	b = wire.AppendGiven(b, `,"url":`, m.URL)
	b = wire.AppendGiven(b, `,"host":`, m.Host)
	b = appendCount(b, `,"status":`, m.Status)
	b = l.headers(b, m.Header)
	b = appendInt(b, `,"bytes":`, m.Bytes)
	b = appendFlag(b, `,"truncated":true`, m.Truncated)
	b[start] = '{' // in place of the comma
	return append(b, '}')
}

// headers writes headers sorted by their names.
func (l *lineWriter) headers(b []byte, h map[string][]string) []byte {
	if len(h) == 0 {
		return b
	}
	for name := range h {
		l.names = append(l.names, name)
	}
	slices.Sort(l.names)
	b = append(b, `,"headers":`...)
	before := byte('{')
	for _, name := range l.names {
		b = append(wire.AppendString(append(b, before), name), ':')
		b = wire.AppendStrings(b, h[name])
		before = ','
	}
	clear(l.names)
	if l.names = l.names[:0]; cap(l.names) > mostNames {
		l.names = nil
	}
	return append(b, '}')
}

func appendDecider(b []byte, d journal.Decider) []byte {
	b = appendText(b, `{"kind":`, string(d.Kind))
	b = wire.AppendGiven(b, `,"name":`, d.Name)
	b = wire.AppendGiven(b, `,"scenario":`, d.Scenario)
	return append(appendCount(b, `,"rule":`, d.Rule), '}')
}

// appendViolations leaves out what was got.
func appendViolations(b []byte, all []contract.Violation) []byte {
	if len(all) == 0 {
		return b
	}
	b = append(b, `,"violations":`...)
	before := `[{"param":`
	for i := range all {
		b = appendText(b, before, all[i].Path)
		b = appendText(b, `,"rule":`, string(all[i].Rule))
		b = append(wire.AppendGiven(b, `,"doc":`, all[i].Doc), '}')
		before = `,{"param":`
	}
	return append(b, ']')
}

func appendFacts(b []byte, facts contract.Facts) []byte {
	if len(facts) == 0 {
		return b
	}
	b = append(b, `,"notes":`...)
	before := `[{"name":`
	for i := range facts {
		b = append(appendText(b, before, facts[i].Name), `,"value":`...)
		if s, is := facts[i].Value.(string); is {
			b = wire.AppendString(b, s)
		} else {
			b = wire.Append(b, facts[i].Value)
		}
		b = append(b, '}')
		before = `,{"name":`
	}
	return append(b, ']')
}

// appendText writes a member; before is what stands before its value.
func appendText(b []byte, before, s string) []byte {
	return wire.AppendString(append(b, before...), s)
}

func appendInt(b []byte, before string, n int) []byte {
	return strconv.AppendInt(append(b, before...), int64(n), 10)
}

// appendCount writes a member that is left out where it is 0.
func appendCount(b []byte, before string, n int) []byte {
	if n == 0 {
		return b
	}
	return appendInt(b, before, n)
}

// appendFlag writes a whole member where it is set.
func appendFlag(b []byte, member string, set bool) []byte {
	if !set {
		return b
	}
	return append(b, member...)
}

func appendTime(b []byte, before string, t time.Time) []byte {
	b = append(b, before...)
	if text, err := t.AppendText(append(b, '"')); err == nil {
		return append(text, '"')
	}
	return wire.Append(b, t) // which says what is wrong with it
}
