//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A lab is where the servers are built, and what they need.
type lab struct {
	root       string // of the repository
	folder     string // that goes when the run ends
	understudy string
	baseline   string
	empty      string
	answers    map[*workload]string    // files with the bodies that understudy answers with
	sent       map[*workload][]request // what it was sent
}

// newLab builds the servers.
func newLab(ctx context.Context, root string) (*lab, error) {
	folder, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{root: root, folder: folder, answers: map[*workload]string{}, sent: map[*workload][]request{}}
	l.understudy, l.baseline, l.empty = filepath.Join(folder, "understudy"), filepath.Join(folder, "baseline"), filepath.Join(folder, "empty")
	for _, b := range []struct{ module, output, folder string }{
		{"", l.understudy, "./cmd/understudy"}, {"bench", l.baseline, "./baseline"}, {"bench", l.empty, "./empty"},
	} {
		if err := l.build(ctx, filepath.Join(root, b.module), "-o", b.output, b.folder); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	if err := writeFixture(filepath.Join(folder, "fixtures")); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// build builds as `make build` does.
func (l *lab) build(ctx context.Context, folder string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"}, args...)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w: %s", args[len(args)-1], err, out)
	}
	return nil
}

func (l *lab) close() error { return os.RemoveAll(l.folder) }

// A target is a server that is put under load.
type target struct {
	name  string
	begin func(context.Context, *lab) (*running, error)
}

// running is a target that has been started, and what it is sent.
type running struct {
	*process
	address  string
	instance *instance // of an understudy
	requests []request
	startup  time.Duration // from its start until it was ready: understudy says so, others have answered rightly
	release  func()        // lets go of what was held open beside the load
}

func (r *running) end() {
	if r.release != nil {
		r.release()
	}
	r.stop()
}

// check sends the first and the last request on connections of their own.
func (r *running) check() error {
	for _, q := range []request{r.requests[0], r.requests[len(r.requests)-1]} {
		if _, err := exchange(r.address, q); err != nil {
			return err
		}
	}
	return nil
}

func readAnswer(from io.Reader) ([]byte, error) {
	var answer []byte
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		answer = append(answer, b[:n]...)
		if whole, wrong := isWhole(answer); whole || wrong != nil {
			return answer, wrong
		}
		if err != nil {
			return nil, fmt.Errorf("got %q of an answer: %w", shorten(answer), err)
		}
	}
}

// startLimit is how long a server may take until it is ready.
const startLimit = 30 * time.Second

// options are how an understudy is started for a load.
type options struct {
	setup
	loaded int      // scenario files that lie in its folder
	flags  []string // more flags of serve
	env    []string
	binary string // another one than the lab's
	hold   func(context.Context, *running) (release func(), err error)
}

// target makes an understudy of these options.
func (o options) target(name string) target {
	return target{name, func(ctx context.Context, l *lab) (*running, error) {
		r, err := l.serve(ctx, o)
		if err != nil {
			return nil, err
		}
		if r.requests, err = r.instance.prepare(ctx, o.setup); err == nil && o.hold != nil {
			r.release, err = o.hold(ctx, r)
		}
		if err != nil {
			r.end()
			return nil, err
		}
		return r, nil
	}}
}

// serve starts an understudy and waits until it is ready.
func (l *lab) serve(ctx context.Context, o options) (*running, error) {
	door, err := freePort()
	if err != nil {
		return nil, err
	}
	control, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &instance{door: fmt.Sprintf("127.0.0.1:%d", door), control: fmt.Sprintf("127.0.0.1:%d", control)}
	if o.binary == "" {
		o.binary = l.understudy
	}
	args := []string{
		o.binary, "serve", "--bind", "127.0.0.1", "--control-bind", "127.0.0.1", "--door-port", fmt.Sprint(door), "--control-port", fmt.Sprint(control), "--api-ports", "off",
		"--clock", instant.Format(time.RFC3339), "--signature-clock", "sandbox", "--log", "json", "--fixtures", filepath.Join(l.folder, "fixtures"),
	}
	if o.loaded > 0 {
		folder := filepath.Join(l.folder, fmt.Sprintf("scenarios-%s-%s-%d", o.work.api, o.work.operation, o.loaded))
		if err := o.work.writeScenarios(folder, o.loaded); err != nil {
			return nil, err
		}
		args = append(args, "--scenarios", folder)
	}
	if o.active > 0 {
		args = append(args, "--activate", strings.Join(otherNames(o.work.api, o.active), ","))
	}
	begun := time.Now()
	p, err := startProcess(l.folder, append(args, o.flags...), o.env)
	if err != nil {
		return nil, err
	}
	r := &running{process: p, address: s.door, instance: s}
	if err := p.waitFor(ctx, startLimit, func() error { return s.ask(ctx, http.MethodGet, "/readyz", nil, nil) }); err != nil {
		r.end()
		return nil, err
	}
	r.startup = time.Since(begun)
	return r, nil
}

