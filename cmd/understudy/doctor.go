package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/output"
)

// The results of a check.
const (
	fine    = "ok"
	warning = "warning"
	problem = "problem"
)

// serveFlags are those flags of serve that say what the doctor looks at.
var serveFlags = []string{"bind", "control-bind", "control-port", "door-port", "api-ports", "only", "scenarios", "fixtures", "config"}

func doctorCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "look for what is wrong with ports, files, clock, proxies and reachability, and say how to mend it",
		Long: "doctor looks at this machine and, where one is running, at the server: at the ports, folders, clock,\n" +
			"proxies and variables that serve and its clients rest on. It reads the settings that serve would read,\n" +
			"asks nobody but the server that --control names, at the addresses that it tells, and leaves no trace in a\n" +
			"journal. It ends with 1 when it found a problem.",
		Args: cobra.NoArgs,
	}
	t := controlFlag(cmd)
	serve := serveCommand(env)
	for _, name := range serveFlags {
		cmd.Flags().AddFlag(serve.Flags().Lookup(name))
	}
	form := choose(cmd, "form of the answer", output.CheckForms)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d := &doctor{env: env, hosts: loopbackNames, flags: serve.Flags()}
		d.settings(cmd, serve)
		if err := d.address(cmd, t); err != nil {
			return err
		}
		d.examine(cmd.Context())
		if err := printChecks(env, form.value, d.table(), d.checklist()); err != nil {
			return err
		}
		if n := d.count(problem); n > 0 {
			return errors.New(counted(n, problem))
		}
		return nil
	}
	return cmd
}

// A finding is the result of one check.
type finding struct {
	check, result   string
	found, expected string
	mend            string // "": there is nothing to mend
}

// A doctor looks for what is wrong.
type doctor struct {
	env   *env
	flags *pflag.FlagSet // of serve, settled
	hosts func(context.Context) ([]string, error)

	control *client.Client
	named   bool    // the user named the server
	status  *status // of the server; nil: none answers

	findings []finding
}

// status is what the doctor reads of a server's own status.
type status struct {
	Version       string            `json:"version"`
	Commit        string            `json:"commit"`
	Started       time.Time         `json:"started"`
	UptimeSeconds float64           `json:"uptime_seconds"`
	Ready         bool              `json:"ready"`
	Doors         map[string]string `json:"doors"`
	TLS           *tlsDoor          `json:"tls"`
}

func (d *doctor) ok(check, found, expected string) {
	d.findings = append(d.findings, finding{check: check, result: fine, found: found, expected: expected})
}

func (d *doctor) report(check, result, found, expected, mend string) {
	d.findings = append(d.findings, finding{check, result, found, expected, mend})
}

func (d *doctor) count(result string) (n int) {
	for _, f := range d.findings {
		if f.result == result {
			n++
		}
	}
	return n
}

func (d *doctor) table() *output.Table {
	t := &output.Table{Columns: []string{"check", "result", "found", "expected", "mend"}}
	for _, f := range d.findings {
		t.Add(f.check, f.result, f.found, f.expected, f.mend)
	}
	return t
}

// checklist is what was found as CI servers read it: a problem is a failure, and a
// warning is skipped.
func (d *doctor) checklist() *output.Checklist {
	all := &output.Checklist{Name: "understudy doctor"}
	for _, f := range d.findings {
		c := output.Case{Class: "understudy.doctor", Name: f.check}
		switch f.result {
		case problem:
			c.Failure = &output.Fault{
				Message: f.found, Type: f.result, Text: "expected: " + f.expected + "\nto mend it: " + f.mend,
				Facts: []output.Fact{{Name: "found", Value: f.found}, {Name: "expected", Value: f.expected}, {Name: "mend", Value: f.mend}},
			}
		case warning:
			c.Skipped = &output.Fault{Message: "warning: " + f.found + "; to mend it: " + f.mend}
		}
		all.Suite("doctor").Add(c)
	}
	return all
}

// settings settles the flags of the doctor and of serve, and reports variables and a file
// that would stop serve or set nothing.
func (d *doctor) settings(cmd, serve *cobra.Command) {
	const expected = "variables UNDERSTUDY_<FLAG> and keys of the settings file that serve knows"
	file := d.text("config")
	if _, err := os.Stat(settingsFile); file == "" && err == nil {
		file = settingsFile
	}
	before := len(d.findings)
	err := d.env.settle(cmd, "")
	if err == nil {
		err = d.env.settle(serve, file)
	}
	if err != nil {
		d.report("settings", problem, err.Error(), expected, "correct the value, or take it away; understudy serve --help lists the flags")
	}
	for _, found := range d.env.unknownVariables() {
		d.report("settings", warning, found, expected, "rename the variable, or unset it")
	}
	if len(d.findings) == before {
		d.ok("settings", counted(d.variables(), "variable")+" and "+cmp.Or(file, "no settings file"), expected)
	}
}

