package adobepass

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// The last character of a signature of 256 bytes has four bits that say nothing. A
// token that differs in them was once accepted.
func TestParserIsStrict(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.New(jwt.SigningMethodRS256).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(token string) error {
		_, err := parser.Parse(token, func(*jwt.Token) (any, error) { return &key.PublicKey, nil })
		return err
	}
	if err := parse(token); err != nil {
		t.Fatal(err)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for bits := 1; bits < 16; bits++ {
		if parse(token[:len(token)-1]+alphabet[last|bits:][:1]) == nil {
			t.Errorf("the signature with the unused bits %04b is accepted", bits)
		}
	}
}
