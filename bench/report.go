//go:build linux

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// why is the prose of the report: what is slow and why, which no measurement says by itself.
//
//go:embed why.md
var why string

// report measures what is asked for and writes it down.
func report(ctx context.Context, l *lab, p plan, modes []string) (string, error) {
	var b strings.Builder
	p.noise = new(float64)
	if err := l.rehearse(ctx, append([]*workload{createSession}, others...)); err != nil {
		return "", err
	}
	parts := map[string]func(context.Context, *lab, plan, *strings.Builder) error{
		"load": reportLoad, "start": reportStart, "memory": reportMemory, "flat": reportFlat, "cores": reportCores, "profile": reportProfile,
	}
	for _, mode := range modes {
		part, known := parts[mode]
		if !known {
			return "", fmt.Errorf("there is no measurement %q", mode)
		}
		_, _ = fmt.Fprintf(p.progress, "== %s\n", mode)
		if err := part(ctx, l, p, &b); err != nil {
			return b.String(), fmt.Errorf("%s: %w", mode, err)
		}
	}
	return p.heading() + b.String() + "\n" + why, nil
}

// heading says what was measured, when, on what and how.
func (p plan) heading() string {
	text := fmt.Sprintf("# Performance\n\n<!-- written by make bench-load; the prose at the end is bench/why.md -->\n\n"+
		"`make bench-load` wrote this page on %s: %s. Rounds: %d. Each starts every server afresh, in a random order,\n"+
		"warms it for %s and loads it for %s over %d connections of the loopback interface. Ratios are taken within a round and are medians over\n"+
		"the rounds: quote them, and not the microseconds of this machine. CPU is that of the server's processes for each request.\n",
		time.Now().Format(time.DateOnly), machine(), p.rounds, p.warm, p.length, p.connections)
	if *p.noise > disturbed {
		text += fmt.Sprintf("**The machine was not quiet: others used up to %.1f cores during a load. Measure again before you quote anything.**\n", *p.noise)
	}
	return text
}

// machine describes what was measured on.
func machine() string {
	model := "an unnamed processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, is := strings.Cut(line, ":"); is && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d cores of %s, Linux %s, %s", runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version())
}

func reportLoad(ctx context.Context, l *lab, p plan, b *strings.Builder) error {
	targets := append([]target{
		baseline(echoName, "echo", createSession), baseline(plainName, "plain", createSession), baseline(carefulName, "careful", createSession),
		ours(createSession).target(ourName),
	}, peers()...)
	got, err := p.compare(ctx, l, targets)
	if err != nil {
		return err
	}
	b.WriteString("\n## A signed call\n\ntencentcar's CreateSession, " + fmt.Sprint(users) + " users in turn. understudy verifies it, finds the sandbox by the credential among three, has ten scenarios\n" +
		"active that do not fit, keeps state and journal, and writes its log. The verifying echoes check the signature and keep 1,000 calls.\n\n" +
		"| server | CPU × bare echo | × plain verifying | requests/s × bare echo | one connection p50, p99 × bare echo | p99 × plain verifying | CPU µs | peak MiB | others, cores |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, t := range targets {
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.2f | %.2f, %.2f | %.2f | %.1f | %.1f | %.2f |\n", t.name,
			got.ratio(t.name, echoName, cpuOf), got.ratio(t.name, plainName, cpuOf), got.ratio(t.name, echoName, rateOf),
			got.ratio(t.name, echoName, singleOf), got.ratio(t.name, echoName, slowestOf), got.ratio(t.name, plainName, p99Of), got.median(t.name, cpuOf), got.median(t.name, peakOf), got.median(t.name, foreignOf))
	}
	fmt.Fprintf(b, "\nTargets: CPU at most 0.8 × plain verifying (stretch: 1.1 × with care; it is %.2f), p50 on one connection at most 1.15 × bare echo, p99 no worse\n"+
		"than plain verifying, and 1.3 × the requests per second of Hoverfly", got.ratio(ourName, carefulName, cpuOf))
	if len(peers()) == 0 {
		b.WriteString(", which is not installed on this machine")
	}
	for _, t := range peers() {
		fmt.Fprintf(b, " (it is %.2f)", got.ratio(ourName, t.name, rateOf))
	}
	b.WriteString(".\n")
	return reportOthers(ctx, l, p, b)
}

