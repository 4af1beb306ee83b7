package journal

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"net/http"
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The limits of what an entry keeps beside its bodies. The rest of a longer one is
// described.
const (
	maxText       = 80 << 10 // bytes of one text of an explanation; APIs cut at 64 KiB themselves
	maxValue      = 1 << 10  // bytes that a value of a fact or a violation holds in memory
	maxViolations = 100
)

// Weigh returns about how many bytes of memory decoded values hold. It errs on the
// large side.
func Weigh(x any) int {
	switch v := x.(type) {
	case contract.Values:
		n := mapWeight(len(v), 16+16)
		for name, value := range v {
			n += len(name) + Weigh(value)
		}
		return n
	case map[string]any:
		return Weigh(contract.Values(v))
	case []any:
		n := 24 + 16*cap(v)
		for _, e := range v {
			n += Weigh(e)
		}
		return n
	case string:
		return 16 + len(v)
	case contract.Raw:
		return 16 + len(v)
	case json.Number:
		return 16 + len(v)
	case []byte:
		return 24 + cap(v)
	case json.RawMessage:
		return 24 + cap(v)
	case nil, bool:
		return 0
	case int, int64, float64:
		return 8
	}
	return 64 // a small struct of an API's, such as a duration or a description
}

// mapWeight is the size of a map of n elements: groups of eight slots with a byte of
// control each, filled to seven eighths at most, and twice as many after growing.
func mapWeight(n, slot int) int {
	const header = 48
	if n == 0 {
		return header
	}
	slots := 8
	if n > 8 {
		slots = 1 << bits.Len(uint(n*8/7))
	}
	return header + slots*(slot+1)
}

func weighHeader(h http.Header) int {
	if h == nil {
		return 0
	}
	n := mapWeight(len(h), 16+24)
	for name, values := range h {
		n += len(name) + 16*cap(values)
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

func (m *Message) weigh() int {
	return len(m.URL) + len(m.Host) + weighHeader(m.Header) + cap(m.Body) + Weigh(m.Decoded)
}

func weighTexts(texts []string) int {
	n := 16 * cap(texts)
	for _, s := range texts {
		n += len(s)
	}
	return n
}

func weighFacts(facts contract.Facts) int {
	n := 32 * cap(facts)
	for i := range facts {
		n += len(facts[i].Name) + Weigh(facts[i].Value)
	}
	return n
}

// weigh returns about how many bytes of memory the entry holds.
func (e *Entry) weigh() int {
	const entry, violation, callback, mismatch, lazyMismatches = 1024, 96, 64, 64, 2048
	n := entry + e.Request.weigh() + e.Response.weigh() + weighFacts(e.Notes) + violation*cap(e.Violations)
	for i := range e.Violations {
		v := &e.Violations[i]
		n += len(v.Path) + Weigh(v.Got)
	}
	for _, one := range e.Adopted {
		n += 32 + len(one.ID)
	}
	for i := range e.Callbacks {
		n += callback + len(e.Callbacks[i].URL) + cap(e.Callbacks[i].Body)
	}
	if x := e.Explanation; x != nil {
		n += 192 + len(x.Text) + len(x.Expected) + len(x.Got) + len(x.FirstDifference) + weighFacts(x.Facts) +
			weighTexts(x.Signatures) + weighTexts(x.Keys)
	}
	if e.Wire != nil {
		n += weighTexts(e.Wire.Headers)
	}
	if e.Mismatches.source != nil {
		n += lazyMismatches
	}
	for i := range e.Mismatches.list {
		n += mismatch + len(e.Mismatches.list[i].Why)
	}
	return n
}

// shorten bounds what the entry keeps of a request that is large. body is the longest
// body that is kept.
func (e *Entry) shorten(body int) {
	e.Request.cut(body)
	e.Response.cut(body)
	if e.Request.Truncated || len(e.Request.URL) > maxText || isText(e.Request.Decoded) {
		e.Mismatches = e.Mismatches.resolved() // unresolved ones keep all values of the call
	}
	if all := e.Violations; cap(all) > maxViolations {
		kept := min(len(all), maxViolations)
		e.Violations, e.MoreViolations = slices.Clone(all[:kept]), len(all)-kept
	}
	for i := range e.Violations {
		if v := &e.Violations[i]; Weigh(v.Got) > maxValue {
			v.Got = describe(v.Got)
		}
	}
	shortenFacts(e.Notes)
	if x := e.Explanation; x != nil {
		for _, text := range []*string{&x.Text, &x.Expected, &x.Got, &x.FirstDifference} {
			*text = shortenText(*text, maxText)
		}
		shortenFacts(x.Facts)
	}
}

// isText reports whether decoded values are kept as their JSON text.
func isText(x any) bool {
	_, ok := x.(json.RawMessage)
	return ok
}

func shortenFacts(facts contract.Facts) {
	for i := range facts {
		if Weigh(facts[i].Value) > maxValue {
			facts[i].Value = describe(facts[i].Value)
		}
	}
}

// describe returns a short text in place of a large value.
func describe(x any) string {
	switch v := x.(type) {
	case contract.Values:
		return fmt.Sprintf("an object of %d members", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(v))
	case []any:
		return fmt.Sprintf("a list of %d elements", len(v))
	}
	return shortenText(fmt.Sprint(x), maxValue)
}

// shortenText returns the beginning of a text that is longer than most bytes, and
// how long it was.
func shortenText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s (%d bytes in all)", contract.Shorten(s, most), len(s))
}
