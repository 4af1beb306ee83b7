package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/internal/wire"
)

const (
	// Shortest is the length in bytes from which a value is looked for in texts: a
	// shorter one would be found in every word.
	Shortest = 4

	// beginning is how many bytes of a longer value are enough to recognise it
	// where a text holds its beginning only.
	beginning = 16
)

// A matcher finds secret values in texts, in one pass however many there are.
type matcher struct {
	heads  [1 << 16 / 64]uint64 // the first two bytes of any pattern
	byHead map[[Shortest]byte][]pattern
}

// A pattern is a value as it may stand in a text.
type pattern struct {
	text  string
	label string
	cut   int // the least beginning that counts where the rest is cut off
}

// newMatcher finds values, each replaced by its label. nil where there are none.
func newMatcher(labels map[string]string) *matcher {
	m := &matcher{byHead: map[[Shortest]byte][]pattern{}}
	for text, label := range labels {
		if len(strings.TrimSpace(text)) < Shortest {
			continue
		}
		head := [Shortest]byte([]byte(text[:Shortest]))
		at := bits(text[0], text[1])
		m.heads[at/64] |= 1 << (at % 64)
		m.byHead[head] = append(m.byHead[head], pattern{text, label, leastOf(text)})
	}
	if len(m.byHead) == 0 {
		return nil
	}
	return m
}

func bits(a, b byte) uint { return uint(a)<<8 | uint(b) }

// leastOf is the length from which the beginning of a value tells it from others.
// All keys in PEM and all tokens of a kind begin alike.
func leastOf(text string) int {
	least := beginning
	if dot := strings.IndexByte(text, '.'); dot >= 0 {
		least += min(dot, 128)
	}
	if strings.HasPrefix(text, "-----") {
		least += 48
	}
	return min(least, len(text))
}

// replace returns s with every value replaced by its label, and s itself where
// there is none.
func (m *matcher) replace(s string) string {
	if m == nil {
		return s
	}
	var b strings.Builder
	done := 0
	for i := 0; i+Shortest <= len(s); {
		length, label := m.at(s, i)
		if length == 0 {
			i++
			continue
		}
		b.WriteString(s[done:i])
		b.WriteString(label)
		i += length
		done = i
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// at returns how many bytes of s at i are a value, or its beginning, and the
// label of the longest.
func (m *matcher) at(s string, i int) (length int, label string) {
	if at := bits(s[i], s[i+1]); m.heads[at/64]&(1<<(at%64)) == 0 {
		return 0, ""
	}
	for _, p := range m.byHead[[Shortest]byte([]byte(s[i:i+Shortest]))] {
		n := Shortest
		for n < len(p.text) && i+n < len(s) && p.text[n] == s[i+n] {
			n++
		}
		if n >= p.cut && n > length {
			length, label = n, p.label
		}
	}
	return length, label
}

var percent = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%[0-9A-F]{2}`) })

// forms returns a value as it may stand in texts: as it is, in addresses, in JSON,
// in Go's and HTML's quotes, in base64 and in hexadecimal.
func forms(value string) []string {
	bare := strings.TrimSpace(value)
	all := []string{value, bare, url.QueryEscape(url.QueryEscape(value))}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value), url.QueryEscape(bare), strings.ReplaceAll(url.QueryEscape(value), "+", "%20")} {
		all = append(all, escaped, percent().ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	var every strings.Builder
	for _, c := range []byte(bare) {
		fmt.Fprintf(&every, "%%%02X", c)
	}
	all = append(all, every.String(), strings.ToLower(every.String()))
	marshalled, _ := json.Marshal(value) // a string can be written
	for _, quoted := range []string{string(marshalled), string(wire.Encode(value)), strconv.Quote(value)} {
		inner := quoted[1 : len(quoted)-1]
		again := strconv.Quote(inner)
		all = append(all, inner, again[1:len(again)-1])
	}
	all = append(all, html.EscapeString(value))
	for _, v := range []string{value, bare} {
		sum := hex.EncodeToString([]byte(v))
		all = append(all, sum, strings.ToUpper(sum))
		all = append(all, base64Forms(v)...)
	}
	return all
}

// base64Forms returns a value in base64, whole and as the part of a longer text.
func base64Forms(value string) []string {
	var all []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := encoding.EncodeToString([]byte(value))
		all = append(all, whole, strings.TrimRight(whole, "="), url.QueryEscape(whole))
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), value...))
			// What stands before and behind has a part in the first and the last character.
			if inner := text[(before*8+5)/6 : (before+len(value))*8/6]; len(inner) >= 8 {
				all = append(all, inner)
			}
		}
	}
	return all
}
