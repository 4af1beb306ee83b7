package control_test

import (
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/control"
)

var sampleValue = regexp.MustCompile(`(?m)^([^#].*) \S+$`)

// shape is an exposition without its values.
func shape(text string) string {
	return strings.ReplaceAll(sampleValue.ReplaceAllString(text, "$1 N"), runtime.Version(), "GO")
}

// What is told to Prometheus has the names, labels, types and help that its own client for
// Go gave it: that one wrote the file. Of the process itself only Linux tells.
func TestMetricsHaveTheShapeOfPrometheus(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *control.Config) {
		c.Load = func() control.Load { return control.Load{} }
		c.Commit = "a\"b\\c\nd"
	})
	s.call("POST", "/hats/1", `{"hat":"fez"}`)
	s.call("GET", "/nowhere", "")
	golden, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := string(golden)
	if runtime.GOOS != "linux" {
		want = regexp.MustCompile(`(?m)^.*process_.*\n`).ReplaceAllString(want, "")
	}
	w := s.ask("GET", "/metrics", "")
	if got := shape(w.Body.String()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := w.Header().Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" {
		t.Errorf("got %s", got)
	}
}
