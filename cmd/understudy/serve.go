package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/fixtures"
	"github.com/understudy-suite/understudy/internal/authority"
	"github.com/understudy-suite/understudy/internal/logpipe"
	"github.com/understudy-suite/understudy/internal/server"
	"github.com/understudy-suite/understudy/scenarios"
)

// drain is how long requests that are under way may still take at the end.
const drain = 1500 * time.Millisecond

// settingsFile is read where it is there and no other is named.
const settingsFile = "understudy.yaml"

func serveCommand(env *env) *cobra.Command {
	c := server.Config{
		APIs: emulators.All, ShippedFixtures: fixtures.Files, ShippedScenarios: scenarios.Files,
		Wall: time.Now, Env: env.lookup, Body: 10 << 20,
	}
	var strict, quiet bool
	var logForm, file, credentials string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "serve all APIs",
		Long: "serve serves all APIs, each on a port of its own and all on one port, the door, and the control API beside\n" +
			"them. It prints where each one is, and in a line of its own that it is ready. SIGTERM ends it with 0, once\n" +
			"the calls that are under way have ended. understudy doctor says what is wrong where it does not start.",
		Example: "  understudy serve\n  understudy serve --only youdu,polyv --scenarios ./scenarios --activate youdu/server-error\n" +
			"  understudy serve --clock 2026-01-31T12:00:00Z --seed 7",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				if _, err := os.Stat(settingsFile); err == nil {
					file = settingsFile
				}
			}
			placed := cmd.Flags().Changed("tls-dir") || cmd.Flags().Changed("tls-port") // on the command line; the image has both as variables
			if err := env.settle(cmd, file); err != nil {
				return err
			}
			lines, err := queueLog(env, logForm)
			if err != nil {
				return err
			}
			if c.Log, err = logger(lines, logForm, quiet); err != nil {
				return err
			}
			c.LogCall, c.LogDropped = callLogger(lines, logForm, quiet), lines.Dropped
			switch credentials {
			case "docs", "env":
				c.FromEnv = credentials == "env"
			default:
				return usage("--credentials is %q; docs or env was expected", credentials)
			}
			for _, w := range env.unknownVariables() {
				c.Log.Warn(w)
			}
			if placed && !c.TLS {
				c.Log.Warn("--tls-dir and --tls-port do nothing, since TLS is off; start with --tls as well")
			}
			if c.Poll < 0 || c.Poll > 0 && c.Poll < 10*time.Millisecond {
				return usage("--poll is %s; 10ms or more was expected, such as 1s", c.Poll)
			}
			c.APIPortsNamed = cmd.Flags().Changed("api-ports")
			c.Version, c.Commit = build()
			return serve(cmd.Context(), env, c, strict, func(s *server.Server) {
				if !quiet {
					printDoors(env.err, s)
				}
				ctx, cancel := context.WithTimeout(cmd.Context(), inOrder)
				defer cancel()
				lines.Flush(ctx)
			}, func(s *server.Server) { tellClosing(env, c.Log, s, logForm, quiet) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&c.Bind, "bind", server.Localhost, "address that the APIs listen on; localhost: 127.0.0.1 and ::1")
	f.StringVar(&c.ControlBind, "control-bind", server.Localhost, "address that the control API listens on; localhost: 127.0.0.1 and ::1")
	f.IntVar(&c.ControlPort, "control-port", 6400, "port of the control API; 0: a free one")
	f.IntSliceVar(&c.DoorPorts, "door-port", []int{6410}, "ports of the door that all APIs share; 0: a free one")
	f.StringVar(&c.APIPorts, "api-ports", server.APIPorts(emulators.All), "ports of the single APIs: a range, 0 for free ones, or off")
	f.BoolVar(&c.TLS, "tls", false, "open the door over TLS too, with a CA of its own: see understudy ca")
	f.IntSliceVar(&c.TLSPorts, "tls-port", []int{6420}, "ports of the door over TLS; 0: a free one")
	f.StringVar(&c.TLSDir, "tls-dir", stateFolder(env), "folder that keeps the CA; where it cannot be written the CA lives in memory")
	f.StringVar(&c.TLSCACert, "tls-ca-cert", "", "file with the certificate of a CA of yours, in place of one that is made")
	f.StringVar(&c.TLSCAKey, "tls-ca-key", "", "file with its key")
	f.StringSliceVar(&c.TLSNames, "tls-name", nil, "further host names and addresses that the TLS door answers for, such as mocks.example.com")
	f.BoolVar(&c.HTTP2, "tls-h2", false, "offer HTTP/2 at the TLS door; faults of the connection then answer 599")
	f.StringSliceVar(&c.TLSFaults, "tls-fault", nil, "what is wrong with TLS handshakes for a host, host=fault: "+strings.Join(authority.FaultNames, ", "))
	f.StringSliceVar(&c.Only, "only", nil, "serve these APIs only")
	f.StringSliceVar(&c.Scenarios, "scenarios", nil, "folders with scenario files, <api>/<name>.yaml")
	f.StringSliceVar(&c.Fixtures, "fixtures", nil, "folders with fixture files, <api>/<name>.yaml")
	f.DurationVar(&c.Poll, "poll", 0, "interval at which these folders are polled, for mounted volumes without change events; 0: use change events")
	f.StringSliceVar(&c.Fixture, "fixture", nil, "the fixture that an API begins with, api=name")
	f.StringSliceVar(&c.Set, "set", nil, "a switch of a fixture, api.switch=value")
	f.StringSliceVar(&c.Activate, "activate", nil, "scenarios that are on from the start")
	f.StringVar(&credentials, "credentials", "docs", "docs: those of the fixtures; env: also those of the client libraries' variables")
	f.Uint64Var(&c.Seed, "seed", 1, "seed of everything that is invented")
	f.StringVar(&c.Clock, "clock", "follow", "follow the wall clock, or stand at an instant such as 2026-01-31T12:00:00Z")
	f.StringVar(&c.Signatures, "signature-clock", "wall", "clock that callers' timestamps are judged by: wall or sandbox")
	f.StringSliceVar(&c.Auth, "auth", []string{"verify"}, "how much of a caller's proof is looked at: verify, presence or off, for all or as api=mode")
	f.StringSliceVar(&c.Unknown, "unknown", []string{"refuse"}, "what becomes of ids that no fixture knows: refuse, or adopt them in the likeness of the fixture's first, for all or as api=mode")
	f.StringSliceVar(&c.CORS, "cors", []string{"vendor"}, "who lets pages of other origins in: vendor, the API alone; open, understudy where the API lets none in; for all or as api=mode")
	f.IntVar(&c.Journal, "journal", 1000, "entries that the journal of a sandbox keeps")
	f.IntVar(&c.MaxSandboxes, "max-sandboxes", 1000, "sandboxes that may live at once")
	f.IntVar(&c.MaxConnections, "max-connections", 8192, "connections that the APIs' ports have open at once")
	sizeVar(f, &c.MaxInflight, "max-inflight", 256<<20, "memory that all request bodies hold at once")
	sizeVar(f, &c.MaxState, "max-state", 512<<20, "memory that the states of all sandboxes hold: sessions, files, tokens; 0: no limit")
	f.DurationVar(&c.MaxStall, "max-stall", 120*time.Second, "longest delay or stall of an answer")
	f.StringSliceVar(&c.CallbackAllow, "callback-allow", nil, "hosts that callbacks may go to beside this machine")
	f.StringVar(&c.AdvertiseDoor, "advertise-door", "", "URL of the door as clients see it, where a proxy is in front of it")
	f.StringVar(&c.Token, "control-token", "", "token that the control API asks for")
	f.StringSliceVar(&c.AllowHosts, "control-allow-host", nil, "further host names by which the control API may be asked")
	f.StringSliceVar(&c.Origins, "control-origin", nil, "web origins that may write to the control API")
	f.BoolVar(&c.Exposed, "expose-control-without-token", false, "open the control port beyond this machine without a token")
	f.BoolVar(&strict, "strict", false, "end with an error where a request ended in a fault of understudy's own")
	f.BoolVar(&c.Redact, "redact", false, "keep every secret out of documents and log: those of the fixtures too, tokens and signatures")
	f.BoolVar(&c.PlainAnswers, "plain-answers", false, "answer without Understudy-* headers")
	f.StringVar(&logForm, "log", logText, "form of the log: text or json")
	f.BoolVar(&quiet, "quiet", false, "print the ready line and warnings only")
	f.StringVar(&file, "config", "", "file with settings; "+settingsFile+" where it is there")
	return cmd
}

