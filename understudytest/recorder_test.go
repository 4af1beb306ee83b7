package understudytest_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A recorder is a test that only notes what becomes of it.
type recorder struct {
	testing.TB // for what is not below
	name       string
	failed     bool
	errors     []string
	logs       []string
	cleanups   []func()
}

// run has f use a test of a name to its end, and returns what became of it.
func run(t testing.TB, name string, f func(*recorder)) *recorder {
	r := &recorder{TB: t, name: name}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.clean()
		f(r)
	}()
	<-done
	return r
}

func (r *recorder) clean() {
	for len(r.cleanups) > 0 {
		last := r.cleanups[len(r.cleanups)-1]
		r.cleanups = r.cleanups[:len(r.cleanups)-1]
		last()
	}
}

func (r *recorder) Name() string     { return r.name }
func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return r.failed }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Log(args ...any)  { r.logs = append(r.logs, fmt.Sprint(args...)) }

func (r *recorder) Logf(format string, args ...any) { r.Log(fmt.Sprintf(format, args...)) }

func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// says fails t where no text of a list has all of these.
func says(t *testing.T, texts []string, want ...string) {
	t.Helper()
	if !slices.ContainsFunc(texts, func(text string) bool {
		return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(text, w) })
	}) {
		t.Errorf("got %q, want one with %q", texts, want)
	}
}
