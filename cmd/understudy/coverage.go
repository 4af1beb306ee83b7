package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/document"
)

// coverageOptions are the flags of coverage.
type coverageOptions struct {
	merge         []string
	failUnder     float64
	waivers       string
	all, uncalled bool
}

func coverageCommand(env *env) *cobra.Command {
	var o coverageOptions
	cmd := &cobra.Command{
		Use:   "coverage [--merge FILE…]",
		Short: "tell which documented outcomes the calls met, and what the client did next",
		Long: "coverage tells which of the documented outcomes calls met, whether the answers reached the client, and\n" +
			"what the client did next. With --merge it sums reports that -o json wrote, and asks a server only where\n" +
			"--control, --sandbox or --all is written too. It ends with 1 where less is met than --fail-under asks\n" +
			"for, and with 3 where there was no call at all. A file of waivers lists outcomes that need not be met:\n" +
			"waivers: [{api, operation, outcome, reason, until}].",
		Example: "  understudy coverage --all --fail-under 80 -o markdown\n  understudy coverage --merge job-1.json job-2.json",
	}
	t := targetFlags(cmd)
	form := choose(cmd, "form of the report", coverage.Forms)
	f := cmd.Flags()
	f.StringSliceVar(&o.merge, "merge", nil, "sum these reports; more may follow as arguments")
	f.Float64Var(&o.failUnder, "fail-under", 0, "end with 1 where less than so many percent are met")
	f.StringVar(&o.waivers, "waivers", "", "file with outcomes that need not be met")
	f.BoolVar(&o.all, "all", false, "of all sandboxes, those that are gone and what was before resets among them")
	f.BoolVar(&o.uncalled, "uncalled", false, "count APIs that nobody called, too")
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 && len(o.merge) == 0 {
			return fmt.Errorf("%q is no flag; files are summed with --merge", args[0])
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asks := len(o.merge) == 0 || f.Changed("control") || f.Changed("sandbox") || f.Changed("all")
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		if err := coverage.CheckShare(o.failUnder); err != nil {
			return usage("--fail-under: %w", err)
		}
		if !asks {
			c = nil
		}
		r, err := o.report(cmd.Context(), c, args)
		if err != nil {
			return err
		}
		if err := r.Print(env.out, form.value, o.failUnder); err != nil {
			return err
		}
		return judge(r, o.failUnder)
	}
	return cmd
}

// report asks for the report and sums the others. c is nil where no server is asked.
func (o *coverageOptions) report(ctx context.Context, c *client.Client, more []string) (*coverage.Report, error) {
	var reports []*coverage.Report
	if c != nil {
		r, err := o.ask(ctx, c)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	for _, path := range append(o.merge, more...) {
		r, err := coverage.ReadPath(path)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	r := reports[0]
	if len(o.merge) > 0 {
		var err error
		if r, err = coverage.Merge(reports...); err != nil {
			return nil, err
		}
	}
	r.Settle(o.uncalled)
	if o.waivers == "" {
		return r, nil
	}
	text, err := document.ReadPath(o.waivers)
	if err != nil {
		return nil, fmt.Errorf("waivers: %w", err)
	}
	waivers, err := coverage.NewCatalogue(emulators.All).ParseWaivers(o.waivers, text, time.Now())
	if err != nil {
		return nil, err
	}
	r.Waive(waivers)
	return r, nil
}

func (o *coverageOptions) ask(ctx context.Context, c *client.Client) (*coverage.Report, error) {
	query := url.Values{"all": {strconv.FormatBool(o.all)}}
	var raw json.RawMessage
	if err := c.Get(ctx, c.InSandbox("coverage")+"?"+query.Encode(), &raw); err != nil {
		return nil, err
	}
	r, err := coverage.Read(raw)
	if err != nil {
		return nil, fmt.Errorf("the server's report cannot be used: %w", err)
	}
	return r, nil
}

// judge returns why a report does not suffice, and what it lacks.
func judge(r *coverage.Report, least float64) error {
	err := r.Judge(least)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, coverage.ErrNoCalls):
		return &exit{exitInsufficient, err}
	}
	return fmt.Errorf("%w. Not met are:\n%s", err, strings.Join(r.Missing(), "\n"))
}
