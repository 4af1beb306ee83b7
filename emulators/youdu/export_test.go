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
		if _, fault := a.open("encrypt", string(text), true); fault != nil {
			t.Fatal(fault.cause.Code)
		}
	}
}

// FailedStep is the step, such as "length", at which a text for the default
// fixture's first application cannot be decrypted; "" if it can.
func FailedStep(t testing.TB, encrypt string) string {
	_, fault := newApp(t, vectorApp).open("encrypt", encrypt, true)
	if fault == nil {
		return ""
	}
	return strings.TrimPrefix(fault.cause.Code, "envelope_")
}
