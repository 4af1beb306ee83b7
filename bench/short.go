//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// What is gross in the short form. Machines are noisy, and the targets are held by docs/performance.md.
const (
	grossRatio   = 1.8  // CPU of a signed CreateSession to that of the plain verifying handler: what is measured, and a quarter more
	grossGrowth  = 16.0 // MiB that the second half of a load adds
	grossLeak    = 10   // goroutines, and sockets, more than before the load
	shortRounds  = 2
	growthLength = 4 * time.Second
)

const (
	echoName    = "bare echo, decode + encode"
	plainName   = "verifying echo, plain"
	carefulName = "verifying echo, with care"
	ourName     = "understudy"
)

// ours is understudy as the targets are judged: verification, ten active scenarios that do not fit, state, a sandbox that is
// found by its credential among three, journal and log.
func ours(w *workload) options {
	return options{setup: setup{work: w, sandboxes: 2, active: 10}, loaded: 10}
}

// short is the form that the gate runs.
func short(ctx context.Context, l *lab, w io.Writer) error {
	if err := l.rehearse(ctx, []*workload{createSession}); err != nil {
		return err
	}
	p := plan{rounds: shortRounds, seed: 1, connections: 32, warm: time.Second, length: 3 * time.Second, progress: w}
	got, err := p.compare(ctx, l, []target{
		baseline(plainName, "plain", createSession), ours(createSession).target(ourName),
	})
	if err != nil {
		return err
	}
	lost := loss(got)
	g, err := grow(ctx, l, p)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "CPU of a signed CreateSession: %.2f x that of the plain verifying echo\n%s\n", got.ratio(ourName, plainName, cpuOf), g)
	return errors.Join(lost, g.wrong())
}

// loss says what is grossly lost in a comparison: it shows in every round, for others on the machine spoil single ones.
func loss(got results) error {
	ratios := got.ratios(ourName, plainName, cpuOf)
	if len(ratios) == 0 {
		return errors.New("nothing was compared")
	}
	if least := slices.Min(ratios); least > grossRatio {
		return fmt.Errorf("a signed CreateSession costs at least %.2f x the plain verifying echo in every round, expected at most %.1f: profile it with make bench-load", least, grossRatio)
	}
	return nil
}

// growth is what a server holds after half of a load, after all of it, and what is left when its clients have gone.
type growth struct {
	half, whole         float64 // MiB
	requests            int
	goroutines, sockets [2]int // before and after
}

func (g growth) String() string {
	return fmt.Sprintf("after %d requests: memory from %.1f MiB at half of them to %.1f, goroutines from %d to %d, sockets from %d to %d",
		g.requests, g.half, g.whole, g.goroutines[0], g.goroutines[1], g.sockets[0], g.sockets[1])
}

func (g growth) wrong() error {
	var wrong []error
	if g.whole-g.half > grossGrowth {
		wrong = append(wrong, fmt.Errorf("memory grew by %.1f MiB in the second half of the load, expected at most %.0f", g.whole-g.half, grossGrowth))
	}
	if g.goroutines[1]-g.goroutines[0] > grossLeak {
		wrong = append(wrong, fmt.Errorf("%d goroutines after the load, and %d before: some wait for ever", g.goroutines[1], g.goroutines[0]))
	}
	if g.sockets[1]-g.sockets[0] > grossLeak {
		wrong = append(wrong, fmt.Errorf("%d sockets after the load, and %d before: connections are not closed", g.sockets[1], g.sockets[0]))
	}
	return errors.Join(wrong...)
}

// grow loads understudy twice and looks at what remains.
func grow(ctx context.Context, l *lab, p plan) (growth, error) {
	var g growth
	r, err := ours(createSession).target(ourName).begin(ctx, l)
	if err != nil {
		return g, err
	}
	defer r.end()
	if g.goroutines[0], err = r.instance.goroutines(ctx); err != nil {
		return g, err
	}
	g.sockets[0] = r.sockets()
	for _, held := range []*float64{&g.half, &g.whole} {
		o, err := p.load(ctx, r, p.connections, growthLength)
		if err != nil {
			return g, err
		}
		g.requests += o.requests
		*held = r.memory("VmRSS")
	}
	// A server notices in its own time that clients have gone.
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if g.goroutines[1], err = r.instance.goroutines(ctx); err != nil {
			return g, err
		}
		g.sockets[1] = r.sockets()
		if time.Now().After(end) || g.goroutines[1]-g.goroutines[0] <= grossLeak && g.sockets[1]-g.sockets[0] <= grossLeak {
			return g, nil
		}
	}
}