// reportOthers compares the other APIs' calls with bare handlers of their own.
func reportOthers(ctx context.Context, l *lab, p plan, b *strings.Builder) error {
	p.single = 0
	var targets []target
	for _, w := range others {
		targets = append(targets, baseline(w.name()+", bare", "echo", w), ours(w).target(w.name()))
	}
	got, err := p.compare(ctx, l, targets)
	if err != nil {
		return err
	}
	b.WriteString("\n## The other APIs\n\nEach beside a bare handler of its own that decodes as much and answers as much. Target: CPU at most 1.5 × bare.\n\n" +
		"| call | CPU × bare | requests/s × bare | p99 × bare | CPU µs | others, cores |\n|---|---|---|---|---|---|\n")
	for _, w := range others {
		bare := w.name() + ", bare"
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.2f | %.1f | %.2f |\n", w.name(), got.ratio(w.name(), bare, cpuOf), got.ratio(w.name(), bare, rateOf),
			got.ratio(w.name(), bare, p99Of), got.median(w.name(), cpuOf), got.median(w.name(), foreignOf))
	}
	return nil
}

func reportStart(ctx context.Context, l *lab, p plan, b *strings.Builder) error {
	got, err := measureStart(ctx, l, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n## Start\n\n| | understudy | beside | ratio | target |\n|---|---|---|---|---|\n"+
		"| start to first right answer, ms | %.1f | bare echo %.1f | %.2f | 2 |\n| `version`, ms | %.1f | empty cobra program %.1f | %.2f | 1.3 |\n"+
		"| idle, MiB | %.1f | bare echo %.1f | %.2f | 15 MiB |\n| binary, MB stripped | %.1f | | | 20 MB |\n",
		got.ours, got.echo, got.ours/got.echo, got.version, got.empty, got.version/got.empty, got.idle, got.echoIdle, got.idle/got.echoIdle, got.binary)
	return nil
}

func reportMemory(ctx context.Context, l *lab, p plan, b *strings.Builder) error {
	got, err := measureMemory(ctx, l, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n## Memory\n\nMiB before a load with three sandboxes %.1f, after 100,000 requests %.1f, after 500,000 %.1f (%+.1f; target: within 2), the most ever %.1f (target: 28).\n",
		got.idle, got.first, got.last, got.last-got.first, got.peak)
	return nil
}

func reportFlat(ctx context.Context, l *lab, p plan, b *strings.Builder) error {
	p.rounds, p.single = min(p.rounds, 3), 0
	list := burdens()
	var targets []target
	for _, x := range list {
		targets = append(targets, x.target(x.name))
	}
	got, err := p.compare(ctx, l, targets)
	if err != nil {
		return err
	}
	b.WriteString("\n## Flat\n\nA call beside much of something, to the same call beside little. Target: 0.95 and above, within noise.\n\n" +
		"| beside | requests per CPU second | requests/s | ready after, ms | MiB before the load | KiB for each |\n|---|---|---|---|---|---|\n")
	for _, x := range list {
		each := "-"
		if x.many > 0 {
			each = fmt.Sprintf("%.1f", 1024*(got.median(x.name, idleOf)-got.median(x.base, idleOf))/float64(x.many))
		}
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.0f | %.1f | %s |\n", x.name, got.ratio(x.base, x.name, cpuOf), got.ratio(x.name, x.base, rateOf),
			got.median(x.name, startupOf), got.median(x.name, idleOf), each)
	}
	return nil
}

func reportCores(ctx context.Context, l *lab, p plan, b *strings.Builder) error {
	p.rounds, p.single = min(p.rounds, 3), 0
	got, err := measureCores(ctx, l, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n## Cores\n\nWith GOMAXPROCS=2 understudy answers %.2f times as many requests a second as with 1, with the generator on the same %d cores. A request\n"+
		"costs %.2f of the processor time with one core that it costs with two, so that two cores that have nothing else to do give %.2f × one. Target: 1.8.\n",
		got.rate, runtime.NumCPU(), got.cpu, 2*got.cpu)
	return nil
}

func reportProfile(ctx context.Context, l *lab, p plan, b *strings.Builder) error {
	found, err := p.profile(ctx, l)
	if err != nil {
		return err
	}
	b.WriteString("\n## Where the time goes\n\nSamples of a signed CreateSession by what they belong to; allocation and collection count wherever they were asked for.\n\n" +
		"| share | % | share | % | share | % |\n|---|---|---|---|---|---|\n")
	names := largestFirst(found)
	rows := (len(names) + 2) / 3
	for row := range rows {
		for at := row; at < 3*rows; at += rows {
			if at < len(names) {
				fmt.Fprintf(b, "| %s | %.1f ", names[at], 100*found[names[at]])
			} else {
				b.WriteString("| | ")
			}
		}
		b.WriteString("|\n")
	}
	return nil
}
