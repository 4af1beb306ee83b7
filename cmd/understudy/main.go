// Command understudy stands in for documented HTTP APIs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
	_ "github.com/understudy-suite/understudy/internal/probe" // ends the process where `health` has its answer
	"github.com/understudy-suite/understudy/internal/server"
)

// started is when this process began, as near as it can be known.
var started = time.Now()

// Exit codes. They stay as they are within a major version.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitInsufficient = 3   // the evidence does not suffice; an unknown name
	exitNoServer     = 4   // no server there
	exitTimeout      = 124 // timed out waiting
)

// exitCodes are those of the reasons for which the control API gave no answer.
var exitCodes = map[client.Kind]int{
	client.Failed:   exitFailed,
	client.Usage:    exitUsage,
	client.Unknown:  exitInsufficient,
	client.NoServer: exitNoServer,
	client.Timeout:  exitTimeout,
}

// exit is an error that says with which code the command ends.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitFailed) // whatever it is that does not end
	}()
	os.Exit(run(ctx, os.Args[1:], environment()))
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, args []string, env *env) int {
	root := newRoot(env, args...)
	root.SetArgs(args)
	root.SetIn(env.in)
	root.SetOut(env.out)
	root.SetErr(env.err)
	defer env.flush()
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	env.note("understudy: %s\n", strings.TrimSpace(err.Error()))
	return code(err)
}

func code(err error) int {
	var e *exit
	var usage *server.UsageError
	var answer *client.Error
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &answer):
		return exitCodes[answer.Kind]
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// A verb is a command by its name.
type verb struct {
	name string
	make func(*env) *cobra.Command
}

// verbs are all commands, in the order in which help lists them.
func verbs() []verb {
	return []verb{
		{"serve", serveCommand},
		{"list", listCommand},
		{"validate", validateCommand},
		{"call", callCommand},
		{"scenarios", scenariosCommand},
		{"sandbox", sandboxCommand},
		{"reset", resetCommand},
		{"snapshot", snapshotCommand},
		{"fixture", fixtureCommand},
		{"journal", journalCommand},
		{"verify", verifyCommand},
		{"clock", clockCommand},
		{"trigger", triggerCommand},
		{"env", envCommand},
		{"coverage", coverageCommand},
		{"handbook", handbookCommand},
		{"openapi", openapiCommand},
		{"schema", schemaCommand},
		{"hosts", hostsCommand},
		{"ca", caCommand},
		{"health", healthCommand},
		{"doctor", doctorCommand},
		{"version", versionCommand},
	}
}

// newRoot returns the program's command with those below it. Where args begin with the name
// of one, it is the only one that is made.
func newRoot(env *env, args ...string) *cobra.Command {
	root := &cobra.Command{
		Use:   "understudy",
		Short: "understudy stands in for documented HTTP APIs: it answers, checks and fails as the real services do",
		Long: "understudy stands in for documented HTTP APIs. It answers as the real service would, checks requests\n" +
			"as the real service would, and fails on demand as the real service may.\n\n" +
			"serve starts a server. list, validate, handbook, openapi, schema and version need none; the other\n" +
			"commands ask the one that --control or UNDERSTUDY_CONTROL names, with the token of\n" +
			"UNDERSTUDY_CONTROL_TOKEN where it has one. Every flag is also a variable: --fail-under is\n" +
			"UNDERSTUDY_FAIL_UNDER.\n\n" +
			"Commands end with 0 when done, 1 when something failed, 2 for wrong usage, 3 when the evidence does not\n" +
			"suffice or a name is unknown, 4 when no server is there, and 124 when waiting took too long.",
		Example: "  understudy serve\n  understudy list outcomes tencentcar CreateSession\n" +
			"  eval \"$(understudy env --sandbox auto)\"\n  understudy journal",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w; see: %s --help", err, cmd.CommandPath())
	})
	made := verbs()
	if i := slices.IndexFunc(made, func(v verb) bool { return len(args) > 0 && v.name == args[0] }); i >= 0 {
		made = made[i : i+1]
	}
	for _, v := range made {
		root.AddCommand(v.make(env))
	}
	strictArgs(root)
	return root
}

// strictArgs makes wrong arguments end with the code for wrong usage, and
// settings from the environment and the file count.
func strictArgs(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return usage("%w; see: %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}
