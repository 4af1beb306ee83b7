//go:build linux

package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("%v: got %v, want %v", c.values, got, c.want)
		}
	}
}

// A ratio is taken within each round: a machine that slows down half way changes both figures of a round.
func TestRatiosWithinTheRound(t *testing.T) {
	t.Parallel()
	r := results{"base": {{cpu: 10}, {cpu: 30}, {cpu: 50}}, "x": {{cpu: 20}, {cpu: 60}, {cpu: 100}}}
	if got := r.ratio("x", "base", cpuOf); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := r.median("x", cpuOf); got != 60 {
		t.Errorf("got %v, want 60", got)
	}
}

// asServer makes the test's own binary a server that TestMain runs.
const asServer = "BENCH_TEST_SERVER"

// TestMain is also a server: it answers after it has computed as long as the variable says.
func TestMain(m *testing.M) {
	work, is := os.LookupEnv(asServer)
	if !is {
		code := m.Run()
		if shared.lab != nil {
			if err := shared.lab.close(); err != nil {
				panic(err)
			}
		}
		os.Exit(code)
	}
	spin, err := time.ParseDuration(work)
	if err != nil {
		panic(err)
	}
	answer := "fine"
	if spin < 0 {
		answer = "sorry"
	}
	panic(http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for end := time.Now().Add(spin); time.Now().Before(end); {
			continue
		}
		_, _ = w.Write([]byte(answer))
	})))
}

// fake is a target that needs so much time for a call.
func fake(name, work string) target {
	return target{name, func(ctx context.Context, _ *lab) (*running, error) {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		address := "127.0.0.1:" + strconv.Itoa(port)
		p, err := startProcess(os.TempDir(), []string{os.Args[0], address}, []string{asServer + "=" + work})
		if err != nil {
			return nil, err
		}
		r := &running{process: p, address: address, requests: []request{get("/")}}
		if err := p.waitFor(ctx, startLimit, func() error { _, err := exchange(address, request{raw: r.requests[0].raw, status: 200}); return err }); err != nil {
			r.end()
			return nil, err
		}
		return r, nil
	}}
}

func TestGrossLossFails(t *testing.T) {
	p := brief
	p.rounds, p.length = 2, 300*time.Millisecond
	for _, c := range []struct {
		ours  string
		fails bool
	}{{"0s", false}, {"2ms", true}} {
		got, err := p.compare(t.Context(), nil, []target{fake(plainName, "500us"), fake(ourName, c.ours)})
		if err != nil {
			t.Fatal(err)
		}
		if err := loss(got); (err != nil) != c.fails {
			t.Errorf("%s beside 500us: got %v, ratio %v", c.ours, err, got.ratio(ourName, plainName, cpuOf))
		}
	}
	if loss(results{}) == nil {
		t.Error("a comparison without figures passes")
	}
	// One spoilt round among two says nothing.
	if err := loss(results{plainName: {{cpu: 10}, {cpu: 10}}, ourName: {{cpu: 40}, {cpu: 8}}}); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestGrowthFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		growth
		want string
	}{
		{growth{half: 20, whole: 21, goroutines: [2]int{9, 10}, sockets: [2]int{3, 3}}, ""},
		{growth{half: 20, whole: 40}, "memory grew by 20.0 MiB"},
		{growth{goroutines: [2]int{9, 41}}, "41 goroutines"},
		{growth{sockets: [2]int{3, 35}}, "35 sockets"},
	} {
		err := c.wrong()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.growth, err, c.want)
		}
	}
}

func TestWrongTargetFailsTheRun(t *testing.T) {
	_, err := brief.compare(t.Context(), nil, []target{fake("liar", "-1s")})
	if err == nil || !strings.Contains(err.Error(), "liar, round 1: before the load") || !strings.Contains(err.Error(), "sorry") {
		t.Errorf("got %v", err)
	}
}

