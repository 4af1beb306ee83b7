package main

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/output"
)

func clockCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clock",
		Short: "show or set the time of a sandbox",
		Args:  cobra.NoArgs,
	}
	t, form := targetFlags(cmd), listForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		var r clock.Reading
		if err := c.Get(cmd.Context(), c.InSandbox("clock"), &r); err != nil {
			return err
		}
		return printClock(env, r, form.value)
	}
	cmd.AddCommand(
		clockSetting(env, "advance DURATION", "move the clock forward: 20m, 1h30m", cobra.ExactArgs(1), advance),
		clockSetting(env, "freeze [INSTANT]", "stop the clock at an instant such as 2026-01-31T12:00:00Z, or where it stands", cobra.MaximumNArgs(1), freeze),
		clockSetting(env, "follow", "let the clock go with the wall clock again", cobra.NoArgs, follow),
	)
	return cmd
}

// clockSetting is a command that sets the clock to what body makes of its
// arguments, and shows the time then.
func clockSetting(env *env, use, short string, args cobra.PositionalArgs, body func(args []string, now time.Time) (any, error)) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	t, form := targetFlags(cmd), listForm(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		if _, err := body(args, time.Time{}); err != nil {
			return err
		}
		var r clock.Reading
		if err := c.Get(cmd.Context(), c.InSandbox("clock"), &r); err != nil {
			return err
		}
		setting, err := body(args, r.Now)
		if err != nil {
			return err
		}
		if err := c.Send(cmd.Context(), http.MethodPut, c.InSandbox("clock"), setting, &r); err != nil {
			return err
		}
		return printClock(env, r, form.value)
	}
	return cmd
}

func advance(args []string, _ time.Time) (any, error) {
	d, err := time.ParseDuration(args[0])
	if err != nil || d <= 0 {
		return nil, usage("%q is no positive length of time; one such as 20m or 1h30m was expected; to go back, freeze the clock at an earlier instant", args[0])
	}
	return map[string]string{"advance": args[0]}, nil
}

func freeze(args []string, now time.Time) (any, error) {
	at := now
	if len(args) == 1 {
		var err error
		if at, err = time.Parse(time.RFC3339, args[0]); err != nil {
			return nil, usage("%q is no instant; one such as 2026-01-31T12:00:00Z was expected", args[0])
		}
	}
	return map[string]string{"freeze": at.Format(time.RFC3339Nano)}, nil
}

func follow([]string, time.Time) (any, error) { return map[string]bool{"follow": true}, nil }

func printClock(env *env, r clock.Reading, form string) error {
	list := output.Table{Columns: []string{"now", "mode", "signatures"}}
	list.Add(r.Now.Format(time.RFC3339Nano), r.Mode, r.Signatures)
	if form == output.FormJSON {
		return output.JSON(env.out, r)
	}
	return list.Print(env.out, env.err, form)
}