// documented are the credentials of the baselines' one caller.
var documented = contract.Values{
	"secretId": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "secretKey": "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
}

// baseline makes a handler that somebody wrote for one call: bare (echo), plain or careful.
func baseline(name, kind string, w *workload) target {
	return target{name, func(ctx context.Context, l *lab) (*running, error) {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		address := fmt.Sprintf("127.0.0.1:%d", port)
		requests, err := l.replayed(w, address)
		if err != nil {
			return nil, err
		}
		return l.begin(ctx, []string{
			l.baseline, "-kind", kind, "-call", w.name(), "-answer", l.answers[w], "-address", address,
			"-id", documented.Text("secretId"), "-secret", documented.Text("secretKey"),
		}, address, requests)
	}}
}

// begin starts a program and waits for its first right answer.
func (l *lab) begin(ctx context.Context, args []string, address string, requests []request) (*running, error) {
	begun := time.Now()
	p, err := startProcess(l.folder, args, nil)
	if err != nil {
		return nil, err
	}
	if err := p.waitFor(ctx, startLimit, func() error { _, err := exchange(address, requests[0]); return err }); err != nil {
		p.stop()
		return nil, err
	}
	return &running{process: p, address: address, requests: requests, startup: time.Since(begun)}, nil
}

// replayed makes the requests of a workload for a server that does not know the caller's sandbox: those of tencentcar are
// signed for its address, and the others were sent to understudy.
func (l *lab) replayed(w *workload, address string) ([]request, error) {
	if w == createSession {
		return w.sign(context.Background(), address, documented, users)
	}
	return l.sent[w], nil
}

// rehearse sends each call to understudy once, and keeps what is answered, for the baselines to answer the same.
func (l *lab) rehearse(ctx context.Context, works []*workload) error {
	for i, w := range works {
		r, err := options{setup: setup{work: w, sandboxes: 2, active: 10}, loaded: 10}.target(w.name()).begin(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name(), err)
		}
		answer, err := exchange(r.address, r.requests[0])
		r.end()
		if err != nil {
			return fmt.Errorf("%s: %w", w.name(), err)
		}
		l.answers[w] = filepath.Join(l.folder, fmt.Sprintf("answer-%d.json", i))
		_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
		l.sent[w] = r.requests
		if err := os.WriteFile(l.answers[w], []byte(body), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// exchange sends a request on a connection of its own, and returns the answer, which has to be right.
func exchange(address string, q request) ([]byte, error) {
	c, err := net.DialTimeout("tcp4", address, time.Second)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(q.raw); err != nil {
		return nil, err
	}
	answer, err := readAnswer(c)
	if err != nil {
		return nil, err
	}
	return answer, q.judge(answer)
}

// peers are servers of others that are installed: each answers with the same bytes whatever is asked.
func peers() []target {
	program, err := exec.LookPath("hoverfly")
	if err != nil {
		return nil
	}
	return []target{{"Hoverfly, canned answer", func(ctx context.Context, l *lab) (*running, error) {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		admin, err := freePort()
		if err != nil {
			return nil, err
		}
		body, err := os.ReadFile(l.answers[createSession])
		if err != nil {
			return nil, err
		}
		simulation := filepath.Join(l.folder, "hoverfly.json")
		if err := writeSimulation(simulation, string(body)); err != nil {
			return nil, err
		}
		address := fmt.Sprintf("127.0.0.1:%d", port)
		requests, err := l.replayed(createSession, address)
		if err != nil {
			return nil, err
		}
		return l.begin(ctx, []string{
			program, "-webserver", "-import", simulation, "-pp", fmt.Sprint(port), "-ap", fmt.Sprint(admin), "-listen-on-host", "127.0.0.1",
		}, address, requests)
	}}}
}

// writeSimulation writes what Hoverfly imports: one answer to one action.
func writeSimulation(file, body string) error {
	exact := func(value string) any { return []any{map[string]string{"matcher": "exact", "value": value}} }
	b, err := json.Marshal(map[string]any{
		"data": map[string]any{"pairs": []any{map[string]any{
			"request":  map[string]any{"method": exact(http.MethodPost), "headers": map[string]any{"X-TC-Action": exact("CreateSession")}},
			"response": map[string]any{"status": http.StatusOK, "body": body, "headers": map[string]any{"Content-Type": []string{"application/json"}}},
		}}},
		"meta": map[string]string{"schemaVersion": "v5.2"},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}
