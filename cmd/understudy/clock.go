package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/clock"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

func clockCommand(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clock",
		Short: "show or set the time of a sandbox",
		Long: "clock shows the time of a sandbox. Its commands set it, show the time then, and list what ended by itself\n" +
			"because of that.",
		Example: "  understudy clock advance 20m\n  understudy clock freeze\n  understudy clock scale 60",
		Args:    cobra.NoArgs,
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
		clockSetting(env, "scale NUMBER", "let the clock go on and pass so many seconds in each: 60", cobra.ExactArgs(1), scale),
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
		var moved sandbox.Moved
		if err := c.Send(cmd.Context(), http.MethodPut, c.InSandbox("clock"), setting, &moved); err != nil {
			return err
		}
		return printMoved(env, &moved, form.value)
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

func scale(args []string, _ time.Time) (any, error) {
	n, err := strconv.ParseFloat(args[0], 64)
	if err != nil || !(n > 0 && n <= clock.MaxScale) {
		return nil, usage("%q is no scale; a number greater than 0 and at most %d was expected, such as 60 to let an hour pass in a minute", args[0], int(clock.MaxScale))
	}
	return map[string]float64{"scale": n}, nil
}

// printMoved shows the time, and what ended while the clock was moved there.
func printMoved(env *env, m *sandbox.Moved, form string) error {
	if form == output.FormJSON {
		return output.JSON(env.out, m)
	}
	if err := printClock(env, m.Reading, form); err != nil || len(m.Expired) == 0 {
		return err
	}
	_, _ = fmt.Fprintln(env.out)
	list := output.Table{Columns: []string{"expired_at", "api", "what", "id"}}
	for _, e := range m.Expired {
		list.Add(e.At.Format(time.RFC3339Nano), e.API, e.What, e.ID)
	}
	if err := list.Print(env.out, env.err, form); err != nil || m.More == 0 {
		return err
	}
	_, _ = fmt.Fprintf(env.err, "%d more expired, later than these\n", m.More)
	return nil
}

func printClock(env *env, r clock.Reading, form string) error {
	list := output.Table{Columns: []string{"now", "mode", "scale", "signatures"}}
	list.Add(r.Now.Format(time.RFC3339Nano), r.Mode, r.Scale, r.Signatures)
	if form == output.FormJSON {
		return output.JSON(env.out, r)
	}
	return list.Print(env.out, env.err, form)
}
