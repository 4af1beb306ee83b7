package control

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/redact"
)

// A maskedWriter takes an answer in, and sends it without secrets.
type maskedWriter struct {
	http.ResponseWriter
	redactor *redact.Redactor
	status   int
	body     bytes.Buffer
	told     []string // secrets that the answer is made to tell
}

func (w *maskedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *maskedWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// SetReadDeadline bounds how long the request's body is read.
func (w *maskedWriter) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(w.ResponseWriter).SetReadDeadline(t)
}

// send sends what was taken in.
func (w *maskedWriter) send() {
	if w.status == 0 {
		return // the handler wrote nothing, and net/http answers for it
	}
	h := w.Header()
	for name, values := range h {
		for i := range values {
			h[name][i] = w.redactor.Text(values[i])
		}
	}
	body := w.redactor.Document(h.Get("Content-Type"), w.body.Bytes(), w.told...)
	if h.Get("Content-Length") != "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(body) // a client that has gone needs no telling
}