// inOrder is how long the ready line waits for the lines before it, which another stream
// has, so that they stand in order where both streams are one.
const inOrder = 100 * time.Millisecond

// queueLog puts queues before the streams, and has a broken pipe be an error of a
// write, which is counted, in place of the end of the process.
func queueLog(env *env, form string) (*logpipe.Writer, error) {
	var b bytes.Buffer
	notices, err := logger(&b, form, true)
	if err != nil {
		return nil, err
	}
	signal.Ignore(syscall.SIGPIPE)
	return env.queue(func(dropped int64) []byte {
		b.Reset()
		notices.Warn("lines of the log were dropped: nobody read them in time", "lines", dropped)
		return bytes.Clone(b.Bytes())
	}), nil
}

// startServer starts a server. When ctx is done it does not wait for long for a start that
// reads files without an end.
func startServer(ctx context.Context, c server.Config) (*server.Server, error) {
	type result struct {
		server *server.Server
		err    error
	}
	done := make(chan result, 1)
	go func() {
		s, err := server.Start(c)
		done <- result{s, err}
	}()
	select {
	case r := <-done:
		return r.server, r.err
	case <-ctx.Done():
	}
	timer := time.NewTimer(drain)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.server, r.err
	case <-timer.C:
		return nil, fmt.Errorf("starting: stopped while files were being read, which had not ended after another %s", drain)
	}
}

