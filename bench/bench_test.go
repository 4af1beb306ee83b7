//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"sync"
	"testing"
	"time"
)

// shared is built once, for the tests that need it; TestMain removes it.
var shared struct {
	once sync.Once
	lab  *lab
	err  error
}

func laboratory(t *testing.T) *lab {
	t.Helper()
	shared.once.Do(func() { shared.lab, shared.err = newLab(context.Background(), "..") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.lab
}

// brief is a plan that shows that all works, and measures nothing.
var brief = plan{rounds: 1, seed: 1, connections: 4, length: 100 * time.Millisecond, progress: io.Discard}

// Every call is answered rightly by understudy and by the handler that it is compared with, with as many bytes.
func TestEveryCall(t *testing.T) {
	l := laboratory(t)
	works := append([]*workload{createSession}, others...)
	if err := l.rehearse(t.Context(), works); err != nil {
		t.Fatal(err)
	}
	for _, w := range works {
		for _, kind := range []string{"echo", "plain", "careful"} {
			if kind != "echo" && w != createSession {
				continue
			}
			r, err := baseline(w.name(), kind, w).begin(t.Context(), l)
			if err != nil {
				t.Errorf("%s, %s: %v", w.name(), kind, err)
				continue
			}
			answer, err := exchange(r.address, r.requests[0])
			r.end()
			_, got, _ := bytes.Cut(answer, headEnd)
			if want := l.body(t, w); err != nil || len(bytes.TrimSpace(got)) != len(want) {
				t.Errorf("%s, %s: got %s, %v, want %s", w.name(), kind, got, err, want)
			}
		}
		got, err := brief.compare(t.Context(), l, []target{ours(w).target(w.name())})
		if err != nil || got[w.name()][0].rate == 0 {
			t.Errorf("%s: %v, %v", w.name(), got, err)
		}
	}
}

func (l *lab) body(t *testing.T, w *workload) []byte {
	t.Helper()
	b, err := os.ReadFile(l.answers[w])
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b)
}
