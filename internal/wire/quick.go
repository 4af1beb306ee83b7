package wire

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/understudy-suite/understudy/internal/contract"
)

// maxQuick is the length of the longest text that is read in one pass. Its names, strings
// and numbers are slices of one copy of it, which they keep in memory as a whole.
const maxQuick = 2 << 10

// A quick reads a short text in one pass. It finds out that a text is at fault, and not
// what the fault is: a reader says that.
type quick struct {
	text string
	at   int // the next byte of text
}

// quickly reads body as one JSON value.
func quickly(body []byte) (x any, ok bool) {
	q := quick{text: string(body)}
	if x, ok = q.value(0); !ok {
		return nil, false
	}
	q.peek()
	return x, q.at == len(q.text)
}

// peek passes white space over and returns the byte behind it; 0: there is none.
func (q *quick) peek() byte {
	for ; q.at < len(q.text); q.at++ {
		switch c := q.text[q.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (q *quick) value(depth int) (x any, ok bool) {
	switch c := q.peek(); c {
	case '"':
		s, ok := q.string()
		return s, ok
	case '{', '[':
		if depth == Depth {
			return nil, false
		}
		if q.at++; c == '[' {
			return q.array(depth + 1)
		}
		return q.object(depth + 1)
	case 't':
		return true, q.word("true")
	case 'f':
		return false, q.word("false")
	case 'n':
		return nil, q.word("null")
	}
	n, ok := q.number()
	return n, ok
}

func (q *quick) word(w string) bool {
	end := q.at + len(w)
	if end > len(q.text) || q.text[q.at:end] != w {
		return false
	}
	q.at = end
	return true
}

// number reads a number, which stays as it is written.
func (q *quick) number() (n json.Number, ok bool) {
	start := q.at
	q.skip('-')
	if !q.skip('0') && !q.digits() {
		return "", false
	}
	if q.skip('.') && !q.digits() {
		return "", false
	}
	if q.skip('e') || q.skip('E') {
		if !q.skip('+') {
			q.skip('-')
		}
		if !q.digits() {
			return "", false
		}
	}
	return json.Number(q.text[start:q.at]), true
}

// skip passes c over, if it is next.
func (q *quick) skip(c byte) bool {
	if q.at == len(q.text) || q.text[q.at] != c {
		return false
	}
	q.at++
	return true
}

// digits passes digits over, of which there must be one at least.
func (q *quick) digits() bool {
	start := q.at
	for q.at < len(q.text) && '0' <= q.text[q.at] && q.text[q.at] <= '9' {
		q.at++
	}
	return q.at > start
}

func (q *quick) string() (s string, ok bool) {
	escaped, ascii, start := false, true, q.at+1
	for i := start; i < len(q.text); i++ {
		switch c := q.text[i]; {
		case c == '"':
			q.at = i + 1
			if escaped {
				plain, err := jsontext.AppendUnquote(nil, q.text[start-1:q.at])
				return string(plain), err == nil
			}
			return q.text[start:i], ascii || utf8.ValidString(q.text[start:i])
		case c == '\\':
			escaped = true
			i++ // whatever follows, it ends no string
		case c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", false
}

func (q *quick) array(depth int) (list []any, ok bool) {
	list = []any{}
	if q.peek() == ']' {
		q.at++
		return list, true
	}
	for {
		x, ok := q.value(depth)
		if !ok {
			return nil, false
		}
		list = append(list, x)
		switch q.peek() {
		case ',':
			q.at++
		case ']':
			q.at++
			return list, true
		default:
			return nil, false
		}
	}
}

// object reads all members before it makes the map, which then has its size from the
// beginning. A name that stands twice makes it smaller.
func (q *quick) object(depth int) (v contract.Values, ok bool) {
	var few [8]pair
	members := few[:0]
	for more := q.peek() != '}'; more; {
		if q.peek() != '"' {
			return nil, false
		}
		name, ok := q.string()
		if !ok || q.peek() != ':' {
			return nil, false
		}
		q.at++
		x, ok := q.value(depth)
		if !ok {
			return nil, false
		}
		members = append(members, pair{name, x})
		switch q.peek() {
		case ',':
			q.at++
		case '}':
			more = false
		default:
			return nil, false
		}
	}
	q.at++
	v = make(contract.Values, len(members))
	for _, m := range members {
		v[m.name] = m.value
	}
	return v, len(v) == len(members)
}
