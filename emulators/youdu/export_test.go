package youdu

import (
	"strings"
	"testing"
)

// Envelope returns a function that encrypts a message and decrypts it again.
func Envelope(t testing.TB) func([]byte) {
	a := newApp(t, vectorApp)
	return func(message []byte) {
		text := a.seal(nil, [prefixSize]byte{}, message)
		if _, breach := a.open("encrypt", string(text), true); breach != nil {
			t.Fatal(breach.cause.Code)
		}
	}
}

// Step tells at which step a text of the default fixture's first application
// cannot be decrypted: "length"; "" where it can.
func Step(t testing.TB, encrypt string) string {
	_, breach := newApp(t, vectorApp).open("encrypt", encrypt, true)
	if breach == nil {
		return ""
	}
	return strings.TrimPrefix(breach.cause.Code, "envelope_")
}
