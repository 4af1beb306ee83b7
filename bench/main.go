//go:build linux

// Command bench compares understudy with what a team would write instead of it, on this machine: `make bench-load` runs all of
// it and writes docs/performance.md, `make bench-short` a form that fails on gross loss. It reads /proc, and so needs Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	root := flags.String("root", ".", "folder of the repository")
	output := flags.String("o", "", "file to write, in that folder; without it, standard output")
	rounds := flags.Int("rounds", 5, "rounds of the comparison; the other measurements take 3 at most")
	length := flags.Duration("duration", 5*time.Second, "length of a load")
	quiet := flags.Duration("quiet", 30*time.Second, "how long to wait, before each load, for others to leave the processor alone")
	seed := flags.Uint64("seed", 1, "seed of the order within a round")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(flags.Output(), "usage: bench [flags] all|short|load|start|memory|flat|cores|profile…")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := plan{
		rounds: *rounds, seed: *seed, connections: 32,
		warm: min(*length, 2*time.Second), length: *length, single: min(*length, 2*time.Second),
		quiet: *quiet, retries: 2, progress: os.Stderr,
	}
	l, err := newLab(ctx, *root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	modes := flags.Args()
	switch {
	case len(modes) == 1 && modes[0] == "short":
		return short(ctx, l, os.Stdout)
	case len(modes) == 1 && modes[0] == "all":
		modes = []string{"load", "start", "memory", "flat", "cores", "profile"}
	}
	text, err := report(ctx, l, p, modes)
	if err != nil || *output == "" {
		fmt.Print(text)
		return err
	}
	return os.WriteFile(filepath.Join(*root, *output), []byte(text), 0o644)
}
