package emulators_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/understudy-suite/understudy/internal/contract"
)

// What a plain handler does to verify a call, as the services' pages describe it. It knows
// one caller, and keeps nothing from one call to the next.

var errNoProof = errors.New("the proof is not that of this request")

// proveTC3 verifies TC3-HMAC-SHA256.
func proveTC3(r *contract.Request, known contract.Values) error {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	fields := map[string]string{}
	for _, field := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if scheme != "TC3-HMAC-SHA256" || len(scope) != 4 || scope[0] != known.Text("secretId") {
		return errNoProof
	}
	var headers strings.Builder
	for _, name := range strings.Split(fields["SignedHeaders"], ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	body := sha256.Sum256(r.Body)
	canonical := sha256.Sum256([]byte(strings.Join([]string{
		r.Method, r.URL.Path, r.URL.RawQuery, headers.String(), fields["SignedHeaders"], hex.EncodeToString(body[:]),
	}, "\n")))
	text := strings.Join([]string{scheme, r.Header.Get("X-TC-Timestamp"), strings.Join(scope[1:], "/"), hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("TC3" + known.Text("secretKey"))
	for _, part := range append(scope[1:], text) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(fields["Signature"])) {
		return errNoProof
	}
	return nil
}

// testKey reads the key with which the fixture signs access tokens.
var testKey = sync.OnceValues(func() (any, error) {
	text, err := os.ReadFile("../fixtures/adobepass/signing.test-key.pem")
	if err != nil {
		return nil, err
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(text)
	if err != nil {
		return nil, err
	}
	return &key.PublicKey, nil
})

// proveRS256 verifies an access token.
func proveRS256(r *contract.Request, _ contract.Values) error {
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation()).Parse(
		strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), func(*jwt.Token) (any, error) { return testKey() })
	return err
}

// proveSign verifies polyv's sign.
func proveSign(r *contract.Request, known contract.Values) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || query.Get("appId") != known.Text("appId") {
		return errNoProof
	}
	if stamp, err := strconv.ParseInt(query.Get("timestamp"), 10, 64); err != nil || stamp < time.Unix(0, 0).UnixMilli() {
		return errNoProof
	}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	text := known.Text("appSecret")
	for _, name := range names {
		if name != "sign" && query.Get(name) != "" {
			text += name + query.Get(name)
		}
	}
	if fmt.Sprintf("%X", md5.Sum([]byte(text+known.Text("appSecret")))) != query.Get("sign") {
		return errNoProof
	}
	return nil
}

// proveEnvelope opens youdu's envelope, and seals as much for the answer.
func proveEnvelope(r *contract.Request, known contract.Values) error {
	var envelope struct {
		AppID   string `json:"appId"`
		Encrypt string `json:"encrypt"`
	}
	if err := json.Unmarshal(r.Body, &envelope); err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(known.Text("aesKey"))
	if err != nil {
		return err
	}
	plain, err := base64.StdEncoding.DecodeString(envelope.Encrypt)
	if err != nil {
		return err
	}
	block, err := aes.NewCipher(key)
	if err != nil || len(plain) == 0 || len(plain)%32 != 0 {
		return errNoProof
	}
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(plain, plain)
	content := plain[:len(plain)-min(int(plain[len(plain)-1]), len(plain)-20)]
	size := int(binary.BigEndian.Uint32(content[16:20]))
	if size > len(content)-20 || string(content[20+size:]) != known.Text("appId") {
		return errNoProof
	}
	var message any
	if err := json.Unmarshal(content[20:20+size], &message); err != nil {
		return err
	}
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(plain, plain)
	_ = base64.StdEncoding.EncodeToString(plain)
	return nil
}
