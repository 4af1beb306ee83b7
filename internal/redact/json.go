package redact

import (
	"bytes"
	"encoding/json"

	"github.com/understudy-suite/understudy/internal/wire"
)

// redactJSON masks a valid JSON text, in one pass however deep it is. Members keep
// their order, and white space stays.
func (f *redaction) redactJSON(text []byte) []byte {
	var out bytes.Buffer
	var within []byte // the brackets that are open
	name := false     // a string is the name of a member
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; c {
		case '{', '[':
			within, name = append(within, c), c == '{'
		case '}', ']':
			within, name = within[:len(within)-1], false
		case ',':
			name = within[len(within)-1] == '{'
		case ':', ' ', '\t', '\n', '\r':
		case '"':
			end = endOfString(text, i)
			if !name {
				out.Write(f.scalar(text[i:end]))
				i = end
				continue
			}
			name = false
			i = f.member(&out, text, i, end)
			continue
		default:
			end = endOfWord(text, i)
			out.Write(f.scalar(text[i:end]))
			i = end
			continue
		}
		out.Write(text[i:end])
		i = end
	}
	return out.Bytes()
}

// member writes the name of a member, which is text[i:end], and its value too where
// that is masked. It returns where to go on.
func (f *redaction) member(out *bytes.Buffer, text []byte, i, end int) int {
	var key string
	_ = json.Unmarshal(text[i:end], &key) // the text is valid
	if masked := f.known(key); masked != key {
		out.Write(wire.Encode(masked))
	} else {
		out.Write(text[i:end])
	}
	if !f.secret(key) {
		return end
	}
	begin := end + bytes.IndexByte(text[end:], ':') + 1
	for begin < len(text) && bytes.IndexByte([]byte(" \t\r\n"), text[begin]) >= 0 {
		begin++
	}
	out.Write(text[end:begin])
	last := endOfValue(text, begin)
	var s string
	if json.Unmarshal(text[begin:last], &s) != nil {
		s = string(text[begin:last])
	}
	out.Write(wire.Encode(f.redactValue(s)))
	return last
}

// scalar masks a JSON string or number by its value.
func (f *redaction) scalar(text []byte) []byte {
	plain := string(text)
	if text[0] == '"' {
		_ = json.Unmarshal(text, &plain) // the text is valid
	}
	if masked := f.known(plain); masked != plain {
		return wire.Encode(masked)
	}
	return text
}

// endOfString returns where the string that begins at i ends.
func endOfString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// endOfWord returns where the number, true, false or null that begins at i ends.
func endOfWord(text []byte, i int) int {
	for i < len(text) && bytes.IndexByte([]byte(",:]} \t\r\n"), text[i]) < 0 {
		i++
	}
	return i
}

// endOfValue returns where the value that begins at i ends.
func endOfValue(text []byte, i int) int {
	for depth := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			i++
			continue
		default:
			i = endOfWord(text, i)
		}
		if depth == 0 {
			return i
		}
	}
	return len(text)
}
