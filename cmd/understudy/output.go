package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/document"
)

// choice is a flag that takes one of a few words.
type choice struct {
	value string
	known []string
}

func (c *choice) String() string { return c.value }

// Type is how the help shows the flag's value.
func (c *choice) Type() string { return strings.Join(c.known, "|") }

// Set takes one of the known words.
func (c *choice) Set(word string) error {
	if !slices.Contains(c.known, word) {
		return fmt.Errorf("%s was expected%s", strings.Join(c.known, " or "), suggestion(word, c.known))
	}
	c.value = word
	return nil
}

// suggestion is document.Hint where it has one word to suggest: what else is
// known has been said.
func suggestion(got string, known []string) string {
	if hint := document.Hint(got, known); strings.Contains(hint, "did you mean") {
		return hint
	}
	return ""
}

// choose adds a flag -o that takes one of the known words, the first by default.
func choose(cmd *cobra.Command, does string, known ...string) *choice {
	c := &choice{value: known[0], known: known}
	cmd.Flags().VarP(c, "output", "o", does)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// The forms in which lists are printed.
const (
	formTable    = "table"
	formJSON     = "json"
	formMarkdown = "markdown"
)

func listForm(cmd *cobra.Command) *choice {
	return choose(cmd, "form of the answer", formTable, formJSON, formMarkdown)
}

// A table is a list to be printed. Its cells are what fmt prints of them.
type table struct {
	columns []string // in lower case, as they stand in JSON
	rows    [][]any
	empty   string // what to say where there are no rows
}

func (t *table) add(cells ...any) { t.rows = append(t.rows, cells) }

// print writes the table in the form asked for. That there is nothing to list
// is told beside the answer, so that a script still reads an empty list.
func (t *table) print(env *env, form string) error {
	if len(t.rows) == 0 && t.empty != "" {
		env.note("%s\n", t.empty)
	}
	switch form {
	case formJSON:
		return t.json(env.out)
	case formMarkdown:
		return t.markdown(env.out)
	}
	if len(t.rows) == 0 {
		return nil
	}
	return t.text(env.out)
}

func (t *table) text(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, strings.ToUpper(strings.Join(t.headings(), "\t")))
	for _, row := range t.rows {
		_, _ = fmt.Fprintln(tab, strings.Join(cells(brief(row), plain), "\t"))
	}
	return tab.Flush()
}

// glance is how many elements of a list a table for people shows.
const glance = 4

// brief shortens the long lists of a row, since one of them would make its
// column wide in every row.
func brief(row []any) []any {
	row = slices.Clone(row)
	for i, cell := range row {
		if list, ok := cell.([]string); ok && len(list) > glance {
			row[i] = append(list[:glance-1:glance-1], fmt.Sprintf("%d more", len(list)-glance+1))
		}
	}
	return row
}

func (t *table) markdown(w io.Writer) error {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.headings())
	b.WriteString(strings.Repeat("| --- ", len(t.columns)) + "|\n")
	for _, row := range t.rows {
		line(cells(row, escaped))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *table) headings() []string {
	var all []string
	for _, name := range t.columns {
		all = append(all, strings.ReplaceAll(name, "_", " "))
	}
	return all
}

func cells(row []any, form func(string) string) []string {
	all := make([]string, len(row))
	for i, cell := range row {
		if list, ok := cell.([]string); ok {
			cell = strings.Join(list, ", ")
		}
		all[i] = form(fmt.Sprint(cell))
	}
	return all
}

// plain keeps a cell on its line and in its column.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// escaped keeps a cell from being read as Markdown.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`").Replace(plain(s))
}

// json writes {"items": […]}, as the control API writes its lists.
func (t *table) json(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i, row := range t.rows {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := t.object(&b, row); err != nil {
			return err
		}
	}
	b.WriteString("]}")
	return indented(w, b.Bytes())
}

func (t *table) object(b *bytes.Buffer, row []any) error {
	b.WriteByte('{')
	for i, cell := range row {
		if i > 0 {
			b.WriteByte(',')
		}
		if list, ok := cell.([]string); ok && list == nil {
			cell = []string{}
		}
		value, err := json.Marshal(cell)
		if err != nil {
			return fmt.Errorf("writing %s: %w", t.columns[i], err)
		}
		fmt.Fprintf(b, "%q:%s", t.columns[i], value)
	}
	b.WriteByte('}')
	return nil
}

// indented writes JSON as people read it.
func indented(w io.Writer, raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// printJSON writes a value as people read it.
func printJSON(w io.Writer, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return indented(w, raw)
}

// say writes to standard output. A reader who has gone needs no telling.
func (e *env) say(format string, args ...any) { _, _ = fmt.Fprintf(e.out, format, args...) }

// note writes beside the answer.
func (e *env) note(format string, args ...any) { _, _ = fmt.Fprintf(e.err, format, args...) }
