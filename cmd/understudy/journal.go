package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/understudy-suite/understudy/internal/client"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/wire"
)

// pause is the time before a stream that broke is asked for again.
const pause = 200 * time.Millisecond

// filter says which entries of a journal are meant, by the names of the
// control API's query.
type filter struct {
	api, operation, outcome, decidedBy, since string
	status, limit                             int
}

func (f *filter) flags(flags *pflag.FlagSet) {
	flags.StringVar(&f.api, "api", "", "entries of this API only")
	flags.StringVar(&f.operation, "operation", "", "entries of this operation only")
	flags.StringVar(&f.outcome, "outcome", "", "entries with this outcome only")
	flags.StringVar(&f.decidedBy, "decided-by", "", "entries decided by this only: emulator, scenario, header or check")
	flags.IntVar(&f.status, "status", 0, "entries with this HTTP status only")
	flags.StringVar(&f.since, "since", "", "entries from this instant on, or not older than this: 5m")
	flags.IntVar(&f.limit, "limit", 100, "at most so many entries, the newest")
}

// query is the filter as the control API takes it.
func (f *filter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"api": f.api, "operation": f.operation, "outcome": f.outcome, "decided_by": f.decidedBy, "since": f.since,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.status != 0 {
		q.Set("status", strconv.Itoa(f.status))
	}
	q.Set("limit", strconv.Itoa(f.limit))
	return q
}

func journalCommand(env *env) *cobra.Command {
	var f filter
	var follow bool
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "list calls: request, outcome and why; newest first",
		Long: "journal lists the calls of a sandbox, newest first: what was asked, how it ended, who decided that and why.\n" +
			"understudy journal show ID has all that is known of one of them.",
		Args: cobra.NoArgs,
	}
	t := targetFlags(cmd)
	form := choose(cmd, "form of the answer; har: an HTTP archive, oldest first", append(slices.Clone(output.ListForms), output.FormHAR))
	f.flags(cmd.Flags())
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on telling as calls come, until interrupted; newest last")
	completeFilters(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		if form.value == output.FormHAR {
			return printArchive(cmd, c, env, &f, follow)
		}
		if follow {
			query := f.query()
			if f.since != "" && !cmd.Flags().Changed("limit") {
				query.Del("limit") // since says where to begin
			}
			return followJournal(cmd.Context(), c, env, query, form.value)
		}
		return printJournal(cmd.Context(), c, env, &f, form.value)
	}
	cmd.AddCommand(journalShow(env))
	return cmd
}

// printArchive prints all that a filter chooses, unless it has a limit.
func printArchive(cmd *cobra.Command, c *client.Client, env *env, f *filter, follow bool) error {
	if follow {
		return &exit{exitUsage, errors.New("an archive has an end; leave out --follow, or -o har")}
	}
	query := f.query()
	if !cmd.Flags().Changed("limit") {
		query.Del("limit")
	}
	var raw json.RawMessage
	if err := c.Get(cmd.Context(), c.InSandbox("journal.har")+"?"+query.Encode(), &raw); err != nil {
		return err
	}
	return output.Indent(env.out, raw)
}

func completeFilters(cmd *cobra.Command) {
	kinds := []string{string(journal.Emulator), string(journal.Scenario), string(journal.Header), string(journal.Check)}
	_ = cmd.RegisterFlagCompletionFunc("api", cobra.FixedCompletions(apiNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("decided-by", cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp))
}

// page is a part of a journal, newest first.
type page struct {
	Items []journal.Entry `json:"items"`
	Next  string          `json:"next"`
}

// printJournal prints the entries that a filter chooses.
func printJournal(ctx context.Context, c *client.Client, env *env, f *filter, form string) error {
	var raw json.RawMessage
	if err := c.Get(ctx, c.InSandbox("journal")+"?"+f.query().Encode(), &raw); err != nil {
		return err
	}
	if form == output.FormJSON {
		return output.Indent(env.out, raw)
	}
	var p page
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("reading the journal: %w", wire.InWords(err))
	}
	t := &output.Table{
		Columns: []string{"id", "time", "operation", "outcome", "decided_by", "status", "cause"},
		Empty:   "no such calls in the journal of " + c.Sandbox,
	}
	for i := range p.Items {
		t.Rows = append(t.Rows, journalRow(&p.Items[i]))
	}
	if err := t.Print(env.out, env.err, form); err != nil {
		return err
	}
	if p.Next != "" {
		env.note("there are older ones; --limit %d shows more\n", min(10*f.limit, 1000))
	}
	return nil
}

// journalRow is an entry as a row of the table.
func journalRow(e *journal.Entry) []any {
	return []any{
		e.ID, e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), e.API + "/" + operationOf(e), e.Outcome,
		decider(e.DecidedBy), e.Status, cause(e),
	}
}

func operationOf(e *journal.Entry) string {
	if e.Operation == "" {
		return "-"
	}
	return e.Operation
}

func decider(by journal.Decider) string {
	if by.Kind == journal.Scenario {
		return by.Scenario + " rule " + strconv.Itoa(by.Rule)
	}
	return by.String()
}

// cause is the code of the reason for which the call ended so.
func cause(e *journal.Entry) string {
	if e.Explanation == nil {
		return ""
	}
	return e.Explanation.Cause
}

// followJournal prints the entries that are there and a query chooses, oldest first, and
// then those that come, until ctx is done. It outlasts a server that is started again.
func followJournal(ctx context.Context, c *client.Client, env *env, query url.Values, form string) error {
	connected := false
	for {
		err := c.Stream(ctx, c.InSandbox("journal", "stream")+"?"+query.Encode(), func(e client.Event) error {
			connected = true
			if e.ID != "" { // where to go on
				query.Set("after", e.ID)
				query.Del("limit")
			}
			return printEvent(env, e, form)
		})
		if ctx.Err() != nil {
			return nil // interrupted, which is how following ends
		}
		broke := (*client.Error)(nil)
		switch {
		case err == nil:
			connected = true
		case !connected, !errors.As(err, &broke), broke.Kind != client.NoServer && broke.Kind != client.Timeout:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// printEvent prints one call, or how many are missing.
func printEvent(env *env, event client.Event, form string) error {
	if event.Name == "lost" {
		var told struct {
			Lost int `json:"lost"`
		}
		if err := json.Unmarshal([]byte(event.Data), &told); err != nil {
			return fmt.Errorf("reading the stream: %w", wire.InWords(err))
		}
		env.note("understudy: %d calls are missing here: they came faster than they were read, or the journal no longer has them\n", told.Lost)
		return nil
	}
	var e journal.Entry
	if err := json.Unmarshal([]byte(event.Data), &e); err != nil {
		return fmt.Errorf("reading the stream: %w", wire.InWords(err))
	}
	return printEntries(env, []journal.Entry{e}, form)
}

// printEntries prints entries as they come: columns of fixed width, or a JSON object a
// line.
func printEntries(env *env, entries []journal.Entry, form string) error {
	for i := range entries {
		e := &entries[i]
		if form == output.FormJSON {
			env.say("%s\n", output.JSONText(e))
			continue
		}
		if form == output.FormMarkdown {
			env.say("| %s |\n", strings.Join(output.Cells(journalRow(e), output.Escaped), " | "))
			continue
		}
		row := output.Cells(journalRow(e), output.OneLine)
		line := fmt.Sprintf("%-12s  %s  %-34s  %-34s  %-20s  %s  %s", row[0], row[1], row[2], row[3], row[4], row[5], row[6])
		if _, err := fmt.Fprintln(env.out, strings.TrimRight(line, " ")); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	return nil
}
