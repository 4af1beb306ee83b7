package tencentcar

import (
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// object reads a body as one JSON object. All that CAR documents are flat
// objects of strings, which flat reads with a sixth of the allocations that a
// decoder takes; whatever else comes goes to the decoder, which also tells the
// faults.
func object(body []byte) (contract.Values, error) {
	if v, ok := flat(body); ok {
		return v, nil
	}
	return wire.Object(body)
}

// flat reads an object whose members are strings without escapes. A fuzz test
// holds it against wire.Object.
func flat(body []byte) (contract.Values, bool) {
	if !utf8.Valid(body) {
		return nil, false
	}
	s := scanner{text: string(body)}
	if !s.take('{') {
		return nil, false
	}
	v := make(contract.Values, 8)
	if s.take('}') {
		return v, s.done()
	}
	for {
		name, ok := s.word()
		if !ok || !s.take(':') {
			return nil, false
		}
		value, ok := s.word()
		if _, twice := v[name]; twice || !ok {
			return nil, false
		}
		v[name] = value
		if s.take('}') {
			return v, s.done()
		}
		if !s.take(',') {
			return nil, false
		}
	}
}

type scanner struct {
	text string
	at   int
}

// take takes one character, after white space.
func (s *scanner) take(b byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == b {
		s.at++
		return true
	}
	return false
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// word takes a string without escapes.
func (s *scanner) word() (string, bool) {
	if !s.take('"') {
		return "", false
	}
	for i := s.at; i < len(s.text); i++ {
		switch b := s.text[i]; {
		case b == '"':
			word := s.text[s.at:i]
			s.at = i + 1
			return word, true
		case b == '\\' || b < ' ':
			return "", false
		}
	}
	return "", false
}

func (s *scanner) done() bool {
	s.space()
	return s.at == len(s.text)
}
