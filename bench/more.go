//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// settle is how long a server is left alone before its memory is read.
const settle = 700 * time.Millisecond

// A beginning is how soon servers answer and commands end.
type beginning struct {
	ours, echo     float64 // ms to the first right answer
	idle, echoIdle float64 // MiB
	version, empty float64 // ms
	binary         float64 // MB, stripped
}

// startRounds are as many as a start is short.
const startRounds = 15

// measureStart starts understudy, the bare echo and two commands by turns.
func measureStart(ctx context.Context, l *lab, p plan) (beginning, error) {
	var ours, echo, idle, echoIdle, version, empty []float64
	for round := range startRounds {
		steps := []func() error{
			func() error { return timedStart(ctx, l, target{ourName, firstAnswer}, &ours, &idle) },
			func() error {
				return timedStart(ctx, l, baseline(echoName, "echo", createSession), &echo, &echoIdle)
			},
			func() error { return timedCommand(ctx, l.understudy, &version) },
			func() error { return timedCommand(ctx, l.empty, &empty) },
		}
		rand.New(rand.NewPCG(p.seed, uint64(round))).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		for _, step := range steps {
			if err := step(); err != nil {
				return beginning{}, err
			}
		}
	}
	info, err := os.Stat(l.understudy)
	if err != nil {
		return beginning{}, err
	}
	return beginning{median(ours), median(echo), median(idle), median(echoIdle), median(version), median(empty), float64(info.Size()) / 1e6}, nil
}

func timedStart(ctx context.Context, l *lab, t target, took, idle *[]float64) error {
	r, err := t.begin(ctx, l)
	if err != nil {
		return err
	}
	defer r.end()
	*took = append(*took, r.startup.Seconds()*1000)
	time.Sleep(settle)
	*idle = append(*idle, r.memory("VmRSS"))
	return nil
}

