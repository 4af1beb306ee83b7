package wire

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// savedForm is the form of encoding/json, but for lists and maps without elements: they
// are never null. Names count as they are spelled.
var savedForm = jsonv2.JoinOptions(
	jsonv1.DefaultOptionsV1(), jsonv1.ReportErrorsWithLegacySemantics(false),
	jsonv2.FormatNilSliceAsNull(false), jsonv2.FormatNilMapAsNull(false),
	jsonv2.MatchCaseInsensitiveNames(false), jsonv2.RejectUnknownMembers(true),
	jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(readNumber)),
	jsonv2.WithMarshalers(jsonv2.MarshalToFunc(func(out *jsontext.Encoder, n json.Number) error { return out.WriteValue(jsontext.Value(n)) })),
)

// readingForm is that of a document that is read, in which nothing is to be mended.
var readingForm = jsonv2.JoinOptions(savedForm, jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false))

// readNumber reads a number of any type as it is written.
func readNumber(in *jsontext.Decoder, into *any) error {
	if in.PeekKind() != jsontext.KindNumber {
		return errors.ErrUnsupported
	}
	raw, err := in.ReadValue()
	*into = json.Number(raw)
	return err
}

// Saved writes x as a document that ReadSaved reads.
func Saved(x any) ([]byte, error) { return jsonv2.Marshal(x, savedForm) }

// ReadSaved reads a document that Saved wrote into the empty value that into points to. A
// document is refused which Saved would write otherwise, but for white space, the order of
// members and the spelling of strings and numbers: a member is missing, unknown, there
// twice, spelled with other capitals, null, or of another type. The error says where, and
// what was expected.
func ReadSaved(document []byte, into any) error {
	if err := jsonv2.Unmarshal(document, into, readingForm); err != nil {
		return readingFault(err)
	}
	again, err := Saved(into)
	if err != nil {
		return fmt.Errorf("it holds what cannot be written again: %w", err)
	}
	return difference(document, again)
}

// readingFault says in plain words why a document could not be read.
func readingFault(err error) error {
	var meaning *jsonv2.SemanticError
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON text ends too early")
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		return fmt.Errorf("%sthe member stands twice", place(syntax.JSONPointer))
	case errors.As(err, &meaning) && errors.Is(err, jsonv2.ErrUnknownName):
		return fmt.Errorf("%sthe member is unknown", place(meaning.JSONPointer))
	case errors.As(err, &meaning):
		return fmt.Errorf("%s%s was expected, %s was found%s", place(meaning.JSONPointer), typeName(meaning.GoType), kindName(meaning.JSONKind), because(meaning.Err))
	case errors.As(err, &syntax):
		return fmt.Errorf("%s%w at byte %d", place(syntax.JSONPointer), syntax.Err, syntax.ByteOffset)
	}
	return err
}

// InWords says in plain words why encoding/json could not read a text.
func InWords(err error) error {
	var mistyped *json.UnmarshalTypeError
	if !errors.As(err, &mistyped) {
		return err
	}
	where := ""
	if mistyped.Field != "" {
		where = fmt.Sprintf("%.160s: ", mistyped.Field)
	}
	return fmt.Errorf("%s%s was expected, %s was found", where, typeName(mistyped.Type), found(mistyped.Value))
}

// found names a JSON value as encoding/json describes it: its type, and of a number that
// does not fit, the number.
func found(value string) string {
	switch value {
	case "bool":
		return kindName(jsontext.KindTrue)
	case "array":
		return kindName(jsontext.KindBeginArray)
	case "object":
		return kindName(jsontext.KindBeginObject)
	}
	if number, is := strings.CutPrefix(value, "number "); is {
		return fmt.Sprintf("the number %.40s", number)
	}
	return "a " + value
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// place writes a pointer with dots, as the beginning of a message.
func place(at jsontext.Pointer) string {
	if at == "" {
		return ""
	}
	return fmt.Sprintf("%.160s: ", strings.Join(slices.Collect(at.Tokens()), "."))
}

// typeName says what JSON a value of a Go type is read from.
func typeName(t reflect.Type) string {
	if t == nil {
		return "another value"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "an instant such as 2026-03-01T12:00:00Z"
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()), t.Kind() == reflect.String:
		return kindName(jsontext.KindString)
	}
	switch kind := t.Kind(); {
	case kind == reflect.Struct, kind == reflect.Map:
		return kindName(jsontext.KindBeginObject)
	case kind == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "a string in base64"
	case kind == reflect.Slice, kind == reflect.Array:
		return kindName(jsontext.KindBeginArray)
	case kind == reflect.Bool:
		return kindName(jsontext.KindTrue)
	case kind >= reflect.Int && kind <= reflect.Int64:
		return "a whole number"
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		return "a whole number from 0 on"
	case kind == reflect.Float32, kind == reflect.Float64:
		return kindName(jsontext.KindNumber)
	}
	return "another value"
}

func kindName(k jsontext.Kind) string {
	switch k {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "a truth value"
	case jsontext.KindString:
		return "a string"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindBeginArray:
		return "an array"
	case jsontext.KindBeginObject:
		return "an object"
	}
	return "something else"
}

// difference returns the first place at which two JSON texts have not the same values.
func difference(found, expected []byte) error {
	compact, ordered := jsontext.Value(bytes.Clone(found)), jsontext.Value(expected)
	if err := compact.Compact(); err != nil || bytes.Equal(compact, ordered) {
		return err
	}
	for _, text := range []*jsontext.Value{&compact, &ordered} {
		if err := text.Format(jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(false),
			jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(true)); err != nil {
			return err
		}
	}
	if bytes.Equal(compact, ordered) {
		return nil
	}
	return firstDifference(jsontext.NewDecoder(bytes.NewReader(compact)), jsontext.NewDecoder(bytes.NewReader(ordered)))
}

func firstDifference(found, expected *jsontext.Decoder) error {
	for {
		kind, other := found.PeekKind(), expected.PeekKind()
		depth := found.StackDepth()
		within, length := found.StackIndex(depth)
		got, err := found.ReadToken()
		if err != nil {
			return errors.New("it would be written otherwise")
		}
		gotText, at := got.String(), found.StackPointer()
		want, err := expected.ReadToken()
		if err != nil {
			return errors.New("it would be written otherwise")
		}
		if kind == other && gotText == want.String() {
			continue
		}
		named := within == jsontext.KindBeginObject && length%2 == 0
		switch {
		case named && (kind == jsontext.KindEndObject || other == jsontext.KindString && want.String() < gotText):
			return fmt.Errorf("%sthe member is missing", place(expected.StackPointer()))
		case named:
			return fmt.Errorf("%sthe member says nothing; leave it out", place(at))
		case within == jsontext.KindBeginArray && (kind == jsontext.KindEndArray || other == jsontext.KindEndArray):
			return fmt.Errorf("%sthe list has an element twice or too few", place(at))
		case kind == other:
			return fmt.Errorf("%s%.60s was found, which would be written as %.60s", place(at), gotText, want.String())
		}
		return fmt.Errorf("%s%s was expected, %s was found", place(at), kindName(other), kindName(kind))
	}
}