// A server that ends before it answers is told with what it said.
func TestDeadTargetIsTold(t *testing.T) {
	p, err := startProcess(os.TempDir(), []string{"sh", "-c", "echo no such flag >&2; exit 3"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	err = p.waitFor(t.Context(), time.Minute, func() error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no such flag") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
}

// What was started is ended with all that it started itself, also where it does not hear.
func TestNothingIsLeftBehind(t *testing.T) {
	p, err := startProcess(os.TempDir(), []string{"sh", "-c", "sleep 600 & echo started >&2; wait"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = p.waitFor(t.Context(), time.Minute, func() error {
		if len(p.members()) < 2 || p.errors.String() != "started" {
			return errors.New("not yet")
		}
		return nil
	})
	members := p.members()
	p.stop()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range members {
		// Who is killed may need a moment to end; a zombie runs no more.
		runs := func() (state string, runs bool) {
			f := statFields("/proc/" + strconv.Itoa(id) + "/stat")
			if len(f) == 0 || f[0] == "Z" {
				return "", false
			}
			return f[0], syscall.Kill(id, 0) == nil
		}
		end := time.Now().Add(10 * time.Second)
		state, left := runs()
		for ; left && time.Now().Before(end); state, left = runs() {
			time.Sleep(5 * time.Millisecond)
		}
		if left {
			t.Errorf("process %d is left, in state %s", id, state)
		}
	}
}

// An interrupted run ends what it started.
func TestInterruptEndsTheServers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var begun *running
	slow := fake("slow", "1ms")
	p := brief
	p.length = time.Minute
	_, err := p.compare(ctx, nil, []target{{"slow", func(ctx context.Context, l *lab) (*running, error) {
		r, err := slow.begin(ctx, l)
		begun = r
		time.AfterFunc(100*time.Millisecond, cancel)
		return r, err
	}}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	select {
	case <-begun.ended:
	default:
		t.Error("the server still runs")
	}
}

func TestProcessFigures(t *testing.T) {
	t.Parallel()
	if got := statusFigure("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t1024 kB\n", "VmRSS"); got != 1024 {
		t.Errorf("got %d, want 1024", got)
	}
	if got := statusFigure("Name:\tx\n", "VmRSS"); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
	second := time.Unix(1, 0)
	a := reading{at: second}
	b := reading{at: second.Add(2 * time.Second), server: time.Second, client: time.Second, machine: 3 * time.Second}
	if got := foreign(a, b); got != 0.5 {
		t.Errorf("got %v cores of others, want 0.5", got)
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	const traces = `File: understudy
Type: cpu
-----------+-------------------------------------------------------
      10ms   internal/runtime/syscall.Syscall6
             syscall.write
             net/http.(*conn).serve
-----------+-------------------------------------------------------
      20ms   runtime.memclrNoHeapPointers
             runtime.mallocgc
             net/http.(*conn).serve
-----------+-------------------------------------------------------
      30ms   crypto/sha256.block
             github.com/understudy-suite/understudy/emulators/tencentcar.digest (inline)
-----------+-------------------------------------------------------
      40ms   runtime.schedule
             runtime.mcall
-----------+-------------------------------------------------------
`
	got, err := divide(strings.NewReader(traces))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"system calls": 0.1, "allocation": 0.2, "signature": 0.3, rest: 0.4} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
	if names := largestFirst(got); len(names) != 4 || names[0] != rest {
		t.Errorf("got %v", names)
	}
	for _, bad := range []string{"", "-----------+---\nsoon main.main\n"} {
		if _, err := divide(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// The profiler is laid over the command for one build, and is in no other.
func TestProfilerIsNotShipped(t *testing.T) {
	l := laboratory(t)
	binary := l.folder + "/profiled"
	if err := l.buildProfiled(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{binary: true, l.understudy: false} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(b), "BENCH_PROFILE"); got != want {
			t.Errorf("the profiler is in the binary: %v, want %v", got, want)
		}
	}
	if out, err := exec.Command(binary, "version").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
