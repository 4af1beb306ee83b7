//go:build linux

package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A share is a part of the work that has a name, by the functions that do it. A sample belongs to the share of the innermost
// function that one knows; those that are looked for first stand at the top, anywhere in the stack.
type share struct {
	name      string
	functions *regexp.Regexp
	anywhere  bool // wherever in the stack, whatever is called from there
}

const ourModule = `^github\.com/understudy-suite/understudy/`

// rest is what no share knows.
const rest = "runtime: scheduler, timers, the rest"

var shares = []share{
	{"garbage collection", regexp.MustCompile(`^runtime\.(gcBgMarkWorker|gcAssistAlloc|bgsweep|bgscavenge|gcStart|gcMarkDone|gcMarkTermination|deductSweepCredit|wbBufFlush|gcWriteBarrier)`), true},
	{"allocation", regexp.MustCompile(`^runtime\.(mallocgc|newobject|makeslice|growslice|makemap|newstack|concatstring|rawbyteslice|rawstring|slicebytetostring|stringtoslicebyte)`), true},
	{"log", regexp.MustCompile(`^log/slog|` + ourModule + `internal/logpipe|` + ourModule + `.*(\.|\))(log|logCall|writeLog|logged)`), true},
	{"journal, counts, metrics", regexp.MustCompile(ourModule + `internal/(journal|coverage|control)\.|` + ourModule + `internal/engine\..*(record|Record|journal)`), true},
	{"signature", regexp.MustCompile(`^crypto/|^encoding/hex\.|` + ourModule + `emulators/tencentcar\..*(signing|[sS]ignature|hmac|digest|cachedKey|[cC]anonical|[aA]uthorization)`), true},
	{"decide and perform, scenarios", regexp.MustCompile(ourModule + `(emulators/|internal/scenario/player\.)|` + ourModule + `internal/engine\..*([dD]ecide|[pP]erform|[pP]lay|[jJ]udge|[oO]utcome)`), false},
	{"encoding the answer", regexp.MustCompile(ourModule + `internal/wire\..*([eE]ncod|[aA]ppend)|^encoding/json\..*[eE]ncod`), false},
	{"reading and checks", regexp.MustCompile(ourModule + `internal/(contract|wire|document)\.|` + ourModule + `internal/engine\..*([rR]ead|[cC]heck|[vV]alid|[pP]arse|[dD]ecod|[dD]oor)|^encoding/json|^github\.com/go-json-experiment`), false},
	{"finding API and sandbox", regexp.MustCompile(ourModule + `internal/sandbox\.|` + ourModule + `internal/gateway\..*([rR]oute|[fF]ind|[mM]atch|[lL]ookup|[hH]ost|[nN]ame|[wW]hose|[dD]oor)|^github\.com/labstack`), false},
	{"gateway and engine around it", regexp.MustCompile(ourModule), false},
	{"system calls", regexp.MustCompile(`^internal/runtime/syscall\.|^syscall\.|^runtime\.(futex|epollwait|netpoll|usleep|nanotime|write1|tgkill|madvise)`), false},
	{"net/http", regexp.MustCompile(`^(net|net/http|net/textproto|bufio|internal/poll|net/url|io|mime)[./]`), false},
}

// profile builds understudy with a profiler, loads it, and returns what share of the samples belongs to what.
func (p plan) profile(ctx context.Context, l *lab) (map[string]float64, error) {
	binary, file := filepath.Join(l.folder, "profiled"), filepath.Join(l.folder, "cpu.prof")
	if err := l.buildProfiled(ctx, binary); err != nil {
		return nil, err
	}
	o := ours(createSession)
	o.binary, o.env = binary, []string{"BENCH_PROFILE=" + file}
	r, err := o.target(ourName).begin(ctx, l)
	if err != nil {
		return nil, err
	}
	defer r.end()
	if _, err := p.load(ctx, r, p.connections, p.warm); err != nil {
		return nil, err
	}
	if err := syscall.Kill(r.id(), syscall.SIGUSR1); err != nil {
		return nil, err
	}
	if _, err := p.load(ctx, r, p.connections, max(p.length, 8*time.Second)); err != nil {
		return nil, err
	}
	if err := syscall.Kill(r.id(), syscall.SIGUSR1); err != nil {
		return nil, err
	}
	written := file + ".done"
	if err := r.waitFor(ctx, patience, func() error { _, err := os.Stat(written); return err }); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "tool", "pprof", "-traces", binary, written)
	cmd.Dir = l.root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof: %w", err)
	}
	return divide(strings.NewReader(string(out)))
}

// buildProfiled builds understudy with the profiler laid over its sources: nothing of it is in what ships.
func (l *lab) buildProfiled(ctx context.Context, binary string) error {
	root, err := filepath.Abs(l.root)
	if err != nil {
		return err
	}
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "cmd", "understudy", "bench_profiler.go"): filepath.Join(root, "bench", "profiler.go.txt"),
	}})
	if err != nil {
		return err
	}
	overlay := filepath.Join(l.folder, "overlay.json")
	if err := os.WriteFile(overlay, b, 0o644); err != nil {
		return err
	}
	return l.build(ctx, l.root, "-overlay", overlay, "-o", binary, "./cmd/understudy")
}

// divide reads what `go tool pprof -traces` prints, stacks with the innermost function first, and adds up the shares.
func divide(traces io.Reader) (map[string]float64, error) {
	found, total := map[string]float64{}, time.Duration(0)
	var stack []string
	var took time.Duration
	end := func() {
		if took > 0 {
			found[shareOf(stack)] += float64(took)
			total += took
		}
		stack, took = nil, 0
	}
	lines, begun := bufio.NewScanner(traces), false
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "-----------+") {
			end()
			begun = true
			continue
		}
		if !begun || line == "" {
			continue
		}
		if first, function, is := strings.Cut(line, " "); is && took == 0 && len(stack) == 0 {
			d, err := time.ParseDuration(first)
			if err != nil {
				return nil, fmt.Errorf("got %q, expected a duration and a function: %w", line, err)
			}
			took, line = d, strings.TrimSpace(function)
		}
		stack = append(stack, strings.TrimSuffix(line, " (inline)"))
	}
	end()
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if total == 0 {
		return nil, fmt.Errorf("the profile has no samples")
	}
	for name := range found {
		found[name] /= float64(total)
	}
	return found, nil
}

func shareOf(stack []string) string {
	for _, s := range shares {
		if s.anywhere && slices.ContainsFunc(stack, s.functions.MatchString) {
			return s.name
		}
	}
	for _, function := range stack {
		for _, s := range shares {
			if !s.anywhere && s.functions.MatchString(function) {
				return s.name
			}
		}
	}
	return rest
}

// largestFirst sorts the shares.
func largestFirst(found map[string]float64) []string {
	return slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		return cmp.Or(cmp.Compare(found[b], found[a]), cmp.Compare(a, b))
	})
}
