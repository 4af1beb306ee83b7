package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// promised are the flags of serve, whose names stay.
const promised = "bind control-bind control-port door-port api-ports only scenarios fixtures poll fixture set activate credentials seed clock " +
	"signature-clock auth unknown cors callback-allow advertise-door journal max-sandboxes max-connections max-inflight max-state max-stall control-token control-allow-host control-origin " +
	"expose-control-without-token strict redact plain-answers log quiet config tls tls-port tls-dir tls-ca-cert tls-ca-key tls-name tls-h2 tls-fault"

func TestServeFlags(t *testing.T) {
	t.Parallel()
	var got []string
	serveCommand(&env{}).Flags().VisitAll(func(f *pflag.Flag) { got = append(got, f.Name) })
	want := strings.Fields(promised)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// What asks for TLS does not go unheard where TLS is off.
func TestTLSFlagsWithoutTLS(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--tls-fault=localhost=slow", "--tls-name=x.test", "--tls-ca-cert=ca.pem", "--tls-ca-key=key.pem", "--tls-h2"} {
		name, _, _ := strings.Cut(flag, "=")
		command(t, nil, "", "serve", flag).want(t, exitUsage, "!"+name+" is given, and TLS is off; start with --tls as well")
	}
	for _, flag := range []string{"--tls-dir=/x", "--tls-port=0"} { // --poll ends the start
		command(t, nil, "", "serve", flag, "--poll=1ms").want(t, exitUsage, "!do nothing, since TLS is off; start with --tls as well")
	}
	if r := command(t, []string{"UNDERSTUDY_TLS_DIR=/tls"}, "", "serve", "--poll=1ms"); strings.Contains(r.err, "do nothing") {
		t.Errorf("a variable of the image is complained of: %s", r.err)
	}
}

// Kubernetes and container links set UNDERSTUDY_PORT and the like for a
// service called understudy, so no flag may have such a name.
func TestNoFlagHasAnInjectedName(t *testing.T) {
	t.Parallel()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, name := range flagNames(cmd) {
			if injected(variable(name)) {
				t.Errorf("%s has the flag --%s, whose variable container runtimes set", cmd.CommandPath(), name)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&env{}))
}

