//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A process is a server that was started here, and whatever it started itself.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{} // closed once it has ended
	errors *tail         // the end of what it wrote to standard error
	output *os.File      // /dev/null
	stops  sync.Once
}

// startProcess starts a program in a process group of its own, in a folder where no settings lie. It ends with the harness,
// however that ends.
func startProcess(folder string, args, env []string) (*process, error) {
	p := &process{cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{}), errors: &tail{}}
	p.cmd.Dir = folder
	p.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "UNDERSTUDY_") }), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var err error
	if p.output, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	p.cmd.Stdout = p.output
	p.cmd.Stderr = p.errors
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", filepath.Base(args[0]), err), p.output.Close())
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is asked of ProcessState
		close(p.ended)
	}()
	return p, nil
}

func (p *process) id() int { return p.cmd.Process.Pid }

// failed says that the process has ended, where it has.
func (p *process) failed() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended: %s; it said: %s", filepath.Base(p.cmd.Path), p.cmd.ProcessState, p.errors)
	default:
		return nil
	}
}

// stop ends the process and its group: asked first, and then not any more.
func (p *process) stop() {
	p.stops.Do(func() {
		_ = syscall.Kill(-p.id(), syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(5 * time.Second):
		}
		_ = syscall.Kill(-p.id(), syscall.SIGKILL) // what outlived it, or did not hear
		<-p.ended
		_ = p.output.Close()
	})
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	t.kept = t.kept[max(0, len(t.kept)-1000):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}

// freePort returns a port of the loopback address that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// waitFor repeats what may not succeed yet, until it does, the process has ended, or the time is over.
func (p *process) waitFor(ctx context.Context, most time.Duration, what func() error) error {
	end := time.Now().Add(most)
	for {
		err := what()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case p.failed() != nil:
			return p.failed()
		case time.Now().After(end):
			return fmt.Errorf("%s is not ready after %s: %w", filepath.Base(p.cmd.Path), most, err)
		}
		time.Sleep(500 * time.Microsecond)
	}
}

// tick is the unit of processor time in /proc, 1/100 s on every Linux that Go runs on.
const tick = time.Second / 100

// members returns the processes of the group.
func (p *process) members() []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var ids []int
	for _, file := range stats {
		if f := statFields(file); len(f) > 2 && f[2] == strconv.Itoa(p.id()) {
			id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			ids = append(ids, id)
		}
	}
	return ids
}

// statFields returns what follows the name in a file such as /proc/1/stat: state, parent, group and so on.
func statFields(file string) []string {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil // it has ended
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

// cpu is the processor time that the group has used.
func (p *process) cpu() time.Duration {
	total := 0
	for _, id := range p.members() {
		if f := statFields(fmt.Sprintf("/proc/%d/stat", id)); len(f) > 12 {
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			total += user + system
		}
	}
	return time.Duration(total) * tick
}

// memory returns a figure of /proc/ID/status, summed over the group, in MiB: VmRSS is what lies in memory, VmHWM the most of it ever.
func (p *process) memory(key string) float64 {
	total := 0
	for _, id := range p.members() {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
		total += statusFigure(string(b), key)
	}
	return float64(total) / 1024
}

// statusFigure reads a line such as "VmRSS:	  1234 kB".
func statusFigure(status, key string) int {
	for line := range strings.Lines(status) {
		if value, found := strings.CutPrefix(line, key+":"); found {
			n, _ := strconv.Atoi(strings.Fields(value + " 0")[0])
			return n
		}
	}
	return 0
}

// sockets counts the sockets that the process has open.
func (p *process) sockets() int {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.id()))
	return len(slices.DeleteFunc(links, func(link string) bool {
		to, err := os.Readlink(link)
		return err != nil || !strings.HasPrefix(to, "socket:")
	}))
}

// A reading is how much processor time was used until now, by whom.
type reading struct {
	at                      time.Time
	server, client, machine time.Duration
}

func (p *process) read() reading {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	r := reading{at: time.Now(), client: time.Duration(own.Utime.Nano() + own.Stime.Nano())}
	r.machine = machineCPU()
	if p != nil {
		r.server = p.cpu()
	}
	return r
}

// machineCPU is the processor time that all processes together have used.
func machineCPU() time.Duration {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(b), "\n")
	busy := 0
	for i, field := range strings.Fields(line) { // cpu user nice system idle iowait irq softirq steal
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.Atoi(field)
		busy += n
	}
	return time.Duration(busy) * tick
}

// foreign is how many cores others used between two readings.
func foreign(a, b reading) float64 {
	others := (b.machine - a.machine) - (b.server - a.server) - (b.client - a.client)
	return max(0, others.Seconds()/b.at.Sub(a.at).Seconds())
}

// waitQuiet waits until others use less than a seventh of a core, or no longer.
func waitQuiet(ctx context.Context, most time.Duration) {
	for end := time.Now().Add(most); time.Now().Before(end) && ctx.Err() == nil; {
		before := (*process)(nil).read()
		time.Sleep(500 * time.Millisecond)
		if foreign(before, (*process)(nil).read()) < 0.15 {
			return
		}
	}
}
