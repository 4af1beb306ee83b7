package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// careful does what plain does with as little as can be: buffers are used again, the day's key is kept as the two halves that
// an HMAC begins with, texts are appended instead of joined, and the answer is written by hand.
func careful(example []byte, secrets map[string]string) (echo.HandlerFunc, error) {
	out, err := like[sessionAnswer](example)
	calls := &reusing{kept: make([]record, journalled)}
	keys := &dayKeys{secrets: secrets}
	buffers := sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}
	return func(c echo.Context) error {
		r := c.Request()
		if r.Header.Get("X-TC-Action") != "CreateSession" {
			return c.NoContent(http.StatusNotFound)
		}
		buffer := buffers.Get().(*[]byte)
		defer buffers.Put(buffer)
		b, err := readInto((*buffer)[:0], r.Body)
		*buffer = b[:0]
		if err != nil {
			return err
		}
		if !keys.verified(r, b) {
			return c.NoContent(http.StatusUnauthorized)
		}
		var in sessionRequest
		if err := json.Unmarshal(b, &in); err != nil || in.UserID == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		read := len(b)
		b = append(b, `{"Response":{"ServerSession":"`...)
		b = append(b, out.Response.ServerSession...)
		b = append(b, `","RequestId":"`...)
		b = append(b, out.Response.RequestID...)
		b = append(b, `"}}`...)
		*buffer = b[:0]
		calls.add(r.Header, b[:read], b[read:])
		return c.JSONBlob(http.StatusOK, b[read:])
	}, err
}

// readInto appends what is read, at most longest bytes.
func readInto(b []byte, from io.Reader) ([]byte, error) {
	for len(b) < longest {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
	return b, errors.New("the body is too long")
}

// A record is one call in a buffer that the next call in its place takes over.
type record struct {
	at     time.Time
	status int
	text   []byte // header lines, body, answer
}

type reusing struct {
	mu   sync.Mutex
	kept []record
	next int
}

func (j *reusing) add(h http.Header, body, answer []byte) {
	now := time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	slot := &j.kept[j.next]
	j.next = (j.next + 1) % len(j.kept)
	text := slot.text[:0]
	for name, values := range h {
		for _, value := range values {
			text = append(text, name...)
			text = append(text, ": "...)
			text = append(text, value...)
			text = append(text, '\n')
		}
	}
	text = append(text, '\n')
	text = append(text, body...)
	text = append(text, '\n')
	slot.text, slot.at, slot.status = append(text, answer...), now, http.StatusOK
}

// dayKeys keeps the derived key of each SecretId and day.
type dayKeys struct {
	secrets map[string]string
	known   sync.Map // from the Credential to *halves
}

// halves are a key as the blocks that the inner and the outer hash of an HMAC begin with.
type halves struct{ inner, outer [sha256.BlockSize]byte }

func (k *dayKeys) of(credential string) *halves {
	if known, is := k.known.Load(credential); is {
		return known.(*halves)
	}
	parts := strings.Split(credential, "/")
	secret, known := k.secrets[parts[0]]
	if !known || len(parts) != 4 || parts[3] != "tc3_request" {
		return nil
	}
	key := []byte("TC3" + secret)
	for _, part := range parts[1:] {
		key = keyed(key, part)
	}
	h := &halves{}
	copy(h.inner[:], key)
	copy(h.outer[:], key)
	for i := range h.inner {
		h.inner[i] ^= 0x36
		h.outer[i] ^= 0x5c
	}
	k.known.Store(credential, h)
	return h
}

func (h *halves) sum(text []byte) [sha256.Size]byte {
	var inner [512]byte
	first := sha256.Sum256(append(append(inner[:0], h.inner[:]...), text...))
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], h.outer[:])
	copy(outer[sha256.BlockSize:], first[:])
	return sha256.Sum256(outer[:])
}

func (k *dayKeys) verified(r *http.Request, body []byte) bool {
	rest, is := strings.CutPrefix(r.Header.Get("Authorization"), "TC3-HMAC-SHA256 ")
	var credential, signed, signature string
	for rest != "" {
		var field string
		field, rest, _ = strings.Cut(rest, ",")
		switch name, value, _ := strings.Cut(strings.TrimSpace(field), "="); name {
		case "Credential":
			credential = value
		case "SignedHeaders":
			signed = value
		case "Signature":
			signature = value
		}
	}
	key := k.of(credential)
	if !is || key == nil {
		return false
	}
	var room [1024]byte
	text := append(append(room[:0], r.Method...), "\n/\n"...)
	text = append(append(text, r.URL.RawQuery...), '\n')
	for names := signed; names != ""; {
		var name string
		name, names, _ = strings.Cut(names, ";")
		value := r.Host
		if name != "host" {
			value = r.Header.Get(name)
		}
		text = append(append(text, name...), ':')
		text = append(appendLower(text, strings.TrimSpace(value)), '\n')
	}
	text = append(append(append(text, '\n'), signed...), '\n')
	sum := sha256.Sum256(body)
	text = hex.AppendEncode(text, sum[:])
	sum = sha256.Sum256(text)
	text = append(room[:0], "TC3-HMAC-SHA256\n"...)
	text = append(append(text, r.Header.Get("X-TC-Timestamp")...), '\n')
	_, scope, _ := strings.Cut(credential, "/")
	text = append(append(text, scope...), '\n')
	text = hex.AppendEncode(text, sum[:])
	sum = key.sum(text)
	var want [2 * sha256.Size]byte
	hex.Encode(want[:], sum[:])
	return hmac.Equal(want[:], []byte(signature))
}

func appendLower(b []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}