// variables counts the variables that set something.
func (d *doctor) variables() (n int) {
	for _, pair := range d.env.vars {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, prefix) && !injected(name) {
			n++
		}
	}
	return n
}

// address finds the server: the one that is named, or that serve would be.
func (d *doctor) address(cmd *cobra.Command, t *target) (err error) {
	address := t.control
	d.named = cmd.Flags().Changed("control")
	if port := d.int("control-port"); !d.named && port > 0 {
		address = "http://127.0.0.1:" + strconv.Itoa(port)
	}
	d.control, err = client.New(address, "", d.env.lookup(prefix+"CONTROL_TOKEN"))
	return err
}

func (d *doctor) int(flag string) int {
	n, _ := d.flags.GetInt(flag) // it is one of serve's
	return n
}

func (d *doctor) text(flag string) string { return d.flags.Lookup(flag).Value.String() }

func (d *doctor) list(flag string) []string {
	all, _ := d.flags.GetStringSlice(flag) // it is one of serve's
	return all
}

// examine makes all checks.
func (d *doctor) examine(ctx context.Context) {
	d.server(ctx)
	d.ports(ctx)
	d.localhost(ctx)
	d.proxies()
	d.folders("scenarios")
	d.folders("fixtures")
}

// answerTime is how long the doctor waits for an answer.
const answerTime = 3 * time.Second

// server asks the server how it is, and checks what only it can tell.
func (d *doctor) server(ctx context.Context) {
	const expected = "an understudy answers at the control address"
	limit, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var s status
	asked := time.Now()
	err := d.control.Get(limit, client.Path("status"), &s)
	round := time.Since(asked)
	var refused *client.Error
	switch {
	case err == nil && s.Doors != nil:
		d.status = &s
		d.ok("control", "understudy "+s.Version+" at "+d.control.Base, expected)
	case err == nil:
		d.report("control", problem, d.control.Base+" answers, and not as an understudy", expected, "name the control address with --control or "+client.ControlVariable)
	case errors.As(err, &refused) && refused.Kind == client.NoServer && !d.named:
		d.report("control", warning, "no server answers at "+d.control.Base, expected, "start one with understudy serve, or name it with --control or "+client.ControlVariable)
	default:
		d.report("control", problem, err.Error(), expected, "start it with understudy serve, name another with --control or "+client.ControlVariable+", or give its token with "+prefix+"CONTROL_TOKEN")
	}
	if d.status == nil {
		return
	}
	if !s.Ready {
		d.report("ready", warning, "the server is not ready yet", "it is ready", "wait for it with understudy health --wait 10s")
	}
	d.version()
	d.clock(asked.Add(round/2), round)
	d.doors(ctx)
}

func (d *doctor) version() {
	version, commit := build()
	own, other := version+", commit "+commit, d.status.Version+", commit "+d.status.Commit
	expected := "the server is of the command's version, " + own
	if own == other {
		d.ok("version", "the server is "+other, expected)
		return
	}
	d.report("version", warning, "the server is "+other, expected, "start the server from the same build as the command, or use the server's own: docker exec ID understudy …")
}

// Clocks that differ by more than smallSkew are worth a word; by more than greatSkew they
// have services refuse signed timestamps.
const (
	smallSkew = 2 * time.Second
	greatSkew = time.Minute
)

// clock compares this machine's clock with the server's, of which it knows when the
// server answered to within half of a round trip.
func (d *doctor) clock(here time.Time, round time.Duration) {
	there := d.status.Started.Add(time.Duration(d.status.UptimeSeconds * float64(time.Second)))
	skew := there.Sub(here)
	found := fmt.Sprintf("the server's clock is %s ahead of this machine's, give or take %s", skew.Round(time.Millisecond), (round / 2).Round(time.Millisecond))
	if skew < 0 {
		found = fmt.Sprintf("the server's clock is %s behind this machine's, give or take %s", (-skew).Round(time.Millisecond), (round / 2).Round(time.Millisecond))
	}
	expected := fmt.Sprintf("less than %s: clients sign by this clock, and the server judges by its own", smallSkew)
	switch size := skew.Abs() - round/2; {
	case size < smallSkew:
		d.ok("clock", found, expected)
	case size < greatSkew:
		d.report("clock", warning, found, expected, "set both clocks by one time service; a virtual machine that slept needs a restart of its clock")
	default:
		d.report("clock", problem, found, expected, "set both clocks by one time service; signed timestamps are refused as expired until then, unless serve runs with --auth presence")
	}
}
