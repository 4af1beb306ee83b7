package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/journal"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/replay"
	"github.com/understudy-suite/understudy/internal/wire"
)

func journalShow(env *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "show one entry in full: request, answer, who decided and why",
		Long: "show prints one entry in full. Its forms: table, to be read; json, as the control API has it; http, the\n" +
			"exchange as examples are kept; curl, a line that sends the request again; go and node, programs that\n" +
			"do; scenario, a scenario file that has such calls end so again. Where the server keeps signatures to\n" +
			"itself, as it does for credentials of its environment and with --redact, the requests are a line for\n" +
			"understudy call.",
		Args: cobra.ExactArgs(1),
	}
	t := targetFlags(cmd)
	form := choose(cmd, "form of the answer", append(slices.Clone(output.AnswerForms), replay.Forms...))
	form.also = map[string]string{"page": output.FormTable, "text": output.FormTable}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := t.client(cmd, env)
		if err != nil {
			return err
		}
		path := c.InSandbox("journal", args[0])
		if slices.Contains(replay.Forms, form.value) {
			text, note, err := c.Text(cmd.Context(), path+"?format="+form.value)
			if note != "" {
				env.note("understudy: %s\n", note)
			}
			env.say("%s", text)
			return err
		}
		var raw json.RawMessage
		if err := c.Get(cmd.Context(), path, &raw); err != nil {
			return err
		}
		if form.value == output.FormJSON {
			return output.Indent(env.out, raw)
		}
		shown, err := readEntry(raw)
		if err != nil {
			return err
		}
		if shown.Request.Truncated || shown.Response.Truncated {
			env.note("understudy: the journal kept the beginning of a long body only\n")
		}
		return printPage(env.out, shown)
	}
	return cmd
}

// readEntry reads an entry. Its numbers stay as they were written.
func readEntry(raw []byte) (*journal.Shown, error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	e := &journal.Shown{}
	if err := decoder.Decode(e); err != nil {
		return nil, fmt.Errorf("reading the entry: %w", wire.InWords(err))
	}
	return e, nil
}

// printPage writes an entry to be read.
func printPage(w io.Writer, e *journal.Shown) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s/%s/%s\n", e.ID, e.API, operationOf(&e.Entry), e.Outcome)
	fmt.Fprintf(&b, "%s, %g ms, %s; from %s", e.Time.UTC().Format(time.RFC3339Nano), e.DurationMS, e.Delivered, e.Client.Address)
	if e.Client.UserAgent != "" {
		fmt.Fprintf(&b, " (%s)", output.OneLine(e.Client.UserAgent))
	}
	fmt.Fprintf(&b, "; sandbox %s found by %s\n\n", e.Sandbox, e.FoundBy)
	b.WriteString(strings.TrimRight(replay.RequestOf(&e.Entry).Text(), "\n") + "\n\n")
	b.WriteString(strings.TrimRight(replay.ResponseOf(&e.Entry).Text(), "\n") + "\n\n")
	fmt.Fprintf(&b, "decided by: %s\n", decider(e.DecidedBy))
	pageWire(&b, e.Wire)
	pageExplanation(&b, e.Explanation)
	for _, one := range e.Adopted {
		fmt.Fprintf(&b, "adopted: %s %s\n", one.What, output.OneLine(one.ID))
	}
	pageFacts(&b, "notes", e.Notes)
	if len(e.Violations) > 0 {
		b.WriteString("violations:\n")
		for _, v := range e.Violations {
			fmt.Fprintf(&b, "  %s: %s", v.Path, v.Rule)
			if v.Got != nil {
				fmt.Fprintf(&b, ", got %s", output.JSONText(v.Got))
			}
			b.WriteString("\n")
		}
		if e.MoreViolations > 0 {
			fmt.Fprintf(&b, "  and %d more\n", e.MoreViolations)
		}
	}
	pageParameters(&b, e.Parameters)
	if !e.Mismatches.IsZero() {
		b.WriteString("rules passed over:\n")
		for _, p := range e.Mismatches.List() {
			where := "  "
			if p.Rule > 0 {
				where = fmt.Sprintf("  %s rule %d: ", p.Scenario, p.Rule)
			}
			fmt.Fprintf(&b, "%s%s\n", where, p.Why)
		}
	}
	if line := replay.Again(emulators.All, &e.Entry); e.Redacted && line != "" {
		fmt.Fprintf(&b, "again: %s\n", line)
	}
	_, err := io.WriteString(w, output.Printable(b.String()))
	return err
}

// pageParameters writes how the call compares with the documented parameters.
func pageParameters(b *strings.Builder, p *journal.Parameters) {
	if p == nil {
		return
	}
	for _, part := range []struct {
		name string
		list []string
	}{
		{"sent, and not documented", p.Unknown},
		{"documented, and not sent", p.NotSent},
		{"answered", p.Answered},
		{"documented, and not answered", p.NotAnswered},
	} {
		if len(part.list) > 0 {
			fmt.Fprintf(b, "%s: %s\n", part.name, output.OneLine(strings.Join(part.list, ", ")))
		}
	}
}

func pageWire(b *strings.Builder, w *journal.Wire) {
	if w == nil {
		return
	}
	var what []string
	if w.DelayMS > 0 {
		what = append(what, (time.Duration(w.DelayMS)*time.Millisecond).String()+" of delay")
	}
	if w.Bandwidth > 0 {
		what = append(what, strconv.Itoa(w.Bandwidth)+" bytes of the body in a second")
	}
	if w.Fault != "" {
		what = append(what, w.Fault)
	}
	if len(w.Headers) > 0 {
		what = append(what, "changed headers: "+strings.Join(w.Headers, ", "))
	}
	if w.Phantom {
		what = append(what, "the outcome was answered and not carried out")
	}
	if w.Answered {
		what = append(what, "something in between answered")
	}
	if w.Undone {
		what = append(what, "the request never arrived, so nothing was carried out")
	}
	if len(what) > 0 {
		fmt.Fprintf(b, "network: %s\n", strings.Join(what, "; "))
	}
}

func pageExplanation(b *strings.Builder, x *journal.Explanation) {
	if x == nil {
		return
	}
	fmt.Fprintf(b, "cause: %s\n  %s\n", x.Cause, indent(x.Text))
	for _, part := range []struct{ name, text string }{
		{"expected", x.Expected}, {"got", x.Got}, {"first difference", x.FirstDifference},
	} {
		if part.text != "" {
			fmt.Fprintf(b, "%s:\n  %s\n", part.name, indent(part.text))
		}
	}
	pageFacts(b, "facts", x.Facts)
}

func pageFacts(b *strings.Builder, what string, facts contract.Facts) {
	if len(facts) == 0 {
		return
	}
	b.WriteString(what + ":\n")
	for _, f := range facts {
		text, ok := f.Value.(string)
		if !ok {
			text = output.JSONText(f.Value)
		}
		fmt.Fprintf(b, "  %s: %s\n", f.Name, indent(text))
	}
}

// indent moves the lines of a text under its heading.
func indent(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}
