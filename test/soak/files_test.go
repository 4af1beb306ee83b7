package soak_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/fixtures"
)

// A fault is one that a request calls for by its header Understudy-Scenario.
type fault struct {
	name     string
	wire     string        // of the scenario
	breaks   bool          // the client gets no whole answer
	at       time.Duration // no answer comes earlier
	scenario string
}

var faults = []fault{
	{name: "reset", wire: "{fault: reset}", breaks: true},
	{name: "reset after", wire: "{fault: reset, when: after}", breaks: true},
	{name: "empty", wire: "{fault: empty}", breaks: true},
	{name: "truncate", wire: "{fault: truncate}", breaks: true},
	{name: "garbage", wire: "{fault: garbage}", breaks: true},
	{name: "stall", wire: "{fault: stall}", breaks: true, at: maxStall},
	{name: "delay", wire: "{delay: 100ms}", at: 100 * time.Millisecond},
	{name: "bandwidth", wire: "{bandwidth: 4KB/s}"},
}

// The scenarios that decide so many calls exactly: one over all APIs, one by an
// outcome.
const (
	exactTimes   = 200
	exactHeader  = "Soak-Exact"
	exactWire    = "all/soak-exact"
	exactOutcome = "tencentcar/soak-exact-outcome"
)

// A file is one below the watched folders.
type file struct{ name, text string }

func (f file) write(t *testing.T, root string) {
	path := filepath.Join(root, filepath.FromSlash(f.name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var firstFiles = func() []file {
	all := []file{
		{"scenarios/all/weather.yaml", weather(0)},
		{"scenarios/" + exactWire + ".yaml", fmt.Sprintf("scenario: soak-exact\napi: all\nrules:\n  - {operation: \"*\", times: %d, wire: {headers: {%s: played}}}\n", exactTimes, exactHeader)},
		{"scenarios/" + exactOutcome + ".yaml", fmt.Sprintf("scenario: soak-exact-outcome\napi: tencentcar\nrules:\n  - {operation: DescribeConcurrentCount, times: %d, outcome: InternalError}\n", exactTimes)},
		{"fixtures/polyv/default.yaml", fixtureText(0)},
	}
	for i := range faults {
		name := fmt.Sprintf("soak-fault-%d", i)
		faults[i].scenario = "all/" + name
		text := fmt.Sprintf("scenario: %s\napi: all\nrules:\n  - {operation: \"*\", wire: %s}\n", name, faults[i].wire)
		all = append(all, file{"scenarios/all/" + name + ".yaml", text})
	}
	return all
}()

// weather is a scenario that breaks some answers; each revision of it others.
func weather(revision int) string {
	text := fmt.Sprintf("scenario: weather\napi: all\ndescription: Revision %d.\nrules:\n", revision)
	for i, f := range faults {
		text += fmt.Sprintf("  - {operation: \"*\", chance: 0.0%d, wire: %s}\n", 1+(revision+i)%8, f.wire)
	}
	return text
}

// fixtureText is the shipped fixture of an API, of which each revision is another file.
func fixtureText(revision int) string {
	text, err := fs.ReadFile(fixtures.Files, "polyv/default.yaml")
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%s\n# revision %d\n", text, revision)
}
