// Package soak_test runs the whole server for a while under many clients that behave
// badly, and looks at what is left of them.
//
//	go test -race -v ./test/soak -soak 60s -seed 1
package soak_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

var (
	length = flag.Duration("soak", 0, "how long the soak lasts; 0: it is skipped")
	seed   = flag.Uint64("seed", 1, "seed of what the clients choose")
)

// The settings of the server under soak. The stall is short, so that a stalled answer
// is one of many and not all that a client ever meets.
const (
	maxStall    = 300 * time.Millisecond
	maxBody     = 10 << 20
	maxInflight = 96 << 20 // four of the longest bodies: the fifth waits, and all behind it
	maxSandbox  = 80
)

// What may be left at the end.
const (
	// A goroutine more here and there belongs to the runtime or is about to end;
	// a leak of any of the thousands of connections would be far above.
	moreGoroutines = 8

	// Idle pipes and event queues of the poller.
	moreDescriptors = 4

	// Pools, histograms and maps keep the size that they once had, which is some 2 MiB.
	// One kept body of the longest kind is above.
	moreHeap = 8 << 20

	// How long after the last client all of this may take: a server notices a client
	// that is gone when its read ends.
	settling = 30 * time.Second
)

func TestSoak(t *testing.T) {
	if *length == 0 {
		t.Skip("make soak runs it: -soak says how long")
	}
	first := measure()
	s := start(t)
	s.prepare()
	begin := s.stable()
	t.Logf("seed %d, %s; at the beginning %s", *seed, *length, begin)

	s.run(*length)

	s.empty()
	end := s.settle("after the soak", func(u usage) bool { return u.near(begin) })
	t.Logf("at the end %s", end)
	for _, fault := range end.above(begin) {
		t.Error(fault)
	}
	if t.Failed() {
		dump(t)
	}
	s.judgeEnd()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.server.Close(ctx); err != nil {
		t.Errorf("closing the server: %v", err)
	}
	last := s.settle("after the server", func(u usage) bool { return u.goroutines <= first.goroutines+moreGoroutines })
	if last.goroutines > first.goroutines+moreGoroutines {
		t.Errorf("%d goroutines before the server was started, %d after it was closed", first.goroutines, last.goroutines)
		dump(t)
	}
}

// A soak is one run.
type soak struct {
	t         *testing.T
	server    *server.Server
	scenarios string // watched folder
	fixtures  string // watched folder
	log       *errorLog
	ledger    *ledger
	callers   *callers
	stop      context.Context // done: no client begins anything any more
}

// start starts the server on free ports of this machine.
func start(t *testing.T) *soak {
	s := &soak{t: t, log: &errorLog{}, ledger: newLedger()}
	root := t.TempDir()
	s.scenarios, s.fixtures = filepath.Join(root, "scenarios"), filepath.Join(root, "fixtures")
	for _, file := range firstFiles {
		file.write(t, root)
	}
	var err error
	s.server, err = server.Start(server.Config{
		APIs: emulators.All, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files,
		Bind: "127.0.0.1", ControlBind: "127.0.0.1", DoorPorts: []int{0}, APIPorts: "0",
		Scenarios: []string{s.scenarios}, Fixtures: []string{s.fixtures},
		Set:  []string{"tencentcar.rate_limits=off"},
		Seed: *seed, Clock: "follow", Signatures: "wall", Auth: []string{"verify"},
		Journal: 200, MaxSandboxes: maxSandbox, MaxStall: maxStall, Body: maxBody,
		MaxConnections: 4096, MaxInflight: maxInflight,
		Log:  slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelError})),
		Wall: time.Now, Env: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.callers = newCallers()
	return s
}

