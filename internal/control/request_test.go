package control_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/control"
	"github.com/understudy-suite/understudy/internal/redact"
)

// zeros is a body without content that comes from nowhere.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A client that sends far more than is taken reads why, also while it is still writing,
// whether it tells the length before or not, and also where answers are masked.
func TestLongBodiesAreRefusedInWords(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*control.Config){
		"plain":  nil,
		"masked": func(c *control.Config) { c.Redactor = redact.New(redact.Config{APIs: apis, All: true}) },
	} {
		s := newTestServer(t, change)
		server := httptest.NewServer(s.server.Handler())
		t.Cleanup(server.Close)
		for _, length := range []int64{50 << 20, -1} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/sandboxes", io.LimitReader(zeros{}, 50<<20))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = length
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Errorf("%s, length %d: %v", name, length, err)
				continue
			}
			var p struct{ Status int }
			err = json.NewDecoder(answer.Body).Decode(&p)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusRequestEntityTooLarge || err != nil || p.Status != answer.StatusCode {
				t.Errorf("%s, length %d: got %d, %+v, %v", name, length, answer.StatusCode, p, err)
			}
		}
	}
}

// A body that goes on for ever but slowly holds nobody for long.
func TestSlowLongBodiesEnd(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	server := httptest.NewServer(s.server.Handler())
	t.Cleanup(server.Close)
	more, begun := io.Pipe()
	t.Cleanup(func() { _ = begun.Close() })
	go func() { _, _ = begun.Write(make([]byte, 8192)) }() // and nothing after it
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/sandboxes", more)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if took := time.Since(began); answer.StatusCode != http.StatusRequestEntityTooLarge || took > 30*time.Second {
		t.Errorf("got %d after %s", answer.StatusCode, took)
	}
}
