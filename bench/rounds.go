//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// A plan says how a comparison is made.
type plan struct {
	rounds       int
	seed         uint64
	connections  int
	warm, length time.Duration
	single       time.Duration // of a load on one connection beside; 0: none
	quiet        time.Duration // how long to wait for others to be quiet
	retries      int           // for a load that others disturbed
	progress     io.Writer
	noise        *float64 // the most cores that others used during a load that counts; nil: nobody asks
}

// disturbed is how many cores others may use during a load before it is repeated.
const disturbed = 0.2

// figures are what one load of one target showed.
type figures struct {
	cpu             float64 // µs of processor time of the server's processes for each request
	rate            float64 // requests per second
	p99             float64 // ms
	single, slowest float64 // ms: the median and the 99th percentile on one connection
	idle            float64 // MiB in memory before the load
	peak            float64 // MiB, the most ever
	foreign         float64 // cores that others used
	startup         float64 // ms
}

// results are the figures of each target by its name, round after round.
type results map[string][]figures

// compare runs the rounds: each starts every target afresh, in an order of its own.
func (p plan) compare(ctx context.Context, l *lab, targets []target) (results, error) {
	got := results{}
	for round := range p.rounds {
		order := slices.Clone(targets)
		rand.New(rand.NewPCG(p.seed, uint64(round))).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, t := range order {
			f, err := p.undisturbed(ctx, l, t)
			if err != nil {
				return nil, fmt.Errorf("%s, round %d: %w", t.name, round+1, err)
			}
			got[t.name] = append(got[t.name], f)
			if p.noise != nil {
				*p.noise = max(*p.noise, f.foreign)
			}
			_, _ = fmt.Fprintf(p.progress, "round %d  %-44s %8.1f µs CPU a request  %8.0f requests/s  p99 %7.2f ms  others %.2f cores\n", round+1, t.name, f.cpu, f.rate, f.p99, f.foreign)
		}
	}
	return got, nil
}

// undisturbed measures a target, again where others used the machine, and keeps the run with the least of that.
func (p plan) undisturbed(ctx context.Context, l *lab, t target) (figures, error) {
	var best figures
	for attempt := range p.retries + 1 {
		waitQuiet(ctx, p.quiet)
		f, err := p.measure(ctx, l, t)
		if err != nil {
			return f, err
		}
		if attempt == 0 || f.foreign < best.foreign {
			best = f
		}
		if best.foreign <= disturbed {
			break
		}
	}
	return best, nil
}

// measure starts a target, loads it and stops it.
func (p plan) measure(ctx context.Context, l *lab, t target) (figures, error) {
	r, err := t.begin(ctx, l)
	if err != nil {
		return figures{}, err
	}
	defer r.end()
	if err := r.check(); err != nil {
		return figures{}, fmt.Errorf("before the load: %w", err)
	}
	f := figures{startup: r.startup.Seconds() * 1000, idle: r.memory("VmRSS")}
	if p.warm > 0 {
		if _, err := p.load(ctx, r, p.connections, p.warm); err != nil {
			return f, err
		}
	}
	before := r.read()
	o, err := p.load(ctx, r, p.connections, p.length)
	if err != nil {
		return f, err
	}
	after := r.read()
	f.cpu = float64((after.server - before.server).Microseconds()) / float64(o.requests)
	f.rate = float64(o.requests) / o.elapsed.Seconds()
	f.p99 = o.latency.quantile(0.99)
	f.foreign = foreign(before, after)
	if p.single > 0 {
		o, err := p.load(ctx, r, 1, p.single)
		if err != nil {
			return f, err
		}
		f.single, f.slowest = o.latency.quantile(0.5), o.latency.quantile(0.99)
	}
	f.peak = r.memory("VmHWM")
	if err := r.check(); err != nil {
		return f, fmt.Errorf("after the load: %w", err)
	}
	return f, nil
}

// load sends a target its requests. One wrong answer among them and the figures are worth nothing.
func (p plan) load(ctx context.Context, r *running, connections int, length time.Duration) (*outcome, error) {
	return sound(load{address: r.address, requests: r.requests, connections: connections, duration: length}.run(ctx))
}

func sound(o *outcome, err error) (*outcome, error) {
	switch {
	case err != nil:
		return nil, err
	case o.requests == 0:
		return nil, fmt.Errorf("nothing was answered")
	case o.wrong > 0:
		return nil, fmt.Errorf("%d of %d answers are wrong, such as %q", o.wrong, o.requests, o.example)
	}
	return o, nil
}

// median of one figure of a target.
func (r results) median(name string, figure func(figures) float64) float64 {
	var all []float64
	for _, f := range r[name] {
		all = append(all, figure(f))
	}
	return median(all)
}

// ratio is the median of what a target's figure is to a base's in the same round.
func (r results) ratio(name, base string, figure func(figures) float64) float64 {
	return median(r.ratios(name, base, figure))
}

// ratios are what a target's figure is to a base's, round after round.
func (r results) ratios(name, base string, figure func(figures) float64) []float64 {
	var all []float64
	for i := range min(len(r[name]), len(r[base])) {
		all = append(all, figure(r[name][i])/figure(r[base][i]))
	}
	return all
}

// median returns the middle value, or the mean of the two in the middle; 0 for nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func cpuOf(f figures) float64     { return f.cpu }
func rateOf(f figures) float64    { return f.rate }
func p99Of(f figures) float64     { return f.p99 }
func singleOf(f figures) float64  { return f.single }
func slowestOf(f figures) float64 { return f.slowest }
func idleOf(f figures) float64    { return f.idle }
func peakOf(f figures) float64    { return f.peak }
func foreignOf(f figures) float64 { return f.foreign }
func startupOf(f figures) float64 { return f.startup }
