package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/client"
)

// knock is the time between two questions whether the server is ready.
const knock = 50 * time.Millisecond

func healthCommand(env *env) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "report whether the server is ready",
		Long:  "health ends with 0 when the server is ready, with 1 when it is not yet, with 4 when there is none,\nand with 124 when --wait was over before it was.",
		Args:  cobra.NoArgs,
	}
	t, form := controlFlag(cmd), tellForm(cmd)
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait until it is")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		if wait < 0 {
			return usage("--wait is %s; a length of time such as 10s was expected", wait)
		}
		answer, err := await(cmd.Context(), c, wait)
		if err != nil {
			return err
		}
		return env.tell(form, answer, "ready control=%s\n", c.Base)
	}
	return cmd
}

// await asks whether the server is ready, until it is or the time is over, and returns
// its answer.
func await(ctx context.Context, c *client.Client, wait time.Duration) (json.RawMessage, error) {
	if wait == 0 {
		return ready(ctx, c)
	}
	limit, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(knock)
	defer tick.Stop()
	var why error
	for {
		answer, err := ready(limit, c)
		if err == nil {
			return answer, nil
		}
		if limit.Err() == nil {
			why = err
		}
		select {
		case <-limit.Done():
			return nil, lateError(ctx, c, wait, why)
		case <-tick.C:
		}
	}
}

// lateError says what was the matter when the waiting ended.
func lateError(ctx context.Context, c *client.Client, wait time.Duration, why error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("waiting for %s: %w", c.Base, ctx.Err())
	case why == nil:
		return &exit{exitTimeout, fmt.Errorf("%s was not ready within %s: it did not answer", c.Base, wait)}
	}
	return &exit{exitTimeout, fmt.Errorf("%s was not ready within %s: %w", c.Base, wait, why)}
}

// ready asks once.
func ready(ctx context.Context, c *client.Client) (answer json.RawMessage, err error) {
	return answer, c.Get(ctx, "/readyz", &answer)
}
