package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/contract"
)

// Depth is how deep JSON may be nested.
const Depth = 128

// A Fault says what is wrong with a JSON text and where.
type Fault struct {
	Offset int64  // bytes before the fault
	Text   string // what is wrong
	Key    string // the name that stands twice in one object; "" for other faults
}

func (f *Fault) Error() string { return fmt.Sprintf("%s at byte %d", f.Text, f.Offset) }

// Object reads body as one JSON object. Numbers stay as they are written
// (json.Number), objects become contract.Values. What is no JSON object, is not
// UTF-8, is nested deeper than Depth or holds a name twice is a *Fault.
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
	if !utf8.Valid(body) {
		return nil, &Fault{Offset: invalid(body), Text: "the text is not UTF-8"}
	}
	r := reader{dec: json.NewDecoder(bytes.NewReader(body))}
	r.dec.UseNumber()
	x, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Fault{Offset: r.dec.InputOffset(), Text: "something follows the JSON value"}
	}
	return x, nil
}

func invalid(body []byte) (offset int64) {
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		if r == utf8.RuneError && n == 1 {
			break
		}
		body, offset = body[n:], offset+int64(n)
	}
	return offset
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

type reader struct{ dec *json.Decoder }

func (r reader) token() (json.Token, error) {
	t, err := r.dec.Token()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &Fault{Offset: r.dec.InputOffset(), Text: "the JSON text ends too early"}
	case err != nil:
		return nil, &Fault{Offset: r.dec.InputOffset(), Text: err.Error()}
	}
	return t, nil
}

func (r reader) value(depth int) (any, error) {
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	open, nested := t.(json.Delim)
	if !nested {
		return t, nil
	}
	if depth == Depth {
		return nil, &Fault{Offset: r.dec.InputOffset(), Text: fmt.Sprintf("the JSON text is nested deeper than %d levels", Depth)}
	}
	if open == '[' {
		return r.array(depth + 1)
	}
	return r.object(depth + 1)
}

func (r reader) array(depth int) (any, error) {
	list := []any{}
	for r.dec.More() {
		x, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	_, err := r.token()
	return list, err
}

func (r reader) object(depth int) (any, error) {
	v := contract.Values{}
	for r.dec.More() {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := v[name]; twice {
			return nil, &Fault{Offset: r.dec.InputOffset(), Text: fmt.Sprintf("the name %q stands twice", name), Key: name}
		}
		if v[name], err = r.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := r.token()
	return v, err
}

// Encode writes x as compact JSON without a trailing newline; <, > and & stay
// as they are.
func Encode(x any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		panic("wire: an outcome returned what JSON cannot say: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
