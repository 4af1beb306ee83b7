package output_test

import (
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/internal/output"
)

// Nothing that is printed steers a terminal: U+009B begins a command there as ESC [ does.
func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                       "plain",
		"lines\n\tand tabs":           "lines\n\tand tabs",
		"\x1b[2J\x7f\r":               `\u001b[2J\u007f\u000d`,
		"a\u0080\u009b\u009f\u00a0é游": "a\\u0080\\u009b\\u009f\u00a0é游",
		"no UTF-8 \x9b1m \xff":        `no UTF-8 \x9b1m \xff`,
		"\ufffd":                      "\ufffd",
	} {
		if got := output.Printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got, want := output.OneLine("a\n b\u009b"), `a b\u009b`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// JSON says the same with every control character escaped.
func TestJSONIsPrintable(t *testing.T) {
	t.Parallel()
	want := "\"\\u001b \\u009b \\u007f é\""
	var b strings.Builder
	if err := output.Indent(&b, []byte("\"\\u001b \u009b \u007f é\"")); err != nil || b.String() != want+"\n" {
		t.Errorf("got %q, %v; want %q", b.String(), err, want)
	}
	if got := output.JSONText("\x1b \u009b \u007f é"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a client sends makes no link, image, mention, HTML or emphasis of a cell.
func TestEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, 4.5 %; a-b":                "plain text, 4.5 %; a-b",
		"![x](http://evil.example/p.png)":       `\!\[x\]\(http&#58;//evil.example/p.png\)`,
		"[x][y]":                                `\[x\]\[y\]`,
		"https://evil.example www.evil.example": "https&#58;//evil.example www&#46;evil.example",
		"<https://evil.example>":                "&lt;https&#58;//evil.example>",
		"@team, root@evil.example":              "&#64;team, root&#64;evil.example",
		"&lt;b&gt; <img src=x>":                 "&amp;lt;b&amp;gt; &lt;img src=x>",
		"a|b\nc *d* _e_ `f` ~~g~~ \\|":          "a\\|b c \\*d\\* \\_e\\_ \\`f\\` \\~\\~g\\~\\~ \\\\\\|",
		"#12 \u202etxt.exe":                     `#12 \\u202etxt.exe`,
	} {
		if got := output.Escaped(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// Characters that are not seen stand as escapes.
func TestUnseenCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"a\u202eb": `a\u202eb`, "a\u200bb": `a\u200bb`, "a\u2066b": `a\u2066b`, "a\ufeffb": `a\ufeffb`, "a\u2028b": `a\u2028b`,
		"a\u0085b": `a\u0085b`, "a\U000e0041b": `a\udb40\udc41b`, "a\u00a0b é 游 😀\n\t": "a\u00a0b é 游 😀\n\t",
	} {
		if got := output.Printable(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