// firstAnswer starts an understudy as anybody would, and waits for the answer to a documented call.
func firstAnswer(ctx context.Context, l *lab) (*running, error) {
	door, err := freePort()
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", door)
	r, err := draft("tencentcar", "CreateSession", address, documented, contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="})
	if err != nil {
		return nil, err
	}
	first := []request{{raw: raw(r), status: http.StatusOK, part: []byte(createSession.part)}}
	args := []string{l.understudy, "serve", "--door-port", fmt.Sprint(door), "--control-port", "0", "--api-ports", "0", "--clock", instant.Format(time.RFC3339), "--signature-clock", "sandbox"}
	return l.begin(ctx, args, address, first)
}

func timedCommand(ctx context.Context, program string, took *[]float64) error {
	begun := time.Now()
	if out, err := exec.CommandContext(ctx, program, "version").CombinedOutput(); err != nil {
		return fmt.Errorf("%s version: %w: %s", filepath.Base(program), err, out)
	}
	*took = append(*took, time.Since(begun).Seconds()*1000)
	return nil
}

// footprint is the memory of understudy as requests pile up.
type footprint struct {
	idle, first, last, peak float64 // MiB: before, after 100,000 requests, after 500,000, the most ever
}

const (
	firstRequests = 100_000
	lastRequests  = 500_000
)

func measureMemory(ctx context.Context, l *lab, p plan) (footprint, error) {
	var f footprint
	r, err := ours(createSession).target(ourName).begin(ctx, l)
	if err != nil {
		return f, err
	}
	defer r.end()
	time.Sleep(settle)
	f.idle = r.memory("VmRSS")
	for _, step := range []struct {
		count int
		held  *float64
	}{{firstRequests, &f.first}, {lastRequests - firstRequests, &f.last}} {
		long := load{address: r.address, requests: r.requests, connections: p.connections, duration: 10 * time.Minute, count: step.count}
		if _, err := sound(long.run(ctx)); err != nil {
			return f, err
		}
		time.Sleep(settle)
		*step.held = r.memory("VmRSS")
	}
	f.peak = r.memory("VmHWM")
	return f, nil
}

// A burden is something of which there is much. Calls are to cost as much beside it as beside little.
type burden struct {
	name string
	base string // the burden that it is compared with
	many int    // for memory per item; 0: not told
	options
}

// burdens are compared with the first of their workload.
func burdens() []burden {
	create := func(active, loaded int) options {
		return options{setup: setup{work: createSession, sandboxes: 1, active: active}, loaded: loaded}
	}
	const one = "1 scenario active of 1 loaded"
	list := []burden{
		{one, one, 0, create(1, 1)},
		{"100 active of 100", one, 100, create(100, 100)},
		{"1,000 active of 1,000", one, 1000, create(1000, 1000)},
		{"1 active of 1,000", one, 1000, create(1, 1000)},
		{"1 active of 10,000", one, 10_000, create(1, 10_000)},
	}
	sandboxes := create(1, 1)
	sandboxes.sandboxes, sandboxes.shared, sandboxes.flags = 1000, true, []string{"--max-sandboxes", "1001"}
	kept, stalled := create(1, 1), create(1, 1)
	kept.hold, stalled.hold = holdIdle(5000), holdStalled(500)
	event := options{setup: setup{work: others[1], sandboxes: 1, active: 1}, loaded: 1}
	crowded := event
	crowded.hold = openSessions(100_000)
	return append(list,
		burden{"1,000 sandboxes at work", one, 1000, sandboxes},
		burden{"5,000 idle connections", one, 5000, kept},
		burden{"500 stalled by a fault", one, 500, stalled},
		burden{"adobemedia event, 64 sessions", "adobemedia event, 64 sessions", 0, event},
		burden{"adobemedia event, 100,000 sessions", "adobemedia event, 64 sessions", 100_000, crowded},
	)
}

// holdIdle opens connections that nothing is sent on after their first call.
func holdIdle(n int) func(context.Context, *running) (func(), error) {
	return func(_ context.Context, r *running) (func(), error) {
		return hold(r, n, func(c net.Conn, i int) error {
			if _, err := c.Write(r.requests[i%len(r.requests)].raw); err != nil {
				return err
			}
			_, err := readAnswer(c)
			return err
		})
	}
}

// holdStalled sends calls whose answers a scenario holds back.
func holdStalled(n int) func(context.Context, *running) (func(), error) {
	return func(ctx context.Context, r *running) (func(), error) {
		scenario := map[string]any{"scenario": "stalled", "api": "tencentcar", "rules": []any{map[string]any{
			"operation": "CreateSession", "where": map[string]string{"ClientSession": "stalled"}, "wire": map[string]string{"fault": "stall"},
		}}}
		err := r.instance.ask(ctx, http.MethodPut, "/v1/scenarios/tencentcar/stalled", scenario, nil)
		if err == nil {
			err = r.instance.ask(ctx, http.MethodPut, "/v1/sandboxes/load-0/scenarios/tencentcar/stalled", struct{}{}, nil)
		}
		if err != nil {
			return nil, err
		}
		in := createSession.input(0)
		in["ClientSession"] = "stalled"
		q, err := draft("tencentcar", "CreateSession", r.address, r.instance.credentials, in)
		if err != nil {
			return nil, err
		}
		return hold(r, n, func(c net.Conn, i int) error {
			_, err := c.Write(raw(q))
			if err != nil || i > 0 {
				return err
			}
			// The first one shows that nothing comes.
			_ = c.SetReadDeadline(time.Now().Add(settle))
			if n, err := c.Read(make([]byte, 100)); !errors.Is(err, os.ErrDeadlineExceeded) {
				return fmt.Errorf("a stalled call got %d bytes, expected that nothing comes", n)
			}
			return nil
		})
	}
}

// hold opens connections, sends something on each, and keeps them.
func hold(r *running, n int, send func(c net.Conn, i int) error) (func(), error) {
	var open []net.Conn
	release := func() {
		for _, c := range open {
			_ = c.Close()
		}
	}
	for i := range n {
		c, err := net.DialTimeout("tcp4", r.address, patience)
		if err == nil {
			open = append(open, c)
			err = send(c, i)
		}
		if err != nil {
			release()
			return nil, fmt.Errorf("connection %d of %d: %w", i+1, n, err)
		}
	}
	return release, nil
}

// openSessions begins sessions that stay open.
func openSessions(n int) func(context.Context, *running) (func(), error) {
	return func(ctx context.Context, r *running) (func(), error) {
		q, err := draft("adobemedia", "StartSession", r.address, r.instance.credentials, contract.Values{})
		if err != nil {
			return nil, err
		}
		first := request{raw: raw(q), status: http.StatusCreated}
		_, err = sound(load{address: r.address, requests: []request{first}, connections: 8, duration: 10 * time.Minute, count: n}.run(ctx))
		return func() {}, err
	}
}

// A scaling is what two cores do that one does not.
type scaling struct {
	rate float64 // requests per second with two to those with one, generator and server on the same cores
	cpu  float64 // processor time of a request with one to that with two: what is left of it is the share that cores lose on each other
}

const (
	oneCore  = "one core"
	twoCores = "two cores"
)

func measureCores(ctx context.Context, l *lab, p plan) (scaling, error) {
	one, two := ours(createSession), ours(createSession)
	one.env, two.env = []string{"GOMAXPROCS=1"}, []string{"GOMAXPROCS=2"}
	got, err := p.compare(ctx, l, []target{one.target(oneCore), two.target(twoCores)})
	return scaling{got.ratio(twoCores, oneCore, rateOf), got.ratio(oneCore, twoCores, cpuOf)}, err
}
