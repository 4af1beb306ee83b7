package redact

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Document returns a document that leaves the process without the secrets that are
// known by value, but for those that are told. JSON stays JSON.
func (r *Redactor) Document(kind string, body []byte, told ...string) []byte {
	if !r.Active() {
		return body
	}
	text := string(body)
	masked := r.Text(text, told...)
	if masked == text {
		return body
	}
	if strings.Contains(kind, "json") && !json.Valid([]byte(masked)) && json.Valid(body) {
		// A number was masked, or what stood between two strings.
		return (&redaction{redactor: r, told: told}).redactJSON(bytes.TrimSpace(body))
	}
	return []byte(masked)
}