// serve serves until ctx is done. Once it does, it calls doors, and in the end closing.
func serve(ctx context.Context, env *env, c server.Config, strict bool, doors, closing func(*server.Server)) error {
	s, err := startServer(ctx, c)
	if err != nil {
		return err
	}
	if c.Exposed && c.Token == "" {
		c.Log.Warn("the control API is open to everyone who reaches its port", "control", s.ControlURL)
	}
	doors(s)
	over := ""
	if s.TLSURL != "" {
		over = " tls=" + s.TLSURL
	}
	env.say("ready control=%s door=%s%s in %dms\n", s.ControlURL, s.DoorURL, over, time.Since(started).Milliseconds())
	select {
	case err = <-s.Broken():
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if closed := s.Close(last); err == nil && closed != nil {
		c.Log.Warn("not every answer could be sent to its end", "fault", closed)
	}
	closing(s)
	if n := s.Panics(); strict && n > 0 && err == nil {
		err = fmt.Errorf("%d requests ended in a fault of understudy's own; the log has their stacks", n)
	}
	return err
}

func printDoors(w io.Writer, s *server.Server) {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintf(table, "control\t%s\tcontrol API\n", s.ControlURL)
	_, _ = fmt.Fprintf(table, "door\t%s\tevery API, by host name or path\n", s.DoorURL)
	if s.TLSURL != "" {
		_, _ = fmt.Fprintf(table, "tls\t%s\tthe door over TLS\n", s.TLSURL)
	}
	for _, api := range s.APIs {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", api.Name, s.URL(api.Name), api.Title)
	}
	_ = table.Flush()
}

// version and commit are set when a release is linked.
var version, commit = "dev", ""

// build returns the version and the commit that this binary was made from.
func build() (string, string) {
	if commit != "" {
		return version, commit
	}
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return version, commit
}
