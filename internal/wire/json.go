package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The limits of a JSON text. Decoded, a value can take a hundred times the memory of
// its text.
const (
	Depth  = 128     // levels of nesting
	Values = 500_000 // objects, arrays and single values
)

// A Fault says what is wrong with a JSON text and where.
type Fault struct {
	Offset int64  // bytes before the fault
	Text   string // what is wrong
	Key    string // the name that stands twice in one object; "" for other faults
}

func (f *Fault) Error() string { return fmt.Sprintf("%s at byte %d", f.Text, f.Offset) }

// Object reads body as one JSON object. Numbers stay as they are written
// (json.Number), objects become contract.Values. What is no JSON object, is not
// UTF-8, is nested deeper than Depth, has more than Values values or holds a name
// twice is a *Fault.
func Object(body []byte) (contract.Values, error) {
	x, err := Value(body)
	if err != nil {
		return nil, err
	}
	v, ok := x.(contract.Values)
	if !ok {
		return nil, &Fault{Text: fmt.Sprintf("a JSON object was expected, found %s", kind(x))}
	}
	return v, nil
}

// Value reads body as one JSON value of any type, otherwise as Object does.
func Value(body []byte) (any, error) {
	if len(body) <= maxQuick {
		if x, ok := quickly(body); ok {
			return x, nil
		}
	}
	return thoroughly(body)
}

// thoroughly reads a text of any length, and says what is wrong with one at fault.
func thoroughly(body []byte) (any, error) {
	r := readers.Get().(*reader)
	defer r.done()
	r.Reset(bytes.NewBuffer(body))
	x, err := r.value()
	if err != nil {
		return nil, err
	}
	if _, err := r.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &Fault{Offset: r.InputOffset(), Text: "something follows the JSON value"}
	}
	return x, nil
}

// A reader reads a text.
type reader struct {
	jsontext.Decoder
	members []pair // of the objects that are being read, the innermost last
	values  int    // that were read
}

type pair struct {
	name  string
	value any
}

// readers are used again: making one costs more than reading a small body.
var readers = sync.Pool{New: func() any { return new(reader) }}

// done gives the reader back without what it has read.
func (r *reader) done() {
	const most = 1024
	r.values = 0
	clear(r.members) // there are some where reading ended in a fault
	if r.members = r.members[:0]; cap(r.members) > most {
		r.members = nil
	}
	readers.Put(r)
}

func (r *reader) value() (any, error) {
	if r.values++; r.values > Values {
		return nil, &Fault{Offset: r.InputOffset(), Text: fmt.Sprintf("the JSON text has more than %d values", Values)}
	}
	switch r.PeekKind() {
	case jsontext.KindString:
		return r.string()
	case jsontext.KindNumber:
		n, err := r.literal()
		return json.Number(n), err
	}
	t, err := r.ReadToken()
	if err != nil {
		return nil, fault(&r.Decoder, err)
	}
	switch t.Kind() {
	case jsontext.KindNull:
		return nil, nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return t.Bool(), nil
	}
	if r.StackDepth() > Depth {
		return nil, &Fault{Offset: r.InputOffset(), Text: fmt.Sprintf("the JSON text is nested deeper than %d levels", Depth)}
	}
	if t.Kind() == jsontext.KindBeginArray {
		return r.array()
	}
	return r.object()
}

// literal reads a string with its quotes, or a number. It is the decoder's until that
// reads on.
func (r *reader) literal() ([]byte, error) {
	raw, err := r.ReadValue()
	if err != nil {
		return nil, fault(&r.Decoder, err)
	}
	return raw, nil
}

func (r *reader) string() (string, error) {
	quoted, err := r.literal()
	if err != nil {
		return "", err
	}
	if plain := quoted[1 : len(quoted)-1]; bytes.IndexByte(plain, '\\') < 0 {
		return string(plain), nil
	}
	plain, err := jsontext.AppendUnquote(nil, quoted)
	return string(plain), err
}

func (r *reader) array() (any, error) {
	list := []any{}
	for r.PeekKind() != jsontext.KindEndArray {
		x, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	_, err := r.ReadToken()
	return list, err
}

// object reads all members before it makes the map, which then has its size from
// the beginning.
func (r *reader) object() (any, error) {
	first := len(r.members)
	for {
		next := r.PeekKind()
		if next == jsontext.KindEndObject {
			break
		}
		if next != jsontext.KindString {
			_, err := r.ReadToken()
			return nil, fault(&r.Decoder, err)
		}
		name, err := r.string()
		if err != nil {
			return nil, err
		}
		x, err := r.value()
		if err != nil {
			return nil, err
		}
		r.members = append(r.members, pair{name, x})
	}
	v := make(contract.Values, len(r.members)-first)
	for _, m := range r.members[first:] {
		v[m.name] = m.value
	}
	clear(r.members[first:])
	r.members = r.members[:first]
	_, err := r.ReadToken()
	return v, err
}

// fault describes what the decoder found.
func fault(dec *jsontext.Decoder, err error) *Fault {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Fault{Offset: dec.InputOffset(), Text: "the JSON text ends too early"}
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		name := syntax.JSONPointer.LastToken()
		return &Fault{Offset: syntax.ByteOffset, Text: fmt.Sprintf("the name %.60q stands twice", name), Key: name}
	case errors.As(err, &syntax):
		return &Fault{Offset: syntax.ByteOffset, Text: syntax.Err.Error()}
	}
	return &Fault{Offset: dec.InputOffset(), Text: err.Error()}
}

func kind(x any) string {
	switch x.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a truth value"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}

// An Appender writes itself as JSON, byte for byte as Encode would without it.
// It is for what is returned by the dozen, where looking at every field by
// reflection would cost more than all the rest of a call.
type Appender interface {
	AppendJSON(b []byte) []byte
}

// AppendString writes s as Encode does.
func AppendString(b []byte, s string) []byte {
	start, written := len(b), 0
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return appendReflected(b[:start], s)
		case c == '"' || c == '\\':
			b = append(append(b, s[written:i]...), '\\')
			written = i
		}
	}
	return append(append(b, s[written:]...), '"')
}

// Encode writes x as compact JSON without a trailing newline; <, > and & stay
// as they are.
func Encode(x any) []byte {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if a, ok := x.(Appender); ok {
		b.Write(a.AppendJSON(b.AvailableBuffer())) // so that the buffer grows for the next one
		return bytes.Clone(b.Bytes())
	}
	return bytes.Clone(encode(b, x))
}

// Append writes x behind b as Encode does.
func Append(b []byte, x any) []byte {
	if a, ok := x.(Appender); ok {
		return a.AppendJSON(b)
	}
	return appendReflected(b, x)
}

// appendReflected writes what is no Appender behind b, which may stand on the stack.
func appendReflected(b []byte, x any) []byte {
	text := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(text)
	text.Reset()
	return append(b, encode(text, x)...)
}

// encode writes x into b, which is empty, by reflection.
func encode(b *bytes.Buffer, x any) []byte {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		panic("wire: an outcome returned what JSON cannot say: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
