package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// plain verifies TC3-HMAC-SHA256 as the page on signatures tells it, and keeps the calls: what most would write, and stop at.
func plain(example []byte, secrets map[string]string) (echo.HandlerFunc, error) {
	out, err := like[sessionAnswer](example)
	calls := &journal{kept: make([]call, journalled)}
	return func(c echo.Context) error {
		r := c.Request()
		action := r.Header.Get("X-TC-Action")
		if action != "CreateSession" {
			return c.NoContent(http.StatusNotFound)
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, longest))
		if err != nil {
			return err
		}
		if !verified(r, body, secrets) {
			return c.NoContent(http.StatusUnauthorized)
		}
		var in sessionRequest
		if err := json.Unmarshal(body, &in); err != nil || in.UserID == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		answer, err := json.Marshal(out)
		if err != nil {
			return err
		}
		calls.add(call{at: time.Now(), action: action, header: r.Header.Clone(), body: body, status: http.StatusOK, answer: answer})
		return c.JSONBlob(http.StatusOK, answer)
	}, err
}

type call struct {
	at     time.Time
	action string
	header http.Header
	body   []byte
	status int
	answer []byte
}

// A journal keeps the last calls.
type journal struct {
	mu   sync.Mutex
	kept []call
	next int
}

func (j *journal) add(c call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.kept[j.next] = c
	j.next = (j.next + 1) % len(j.kept)
}

// verified reports whether a request is signed with the secret of whom it names.
func verified(r *http.Request, body []byte, secrets map[string]string) bool {
	fields := map[string]string{}
	rest, is := strings.CutPrefix(r.Header.Get("Authorization"), "TC3-HMAC-SHA256 ")
	for _, field := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[name] = value
	}
	parts := strings.Split(fields["Credential"], "/") // SecretId/date/service/tc3_request
	if !is || len(parts) != 4 || parts[3] != "tc3_request" {
		return false
	}
	secret, known := secrets[parts[0]]
	if !known {
		return false
	}
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n/\n" + r.URL.RawQuery + "\n")
	for _, name := range strings.Split(fields["SignedHeaders"], ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	canonical.WriteString("\n" + fields["SignedHeaders"] + "\n" + digest(body))
	text := "TC3-HMAC-SHA256\n" + r.Header.Get("X-TC-Timestamp") + "\n" + strings.Join(parts[1:], "/") + "\n" + digest([]byte(canonical.String()))
	key := []byte("TC3" + secret)
	for _, part := range parts[1:] {
		key = keyed(key, part)
	}
	return hmac.Equal([]byte(hex.EncodeToString(keyed(key, text))), []byte(fields["Signature"]))
}

func keyed(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
