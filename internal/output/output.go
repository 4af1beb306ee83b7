// Package output prints lists, values and checks: as tables for people, as Markdown, as
// the JSON that the control API speaks, and as what CI servers read.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/wire"
)

// A Table is a list to be printed. Its cells are what fmt prints of them.
type Table struct {
	Columns []string // in lower case, as they stand in JSON
	Rows    [][]any
	Empty   string // what to say where there are no rows
}

// Add adds a row of cells.
func (t *Table) Add(cells ...any) { t.Rows = append(t.Rows, cells) }

// Print writes the table in one of ListForms. Of an empty one it writes Empty to
// beside, so that a script still reads an empty list.
func (t *Table) Print(out, beside io.Writer, form string) error {
	if len(t.Rows) == 0 && t.Empty != "" {
		_, _ = fmt.Fprintln(beside, t.Empty)
	}
	switch form {
	case FormJSON:
		return t.json(out)
	case FormMarkdown:
		return t.markdown(out)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return t.text(out)
}

func (t *Table) text(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, strings.ToUpper(strings.Join(t.headings(), "\t")))
	for _, row := range t.Rows {
		_, _ = fmt.Fprintln(tab, strings.Join(Cells(brief(row), OneLine), "\t"))
	}
	return tab.Flush()
}

// maxElements is how many elements of a list a table for people shows.
const maxElements = 4

// brief shortens the long lists of a row, since one of them would make its
// column wide in every row.
func brief(row []any) []any {
	row = slices.Clone(row)
	for i, cell := range row {
		if list, ok := cell.([]string); ok && len(list) > maxElements {
			row[i] = append(list[:maxElements-1:maxElements-1], fmt.Sprintf("%d more", len(list)-maxElements+1))
		}
	}
	return row
}

func (t *Table) markdown(w io.Writer) error {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.headings())
	b.WriteString(strings.Repeat("| --- ", len(t.Columns)) + "|\n")
	for _, row := range t.Rows {
		line(Cells(row, Escaped))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) headings() []string {
	var all []string
	for _, name := range t.Columns {
		all = append(all, strings.ReplaceAll(name, "_", " "))
	}
	return all
}

// Cells are the cells of a row as text, each in one of the forms OneLine and
// Escaped.
func Cells(row []any, form func(string) string) []string {
	all := make([]string, len(row))
	for i, cell := range row {
		if list, ok := cell.([]string); ok {
			cell = strings.Join(list, ", ")
		}
		all[i] = form(fmt.Sprint(cell))
	}
	return all
}

// OneLine keeps a cell on its line and in its column.
func OneLine(s string) string { return Printable(strings.Join(strings.Fields(s), " ")) }

// Printable writes as escapes what is no UTF-8 and every character that is not seen:
// control characters, those that turn the direction of what follows or join letters, and
// those that Unicode does not have. So no text steers the terminal that it is printed to, nor looks
// like another one. Line breaks and tabs stay.
func Printable(s string) string {
	if strings.IndexFunc(s, steers) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case steers(r):
			b.WriteString(escapeOf(r))
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func steers(r rune) bool { return !unicode.IsGraphic(r) && r != '\n' && r != '\t' }

// escapeOf writes a character as JSON does, in two halves where it takes more than 16 bits.
func escapeOf(r rune) string {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Escaped keeps a cell from being read as Markdown: no link, image, mention, HTML, code or
// emphasis comes of it. References of HTML stand where a backslash does not keep a renderer
// from making a link of an address or a mention of a name.
func Escaped(s string) string { return markdown.Replace(OneLine(s)) }

var markdown = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "(", `\(`, ")", `\)`, "!", `\!`, "~", `\~`,
	"&", "&amp;", "<", "&lt;", "@", "&#64;", "://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;",
)

// json writes {"items": […]}, as the control API writes its lists.
func (t *Table) json(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i, row := range t.Rows {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := t.object(&b, row); err != nil {
			return err
		}
	}
	b.WriteString("]}")
	return Indent(w, b.Bytes())
}

func (t *Table) object(b *bytes.Buffer, row []any) error {
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
			return fmt.Errorf("writing %s: %w", t.Columns[i], err)
		}
		fmt.Fprintf(b, "%q:%s", t.Columns[i], value)
	}
	b.WriteByte('}')
	return nil
}

// Indent writes JSON as people read it.
func Indent(w io.Writer, raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, escapeJSON(b.String()))
	return err
}

// escapeJSON escapes the control characters that JSON lets stand in strings: they stand
// nowhere else.
func escapeJSON(text string) string {
	if utf8.ValidString(text) {
		return Printable(text)
	}
	return text
}

// JSON writes a value as people read it.
func JSON(w io.Writer, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return Indent(w, raw)
}

// JSONText writes a value as compact JSON.
func JSONText(value any) string { return escapeJSON(string(wire.Encode(value))) }
