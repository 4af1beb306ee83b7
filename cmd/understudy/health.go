package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// knock is the time between two questions whether the server is ready.
const knock = 50 * time.Millisecond

func healthCommand(env *env) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "tell whether the server is ready",
		Long:  "health ends with 0 when the server is ready, with 1 when it is not yet, with 4 when there is none,\nand with 124 when --wait was over before it was.",
		Args:  cobra.NoArgs,
	}
	t := controlFlag(cmd)
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait until it is")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		if wait < 0 {
			return usage("--wait is %s; a length of time such as 10s was expected", wait)
		}
		if err := c.await(cmd.Context(), wait); err != nil {
			return err
		}
		env.say("ready control=%s\n", c.base)
		return nil
	}
	return cmd
}

// await asks whether the server is ready, until it is or the time is over.
func (c *client) await(ctx context.Context, wait time.Duration) error {
	if wait == 0 {
		return c.ready(ctx)
	}
	limit, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(knock)
	defer tick.Stop()
	var why error
	for {
		err := c.ready(limit)
		if err == nil {
			return nil
		}
		if limit.Err() == nil {
			why = err
		}
		select {
		case <-limit.Done():
			return c.late(ctx, wait, why)
		case <-tick.C:
		}
	}
}

// late says what was the matter when the waiting ended.
func (c *client) late(ctx context.Context, wait time.Duration, why error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("waiting for %s: %w", c.base, ctx.Err())
	case why == nil:
		return &exit{exitTimeout, fmt.Errorf("%s was not ready within %s: it did not answer", c.base, wait)}
	}
	return &exit{exitTimeout, fmt.Errorf("%s was not ready within %s: %w", c.base, wait, why)}
}

// ready asks once.
func (c *client) ready(ctx context.Context) error {
	_, err := c.exchange(ctx, http.MethodGet, "/readyz", "", nil)
	return err
}
