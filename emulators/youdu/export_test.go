package youdu

import "testing"

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
