package soak_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/understudy-suite/understudy/emulators"
)

// A ledger counts what happened, and keeps what should not have.
type ledger struct {
	mu     sync.Mutex
	counts map[string]int
	wrong  map[string]int    // by what it was
	first  map[string]string // by what it was: the first of it in full
}

func newLedger() *ledger {
	return &ledger{counts: map[string]int{}, wrong: map[string]int{}, first: map[string]string{}}
}

// saw counts something that may happen.
func (l *ledger) saw(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[what]++
}

// fault keeps something that must not happen.
func (l *ledger) fault(what, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong[what]++; l.wrong[what] == 1 {
		l.first[what] = fmt.Sprintf(format, args...)
	}
}

func (l *ledger) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[what]
}

func (l *ledger) faults() (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(l.wrong)) {
		lines = append(lines, fmt.Sprintf("%d times: %s; the first: %s", l.wrong[what], what, l.first[what]))
	}
	return lines
}

// String lists all counts in one line.
func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, what := range slices.Sorted(maps.Keys(l.counts)) {
		all = append(all, fmt.Sprintf("%s %d", what, l.counts[what]))
	}
	for _, what := range slices.Sorted(maps.Keys(l.wrong)) {
		all = append(all, fmt.Sprintf("WRONG %s %d", what, l.wrong[what]))
	}
	return strings.Join(all, ", ")
}

// mustHappen lists what every soak has to have seen.
func mustHappen() []string {
	all := []string{
		"sandbox dropped", "reset", "scenario files written", "fixture files written", "times exact",
		"large body", "stalled connection", "dripping connection", "connection cut", "weather broke an answer",
	}
	for _, api := range emulators.All {
		all = append(all, api.Name+" success", api.Name+" refusal")
	}
	for _, f := range faults {
		all = append(all, "fault "+f.name)
	}
	return all
}