// run has all clients at work for d, and waits until the last one has ended.
func (s *soak) run(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	s.stop = ctx
	var clients sync.WaitGroup
	number := uint64(0)
	for _, kind := range kinds {
		for i := range kind.clients {
			number++
			c := s.client(i, number)
			clients.Go(func() { kind.run(c) })
		}
	}
	ended := make(chan struct{})
	go func() {
		clients.Wait()
		close(ended)
	}()
	progress := time.NewTicker(10 * time.Second)
	defer progress.Stop()
	began := time.Now()
	patience := time.NewTimer(d + 2*time.Minute)
	defer patience.Stop()
	for {
		select {
		case <-progress.C:
			s.t.Logf("after %s: %s; %s", time.Since(began).Round(time.Second), s.ledger, measure())
		case <-ended:
			s.t.Logf("ended after %s: %s", time.Since(began).Round(time.Second), s.ledger)
			return
		case <-patience.C:
			dump(s.t)
			s.t.Fatal("clients still wait two minutes after the end: the dump has where")
		}
	}
}

// empty takes back what the clients left: their sandboxes, and what default remembers.
func (s *soak) empty() {
	c := s.client(0, 0)
	for _, box := range s.server.Registry.List() {
		if box.Name == sandbox.Default {
			c.control("POST", "/v1/sandboxes/default/reset", "", 200)
		} else {
			c.control("DELETE", "/v1/sandboxes/"+box.Name, "", 200)
		}
	}
	if left := s.server.Registry.List(); len(left) != 1 {
		s.t.Errorf("%d sandboxes are left, want default alone", len(left))
	}
}

// judgeEnd holds what was counted against what was to be seen.
func (s *soak) judgeEnd() {
	if n := s.server.Panics(); n != 0 {
		s.t.Errorf("%d requests ended in a fault of understudy's own", n)
	}
	if text := s.log.String(); text != "" {
		s.t.Errorf("the log has errors:\n%s", text)
	}
	for _, line := range s.ledger.faults() {
		s.t.Error(line)
	}
	// A soak in which something never happened says nothing about it.
	for _, what := range mustHappen() {
		if s.ledger.count(what) == 0 {
			s.t.Errorf("it never happened: %s", what)
		}
	}
}

// A usage is what the process holds.
type usage struct {
	goroutines, descriptors int // descriptors: -1 where they cannot be counted
	heap                    int64
}

func measure() usage {
	u := usage{goroutines: runtime.NumGoroutine(), descriptors: -1}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.descriptors = len(open)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap = int64(m.HeapAlloc)
	return u
}

// collect measures after the garbage collector. It runs twice, since a pool gives up
// what it holds at the second run only.
func collect() usage {
	runtime.GC()
	runtime.GC()
	return measure()
}

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %.1f MiB of heap", u.goroutines, u.descriptors, float64(u.heap)/(1<<20))
}

// above says in what u is above begin by more than may be.
func (u usage) above(begin usage) (all []string) {
	if u.goroutines > begin.goroutines+moreGoroutines {
		all = append(all, fmt.Sprintf("%d goroutines, want at most %d more than %d", u.goroutines, moreGoroutines, begin.goroutines))
	}
	if u.descriptors > begin.descriptors+moreDescriptors {
		all = append(all, fmt.Sprintf("%d descriptors, want at most %d more than %d", u.descriptors, moreDescriptors, begin.descriptors))
	}
	if u.heap > begin.heap+moreHeap {
		all = append(all, fmt.Sprintf("%d bytes of heap, want at most %d more than %d", u.heap, moreHeap, begin.heap))
	}
	return all
}

func (u usage) near(begin usage) bool { return len(u.above(begin)) == 0 }

// settle waits until enough says so, or until all has had its time.
func (s *soak) settle(when string, enough func(usage) bool) usage {
	s.callers.closeIdle()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(settling)
	defer end.Stop()
	for {
		u := collect()
		if enough(u) {
			return u
		}
		select {
		case <-tick.C:
		case <-end.C:
			s.t.Logf("%s nothing settled in %s", when, settling)
			return u
		}
	}
}

// stable measures once the number of goroutines stays the same.
func (s *soak) stable() usage {
	last, same := -1, 0
	return s.settle("before the soak", func(u usage) bool {
		if u.goroutines == last {
			same++
		} else {
			last, same = u.goroutines, 0
		}
		return same == 5
	})
}

// dump writes where all goroutines are, many at one place as one.
func dump(t *testing.T) {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
	t.Logf("goroutines:\n%s", b.String())
}

// An errorLog keeps the errors of the server's log.
type errorLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *errorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() < 64<<10 {
		l.text.Write(p)
	}
	return len(p), nil
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