// A command that is named is made alone, as it is among all others.
func TestCommandsAreMadeByName(t *testing.T) {
	t.Parallel()
	all := newRoot(&env{}).Commands()
	if len(all) != len(verbs()) {
		t.Errorf("%d commands are made of %d", len(all), len(verbs()))
	}
	for _, want := range all {
		alone := newRoot(&env{}, want.Name(), "--help").Commands()
		if len(alone) != 1 || alone[0].Use != want.Use || alone[0].UsageString() != want.UsageString() {
			t.Errorf("%s: got %d commands, want it alone", want.Name(), len(alone))
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	settings := "seed: 2\ndoor-port: [6410, 80]\nonly: a,b\nquiet: true\n"
	for _, c := range []struct {
		name       string
		args, vars []string
		file       string
		want       map[string]string
		err        string
	}{
		{name: "defaults", want: map[string]string{"seed": "1", "door-port": "[6410]", "bind": "localhost"}},
		{name: "file", file: settings, want: map[string]string{"seed": "2", "door-port": "[6410,80]", "only": "[a,b]", "quiet": "true"}},
		{name: "environment over file", file: settings, vars: []string{"UNDERSTUDY_SEED=3", "UNDERSTUDY_DOOR_PORT=1,2"}, want: map[string]string{"seed": "3", "door-port": "[1,2]"}},
		{name: "flag over environment", file: settings, vars: []string{"UNDERSTUDY_SEED=3"}, args: []string{"--seed", "4"}, want: map[string]string{"seed": "4"}},
		{name: "an empty variable says nothing", file: settings, vars: []string{"UNDERSTUDY_SEED="}, want: map[string]string{"seed": "2"}},
		{name: "injected", vars: []string{"UNDERSTUDY_PORT=tcp://10.0.0.1:6400", "UNDERSTUDY_PORT_6400_TCP_ADDR=10.0.0.1", "UNDERSTUDY_SERVICE_HOST=10.0.0.1", "UNDERSTUDY_NAME=/web/understudy"}, want: map[string]string{"bind": "localhost", "control-port": "6400"}},
		{name: "wrong variable", vars: []string{"UNDERSTUDY_SEED=x"}, err: `UNDERSTUDY_SEED sets --seed to "x"`},
		{name: "wrong value in file", file: "seed: x\n", err: `settings.yaml sets --seed to "x"`},
		{name: "wrong key in file", file: "seed: 1\ndoor-prt: 1\n", err: `settings.yaml:2:1: serve has no setting "door-prt"; did you mean "door-port"?`},
		{name: "no YAML", file: "a: [\n", err: "settings.yaml:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := &env{vars: c.vars}
			cmd := serveCommand(e)
			if err := cmd.ParseFlags(c.args); err != nil {
				t.Fatal(err)
			}
			named := ""
			if c.file != "" {
				named = file(t, "settings.yaml", c.file)
			}
			err := e.settle(cmd, named)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || code(err) != exitUsage {
					t.Fatalf("got %v, want %s and exit %d", err, c.err, exitUsage)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range c.want {
				if got := cmd.Flags().Lookup(name).Value.String(); got != want {
					t.Errorf("--%s: got %s, want %s", name, got, want)
				}
			}
		})
	}
}

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	e := &env{vars: []string{
		"UNDERSTUDY_SEEDS=1", "UNDERSTUDY_CONTROL_TOKEN=x", "UNDERSTUDY_SANDBOX=ci", "UNDERSTUDY_SEED=1", "PATH=/bin",
		"UNDERSTUDY_PORT=tcp://10.0.0.1:6400", "UNDERSTUDY_SERVICE_PORT_CONTROL=6400", "UNDERSTUDY_ENV_PATH=/bin",
	}}
	got := e.unknownVariables()
	if len(got) != 1 || !strings.Contains(got[0], "UNDERSTUDY_SEEDS sets nothing") || !strings.Contains(got[0], `did you mean "UNDERSTUDY_SEED"?`) {
		t.Errorf("got %q, want a word about UNDERSTUDY_SEEDS alone", got)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, printed := lines(t)
	var log bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve", "--control-port", "0", "--door-port", "0", "--quiet"}, &env{
			out: out, err: &log, vars: []string{"UNDERSTUDY_API_PORTS=0", "UNDERSTUDY_SED=1", "UNDERSTUDY_PORT=tcp://10.0.0.1:1"},
		})
	}()
	var ready string
	select {
	case ready = <-printed:
	case code := <-done:
		t.Fatalf("the server ended with exit %d before it was ready\n%s", code, &log)
	}
	fields := strings.Fields(ready)
	if len(fields) < 3 || fields[0] != "ready" {
		t.Fatalf("got %q, want the ready line", ready)
	}
	control := strings.TrimPrefix(fields[1], "control=")
	command(t, nil, "", "health", "--control", control, "--wait", "10s").want(t, exitDone, "ready control="+control)
	stop()
	if code := <-done; code != exitDone {
		t.Errorf("got exit %d, want %d\n%s", code, exitDone, &log)
	}
	if n := strings.Count(log.String(), "sets nothing"); n != 1 {
		t.Errorf("got %d warnings about variables, want one:\n%s", n, &log)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--only", "tencentcat"}, exitUsage, `did you mean "tencentcar"?`},
		{[]string{"--clock", "noon"}, exitUsage, "--clock is"},
		{[]string{"--credentials", "none"}, exitUsage, "docs or env was expected"},
		{[]string{"--poll", "1ms"}, exitUsage, "--poll is 1ms; 10ms or more was expected"},
		{[]string{"--log", "xml"}, exitUsage, "text or json was expected"},
		{[]string{"--control-bind", "0.0.0.0"}, exitUsage, "--expose-control-without-token"},
		{[]string{"--config", "/nonexistent.yaml"}, exitFailed, "settings: "},
		{[]string{"--activate", "no-idel"}, exitUsage, `did you mean "no-idle"?`},
		{[]string{"--set", "tencentcar.cleaning=soon"}, exitUsage, "a duration such as 90s"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			args := append([]string{"serve", "--control-port", "0", "--door-port", "0", "--api-ports", "0"}, c.args...)
			command(t, nil, "", args...).want(t, c.code, "!"+c.want)
		})
	}
}
