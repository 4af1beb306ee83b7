package tencentcar

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"testing"
)

func TestMACIsThatOfTheLibrary(t *testing.T) {
	t.Parallel()
	bytesOf := func(n int) []byte { return bytes.Repeat([]byte{0xa5, 0x36, 0x5c}, n)[:n] }
	for _, key := range []int{0, 1, 32, 63, 64, 65, 200} {
		for _, text := range []int{0, 1, 63, 64, 200, 447, 448, 449, 2000} {
			m := hmac.New(sha256.New, bytesOf(key))
			m.Write(bytesOf(text))
			if got := hmacSHA256(bytesOf(key), bytesOf(text)); !hmac.Equal(got, m.Sum(nil)) {
				t.Errorf("a key of %d bytes and a text of %d: got %x", key, text, got)
			}
		}
	}
}
