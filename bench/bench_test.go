//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
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

// The page that is written stays one that is read, and names no path of the machine that wrote it.
func TestThePage(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(b, []byte("\n")); lines > 100 {
		t.Errorf("docs/performance.md has %d lines, expected at most 100", lines)
	}
	if path := regexp.MustCompile(`(^|[ "(])/(home|root|tmp|var|work|usr)/`).Find(b); path != nil {
		t.Errorf("docs/performance.md names a path of a machine: %s", path)
	}
}

// A page says itself that others used the machine.
func TestTheHeading(t *testing.T) {
	t.Parallel()
	for others, quiet := range map[float64]bool{0.1: true, 1.4: false} {
		p := brief
		p.noise = &others
		if text := p.heading(); strings.Contains(text, "up to 1.4 cores") == quiet || !strings.Contains(text, "Rounds: 1.") {
			t.Errorf("%v: got %s", others, text)
		}
	}
}
